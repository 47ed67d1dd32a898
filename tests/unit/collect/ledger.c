/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/ledger.h"

#include "test.h"

TEST(ledger_finds_the_row_again)
{
    struct ledger l;
    char name[32];
    struct ledger_row *rows[100];
    REQUIRE(ledger_init(&l, 101, 42) == 0);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "in\tname\t\t10.0.0.%d", i);
        rows[i] = ledger_row_of(&l, slice_of(name));
        CHECK(rows[i] != &l.rows[0]);
        CHECK_SLICE(rows[i]->source, name);
    }
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "in\tname\t\t10.0.0.%d", i);
        CHECK(ledger_row_of(&l, slice_of(name)) == rows[i]);
    }
    CHECK_INT(l.n, 101);
    ledger_done(&l);
}

TEST(ledger_puts_who_finds_no_room_into_one_row)
{
    struct ledger l;
    REQUIRE(ledger_init(&l, 2, 42) == 0);
    struct ledger_row *a = ledger_row_of(&l, SLICE("a"));
    CHECK(a != &l.rows[0]);
    CHECK(ledger_row_of(&l, SLICE("b")) == &l.rows[0]);
    CHECK(ledger_row_of(&l, SLICE("c")) == &l.rows[0]);
    CHECK(ledger_row_of(&l, SLICE("a")) == a);
    ledger_done(&l);
}

TEST(ledger_bucket_gives_its_rate)
{
    struct ledger_bucket b = {0};
    nsec now = 5 * NSEC_PER_SEC;
    uint64_t taken = 0;
    CHECK(ledger_take(&b, 0, 1000000, now));
    /* Ten seconds of somebody who always wants more: the first second's stock, and the rate. */
    for (int i = 0; i < 10000; i++, now += NSEC_PER_MSEC)
        while (ledger_take(&b, 1000, 1, now)) taken++;
    CHECK(taken >= 10900 && taken <= 11000);
    now += 3600 * NSEC_PER_SEC;
    for (taken = 0; ledger_take(&b, 1000, 1, now); taken++) continue;
    CHECK_INT(taken, 1000);
}

/* One that is larger than the stock takes all of it: it is not held up for ever. */
TEST(ledger_bucket_lets_a_large_one_pass)
{
    struct ledger_bucket b = {0};
    CHECK(ledger_take(&b, 10, 5000, NSEC_PER_SEC));
    CHECK(!ledger_take(&b, 10, 1, NSEC_PER_SEC));
    CHECK(!ledger_take(&b, 10, 1, NSEC_PER_SEC + 50 * NSEC_PER_MSEC));
    CHECK(ledger_take(&b, 10, 1, NSEC_PER_SEC + 100 * NSEC_PER_MSEC));
}
