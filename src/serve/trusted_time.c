/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/trusted_time.h"

void trusted_time_init(struct trusted_time *t, nsec kept, nsec keep, nsec wall, nsec monotonic)
{
    nsec stopped = keep / 10 > TRUSTED_LEAP ? keep / 10 : TRUSTED_LEAP;
    bool plausible = kept == 0 || (wall >= kept && wall - kept <= stopped);
    *t = (struct trusted_time){.believed = plausible ? wall : kept,
                               .at = monotonic,
                               .allowance = plausible ? TRUSTED_LEAP : stopped};
}

nsec trusted_time_look(struct trusted_time *t, nsec wall, nsec monotonic)
{
    nsec gone = monotonic - t->at;
    nsec now = t->believed + gone;
    t->doubted = wall - now > t->allowance;
    if (t->doubted) return now;
    /* A clock that was behind at the start, and has come right. */
    if (t->allowance > TRUSTED_LEAP && wall >= now) {
        trusted_time_confirm(t, wall, monotonic);
        return wall;
    }
    return wall < now ? wall : now;
}

void trusted_time_confirm(struct trusted_time *t, nsec time, nsec monotonic)
{
    *t = (struct trusted_time){.believed = time, .at = monotonic, .allowance = TRUSTED_LEAP};
}
