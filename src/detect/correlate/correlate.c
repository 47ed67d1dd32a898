/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/correlate/correlate.h"

#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "detect/correlate/internal.h"

/* Beyond this a sum could leave the range of doubles; such a number counts as none. */
#define NUMBER_MAX 1e280

enum { TEXT_ABSENT = 0xffff, TEXT_HASHED = 0xfffe, PLAN_BYTES_MAX = 256 * 1024 * 1024 };

struct correlator *correlator_new(const struct sigma_set *set,
                                  const struct correlator_options *options,
                                  const struct correlator_out *out)
{
    struct correlator *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->out = *out;
    c->seed = options->seed;
    c->max_bytes = options->max_bytes ? options->max_bytes : CORRELATOR_MEMORY_DEFAULT;
    c->at_once = options->at_once;
    if (c->max_bytes < CORRELATOR_MEMORY_LEAST) c->max_bytes = CORRELATOR_MEMORY_LEAST;
    c->now = INT64_MIN;
    arena_init(&c->arena, PLAN_BYTES_MAX);
    if (plan_build(c, set) == 0) return c;
    correlator_free(c);
    return NULL;
}

static void drop_chained(struct correlator *c)
{
    while (c->first_chained) {
        struct chained *next = c->first_chained->next;
        free(c->first_chained);
        c->first_chained = next;
    }
    c->last_chained = NULL;
}

void correlator_free(struct correlator *c)
{
    if (!c) return;
    for (uint32_t i = 0; c->plans && i < c->n_plans; i++)
        while (c->plans[i].oldest) group_drop(c, c->plans[i].oldest);
    drop_chained(c);
    mem_give(c, c->slots, c->n_slots * sizeof *c->slots);
    mem_give(c, c->heap, c->n_slots * sizeof(struct group *));
    arena_done(&c->arena);
    free(c);
}

void correlator_wants(const struct correlator *c, uint32_t rule, struct correlator_wants *ret)
{
    *ret = (struct correlator_wants){0};
    if (rule >= c->n_rules) return;
    const struct corr_source *source = &c->rules[rule];
    *ret = (struct correlator_wants){
        .fields = source->fields, .n_fields = source->n_fields, .wanted = source->n_uses > 0};
}

void correlator_get_stats(const struct correlator *c, struct correlator_stats *ret)
{
    *ret = c->stats;
    ret->groups = c->n_groups;
}

/* Firings */

static double group_count(struct group *g, bool *ret_holds)
{
    double count = 0;
    switch (g->plan->kind) {
    case KIND_COUNT:
    case KIND_SUM:
        count = sum_value(&g->total);
        break;
    case KIND_AVG:
        count = sum_value(&g->total) / (double)(g->n_events ? g->n_events : 1);
        break;
    case KIND_QUANTILE:
        count = quantile_value(g, g->plan->percentile);
        break;
    case KIND_DISTINCT:
        count = g->u.distinct.n;
        break;
    case KIND_TEMPORAL:
    case KIND_ORDERED:
        *ret_holds = temporal_holds(g, g->first, &count);
        return count;
    }
    *ret_holds = plan_bounds_hold(g->plan, count);
    return count;
}

static void report(struct correlator *c, struct group *g)
{
    const struct sigma_correlation *corr = g->plan->corr;
    const char *pos = g->text + g->key_len;
    for (uint32_t i = 0; i < corr->n_group_by; i++) c->shown[i] = group_next_text(&pos);
    bool holds;
    struct correlator_firing firing = {
        .rule = g->plan->rule,
        .time = g->fired,
        .first = g->first,
        .last = g->last,
        .count = group_count(g, &holds),
        .approximate = g->approximate,
        .names = corr->group_by,
        .values = c->shown,
        .n_group = corr->n_group_by,
        .refs = g->evidence ? g->evidence->refs : NULL,
        .n_refs = g->evidence ? g->evidence->n : 0,
    };
    c->out.firing(c->out.ctx, &firing);
}

void correlator_report_held(struct correlator *c, struct group *g)
{
    if (!c->at_once) report(c, g);
}

static uint32_t n_value_fields(const struct corr_plan *plan)
{
    bool counts_events =
        plan->kind == KIND_COUNT || plan->kind == KIND_TEMPORAL || plan->kind == KIND_ORDERED;
    return counts_events ? 0 : plan->corr->n_fields;
}

/* Makes the firing an event of its own; `values` are those of plan->out.fields, and are copied. */
static void chain_put(struct correlator *c, const struct corr_plan *plan, nsec time, uint64_t ref,
                      const struct slice *values)
{
    uint32_t n = plan->out.n_fields;
    size_t bytes = 0;
    for (uint32_t i = 0; i < n; i++) bytes += values[i].len;
    struct chained *e = malloc(sizeof *e + n * sizeof *values + bytes + 1);
    if (!e) {
        c->stats.truncated++;
        return;
    }
    *e = (struct chained){.plan = plan, .time = time, .ref = ref};
    char *pos = (char *)&e->values[n];
    for (uint32_t i = 0; i < n; i++) {
        e->values[i] = (struct slice){values[i].ptr ? pos : NULL, values[i].len};
        if (values[i].len) memcpy(pos, values[i].ptr, values[i].len);
        pos += values[i].len;
    }
    if (c->last_chained) c->last_chained->next = e;
    else c->first_chained = e;
    c->last_chained = e;
}

static void chain_from_event(struct correlator *c, const struct corr_use *use,
                             const struct corr_event *ev)
{
    const struct corr_plan *plan = use->plan;
    if (!plan->out.n_uses) return;
    struct slice *values = c->firing;
    uint32_t n_group = plan->corr->n_group_by;
    for (uint32_t i = 0; i < plan->out.n_fields; i++) {
        uint32_t from = plan->out_from[i];
        if (from >= n_group) from += n_value_fields(plan);
        values[i] = ev->values[use->index[from]];
        values[i] = slice_until(values[i], CORRELATOR_VALUE_MAX);
    }
    chain_put(c, plan, ev->time, ev->ref, values);
}

static void chain_from_group(struct correlator *c, const struct group *g)
{
    const struct corr_plan *plan = g->plan;
    if (!plan->out.n_uses) return;
    struct slice *values = c->firing;
    for (uint32_t i = 0; i < plan->out.n_fields; i++) {
        uint32_t from = plan->out_from[i];
        bool carried = from >= plan->corr->n_group_by;
        const char *pos = carried ? g->carried : g->text + g->key_len;
        values[i] = SLICE_NONE;
        if (!pos) continue;
        if (carried) from -= plan->corr->n_group_by;
        for (uint32_t k = 0; k <= from; k++) {
            uint16_t len;
            memcpy(&len, pos, sizeof len);
            values[i] = len == TEXT_ABSENT ? SLICE_NONE : slice_make(pos + sizeof len, len);
            pos += sizeof len + values[i].len;
        }
    }
    chain_put(c, plan, g->due, g->last_ref, values);
}

/* What parents want of the last event of a closing window, kept until it closes. */
static void keep_carried(struct correlator *c, struct group *g, const struct corr_use *use,
                         const struct corr_event *ev)
{
    const struct corr_plan *plan = g->plan;
    if (!plan->n_carry) return;
    const uint32_t *index = use->index + plan->corr->n_group_by + n_value_fields(plan);
    size_t size = 0;
    for (uint32_t i = 0; i < plan->n_carry; i++) {
        size_t len = ev->values[index[i]].len;
        size += 2 + (len < CORRELATOR_SHOWN_MAX ? len : CORRELATOR_SHOWN_MAX);
    }
    if (size != g->carried_size) {
        mem_give(c, g->carried, g->carried_size);
        g->carried_size = 0;
        g->carried = mem_take(c, size);
        if (!g->carried) {
            c->stats.truncated++;
            return;
        }
        g->carried_size = size;
    }
    char *pos = g->carried;
    for (uint32_t i = 0; i < plan->n_carry; i++) {
        size_t used = group_put_text(pos, ev->values[index[i]]);
        const uint16_t absent = TEXT_ABSENT;
        if (!ev->values[index[i]].ptr) memcpy(pos, &absent, sizeof absent);
        pos += used;
    }
}

/* One event for one correlation */

/*
 * Appends a folded value: u16 length + bytes. A long one is its beginning and two hashes under
 * the secret seed; TEXT_HASHED tells it from a short one with those bytes.
 */
static size_t key_add(const struct correlator *c, char *key, size_t at, struct slice value)
{
    char *text = key + at + 2;
    size_t len = utf8_fold(text, slice_until(value, CORRELATOR_VALUE_MAX));
    uint16_t tag = (uint16_t)len;
    if (len > CORRELATOR_SHOWN_MAX) {
        uint64_t hashes[2] = {hash64_seed(slice_make(text, len), c->seed),
                              hash64_seed(slice_make(text, len), ~c->seed)};
        len = CORRELATOR_SHOWN_MAX;
        memcpy(text + len - sizeof hashes, hashes, sizeof hashes);
        tag = TEXT_HASHED;
    }
    memcpy(key + at, &tag, sizeof tag);
    return at + 2 + len;
}

/* false: a value is missing. */
static bool key_build(const struct correlator *c, char *key, const struct corr_event *ev,
                      const uint32_t *index, uint32_t n, size_t *ret_len)
{
    size_t len = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct slice v = ev->values[index[i]];
        if (!v.ptr) return false;
        len = key_add(c, key, len, v);
    }
    *ret_len = len;
    return true;
}

/* What the event adds: one for counts, else a number or the key of a value. */
struct addend {
    double weight;
    struct slice key;
};

static bool read_addend(struct correlator *c, const struct corr_use *use,
                        const struct corr_event *ev, struct addend *ret)
{
    const struct corr_plan *plan = use->plan;
    const uint32_t *index = use->index + plan->corr->n_group_by;
    *ret = (struct addend){.weight = 1, .key = {c->value, 0}};
    if (!n_value_fields(plan)) return true;
    if (plan->kind == KIND_DISTINCT) {
        if (key_build(c, c->value, ev, index, plan->corr->n_fields, &ret->key.len)) return true;
        c->stats.skipped_missing_field++;
        return false;
    }
    struct slice text = ev->values[index[0]];
    if (!text.ptr) {
        c->stats.skipped_missing_field++;
        return false;
    }
    if (slice_to_double(slice_trim(text), &ret->weight) && fabs(ret->weight) <= NUMBER_MAX)
        return true;
    c->stats.non_numeric++;
    return false;
}

/* Takes the event into the group's state; `fixed`: the window's start will not move any more. */
static bool group_add(struct correlator *c, struct group *g, const struct corr_use *use,
                      const struct corr_event *ev, const struct addend *add, bool fixed)
{
    g->n_events++;
    switch (g->plan->kind) {
    case KIND_COUNT:
    case KIND_SUM:
        if (!fixed) return samples_add(c, g, ev, add->weight);
        sum_add(&g->total, add->weight);
        return true;
    case KIND_AVG:
        sum_add(&g->total, add->weight);
        return true;
    case KIND_QUANTILE:
        return quantile_add(c, g, add->weight);
    case KIND_DISTINCT:
        return distinct_add(c, g, ev, add->key);
    case KIND_TEMPORAL:
    case KIND_ORDERED:
        temporal_add(g, use->place, ev);
        return true;
    }
    return true;
}

static void group_expire(struct correlator *c, struct group *g, nsec since)
{
    if (g->plan->kind == KIND_DISTINCT) distinct_expire(c, g, since);
    else if (g->plan->kind == KIND_COUNT || g->plan->kind == KIND_SUM) samples_expire(g, since);
}

static bool group_fires(struct group *g, nsec now, nsec *ret_first)
{
    const struct corr_plan *plan = g->plan;
    if (plan->kind == KIND_TEMPORAL || plan->kind == KIND_ORDERED)
        return temporal_fires(g, now, ret_first);
    if (plan->kind == KIND_DISTINCT) {
        const struct distinct *d = &g->u.distinct;
        if (d->n < plan->need) return false;
        *ret_first = d->members[d->oldest].time;
        return true;
    }
    const struct samples *s = &g->u.samples;
    double total = sum_value(&g->total);
    if (!s->n ||
        !(plan->kind == KIND_COUNT ? total >= (double)plan->need : plan_bounds_hold(plan, total)))
        return false;
    *ret_first = s->ring[s->head].time;
    return true;
}

/* The records that made a sliding correlation true. */
static void collect_evidence(struct correlator *c, struct group *g)
{
    if (!group_take_evidence(c, g)) return;
    if (g->plan->kind == KIND_TEMPORAL || g->plan->kind == KIND_ORDERED) {
        temporal_evidence(g, g->first);
    } else if (g->plan->kind == KIND_DISTINCT) {
        const struct distinct *d = &g->u.distinct;
        uint32_t at = d->oldest;
        for (int i = 0; i < CORRELATOR_REFS_MAX && at != MEMBER_NONE; i++) {
            group_add_ref(g, d->members[at].ref);
            at = d->members[at].newer;
        }
    } else {
        const struct samples *s = &g->u.samples;
        for (uint32_t i = 0; i < s->n && i < CORRELATOR_REFS_MAX; i++)
            group_add_ref(g, s->ring[(s->head + i) & (s->cap - 1)].ref);
    }
}

static void lost(struct correlator *c, struct group *g)
{
    c->stats.truncated++;
    g->approximate = true;
}

static void feed_sliding(struct correlator *c, struct group *g, const struct corr_use *use,
                         const struct corr_event *ev, const struct addend *add)
{
    const struct corr_plan *plan = g->plan;
    nsec first;
    if (g->held) {
        if (!group_add(c, g, use, ev, add, true)) lost(c, g);
        group_add_ref(g, ev->ref);
        return;
    }
    group_expire(c, g, nsec_sub(ev->time, plan->corr->timespan));
    if (!group_add(c, g, use, ev, add, false)) lost(c, g);
    if (!group_fires(g, ev->time, &first)) return;
    g->held = true;
    g->fired = ev->time;
    g->first = first;
    collect_evidence(c, g);
    if (plan->kind == KIND_COUNT || plan->kind == KIND_SUM) samples_done(c, g);
    group_schedule(c, g, nsec_add(first, plan->corr->timespan));
    c->stats.firings++;
    if (c->at_once) report(c, g);
    chain_from_event(c, use, ev);
}

static void feed_closing(struct correlator *c, struct group *g, const struct corr_use *use,
                         const struct corr_event *ev, const struct addend *add)
{
    if (g->heap_at == HEAP_NONE) {
        g->first = ev->time;
        if (!group_take_evidence(c, g)) lost(c, g);
        group_schedule(c, g, nsec_add(ev->time, g->plan->corr->timespan));
    }
    if (!group_add(c, g, use, ev, add, true)) lost(c, g);
    group_add_ref(g, ev->ref);
    keep_carried(c, g, use, ev);
}

/* Gives back groups whose events are all out of date; a few per event keep up with any stream. */
static void drop_expired(struct correlator *c, struct corr_plan *plan)
{
    for (int i = 0; i < 2; i++) {
        struct group *g = plan->oldest;
        if (!g || g == c->busy || g->heap_at != HEAP_NONE ||
            nsec_add(g->last, plan->corr->timespan) >= c->now)
            return;
        group_drop(c, g);
    }
}

static void feed(struct correlator *c, const struct corr_use *use, const struct corr_event *ev)
{
    struct corr_plan *plan = use->plan;
    struct addend add;
    size_t key_len;
    if (plan->refused) return;
    if (ev->late > plan->corr->timespan) {
        c->stats.skipped_late++;
        return;
    }
    if (!key_build(c, c->key, ev, use->index, plan->corr->n_group_by, &key_len)) {
        c->stats.skipped_missing_field++;
        return;
    }
    if (!read_addend(c, use, ev, &add)) return;
    struct group *g = group_get(c, plan, key_len, ev, use);
    if (!g) {
        c->stats.truncated++;
        return;
    }
    c->busy = g;
    g->last = ev->time;
    g->last_ref = ev->ref;
    group_touch(g);
    if (plan->sliding) feed_sliding(c, g, use, ev, &add);
    else feed_closing(c, g, use, ev, &add);
    drop_expired(c, plan);
    c->busy = NULL;
}

static void deliver(struct correlator *c, const struct corr_source *source,
                    const struct corr_event *ev)
{
    for (uint32_t i = 0; i < source->n_uses; i++) feed(c, &source->uses[i], ev);
}

/* Firings are events; what they set off is delivered in turn. Rules cannot refer in circles. */
static void deliver_chained(struct correlator *c)
{
    while (c->first_chained) {
        struct chained *e = c->first_chained;
        c->first_chained = e->next;
        if (!e->next) c->last_chained = NULL;
        struct corr_event ev = {.time = e->time, .ref = e->ref, .values = e->values};
        deliver(c, &e->plan->out, &ev);
        free(e);
    }
}

/* Time */

static void close_window(struct correlator *c, struct group *g)
{
    bool holds = false;
    if (g->held) {
        correlator_report_held(c, g);
    } else {
        (void)group_count(g, &holds);
        if (holds) {
            g->fired = g->due;
            c->stats.firings++;
            report(c, g);
            chain_from_group(c, g);
        }
    }
    group_drop(c, g);
}

static void close_one(struct correlator *c)
{
    struct group *g = c->heap[0];
    if (g->due > c->now) c->now = g->due;
    close_window(c, g);
    deliver_chained(c);
}

void correlator_advance(struct correlator *c, nsec now)
{
    while (c->n_heap && c->heap[0]->due < now) close_one(c);
    if (now > c->now) c->now = now;
}

void correlator_finish(struct correlator *c)
{
    while (c->n_heap) close_one(c);
}

int correlator_push(struct correlator *c, const struct correlator_tuple *tuple)
{
    if (tuple->rule >= c->n_rules) return ERR_INVALID;
    const struct corr_source *source = &c->rules[tuple->rule];
    if (tuple->n_values != source->n_fields) return ERR_INVALID;
    c->stats.tuples++;
    if (tuple->time == TIME_NONE) {
        c->stats.skipped_no_time++;
        return 0;
    }
    correlator_advance(c, tuple->time);
    struct corr_event ev = {.time = c->now, .ref = tuple->ref, .values = tuple->values};
    ev.late = nsec_sub(c->now, tuple->time);
    if (ev.late > 0) c->stats.late++;
    deliver(c, source, &ev);
    deliver_chained(c);
    return 0;
}
