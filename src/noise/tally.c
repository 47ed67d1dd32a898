/* SPDX-License-Identifier: EUPL-1.2 */
#include "noise/tally.h"

#include <stdlib.h>

#include "base/hash.h"

enum { SEEN_SLOTS = 2 * TALLY_SEEN_MAX, VALUES_BUDGET = 64 * 1024 * 1024, TEXT_KEPT = 200 };
#define DAY (86400 * NSEC_PER_SEC)

struct tally_seen {
    uint64_t key; /* 0: free */
    nsec last;
};

static void on_firing(void *ctx, const struct correlator_firing *f);

int tally_init(struct tally *t, const struct sigma_set *set, nsec alike)
{
    const struct correlator_out out = {.ctx = t, .firing = on_firing};
    *t = (struct tally){
        .set = set, .alike = alike, .first = INT64_MAX, .last = INT64_MIN, .n = set->n_rules};
    t->n += set->n_correlations;
    arena_init(&t->arena, VALUES_BUDGET);
    t->rules = calloc(t->n + 1u, sizeof *t->rules);
    t->sources = calloc(TALLY_SOURCES_MAX, sizeof *t->sources);
    t->seen = calloc(SEEN_SLOTS, sizeof *t->seen);
    t->distinct = calloc(SEEN_SLOTS, sizeof *t->distinct);
    t->wanted = calloc(CORRELATOR_FIELDS_MAX, sizeof *t->wanted);
    if (!t->rules || !t->sources || !t->seen || !t->distinct || !t->wanted) return ERR_NOMEM;
    for (uint32_t i = 0; i < set->n_rules; i++) {
        t->rules[i].rule = set->rules[i];
        t->rules[i].doc = set->rules[i]->doc;
    }
    for (uint32_t i = 0; i < set->n_correlations; i++)
        t->rules[set->n_rules + i].doc = set->correlations[i]->doc;
    for (uint32_t i = 0; i < t->n; i++) {
        t->rules[i].first = INT64_MAX;
        t->rules[i].last = INT64_MIN;
    }
    if (set->n_correlations)
        t->correlator = correlator_new(set, &(struct correlator_options){0}, &out);
    return set->n_correlations && !t->correlator ? ERR_NOMEM : 0;
}

void tally_done(struct tally *t)
{
    if (t->correlator) correlator_free(t->correlator);
    arena_done(&t->arena);
    free(t->rules);
    free(t->sources);
    free(t->seen);
    free(t->distinct);
    free(t->wanted);
}

/* ---- alerts ------------------------------------------------------------------------------ */

static struct tally_seen *find_seen(struct tally *t, uint32_t rule, uint64_t entity)
{
    if (t->n_seen >= TALLY_SEEN_MAX) {
        memset(t->seen, 0, SEEN_SLOTS * sizeof *t->seen);
        t->n_seen = 0;
        t->approximate = true;
    }
    uint64_t key = hash_mix(entity, rule + 1u) | 1;
    size_t at = key % SEEN_SLOTS;
    while (t->seen[at].key && t->seen[at].key != key) at = (at + 1) % SEEN_SLOTS;
    struct tally_seen *seen = &t->seen[at];
    if (!seen->key) {
        *seen = (struct tally_seen){.key = key, .last = INT64_MIN};
        t->n_seen++;
    }
    return seen;
}

static bool is_new(struct tally *t, uint32_t rule, uint64_t kind, uint64_t who)
{
    if (who == 0) return false;
    if (t->n_distinct >= TALLY_SEEN_MAX) {
        t->approximate = true;
        return false;
    }
    uint64_t key = hash_mix(hash_mix(who, kind), rule + 1u) | 1;
    size_t at = key % SEEN_SLOTS;
    while (t->distinct[at] && t->distinct[at] != key) at = (at + 1) % SEEN_SLOTS;
    bool fresh = t->distinct[at] == 0;
    t->distinct[at] = key;
    t->n_distinct += fresh;
    return fresh;
}

/* The lowest ones, in order: of one unit runs come in any. */
static void keep_example(struct tally_rule *r, uint64_t seq)
{
    uint32_t at = r->n_examples;
    while (at > 0 && r->examples[at - 1] > seq) at--;
    if (at == TALLY_EXAMPLES) return;
    if (r->n_examples < TALLY_EXAMPLES) r->n_examples++;
    memmove(r->examples + at + 1, r->examples + at, (r->n_examples - 1 - at) * sizeof *r->examples);
    r->examples[at] = seq;
}

/* `before`: it was counted, but others may be alike. */
static void count(struct tally *t, const struct noise_run *run, bool before)
{
    struct tally_rule *r = &t->rules[run->rule];
    struct tally_seen *seen = find_seen(t, run->rule, run->entity);
    nsec gap;
    bool alone = seen->last == INT64_MIN || __builtin_sub_overflow(run->first, seen->last, &gap) ||
                 gap > t->alike;
    bool host = is_new(t, run->rule, 1, run->host), user = is_new(t, run->rule, 2, run->user);
    if (run->last > seen->last) seen->last = run->last;
    if (before) return;
    if (run->first < r->first) r->first = run->first;
    if (run->last > r->last) r->last = run->last;
    r->matches += run->count;
    r->hosts += host;
    r->users += user;
    if (!alone) return;
    r->alerts++;
    keep_example(r, run->seq);
}

static void on_firing(void *ctx, const struct correlator_firing *f)
{
    struct tally *t = ctx;
    uint64_t entity = 1;
    if (f->rule->silent) return;
    for (uint32_t i = 0; i < f->n_group; i++) entity = hash_mix(entity, hash64(f->values[i]));
    count(t,
          &(struct noise_run){.rule = t->set->n_rules + f->rule->index,
                              .entity = entity,
                              .first = f->time,
                              .last = f->time,
                              .count = 1,
                              .seq = f->n_refs ? f->refs[0] : 0},
          t->again);
}

/* ---- values and sources ------------------------------------------------------------------ */

/* When all places are taken, the rarest one makes room, and its count is inherited. */
static void count_value(struct tally *t, struct tally_rule *r, const struct noise_value *m)
{
    struct tally_value *rarest = NULL;
    for (uint32_t i = 0; i < r->n_values; i++) {
        struct tally_value *v = &r->values[i];
        if (slice_eq(v->field, m->field) && slice_eq(v->value, m->value)) {
            v->count += m->count;
            return;
        }
        if (!rarest || v->count < rarest->count) rarest = v;
    }
    struct slice field = arena_dup(&t->arena, slice_until(m->field, TEXT_KEPT));
    struct slice value = arena_dup(&t->arena, slice_until(m->value, TEXT_KEPT));
    if (!field.ptr || !value.ptr) {
        t->approximate = true;
        return;
    }
    bool room = r->n_values < TALLY_VALUES;
    struct tally_value *to = room ? &r->values[r->n_values++] : rarest;
    *to = (struct tally_value){
        .count = (room ? 0 : rarest->count) + m->count, .field = field, .value = value};
}

static void count_source(struct tally *t, const struct noise_source *m)
{
    for (uint32_t i = 0; i < t->n_sources; i++) {
        struct tally_source *s = &t->sources[i];
        if (!slice_eq(s->product, m->product) || !slice_eq(s->category, m->category) ||
            !slice_eq(s->service, m->service))
            continue;
        s->events += m->events;
        return;
    }
    if (t->n_sources == TALLY_SOURCES_MAX) {
        t->approximate = true;
        return;
    }
    t->sources[t->n_sources++] =
        (struct tally_source){.product = arena_dup(&t->arena, m->product),
                              .category = arena_dup(&t->arena, m->category),
                              .service = arena_dup(&t->arena, m->service),
                              .events = m->events};
}

static int take_data(struct tally *t, struct slice bits)
{
    if (bits.len * 8 < t->set->n_rules) return ERR_CORRUPT;
    for (uint32_t i = 0; i < t->set->n_rules; i++)
        t->rules[i].has_data |= (unsigned char)bits.ptr[i / 8] >> i % 8 & 1;
    return 0;
}

static int take_tuple(struct tally *t, const struct noise_tuple *m)
{
    struct correlator_tuple tuple;
    if (!t->correlator ||
        correlator_tuple_read(m->body, t->wanted, CORRELATOR_FIELDS_MAX, &tuple) != 0)
        return ERR_CORRUPT;
    t->again = m->seq < t->known;
    return correlator_push(t->correlator, &tuple);
}

/* ---- messages ---------------------------------------------------------------------------- */

static void take_sum(struct tally *t, const struct noise_sum *sum)
{
    t->records += sum->records;
    t->events += sum->events;
    t->undecodable += sum->undecodable;
    t->unknown += sum->unknown;
    if (sum->first < t->first) t->first = sum->first;
    if (sum->last > t->last) t->last = sum->last;
}

int tally_take(struct tally *t, const struct frame *frame)
{
    struct noise_run run;
    struct noise_tuple tuple;
    struct noise_value value;
    struct noise_source source;
    struct noise_data data;
    struct noise_sum sum;
    switch (frame->type) {
    case NOISE_RUN:
        if (noise_run_read(frame->payload, &run) != 0 || run.rule >= t->set->n_rules)
            return ERR_CORRUPT;
        count(t, &run, run.seq < t->known);
        return 0;
    case NOISE_TUPLE:
        return noise_tuple_read(frame->payload, &tuple) ? ERR_CORRUPT : take_tuple(t, &tuple);
    case NOISE_VALUE:
        if (noise_value_read(frame->payload, &value) != 0 || value.rule >= t->set->n_rules)
            return ERR_CORRUPT;
        count_value(t, &t->rules[value.rule], &value);
        return 0;
    case NOISE_SOURCE:
        if (noise_source_read(frame->payload, &source) != 0) return ERR_CORRUPT;
        count_source(t, &source);
        return 0;
    case NOISE_DATA:
        return noise_data_read(frame->payload, &data) ? ERR_CORRUPT : take_data(t, data.bits);
    case NOISE_SUM:
        if (noise_sum_read(frame->payload, &sum) != 0) return ERR_CORRUPT;
        take_sum(t, &sum);
        return 0;
    default:
        return ERR_CORRUPT;
    }
}

static int by_count(const void *a, const void *b)
{
    const struct tally_value *x = a, *y = b;
    return x->count > y->count ? -1 : x->count < y->count;
}

static int by_events(const void *a, const void *b)
{
    const struct tally_source *x = a, *y = b;
    return x->events > y->events ? -1 : x->events < y->events;
}

/* Correlations come behind what they refer to. */
static void feed_correlations(struct tally *t)
{
    for (uint32_t i = 0; i < t->set->n_correlations; i++) {
        const struct sigma_corr_rule *c = t->set->correlations[i];
        for (uint32_t k = 0; k < c->corr->n_rules; k++) {
            uint32_t at = c->refs[k].index + (c->refs[k].is_corr ? t->set->n_rules : 0);
            t->rules[t->set->n_rules + i].has_data |= t->rules[at].has_data;
        }
    }
}

void tally_finish(struct tally *t)
{
    t->again = false;
    if (t->correlator) correlator_finish(t->correlator);
    feed_correlations(t);
    for (uint32_t i = 0; i < t->n; i++)
        if (t->rules[i].n_values)
            qsort(t->rules[i].values, t->rules[i].n_values, sizeof *t->rules[i].values, by_count);
    if (t->n_sources) qsort(t->sources, t->n_sources, sizeof *t->sources, by_events);
}

uint64_t tally_matches(const struct tally *t)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < t->n; i++) sum += t->rules[i].matches;
    return sum;
}

double tally_days(const struct tally *t)
{
    double span = t->last > t->first ? (double)(t->last - t->first) / (double)DAY : 0;
    return span < 1 ? 1 : span;
}
