/* SPDX-License-Identifier: EUPL-1.2 */
/* Words that are looked for in every value, most of which are bytes of the record itself. */
#include "detect/engine.h"

#include "test.h"

#define RULE(detection) "title: R\nlogsource:\n    product: windows\ndetection:\n" detection "---\n"
#define EVIL            RULE("    words: [evil]\n    condition: words\n")

struct world {
    struct sigma_set *set;
    struct taxonomy *taxonomy;
    struct engine *engine;
    struct arena arena;
    struct event ev;
};

/* Values are added to the event of the record. */
static void open_world(struct world *w, const char *rules, struct slice raw)
{
    const struct engine_options options = {.any_logsource = true};
    w->set = sigma_set_new();
    w->taxonomy = taxonomy_new();
    REQUIRE(w->set && w->taxonomy);
    REQUIRE(sigma_set_add_text(w->set, "r.yml", slice_of(rules), NULL) == 0);
    REQUIRE(sigma_set_finish(w->set) == 0);
    CHECK_INT(w->set->n_refusals, 0);
    w->engine = engine_new(w->set, w->taxonomy, &options);
    REQUIRE(w->engine);
    arena_init(&w->arena, 1 << 20);
    event_init(&w->ev, engine_keys(w->engine), &w->arena);
    event_reset(&w->ev);
    w->ev.raw = raw;
}

static void close_world(struct world *w)
{
    event_done(&w->ev);
    arena_done(&w->arena);
    engine_free(w->engine);
    taxonomy_free(w->taxonomy);
    sigma_set_free(w->set);
}

static struct event_field *add(struct world *w, const char *name, enum value_type type,
                               struct slice value)
{
    event_add_named(&w->ev, slice_of(name), type, value);
    return &w->ev.fields[w->ev.n_fields - 1];
}

/* How many rules hold. */
static uint32_t hits(struct world *w)
{
    struct engine_result result;
    REQUIRE(engine_match(w->engine, &w->ev, &result) == 0);
    return result.n_hits;
}

/* The same of the event with one value. */
static uint32_t hits_of(const char *rules, struct slice raw, enum value_type type,
                        struct slice value)
{
    struct world w;
    open_world(&w, rules, raw);
    (void)add(&w, "A", type, value);
    uint32_t n = hits(&w);
    close_world(&w);
    return n;
}

TEST(a_word_counts_in_values_and_not_between_them)
{
    const struct slice raw = SLICE("evil=1 b=ev il=2 c=an Evil c");
    CHECK_INT(hits_of(EVIL, raw, VALUE_STRING, slice_make(raw.ptr + 19, 9)), 1);
    CHECK_INT(hits_of(EVIL, raw, VALUE_STRING, slice_make(raw.ptr + 5, 1)), 0); /* in a name */
    struct world w;
    open_world(&w, EVIL, SLICE("xevilx"));
    (void)add(&w, "A", VALUE_STRING, slice_until(w.ev.raw, 3));
    (void)add(&w, "B", VALUE_STRING, slice_from(w.ev.raw, 3));
    CHECK_INT(hits(&w), 0);
    close_world(&w);
}

TEST(a_word_counts_in_values_that_are_not_of_the_record)
{
    CHECK_INT(hits_of(EVIL, SLICE("a=6576696C"), VALUE_STRING, SLICE("so evil")), 1);
    CHECK_INT(hits_of(EVIL, SLICE_NONE, VALUE_STRING, SLICE("evil")), 1);
    CHECK_INT(hits_of(EVIL, SLICE_NONE, VALUE_NULL, SLICE("evil")), 0);
    /* One that ends behind the record is none of it. */
    const struct slice text = SLICE("an evil");
    CHECK_INT(hits_of(EVIL, slice_until(text, 4), VALUE_STRING, text), 1);
}

TEST(escapes_are_resolved_before_a_word_is_looked_for)
{
    const struct slice raw = SLICE("{\"A\":\"ev\\u0069l\"}");
    CHECK_INT(hits_of(EVIL, raw, VALUE_JSON_STRING, slice_make(raw.ptr + 6, 9)), 1);
    CHECK_INT(hits_of(EVIL, raw, VALUE_STRING, slice_make(raw.ptr + 6, 9)), 0);
}

TEST(values_made_of_others_have_no_words)
{
    struct world w;
    open_world(&w, EVIL, SLICE("evil 1"));
    add(&w, "A", VALUE_STRING, slice_until(w.ev.raw, 4))->derived = true;
    (void)add(&w, "B", VALUE_STRING, slice_from(w.ev.raw, 5));
    CHECK_INT(hits(&w), 0);
    w.ev.fields[0].derived = false;
    CHECK_INT(hits(&w), 1);
    close_world(&w);
}

/* What follows the value would make one character of its last byte and be folded with it. */
TEST(a_value_that_ends_within_a_character_is_looked_at_by_itself)
{
    const char *rule = RULE("    words:\n        '|utf16be': 'x\xc3\x85'\n    condition: words\n");
    const struct slice raw = SLICE("\0x\0\xc5\xb8");
    CHECK_INT(hits_of(rule, raw, VALUE_STRING, slice_until(raw, 4)), 1);
    CHECK_INT(hits_of(rule, raw, VALUE_STRING, raw), 0);
}

TEST(words_are_looked_for_when_something_else_wakes_the_rule)
{
    const struct slice raw = SLICE("a=something b=an evil one");
    struct world w;
    /* One word is as good as there in every event: the field wakes the rule. */
    open_world(&w,
               RULE("    s:\n        A: something\n    words: ['e']\n    condition: s and words\n")
                   RULE("    s:\n        A: something\n    words: [evil]\n"
                        "    condition: s and not words\n"),
               raw);
    (void)add(&w, "A", VALUE_STRING, slice_make(raw.ptr + 2, 9));
    CHECK_INT(hits(&w), 2);
    (void)add(&w, "B", VALUE_STRING, slice_make(raw.ptr + 14, 11));
    CHECK_INT(hits(&w), 1);
    close_world(&w);
}

TEST(words_are_looked_for_when_a_rule_excludes_them_and_asks_for_nothing_else)
{
    const char *rules = RULE("    words: [evil]\n    condition: not words\n") EVIL;
    const struct slice raw = SLICE("a=good b=evil");
    struct world w;
    open_world(&w, rules, raw);
    (void)add(&w, "A", VALUE_STRING, slice_make(raw.ptr + 2, 4));
    CHECK_INT(hits(&w), 1);
    (void)add(&w, "B", VALUE_STRING, slice_make(raw.ptr + 9, 4));
    CHECK_INT(hits(&w), 1);
    close_world(&w);
}
