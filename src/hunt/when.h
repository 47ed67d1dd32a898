/* SPDX-License-Identifier: EUPL-1.2 */
/* Points in time as a person gives them on the command line. */
#ifndef VAKA_HUNT_WHEN_H
#define VAKA_HUNT_WHEN_H

#include "base/time.h"

/*
 * `2026-12-23`, `2026-12-23T21:47:00+01:00` (everything time_parse() reads; no zone is UTC), `now`,
 * or a time before now: `-90s`, `-15m`, `-24h`, `-7d`, `-2w`. A date alone is its first moment, or
 * with end_of_day its last. false when it is none of them.
 */
bool when_parse(struct slice text, nsec now, bool end_of_day, nsec *ret);

#endif
