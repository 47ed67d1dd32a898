/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What is stored and not matched yet: how many bytes, and since when. Told about in order, it keeps
 * a mark every few milliseconds, and coarser ones when there are too many.
 */
#ifndef VAKA_SERVE_BACKLOG_H
#define VAKA_SERVE_BACKLOG_H

#include <stdbool.h>

#include "base/clock.h"

enum { BACKLOG_MARKS = 1024 };

struct backlog {
    struct {
        uint64_t next, bytes; /* everything before `next`, and all bytes up to there */
        nsec since;           /* when the first of it was stored that is in no mark before */
    } marks[BACKLOG_MARKS];   /* a ring of `n` */
    uint32_t first, n;
    uint64_t stored, matched; /* bytes */
};

/* So many bytes more: everything before `next` is stored. */
void backlog_stored(struct backlog *b, uint64_t next, uint64_t bytes, nsec now);
/* Everything before `next` was matched. */
void backlog_matched(struct backlog *b, uint64_t next);
/* How long the oldest waits; 0: none does. */
nsec backlog_age(const struct backlog *b, nsec now);

#endif
