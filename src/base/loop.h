/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The event loop of a process: descriptors (epoll), timers, signals and deferred calls, one thread.
 *
 * What is waited for is embedded in the caller's structs and stays where it is as long as the loop
 * knows it; everything the loop needs is allocated by loop_new(). Every call below may be made from
 * within a callback, for the caller's own watch, timer or deferred call and for any other: what was
 * removed is not called any more, even when it was ready already, and its memory may go at once.
 *
 * A round is: wait; call what is ready, 64 descriptors at most; call the timers that are due, in
 * order of time (equal times: in order of setting); call what was deferred until then. A timer set
 * anew by a callback and a call deferred by a deferred call have their turn in the next round, so
 * that nothing can keep the others waiting.
 */
#ifndef VAKA_BASE_LOOP_H
#define VAKA_BASE_LOOP_H

#include "base/clock.h"
#include "base/error.h"

struct loop;

struct loop_options {
    struct clock clock; /* with `skip`, the loop does not sleep: time moves on to the next timer */
    uint32_t max_watches, max_timers;
};

/* NULL: out of memory or of descriptors. */
struct loop *loop_new(const struct loop_options *options) MUST_USE;
/* Everything was removed before, but for the signals. May be NULL. */
void loop_free(struct loop *l);

/* Rounds, until loop_stop(). Its result; ERR_IO when the kernel does not wait. */
int loop_run(struct loop *l) MUST_USE;
/* From a callback: nothing more is called, and loop_run() returns `result`. */
void loop_stop(struct loop *l, int result);
/* Since loop_run() began: for a callback that would go on calling others. */
bool loop_is_stopping(const struct loop *l);

/* ---- descriptors ---- */

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HANGUP = 4 };

struct loop_watch {
    int fd; /* borrowed: removed before it is closed */
    void (*ready)(void *ctx, unsigned what);
    void *ctx;
    unsigned wanted; /* the loop's */
    bool added;      /* the loop's */
};

/*
 * Calls ready(LOOP_…) as long as it is so (level-triggered). LOOP_HANGUP is also told unasked: the
 * other end has closed, or the descriptor is in error; asked for, a half-closed socket counts.
 * wanted 0: nothing is told, until loop_watch_want().
 * ERR_LIMIT: max_watches; ERR_UNSUPPORTED: a file or a folder, which is always ready; ERR_IO.
 */
int loop_watch_add(struct loop *l, struct loop_watch *w, unsigned wanted) MUST_USE;
/* The same errors. No system call when nothing changes. */
int loop_watch_want(struct loop *l, struct loop_watch *w, unsigned wanted) MUST_USE;
/* Nothing happens when it was not added. */
void loop_watch_remove(struct loop *l, struct loop_watch *w);

/* ---- timers ---- */

struct loop_timer {
    void (*due)(void *ctx);
    void *ctx;
    nsec at, every; /* the loop's */
    uint64_t order; /* the loop's */
    uint32_t slot;  /* the loop's: from 1; 0: not set */
};

/*
 * Due `after` nanoseconds from now, and then every `every` (0: once). When several turns of a
 * periodic timer were missed it is called once for all of them and keeps its rhythm. One that is
 * set already is set anew. ERR_LIMIT: max_timers.
 */
int loop_timer_set(struct loop *l, struct loop_timer *t, nsec after, nsec every) MUST_USE;
void loop_timer_stop(struct loop *l, struct loop_timer *t);

/* ---- deferred calls ---- */

struct loop_deferred {
    void (*call)(void *ctx);
    void *ctx;
    struct loop_deferred *next; /* the loop's */
    uint64_t round;             /* the loop's */
    bool queued;                /* the loop's */
};

/* At the end of the round, once, however often it is deferred until then. */
void loop_defer(struct loop *l, struct loop_deferred *d);
void loop_defer_cancel(struct loop *l, struct loop_deferred *d);

/* ---- signals ---- */

/*
 * Blocks the signals (they stay blocked) and tells of each that comes; several of one number may be
 * told once. To be called once, with the numbers closed by 0. ERR_IO.
 */
int loop_signals(struct loop *l, const int *numbers, void (*caught)(void *ctx, int number),
                 void *ctx) MUST_USE;

#endif
