/* SPDX-License-Identifier: EUPL-1.2 */
#include "pull/seen.h"

#include <stdio.h>

#include "test.h"

static struct seen_id id_of(unsigned n)
{
    char text[32];
    (void)snprintf(text, sizeof text, "id-%u", n);
    return seen_id_of(slice_of(text));
}

static void add(struct seen *s, unsigned n, nsec time)
{
    CHECK_INT(seen_add(s, id_of(n), time), 0);
}

TEST(what_was_added_is_known)
{
    struct seen s;
    seen_init(&s);
    CHECK(!seen_has(&s, id_of(0)));
    for (unsigned i = 0; i < 5000; i++) add(&s, i, i);
    for (unsigned i = 0; i < 5000; i++) CHECK(seen_has(&s, id_of(i)));
    CHECK(!seen_has(&s, id_of(5000)));
    add(&s, 7, 7);
    CHECK_INT(s.n, 5000);
    seen_done(&s);
}

TEST(what_is_not_asked_for_again_is_forgotten)
{
    struct seen s;
    seen_init(&s);
    for (unsigned i = 0; i < 1000; i++) add(&s, i, i);
    seen_move(&s, 900, 100);
    CHECK_INT(seen_from(&s, 100), 800);
    CHECK_INT(s.n, 200);
    CHECK(!seen_has(&s, id_of(799)));
    CHECK(seen_has(&s, id_of(800)));
    CHECK(seen_has(&s, id_of(999)));
    /* It never goes back. */
    seen_move(&s, 100, 100);
    CHECK_INT(s.cursor, 900);
    seen_done(&s);
}

/* More than can be remembered: what was not is not asked for again, once its span is done. */
TEST(memory_is_bounded)
{
    struct seen s;
    seen_init(&s);
    s.cursor = 1;
    for (unsigned i = 0; i < SEEN_MAX + 10; i++) add(&s, i, 50);
    CHECK_INT(s.n, SEEN_MAX);
    CHECK(s.full);
    CHECK(!seen_has(&s, id_of(SEEN_MAX)));
    CHECK_INT(seen_from(&s, 10), 0);
    seen_move(&s, 100, 80);
    CHECK_INT(seen_from(&s, 80), 100);
    CHECK_INT(s.n, 0);
    CHECK(!s.full);
    /* The next spans overlap again, up to there. */
    add(&s, 1, 150);
    seen_move(&s, 200, 80);
    CHECK_INT(seen_from(&s, 80), 120);
    CHECK(seen_has(&s, id_of(1)));
    seen_done(&s);
}

static void check_read(struct slice text, int error)
{
    struct seen s;
    CHECK_INT(seen_read(&s, text), error);
    seen_done(&s);
}

TEST(it_is_the_same_after_a_start)
{
    struct seen s, again;
    struct buf out, more;
    seen_init(&s);
    buf_init(&out, SEEN_TEXT_MAX);
    buf_init(&more, SEEN_TEXT_MAX);
    for (unsigned i = 0; i < SEEN_MAX; i++) add(&s, i, 1000 + i);
    s.cursor = 1234;
    s.floor = 5;
    seen_write(&s, &out);
    CHECK_INT(out.len, SEEN_TEXT_MAX);
    REQUIRE(seen_read(&again, buf_slice(&out)) == 0);
    CHECK_INT(again.cursor, 1234);
    CHECK(seen_has(&again, id_of(SEEN_MAX - 1)));
    seen_write(&again, &more);
    CHECK(slice_eq(buf_slice(&out), buf_slice(&more)));
    seen_done(&again);

    check_read(SLICE_NONE, 0);
    check_read(slice_until(buf_slice(&out), out.len - 1), ERR_CORRUPT);
    check_read(slice_until(buf_slice(&out), SEEN_HEADER - 1), ERR_CORRUPT);
    out.ptr[15] = (char)0x80;
    check_read(buf_slice(&out), ERR_CORRUPT);
    out.ptr[0] = 2;
    check_read(buf_slice(&out), ERR_UNSUPPORTED);
    buf_done(&out);
    buf_done(&more);
    seen_done(&s);
}
