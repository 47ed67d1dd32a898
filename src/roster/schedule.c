/* SPDX-License-Identifier: EUPL-1.2 */
#include "roster/schedule.h"

#include "roster/internal.h"

/* ---- lists that grow --------------------------------------------------------------------- */

struct list {
    struct arena *arena;
    struct roster_shift *items;
    uint32_t n, cap;
};

static int grow(struct list *list)
{
    uint32_t cap = list->cap ? 2 * list->cap : 64;
    if (list->n == ROSTER_SHIFTS_MAX) return ERR_LIMIT;
    struct roster_shift *items = arena_zalloc(list->arena, cap, sizeof *items);
    if (!items) return arena_error(list->arena);
    if (list->n) memcpy(items, list->items, list->n * sizeof *items);
    list->items = items;
    list->cap = cap;
    return 0;
}

static int add(struct list *list, const struct roster_shift *shift)
{
    struct roster_shift *last = list->n ? &list->items[list->n - 1] : NULL;
    if (last && last->person == shift->person && last->change == shift->change &&
        last->planned == shift->planned && slice_eq(last->rotation, shift->rotation)) {
        last->until = shift->until;
        return 0;
    }
    int error = list->n == list->cap ? grow(list) : 0;
    if (error == 0) list->items[list->n++] = *shift;
    return error;
}

static nsec nearer(nsec a, nsec b)
{
    return a < b ? a : b;
}

static int check_span(nsec from, nsec until)
{
    return until < from || until - from > ROSTER_SPAN_MAX ? ERR_LIMIT : 0;
}

int roster_schedule(const struct roster *r, const struct roster_team *team, nsec from, nsec until,
                    struct arena *arena, struct roster_shifts *ret)
{
    struct list list = {.arena = arena};
    struct roster_shift shift;
    int error = check_span(from, until);
    for (nsec at = from; at < until && error == 0; at = shift.until) {
        roster_who(r, team, at, &shift);
        if (shift.until > until) shift.until = until;
        error = add(&list, &shift);
    }
    if (error == 0) *ret = (struct roster_shifts){list.items, list.n};
    return error;
}

int roster_lane(const struct roster *r, const struct roster_rotation *rotation, nsec from,
                nsec until, struct arena *arena, struct roster_shifts *ret)
{
    struct list list = {.arena = arena};
    struct roster_shift shift;
    int error = check_span(from, until);
    for (nsec at = from; at < until && error == 0; at = shift.until) {
        rotation_turn(r, rotation, at, &shift);
        if (shift.until > until) shift.until = until;
        error = add(&list, &shift);
    }
    if (error == 0) *ret = (struct roster_shifts){list.items, list.n};
    return error;
}

int office_spans(const struct roster *r, nsec from, nsec until, struct arena *arena,
                 struct spans *ret)
{
    spans_init(ret, arena);
    for (nsec at = from, next; at < until; at = next) {
        next = nearer(until, hours_next_edge(&r->office, r->calendar, r->zone, at));
        if (roster_is_office(r, at)) spans_add(ret, at, next);
    }
    spans_join(ret, 0);
    return ret->failed ? arena_error(arena) : 0;
}

/* ---- gaps -------------------------------------------------------------------------------- */

static int gaps_of(const struct roster *r, struct roster_gap *gap, nsec from, nsec until,
                   int (*each)(void *ctx, const struct roster_gap *gap), void *ctx)
{
    struct roster_shift shift;
    bool open = false;
    int error = 0;
    for (nsec at = from, next; at < until && error == 0; at = next) {
        roster_who(r, gap->team, at, &shift);
        next = nearer(until, shift.until);
        if (gap->team->cover != ROSTER_ALWAYS)
            next = nearer(next, hours_next_edge(&r->office, r->calendar, r->zone, at));
        bool empty = !shift.person && roster_covers(r, gap->team, at);
        if (empty && !open) gap->from = at;
        if (empty) gap->until = next;
        if (open && !empty) error = each(ctx, gap);
        open = empty;
    }
    return open && error == 0 ? each(ctx, gap) : error;
}

int roster_gaps(const struct roster *r, nsec from, nsec until,
                int (*each)(void *ctx, const struct roster_gap *gap), void *ctx)
{
    int error = check_span(from, until);
    for (uint32_t i = 0; i < r->n_teams && error == 0; i++) {
        struct roster_gap gap = {.team = &r->teams[i]};
        error = gaps_of(r, &gap, from, until, each, ctx);
    }
    return error;
}

/* ---- what moved -------------------------------------------------------------------------- */

struct moves {
    struct arena *arena;
    struct roster_moved *items;
    uint32_t n, cap;
};

/* The end of the list may be the same one going on; the other way of the swap stands between. */
static bool goes_on(const struct moves *m, const struct roster_moved *moved)
{
    for (uint32_t back = 1; back <= 2 && back <= m->n; back++) {
        struct roster_moved *last = &m->items[m->n - back];
        if (last->team != moved->team || last->person != moved->person ||
            last->gained != moved->gained || last->until != moved->from)
            continue;
        last->until = moved->until;
        return true;
    }
    return false;
}

static int add_moved(struct moves *m, const struct roster_moved *moved)
{
    if (goes_on(m, moved)) return 0;
    if (m->n == ROSTER_SHIFTS_MAX) return ERR_LIMIT;
    if (m->n == m->cap) {
        uint32_t cap = m->cap ? 2 * m->cap : 32;
        struct roster_moved *items = arena_zalloc(m->arena, cap, sizeof *items);
        if (!items) return arena_error(m->arena);
        if (m->n) memcpy(items, m->items, m->n * sizeof *items);
        m->items = items;
        m->cap = cap;
    }
    m->items[m->n++] = *moved;
    return 0;
}

/* Who is on call in a team that may not be there. */
static void who_in(const struct roster *r, const struct roster_team *team, nsec at,
                   struct roster_shift *ret)
{
    *ret = (struct roster_shift){.from = at, .until = INT64_MAX};
    if (team) roster_who(r, team, at, ret);
}

static bool is_same(const struct roster_person *a, const struct roster_person *b)
{
    return a == b || (a && b && slice_eq(a->id, b->id));
}

static int compare_team(struct moves *m, const struct roster *before, const struct roster *after,
                        struct slice id, nsec from, nsec until)
{
    const struct roster_team *old = before ? roster_team(before, id) : NULL,
                             *new = roster_team(after, id);
    int error = 0;
    for (nsec at = from, next; at < until && error == 0; at = next) {
        struct roster_shift was, is;
        who_in(before, old, at, &was);
        who_in(after, new, at, &is);
        next = nearer(until, nearer(was.until, is.until));
        if (is_same(was.person, is.person)) continue;
        const struct roster_moved lost = {old, was.person, at, next, false},
                                  gained = {new, is.person, at, next, true};
        if (was.person) error = add_moved(m, &lost);
        if (is.person && error == 0) error = add_moved(m, &gained);
    }
    return error;
}

int roster_compare(const struct roster *before, const struct roster *after, nsec from, nsec until,
                   struct arena *arena, struct roster_moves *ret)
{
    struct moves m = {.arena = arena};
    int error = check_span(from, until);
    for (uint32_t i = 0; i < after->n_teams && error == 0; i++)
        error = compare_team(&m, before, after, after->teams[i].id, from, until);
    for (uint32_t i = 0; before && i < before->n_teams && error == 0; i++)
        if (!roster_team(after, before->teams[i].id))
            error = compare_team(&m, before, after, before->teams[i].id, from, until);
    if (error == 0) *ret = (struct roster_moves){m.items, m.n};
    return error;
}
