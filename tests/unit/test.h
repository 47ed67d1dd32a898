/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The test harness. A test file holds TEST(name) functions and nothing to register them; one
 * program per file, named after what it tests, prints TAP. CHECK* go on after a failure, REQUIRE
 * ends the test. SKIP ends it and says why.
 *
 *     TEST(slice_trim_drops_blanks)
 *     {
 *         CHECK_SLICE(slice_trim(SLICE(" a ")), "a");
 *     }
 *
 * Program arguments: names (or prefixes ending in *) of the tests to run; none runs all.
 */
#ifndef VAKA_TESTS_TEST_H
#define VAKA_TESTS_TEST_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/slice.h"

struct test_case {
    const char *name;
    void (*run)(void);
    const char *file;
    int line;
};

#define TEST(test_name)                                                                            \
    static void test_##test_name(void);                                                            \
    static const struct test_case test_case_##test_name = {#test_name, test_##test_name, __FILE__, \
                                                           __LINE__};                              \
    __attribute__((                                                                                \
        used,                                                                                      \
        section("test_cases"))) static const struct test_case *const test_entry_##test_name =      \
        &test_case_##test_name;                                                                    \
    static void test_##test_name(void)

void test_fail(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void test_stop(void) __attribute__((noreturn));
void test_skip(const char *why) __attribute__((noreturn));
/* A folder of third-party data beside the project, or NULL when absent (VAKA_CORPUS,
 * ../shared/corpus). */
const char *test_corpus(void);
/* The whole file; the program ends when it cannot be read. Freed by the caller. */
char *test_read_file(const char *path, size_t *ret_len);

/* `n`, or a part of it where VAKA_TEST_LESS says that all is that many times slower: for tests of
 * what is large, whose size is not what they are about. */
size_t test_less(size_t n);

/*
 * Files of a test's own: `name` in a folder that is made at first use and removed at the end. The
 * path is valid until eight more were asked for. test_write() makes the folders on the way.
 */
const char *test_path(const char *name);
void test_write_bytes(const char *name, struct slice bytes);
static inline void test_write(const char *name, const char *text)
{
    test_write_bytes(name, slice_of(text));
}

#define CHECK(expr) ((expr) ? (void)0 : test_fail(__FILE__, __LINE__, "CHECK(%s)", #expr))
#define REQUIRE(expr)                                                                              \
    ((expr) ? (void)0 : (test_fail(__FILE__, __LINE__, "REQUIRE(%s)", #expr), test_stop()))
#define CHECK_INT(got, want)                                                                       \
    do {                                                                                           \
        long long got_ = (long long)(got), want_ = (long long)(want);                              \
        if (got_ != want_)                                                                         \
            test_fail(__FILE__, __LINE__, "%s is %lld, not %lld", #got, got_, want_);              \
    } while (0)
#define CHECK_SLICE(got, want)                                                                     \
    do {                                                                                           \
        struct slice got_ = (got), want_ = slice_of(want);                                         \
        if (!slice_eq(got_, want_))                                                                \
            test_fail(__FILE__, __LINE__, "%s is \"%.*s\", not \"%s\"", #got, (int)got_.len,       \
                      got_.ptr ? got_.ptr : "", want_.ptr);                                        \
    } while (0)
#define SKIP(why) test_skip(why)

#endif
