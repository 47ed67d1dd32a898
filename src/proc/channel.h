/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One end of a socket pair between two processes of the program: frames in both directions, and
 * file descriptors from the one that may open files to the one that may not.
 */
#ifndef VAKA_PROC_CHANNEL_H
#define VAKA_PROC_CHANNEL_H

#include "base/buf.h"
#include "proc/frame.h"

struct channel {
    int fd; /* owned; -1 when closed */
    struct buf in;
    size_t in_used; /* bytes at the front of `in` that were given out as frames */
    size_t max_payload;
    int passed_fd; /* a descriptor that came with what was read and nobody took yet; -1 */
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
 * Reads once what is there (waits when nothing is). ERR_STOPPED: the other end has closed.
 */
int channel_fill(struct channel *c) MUST_USE;
/*
 * The next frame of what was read: 1, 0 when it is not whole yet, ERR_CORRUPT. The frame is valid
 * until the next channel_fill().
 */
int channel_next(struct channel *c, struct frame *ret) MUST_USE;
/* The descriptor that came last, now the caller's; -1 when there is none. */
int channel_take_fd(struct channel *c);

#endif
