/* SPDX-License-Identifier: EUPL-1.2 */
#include "library/lines.h"

#include <stdlib.h>

#include "test.h"

static void check(const char *old, const char *new, const char *want, int line)
{
    struct buf out;
    buf_init(&out, 64 * 1024);
    int error = lines_write_difference(&out, ">", slice_of(old), slice_of(new));
    if (error || !slice_eq(buf_slice(&out), slice_of(want)))
        test_fail(__FILE__, line, "%d: %.*s", error, (int)out.len, out.ptr ? out.ptr : "");
    buf_done(&out);
}
#define CHECK_LINES(old, new, want) check(old, new, want, __LINE__)

TEST(lines_that_went_and_came)
{
    CHECK_LINES("a\nb\nc\n", "a\nb\nc\n", "");
    CHECK_LINES("", "", "");
    CHECK_LINES("", "a\n", ">+ a\n");
    CHECK_LINES("a\n", "", ">- a\n");
    CHECK_LINES("a\nb\nc\n", "a\nx\nc\n", ">  a\n>- b\n>+ x\n>  c\n");
    CHECK_LINES("a\nb\n", "b\na\n", ">- a\n>  b\n>+ a\n");
    CHECK_LINES("a\na\na\n", "a\na\n", ">  a\n>  a\n>- a\n");
    CHECK_LINES("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "0\n2\n3\n4\n5\n6\n7\n8\n0\n",
                ">- 1\n>+ 0\n>  2\n>  3\n>...\n>  7\n>  8\n>- 9\n>+ 0\n");
}

TEST(the_shortest_way_to_say_it)
{
    CHECK_LINES("x\na\nb\nc\ny\n", "a\nq\nb\nc\nz\n", ">- x\n>  a\n>+ q\n>  b\n>  c\n>- y\n>+ z\n");
}

TEST(more_than_can_be_measured_is_refused)
{
    struct buf old, out;
    buf_init(&old, 64 * 1024);
    buf_init(&out, 64 * 1024);
    for (int i = 0; i <= LINES_MAX; i++) buf_printf(&old, "%d\n", i);
    CHECK_INT(lines_write_difference(&out, "", buf_slice(&old), SLICE("x\n")), ERR_LIMIT);
    CHECK_INT(out.len, 0);
    /* What both begin with counts for nothing. */
    struct slice most = slice_until(buf_slice(&old), old.len - 5);
    CHECK_INT(lines_write_difference(&out, "", buf_slice(&old), most), 0);
    CHECK(slice_ends_with(buf_slice(&out), SLICE("- 1000\n")));
    buf_done(&old);
    buf_done(&out);
}
