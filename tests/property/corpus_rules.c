/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * All rules of a folder against real events, engine and slow evaluator side by side, names as they
 * are and every rule on every event:
 *
 *     corpus-rules RULES EVERY MAX NDJSON
 *
 * Of the NDJSON every EVERY-th event is taken, MAX at most. Prints the first differences.
 */
#include <stdlib.h>

#include "detect/engine.h"
#include "normalise/decoder.h"
#include "reference.h"

enum { SHOWN_MAX = 20 };

struct compare {
    struct engine *engine;
    struct sigma_set *set;
    struct ref_cache *cache;
    struct ref_field *fields;
    uint32_t cap_fields;
    bool *holds; /* by rule, as the engine says */
    uint64_t every, max, seen, events, matches, differences, unsure;
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

static struct ref_event reference_event(struct compare *c, struct event *ev)
{
    if (ev->n_fields > c->cap_fields) {
        c->cap_fields = 2 * ev->n_fields;
        c->fields = realloc(c->fields, c->cap_fields * sizeof *c->fields);
        if (!c->fields) abort();
    }
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *f = &ev->fields[i];
        c->fields[i] = (struct ref_field){.name = keys_name(ev->keys, f->key),
                                          .type = type_of(f->type),
                                          .text = event_text(ev, f)};
    }
    return (struct ref_event){c->fields, ev->n_fields, c->cache};
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
    struct ref_event ref = reference_event(c, ev);
    for (uint32_t i = 0; i < c->set->n_rules; i++) {
        int r = ref_evaluate(c->set->rules[i]->doc, &ref);
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
    FILE *f = strcmp(path, "-") ? fopen(path, "rbe") : stdin;
    if (!d || !f) exit(2);
    int r = 0;
    for (size_t n; r == 0 && (n = fread(piece, 1, sizeof piece, f)) > 0;)
        r = decoder_json.feed(d, slice_make(piece, n));
    if (r == 0) (void)decoder_json.finish(d);
    decoder_json.close(d);
    (void)fclose(f);
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
    struct taxonomy *taxonomy = taxonomy_new();
    c.set = sigma_set_new();
    if (!taxonomy || !c.set || sigma_set_add_path(c.set, argv[1], &plain, &diag) < 0 ||
        sigma_set_finish(c.set) < 0) {
        fprintf(stderr, "%s: %s\n", argv[1], diag.message);
        return 2;
    }
    struct engine_options any = {.any_logsource = true};
    c.engine = engine_new(c.set, taxonomy, &any);
    c.cache = ref_cache_new();
    c.holds = calloc(c.set->n_rules + 1, sizeof *c.holds);
    if (!c.engine || !c.cache || !c.holds) return 2;
    read_events(&c, argv[4]);
    printf("%llu events x %u rules = %llu pairs, %llu matches (%llu undetermined), "
           "%llu differences\n",
           (unsigned long long)c.events, c.set->n_rules,
           (unsigned long long)c.events * c.set->n_rules, (unsigned long long)c.matches,
           (unsigned long long)c.unsure, (unsigned long long)c.differences);
    free(c.fields);
    free(c.holds);
    ref_cache_free(c.cache);
    engine_free(c.engine);
    sigma_set_free(c.set);
    taxonomy_free(taxonomy);
    return c.differences || c.events == 0;
}
