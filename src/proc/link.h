/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A channel on the event loop: frames are told as they come, what is written goes out when the
 * other end takes it. Nothing waits, so that two processes that talk both ways cannot wait for each
 * other; what is not taken yet is kept up to a maximum, and whoever writes asks link_room() before
 * he makes more of it. The struct stays where it is while its loop may run.
 */
#ifndef VAKA_PROC_LINK_H
#define VAKA_PROC_LINK_H

#include "base/loop.h"
#include "proc/channel.h"

enum { LINK_FDS_MAX = 256 }; /* descriptors that wait to travel */

struct link;
struct link_events {
    /*
     * A frame, valid during the call. 0, or an error: the other end broke the protocol, and the
     * link is closed as if it had ended. None is told any more once the loop is to stop: whoever
     * gave up has nothing that could take it.
     */
    int (*frame)(void *ctx, const struct frame *frame);
    /* The other end has gone, or broke the protocol (ERR_CORRUPT). The link is closed already and
     * may be opened again from here. */
    void (*closed)(void *ctx, int why);
    /* What waited was a quarter of the maximum or more, and has become less. May be NULL. */
    void (*room)(void *ctx);
};

struct link {
    struct channel channel;
    struct loop *loop;
    struct loop_watch watch;
    struct link_events events;
    void *ctx;
    struct buf out; /* what waits, from out_done on */
    size_t out_done, max_out;
    struct loop_deferred resume; /* frames that were read already, when a pause ends or the
                                    loop runs again */
    struct {
        size_t at; /* of the byte it travels with, in out */
        int fd;    /* owned */
    } fds[LINK_FDS_MAX];
    unsigned n_fds;
    struct loop_deferred room;
    bool crowded; /* room() is owed */
    bool open, paused;
};

/* Before the first use. `loop` and ctx are borrowed. max_payload: of frames that are accepted;
 * max_out: bytes that may wait. */
void link_init(struct link *l, struct loop *loop, const struct link_events *events, void *ctx);
/* Takes fd, also on failure: ERR_LIMIT, ERR_IO of the loop. The link is closed before. */
int link_open(struct link *l, int fd, size_t max_payload, size_t max_out) MUST_USE;
/* Closes without a word; what waited is lost. Nothing when it is closed. */
void link_close(struct link *l);
static inline bool link_is_open(const struct link *l)
{
    return l->open;
}

/* Where frames are appended; link_flush() after it. Nothing may be appended to a closed link. */
struct buf *link_out(struct link *l);
/* The next frame appended to link_out() takes this descriptor along; it is the link's from now on,
 * also on failure: ERR_LIMIT. To be called directly before the frame is appended. */
int link_pass(struct link *l, int fd) MUST_USE;
/* Sends what goes now; the rest follows by itself. A link that has failed is told by closed(). */
void link_flush(struct link *l);
/* Bytes that may still be appended. */
size_t link_room(const struct link *l);
/* Bytes that wait. */
static inline size_t link_waiting(const struct link *l)
{
    return l->out.len - l->out_done;
}

/* Whether frames are told; the other end is held up by what its own maximum is. */
void link_pause(struct link *l, bool paused);

/* The descriptor that came with a frame, now the caller's; -1: none. */
static inline int link_take_fd(struct link *l)
{
    return channel_take_fd(&l->channel);
}

#endif
