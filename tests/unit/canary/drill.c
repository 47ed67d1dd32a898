/* SPDX-License-Identifier: EUPL-1.2 */
#include "canary/drill.h"

#include "test.h"

#define DAY (24 * 3600 * NSEC_PER_SEC)

TEST(one_is_due_so_long_behind_the_last)
{
    const nsec week = 7 * DAY, last = 1000 * DAY;
    CHECK(!drill_is_due(week, last, last));
    CHECK(!drill_is_due(week, last, last + week - 1));
    CHECK(drill_is_due(week, last, last + week));
    CHECK(drill_is_due(week, last, last + 100 * week));
    CHECK(!drill_is_due(0, last, last + 100 * week));
}

/* One that goes back an hour changes nothing; one that was wrong by more must not stop them. */
TEST(a_clock_that_was_ahead_delays_none_for_long)
{
    const nsec week = 7 * DAY, last = 1000 * DAY;
    CHECK(!drill_is_due(week, last, last - DAY / 24));
    CHECK(!drill_is_due(week, last, last - DAY));
    CHECK(drill_is_due(week, last, last - DAY - 1));
    CHECK(!drill_is_due(0, last, last - 2 * DAY));
}

TEST(a_run_is_found_by_its_number_or_as_the_newest)
{
    const struct slice drills = SLICE("{\"runs\":[{\"id\":3,\"scenario\":\"a\"},"
                                      "{\"id\":9,\"scenario\":\"b\"}]}");
    CHECK_SLICE(drill_find_run(drills, 3), "{\"id\":3,\"scenario\":\"a\"}");
    CHECK_SLICE(drill_find_run(drills, 0), "{\"id\":9,\"scenario\":\"b\"}");
    CHECK_INT(drill_find_run(drills, 4).len, 0);
    CHECK_INT(drill_find_run(SLICE("{\"runs\":[]}"), 0).len, 0);
    CHECK_INT(drill_find_run(SLICE("{\"runs\":null}"), 0).len, 0);
    CHECK_INT(drill_find_run(SLICE_NONE, 0).len, 0);
}
