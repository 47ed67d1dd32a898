/* SPDX-License-Identifier: EUPL-1.2 */
#include "correlate_ref.h"

#include <math.h>
#include <stdlib.h>

#include "base/utf8.h"

enum { AFTER_ALL = INT32_MAX };

/* An event as one correlation sees it: a match, or a firing of another correlation. */
struct item {
    nsec time;
    int64_t major, minor; /* order within one moment */
    uint32_t position;    /* in corr->rules */
    uint32_t place;       /* first position of the same rule */
    const struct ref_match *match;
    const struct fired *firing;
    struct slice group;
    struct slice value; /* value_count: the key */
    double number;
};

struct fired {
    const struct sigma_corr_rule *rule;
    const struct item *completing;
    const struct item *opening; /* closing windows: what opened them */
    struct ref_firing out;
    int64_t major, minor;
};

struct items {
    struct item *list;
    uint32_t n;
};

static void *take(struct arena *arena, size_t n, size_t size)
{
    void *p = arena_zalloc(arena, n + 1, size);
    if (!p) abort();
    return p;
}

/* Names */

static const struct sigma_doc *doc_of(const struct sigma_set *set, struct sigma_corr_ref ref)
{
    return ref.is_corr ? set->correlations[ref.index]->doc : set->rules[ref.index]->doc;
}

static struct slice field_name(const struct sigma_set *set, const struct sigma_corr_rule *rule,
                               uint32_t position, struct slice name)
{
    const struct sigma_doc *doc = doc_of(set, rule->refs[position]);
    for (uint32_t a = 0; a < rule->corr->n_aliases; a++) {
        if (!slice_eq(rule->corr->aliases[a].name, name)) continue;
        for (uint32_t s = 0; s < rule->corr->aliases[a].n_sources; s++) {
            const struct sigma_alias_source *source = &rule->corr->aliases[a].sources[s];
            if (slice_eq(source->rule, doc->name) || slice_eq(source->rule, doc->id))
                return source->field;
        }
    }
    return name;
}

static struct slice look_up(const struct sigma_set *set, const struct sigma_corr_rule *rule,
                            const struct item *item, struct slice name)
{
    struct slice field = field_name(set, rule, item->position, name);
    if (item->firing) return look_up(set, item->firing->rule, item->firing->completing, field);
    for (uint32_t i = 0; i < item->match->n_fields; i++)
        if (slice_eq(item->match->names[i], field)) return item->match->values[i];
    return SLICE_NONE;
}

void ref_group_add(struct buf *out, struct slice value)
{
    char *dst = buf_reserve(out, utf8_fold_bound(value.len));
    if (!dst) abort();
    out->len = (size_t)(dst - out->ptr) + utf8_fold(dst, value);
    buf_putc(out, '\x1f');
}

static bool key_of(struct arena *arena, const struct sigma_set *set,
                   const struct sigma_corr_rule *rule, const struct item *item,
                   const struct slice *names, uint32_t n, struct slice *ret)
{
    struct buf key;
    buf_init(&key, 1 << 20);
    bool whole = true;
    for (uint32_t i = 0; i < n && whole; i++) {
        struct slice v = look_up(set, rule, item, names[i]);
        if (v.ptr) ref_group_add(&key, v);
        else whole = false;
    }
    *ret = arena_dup(arena, buf_slice(&key));
    buf_done(&key);
    return whole;
}

/* What is counted, over any run of events */

static bool cond_true(const struct sigma_corr_rule *rule, const struct sigma_cond *cond,
                      const struct item *items, uint32_t n)
{
    bool all = true, any = false;
    if (cond->kind == COND_SEARCH) {
        for (uint32_t i = 0; i < n; i++) {
            const struct sigma_corr_ref *a = &rule->refs[cond->search];
            const struct sigma_corr_ref *b = &rule->refs[items[i].position];
            if (a->index == b->index && a->is_corr == b->is_corr) return true;
        }
        return false;
    }
    for (uint32_t i = 0; i < cond->n_children; i++) {
        bool t = cond_true(rule, cond->child[i], items, n);
        all &= t;
        any |= t;
    }
    return cond->kind == COND_NOT ? !any : cond->kind == COND_AND ? all : any;
}

static uint32_t distinct_places(const struct item *items, uint32_t n)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = 0;
        while (k < i && items[k].place != items[i].place) k++;
        count += k == i;
    }
    return count;
}

static uint32_t distinct_values(const struct item *items, uint32_t n)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = 0;
        while (k < i && !slice_eq(items[k].value, items[i].value)) k++;
        count += k == i;
    }
    return count;
}

static int by_time_and_place(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static int by_number(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static uint32_t longest_in_order(struct item *sorted, uint32_t n)
{
    uint32_t longest = 0;
    qsort(sorted, n, sizeof *sorted, by_time_and_place);
    for (uint32_t i = 0; i < n; i++) {
        int64_t best = 0;
        for (uint32_t k = 0; k < i; k++)
            if (sorted[k].place < sorted[i].place && sorted[k].minor > best) best = sorted[k].minor;
        sorted[i].minor = best + 1; /* borrowed: the length of the run that ends here */
        if (sorted[i].minor > longest) longest = (uint32_t)sorted[i].minor;
    }
    return longest;
}

static double percentile(struct item *sorted, uint32_t n, double p)
{
    qsort(sorted, n, sizeof *sorted, by_number);
    double rank = (n - 1) * p / 100;
    uint32_t low = (uint32_t)rank, high = low + 1 < n ? low + 1 : low;
    return sorted[low].number + (rank - low) * (sorted[high].number - sorted[low].number);
}

static bool bounds_hold(const struct sigma_correlation *corr, double v)
{
    bool all = true;
    for (uint32_t i = 0; i < corr->n_bounds; i++) {
        double b = corr->bound[i].value;
        switch (corr->bound[i].cmp) {
        case CMP_LT:
            all &= v < b;
            break;
        case CMP_LTE:
            all &= v <= b;
            break;
        case CMP_GT:
            all &= v > b;
            break;
        case CMP_GTE:
            all &= v >= b;
            break;
        case CMP_EQ:
            all &= !(v < b) && !(v > b);
            break;
        case CMP_NEQ:
            all &= v < b || v > b;
            break;
        }
    }
    return all;
}

static bool is_temporal(const struct sigma_correlation *corr)
{
    return corr->type == CORR_TEMPORAL || corr->type == CORR_TEMPORAL_ORDERED;
}

static uint32_t n_places(const struct sigma_corr_rule *rule)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < rule->corr->n_rules; i++) {
        uint32_t k = 0;
        while (rule->refs[k].index != rule->refs[i].index ||
               rule->refs[k].is_corr != rule->refs[i].is_corr)
            k++;
        n += k == i;
    }
    return n;
}

static bool holds(struct arena *arena, const struct sigma_corr_rule *rule, const struct item *items,
                  uint32_t n, double *ret_count)
{
    const struct sigma_correlation *corr = rule->corr;
    struct item *copy = take(arena, n, sizeof *copy);
    memcpy(copy, items, n * sizeof *copy);
    for (uint32_t i = 0; i < n; i++) copy[i].minor = 0;
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += items[i].number;
    uint32_t places = distinct_places(items, n);
    double count = 0;
    switch (corr->type) {
    case CORR_EVENT_COUNT:
        count = n;
        break;
    case CORR_VALUE_COUNT:
        count = distinct_values(items, n);
        break;
    case CORR_TEMPORAL:
        count = places;
        break;
    case CORR_TEMPORAL_ORDERED:
        count = longest_in_order(copy, n);
        break;
    case CORR_VALUE_SUM:
        count = sum;
        break;
    case CORR_VALUE_AVG:
        count = sum / n;
        break;
    case CORR_VALUE_PERCENTILE:
        count = percentile(copy, n, corr->percentile);
        break;
    case CORR_VALUE_MEDIAN:
        count = percentile(copy, n, 50);
        break;
    }
    *ret_count = count;
    if (!is_temporal(corr)) return bounds_hold(corr, count);
    if (corr->condition) {
        if (corr->type == CORR_TEMPORAL_ORDERED && (uint32_t)count != places) return false;
        if (!cond_true(rule, corr->condition, items, n)) return false;
    } else if (!corr->n_bounds) {
        return (uint32_t)count == n_places(rule);
    }
    return bounds_hold(corr, count);
}

/* Windows */

static bool has_not(const struct sigma_cond *cond)
{
    bool found = cond->kind == COND_NOT;
    for (uint32_t i = 0; i < cond->n_children; i++) found |= has_not(cond->child[i]);
    return found;
}

static bool is_sliding(const struct sigma_correlation *corr)
{
    for (uint32_t i = 0; i < corr->n_bounds; i++)
        if (corr->bound[i].cmp != CMP_GT && corr->bound[i].cmp != CMP_GTE) return false;
    if (corr->condition && (has_not(corr->condition) || corr->type == CORR_TEMPORAL_ORDERED))
        return false;
    return is_temporal(corr) || corr->type == CORR_EVENT_COUNT || corr->type == CORR_VALUE_COUNT ||
           corr->type == CORR_VALUE_SUM;
}

static struct fired *new_fired(struct arena *arena, const struct sigma_corr_rule *rule,
                               const struct item *completing)
{
    struct fired *f = take(arena, 1, sizeof *f);
    f->rule = rule;
    f->completing = completing;
    f->out.correlation = rule->index;
    f->out.group = completing->group;
    return f;
}

static uint32_t end_of(const struct items *g, uint32_t from, nsec until)
{
    while (from < g->n && g->list[from].time <= until) from++;
    return from;
}

/* Looks at the event `at` of a sliding correlation; events before `base` are used up. */
static struct fired *try_sliding(struct arena *arena, const struct sigma_corr_rule *rule,
                                 const struct items *g, uint32_t base, uint32_t at,
                                 uint32_t *ret_next)
{
    nsec now = g->list[at].time;
    double count;
    uint32_t from = base;
    while (now - g->list[from].time > rule->corr->timespan) from++;
    if (!holds(arena, rule, g->list + from, at + 1 - from, &count)) return NULL;
    uint32_t first = from;
    if (rule->corr->type != CORR_VALUE_SUM) {
        first = at;
        while (!holds(arena, rule, g->list + first, at + 1 - first, &count)) first--;
        /* A window begins at a moment: all events of that moment are in it. */
        while (first > from && g->list[first - 1].time == g->list[first].time) first--;
    }
    struct fired *f = new_fired(arena, rule, &g->list[at]);
    f->major = g->list[at].major;
    f->minor = g->list[at].minor + 1;
    f->out.time = now;
    f->out.first = g->list[first].time;
    *ret_next = end_of(g, at, f->out.first + rule->corr->timespan);
    f->out.last = g->list[*ret_next - 1].time;
    (void)holds(arena, rule, g->list + first, *ret_next - first, &f->out.count);
    return f;
}

static struct fired *try_closing(struct arena *arena, const struct sigma_corr_rule *rule,
                                 const struct items *g, uint32_t base, uint32_t *ret_next)
{
    double count;
    nsec end = g->list[base].time + rule->corr->timespan;
    *ret_next = end_of(g, base, end);
    if (!holds(arena, rule, g->list + base, *ret_next - base, &count)) return NULL;
    struct fired *f = new_fired(arena, rule, &g->list[*ret_next - 1]);
    f->major = AFTER_ALL;
    f->opening = &g->list[base];
    f->out = (struct ref_firing){.correlation = rule->index,
                                 .time = end,
                                 .first = g->list[base].time,
                                 .last = g->list[*ret_next - 1].time,
                                 .count = count,
                                 .group = g->list[base].group};
    return f;
}

/* All firings */

struct world {
    struct arena *arena, scratch;
    const struct sigma_set *set;
    const struct ref_match *matches;
    uint32_t n_matches;
    struct fired **fired;
    uint32_t n_fired;
};

static void add_fired(struct world *w, struct fired *f)
{
    if ((w->n_fired & (w->n_fired - 1)) == 0) {
        struct fired **list = take(w->arena, (size_t)w->n_fired * 2 + 1, sizeof *list);
        if (w->n_fired) memcpy(list, w->fired, w->n_fired * sizeof *list);
        w->fired = list;
    }
    w->fired[w->n_fired++] = f;
}

static void evaluate_group(struct world *w, const struct sigma_corr_rule *rule,
                           const struct items *g)
{
    bool sliding = is_sliding(rule->corr);
    for (uint32_t base = 0, at = 0; at < g->n;) {
        uint32_t next = at + 1;
        arena_reset(&w->scratch);
        struct fired *f = sliding ? try_sliding(&w->scratch, rule, g, base, at, &next)
                                  : try_closing(&w->scratch, rule, g, base, &next);
        if (f) {
            struct fired *kept = take(w->arena, 1, sizeof *kept);
            *kept = *f;
            add_fired(w, kept);
        }
        if (f || !sliding) base = next;
        at = next;
    }
}

static int in_order(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    if (x->major != y->major) return x->major < y->major ? -1 : 1;
    if (x->minor != y->minor) return x->minor < y->minor ? -1 : 1;
    if (!x->firing || !y->firing || x->firing == y->firing) return 0;
    /* Windows that end together: in the order in which they opened. */
    const struct fired *f = x->firing, *g = y->firing;
    return in_order(f->opening ? f->opening : f->completing,
                    g->opening ? g->opening : g->completing);
}

/* Reads group and value; false: the event takes no part. */
static bool prepare(struct world *w, const struct sigma_corr_rule *rule, struct item *item)
{
    const struct sigma_correlation *corr = rule->corr;
    while (rule->refs[item->place].index != rule->refs[item->position].index ||
           rule->refs[item->place].is_corr != rule->refs[item->position].is_corr)
        item->place++;
    if (item->place != item->position) return false; /* seen as that one already */
    if (!key_of(w->arena, w->set, rule, item, corr->group_by, corr->n_group_by, &item->group))
        return false;
    if (corr->type == CORR_EVENT_COUNT || is_temporal(corr)) return true;
    if (corr->type == CORR_VALUE_COUNT)
        return key_of(w->arena, w->set, rule, item, corr->fields, corr->n_fields, &item->value);
    struct slice v = look_up(w->set, rule, item, corr->fields[0]);
    return v.ptr && slice_to_double(slice_trim(v), &item->number);
}

static void evaluate_rule(struct world *w, const struct sigma_corr_rule *rule)
{
    const struct sigma_correlation *corr = rule->corr;
    struct items all = {
        take(w->arena, ((size_t)w->n_matches + w->n_fired) * corr->n_rules, sizeof(struct item)),
        0};
    for (uint32_t p = 0; p < corr->n_rules; p++) {
        for (uint32_t i = 0; i < w->n_matches && !rule->refs[p].is_corr; i++) {
            const struct ref_match *m = &w->matches[i];
            all.list[all.n] = (struct item){.time = m->time, .major = i, .position = p, .match = m};
            if (m->rule == rule->refs[p].index && prepare(w, rule, &all.list[all.n])) all.n++;
        }
        for (uint32_t i = 0; i < w->n_fired && rule->refs[p].is_corr; i++) {
            const struct fired *f = w->fired[i];
            all.list[all.n] = (struct item){.time = f->out.time,
                                            .major = f->major,
                                            .minor = f->minor,
                                            .position = p,
                                            .firing = f};
            if (f->out.correlation == rule->refs[p].index && prepare(w, rule, &all.list[all.n]))
                all.n++;
        }
    }
    qsort(all.list, all.n, sizeof *all.list, in_order);
    bool *done = take(w->arena, all.n, sizeof *done);
    for (uint32_t i = 0; i < all.n; i++) {
        if (done[i]) continue;
        struct items g = {take(w->arena, all.n, sizeof *g.list), 0};
        for (uint32_t k = i; k < all.n; k++) {
            if (!slice_eq(all.list[k].group, all.list[i].group)) continue;
            done[k] = true;
            g.list[g.n++] = all.list[k];
        }
        evaluate_group(w, rule, &g);
    }
}

struct ref_firings ref_correlate(struct arena *arena, const struct sigma_set *set,
                                 const struct ref_match *matches, uint32_t n_matches)
{
    struct world w = {.arena = arena, .set = set, .matches = matches, .n_matches = n_matches};
    arena_init(&w.scratch, (size_t)1 << 28);
    for (uint32_t i = 0; i < set->n_correlations; i++) evaluate_rule(&w, set->correlations[i]);
    struct ref_firings ret = {take(arena, w.n_fired, sizeof *ret.list), w.n_fired};
    for (uint32_t i = 0; i < w.n_fired; i++) ret.list[i] = w.fired[i]->out;
    arena_done(&w.scratch);
    return ret;
}
