/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/throttle.h"

#include "base/hash.h"

enum { WAYS = 8 }; /* slots that one key may be in */

void throttle_init(struct throttle *t, uint64_t seed, uint32_t free, nsec least, nsec most)
{
    *t = (struct throttle){
        .seed = seed, .free = free, .least = least, .most = most, .forget = 4 * most};
}

static uint64_t key_of(const struct throttle *t, struct slice who)
{
    uint64_t key = hash64_seed(who, t->seed);
    return key ? key : 1;
}

static struct throttle_slot *group_of(struct throttle *t, uint64_t key)
{
    return &t->slots[key % (THROTTLE_SLOTS / WAYS) * WAYS];
}

static struct throttle_slot *find(struct throttle *t, struct slice who)
{
    uint64_t key = key_of(t, who);
    struct throttle_slot *group = group_of(t, key);
    for (size_t i = 0; i < WAYS; i++)
        if (group[i].key == key) return &group[i];
    return NULL;
}

nsec throttle_wait(struct throttle *t, struct slice who, nsec now)
{
    const struct throttle_slot *slot = find(t, who);
    return slot && slot->until > now ? slot->until - now : 0;
}

static uint32_t count_of(const struct throttle *t, const struct throttle_slot *slot, nsec now)
{
    return now - slot->last > t->forget ? 0 : slot->count;
}

/* A new one in place of that with the fewest attempts: who asks for many names at once makes his
 * own be forgotten, not those that others guess at. */
static struct throttle_slot *make(struct throttle *t, struct slice who, nsec now)
{
    uint64_t key = key_of(t, who);
    struct throttle_slot *group = group_of(t, key), *least = group;
    for (size_t i = 1; i < WAYS; i++) {
        uint32_t a = count_of(t, &group[i], now), b = count_of(t, least, now);
        if (a < b || (a == b && group[i].last < least->last)) least = &group[i];
    }
    *least = (struct throttle_slot){.key = key};
    return least;
}

uint32_t throttle_count(struct throttle *t, struct slice who, nsec now)
{
    const struct throttle_slot *slot = find(t, who);
    return slot ? count_of(t, slot, now) : 0;
}

void throttle_charge(struct throttle *t, struct slice who, nsec now)
{
    struct throttle_slot *slot = find(t, who);
    if (!slot) slot = make(t, who, now);
    slot->count = count_of(t, slot, now);
    slot->last = now;
    if (slot->count < UINT32_MAX) slot->count++;
    if (slot->count < t->free) return;
    nsec wait = t->least;
    for (uint32_t i = t->free; i < slot->count && wait < t->most; i++) wait *= 2;
    slot->until = now + (wait < t->most ? wait : t->most);
}

void throttle_refund(struct throttle *t, struct slice who)
{
    struct throttle_slot *slot = find(t, who);
    if (!slot || slot->count == 0) return;
    slot->count--;
    if (slot->count < t->free) slot->until = 0;
}

void throttle_pardon(struct throttle *t, struct slice who)
{
    struct throttle_slot *slot = find(t, who);
    if (slot) *slot = (struct throttle_slot){.key = 0};
}
