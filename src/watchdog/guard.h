/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a watchdog makes of heartbeats: whether somebody is to be told, and of what. Time is handed
 * in, and only that which passes here counts: how clocks of two machines differ is of no concern.
 *
 *     silent   none has come for `silence`
 *     broken   the canary says that what pages people is broken, so that nobody else can tell them
 *     loud     a page of the watch was told to everybody, and nobody has it
 *
 * Who is told is told again every `repeat`, until it is well; and that it is.
 */
#ifndef VAKA_WATCHDOG_GUARD_H
#define VAKA_WATCHDOG_GUARD_H

#include "watchdog/heartbeat.h"

enum guard_state { GUARD_WELL, GUARD_LOUD, GUARD_BROKEN, GUARD_SILENT };

struct guard_options {
    nsec silence, repeat;
};

struct guard {
    struct guard_options options;
    uint64_t number; /* of the newest heartbeat: none up to it counts */
    nsec heard;      /* monotonic: the newest, or the start */
    nsec told;       /* monotonic: somebody was told of `state` last */
    enum guard_state state;
    struct heartbeat beat; /* the newest since the start */
    uint64_t beats, refused;
};

/* `number`: of the newest before this start. A watch that is silent from the start on is told of.
 */
void guard_init(struct guard *g, const struct guard_options *options, uint64_t number, nsec now);
/* One that was signed as it must be. False: it is not newer than the last one, and counts as
 * refused. */
bool guard_hear(struct guard *g, const struct heartbeat *beat, nsec now) MUST_USE;
/* True: somebody is to be told of g->state now. */
bool guard_pass(struct guard *g, nsec now) MUST_USE;
/* "silent". */
const char *guard_state_name(enum guard_state state);

#endif
