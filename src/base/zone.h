/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * How far the clock of people is ahead of UTC: a time zone as a table of its steps, read before the
 * sandbox, so that nothing needs the zone's file later.
 */
#ifndef VAKA_BASE_ZONE_H
#define VAKA_BASE_ZONE_H

#include "base/clock.h"
#include "base/error.h"

enum { ZONE_STEPS_MAX = 96, ZONE_YEARS = 30 };

struct zone {
    struct {
        int64_t from;   /* seconds since 1970 */
        int32_t offset; /* seconds ahead of UTC, from then on */
    } steps[ZONE_STEPS_MAX];
    unsigned n;
};

/*
 * `name` as in /usr/share/zoneinfo; NULL: the machine's. From a year before `now` on, for some tens
 * of years. Changes the environment's TZ for the time of the call. ERR_INVALID: there is no such
 * zone; diag says so.
 */
int zone_read(struct zone *z, const char *name, nsec now, struct diag *diag) MUST_USE;
int32_t zone_offset(const struct zone *z, nsec time);
/*
 * The point in time at which a clock of people shows that time, given as if it were UTC. Of an hour
 * that comes twice it is the second one, of one that is left out the hour after it.
 */
nsec zone_from_local(const struct zone *z, nsec local);

#endif
