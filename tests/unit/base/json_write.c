/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/json_write.h"

#include <math.h>

#include "test.h"

static struct buf b;

static struct slice string(struct slice s)
{
    buf_done(&b);
    buf_init(&b, 4096);
    json_write_string(&b, s);
    return buf_slice(&b);
}

TEST(json_write_string_escapes)
{
    CHECK_SLICE(string(SLICE("")), "\"\"");
    CHECK_SLICE(string(SLICE_NONE), "\"\"");
    CHECK_SLICE(string(SLICE("a\"b\\c/")), "\"a\\\"b\\\\c/\"");
    CHECK_SLICE(string(SLICE("\n\r\t\b\f\x01\x1f\x7f")), "\"\\n\\r\\t\\b\\f\\u0001\\u001f\x7f\"");
    CHECK_SLICE(string(SLICE("a\0b")), "\"a\\u0000b\"");
}

TEST(json_write_string_is_always_utf8)
{
    CHECK_SLICE(string(SLICE("\xC3\xA5\xF0\x9F\x98\x80")), "\"\xC3\xA5\xF0\x9F\x98\x80\"");
    CHECK_SLICE(string(SLICE("x\xE5y")), "\"x\xEF\xBF\xBDy\"");
    CHECK_SLICE(string(SLICE("\xED\xA0\x80")), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
    CHECK_SLICE(string(SLICE("\xC3")), "\"\xEF\xBF\xBD\"");
}

TEST(json_write_numbers)
{
    buf_done(&b);
    buf_init(&b, 4096);
    json_write_u64(&b, 0);
    buf_putc(&b, ' ');
    json_write_u64(&b, UINT64_MAX);
    buf_putc(&b, ' ');
    json_write_i64(&b, INT64_MIN);
    buf_putc(&b, ' ');
    json_write_i64(&b, -1);
    CHECK_SLICE(buf_slice(&b), "0 18446744073709551615 -9223372036854775808 -1");
    buf_clear(&b);
    json_write_double(&b, 0.1);
    buf_putc(&b, ' ');
    json_write_double(&b, 1.0 / 3);
    buf_putc(&b, ' ');
    json_write_double(&b, -1e300);
    buf_putc(&b, ' ');
    json_write_double(&b, (double)NAN);
    buf_putc(&b, ' ');
    json_write_double(&b, (double)-INFINITY);
    CHECK_SLICE(buf_slice(&b), "0.1 0.3333333333333333 -1e+300 null null");
}

TEST(json_write_key_puts_commas)
{
    buf_done(&b);
    buf_init(&b, 4096);
    buf_putc(&b, '{');
    json_write_key(&b, "a");
    json_write_u64(&b, 1);
    json_write_key(&b, "b");
    buf_puts(&b, "[{");
    json_write_key(&b, "c");
    buf_puts(&b, "null}]}");
    CHECK_SLICE(buf_slice(&b), "{\"a\":1,\"b\":[{\"c\":null}]}");
}

TEST(json_write_overflow_is_the_bufs)
{
    buf_done(&b);
    buf_init(&b, 8);
    json_write_string(&b, SLICE("0123456789"));
    CHECK(buf_failed(&b));
    buf_done(&b);
}

TEST(json_is_number_is_the_grammar)
{
    static const char *const yes[] = {"0", "-0", "10", "1.5", "1e5", "1E+5", "-0.0e-0", "1e400"};
    static const char *const no[] = {"",    "-",   "01",  "+1", "1.", ".5",  "1e",
                                     "1e+", "0x1", "NaN", "1 ", "1,", "--1", "1.e5"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (!json_is_number(slice_of(yes[i]))) test_fail(__FILE__, __LINE__, "%s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (json_is_number(slice_of(no[i]))) test_fail(__FILE__, __LINE__, "%s", no[i]);
}
