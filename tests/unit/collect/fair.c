/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/fair.h"

#include "collect/ledger.h"
#include "test.h"

enum { STEP = 20, MB = 1024 * 1024 }; /* STEP: ms between two paces */

/* A store and its sources, in steps. Matching takes `capacity` bytes a second, in order. */
struct city {
    struct fair fair;
    struct ledger ledger;
    struct ledger_row *rows[4];
    uint64_t rates[4]; /* bytes a second that each source would send */
    uint64_t sent[4], lost[4];
    uint64_t stored, matched, capacity;
    nsec now, longest, still_since;
    bool waits; /* what is not taken is sent later, as over TCP; else it is lost */
    uint64_t owed[4];
};

enum { RECORD = 1024 };

static void city_init(struct city *c, uint64_t capacity)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    *c = (struct city){.capacity = capacity, .now = NSEC_PER_SEC};
    fair_init(&c->fair);
    REQUIRE(ledger_init(&c->ledger, 8, 1) == 0);
    for (int i = 0; i < 4; i++) c->rows[i] = ledger_row_of(&c->ledger, slice_of(names[i]));
}

static void source_sends(struct city *c, int i, uint64_t bytes)
{
    for (c->owed[i] += bytes; c->owed[i] >= RECORD; c->owed[i] -= RECORD) {
        bool taken = fair_takes(&c->fair, c->rows[i], c->now);
        if (!taken && c->waits) break;
        fair_charge(&c->fair, c->rows[i], RECORD, taken);
        c->sent[i] += taken ? RECORD : 0;
        c->lost[i] += taken ? 0 : RECORD;
        c->stored += taken ? RECORD : 0;
    }
    /* No more waits than its connection takes in a step. */
    if (c->owed[i] > bytes) c->owed[i] = bytes;
}

static void city_runs(struct city *c, nsec duration)
{
    for (nsec end = c->now + duration; c->now < end;) {
        c->now += STEP * NSEC_PER_MSEC;
        for (int i = 0; i < 4; i++) source_sends(c, i, c->rates[i] / (1000 / STEP));
        uint64_t some = c->capacity / (1000 / STEP);
        c->matched += c->stored - c->matched < some ? c->stored - c->matched : some;
        uint64_t waiting = c->stored - c->matched;
        /* In this city everything that waits came evenly. */
        nsec age = c->capacity ? (nsec)((double)waiting / (double)c->capacity * NSEC_PER_SEC)
                               : c->now - c->still_since;
        if (age > c->longest) c->longest = age;
        fair_tell(&c->fair, &c->ledger,
                  &(struct fair_pace){.waiting = waiting, .matched = c->matched, .age = age},
                  c->now);
    }
}

/* Nothing of that source was lost, or waits. */
static void check_free(const struct city *c, int i)
{
    CHECK_INT(c->lost[i], 0);
    CHECK(c->owed[i] < RECORD);
}

static void city_done(struct city *c)
{
    ledger_done(&c->ledger);
}

TEST(fair_leaves_alone_what_fits)
{
    struct city c;
    city_init(&c, 100 * MB);
    c.rates[0] = 60 * MB;
    c.rates[1] = 2 * MB;
    city_runs(&c, 5 * NSEC_PER_SEC);
    CHECK_INT(c.fair.level, 0);
    check_free(&c, 0);
    city_done(&c);
}

/* Matching was away for ten seconds: what it has missed is no reason to hold anybody back. */
TEST(fair_lets_matching_catch_up)
{
    struct city c;
    city_init(&c, 100 * MB);
    c.rates[0] = 40 * MB;
    c.rates[1] = 2 * MB;
    city_runs(&c, 2 * NSEC_PER_SEC);
    c.capacity = 0;
    c.still_since = c.now;
    city_runs(&c, 10 * NSEC_PER_SEC);
    c.capacity = 100 * MB;
    city_runs(&c, 20 * NSEC_PER_SEC);
    check_free(&c, 0);
    check_free(&c, 1);
    CHECK(c.stored - c.matched < MB);
    city_done(&c);
}

static void flood(struct city *c, bool waits)
{
    city_init(c, 50 * MB);
    c->waits = waits;
    c->rates[1] = MB;
    c->rates[2] = 5 * MB;
    city_runs(c, 2 * NSEC_PER_SEC);
    c->rates[0] = 500 * MB;
    city_runs(c, 10 * NSEC_PER_SEC);
    c->longest = 0;
    city_runs(c, 10 * NSEC_PER_SEC);
}

TEST(fair_holds_back_who_floods_and_nobody_else)
{
    for (int waits = 0; waits < 2; waits++) {
        struct city c;
        flood(&c, waits);
        CHECK(c.longest < NSEC_PER_SEC / 2);
        check_free(&c, 1);
        check_free(&c, 2);
        CHECK(c.waits ? c.owed[0] > 0 : c.lost[0] > 0);
        /* And matching always has something to do. */
        CHECK(c.matched > 20 * (uint64_t)45 * MB);
        c.rates[0] = 0;
        c.owed[0] = 0;
        city_runs(&c, 2 * NSEC_PER_SEC);
        CHECK_INT(c.fair.level, 0);
        city_done(&c);
    }
}

/* As when something else needs the processor: what it did a moment ago is no promise. */
TEST(fair_bounds_the_wait_when_matching_gets_slow)
{
    for (int waits = 0; waits < 2; waits++) {
        struct city c;
        flood(&c, waits);
        for (int i = 0; i < 5; i++) {
            c.capacity = (i % 2 ? 50 : 20) * (uint64_t)MB;
            city_runs(&c, 2 * NSEC_PER_SEC);
        }
        CHECK(c.longest < NSEC_PER_SEC);
        check_free(&c, 1);
        check_free(&c, 2);
        city_done(&c);
    }
}

/* Paces that come together, behind a moment in which nobody had the processor, show no rate. */
TEST(fair_takes_no_rate_from_a_moment)
{
    struct city c;
    city_init(&c, 50 * MB);
    c.rates[0] = 20 * MB;
    city_runs(&c, 2 * NSEC_PER_SEC);
    for (int i = 0; i < 4; i++) {
        c.now += 1000; /* ns */
        c.matched += MB;
        c.stored += MB;
        fair_tell(&c.fair, &c.ledger, &(struct fair_pace){.matched = c.matched}, c.now);
    }
    CHECK(c.fair.kept_up < (uint64_t)100 * MB);
    city_done(&c);
}

TEST(fair_shares_among_those_who_flood)
{
    struct city c;
    city_init(&c, 60 * MB);
    for (int i = 0; i < 3; i++) c.rates[i] = (uint64_t)(i + 1) * 200 * MB;
    c.rates[3] = MB;
    city_runs(&c, 20 * NSEC_PER_SEC);
    uint64_t least = c.sent[0], most = c.sent[0];
    for (int i = 1; i < 3; i++) {
        if (c.sent[i] < least) least = c.sent[i];
        if (c.sent[i] > most) most = c.sent[i];
    }
    /* What came before anybody was held back is not shared. */
    CHECK(most - least < 100 * MB);
    CHECK(least > 300 * MB);
    check_free(&c, 3);
    city_done(&c);
}

/* A body that is larger than what is left goes through, and is paid for. */
TEST(fair_lets_nobody_send_more_by_sending_much_at_once)
{
    struct city c;
    flood(&c, true);
    struct ledger_row *row = c.rows[0];
    REQUIRE(c.fair.level > 0);
    c.now += NSEC_PER_SEC;
    CHECK(fair_takes(&c.fair, row, c.now));
    fair_charge(&c.fair, row, 2 * c.fair.level, true);
    CHECK(!fair_takes(&c.fair, row, c.now + NSEC_PER_SEC));
    CHECK(fair_takes(&c.fair, row, c.now + 2 * NSEC_PER_SEC));
    city_done(&c);
}

TEST(fair_holds_nobody_back_when_nothing_is_matched)
{
    struct city c;
    flood(&c, false);
    REQUIRE(c.fair.level > 0);
    c.capacity = 0;
    c.still_since = c.now;
    city_runs(&c, 3 * NSEC_PER_SEC);
    CHECK_INT(c.fair.level, 0);
    city_done(&c);
}

TEST(fair_begins_anew_with_another_store)
{
    struct city c;
    flood(&c, false);
    REQUIRE(c.fair.level > 0);
    fair_tell(&c.fair, &c.ledger, &(struct fair_pace){.matched = 0}, c.now + NSEC_PER_MSEC);
    CHECK_INT(c.fair.level, 0);
    city_done(&c);
}
