/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/throttle.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

enum { FREE = 5 };
#define LEAST NSEC_PER_SEC
#define MOST  (900 * NSEC_PER_SEC)

static struct throttle *make(void)
{
    struct throttle *t = calloc(1, sizeof *t);
    REQUIRE(t != NULL);
    throttle_init(t, 42, FREE, LEAST, MOST);
    return t;
}

TEST(the_first_few_cost_nothing_and_then_twice_as_long_each_time)
{
    struct throttle *t = make();
    nsec now = NSEC_PER_SEC, want = LEAST;
    for (int i = 1; i < FREE; i++) {
        throttle_charge(t, SLICE("anna"), now);
        CHECK_INT(throttle_count(t, SLICE("anna"), now), i);
        CHECK_INT(throttle_wait(t, SLICE("anna"), now), 0);
    }
    for (int i = 0; i < 40; i++) {
        throttle_charge(t, SLICE("anna"), now);
        CHECK_INT(throttle_wait(t, SLICE("anna"), now), want);
        now += want;
        CHECK_INT(throttle_wait(t, SLICE("anna"), now), 0);
        want = want * 2 < MOST ? want * 2 : MOST;
    }
    CHECK_INT(throttle_wait(t, SLICE("bo"), now), 0);
    free(t);
}

TEST(what_was_right_does_not_count)
{
    struct throttle *t = make();
    nsec now = NSEC_PER_SEC;
    for (int i = 0; i < 100; i++) {
        throttle_charge(t, SLICE("10.1.2.3"), now);
        throttle_refund(t, SLICE("10.1.2.3"));
    }
    CHECK_INT(throttle_wait(t, SLICE("10.1.2.3"), now), 0);
    /* One good login does not forgive the bad ones from the same place. */
    for (int i = 0; i < FREE + 3; i++) throttle_charge(t, SLICE("10.1.2.3"), now);
    throttle_refund(t, SLICE("10.1.2.3"));
    CHECK(throttle_wait(t, SLICE("10.1.2.3"), now) > 0);
    throttle_pardon(t, SLICE("10.1.2.3"));
    CHECK_INT(throttle_wait(t, SLICE("10.1.2.3"), now), 0);
    CHECK_INT(throttle_count(t, SLICE("10.1.2.3"), now), 0);
    free(t);
}

TEST(attempts_are_forgotten_in_time)
{
    struct throttle *t = make();
    for (int i = 0; i < 50; i++) throttle_charge(t, SLICE("anna"), i);
    CHECK_INT(throttle_count(t, SLICE("anna"), MOST), 50);
    CHECK_INT(throttle_count(t, SLICE("anna"), 5 * MOST), 0);
    throttle_charge(t, SLICE("anna"), 5 * MOST);
    CHECK_INT(throttle_wait(t, SLICE("anna"), 5 * MOST), 0);
    free(t);
}

/* Whoever asks for any number of names does not make one that is guessed at be forgotten. */
TEST(a_flood_of_names_does_not_free_one)
{
    struct throttle *t = make();
    nsec now = NSEC_PER_SEC;
    char name[32];
    for (int i = 0; i < 20; i++) throttle_charge(t, SLICE("admin"), now);
    for (int i = 0; i < 20 * THROTTLE_SLOTS; i++) {
        int n = snprintf(name, sizeof name, "name-%d", i);
        throttle_charge(t, slice_make(name, (size_t)n), ++now);
    }
    CHECK(throttle_wait(t, SLICE("admin"), now) > 0);
    free(t);
}
