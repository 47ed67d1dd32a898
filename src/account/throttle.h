/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * How long who guesses has to wait, by name and by address: nothing for the first few, then twice
 * as long each time, up to a maximum. It never locks anybody out for good: that would be the
 * attacker's to do. Names are counted whether they exist or not.
 *
 * Each attempt is charged before it is looked at, so that many at once are worth no more than one
 * behind the other; what was right is given back.
 */
#ifndef VAKA_ACCOUNT_THROTTLE_H
#define VAKA_ACCOUNT_THROTTLE_H

#include "base/clock.h"
#include "base/slice.h"

enum { THROTTLE_SLOTS = 4096 }; /* with more of them those with the fewest attempts are forgotten */

struct throttle {
    uint64_t seed;
    uint32_t free;            /* attempts that cost nothing */
    nsec least, most, forget; /* forget: behind the last attempt */
    struct throttle_slot {
        uint64_t key; /* 0: empty */
        uint32_t count;
        nsec last, until; /* monotonic */
    } slots[THROTTLE_SLOTS];
};

/* seed: random, so that nobody chooses who shares a slot with whom. */
void throttle_init(struct throttle *t, uint64_t seed, uint32_t free, nsec least, nsec most);

/* How long from now, a monotonic time; 0: not at all. */
nsec throttle_wait(struct throttle *t, struct slice who, nsec now);
/* How many lately. */
uint32_t throttle_count(struct throttle *t, struct slice who, nsec now);
/* One more. */
void throttle_charge(struct throttle *t, struct slice who, nsec now);
/* The last was right: it does not count. */
void throttle_refund(struct throttle *t, struct slice who);
/* None counts any more. */
void throttle_pardon(struct throttle *t, struct slice who);

#endif
