/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * How often somebody may ask: a bucket for each (an address, a user) that fills at a rate and holds
 * four seconds of it. Buckets that are full again are given to others; when all are in use, whoever
 * has none shares one with who has his place.
 */
#ifndef VAKA_WEB_RATE_H
#define VAKA_WEB_RATE_H

#include "base/clock.h"
#include "base/slice.h"

enum { API_RATE_BUCKETS = 8192, API_RATE_SECONDS = 4 };

struct api_rate {
    uint64_t seed;       /* nobody outside knows it */
    uint32_t per_second; /* the same for all; 0: as often as they like */
    struct {
        uint64_t key; /* a hash; 0: nobody's */
        nsec full;    /* monotonic: when it will be full again */
    } buckets[API_RATE_BUCKETS];
};

/* One more. 0: he may; else after how many seconds he may again. */
uint32_t api_rate_take(struct api_rate *r, struct slice who, nsec now);

#endif
