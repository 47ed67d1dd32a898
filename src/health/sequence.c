/* SPDX-License-Identifier: EUPL-1.2 */
#include "health/sequence.h"

#define SETTLES    (60 * NSEC_PER_SEC)
#define LEARNED    1000 /* numbers before it speaks */
#define GAPS_USUAL 100  /* one of so many is missing: what counts so leaves out numbers */
#define JUMP       (UINT64_C(1) << 32) /* no gap, but another count */

static struct sequence *find(struct sequence all[SEQUENCES], uint64_t key)
{
    struct sequence *oldest = &all[0];
    for (unsigned i = 0; i < SEQUENCES; i++) {
        if (all[i].key == key) return &all[i];
        if (all[i].heard < oldest->heard) oldest = &all[i];
    }
    *oldest = (struct sequence){0};
    return oldest;
}

void sequences_add(struct sequence all[SEQUENCES], nsec now, uint64_t key, uint64_t first,
                   uint64_t last, uint64_t n)
{
    struct sequence *s = find(all, key);
    s->heard = now;
    bool anew = s->key == 0 || (first > s->high && first - s->high > JUMP);
    if (anew) *s = (struct sequence){.key = key, .high = first - 1, .heard = now};
    uint64_t passed = last > s->high ? last - s->high : 0;
    uint64_t fresh = n < passed ? n : passed, late = n - fresh, open = s->missing - s->told;
    if (fresh < passed) s->changed = now;
    s->missing += passed - fresh;
    s->missing -= late < open ? late : open;
    s->came += fresh;
    s->high += passed;
}

uint64_t sequences_missing(struct sequence all[SEQUENCES], nsec now)
{
    uint64_t found = 0;
    for (unsigned i = 0; i < SEQUENCES; i++) {
        struct sequence *s = &all[i];
        uint64_t fresh = s->missing - s->told;
        if (s->key == 0 || fresh == 0 || now - s->changed < SETTLES) continue;
        bool speaks = s->came >= LEARNED && s->told < s->came / GAPS_USUAL;
        s->told = s->missing;
        if (speaks) found += fresh;
    }
    return found;
}
