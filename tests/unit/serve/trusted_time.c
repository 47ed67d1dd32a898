/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/trusted_time.h"

#include "test.h"

#define HOUR (3600 * NSEC_PER_SEC)
#define DAY  (24 * HOUR)
enum { YEAR = 365 };

/* A start at day 1000 that is known to go on from `kept`; records stay for 400 days. */
static struct trusted_time started(nsec kept, nsec wall)
{
    struct trusted_time t;
    trusted_time_init(&t, kept, 400 * DAY, wall, HOUR);
    return t;
}

static void check(struct trusted_time *t, nsec wall, nsec since, nsec want, bool doubted)
{
    CHECK_INT(trusted_time_look(t, wall, HOUR + since), want);
    CHECK_INT(t->doubted, doubted);
}

TEST(time_goes_on_by_the_wall_clock)
{
    struct trusted_time t = started(0, 1000 * DAY);
    check(&t, 1000 * DAY, 0, 1000 * DAY, false);
    check(&t, 1001 * DAY, DAY, 1001 * DAY, false);
    /* A little ahead of what went by is not doubted, but not needed either. */
    check(&t, 1002 * DAY + HOUR, 2 * DAY, 1002 * DAY, false);
    check(&t, 1100 * DAY - HOUR, 100 * DAY, 1100 * DAY - HOUR, false);
}

TEST(a_leap_ahead_is_doubted_until_it_is_taken_back_or_confirmed)
{
    struct trusted_time t = started(999 * DAY, 1000 * DAY);
    check(&t, (1000 + YEAR) * DAY, HOUR, 1000 * DAY + HOUR, true);
    check(&t, (1000 + YEAR) * DAY, DAY, 1001 * DAY, true);
    check(&t, 1001 * DAY, DAY, 1001 * DAY, false);
    check(&t, 1004 * DAY, 2 * DAY, 1002 * DAY, true);
    trusted_time_confirm(&t, 1004 * DAY, HOUR + 2 * DAY);
    check(&t, 1005 * DAY, 3 * DAY, 1005 * DAY, false);
}

/* Each of them is less than would be doubted. */
TEST(many_small_leaps_are_a_large_one)
{
    struct trusted_time t = started(0, 1000 * DAY);
    nsec wall = 1000 * DAY;
    for (nsec i = 1; i <= 3; i++) {
        wall += 23 * HOUR;
        check(&t, wall, i * HOUR, 1000 * DAY + i * HOUR, i > 1);
    }
}

TEST(what_was_believed_is_believed_after_a_start)
{
    struct trusted_time t = started(960 * DAY, 1000 * DAY); /* a tenth of 400 days */
    check(&t, 1000 * DAY, 0, 1000 * DAY, false);
    t = started(959 * DAY, 1000 * DAY);
    check(&t, 1000 * DAY, 0, 959 * DAY, true);
    check(&t, 1000 * DAY + HOUR, HOUR, 959 * DAY + HOUR, true);
    check(&t, 1000 * DAY + 2 * DAY, 2 * DAY, 961 * DAY, true);
    trusted_time_init(&t, 990 * DAY, 4 * NSEC_PER_SEC, 991 * DAY, 0);
    CHECK_INT(trusted_time_look(&t, 991 * DAY, 0), 991 * DAY);
    trusted_time_init(&t, 990 * DAY, 4 * NSEC_PER_SEC, 991 * DAY + HOUR, 0);
    CHECK_INT(trusted_time_look(&t, 991 * DAY + HOUR, 0), 990 * DAY);
}

TEST(a_clock_that_is_behind_may_come_right)
{
    struct trusted_time t = started(990 * DAY, 0);
    check(&t, HOUR, HOUR, HOUR, false);
    check(&t, 1000 * DAY, 2 * HOUR, 1000 * DAY, false);
    check(&t, 1000 * DAY + HOUR, 3 * HOUR, 1000 * DAY + HOUR, false);
    check(&t, 1003 * DAY, 4 * HOUR, 1000 * DAY + 2 * HOUR, true);
}
