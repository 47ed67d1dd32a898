/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * temporal: the newest occurrence of every rule. temporal_ordered: for every length and every place
 * at which a run of rules in order may end, the latest moment at which such a run began.
 */
#include "detect/correlate/internal.h"

/*
 * Cell (length, end), both from 1 and length <= end, lies at (length - 1) * width + end - length.
 * A plan that needs all rules in order has width 1: only the run of all rules so far.
 */
struct ordered {
    nsec batch_time;  /* events of this moment may still be put in front of each other */
    uint64_t batch;   /* places that occurred at it */
    uint64_t *refs;   /* per place, its event of the batch */
    nsec *start;      /* per cell; TIME_NONE: none */
    uint64_t *chains; /* per cell, the first events of the run */
};

static bool cond_true(const struct sigma_cond *cond, const struct corr_plan *plan, uint64_t seen)
{
    switch (cond->kind) {
    case COND_SEARCH:
        return cond->search < plan->corr->n_rules && (seen >> plan->place_of[cond->search] & 1);
    case COND_NOT:
        return !cond_true(cond->child[0], plan, seen);
    case COND_AND:
        for (uint32_t i = 0; i < cond->n_children; i++)
            if (!cond_true(cond->child[i], plan, seen)) return false;
        return true;
    case COND_OR:
        for (uint32_t i = 0; i < cond->n_children; i++)
            if (cond_true(cond->child[i], plan, seen)) return true;
        return false;
    }
    return false;
}

static bool count_holds(const struct corr_plan *plan, uint32_t n)
{
    if (plan->corr->n_bounds) return plan_bounds_hold(plan, n);
    return plan->corr->condition || n == plan->n_places;
}

static bool places_hold(const struct corr_plan *plan, uint64_t seen)
{
    const struct sigma_cond *cond = plan->corr->condition;
    return (!cond || cond_true(cond, plan, seen)) &&
           count_holds(plan, (uint32_t)__builtin_popcountll(seen));
}

static uint32_t chain_len(const struct corr_plan *plan)
{
    return plan->n_places < CORRELATOR_REFS_MAX ? plan->n_places : CORRELATOR_REFS_MAX;
}

static size_t n_cells(const struct corr_plan *plan)
{
    return (size_t)plan->n_places * plan->width;
}

static size_t ordered_size(const struct corr_plan *plan)
{
    return sizeof(struct ordered) + plan->n_places * sizeof(uint64_t) +
           n_cells(plan) * (sizeof(nsec) + chain_len(plan) * sizeof(uint64_t));
}

static size_t places_size(const struct corr_plan *plan)
{
    return plan->n_places * sizeof(struct temporal_place);
}

bool temporal_init(struct correlator *c, struct group *g)
{
    const struct corr_plan *plan = g->plan;
    if (plan->kind == KIND_TEMPORAL) {
        struct temporal_place *places = mem_take(c, places_size(plan));
        for (uint32_t i = 0; places && i < plan->n_places; i++)
            places[i] = (struct temporal_place){.newest = TIME_NONE};
        g->u.places = places;
        return places != NULL;
    }
    struct ordered *o = mem_take(c, ordered_size(plan));
    g->u.ordered = o;
    if (!o) return false;
    o->batch_time = TIME_NONE;
    o->batch = 0;
    o->refs = (uint64_t *)(o + 1);
    o->start = (nsec *)(o->refs + plan->n_places);
    o->chains = (uint64_t *)(o->start + n_cells(plan));
    for (size_t i = 0; i < n_cells(plan); i++) o->start[i] = TIME_NONE;
    return true;
}

void temporal_done(struct correlator *c, struct group *g)
{
    if (g->plan->kind == KIND_TEMPORAL) {
        mem_give(c, g->u.places, places_size(g->plan));
        g->u.places = NULL;
    } else {
        mem_give(c, g->u.ordered, ordered_size(g->plan));
        g->u.ordered = NULL;
    }
}

static size_t cell(const struct corr_plan *plan, uint32_t length, uint32_t end)
{
    return (size_t)(length - 1) * plan->width + (end - length);
}

/* Puts an event of place `end` behind every run that may stand before it. */
static void extend_runs(struct ordered *o, const struct corr_plan *plan, uint32_t end, nsec now)
{
    const uint32_t chain = chain_len(plan);
    for (uint32_t length = end; length >= 1 && end - length < plan->width; length--) {
        size_t at = cell(plan, length, end), from = at;
        nsec start = length == 1 ? now : TIME_NONE;
        for (uint32_t before = length - 1; length > 1 && before < end; before++) {
            size_t k = cell(plan, length - 1, before);
            if (o->start[k] <= start) continue;
            start = o->start[k];
            from = k;
        }
        if (start <= o->start[at]) continue;
        o->start[at] = start;
        if (from != at)
            memcpy(&o->chains[at * chain], &o->chains[from * chain], chain * sizeof *o->chains);
        if (length <= chain) o->chains[at * chain + length - 1] = o->refs[end - 1];
    }
}

static void ordered_add(struct group *g, uint32_t place, const struct corr_event *ev)
{
    struct ordered *o = g->u.ordered;
    if (o->batch_time != ev->time) o->batch = 0;
    o->batch_time = ev->time;
    o->batch |= UINT64_C(1) << place;
    o->refs[place] = ev->ref;
    /* Later rules that came at the same moment count as coming after this one. */
    for (uint64_t left = o->batch >> place << place; left; left &= left - 1)
        extend_runs(o, g->plan, (uint32_t)__builtin_ctzll(left) + 1, ev->time);
}

void temporal_add(struct group *g, uint32_t place, const struct corr_event *ev)
{
    if (g->plan->kind == KIND_ORDERED) ordered_add(g, place, ev);
    else g->u.places[place] = (struct temporal_place){ev->time, ev->ref};
}

static uint64_t seen_since(const struct group *g, nsec first)
{
    const struct corr_plan *plan = g->plan;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < plan->n_places; i++) {
        nsec newest = plan->kind == KIND_TEMPORAL ? g->u.places[i].newest
                      : i < plan->width           ? g->u.ordered->start[cell(plan, 1, i + 1)]
                                                  : TIME_NONE;
        if (newest != TIME_NONE && newest >= first) seen |= UINT64_C(1) << i;
    }
    return seen;
}

static uint32_t longest_run(const struct group *g, nsec first)
{
    const struct corr_plan *plan = g->plan;
    for (uint32_t length = plan->n_places; length >= 1; length--)
        for (uint32_t end = length; end <= plan->n_places && end - length < plan->width; end++) {
            nsec start = g->u.ordered->start[cell(plan, length, end)];
            if (start != TIME_NONE && start >= first) return length;
        }
    return 0;
}

/* The run of `length` rules that began last. SIZE_MAX: none. */
static size_t latest_run(const struct group *g, uint32_t length)
{
    const struct corr_plan *plan = g->plan;
    size_t best = SIZE_MAX;
    for (uint32_t end = length; end <= plan->n_places && end - length < plan->width; end++) {
        size_t at = cell(plan, length, end);
        if (g->u.ordered->start[at] == TIME_NONE) continue;
        if (best == SIZE_MAX || g->u.ordered->start[at] > g->u.ordered->start[best]) best = at;
    }
    return best;
}

static bool places_fire(struct group *g, nsec since, nsec *ret_first)
{
    const struct corr_plan *plan = g->plan;
    if (!places_hold(plan, seen_since(g, since))) return false;
    /* From the newest rule backwards: the first moment from which on it holds. */
    uint64_t seen = 0;
    nsec first = INT64_MAX;
    do {
        nsec next = since;
        for (uint32_t i = 0; i < plan->n_places; i++) {
            nsec t = g->u.places[i].newest;
            if (t != TIME_NONE && t < first && t > next) next = t;
        }
        first = next;
        seen = seen_since(g, first);
    } while (first > since && !places_hold(plan, seen));
    *ret_first = first;
    return true;
}

bool temporal_fires(struct group *g, nsec now, nsec *ret_first)
{
    const struct corr_plan *plan = g->plan;
    nsec since = nsec_sub(now, plan->corr->timespan);
    if (plan->kind == KIND_TEMPORAL) return places_fire(g, since, ret_first);
    if (plan->need > plan->n_places) return false;
    size_t at = latest_run(g, (uint32_t)plan->need);
    if (at == SIZE_MAX || g->u.ordered->start[at] < since) return false;
    *ret_first = g->u.ordered->start[at];
    return true;
}

bool temporal_holds(struct group *g, nsec first, double *ret_count)
{
    const struct corr_plan *plan = g->plan;
    if (plan->kind == KIND_TEMPORAL) {
        uint64_t seen = seen_since(g, first);
        *ret_count = __builtin_popcountll(seen);
        return places_hold(plan, seen);
    }
    uint32_t longest = longest_run(g, first);
    *ret_count = longest;
    if (!plan->corr->condition) return count_holds(plan, longest);
    uint64_t seen = seen_since(g, first);
    return longest == (uint32_t)__builtin_popcountll(seen) && places_hold(plan, seen);
}

static void places_evidence(struct group *g, nsec first)
{
    uint64_t left = seen_since(g, first);
    while (left) {
        uint32_t oldest = (uint32_t)__builtin_ctzll(left);
        for (uint64_t rest = left; rest; rest &= rest - 1) {
            uint32_t i = (uint32_t)__builtin_ctzll(rest);
            if (g->u.places[i].newest < g->u.places[oldest].newest) oldest = i;
        }
        group_add_ref(g, g->u.places[oldest].ref);
        left &= ~(UINT64_C(1) << oldest);
    }
}

void temporal_evidence(struct group *g, nsec first)
{
    const struct corr_plan *plan = g->plan;
    if (plan->kind == KIND_TEMPORAL) {
        places_evidence(g, first);
        return;
    }
    size_t at = latest_run(g, (uint32_t)plan->need);
    for (uint32_t i = 0; at != SIZE_MAX && i < plan->need && i < chain_len(plan); i++)
        group_add_ref(g, g->u.ordered->chains[at * chain_len(plan) + i]);
}
