/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Time is handed in: whoever needs to know it gets a struct clock, so that hours of a watch can be
 * simulated in a test. Copies of a struct clock tell the same time.
 */
#ifndef VAKA_BASE_CLOCK_H
#define VAKA_BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds: a duration, or since 1970-01-01T00:00:00Z (years 1678 to 2262). */
typedef int64_t nsec;
#define NSEC_PER_SEC  INT64_C(1000000000)
#define NSEC_PER_MSEC INT64_C(1000000)

struct clock {
    nsec (*realtime)(void *ctx);  /* since 1970-01-01T00:00:00Z; may jump */
    nsec (*monotonic)(void *ctx); /* since some point in the past; never goes back */
    /*
     * NULL: time passes by itself. Else whoever would sleep until the monotonic time `until` calls
     * this instead, and does not sleep.
     */
    void (*skip)(void *ctx, nsec until);
    void *ctx;
};

static inline nsec clock_realtime(const struct clock *c)
{
    return c->realtime(c->ctx);
}

static inline nsec clock_monotonic(const struct clock *c)
{
    return c->monotonic(c->ctx);
}

/* The machine's. */
struct clock clock_system(void);

/* One that stands still until it is set; a sleep moves it on to the sleep's end. */
struct clock_settable {
    nsec realtime, monotonic;
};
/* `state` is borrowed for as long as the clock is used. */
struct clock clock_of(struct clock_settable *state);
/* Both times. A negative duration is a mistake of the caller. */
void clock_pass(struct clock_settable *state, nsec duration);

#endif
