/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One end of a socket pair between two processes of the program: frames in both directions, and
 * file descriptors from the one that may open files to the one that may not.
 */
#ifndef VAKA_PROC_CHANNEL_H
#define VAKA_PROC_CHANNEL_H

#include "base/buf.h"
#include "proc/frame.h"

enum { CHANNEL_FDS_MAX = 16 }; /* descriptors that came and nobody took yet */

struct channel {
    int fd; /* owned; -1 when closed */
    struct buf in;
    size_t in_used; /* bytes at the front of `in` that were given out as frames */
    size_t max_payload;
    int passed[CHANNEL_FDS_MAX]; /* owned, in the order they came */
    unsigned n_passed;
};

/* A connected pair (SOCK_STREAM, close-on-exec). */
int channel_pair(int ret_fds[2]) MUST_USE;
/* Takes fd. max_payload: of frames that are accepted. */
void channel_init(struct channel *c, int fd, size_t max_payload);
void channel_done(struct channel *c);

/* Writes all of `bytes`, waiting as needed; pass_fd >= 0 travels with the first byte (and stays the
 * caller's). */
int channel_send(struct channel *c, struct slice bytes, int pass_fd) MUST_USE;
/*
 * Writes what goes without waiting; the number of bytes goes to *ret_written (0: nothing for now).
 * pass_fd has travelled when it is above 0.
 */
int channel_try_send(struct channel *c, struct slice bytes, int pass_fd,
                     size_t *ret_written) MUST_USE;

/*
 * Reads once what is there (waits when nothing is). ERR_STOPPED: the other end has closed;
 * ERR_CORRUPT: more descriptors came than anyone takes.
 */
int channel_fill(struct channel *c) MUST_USE;
/* The same without waiting; ERR_LIMIT: there is nothing for now. */
int channel_fill_now(struct channel *c) MUST_USE;
/*
 * The next frame of what was read: 1, 0 when it is not whole yet, ERR_CORRUPT. The frame is valid
 * until the next channel_fill().
 */
int channel_next(struct channel *c, struct frame *ret) MUST_USE;
/* The first descriptor that came and was not taken, now the caller's; -1 when there is none. */
int channel_take_fd(struct channel *c);

#endif
