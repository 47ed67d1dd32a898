/* SPDX-License-Identifier: EUPL-1.2 */
/* Shifts one after the other, over spans of time. */
#ifndef VAKA_ROSTER_SCHEDULE_H
#define VAKA_ROSTER_SCHEDULE_H

#include "roster/roster.h"

enum { ROSTER_SHIFTS_MAX = 100 * 1000 }; /* of one list */
#define ROSTER_SPAN_MAX (800 * CALENDAR_DAY)

struct roster_shifts {
    const struct roster_shift *items;
    uint32_t n;
};

/*
 * Who is on call in the team from then until then, without a hole: shifts of nobody are among
 * them. Neighbours differ in the person, the change or the rotation. Lives in the arena. ERR_LIMIT:
 * too many, or too long a span; ERR_NOMEM.
 */
int roster_schedule(const struct roster *r, const struct roster_team *team, nsec from, nsec until,
                    struct arena *arena, struct roster_shifts *ret) MUST_USE;
/* The same of one rotation by itself, as it is planned, whoever is absent. */
int roster_lane(const struct roster *r, const struct roster_rotation *rotation, nsec from,
                nsec until, struct arena *arena, struct roster_shifts *ret) MUST_USE;

/* A span in which nobody is on call, and somebody has to be. */
struct roster_gap {
    const struct roster_team *team;
    nsec from, until;
};
/* Of all teams, by team and time. `each` returns not 0 to end it, which is passed through. */
int roster_gaps(const struct roster *r, nsec from, nsec until,
                int (*each)(void *ctx, const struct roster_gap *gap), void *ctx) MUST_USE;

/* Somebody has a shift, or part of one, in one roster and not in the other. */
struct roster_moved {
    const struct roster_team *team;     /* of the one that has it */
    const struct roster_person *person; /* too */
    nsec from, until;
    bool gained; /* `after` has it */
};
struct roster_moves {
    const struct roster_moved *items;
    uint32_t n;
};
/* Teams and people are known by their ids. `before` may be NULL: there was none. */
int roster_compare(const struct roster *before, const struct roster *after, nsec from, nsec until,
                   struct arena *arena, struct roster_moves *ret) MUST_USE;

#endif
