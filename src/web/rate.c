/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/rate.h"

#include "base/hash.h"

enum { TRIED = 8 };

/* His bucket, else one that nobody needs, else the first of those he may have. */
static size_t find(const struct api_rate *r, uint64_t key, nsec now)
{
    size_t first = key % API_RATE_BUCKETS, free_one = SIZE_MAX;
    for (size_t i = 0; i < TRIED; i++) {
        size_t at = (first + i) % API_RATE_BUCKETS;
        if (r->buckets[at].key == key) return at;
        if (free_one == SIZE_MAX && r->buckets[at].full <= now) free_one = at;
    }
    return free_one == SIZE_MAX ? first : free_one;
}

uint32_t api_rate_take(struct api_rate *r, struct slice who, nsec now)
{
    if (r->per_second == 0) return 0;
    uint64_t key = hash64_seed(who, r->seed) | 1;
    nsec one = NSEC_PER_SEC / r->per_second, all = API_RATE_SECONDS * NSEC_PER_SEC;
    size_t at = find(r, key, now);
    nsec full = r->buckets[at].full > now ? r->buckets[at].full : now;
    if (full + one - now > all) {
        nsec wait = full + one - now - all;
        return (uint32_t)((wait + NSEC_PER_SEC - 1) / NSEC_PER_SEC);
    }
    r->buckets[at].key = key;
    r->buckets[at].full = full + one;
    return 0;
}
