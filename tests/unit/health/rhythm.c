/* SPDX-License-Identifier: EUPL-1.2 */
#include "health/rhythm.h"

#include "test.h"

#define HOUR (3600 * NSEC_PER_SEC)

TEST(rhythm_hours_begin_on_monday_by_the_clock_of_people)
{
    const nsec monday = INT64_C(1788732000) * NSEC_PER_SEC; /* 2026-09-07 00:00 in Stockholm */
    CHECK_INT(rhythm_hour_at(monday, 7200), 0);
    CHECK_INT(rhythm_hour_at(monday - 1, 7200), 167);
    CHECK_INT(rhythm_hour_at(monday, 0), 166);
    CHECK_INT(rhythm_hour_at(monday + 25 * HOUR, 7200), 25);
    CHECK_INT(rhythm_hour_at(0, 0), 72);
    CHECK_INT(rhythm_rest_hour(25), 145);
    CHECK_INT(rhythm_rest_hour(167), 167);
}

/* Weeks of a source that speaks every minute from 8 to 17 on working days. */
static void learn_office(struct rhythm *r, unsigned weeks)
{
    rhythm_init(r);
    double silence = 0;
    for (unsigned i = 0; i < weeks * RHYTHM_HOURS; i++) {
        unsigned hour = i % RHYTHM_HOURS;
        bool works = hour / 24 < 5 && hour % 24 >= 8 && hour % 24 < 17;
        double longest = works ? (silence > 60 ? silence + 60 : 60) : silence + 3600;
        rhythm_learn(r, hour, longest, works ? 60 : 0, NULL);
        silence = works ? 0 : silence + 3600;
    }
}

TEST(rhythm_knows_nothing_at_first)
{
    struct rhythm r;
    rhythm_init(&r);
    CHECK(rhythm_silence(&r, 10) == 0 && rhythm_records(&r, 10) < 0 && !rhythm_rests(&r));
    rhythm_learn(&r, 10, 60, 60, NULL);
    CHECK(rhythm_silence(&r, 10) == 0 && rhythm_records(&r, 10) < 0);
}

TEST(rhythm_of_a_source_that_is_quiet_at_night)
{
    struct rhythm r;
    learn_office(&r, 4);
    CHECK(rhythm_silence(&r, 24 + 10) >= 60 && rhythm_silence(&r, 24 + 10) < 300);
    CHECK(rhythm_silence(&r, 24 + 3) > 10 * 3600);
    CHECK(rhythm_silence(&r, 6 * 24 + 12) > 40 * 3600);
    CHECK(rhythm_silence(&r, 5) > 60 * 3600); /* on Monday, behind the weekend */
    CHECK(rhythm_records(&r, 34) > 59 && rhythm_records(&r, 34) < 61);
    CHECK(rhythm_records(&r, 24 + 3) == 0);
    CHECK(rhythm_rests(&r) && rhythm_rests_at(&r, 34) && !rhythm_rests_at(&r, 24 + 3));
}

TEST(rhythm_borrows_from_like_days)
{
    struct rhythm r;
    rhythm_init(&r);
    for (unsigned day = 1; day < 4; day++) rhythm_learn(&r, day * 24 + 10, 60, 600, NULL);
    /* Friday was never seen; Monday is like no other day until Sunday is known not to be one of
     * rest. */
    CHECK(rhythm_silence(&r, 4 * 24 + 10) >= 60 && rhythm_records(&r, 4 * 24 + 10) > 500);
    CHECK(rhythm_silence(&r, 10) == 0);
    rhythm_learn(&r, 6 * 24 + 10, 70, 600, NULL);
    CHECK(rhythm_silence(&r, 10) >= 60);
    CHECK(rhythm_silence(&r, 5 * 24 + 10) == 0);
}

TEST(rhythm_forgets_what_was_long_ago)
{
    struct rhythm r;
    learn_office(&r, 4);
    for (int i = 0; i < 3; i++) rhythm_learn(&r, 34, 7200, 60, NULL);
    CHECK(rhythm_silence(&r, 34) >= 7200);
    for (int i = 0; i < 60; i++) rhythm_learn(&r, 34, 60, 60, NULL);
    CHECK(rhythm_silence(&r, 34) < 600);
}

TEST(rhythm_takes_a_silence_that_was_told_for_usual_the_second_time)
{
    struct rhythm r;
    learn_office(&r, 4);
    double before = rhythm_silence(&r, 34);
    rhythm_note(&r, 34, 7200, false);
    CHECK(rhythm_silence(&r, 34) == before);
    rhythm_note(&r, 34, 5400, false);
    CHECK(rhythm_silence(&r, 34) >= 5400 && rhythm_silence(&r, 34) < 7200);
    rhythm_note(&r, 35, 9000, true);
    CHECK(rhythm_silence(&r, 35) >= 9000);
}

TEST(rhythm_dips_are_the_lowest_of_weeks_and_rise)
{
    struct rhythm r;
    learn_office(&r, 4);
    const double low[RHYTHM_DIPS] = {-2, -1}, none[RHYTHM_DIPS] = {0, 0};
    rhythm_learn(&r, 34, 60, 60, low);
    CHECK(rhythm_dip(&r, 34, 0) == -2 && rhythm_dip(&r, 34, 1) == -1);
    for (int i = 0; i < 20; i++) rhythm_learn(&r, 34, 60, 60, none);
    CHECK(rhythm_dip(&r, 34, 0) > -1 && rhythm_dip(&r, 34, 0) < 0);
}
