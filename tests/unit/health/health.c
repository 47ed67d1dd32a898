/* SPDX-License-Identifier: EUPL-1.2 */
#include "health/health.h"

#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "test.h"

#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define WEEK   (7 * DAY)
#define MONDAY (INT64_C(1788739200) * NSEC_PER_SEC) /* 2026-09-07 00:00 UTC */

static struct health_options options = {.sources_max = 16,
                                        .factor = 1.5,
                                        .least = MINUTE,
                                        .rarest = 14 * DAY,
                                        .clock = MINUTE,
                                        .forget = 30 * DAY};

struct world {
    struct health *health;
    nsec now;
    unsigned began[HEALTH_KIND_COUNT], ended[HEALTH_KIND_COUNT];
    struct health_change last;
};

static void begin_world(struct world *w)
{
    *w = (struct world){.now = MONDAY};
    REQUIRE(health_new(&options, &w->health) == 0);
    health_pass(w->health, w->now, 0);
}

static void say(struct world *w, const char *source, uint64_t records)
{
    health_hear(w->health, slice_of(source),
                &(struct health_news){.first = w->now, .last = w->now, .records = records});
}

static void pass(struct world *w, nsec step)
{
    struct health_change change;
    w->now += step;
    health_pass(w->health, w->now, 0);
    while (health_next(w->health, &change)) {
        (change.ended ? w->ended : w->began)[change.kind]++;
        w->last = change;
    }
}

/* Hour of the week, as a fraction. */
static double hour_of(nsec now)
{
    return (double)((now - MONDAY) % WEEK) / (double)HOUR;
}

typedef bool rhythm(nsec now);

static bool every_step(nsec now)
{
    return true;
}

static bool office(nsec now)
{
    double hour = hour_of(now);
    return hour < 120 && fmod(hour, 24) >= 7 && fmod(hour, 24) < 17;
}

static bool nightly(nsec now)
{
    return (now - MONDAY) % DAY == 3 * HOUR;
}

static bool weekly(nsec now)
{
    return (now - MONDAY) % WEEK == 6 * HOUR;
}

static bool never(nsec now)
{
    return false;
}

/* One source that speaks so, looked at twice a minute. */
static void live(struct world *w, rhythm *speaks, nsec until)
{
    while (w->now < until) {
        if (speaks(w->now)) say(w, "s", 50);
        pass(w, MINUTE / 2);
    }
}

static double silence_at_end(struct world *w, rhythm *speaks, nsec weeks, nsec stops)
{
    begin_world(w);
    live(w, speaks, MONDAY + weeks * WEEK + stops);
    CHECK_INT(w->began[HEALTH_SILENT], 0);
    live(w, never, w->now + 3 * WEEK);
    CHECK_INT(w->began[HEALTH_SILENT], 1);
    health_free(w->health);
    return (double)(w->last.at - w->last.since) / (double)HOUR;
}

TEST(health_of_a_fast_source)
{
    struct world w;
    double hours = silence_at_end(&w, every_step, 2, 30 * HOUR);
    CHECK(hours * 60 >= 1 && hours * 60 <= 2);
    CHECK(w.last.usual > 0 && w.last.found >= 60);
}

TEST(health_of_a_source_that_is_quiet_at_night)
{
    struct world w;
    double by_day = silence_at_end(&w, office, 5, 24 * HOUR + 10 * HOUR);
    CHECK(by_day * 60 >= 1 && by_day * 60 <= 2);
    /* At 17 on Tuesday it went home: nobody can know before Wednesday at 7, and an hour late. */
    double by_night = silence_at_end(&w, office, 5, 24 * HOUR + 20 * HOUR);
    CHECK(by_night > 15.5 && by_night < 16.1);
    double at_weekend = silence_at_end(&w, office, 5, 5 * DAY);
    CHECK(at_weekend > 62 && at_weekend < 64.1);
}

TEST(health_of_a_nightly_batch)
{
    struct world w;
    double hours = silence_at_end(&w, nightly, 3, 12 * HOUR);
    CHECK(hours > 24 && hours < 27);
}

TEST(health_of_a_source_that_speaks_once_a_week)
{
    struct world w;
    double hours = silence_at_end(&w, weekly, 6, 12 * HOUR);
    CHECK(hours > 168 && hours < 172);
}

TEST(health_of_a_new_source_is_not_judged)
{
    struct world w;
    begin_world(&w);
    live(&w, every_step, MONDAY + 40 * HOUR);
    live(&w, never, MONDAY + 9 * DAY);
    CHECK_INT(w.began[HEALTH_SILENT], 0);
    CHECK_INT(health_count(w.health), 1);
    live(&w, never, MONDAY + 13 * DAY);
    CHECK_INT(health_count(w.health), 0);
    health_free(w.health);
}

TEST(health_forgets_a_source_that_was_removed)
{
    struct world w;
    struct buf name;
    buf_init(&name, 100);
    begin_world(&w);
    live(&w, every_step, MONDAY + 2 * WEEK);
    live(&w, never, w.now + 29 * DAY);
    CHECK_INT(w.began[HEALTH_SILENT], 1);
    CHECK_INT(health_count(w.health), 1);
    CHECK(!health_next_forgotten(w.health, &name));
    live(&w, never, w.now + 2 * DAY);
    CHECK_INT(health_count(w.health), 0);
    CHECK(health_next_forgotten(w.health, &name));
    CHECK_SLICE(buf_slice(&name), "s");
    CHECK(!health_next_forgotten(w.health, &name));
    buf_done(&name);
    health_free(w.health);
}

TEST(health_is_told_once_and_its_end_once)
{
    struct world w;
    begin_world(&w);
    live(&w, every_step, MONDAY + 2 * WEEK);
    live(&w, never, w.now + 2 * HOUR);
    live(&w, every_step, w.now + HOUR);
    CHECK(w.began[HEALTH_SILENT] == 1 && w.ended[HEALTH_SILENT] == 1);
    CHECK(w.last.ended && w.last.found > 7190 && w.last.found < 7300);
    health_free(w.health);
}

TEST(health_blames_nobody_for_time_that_was_not_watched)
{
    struct world w;
    begin_world(&w);
    live(&w, every_step, MONDAY + 2 * WEEK);
    for (int i = 0; i < 5; i++) {
        pass(&w, 3 * HOUR);
        live(&w, every_step, w.now + 10 * MINUTE);
    }
    CHECK_INT(w.began[HEALTH_SILENT], 0);
    live(&w, never, w.now + 10 * MINUTE);
    CHECK_INT(w.began[HEALTH_SILENT], 1);
    health_free(w.health);
}

static bool every_20_minutes(nsec now)
{
    return (now - MONDAY) % (20 * MINUTE) == 0;
}

/* It comes back when its time has come, not at once; what it said meanwhile nobody heard. */
TEST(health_adds_no_time_to_a_silence_that_was_not_watched)
{
    struct world w;
    begin_world(&w);
    live(&w, every_20_minutes, MONDAY + 2 * WEEK + 5 * MINUTE);
    pass(&w, 3 * HOUR);
    live(&w, every_20_minutes, w.now + DAY);
    CHECK_INT(w.began[HEALTH_SILENT], 0);
    health_free(w.health);
}

/* About every second hour of work, by chance. */
static bool now_and_then(nsec now)
{
    uint64_t minute = (uint64_t)((now - MONDAY) / MINUTE);
    return office(now) && now % MINUTE == 0 && hash_mix(minute, 7) % 120 == 0;
}

/* How long it is silent says little at the beginning of a day; how much is missing says more. */
TEST(health_of_a_source_that_speaks_now_and_then)
{
    struct world w;
    begin_world(&w);
    while (w.now < MONDAY + 20 * WEEK) {
        if (now_and_then(w.now)) say(&w, "s", 1);
        pass(&w, MINUTE / 2);
    }
    CHECK(w.began[HEALTH_SILENT] <= 1);
    live(&w, never, w.now + 2 * WEEK);
    CHECK(w.began[HEALTH_SILENT] >= 1 && w.last.kind == HEALTH_SILENT && !w.last.ended);
    health_free(w.health);
}

/* A silence that is not told yet must not become what is usual, or it never is. */
TEST(health_learns_nothing_of_a_silence_while_it_lasts)
{
    struct world w;
    struct health_view before, after;
    options.factor = 1000; /* it is never told */
    begin_world(&w);
    options.factor = 1.5;
    while (w.now < MONDAY + 10 * WEEK) {
        if (now_and_then(w.now)) say(&w, "s", 1);
        pass(&w, MINUTE / 2);
    }
    live(&w, never, w.now + DAY + 16 * HOUR);
    health_view(w.health, 0, &before);
    live(&w, never, w.now + WEEK);
    health_view(w.health, 0, &after);
    CHECK(after.silence <= 1.5 * before.silence);
    health_free(w.health);
}

static struct health *copy_of(const struct health *h)
{
    struct health *copy;
    struct buf saved;
    struct health_view view = {.source = SLICE("")};
    buf_init(&saved, HEALTH_SAVED_MAX);
    REQUIRE(health_new(&options, &copy) == 0);
    health_save(h, health_count(h), &saved);
    CHECK_INT(health_restore(copy, view.source, buf_slice(&saved)), 0);
    for (uint32_t i = 0; i < health_count(h); i++) {
        buf_clear(&saved);
        health_save(h, i, &saved);
        health_view(h, i, &view);
        CHECK(!buf_failed(&saved));
        CHECK_INT(health_restore(copy, view.source, buf_slice(&saved)), 0);
    }
    buf_done(&saved);
    return copy;
}

TEST(health_goes_on_from_what_was_saved)
{
    struct world w;
    struct health_view before, after;
    begin_world(&w);
    live(&w, office, MONDAY + 4 * WEEK + 40 * HOUR);
    struct health *copy = copy_of(w.health);
    health_view(w.health, 0, &before);
    health_view(copy, 0, &after);
    CHECK_SLICE(after.source, "s");
    CHECK(before.silence == after.silence && before.last == after.last);
    CHECK(before.days == after.days && before.records == after.records && after.judged);
    health_free(w.health);
    w.health = copy;
    live(&w, office, w.now + WEEK);
    CHECK_INT(w.began[HEALTH_SILENT], 0);
    live(&w, never, w.now + WEEK);
    CHECK_INT(w.began[HEALTH_SILENT], 1);
    health_free(w.health);
}

TEST(health_refuses_what_it_did_not_save)
{
    struct world w;
    struct buf saved;
    begin_world(&w);
    buf_init(&saved, HEALTH_SAVED_MAX);
    say(&w, "s", 1);
    health_save(w.health, 0, &saved);
    CHECK(saved.len > 0 && saved.ptr[0] == HEALTH_VERSION);
    for (size_t n = 0; n < saved.len; n++)
        CHECK_INT(health_restore(w.health, SLICE("t"), slice_until(buf_slice(&saved), n)),
                  ERR_CORRUPT);
    buf_putc(&saved, 0);
    CHECK_INT(health_restore(w.health, SLICE("t"), buf_slice(&saved)), ERR_CORRUPT);
    saved.ptr[0]++;
    CHECK_INT(health_restore(w.health, SLICE("t"), buf_slice(&saved)), ERR_UNSUPPORTED);
    CHECK_INT(health_count(w.health), 1);
    buf_done(&saved);
    health_free(w.health);
}

TEST(health_has_room_for_so_many_sources)
{
    struct world w;
    char name[16];
    begin_world(&w);
    for (int i = 0; i < 20; i++) {
        (void)snprintf(name, sizeof name, "s%d", i);
        say(&w, name, 1);
    }
    CHECK_INT(health_count(w.health), 16);
    CHECK_INT(health_unwatched(w.health), 4);
    /* Those that were hardly heard of make room within two hours. */
    for (int i = 0; i < 121; i++) {
        say(&w, "s0", 1);
        pass(&w, MINUTE);
    }
    CHECK_INT(health_count(w.health), 1);
    say(&w, "s19", 1);
    CHECK_INT(health_count(w.health), 2);
    health_free(w.health);
}

static bool mute_all(void *ctx, struct slice source)
{
    return true;
}

TEST(health_says_of_what_is_muted_that_it_is)
{
    struct world w;
    options.muted = mute_all;
    begin_world(&w);
    options.muted = NULL;
    live(&w, every_step, MONDAY + 2 * WEEK);
    live(&w, never, w.now + HOUR);
    CHECK(w.began[HEALTH_SILENT] == 1 && w.last.muted);
    health_free(w.health);
}

/* On a day off nobody who works speaks, and a source that always does is still missed. */
TEST(health_sees_a_day_off_by_what_others_do)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
    struct world w;
    begin_world(&w);
    for (int step = 0; w.now < MONDAY + 7 * WEEK; step++) {
        bool holiday = w.now >= MONDAY + 5 * WEEK + DAY && w.now < MONDAY + 5 * WEEK + 2 * DAY;
        bool stopped = w.now >= MONDAY + 5 * WEEK + DAY + 12 * HOUR;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (office(w.now) && !holiday) say(&w, names[i], 50);
        if (!stopped) say(&w, "always", 50);
        pass(&w, MINUTE / 2);
        if (w.now == MONDAY + 5 * WEEK + DAY + 12 * HOUR) CHECK(health_is_day_off(w.health));
    }
    CHECK_INT(w.began[HEALTH_SILENT], 1);
    CHECK_SLICE(w.last.source, "always");
    CHECK(!health_is_day_off(w.health));
    health_free(w.health);
}

TEST(health_says_why_in_words)
{
    struct buf out;
    buf_init(&out, 1000);
    struct health_change c = {.kind = HEALTH_SILENT, .usual = 40, .found = 95};
    health_write_why(&out, &c);
    CHECK_SLICE(buf_slice(&out), "usually heard of within 40 s at this hour, silent for 95 s");
    buf_clear(&out);
    c = (struct health_change){
        .kind = HEALTH_SILENT, .ended = true, .usual = 50400, .found = 93784};
    health_write_why(&out, &c);
    CHECK_SLICE(buf_slice(&out),
                "usually heard of within 14 h at that hour, was silent for 1 d 2 h");
    buf_clear(&out);
    c = (struct health_change){.kind = HEALTH_VOLUME, .usual = 5200, .found = 310};
    health_write_why(&out, &c);
    CHECK_SLICE(buf_slice(&out), "usually 5200 records an hour, now 310");
    buf_clear(&out);
    c = (struct health_change){.kind = HEALTH_UNREAD, .usual = 0.003, .found = 0.85, .count = 120};
    health_write_why(&out, &c);
    CHECK_SLICE(buf_slice(&out),
                "usually 0.3 % of its records are not understood, now 85.0 % of 120");
    buf_clear(&out);
    c = (struct health_change){.kind = HEALTH_CLOCK, .usual = 3600, .found = -300};
    health_write_why(&out, &c);
    CHECK_SLICE(buf_slice(&out),
                "its clock is 5 min behind, or its records come so late, beside 1 h "
                "that are usual");
    buf_clear(&out);
    c = (struct health_change){.kind = HEALTH_GAP, .count = 40};
    health_write_why(&out, &c);
    CHECK_SLICE(buf_slice(&out), "40 records are missing by its own count");
    buf_done(&out);
}
