/* SPDX-License-Identifier: EUPL-1.2 */
/* What is followed of a source beside its rhythm. */
#include "health/sequence.h"
#include "health/share.h"
#include "health/skew.h"
#include "health/volume.h"
#include "test.h"

#define MINUTE (60 * NSEC_PER_SEC)
#define DAY    (24 * 60 * MINUTE)

/* ---- share ---- */

static nsec add_shares(struct share *s, nsec from, unsigned blocks, uint64_t bad)
{
    for (unsigned i = 0; i < blocks; i++, from += 2 * MINUTE) {
        share_add(s, from, 60, bad);
        share_add(s, from + MINUTE, 40, 0);
    }
    return from;
}

TEST(share_is_told_behind_two_blocks_and_ends)
{
    struct share s = {0};
    nsec now = add_shares(&s, DAY, 30, 1);
    CHECK(!s.dropped && s.usual > 0.009F && s.usual < 0.011F);
    now = add_shares(&s, now, 1, 50);
    CHECK(!s.dropped);
    now = add_shares(&s, now, 1, 50);
    CHECK(s.dropped && s.found > 0.49F && s.before < 0.011F && s.records == 100);
    now = add_shares(&s, now, 5, 50);
    CHECK(s.dropped && s.usual < 0.011F);
    (void)add_shares(&s, now, 2, 1);
    CHECK(!s.dropped);
}

TEST(share_says_nothing_before_it_knows_what_is_usual)
{
    struct share s = {0};
    (void)add_shares(&s, DAY, 8, 60);
    CHECK(!s.dropped && s.usual > 0.5F);
    (void)add_shares(&s, 2 * DAY, 100, 60);
    CHECK(!s.dropped);
}

TEST(share_of_a_slow_source_takes_a_day)
{
    struct share s = {0};
    for (int i = 0; i < 20 * 12; i++) share_add(&s, DAY + i * DAY / 12, 1, 0);
    CHECK(!s.dropped && s.blocks >= 10);
    for (int i = 0; i < 3 * 12; i++) share_add(&s, 21 * DAY + i * DAY / 12, 1, 1);
    CHECK(s.dropped);
}

TEST(share_that_stays_becomes_usual)
{
    struct share s = {0};
    nsec now = add_shares(&s, DAY, 30, 1);
    now = add_shares(&s, now, 5, 50);
    CHECK(s.dropped);
    (void)add_shares(&s, now + 15 * DAY, 900, 50);
    CHECK(!s.dropped && s.usual > 0.2F);
}

/* ---- skew ---- */

static nsec add_differences(struct skew *s, nsec from, unsigned stretches, double difference)
{
    for (unsigned i = 0; i < stretches; i++, from += 11 * MINUTE) {
        skew_add(s, from, difference - 30, 1, 60);
        skew_add(s, from + 10 * MINUTE, difference, 1, 60);
    }
    return from;
}

TEST(skew_takes_the_freshest_and_wants_three_that_agree)
{
    struct skew s = {0};
    nsec now = add_differences(&s, DAY, SKEW_LEARNED, -1);
    CHECK(s.usual > -2 && s.usual < 0);
    now = add_differences(&s, now, 2, -400);
    CHECK(!s.off);
    now = add_differences(&s, now, 1, -400);
    CHECK(s.off && s.found < -390);
    (void)add_differences(&s, now, 3, -2);
    CHECK(!s.off);
}

TEST(skew_of_what_was_late_and_catches_up_is_no_clock)
{
    struct skew s = {0};
    nsec now = add_differences(&s, DAY, SKEW_LEARNED, -1);
    for (int i = 0; i < 12; i++) now = add_differences(&s, now, 1, -7200 + 600 * i);
    CHECK(!s.off);
}

TEST(skew_of_a_clock_that_drifts_takes_nothing_along)
{
    struct skew s = {0};
    double difference = -1;
    nsec now = add_differences(&s, DAY, SKEW_LEARNED, difference);
    for (int i = 0; i < 500 && !s.off; i++) now = add_differences(&s, now, 1, difference += 0.2);
    CHECK(s.off && difference < 65);
}

TEST(skew_of_a_zone_and_summer_time_is_usual)
{
    struct skew s = {0};
    nsec now = add_differences(&s, DAY, SKEW_LEARNED, 3598);
    CHECK(!s.off && s.usual > 3590);
    now = add_differences(&s, now, 3, 3597);
    CHECK(!s.off);
    now = add_differences(&s, now, 5, 7198);
    CHECK(!s.off && s.usual > 7190);
    (void)add_differences(&s, now, 3, 7198 + 300);
    CHECK(s.off);
}

TEST(skew_ahead_is_never_usual)
{
    struct skew s = {0};
    nsec now = add_differences(&s, DAY, SKEW_LEARNED, 400);
    CHECK(s.usual == 0);
    (void)add_differences(&s, now, 3, 400);
    CHECK(s.off && s.found > 390);
}

/* ---- sequence ---- */

TEST(sequence_tells_what_is_missing_once_and_late)
{
    struct sequence all[SEQUENCES] = {0};
    sequences_add(all, DAY, 7, 1, 2000, 2000);
    sequences_add(all, DAY + MINUTE, 7, 2011, 2020, 10);
    CHECK_INT(sequences_missing(all, DAY + MINUTE), 0);
    sequences_add(all, DAY + MINUTE, 7, 2003, 2004, 2);
    CHECK_INT(sequences_missing(all, DAY + 3 * MINUTE), 8);
    CHECK_INT(sequences_missing(all, DAY + 5 * MINUTE), 0);
    sequences_add(all, DAY + 6 * MINUTE, 7, 2030, 2030, 1);
    CHECK_INT(sequences_missing(all, DAY + 8 * MINUTE), 9);
}

TEST(sequence_of_frames_that_overlap_misses_nothing)
{
    struct sequence all[SEQUENCES] = {0};
    sequences_add(all, DAY, 7, 1, 2000, 2000);
    sequences_add(all, DAY, 7, 2001, 2100, 60);
    sequences_add(all, DAY, 7, 2010, 2120, 60);
    CHECK_INT(sequences_missing(all, DAY + 2 * MINUTE), 0);
}

TEST(sequence_that_leaves_out_numbers_is_not_judged)
{
    struct sequence all[SEQUENCES] = {0};
    for (uint64_t i = 1; i < 2000; i++) sequences_add(all, DAY, 7, 10 * i, 10 * i, 1);
    (void)sequences_missing(all, DAY + 2 * MINUTE);
    sequences_add(all, DAY + 3 * MINUTE, 7, 30000, 30000, 1);
    CHECK_INT(sequences_missing(all, DAY + 9 * MINUTE), 0);
}

TEST(sequence_that_begins_anew_misses_nothing)
{
    struct sequence all[SEQUENCES] = {0};
    sequences_add(all, DAY, 7, 1, 2000, 2000);
    sequences_add(all, DAY + 1, 8, 1, 50, 50);
    sequences_add(all, DAY + 2, 7, UINT64_C(1) << 60, UINT64_C(1) << 60, 1);
    CHECK_INT(sequences_missing(all, DAY + 2 * MINUTE), 0);
}

TEST(sequence_keeps_those_that_were_heard_of_last)
{
    struct sequence all[SEQUENCES] = {0};
    for (uint64_t key = 1; key <= SEQUENCES + 1; key++)
        sequences_add(all, (nsec)key * MINUTE, key, 1, 2000, 2000);
    sequences_add(all, 10 * MINUTE, 2, 2005, 2005, 1);
    CHECK_INT(sequences_missing(all, 20 * MINUTE), 4);
}

/* ---- volume ---- */

static void add_stretches(struct volume *v, unsigned n, uint64_t came, double usual)
{
    for (unsigned i = 0; i < n; i++) {
        volume_add(v, came + i % 3);
        volume_expect(v, 300, usual, usual);
        volume_end(v, (nsec)i * 5 * MINUTE, 1);
    }
}

TEST(volume_is_told_in_two_stretches_when_a_fifth_is_left)
{
    struct volume v;
    volume_init(&v);
    add_stretches(&v, 300, 100, 100);
    CHECK(!v.low && v.spread < 0.05F);
    add_stretches(&v, 2, 18, 100);
    CHECK(v.low && v.before > 1199 && v.before < 1201 && v.found < 300);
    add_stretches(&v, 12, 100, 100);
    CHECK(!v.low);
}

TEST(volume_that_is_a_little_less_is_none)
{
    struct volume v;
    volume_init(&v);
    add_stretches(&v, 300, 100, 100);
    add_stretches(&v, 500, 75, 100);
    CHECK(!v.low);
}

TEST(volume_of_bursts_is_given_more_room)
{
    struct volume v;
    volume_init(&v);
    for (unsigned i = 0; i < 300; i++) add_stretches(&v, 1, i % 4 ? 20 : 350, 100);
    CHECK(!v.low && v.spread > 0.5F);
    add_stretches(&v, 3, 20, 100);
    CHECK(!v.low);
}

TEST(volume_of_nothing_is_a_silence)
{
    struct volume v;
    volume_init(&v);
    add_stretches(&v, 300, 100, 100);
    for (int i = 0; i < 10; i++) {
        volume_expect(&v, 300, 100, 100);
        volume_end(&v, DAY, 1);
    }
    CHECK(!v.low && v.sum == 0);
}

TEST(volume_allows_what_is_usual_at_that_hour)
{
    struct volume v;
    volume_init(&v);
    add_stretches(&v, 300, 100, 100);
    v.usual_dip = -1.7;
    add_stretches(&v, 12, 20, 100);
    CHECK(!v.low);
    v.usual_dip = 0;
    add_stretches(&v, 2, 20, 100);
    CHECK(v.low);
}
