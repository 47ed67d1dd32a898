/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Who was really reached last, by what, and what reached nobody: the daily proof of the plan
 * (docs/pages.md), from what oncall's process says about itself. For the command line and the API.
 */
#ifndef VAKA_CANARY_REACH_H
#define VAKA_CANARY_REACH_H

#include "base/json_read.h"
#include "canary/said.h"

/* A channel of a provider; texts are borrowed, inside of their quotes. */
struct reach_way {
    struct slice provider, channel;
    struct slice state;        /* never, waits, proven, failed */
    struct slice asked_whom;   /* by the last proof; empty: none was */
    struct slice reached;      /* whom it was proven with last */
    struct slice detail;       /* what is said of a failure */
    nsec asked_at, reached_at; /* realtime; 0: never */
};
struct reach {
    struct slice person;   /* whom the plan has for it */
    nsec next;             /* realtime; 0: it is not known */
    struct slice ways;     /* for reach_next() */
    struct reach_way last; /* the one that was proven last; reached_at 0: none ever was */
};

/* `oncall` is borrowed, and may be empty. False: the plan has no proof, or nothing is known. */
bool reach_read(struct slice oncall, struct reach *ret);
/* Goes through its ways, which json_parts_init(it, r->ways) begins. */
bool reach_next(struct json_parts *it, struct reach_way *ret);
/*
 * {"person":…,"next_at":…,"reached":{"person":…,"at":…,"provider":…,"channel":…},"ways":[…]}; null
 * without a proof.
 */
void reach_write(struct buf *out, struct slice oncall);

#endif
