/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Retention while serve runs, a part of the process that seals: once an hour, and at the start, it
 * goes through the segments, has a tombstone signed for each that is old enough and not held, and
 * removes it. It goes on only while the key's process answers, and nothing waits for it.
 *
 * The file of holds is read again before each segment: a hold that was just written holds.
 *
 * Age is measured by trusted_time.h. What is believed is kept in the folder's file `clock`, as
 * seconds since 1970; another number there than was written is an operator's (vaka clock trust).
 */
#ifndef VAKA_SERVE_RETENTION_H
#define VAKA_SERVE_RETENTION_H

#include "serve/role.h"
#include "serve/trusted_time.h"
#include "store/holds.h"

#define RETENTION_CLOCK "clock"

struct retention {
    struct role *role;
    const struct store_io *io;
    const char *path; /* of the file of holds */
    bool named;       /* a setting names it: then it has to be there */
    struct loop_timer timer;
    bool due, running, held_back;
    char origin[CHECKPOINT_NAME_MAX + 1];
    struct retain_pass pass;
    struct buf text, holds, ranges, reason; /* struct hold, struct retain_hold */
    uint64_t removed, records;              /* since the start */
    struct retain_counts last;              /* of the newest pass */
    nsec ran;                               /* realtime; 0: never */
    struct trusted_time time;
    uint64_t kept; /* what file `clock` says; 0: nothing yet */
};

/* Before the sandbox. `folder`, of the records, and io are borrowed. */
int retention_prepare(struct retention *t, struct role *r, const struct store_io *io,
                      const char *folder) MUST_USE;
int retention_start(struct retention *t) MUST_USE;
/* A checkpoint was signed: all that is in segments is covered. Begins a pass that is due. */
void retention_signed(struct retention *t, struct slice origin);
/* A witness said what time it is; `wall`: what the clock here said then. */
void retention_witnessed(struct retention *t, nsec time, nsec wall);
/* The answer to what was asked; ERR_CORRUPT: nothing was. */
int retention_buried(struct retention *t, const struct frame *frame) MUST_USE;
/* The key's process has gone: the pass is begun again later. */
void retention_lost(struct retention *t);
void retention_status(const struct retention *t, struct buf *out);

#endif
