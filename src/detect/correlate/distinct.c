/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Distinct values of a group, in the order in which they were last seen. Compared in full (keys are
 * bounded, see key_add()), found through a table under the correlator's seed.
 */
#include "detect/correlate/internal.h"

#include "base/hash.h"

enum { DISTINCT_FIRST = 4 };

void distinct_init(struct distinct *d)
{
    *d = (struct distinct){.oldest = MEMBER_NONE, .newest = MEMBER_NONE, .unused = MEMBER_NONE};
}

static void list_append(struct distinct *d, uint32_t at)
{
    struct member *m = &d->members[at];
    m->older = d->newest;
    m->newer = MEMBER_NONE;
    if (d->newest != MEMBER_NONE) d->members[d->newest].newer = at;
    else d->oldest = at;
    d->newest = at;
}

static void list_unlink(struct distinct *d, uint32_t at)
{
    struct member *m = &d->members[at];
    if (m->older != MEMBER_NONE) d->members[m->older].newer = m->newer;
    else d->oldest = m->newer;
    if (m->newer != MEMBER_NONE) d->members[m->newer].older = m->older;
    else d->newest = m->older;
}

static uint32_t slot_of(const struct distinct *d, uint64_t hash, struct slice key)
{
    uint32_t mask = 2 * d->cap - 1;
    for (uint32_t i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
        if (!d->slots[i]) return i;
        const struct member *m = &d->members[d->slots[i] - 1];
        if (m->hash == hash && slice_eq(slice_make(m->key, m->len), key)) return i;
    }
}

static void slot_clear(struct distinct *d, uint32_t at)
{
    uint32_t mask = 2 * d->cap - 1;
    for (uint32_t i = (at + 1) & mask; d->slots[i]; i = (i + 1) & mask) {
        uint32_t home = (uint32_t)d->members[d->slots[i] - 1].hash & mask;
        if (((i - home) & mask) < ((i - at) & mask)) continue;
        d->slots[at] = d->slots[i];
        at = i;
    }
    d->slots[at] = 0;
}

static bool distinct_grow(struct correlator *c, struct distinct *d)
{
    uint32_t cap = d->cap ? d->cap * 2 : DISTINCT_FIRST;
    if (cap > UINT32_MAX / 4) return false;
    uint32_t *slots = mem_take(c, 2 * (size_t)cap * sizeof *slots);
    if (!slots) return false;
    struct member *members =
        mem_resize(c, d->members, d->cap * sizeof *members, cap * sizeof *members);
    if (!members) {
        mem_give(c, slots, 2 * (size_t)cap * sizeof *slots);
        return false;
    }
    mem_give(c, d->slots, 2 * (size_t)d->cap * sizeof *slots);
    memset(slots, 0, 2 * (size_t)cap * sizeof *slots);
    d->members = members;
    d->slots = slots;
    for (uint32_t i = d->cap; i < cap; i++) {
        members[i].newer = d->unused;
        d->unused = i;
    }
    d->cap = cap;
    for (uint32_t i = d->oldest; i != MEMBER_NONE; i = members[i].newer)
        slots[slot_of(d, members[i].hash, slice_make(members[i].key, members[i].len))] = i + 1;
    return true;
}

static void member_drop(struct correlator *c, struct distinct *d, uint32_t at)
{
    struct member *m = &d->members[at];
    slot_clear(d, slot_of(d, m->hash, slice_make(m->key, m->len)));
    list_unlink(d, at);
    mem_give(c, m->key, m->len);
    m->newer = d->unused;
    d->unused = at;
    d->n--;
}

/* Sliding windows need `need` values to fire; beyond that and the limit, no more are kept. */
static bool is_full(const struct group *g)
{
    const struct distinct *d = &g->u.distinct;
    return d->n >= CORRELATOR_SAMPLES_MAX && (!g->plan->sliding || d->n >= g->plan->need);
}

bool distinct_add(struct correlator *c, struct group *g, const struct corr_event *ev,
                  struct slice key)
{
    struct distinct *d = &g->u.distinct;
    uint64_t hash = hash64_seed(key, c->seed ^ g->hash);
    uint32_t found = d->cap ? d->slots[slot_of(d, hash, key)] : 0;
    if (found) {
        struct member *m = &d->members[found - 1];
        m->time = ev->time;
        m->ref = ev->ref;
        if (m->newer != MEMBER_NONE) {
            list_unlink(d, found - 1);
            list_append(d, found - 1);
        }
        return true;
    }
    if (is_full(g)) return false;
    if (d->unused == MEMBER_NONE && !distinct_grow(c, d)) return false;
    char *kept = mem_take(c, key.len ? key.len : 1);
    if (!kept) return false;
    memcpy(kept, key.ptr, key.len);
    uint32_t at = d->unused;
    struct member *m = &d->members[at];
    d->unused = m->newer;
    *m = (struct member){
        .hash = hash, .time = ev->time, .ref = ev->ref, .key = kept, .len = (uint32_t)key.len};
    list_append(d, at);
    d->slots[slot_of(d, hash, key)] = at + 1;
    d->n++;
    return true;
}

void distinct_expire(struct correlator *c, struct group *g, nsec since)
{
    struct distinct *d = &g->u.distinct;
    while (d->oldest != MEMBER_NONE && d->members[d->oldest].time < since)
        member_drop(c, d, d->oldest);
}

void distinct_done(struct correlator *c, struct group *g)
{
    struct distinct *d = &g->u.distinct;
    for (uint32_t i = d->oldest; i != MEMBER_NONE; i = d->members[i].newer)
        mem_give(c, d->members[i].key, d->members[i].len);
    mem_give(c, d->members, d->cap * sizeof *d->members);
    mem_give(c, d->slots, 2 * (size_t)d->cap * sizeof *d->slots);
    distinct_init(d);
}
