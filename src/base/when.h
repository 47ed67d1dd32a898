/* SPDX-License-Identifier: EUPL-1.2 */
/* Points in time as a person gives them: on the command line, and in queries. */
#ifndef VAKA_BASE_WHEN_H
#define VAKA_BASE_WHEN_H

#include "base/time.h"
#include "base/zone.h"

struct when {
    nsec now;
    const struct zone *zone; /* of times that say none; NULL: UTC */
};

/*
 * `2026-12-23`, `2026-12-23T21:47:00+01:00` (everything time_parse() reads), `now`, or a time
 * before now: `-90s`, `-15m`, `-24h`, `-7d`, `-2w`, also `now-24h`. A date alone is its first
 * moment, or with end_of_day its last. false when it is none of them.
 */
bool when_parse(struct slice text, const struct when *when, bool end_of_day, nsec *ret);
/* A number and a unit: `90s`, `5m`, `24h`, `7d`, `2w`; above 0. */
bool when_parse_span(struct slice text, nsec *ret);

#endif
