/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Whether the watch is awake, from what the canary's process says about itself: one answer for the
 * command line and the API, with its evidence.
 */
#ifndef VAKA_CANARY_AWAKE_H
#define VAKA_CANARY_AWAKE_H

#include "base/buf.h"
#include "base/clock.h"

enum { AWAKE_LINE_MAX = 768 };

struct awake {
    bool awake;
    struct slice report; /* borrowed, like oncall */
    struct slice oncall;
    struct slice broken; /* the stage, "nothing"; empty: it is not known. Borrowed */
    nsec since;          /* it is so; 0: not known */
    nsec proven;         /* the last probe that went all the way; 0: none */
    char en[AWAKE_LINE_MAX], sv[AWAKE_LINE_MAX]; /* one line */
};

/*
 * `report` is the JSON object of the canary's process (docs/status.md), `oncall` that of oncall's;
 * each is empty when there is none. `now` is realtime.
 */
void awake_read(struct slice report, struct slice oncall, nsec now, struct awake *ret);
/* {"awake":…,"broken":…,"since":…,"proven_at":…,"line":{"sv":…,"en":…},"proven":{…},…}; "proof" is
 * what reach_write() has. */
void awake_write(struct buf *out, const struct awake *a);

#endif
