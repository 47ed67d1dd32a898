/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * That reading only what makes a difference makes none: the records that product files promise
 * something of are matched by an engine that reads what rules ask for, and by one that reads all.
 * Against all rules there are, and against one rule at a time, made of a field that the whole event
 * has.
 */
#include <stdlib.h>

#include "base/json_write.h"
#include "normalise/record_decoder.h"
#include "ruleset/ruleset.h"
#include "test.h"

enum { RULES_A_SAMPLE = 4, HITS_MAX = 256, RULE_MAX = 16384 };

/* What an engine found in a record. */
struct found {
    const struct sigma_rule *hits[HITS_MAX];
    uint32_t n_hits, n_fields;
};

struct side {
    struct matcher matcher;
    struct record_decoder *decoder;
    struct found found;
};

struct sides {
    struct side lazy, full;
};

static int on_event(void *ctx, uint32_t number, struct event *ev)
{
    struct side *s = ctx;
    struct engine_result result;
    (void)number;
    REQUIRE(engine_match(s->matcher.engine, ev, &result) == 0);
    for (uint32_t i = 0; i < result.n_hits && s->found.n_hits < HITS_MAX; i++)
        s->found.hits[s->found.n_hits++] = result.hits[i].rule;
    s->found.n_fields += ev->n_fields;
    return 0;
}

static void on_undecodable(void *ctx, uint32_t number, const char *reason)
{
    (void)ctx, (void)number, (void)reason;
}

static void side_open(struct side *s, const struct ruleset *rules, bool read_all)
{
    const struct engine_options options = {.read_all = read_all};
    REQUIRE(matcher_init(&s->matcher, rules, &options) == 0);
    s->decoder = record_decoder_new(engine_keys(s->matcher.engine));
    REQUIRE(s->decoder);
}

static void side_close(struct side *s)
{
    record_decoder_free(s->decoder);
    matcher_done(&s->matcher);
}

static void side_match(struct side *s, struct slice raw)
{
    const struct record record = {.raw = raw, .format = RECORD_TEXT};
    const struct record_sink sink = {s, on_event, on_undecodable};
    s->found = (struct found){0};
    REQUIRE(record_decoder_one(s->decoder, &record, &sink) == 0);
    engine_housekeep(s->matcher.engine);
}

static bool same(const struct found *a, const struct found *b)
{
    bool equal = a->n_hits == b->n_hits;
    for (uint32_t i = 0; i < a->n_hits && equal; i++) equal = a->hits[i] == b->hits[i];
    /* An event of which a rule holds is told as a whole. */
    return equal && (a->n_hits == 0 || a->n_fields == b->n_fields);
}

static void compare(struct sides *sides, const struct product *product,
                    const struct product_sample *sample, const char *what)
{
    side_match(&sides->lazy, sample->record);
    side_match(&sides->full, sample->record);
    const struct found *a = &sides->lazy.found, *b = &sides->full.found;
    if (!same(a, b))
        test_fail(__FILE__, __LINE__, "%s:%u: %u hits and %u fields, with all read %u and %u: %s",
                  product->file, sample->line, a->n_hits, a->n_fields, b->n_hits, b->n_fields,
                  what);
}

static void load(struct ruleset *rules, const char *path)
{
    struct config config;
    struct diag diag;
    config_init(&config);
    config.rules.items = &path;
    config.rules.n = path ? 1 : 0;
    int error = path ? ruleset_load(rules, &config, &diag)
                     : ruleset_load_without_rules(rules, &config, &diag);
    config_done(&config);
    REQUIRE(error == 0);
}

static void compare_rules_of(const char *path)
{
    struct ruleset rules;
    struct sides sides;
    uint64_t hits = 0;
    load(&rules, path);
    side_open(&sides.lazy, &rules, false);
    side_open(&sides.full, &rules, true);
    for (uint32_t i = 0; i < products_count(rules.products); i++) {
        const struct product *product = products_at(rules.products, i);
        for (uint32_t s = 0; s < product->n_samples; s++) {
            compare(&sides, product, &product->samples[s], path);
            hits += sides.full.found.n_hits;
        }
    }
    CHECK(hits > 0);
    side_close(&sides.lazy);
    side_close(&sides.full);
    ruleset_done(&rules);
}

TEST(the_rules_of_the_project)
{
    compare_rules_of("rules");
}

TEST(the_rules_of_sigma)
{
    char path[4096];
    if (!test_corpus()) SKIP("no corpus");
    (void)snprintf(path, sizeof path, "%s/sigma", test_corpus());
    compare_rules_of(path);
}

/* ---- rules of one field ------------------------------------------------------------------- */

struct pick {
    uint64_t random;
    struct side *full;
    struct buf rule; /* empty: none could be made */
};

static uint32_t draw(struct pick *p, uint32_t below)
{
    p->random = p->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(p->random >> 33) % below;
}

static void put_label(struct buf *out, const char *name, struct slice value)
{
    if (value.len == 0) return;
    buf_printf(out, "  %s: ", name);
    json_write_string(out, value);
    buf_putc(out, '\n');
}

/* A rule for records of this route about one field that the event has. */
static void write_rule(struct pick *p, struct event *ev, const struct taxonomy_route *route)
{
    static const char *const conditions[] = {"s", "not s"};
    struct event_field *f = &ev->fields[draw(p, ev->n_fields)];
    const struct taxonomy_label *label = &route->labels[draw(p, route->n_labels)];
    struct slice path = keys_name(ev->keys, f->key), value = event_text(ev, f);
    bool fits = slice_find_byte(path, '|') == SIZE_MAX && value.len < 1024;
    if (!fits) return;
    buf_printf(&p->rule, "title: t\nlogsource:\n");
    put_label(&p->rule, "product", label->product);
    put_label(&p->rule, "category", label->category);
    put_label(&p->rule, "service", label->service);
    buf_printf(&p->rule, "detection:\n  s:\n    ");
    path = taxonomy_plain_name(route->taxonomy, path);
    static const char *const modifiers[] = {"", "", "|contains", "|exists"};
    uint32_t kind = draw(p, 4);
    char name[KEY_NAME_MAX + 16];
    (void)snprintf(name, sizeof name, "%.*s%s", (int)path.len, path.ptr, modifiers[kind]);
    json_write_string(&p->rule, slice_of(name));
    buf_printf(&p->rule, ": ");
    if (kind == 3) buf_printf(&p->rule, "true");
    else if (kind == 0 && draw(p, 4) == 0) buf_printf(&p->rule, "null");
    else json_write_string(&p->rule, value);
    buf_printf(&p->rule, "\n  condition: %s\n", conditions[draw(p, 2)]);
}

static int on_whole_event(void *ctx, uint32_t number, struct event *ev)
{
    struct pick *p = ctx;
    struct engine_result result;
    (void)number;
    buf_clear(&p->rule);
    REQUIRE(engine_match(p->full->matcher.engine, ev, &result) == 0);
    if (result.route->n_labels && ev->n_fields) write_rule(p, ev, result.route);
    return 0;
}

static void compare_rule(const struct ruleset *rules, const struct product *product,
                         const struct product_sample *sample, const struct buf *text,
                         uint64_t *hits)
{
    struct ruleset one = *rules;
    struct sides sides;
    one.set = sigma_set_new();
    REQUIRE(one.set);
    int error = sigma_set_add_text(one.set, "rule", buf_slice(text), NULL);
    if (error == 0) error = sigma_set_finish(one.set);
    if (error == 0 && one.set->n_rules == 1) {
        char shown[512];
        (void)snprintf(shown, sizeof shown, "%.*s", (int)text->len, text->ptr);
        side_open(&sides.lazy, &one, false);
        side_open(&sides.full, &one, true);
        for (int again = 0; again < 2; again++) compare(&sides, product, sample, shown);
        *hits += sides.full.found.n_hits;
        side_close(&sides.lazy);
        side_close(&sides.full);
    }
    sigma_set_free(one.set);
}

TEST(rules_that_ask_for_one_field)
{
    struct ruleset rules;
    struct side full;
    struct pick pick = {.random = 7, .full = &full};
    uint64_t hits = 0;
    load(&rules, NULL);
    const uint32_t each = (uint32_t)test_less(RULES_A_SAMPLE);
    side_open(&full, &rules, true);
    buf_init(&pick.rule, RULE_MAX);
    for (uint32_t i = 0; i < products_count(rules.products); i++) {
        const struct product *product = products_at(rules.products, i);
        for (uint32_t s = 0; s < each * product->n_samples; s++) {
            const struct product_sample *sample = &product->samples[s / each];
            const struct record record = {.raw = sample->record, .format = RECORD_TEXT};
            const struct record_sink sink = {&pick, on_whole_event, on_undecodable};
            REQUIRE(record_decoder_one(full.decoder, &record, &sink) == 0);
            engine_housekeep(full.matcher.engine);
            if (pick.rule.len) compare_rule(&rules, product, sample, &pick.rule, &hits);
        }
    }
    CHECK(hits > 125 * each);
    buf_done(&pick.rule);
    side_close(&full);
    ruleset_done(&rules);
}
