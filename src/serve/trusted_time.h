/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The time that what is removed for its age is measured by. A clock that is set far ahead must not
 * make records old, so the wall clock is believed only as far as time can have gone by: behind the
 * start by the monotonic clock, and over a start by what was believed last, which is kept. It is
 * never later than the wall clock.
 *
 * A wall clock that is more than the allowance ahead of that is doubted, and time goes on by the
 * monotonic clock alone, until somebody confirms it: a witness, whose signature tells its own
 * time, or an operator.
 */
#ifndef VAKA_SERVE_TRUSTED_TIME_H
#define VAKA_SERVE_TRUSTED_TIME_H

#include <stdbool.h>

#include "base/clock.h"

#define TRUSTED_LEAP (86400 * NSEC_PER_SEC) /* that is not doubted */

struct trusted_time {
    nsec believed, at; /* realtime, and the monotonic clock then */
    nsec allowance;    /* how far the wall clock may be ahead of what went by since */
    bool doubted;
};

/*
 * `kept`: what was believed last before the start; 0: nothing is known, then the wall clock is
 * believed. `keep`: how long records stay; a tenth of it may have gone by without a start, or a
 * day.
 */
void trusted_time_init(struct trusted_time *t, nsec kept, nsec keep, nsec wall, nsec monotonic);
/* The time to go by. */
nsec trusted_time_look(struct trusted_time *t, nsec wall, nsec monotonic);
/* Somebody else says that it is `time` now. */
void trusted_time_confirm(struct trusted_time *t, nsec time, nsec monotonic);

#endif
