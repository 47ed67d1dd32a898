/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The correlator against the slow evaluator on generated correlations and streams.
 *
 *     correlate [--tuples N] [--seed S] [--case K]
 *
 * N tuples per correlation type. A case is one small set of rules and one stream; values, times and
 * timespans come from small ranges, so that ties, edges of windows and missing fields are common.
 * The first disagreement is shrunk to the fewest events and printed, with the seed that repeats it.
 */
#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "correlate_ref.h"
#include "detect/correlate/correlate.h"

enum { RULES = 5, CORRS_MAX = 5, EVENTS_MAX = 160, FIELDS = 5, TYPES = CORR_VALUE_MEDIAN + 1 };

static const char *const type_names[TYPES] = {"event_count",      "value_count", "temporal",
                                              "temporal_ordered", "value_sum",   "value_avg",
                                              "value_percentile", "value_median"};
static const char *const cmp_names[] = {"lt", "lte", "gt", "gte", "eq", "neq"};
static const char *const field_names[FIELDS] = {"User", "Host", "Source", "Bytes", "Other"};
static const char *const texts[] = {"anna", "ANNA", "bo", "Bo",        "cilla",    "",
                                    "Åsa",  "åsa",  "d",  "192.0.2.1", "192.0.2.2"};
static const char *const numbers[] = {"0", "1", "2", "3", "5", "-1", "-4", "2.5", " 7 ", "10", "x"};

struct rng {
    uint64_t state;
};

static uint32_t below(struct rng *r, uint32_t n)
{
    r->state += 0x9e3779b97f4a7c15u;
    return (uint32_t)(hash_mix(r->state, 0x2545f4914f6cdd1du) >> 33) % n;
}

static bool chance(struct rng *r, uint32_t percent)
{
    return below(r, 100) < percent;
}

/* One generated case. Everything but the arrays lives in the arena. */
struct scene {
    struct arena arena;
    struct sigma_set set;
    struct ref_match matches[EVENTS_MAX];
    uint32_t n;
    nsec unit;
};

static void *take(struct scene *s, size_t n, size_t size)
{
    void *p = arena_zalloc(&s->arena, n + 1, size);
    if (!p) abort();
    return p;
}

static struct sigma_doc *new_doc(struct scene *s, const char *prefix, uint32_t i)
{
    struct sigma_doc *doc = take(s, 1, sizeof *doc);
    doc->name = slice_of(arena_printf(&s->arena, "%s_%u", prefix, i));
    doc->id = slice_of(arena_printf(&s->arena, "id-%s-%u", prefix, i));
    return doc;
}

static struct slice *some_fields(struct scene *s, struct rng *r, uint32_t n)
{
    struct slice *list = take(s, n, sizeof *list);
    uint32_t start = below(r, 3);
    for (uint32_t i = 0; i < n; i++) list[i] = slice_of(field_names[(start + i) % 3]);
    return list;
}

static const struct sigma_cond *new_cond(struct scene *s, struct rng *r, uint32_t n, int depth)
{
    struct sigma_cond *cond = take(s, 1, sizeof *cond);
    if (depth == 0 || chance(r, 25)) {
        *cond = (struct sigma_cond){.kind = COND_SEARCH, .search = below(r, n)};
        return cond;
    }
    static const enum sigma_cond_kind kinds[] = {COND_AND, COND_AND, COND_OR, COND_NOT};
    cond->kind = kinds[below(r, 4)];
    cond->n_children = cond->kind == COND_NOT ? 1 : 2 + below(r, 2);
    cond->child = take(s, cond->n_children, sizeof(struct sigma_cond *));
    for (uint32_t i = 0; i < cond->n_children; i++) cond->child[i] = new_cond(s, r, n, depth - 1);
    return cond;
}

static void add_bounds(struct rng *r, struct sigma_correlation *corr)
{
    bool counts = corr->type <= CORR_TEMPORAL_ORDERED;
    corr->n_bounds = chance(r, 20) ? 2 : 1;
    for (uint32_t i = 0; i < corr->n_bounds; i++) {
        /* Half of all cases slide. */
        corr->bound[i].cmp =
            chance(r, 60) ? (chance(r, 50) ? CMP_GTE : CMP_GT) : (enum sigma_cmp)below(r, 6);
        corr->bound[i].value = counts ? below(r, 6) : (double)below(r, 40) / 2 - 3;
        if (counts && chance(r, 5)) corr->bound[i].value += 0.5;
    }
}

/* An alias for one or two of the rules; the others keep the field of the alias's own name. */
static void add_alias(struct scene *s, struct rng *r, struct sigma_corr_rule *rule,
                      struct sigma_correlation *corr)
{
    struct sigma_alias *alias = take(s, 1, sizeof *alias);
    alias->name = chance(r, 50) ? slice_of("who") : corr->group_by[0];
    alias->n_sources = 1 + below(r, 2);
    struct sigma_alias_source *sources = take(s, alias->n_sources, sizeof *sources);
    for (uint32_t i = 0; i < alias->n_sources; i++) {
        const struct sigma_corr_ref *ref = &rule->refs[below(r, corr->n_rules)];
        const struct sigma_doc *doc =
            ref->is_corr ? s->set.correlations[ref->index]->doc : s->set.rules[ref->index]->doc;
        sources[i].rule = chance(r, 50) ? doc->name : doc->id;
        sources[i].field = slice_of(field_names[below(r, 3)]);
    }
    alias->sources = sources;
    struct slice *group = take(s, corr->n_group_by, sizeof *group);
    memcpy(group, corr->group_by, corr->n_group_by * sizeof *group);
    group[0] = alias->name;
    corr->group_by = group;
    corr->aliases = alias;
    corr->n_aliases = 1;
}

/* Fields a correlation that reads plain rules only may be asked for beyond its group-by. */
static bool reads_firings(const struct sigma_corr_rule *rule)
{
    for (uint32_t i = 0; i < rule->corr->n_rules; i++)
        if (rule->refs[i].is_corr) return true;
    return false;
}

/*
 * Fields that are neither grouped by nor alike in all events of a group come from the one event
 * that made a firing true. Deeper in a chain which one that is depends on the order within one
 * moment, which is not defined: there parents ask for fields that are grouped by.
 */
static void pick_groups(struct scene *s, struct rng *r, struct sigma_corr_rule *rule,
                        struct sigma_correlation *corr)
{
    const struct sigma_corr_rule *deep = NULL;
    for (uint32_t i = 0; i < corr->n_rules; i++)
        if (rule->refs[i].is_corr && reads_firings(s->set.correlations[rule->refs[i].index]))
            deep = s->set.correlations[rule->refs[i].index];
    corr->n_group_by = below(r, 3);
    corr->group_by = some_fields(s, r, corr->n_group_by);
    if (deep) {
        corr->n_group_by = deep->corr->n_group_by;
        corr->group_by = deep->corr->group_by;
    }
}

static void add_correlation(struct scene *s, struct rng *r, enum sigma_corr_type type)
{
    uint32_t index = s->set.n_correlations;
    struct sigma_corr_rule *rule = take(s, 1, sizeof *rule);
    struct sigma_correlation *corr = take(s, 1, sizeof *corr);
    rule->doc = new_doc(s, "corr", index);
    rule->corr = corr;
    rule->index = index;
    corr->type = type;
    corr->timespan = (int64_t)below(r, 12) * s->unit;
    bool temporal = type == CORR_TEMPORAL || type == CORR_TEMPORAL_ORDERED;
    corr->n_rules = (temporal ? 2 : 1) + below(r, 3);
    rule->refs = take(s, corr->n_rules, sizeof *rule->refs);
    struct sigma_value *names = take(s, corr->n_rules, sizeof *names);
    uint32_t chained = index && chance(r, 60) ? below(r, corr->n_rules) : UINT32_MAX;
    uint32_t start = below(r, RULES);
    for (uint32_t i = 0; i < corr->n_rules; i++) {
        rule->refs[i].index = chance(r, 6) ? below(r, RULES) : (start + i) % RULES;
        if (i == chained) rule->refs[i] = (struct sigma_corr_ref){below(r, index), true};
        names[i].text = rule->refs[i].is_corr ? s->set.correlations[rule->refs[i].index]->doc->name
                                              : s->set.rules[rule->refs[i].index]->doc->name;
    }
    corr->rules = names;
    pick_groups(s, r, rule, corr);
    if (type == CORR_VALUE_COUNT) {
        corr->n_fields = 1 + below(r, 2);
        corr->fields = chained == UINT32_MAX ? some_fields(s, r, corr->n_fields) : corr->group_by;
        if (chained != UINT32_MAX) corr->n_fields = corr->n_group_by;
        if (!corr->n_fields) corr->type = CORR_EVENT_COUNT;
    } else if (!temporal && type != CORR_EVENT_COUNT) {
        struct slice *field = take(s, 1, sizeof *field);
        *field = slice_of("Bytes");
        corr->fields = field;
        corr->n_fields = 1;
        if (chained != UINT32_MAX && reads_firings(s->set.correlations[rule->refs[chained].index]))
            rule->refs[chained] = (struct sigma_corr_ref){start, false};
    }
    corr->percentile = below(r, 5) * 25;
    if (!temporal || chance(r, 30)) add_bounds(r, corr);
    if (temporal && chance(r, 25)) corr->condition = new_cond(s, r, corr->n_rules, 2);
    if (corr->n_group_by && chained == UINT32_MAX && chance(r, 20)) add_alias(s, r, rule, corr);
    s->set.correlations[s->set.n_correlations++] = rule;
}

static void generate(struct scene *s, uint64_t seed, enum sigma_corr_type type)
{
    struct rng r = {seed};
    arena_reset(&s->arena);
    s->set = (struct sigma_set){0};
    s->unit = chance(&r, 50) ? 1 : NSEC_PER_SEC;
    s->set.rules = take(s, RULES, sizeof *s->set.rules);
    s->set.correlations = take(s, CORRS_MAX, sizeof *s->set.correlations);
    for (; s->set.n_rules < RULES; s->set.n_rules++) {
        struct sigma_rule *rule = take(s, 1, sizeof *rule);
        rule->doc = new_doc(s, "rule", s->set.n_rules);
        rule->index = s->set.n_rules;
        s->set.rules[rule->index] = rule;
    }
    uint32_t n = 1 + below(&r, CORRS_MAX - 1), main_at = below(&r, n);
    for (uint32_t i = 0; i < n; i++)
        add_correlation(s, &r, i == main_at ? type : (enum sigma_corr_type)below(&r, TYPES));
    nsec now = chance(&r, 50) ? 0 : INT64_C(1700000000) * NSEC_PER_SEC;
    s->n = 20 + below(&r, EVENTS_MAX - 20);
    uint32_t speed = 1 + below(&r, 4), n_texts = chance(&r, 70) ? 4 : 11;
    for (uint32_t i = 0; i < s->n; i++) {
        if (chance(&r, 60)) now += (nsec)below(&r, 1 + speed) * s->unit;
        if (chance(&r, 2)) now += 20 * s->unit;
        struct slice *names = take(s, FIELDS, sizeof *names);
        struct slice *values = take(s, FIELDS, sizeof *values);
        uint32_t n_fields = 0;
        for (uint32_t f = 0; f < FIELDS; f++) {
            if (chance(&r, 6)) continue;
            names[n_fields] = slice_of(field_names[f]);
            values[n_fields++] = slice_of(f == 3 ? numbers[below(&r, chance(&r, 90) ? 5 : 11)]
                                                 : texts[below(&r, n_texts)]);
        }
        s->matches[i] = (struct ref_match){below(&r, RULES), now, names, values, n_fields};
    }
}

/* Running both */

struct results {
    struct arena *arena;
    struct ref_firing list[EVENTS_MAX * CORRS_MAX * 8];
    uint32_t n;
};

static void on_firing(void *ctx, const struct correlator_firing *f)
{
    struct results *res = ctx;
    struct buf key;
    if (res->n == sizeof res->list / sizeof res->list[0]) abort();
    buf_init(&key, 1 << 20);
    for (uint32_t i = 0; i < f->n_group; i++) ref_group_add(&key, f->values[i]);
    res->list[res->n++] =
        (struct ref_firing){f->rule->index, f->time,  f->first,
                            f->last,        f->count, arena_dup(res->arena, buf_slice(&key))};
    buf_done(&key);
}

static void on_refused(void *ctx, const struct sigma_corr_rule *rule, const char *why)
{
    (void)ctx;
    printf("refused %.*s: %s\n", SLICE_FMT(rule->doc->name), why);
    abort();
}

static void run_correlator(const struct scene *s, struct results *res)
{
    struct correlator_options options = {.seed = 42};
    struct correlator_out out = {.ctx = res, .firing = on_firing, .refused = on_refused};
    struct correlator *c = correlator_new(&s->set, &options, &out);
    struct slice values[64], read[64];
    struct buf wire;
    if (!c) abort();
    res->n = 0;
    buf_init(&wire, 1 << 20);
    for (uint32_t i = 0; i < s->n; i++) {
        const struct ref_match *m = &s->matches[i];
        struct correlator_wants wants;
        correlator_wants(c, m->rule, &wants);
        for (uint32_t w = 0; w < wants.n_fields; w++) {
            values[w] = SLICE_NONE;
            for (uint32_t f = 0; f < m->n_fields; f++)
                if (slice_eq(m->names[f], wants.fields[w])) values[w] = m->values[f];
        }
        struct correlator_tuple tuple = {m->rule, m->time, i, values, wants.n_fields}, back;
        buf_clear(&wire);
        correlator_tuple_write(&wire, &tuple);
        if (correlator_tuple_read(buf_slice(&wire), read, 64, &back)) abort();
        if (correlator_push(c, &back)) abort();
    }
    correlator_finish(c);
    struct correlator_stats stats;
    correlator_get_stats(c, &stats);
    if (stats.firings != res->n || stats.tuples != s->n) abort();
    if (stats.evicted || stats.truncated) abort();
    buf_done(&wire);
    correlator_free(c);
}

static int by_content(const void *a, const void *b)
{
    const struct ref_firing *x = a, *y = b;
    if (x->correlation != y->correlation) return x->correlation < y->correlation ? -1 : 1;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    return slice_cmp(x->group, y->group);
}

static bool same_firing(const struct ref_firing *a, const struct ref_firing *b)
{
    return by_content(a, b) == 0 && a->last == b->last &&
           fabs(a->count - b->count) <= 1e-9 * (1 + fabs(a->count));
}

static struct results got;
static uint64_t total_firings;

static bool agree(const struct scene *s, struct arena *scratch, struct ref_firings *ret_want)
{
    arena_reset(scratch);
    got.arena = scratch;
    run_correlator(s, &got);
    *ret_want = ref_correlate(scratch, &s->set, s->matches, s->n);
    qsort(got.list, got.n, sizeof *got.list, by_content);
    qsort(ret_want->list, ret_want->n, sizeof *got.list, by_content);
    if (got.n != ret_want->n) return false;
    for (uint32_t i = 0; i < got.n; i++)
        if (!same_firing(&got.list[i], &ret_want->list[i])) return false;
    return true;
}

/* Failure */

static void shrink(struct scene *s, struct arena *scratch)
{
    struct ref_match kept[EVENTS_MAX];
    struct ref_firings want;
    for (uint32_t size = s->n / 2; size > 0; size /= 2)
        for (uint32_t at = 0; at + size <= s->n;) {
            uint32_t n = s->n;
            memcpy(kept, s->matches, n * sizeof *kept);
            memmove(s->matches + at, s->matches + at + size, (n - at - size) * sizeof *kept);
            s->n = n - size;
            if (!agree(s, scratch, &want)) continue;
            memcpy(s->matches, kept, n * sizeof *kept);
            s->n = n;
            at += size;
        }
    (void)agree(s, scratch, &want);
}

static void print_cond(const struct sigma_cond *cond)
{
    static const char *const words[] = {"", "and", "or", "not"};
    if (cond->kind == COND_SEARCH) {
        printf(" [%u]", cond->search);
        return;
    }
    printf(" (%s", words[cond->kind]);
    for (uint32_t i = 0; i < cond->n_children; i++) print_cond(cond->child[i]);
    printf(")");
}

static void print_correlation(const struct scene *s, const struct sigma_corr_rule *rule)
{
    const struct sigma_correlation *corr = rule->corr;
    printf("%.*s: %s of", SLICE_FMT(rule->doc->name), type_names[corr->type]);
    for (uint32_t i = 0; i < corr->n_rules; i++)
        printf(" %s%u", rule->refs[i].is_corr ? "corr_" : "rule_", rule->refs[i].index);
    printf(", by");
    for (uint32_t i = 0; i < corr->n_group_by; i++) printf(" %.*s", SLICE_FMT(corr->group_by[i]));
    printf(", timespan %lld, fields", (long long)(corr->timespan / s->unit));
    for (uint32_t i = 0; i < corr->n_fields; i++) printf(" %.*s", SLICE_FMT(corr->fields[i]));
    for (uint32_t i = 0; i < corr->n_bounds; i++)
        printf(", %s %g", cmp_names[corr->bound[i].cmp], corr->bound[i].value);
    if (corr->type == CORR_VALUE_PERCENTILE) printf(", percentile %g", corr->percentile);
    if (corr->condition) print_cond(corr->condition);
    for (uint32_t i = 0; i < corr->n_aliases; i++)
        for (uint32_t k = 0; k < corr->aliases[i].n_sources; k++)
            printf(", alias %.*s: %.*s of %.*s", SLICE_FMT(corr->aliases[i].name),
                   SLICE_FMT(corr->aliases[i].sources[k].field),
                   SLICE_FMT(corr->aliases[i].sources[k].rule));
    printf("\n");
}

static void print_firings(const struct scene *s, const char *title, const struct ref_firing *list,
                          uint32_t n)
{
    nsec zero = s->n ? s->matches[0].time : 0;
    printf("%s:\n", title);
    for (uint32_t i = 0; i < n; i++)
        printf("  corr_%u at %lld [%lld, %lld] count %g group %.*s\n", list[i].correlation,
               (long long)((list[i].time - zero) / s->unit),
               (long long)((list[i].first - zero) / s->unit),
               (long long)((list[i].last - zero) / s->unit), list[i].count,
               SLICE_FMT(list[i].group));
}

static void print_failure(struct scene *s, struct arena *scratch)
{
    struct ref_firings want;
    shrink(s, scratch);
    (void)agree(s, scratch, &want);
    for (uint32_t i = 0; i < s->set.n_correlations; i++)
        print_correlation(s, s->set.correlations[i]);
    for (uint32_t i = 0; i < s->n; i++) {
        const struct ref_match *m = &s->matches[i];
        printf("%4lld rule_%u", (long long)((m->time - s->matches[0].time) / s->unit), m->rule);
        for (uint32_t f = 0; f < m->n_fields; f++)
            printf(" %.*s=%.*s", SLICE_FMT(m->names[f]), SLICE_FMT(m->values[f]));
        printf("\n");
    }
    print_firings(s, "correlator", got.list, got.n);
    print_firings(s, "reference", want.list, want.n);
}

int main(int argc, char **argv)
{
    uint64_t tuples = 400000, seed = 1, only = UINT64_MAX;
    static struct scene scene;
    struct arena scratch;
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t *value = strcmp(argv[i], "--tuples") == 0 ? &tuples
                          : strcmp(argv[i], "--seed") == 0 ? &seed
                          : strcmp(argv[i], "--case") == 0 ? &only
                                                           : NULL;
        if (!value || !slice_to_u64(slice_of(argv[i + 1]), value)) return 2;
    }
    printf("# seed %llu\n", (unsigned long long)seed);
    (void)fflush(stdout);
    arena_init(&scene.arena, (size_t)1 << 28);
    arena_init(&scratch, (size_t)1 << 28);
    for (uint32_t type = 0; type < TYPES; type++) {
        uint64_t done = 0, firings = 0, of_type = 0, n = 0;
        for (uint64_t k = 0; done < tuples; k++) {
            if (only != UINT64_MAX && k != only) {
                if (k > only) break;
                continue;
            }
            struct ref_firings want;
            generate(&scene, hash_mix(hash_mix(seed, type), k), (enum sigma_corr_type)type);
            if (!agree(&scene, &scratch, &want)) {
                printf("FAIL %s: --seed %llu --case %llu\n", type_names[type],
                       (unsigned long long)seed, (unsigned long long)k);
                print_failure(&scene, &scratch);
                return 1;
            }
            done += scene.n;
            firings += got.n;
            for (uint32_t i = 0; i < got.n; i++)
                of_type += scene.set.correlations[got.list[i].correlation]->corr->type == type;
            n++;
        }
        total_firings += firings;
        printf("%s: %llu cases, %llu tuples, %llu firings equal, %llu of this type\n",
               type_names[type], (unsigned long long)n, (unsigned long long)done,
               (unsigned long long)firings, (unsigned long long)of_type);
        /* A test in which nothing fires shows nothing. */
        if (only == UINT64_MAX && of_type < done / 100) {
            printf("FAIL %s: too few firings\n", type_names[type]);
            return 1;
        }
    }
    arena_done(&scene.arena);
    arena_done(&scratch);
    return 0;
}
