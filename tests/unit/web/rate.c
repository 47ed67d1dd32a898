/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/rate.h"

#include <stdio.h>

#include "test.h"

static struct api_rate rate;

static struct api_rate *make(uint32_t per_second)
{
    rate = (struct api_rate){.seed = 7, .per_second = per_second};
    return &rate;
}

TEST(four_seconds_of_it)
{
    struct api_rate *r = make(10);
    nsec now = 100 * NSEC_PER_SEC;
    for (int i = 0; i < 40; i++) CHECK_INT(api_rate_take(r, SLICE("a"), now), 0);
    CHECK_INT(api_rate_take(r, SLICE("a"), now), 1);
    CHECK_INT(api_rate_take(r, SLICE("b"), now), 0);
    CHECK_INT(api_rate_take(r, SLICE("a"), now + NSEC_PER_SEC / 10), 0);
    CHECK_INT(api_rate_take(r, SLICE("a"), now + NSEC_PER_SEC / 10), 1);
    for (int i = 0; i < 40; i++)
        CHECK_INT(api_rate_take(r, SLICE("a"), now + 60 * NSEC_PER_SEC), 0);
    CHECK_INT(api_rate_take(r, SLICE("a"), now + 60 * NSEC_PER_SEC), 1);
}

TEST(slow_ones_wait_longer)
{
    struct api_rate *r = make(1);
    nsec now = 0;
    for (int i = 0; i < 4; i++) CHECK_INT(api_rate_take(r, SLICE("a"), now), 0);
    CHECK_INT(api_rate_take(r, SLICE("a"), now), 1);
}

TEST(any)
{
    struct api_rate *r = make(0);
    for (int i = 0; i < 1000; i++) CHECK_INT(api_rate_take(r, SLICE("a"), 1), 0);
}

/* Whoever comes with many names does not get rid of what he has taken with one. */
TEST(more_than_there_are_buckets)
{
    struct api_rate *r = make(10);
    char name[24];
    nsec now = 100 * NSEC_PER_SEC;
    uint32_t refused = 0;
    for (int i = 0; i < 4 * API_RATE_BUCKETS; i++) {
        int n = snprintf(name, sizeof name, "%d", i);
        refused += api_rate_take(r, slice_make(name, (size_t)n), now) != 0;
    }
    CHECK_INT(refused, 0);
    for (int i = 0; i < 400; i++) refused += api_rate_take(r, SLICE("a"), now) != 0;
    CHECK(refused >= 360);
}
