/* SPDX-License-Identifier: EUPL-1.2 */
#include "query/keyed.h"

#include <stdlib.h>

#include "base/hash.h"

enum { SLOTS_MIN = 256 };

void keyed_init(struct keyed *k, size_t value_size, size_t budget)
{
    *k = (struct keyed){.budget = budget, .value_size = value_size};
    arena_init(&k->arena, budget);
}

void keyed_done(struct keyed *k)
{
    arena_done(&k->arena);
    free(k->slots);
}

void keyed_clear(struct keyed *k)
{
    arena_reset(&k->arena);
    if (k->cap) memset(k->slots, 0, k->cap * sizeof *k->slots);
    k->n = 0;
    k->first = k->last = NULL;
}

size_t keyed_bytes(const struct keyed *k)
{
    return k->arena.held + k->cap * sizeof *k->slots;
}

/* What it is compared with lies in the table: an entry is fetched when it is the one, as a rule. */
static size_t slot_of(const struct keyed *k, uint64_t hash, struct slice key)
{
    size_t at = hash & (k->cap - 1);
    const struct keyed_slot *slot = &k->slots[at];
    while (slot->entry && (slot->hash != hash || !slice_eq(slot->entry->key, key))) {
        at = (at + 1) & (k->cap - 1);
        slot = &k->slots[at];
    }
    return at;
}

/* Entries differ: the first place that is free is theirs. */
static void put_again(struct keyed *k, const struct keyed_slot *slot)
{
    size_t at = slot->hash & (k->cap - 1);
    while (k->slots[at].entry) at = (at + 1) & (k->cap - 1);
    k->slots[at] = *slot;
}

static bool grow(struct keyed *k)
{
    struct keyed_slot *before = k->slots;
    size_t n = k->cap, cap = n ? 2 * n : SLOTS_MIN;
    if (cap * sizeof *before > k->budget / 2) return false;
    struct keyed_slot *slots = calloc(cap, sizeof *slots);
    if (!slots) return false;
    k->slots = slots;
    k->cap = cap;
    for (size_t i = 0; i < n; i++)
        if (before[i].entry) put_again(k, &before[i]);
    free(before);
    return true;
}

struct keyed_entry *keyed_find(const struct keyed *k, struct slice key)
{
    return k->cap ? k->slots[slot_of(k, hash64(key), key)].entry : NULL;
}

struct keyed_entry *keyed_take(struct keyed *k, struct slice key)
{
    uint64_t hash = hash64(key);
    if (k->n + 1 > k->cap / 2 && !grow(k)) return keyed_find(k, key);
    size_t at = slot_of(k, hash, key);
    if (k->slots[at].entry) return k->slots[at].entry;
    struct keyed_entry *e = arena_zalloc(&k->arena, 1, sizeof *e);
    void *value = arena_zalloc(&k->arena, 1, k->value_size);
    struct slice copy = arena_dup(&k->arena, key);
    if (!e || !value || !copy.ptr) return NULL;
    *e = (struct keyed_entry){.key = copy, .value = value};
    k->slots[at] = (struct keyed_slot){hash, e};
    if (k->last) k->last->next = e;
    else k->first = e;
    k->last = e;
    k->n++;
    return e;
}
