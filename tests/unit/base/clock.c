/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/clock.h"

#include "test.h"

TEST(clock_settable_stands_still)
{
    struct clock_settable state = {.realtime = 1000, .monotonic = 50};
    struct clock c = clock_of(&state);
    CHECK_INT(clock_realtime(&c), 1000);
    CHECK_INT(clock_realtime(&c), 1000);
    CHECK_INT(clock_monotonic(&c), 50);
}

TEST(clock_pass_moves_both)
{
    struct clock_settable state = {.realtime = 1000, .monotonic = 50};
    struct clock c = clock_of(&state);
    clock_pass(&state, 7);
    CHECK_INT(clock_realtime(&c), 1007);
    CHECK_INT(clock_monotonic(&c), 57);
}

TEST(clock_skip_never_goes_back)
{
    struct clock_settable state = {.realtime = 1000, .monotonic = 50};
    struct clock c = clock_of(&state);
    c.skip(c.ctx, 40);
    CHECK_INT(clock_monotonic(&c), 50);
    c.skip(c.ctx, 60);
    CHECK_INT(clock_monotonic(&c), 60);
    CHECK_INT(clock_realtime(&c), 1010);
}

TEST(clock_system_tells_both_times)
{
    struct clock c = clock_system();
    nsec before = clock_monotonic(&c);
    CHECK(clock_monotonic(&c) >= before);
    CHECK(clock_realtime(&c) > INT64_C(1700000000) * NSEC_PER_SEC);
    CHECK(!c.skip);
}
