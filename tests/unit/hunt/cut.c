/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/cut.h"

#include "test.h"

TEST(lines_are_cut_behind_one_that_is_not_blank)
{
    CHECK_INT(cut_find(CUT_LINES, SLICE("abc\ndef\n"), 3), 4);
    CHECK_INT(cut_find(CUT_LINES, SLICE("abc\ndef\n"), 4), 4);
    CHECK(cut_find(CUT_LINES, SLICE("abc\ndef\n"), 5) == SIZE_MAX); /* nothing stands behind */
    CHECK_INT(cut_find(CUT_LINES, SLICE("abc\r\ndef"), 3), 5);
    CHECK_INT(cut_find(CUT_LINES, SLICE("abc\n\nd"), 3), 4);
    CHECK(cut_find(CUT_LINES, SLICE("abc\n\nd"), 5) == SIZE_MAX);
    CHECK(cut_find(CUT_LINES, SLICE("abc\r\n\r\nd"), 6) == SIZE_MAX);
    CHECK(cut_find(CUT_LINES, SLICE("abc\r\r\nd"), 4) == SIZE_MAX);
    CHECK(cut_find(CUT_LINES, SLICE("no line feed"), 3) == SIZE_MAX);
}

TEST(objects_are_cut_between_lines_that_end_and_start_them)
{
    CHECK_INT(cut_find(CUT_JSON, SLICE("{\"a\":1}\n{\"b\":2}"), 3), 8);
    CHECK_INT(cut_find(CUT_JSON, SLICE("{\"a\":1}\r\n{\"b\":2}"), 3), 9);
    CHECK(cut_find(CUT_JSON, SLICE("{\"a\":\n{\"b\":2}}"), 3) == SIZE_MAX);
    CHECK(cut_find(CUT_JSON, SLICE("[{\"a\":1},\n{\"b\":2}]"), 3) == SIZE_MAX);
    CHECK(cut_find(CUT_JSON, SLICE("{\n\"a\":{}\n}\n  {}"), 3) == SIZE_MAX);
    CHECK_INT(cut_find(CUT_JSON, SLICE("{\n\"a\":{}\n}\n{}"), 3), 11);
}

TEST(there_is_no_cut_without_what_stands_before)
{
    CHECK(cut_find(CUT_LINES, SLICE("a\nbc"), 0) == SIZE_MAX);
    CHECK(cut_find(CUT_LINES, SLICE("a\nbc"), CUT_BEFORE - 1) == SIZE_MAX);
    CHECK(cut_find(CUT_LINES, SLICE_NONE, CUT_BEFORE) == SIZE_MAX);
    CHECK(cut_find(CUT_NONE, SLICE("abc\ndef"), 3) == SIZE_MAX);
}

/* Whatever the offsets, every byte from the first cut on belongs to exactly one range. */
TEST(neighbours_agree)
{
    const struct slice data = SLICE("one\ntwo\r\n\n\nthree\n4\n\r\nfive\nsix");
    for (size_t step = 1; step < data.len; step++) {
        size_t covered = 0;
        for (size_t begin = 0; begin < data.len; begin += step) {
            size_t from = begin < CUT_BEFORE ? 0 : cut_find(CUT_LINES, data, begin);
            size_t look = begin + step < CUT_BEFORE ? CUT_BEFORE : begin + step;
            size_t until = cut_find(CUT_LINES, data, look);
            if (begin + step >= data.len || until == SIZE_MAX) until = data.len;
            if (begin > 0 && begin < CUT_BEFORE) continue; /* its cuts are the first range's */
            if (from == SIZE_MAX || from >= until) continue;
            CHECK_INT(from, covered);
            covered = until;
        }
        CHECK_INT(covered, data.len);
    }
}

TEST(what_may_be_cut_and_how)
{
    CHECK_INT(cut_kind(SLICE("json"), SLICE("{\"a\":1}\n{\"b\":2}\n")), CUT_JSON);
    CHECK_INT(cut_kind(SLICE("json"), SLICE("[{\"a\":1}\n{\"b\":2}\n")), CUT_NONE);
    CHECK_INT(cut_kind(SLICE("json"), SLICE("{\"one\": \"object that goes on and on")), CUT_NONE);
    CHECK_INT(cut_kind(SLICE("syslog"), SLICE("<34>a\n<34>b\n")), CUT_LINES);
    CHECK_INT(cut_kind(SLICE("syslog"), SLICE("12 <34>a\n...\n6 <34>b\n")), CUT_NONE);
    CHECK_INT(cut_kind(SLICE("csv"), SLICE("a,b\n1,2\n3,4\n")), CUT_NONE);
    CHECK_INT(cut_kind(SLICE("json"), SLICE("{}\n")), CUT_NONE);
    CHECK_INT(cut_kind(SLICE("json"), SLICE_NONE), CUT_NONE);
}
