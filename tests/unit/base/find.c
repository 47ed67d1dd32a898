/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/find.h"

#include "test.h"

static size_t find_plainly(struct slice s, struct slice lower, size_t from)
{
    for (size_t i = from; i + lower.len <= s.len; i++)
        if (slice_eq_nocase(slice_make(s.ptr + i, lower.len), lower)) return i;
    return SIZE_MAX;
}

TEST(it_finds_what_is_there)
{
    CHECK_INT(find_nocase(SLICE("xxRooT"), SLICE("root"), 0), 2);
    CHECK_INT(find_nocase(SLICE("root root"), SLICE("root"), 1), 5);
    CHECK(find_nocase(SLICE("roo"), SLICE("root"), 0) == SIZE_MAX);
    CHECK(find_nocase(SLICE(""), SLICE("r"), 0) == SIZE_MAX);
    CHECK(find_nocase(SLICE("root"), SLICE("root"), 9) == SIZE_MAX);
    CHECK_INT(find_nocase(SLICE("0123456789abcdef0123456789abcdefROOT"), SLICE("root"), 0), 32);
    /* Bytes that only differ in the bit of capitals. */
    CHECK(find_nocase(SLICE("a`b a`b a`b a`b a`b a`b"), SLICE("a@b"), 0) == SIZE_MAX);
    CHECK_INT(find_nocase(SLICE("A@B"), SLICE("a@b"), 0), 0);
    CHECK(find_nocase(SLICE("\x11 23456789abcdefghijkl"), SLICE("1"), 0) == SIZE_MAX);
}

TEST(it_finds_the_same_as_byte_by_byte)
{
    uint64_t state = 88172645463325252u;
    char text[200];
    for (unsigned round = 0; round < 200000; round++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        size_t n = state % sizeof text, len = 1 + (state >> 16) % 5, from = (state >> 24) % 40;
        for (size_t i = 0; i < n; i++) text[i] = "abAB@`"[(state >> (i % 50)) * (i + 7) % 6];
        char want[5];
        for (size_t i = 0; i < len; i++) want[i] = "ab@`"[(state >> (3 * i + 30)) % 4];
        struct slice s = slice_make(text, n), lower = slice_make(want, len);
        if (find_nocase(s, lower, from) != find_plainly(s, lower, from)) {
            test_fail(__FILE__, __LINE__, "%.*s in %.*s from %zu", SLICE_FMT(lower), SLICE_FMT(s),
                      from);
            return;
        }
    }
}
