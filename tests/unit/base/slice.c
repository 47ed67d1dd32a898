/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/slice.h"

#include "test.h"

TEST(slice_cmp_orders_by_byte_and_length)
{
    CHECK(slice_cmp(SLICE("a"), SLICE("b")) < 0);
    CHECK(slice_cmp(SLICE("b"), SLICE("abc")) > 0);
    CHECK(slice_cmp(SLICE("ab"), SLICE("abc")) < 0);
    CHECK(slice_cmp(SLICE("\xff"), SLICE("a")) > 0);
    CHECK_INT(slice_cmp(SLICE_NONE, SLICE("")), 0);
}

TEST(slice_eq_takes_empty_and_nul)
{
    CHECK(slice_eq(SLICE_NONE, SLICE("")));
    CHECK(slice_eq(SLICE("a\0b"), SLICE("a\0b")));
    CHECK(!slice_eq(SLICE("a\0b"), SLICE("a\0c")));
    CHECK(slice_eq_nocase(SLICE("EventID"), SLICE("eventid")));
    CHECK(!slice_eq_nocase(SLICE("["), SLICE("{")));
    CHECK(!slice_eq_nocase(SLICE("\xc3\x85"), SLICE("\xc3\xa5")));
}

TEST(slice_find_edges)
{
    CHECK_INT(slice_find(SLICE("abc"), SLICE("")), 0);
    CHECK_INT(slice_find(SLICE("abcabd"), SLICE("abd")), 3);
    CHECK_INT(slice_find(SLICE("aaab"), SLICE("ab")), 2);
    CHECK(slice_find(SLICE("aaab"), SLICE("ba")) == SIZE_MAX);
    CHECK_INT(slice_find(SLICE("123456789x123456789y"), SLICE("123456789y")), 10);
    CHECK(slice_find(SLICE("ab"), SLICE("abc")) == SIZE_MAX);
    CHECK(slice_find_byte(SLICE_NONE, 'a') == SIZE_MAX);
    CHECK_INT(slice_find_byte(SLICE("a\0b"), '\0'), 1);
    CHECK(slice_starts_with(SLICE("abc"), SLICE("ab")));
    CHECK(!slice_starts_with(SLICE("ab"), SLICE("abc")));
    CHECK(slice_ends_with(SLICE("abc"), SLICE("bc")));
    CHECK(slice_ends_with(SLICE("abc"), SLICE("")));
}

TEST(slice_find_last_edges)
{
    CHECK_INT(slice_find_last(SLICE("a::b::c"), SLICE("::")), 4);
    CHECK_INT(slice_find_last(SLICE("aaa"), SLICE("aa")), 1);
    CHECK_INT(slice_find_last(SLICE("ab"), SLICE("ab")), 0);
    CHECK(slice_find_last(SLICE("aba"), SLICE("ac")) == SIZE_MAX);
    CHECK(slice_find_last(SLICE("ab"), SLICE("abc")) == SIZE_MAX);
    CHECK(slice_find_last(SLICE("abc"), SLICE("")) == SIZE_MAX);
    CHECK(slice_find_last(SLICE_NONE, SLICE("a")) == SIZE_MAX);
    CHECK_INT(slice_find_last_byte(SLICE("a.b.c"), '.'), 3);
    CHECK(slice_find_last_byte(SLICE("abc"), '.') == SIZE_MAX);
    CHECK(slice_find_last_byte(SLICE_NONE, '.') == SIZE_MAX);
}

TEST(slice_trim_drops_blanks_at_both_ends)
{
    CHECK_SLICE(slice_trim(SLICE(" \t\r\na b\n ")), "a b");
    CHECK_INT(slice_trim(SLICE(" \n ")).len, 0);
    CHECK_INT(slice_trim(SLICE_NONE).len, 0);
}

TEST(slice_split_at_first)
{
    struct slice head, rest;
    CHECK(slice_split(SLICE("a=b=c"), '=', &head, &rest));
    CHECK_SLICE(head, "a");
    CHECK_SLICE(rest, "b=c");
    CHECK(slice_split(SLICE("a="), '=', &head, &rest));
    CHECK_INT(rest.len, 0);
    CHECK(rest.ptr != NULL);
    CHECK(!slice_split(SLICE("abc"), '=', &head, &rest));
    CHECK_SLICE(head, "abc");
    CHECK(rest.ptr == NULL);
}

TEST(slice_from_and_until_stay_inside)
{
    CHECK_INT(slice_from(SLICE("abc"), 7).len, 0);
    CHECK_SLICE(slice_from(SLICE("abc"), 1), "bc");
    CHECK_SLICE(slice_until(SLICE("abc"), 7), "abc");
    CHECK_SLICE(slice_until(SLICE("abc"), 1), "a");
}

TEST(slice_to_integers)
{
    uint64_t u = 7;
    int64_t i = 7;
    CHECK(slice_to_u64(SLICE("18446744073709551615"), &u) && u == UINT64_MAX);
    CHECK(!slice_to_u64(SLICE("18446744073709551616"), &u));
    CHECK(u == UINT64_MAX);
    CHECK(!slice_to_u64(SLICE(""), &u) && !slice_to_u64(SLICE("1a"), &u));
    CHECK(!slice_to_u64(SLICE("-1"), &u) && !slice_to_u64(SLICE(" 1"), &u));
    CHECK(slice_to_i64(SLICE("-9223372036854775808"), &i) && i == INT64_MIN);
    CHECK(slice_to_i64(SLICE("+9223372036854775807"), &i) && i == INT64_MAX);
    CHECK(!slice_to_i64(SLICE("9223372036854775808"), &i));
    CHECK(!slice_to_i64(SLICE("-9223372036854775809"), &i));
    CHECK(!slice_to_i64(SLICE("-"), &i) && !slice_to_i64(SLICE("--1"), &i));
}

TEST(slice_to_double_is_decimal_and_finite)
{
    double d = 0;
    CHECK(slice_to_double(SLICE("-1.5e3"), &d) && d < -1499 && d > -1501);
    CHECK(slice_to_double(SLICE(".5"), &d) && slice_to_double(SLICE("5."), &d));
    CHECK(!slice_to_double(SLICE("1e400"), &d) && !slice_to_double(SLICE("0x10"), &d));
    CHECK(!slice_to_double(SLICE("inf"), &d) && !slice_to_double(SLICE("nan"), &d));
    CHECK(!slice_to_double(SLICE("1e"), &d) && !slice_to_double(SLICE("."), &d));
    CHECK(!slice_to_double(SLICE(""), &d) && !slice_to_double(SLICE("1 "), &d));
    char longest[401];
    memset(longest, '0', sizeof longest);
    CHECK(slice_to_double(slice_make(longest, 400), &d));
    CHECK(!slice_to_double(slice_make(longest, 401), &d));
}

TEST(words_are_taken_off)
{
    struct slice rest = SLICE("  one\ttwo  three\r\n");
    CHECK_SLICE(slice_next_word(&rest), "one");
    CHECK_SLICE(slice_next_word(&rest), "two");
    CHECK_SLICE(slice_next_word(&rest), "three");
    CHECK_SLICE(slice_next_word(&rest), "");
    CHECK_SLICE(slice_next_word(&rest), "");
}

TEST(plain_text_is_letters_digits_and_more)
{
    CHECK(slice_is_plain(SLICE("aZ09"), ""));
    CHECK(slice_is_plain(SLICE("a.b-c"), ".-"));
    CHECK(slice_is_plain(SLICE_NONE, ""));
    CHECK(!slice_is_plain(SLICE("a b"), ".-"));
    CHECK(!slice_is_plain(SLICE("a\0b"), ".-"));
    CHECK(!slice_is_plain(SLICE("\xc3\xa5"), ".-"));
}

TEST(a_copy_ends_with_nul)
{
    char to[4] = "xyz";
    CHECK(slice_copy(SLICE("abc"), to, sizeof to));
    CHECK_SLICE(slice_of(to), "abc");
    CHECK(!slice_copy(SLICE("abcd"), to, sizeof to));
    CHECK(!slice_copy(SLICE_NONE, to, sizeof to));
    CHECK_SLICE(slice_of(to), "abc");
}
