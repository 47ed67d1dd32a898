/* SPDX-License-Identifier: EUPL-1.2 */
/* Spans of time, put together and looked at for holes. */
#ifndef VAKA_ROSTER_SPANS_H
#define VAKA_ROSTER_SPANS_H

#include "base/arena.h"
#include "base/clock.h"

struct span {
    nsec from, until;
};

struct spans {
    struct arena *arena;
    struct span *items;
    uint32_t n, cap;
    bool failed; /* the arena is full */
};

static inline void spans_init(struct spans *s, struct arena *arena)
{
    *s = (struct spans){.arena = arena};
}
/* Nothing is added that is empty. */
void spans_add(struct spans *s, nsec from, nsec until);
void spans_add_all(struct spans *s, const struct spans *other);
/* Puts them in order; those that touch become one, also those with less than `within` between. */
void spans_join(struct spans *s, nsec within);
/* Takes from joined ones what others, joined as well, have. */
void spans_cut(struct spans *s, const struct spans *without);

/* All below: of joined ones. */
nsec spans_longest_hole(const struct spans *s, nsec from, nsec until);
nsec spans_sum(const struct spans *s, nsec from, nsec until);
bool spans_touch(const struct spans *s, nsec from, nsec until);
/* The one that has that time, or NULL. */
const struct span *spans_at(const struct spans *s, nsec time);
/* When the first hole behind `from` begins that is so long. */
nsec spans_next_hole(const struct spans *s, nsec from, nsec length);

#endif
