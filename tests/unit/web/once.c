/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/once.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

#define HOUR (3600 * NSEC_PER_SEC)

static struct api_once *make(void)
{
    struct api_once *o = calloc(1, sizeof *o);
    REQUIRE(o);
    o->seed = 3;
    return o;
}

static void drop(struct api_once *o)
{
    api_once_done(o);
    free(o);
}

TEST(once)
{
    struct api_once *o = make();
    struct api_once_entry *e = NULL, *again = NULL;
    REQUIRE(api_once_begin(o, 1, SLICE("k"), SLICE("POST /a"), 1, &e) == API_ONCE_NEW);
    CHECK_INT(api_once_begin(o, 1, SLICE("k"), SLICE("POST /a"), 2, &again), API_ONCE_DOING);
    api_once_end(e, 200, SLICE("{\"id\":1}"));
    REQUIRE(api_once_begin(o, 1, SLICE("k"), SLICE("POST /a"), 3, &again) == API_ONCE_DONE);
    CHECK_INT(again->status, 200);
    CHECK_SLICE(slice_make(again->answer, again->len), "{\"id\":1}");
    CHECK_INT(api_once_begin(o, 1, SLICE("k"), SLICE("POST /b"), 3, &again), API_ONCE_OTHER);
    REQUIRE(api_once_begin(o, 2, SLICE("k"), SLICE("POST /b"), 3, &again) == API_ONCE_NEW);
    CHECK(again != e);
    drop(o);
}

TEST(what_failed_may_be_tried_again)
{
    struct api_once *o = make();
    struct api_once_entry *e = NULL;
    static const unsigned statuses[] = {0, 429, 500, 503};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        REQUIRE(api_once_begin(o, 1, SLICE("k"), SLICE("r"), 1, &e) == API_ONCE_NEW);
        api_once_end(e, statuses[i], SLICE("x"));
    }
    drop(o);
}

TEST(for_a_day)
{
    struct api_once *o = make();
    struct api_once_entry *e = NULL;
    REQUIRE(api_once_begin(o, 1, SLICE("k"), SLICE("r"), 1, &e) == API_ONCE_NEW);
    api_once_end(e, 200, SLICE("x"));
    CHECK_INT(api_once_begin(o, 1, SLICE("k"), SLICE("r"), 24 * HOUR, &e), API_ONCE_DONE);
    CHECK_INT(api_once_begin(o, 1, SLICE("k"), SLICE("r"), 25 * HOUR, &e), API_ONCE_NEW);
    api_once_end(e, 200, SLICE("x"));
    drop(o);
}

/* Somebody with many keys pushes out his own, and nobody else's. */
TEST(a_share_for_each)
{
    struct api_once *o = make();
    struct api_once_entry *e = NULL;
    char key[24];
    REQUIRE(api_once_begin(o, 1, SLICE("k"), SLICE("r"), 1, &e) == API_ONCE_NEW);
    api_once_end(e, 200, SLICE("x"));
    for (int i = 0; i < 3 * API_ONCE_KEPT; i++) {
        int n = snprintf(key, sizeof key, "%d", i);
        REQUIRE(api_once_begin(o, 2, slice_make(key, (size_t)n), SLICE("r"), 2 + i, &e) ==
                API_ONCE_NEW);
        api_once_end(e, 200, SLICE("x"));
    }
    CHECK_INT(api_once_begin(o, 1, SLICE("k"), SLICE("r"), 3, &e), API_ONCE_DONE);
    CHECK_INT(api_once_begin(o, 2, SLICE("0"), SLICE("r"), 3, &e), API_ONCE_NEW);
    api_once_end(e, 200, SLICE("x"));
    drop(o);
}

TEST(long_answers_are_a_status)
{
    static char text[API_ONCE_ANSWER_MAX + 1];
    struct api_once *o = make();
    struct api_once_entry *e = NULL;
    REQUIRE(api_once_begin(o, 1, SLICE("k"), SLICE("r"), 1, &e) == API_ONCE_NEW);
    api_once_end(e, 201, slice_make(text, sizeof text));
    REQUIRE(api_once_begin(o, 1, SLICE("k"), SLICE("r"), 2, &e) == API_ONCE_DONE);
    CHECK_INT(e->status, 201);
    CHECK_INT(e->len, 0);
    drop(o);
}
