/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/loop.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { BATCH = 64 };

struct loop {
    struct clock clock;
    int epoll_fd;
    bool stopped;
    int result;

    struct epoll_event ready[BATCH]; /* what epoll said last … */
    uint32_t n_ready, at;            /* … and how far it was passed on */
    uint32_t n_watches, max_watches;

    struct loop_timer **heap; /* heap[0] unused; a parent is never due after its children */
    uint32_t n_timers, max_timers;
    uint64_t order;

    struct loop_deferred *first, *last;
    uint64_t round;

    struct loop_watch signals;
    void (*caught)(void *ctx, int number);
    void *caught_ctx;
};

struct loop *loop_new(const struct loop_options *options)
{
    struct loop *l = calloc(1, sizeof *l);
    if (!l) return NULL;
    l->clock = options->clock;
    l->max_watches = options->max_watches;
    l->max_timers = options->max_timers;
    l->signals.fd = -1;
    l->heap = calloc((size_t)options->max_timers + 1, sizeof(struct loop_timer *));
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!l->heap || l->epoll_fd < 0) {
        loop_free(l);
        return NULL;
    }
    return l;
}

void loop_free(struct loop *l)
{
    if (!l) return;
    loop_watch_remove(l, &l->signals);
    if (l->signals.fd >= 0) (void)close(l->signals.fd);
    ASSERT(l->n_watches == 0 && l->n_timers == 0 && !l->first);
    if (l->epoll_fd >= 0) (void)close(l->epoll_fd);
    free(l->heap);
    free(l);
}

void loop_stop(struct loop *l, int result)
{
    l->stopped = true;
    l->result = result;
}

bool loop_is_stopping(const struct loop *l)
{
    return l->stopped;
}

/* ---- descriptors ------------------------------------------------------------------------- */

static uint32_t epoll_bits(unsigned wanted)
{
    return (wanted & LOOP_READ ? (uint32_t)EPOLLIN : 0u) |
           (wanted & LOOP_WRITE ? (uint32_t)EPOLLOUT : 0u) |
           (wanted & LOOP_HANGUP ? (uint32_t)EPOLLRDHUP : 0u);
}

static unsigned loop_bits(uint32_t events)
{
    return (events & EPOLLIN ? (unsigned)LOOP_READ : 0u) |
           (events & EPOLLOUT ? (unsigned)LOOP_WRITE : 0u) |
           (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP) ? (unsigned)LOOP_HANGUP : 0u);
}

/* What was ready and is not passed on yet is forgotten. */
static void forget_ready(struct loop *l, const struct loop_watch *w)
{
    for (uint32_t i = l->at; i < l->n_ready; i++)
        if (l->ready[i].data.ptr == w) l->ready[i].data.ptr = NULL;
}

int loop_watch_want(struct loop *l, struct loop_watch *w, unsigned wanted)
{
    ASSERT(w->added);
    if (w->wanted == wanted) return 0;
    /* A hangup is always told by epoll: what wants nothing must not be known to it. */
    int op = !wanted ? EPOLL_CTL_DEL : w->wanted ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    struct epoll_event event = {.events = epoll_bits(wanted), .data = {.ptr = w}};
    if (epoll_ctl(l->epoll_fd, op, w->fd, &event) != 0)
        return errno == EPERM ? ERR_UNSUPPORTED : errno == ENOSPC ? ERR_LIMIT : ERR_IO;
    if (!wanted) forget_ready(l, w);
    w->wanted = wanted;
    return 0;
}

int loop_watch_add(struct loop *l, struct loop_watch *w, unsigned wanted)
{
    ASSERT(!w->added);
    if (l->n_watches == l->max_watches) return ERR_LIMIT;
    w->added = true;
    w->wanted = 0;
    int error = loop_watch_want(l, w, wanted);
    w->added = !error;
    if (!error) l->n_watches++;
    return error;
}

void loop_watch_remove(struct loop *l, struct loop_watch *w)
{
    if (!w->added) return;
    int error = loop_watch_want(l, w, 0);
    ASSERT(error == 0); /* else it was closed first, and another may have its number now */
    w->added = false;
    l->n_watches--;
}

static void call_ready(struct loop *l)
{
    while (l->at < l->n_ready && !l->stopped) {
        const struct epoll_event *event = &l->ready[l->at++];
        const struct loop_watch *w = event->data.ptr;
        /* A callback before may have changed what it wants. */
        unsigned what = w ? loop_bits(event->events) & (w->wanted | LOOP_HANGUP) : 0;
        if (what) w->ready(w->ctx, what);
    }
    l->at = l->n_ready = 0;
}

/* ---- timers ------------------------------------------------------------------------------ */

static bool is_before(const struct loop_timer *a, const struct loop_timer *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void put_at(struct loop *l, uint32_t slot, struct loop_timer *t)
{
    l->heap[slot] = t;
    t->slot = slot;
}

/* Moves t from a free slot to where it belongs. */
static void settle(struct loop *l, uint32_t slot, struct loop_timer *t)
{
    for (; slot > 1 && is_before(t, l->heap[slot / 2]); slot /= 2)
        put_at(l, slot, l->heap[slot / 2]);
    for (;;) {
        uint32_t child = 2 * slot;
        if (child > l->n_timers) break;
        if (child < l->n_timers && is_before(l->heap[child + 1], l->heap[child])) child++;
        if (!is_before(l->heap[child], t)) break;
        put_at(l, slot, l->heap[child]);
        slot = child;
    }
    put_at(l, slot, t);
}

void loop_timer_stop(struct loop *l, struct loop_timer *t)
{
    uint32_t slot = t->slot;
    if (slot == 0) return;
    struct loop_timer *last = l->heap[l->n_timers--];
    t->slot = 0;
    if (last != t) settle(l, slot, last);
}

static nsec later(nsec at, nsec by)
{
    nsec sum;
    return __builtin_add_overflow(at, by, &sum) ? INT64_MAX : sum;
}

int loop_timer_set(struct loop *l, struct loop_timer *t, nsec after, nsec every)
{
    ASSERT(after >= 0 && every >= 0);
    loop_timer_stop(l, t);
    if (l->n_timers == l->max_timers) return ERR_LIMIT;
    t->at = later(clock_monotonic(&l->clock), after);
    t->every = every;
    t->order = l->order++;
    settle(l, ++l->n_timers, t);
    return 0;
}

static void call_timers(struct loop *l)
{
    nsec now = clock_monotonic(&l->clock);
    uint64_t end = l->order;
    /* A timer that a callback has set anew is not due before `now`: what is older stands first. */
    while (!l->stopped && l->n_timers > 0) {
        struct loop_timer *t = l->heap[1];
        if (t->at > now || t->order >= end) break;
        loop_timer_stop(l, t);
        if (t->every > 0) {
            t->at = later(now, t->every - (now - t->at) % t->every);
            t->order = l->order++;
            settle(l, ++l->n_timers, t);
        }
        t->due(t->ctx);
    }
}

/* ---- deferred calls ---------------------------------------------------------------------- */

void loop_defer(struct loop *l, struct loop_deferred *d)
{
    if (d->queued) return;
    d->queued = true;
    d->round = l->round;
    d->next = NULL;
    if (l->last) l->last->next = d;
    else l->first = d;
    l->last = d;
}

void loop_defer_cancel(struct loop *l, struct loop_deferred *d)
{
    struct loop_deferred *before = NULL;
    if (!d->queued) return;
    for (struct loop_deferred *i = l->first; i != d; i = i->next) before = i;
    if (before) before->next = d->next;
    else l->first = d->next;
    if (l->last == d) l->last = before;
    d->queued = false;
}

static void call_deferred(struct loop *l)
{
    l->round++;
    while (!l->stopped && l->first && l->first->round != l->round) {
        struct loop_deferred *d = l->first;
        loop_defer_cancel(l, d);
        d->call(d->ctx);
    }
}

/* ---- signals ----------------------------------------------------------------------------- */

static void on_signal(void *ctx, unsigned what)
{
    struct loop *l = ctx;
    struct signalfd_siginfo info;
    (void)what;
    if (read(l->signals.fd, &info, sizeof info) == (ssize_t)sizeof info)
        l->caught(l->caught_ctx, (int)info.ssi_signo);
}

int loop_signals(struct loop *l, const int *numbers, void (*caught)(void *ctx, int number),
                 void *ctx)
{
    sigset_t set;
    ASSERT(l->signals.fd < 0);
    (void)sigemptyset(&set);
    for (; *numbers; numbers++) (void)sigaddset(&set, *numbers);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) return ERR_IO;
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) return ERR_IO;
    l->signals = (struct loop_watch){.fd = fd, .ready = on_signal, .ctx = l};
    l->caught = caught;
    l->caught_ctx = ctx;
    l->max_watches++; /* not one of the caller's */
    return loop_watch_add(l, &l->signals, LOOP_READ);
}

/* ---- rounds ------------------------------------------------------------------------------ */

/* Milliseconds to sleep, rounded up; -1: until something is ready. */
static int sleep_time(const struct loop *l)
{
    if (l->first) return 0;
    if (l->n_timers == 0) return -1;
    nsec left = l->heap[1]->at - clock_monotonic(&l->clock);
    if (left <= 0 || l->clock.skip) return 0;
    nsec ms = (left - 1) / NSEC_PER_MSEC + 1;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

static int wait_ready(struct loop *l)
{
    int n = epoll_wait(l->epoll_fd, l->ready, BATCH, sleep_time(l));
    if (n < 0) return errno == EINTR ? 0 : ERR_IO;
    l->at = 0;
    l->n_ready = (uint32_t)n;
    if (n == 0 && !l->first && l->n_timers > 0 && l->clock.skip)
        l->clock.skip(l->clock.ctx, l->heap[1]->at);
    return 0;
}

int loop_run(struct loop *l)
{
    l->stopped = false;
    l->result = 0;
    while (!l->stopped) {
        int error = wait_ready(l);
        if (error) return error;
        call_ready(l);
        call_timers(l);
        call_deferred(l);
    }
    return l->result;
}
