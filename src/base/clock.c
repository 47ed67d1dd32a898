/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/clock.h"

#include "base/error.h"

static nsec read_clock(clockid_t id)
{
    struct timespec ts = {0};
    (void)clock_gettime(id, &ts);
    return (nsec)ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static nsec system_realtime(void *ctx)
{
    (void)ctx;
    return read_clock(CLOCK_REALTIME);
}

static nsec system_monotonic(void *ctx)
{
    (void)ctx;
    return read_clock(CLOCK_MONOTONIC);
}

struct clock clock_system(void)
{
    return (struct clock){.realtime = system_realtime, .monotonic = system_monotonic};
}

static nsec settable_realtime(void *ctx)
{
    const struct clock_settable *state = ctx;
    return state->realtime;
}

static nsec settable_monotonic(void *ctx)
{
    const struct clock_settable *state = ctx;
    return state->monotonic;
}

static void settable_skip(void *ctx, nsec until)
{
    struct clock_settable *state = ctx;
    if (until > state->monotonic) clock_pass(state, until - state->monotonic);
}

struct clock clock_of(struct clock_settable *state)
{
    return (struct clock){.realtime = settable_realtime,
                          .monotonic = settable_monotonic,
                          .skip = settable_skip,
                          .ctx = state};
}

void clock_pass(struct clock_settable *state, nsec duration)
{
    ASSERT(duration >= 0);
    state->realtime += duration;
    state->monotonic += duration;
}
