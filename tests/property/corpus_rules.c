/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * All rules of a folder against real events, engine and slow evaluator side by side:
 *
 *     corpus-rules RULES EVERY MAX NDJSON
 *
 * Of the NDJSON every EVERY-th event is taken, MAX at most; twice: every rule on every event with
 * names as they are, then with log sources told apart. Which rules apply to an event, and what
 * their fields are called there, is then the taxonomy's word on both sides (tests/unit/detect hold
 * it to account); that the engine's plans keep to it is what is compared. Prints the first
 * differences.
 */
#include <stdlib.h>

#include "detect/engine.h"
#include "normalise/decoder.h"
#include "reference.h"

enum { SHOWN_MAX = 20 };

struct compare {
    struct taxonomy *taxonomy;
    struct engine *engine;
    bool any_logsource;
    struct sigma_set *set;
    struct ref_cache *cache;
    struct ref_field *fields;
    uint32_t cap_fields;
    bool *holds; /* by rule, as the engine says */
    struct slice
        *plain; /* by key: its plain name, owned by taxonomy or keys; ptr NULL: not asked */
    uint32_t n_plain, generation;
    uint64_t every, max, seen, events, pairs, matches, differences, unsure;
};

/* What the names of a rule's fields depend on. */
struct place {
    const struct taxonomy_route *route;
    const struct sigma_rule *rule;
};

static enum ref_type type_of(enum value_type type)
{
    switch (type) {
    case VALUE_NUMBER:
        return REF_NUMBER;
    case VALUE_BOOL:
        return REF_BOOL;
    case VALUE_NULL:
        return REF_NULL;
    case VALUE_STRING:
    case VALUE_JSON_STRING:
        break;
    }
    return REF_STRING;
}

static uint32_t names_there(const void *ctx, struct slice field, struct slice *ret)
{
    const struct place *place = ctx;
    return taxonomy_fields(place->route, &place->rule->logsource, field, ret, REF_NAMES_MAX);
}

static struct slice name_of(struct compare *c, struct keys *keys, key_id key)
{
    if (c->any_logsource) return keys_name(keys, key);
    if (c->generation != keys_generation(keys)) c->n_plain = 0;
    c->generation = keys_generation(keys);
    if (key >= c->n_plain) {
        uint32_t want = keys_count(keys) + 256;
        c->plain = realloc(c->plain, want * sizeof *c->plain);
        if (!c->plain) abort();
        memset(c->plain + c->n_plain, 0, (want - c->n_plain) * sizeof *c->plain);
        c->n_plain = want;
    }
    struct slice *plain = &c->plain[key];
    if (!plain->ptr) *plain = taxonomy_plain_name(c->taxonomy, keys_name(keys, key));
    return *plain;
}

static struct ref_event reference_event(struct compare *c, struct event *ev)
{
    if (ev->n_fields > c->cap_fields) {
        c->cap_fields = 2 * ev->n_fields;
        c->fields = realloc(c->fields, c->cap_fields * sizeof *c->fields);
        if (!c->fields) abort();
    }
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *f = &ev->fields[i];
        c->fields[i] = (struct ref_field){.name = name_of(c, ev->keys, f->key),
                                          .type = type_of(f->type),
                                          .text = event_text(ev, f)};
    }
    return (struct ref_event){.fields = c->fields, .n = ev->n_fields, .cache = c->cache};
}

/* The slow evaluator's word on one rule. */
static int reference_holds(const struct sigma_rule *rule, const struct taxonomy_route *route,
                           struct ref_event *ref)
{
    struct place place = {route, rule};
    if (!route) return ref_evaluate(rule->doc, ref);
    if (!taxonomy_applies(route, &rule->logsource)) return 0;
    if (!taxonomy_says(route, &rule->logsource)) {
        struct ref_event nothing = {.cache = ref->cache};
        if (ref_evaluate(rule->doc, &nothing) == 1) return 0;
    }
    ref->names = names_there;
    ref->ctx = &place;
    return ref_evaluate(rule->doc, ref);
}

static int on_event(void *ctx, struct event *ev)
{
    struct compare *c = ctx;
    struct engine_result result;
    if (c->seen++ % c->every) return 0;
    if (c->events == c->max) return ERR_STOPPED;
    c->events++;
    memset(c->holds, 0, c->set->n_rules * sizeof *c->holds);
    if (engine_match(c->engine, ev, &result) < 0) abort();
    for (uint32_t i = 0; i < result.n_hits; i++) {
        c->holds[result.hits[i].rule->index] = true;
        c->unsure += result.hits[i].undetermined;
    }
    c->matches += result.n_hits;
    c->pairs += c->set->n_rules;
    struct ref_event ref = reference_event(c, ev);
    for (uint32_t i = 0; i < c->set->n_rules; i++) {
        int r = reference_holds(c->set->rules[i], result.route, &ref);
        if (r == c->holds[i]) continue;
        if (c->differences++ < SHOWN_MAX)
            printf("# event %llu: %s: engine %d, slow evaluator %d\n",
                   (unsigned long long)ev->record, c->set->rules[i]->doc->file, c->holds[i], r);
    }
    engine_housekeep(c->engine);
    return 0;
}

static void on_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    (void)ctx;
    printf("# record %llu at byte %llu: %s\n", (unsigned long long)record,
           (unsigned long long)offset, reason);
}

static void read_events(struct compare *c, const char *path)
{
    static char piece[256 * 1024];
    struct decoder_out out = {c, on_event, on_bad};
    struct decoder *d = decoder_json.open(&out, engine_keys(c->engine));
    FILE *f = fopen(path, "rbe");
    if (!d || !f) exit(2);
    int r = 0;
    for (size_t n; r == 0 && (n = fread(piece, 1, sizeof piece, f)) > 0;)
        r = decoder_json.feed(d, slice_make(piece, n));
    if (r == 0) (void)decoder_json.finish(d);
    decoder_json.close(d);
    (void)fclose(f);
}

/* One pass over the events; false: a difference. */
static bool compare_all(struct compare *c, const char *path)
{
    struct engine_options options = {.any_logsource = c->any_logsource};
    c->seen = c->events = c->pairs = c->matches = c->unsure = c->differences = 0;
    c->n_plain = 0;
    c->engine = engine_new(c->set, c->taxonomy, &options);
    c->cache = ref_cache_new();
    if (!c->engine || !c->cache) exit(2);
    read_events(c, path);
    printf("%s: %llu events, %u rules, %llu pairs, %llu matches (%llu undetermined), "
           "%llu differences\n",
           c->any_logsource ? "any log source" : "log sources told apart",
           (unsigned long long)c->events, c->set->n_rules, (unsigned long long)c->pairs,
           (unsigned long long)c->matches, (unsigned long long)c->unsure,
           (unsigned long long)c->differences);
    ref_cache_free(c->cache);
    engine_free(c->engine);
    return c->events && !c->differences;
}

int main(int argc, char **argv)
{
    struct compare c = {0};
    struct diag diag = {0};
    static const struct sigma_set_options plain = {0};
    if (argc != 5 || !slice_to_u64(slice_of(argv[2]), &c.every) || c.every == 0 ||
        !slice_to_u64(slice_of(argv[3]), &c.max)) {
        fprintf(stderr, "usage: corpus-rules RULES EVERY MAX NDJSON\n");
        return 2;
    }
    c.taxonomy = taxonomy_new();
    c.set = sigma_set_new();
    if (!c.taxonomy || !c.set || sigma_set_add_path(c.set, argv[1], &plain, &diag) < 0 ||
        sigma_set_finish(c.set) < 0) {
        fprintf(stderr, "%s: %s\n", argv[1], diag.message);
        return 2;
    }
    c.holds = calloc(c.set->n_rules + 1, sizeof *c.holds);
    if (!c.holds) return 2;
    bool good = true;
    uint64_t pairs = 0, matches = 0, differences = 0;
    for (int pass = 0; pass < 2; pass++) {
        c.any_logsource = pass == 0;
        good &= compare_all(&c, argv[4]);
        pairs += c.pairs;
        matches += c.matches;
        differences += c.differences;
    }
    printf("%llu pairs, %llu matches, %llu differences\n", (unsigned long long)pairs,
           (unsigned long long)matches, (unsigned long long)differences);
    free(c.fields);
    free(c.holds);
    free(c.plain);
    sigma_set_free(c.set);
    taxonomy_free(c.taxonomy);
    return !good;
}
