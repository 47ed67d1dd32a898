/* SPDX-License-Identifier: EUPL-1.2 */
#include "proc/link.h"

#include <unistd.h>

enum { FILLS_A_ROUND = 16 }; /* reads before others have their turn */

static void ready(void *ctx, unsigned what);

static void resume(void *ctx)
{
    ready(ctx, LOOP_READ);
}

static void tell_room(void *ctx)
{
    struct link *l = ctx;
    l->events.room(l->ctx);
}

void link_init(struct link *l, struct loop *loop, const struct link_events *events, void *ctx)
{
    *l = (struct link){.loop = loop, .events = *events, .ctx = ctx};
    l->resume = (struct loop_deferred){.call = resume, .ctx = l};
    l->room = (struct loop_deferred){.call = tell_room, .ctx = l};
}

int link_open(struct link *l, int fd, size_t max_payload, size_t max_out)
{
    ASSERT(!l->open);
    channel_init(&l->channel, fd, max_payload);
    /* Twice: what went and is not dropped yet is less than what waits, see link_out(). */
    buf_init(&l->out, 2 * max_out);
    l->max_out = max_out;
    l->watch = (struct loop_watch){.fd = fd, .ready = ready, .ctx = l};
    l->out_done = 0;
    l->n_fds = 0;
    l->crowded = l->paused = false;
    int result = loop_watch_add(l->loop, &l->watch, LOOP_READ);
    if (result) {
        channel_done(&l->channel);
        return result;
    }
    l->open = true;
    return 0;
}

void link_close(struct link *l)
{
    if (!l->open) return;
    loop_watch_remove(l->loop, &l->watch);
    loop_defer_cancel(l->loop, &l->resume);
    loop_defer_cancel(l->loop, &l->room);
    channel_done(&l->channel);
    buf_done(&l->out);
    for (unsigned i = 0; i < l->n_fds; i++) (void)close(l->fds[i].fd);
    l->n_fds = 0;
    l->open = false;
}

static void fail(struct link *l, int why)
{
    link_close(l);
    l->events.closed(l->ctx, why);
}

static unsigned wanted(const struct link *l)
{
    return (l->paused ? 0u : LOOP_READ) | (link_waiting(l) ? LOOP_WRITE : 0u);
}

struct buf *link_out(struct link *l)
{
    ASSERT(l->open);
    /* The bytes that went are dropped when they are the larger part: every byte moves once at most.
     */
    if (l->out_done > 0 && l->out_done >= l->out.len / 2) {
        buf_consume(&l->out, l->out_done);
        for (unsigned i = 0; i < l->n_fds; i++) l->fds[i].at -= l->out_done;
        l->out_done = 0;
    }
    return &l->out;
}

size_t link_room(const struct link *l)
{
    if (!l->open || link_waiting(l) > l->max_out) return 0;
    return l->max_out - link_waiting(l);
}

int link_pass(struct link *l, int fd)
{
    ASSERT(l->open);
    if (l->n_fds == LINK_FDS_MAX) {
        (void)close(fd);
        return ERR_LIMIT;
    }
    l->fds[l->n_fds].at = link_out(l)->len;
    l->fds[l->n_fds++].fd = fd;
    return 0;
}

/* Up to where one write may go: the next descriptor travels with the first byte behind that. */
static struct slice next_piece(struct link *l, int *ret_fd)
{
    struct slice piece = slice_from(buf_slice(&l->out), l->out_done);
    unsigned next = 0;
    *ret_fd = -1;
    if (l->n_fds && l->fds[0].at == l->out_done) *ret_fd = l->fds[next++].fd;
    return next < l->n_fds ? slice_until(piece, l->fds[next].at - l->out_done) : piece;
}

static int send_waiting(struct link *l)
{
    while (link_waiting(l) > 0) {
        int fd;
        size_t n;
        struct slice piece = next_piece(l, &fd);
        int result = channel_try_send(&l->channel, piece, fd, &n);
        if (result) return result;
        if (n == 0) break;
        l->out_done += n;
        if (fd < 0) continue;
        (void)close(fd);
        memmove(l->fds, l->fds + 1, --l->n_fds * sizeof *l->fds);
    }
    if (link_waiting(l) == 0) {
        buf_clear(&l->out);
        l->out_done = 0;
    }
    return 0;
}

void link_flush(struct link *l)
{
    if (!l->open) return;
    size_t much = l->max_out / 4;
    /* Also when all of it goes at once: whoever appended it may have stopped for want of room. */
    if (link_waiting(l) >= much) l->crowded = true;
    /* More was appended than there was room for: a frame is missing its end. */
    int result = buf_failed(&l->out) ? ERR_LIMIT : send_waiting(l);
    if (result == 0) result = loop_watch_want(l->loop, &l->watch, wanted(l));
    if (result) {
        fail(l, result);
        return;
    }
    if (!l->crowded || link_waiting(l) >= much) return;
    l->crowded = false;
    if (l->events.room) loop_defer(l->loop, &l->room);
}

void link_pause(struct link *l, bool paused)
{
    if (!l->open || l->paused == paused) return;
    l->paused = paused;
    if (paused) loop_defer_cancel(l->loop, &l->resume);
    else loop_defer(l->loop, &l->resume);
    link_flush(l);
}

static int take_frames(struct link *l)
{
    struct frame frame;
    int got = 0;
    while (l->open && !l->paused && !loop_is_stopping(l->loop) &&
           (got = channel_next(&l->channel, &frame)) > 0) {
        if (l->events.frame(l->ctx, &frame) != 0) return ERR_CORRUPT;
    }
    return l->open && got < 0 ? got : 0;
}

static void ready(void *ctx, unsigned what)
{
    struct link *l = ctx;
    int result = 0;
    if (what & LOOP_WRITE) link_flush(l);
    for (int i = 0; i < FILLS_A_ROUND && result == 0; i++) {
        result = take_frames(l);
        if (result || !l->open || l->paused || loop_is_stopping(l->loop)) break;
        result = channel_fill_now(&l->channel);
    }
    if (l->open && result == 0) result = take_frames(l);
    /* Should it run again. */
    if (l->open && loop_is_stopping(l->loop)) loop_defer(l->loop, &l->resume);
    /* ERR_LIMIT: there is nothing more for now. */
    if (l->open && result && result != ERR_LIMIT) fail(l, result);
}
