/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/framing.h"

#include "base/hash.h"
#include "drive.h"
#include "event/record.h"
#include "test.h"

/* Feeds the bytes in pieces of `size` (0: all at once) and gives what came as text. */
static void run(struct slice in, uint32_t record_max, size_t size, struct buf *out)
{
    struct drive d;
    drive_init(&d, &framing_protocol, record_max, 1);
    for (size_t at = 0; at < in.len; at += size ? size : in.len)
        drive_feed(&d, slice_until(slice_from(in, at), size ? size : in.len));
    drive_finish(&d);
    CHECK_INT(d.error, 0);
    CHECK_INT(d.out.len, 0);
    buf_put(out, buf_slice(&d.text));
    drive_done(&d);
}

static void check_max(struct slice in, uint32_t record_max, const char *expected)
{
    static const size_t sizes[] = {0, 1, 2, 3, 5, 7, 64};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct buf out;
        buf_init(&out, 1 << 20);
        run(in, record_max, sizes[i], &out);
        CHECK_SLICE(buf_slice(&out), expected);
        buf_done(&out);
    }
}

static void check(const char *in, const char *expected)
{
    check_max(slice_of(in), 1024, expected);
}

TEST(framing_splits_lines)
{
    check("<34>one\n<34>two\r\n\n\r\nthree\n", "0 0 <34>one\n0 0 <34>two\n0 0 three\n");
}

TEST(framing_counts_octets)
{
    check("7 <34>one11 <34>two\nx\ny8 <34>tail", "0 0 <34>one\n0 0 <34>two\nx\ny\n0 0 <34>tail\n");
}

TEST(framing_keeps_a_line_feed_that_is_counted_but_at_the_end)
{
    check("8 <34>one\n8 <34>t\n\no", "0 0 <34>one\n0 0 <34>t\n\no\n");
}

/* Once counts were used the text need not begin with a priority. */
TEST(framing_trusts_counts_after_the_first)
{
    check("7 <34>one5 hello6 12 abc", "0 0 <34>one\n0 0 hello\n0 0 12 abc\n");
}

TEST(framing_takes_a_line_that_begins_with_digits_for_a_line)
{
    check("2026-11-26 hello\n5 hello\n123456789 <34>x\n012 <34>x\n",
          "0 0 2026-11-26 hello\n0 0 5 hello\n0 0 123456789 <34>x\n0 0 012 <34>x\n");
}

TEST(framing_follows_a_stream_that_changes_its_way)
{
    check("<34>line\n7 <34>one<34>line\n7 <34>two",
          "0 0 <34>line\n0 0 <34>one\n0 0 <34>line\n0 0 <34>two\n");
}

/* CVE-2022-24903: the count's digits ran over their buffer and its value over its type. */
TEST(framing_takes_no_count_that_is_too_long)
{
    check("7 <34>one99999999 <34>two\n000000000000000000000000000000000007 <34>three\n7 <34>one",
          "0 0 <34>one\n0 0 99999999 <34>two (a count that is none)\n"
          "0 0 000000000000000000000000000000000007 <34>three\n0 0 <34>one\n");
    check("7 <34>one111111111111111111111111111111111111111111 <34>two\n7 <34>one",
          "0 0 <34>one\n0 0 111111111111111111111111111111111111111111 <34>two (a count that is "
          "none)\n0 0 <34>one\n");
}

TEST(framing_cuts_what_is_too_long_and_goes_on)
{
    check_max(SLICE("<1>45678\n<1>456789\n<1>4567890123456789012345678901234567890\n<1>4\n"), 8,
              "0 0 <1>45678\n0 2 <1>45678\n0 2 <1>45678\n0 0 <1>4\n");
    check_max(SLICE("8 <1>456789 <1>4567894 <1>4"), 8, "0 0 <1>45678\n0 2 <1>45678\n0 0 <1>4\n");
    check_max(SLICE("<1>45678\r\n<1>45678\rx\n<1>4\n"), 8,
              "0 0 <1>45678\n0 2 <1>45678\n0 0 <1>4\n");
}

TEST(framing_gives_what_is_left_at_the_end)
{
    check("<34>one\n<34>two", "0 0 <34>one\n0 0 <34>two\n");
    check("7 <34>one9 <34>tw", "0 0 <34>one\n0 2 <34>tw (the stream ended inside of a record)\n");
    check("7 <34>one9", "0 0 <34>one\n0 0 9\n");
    check_max(SLICE("<1>4567890123"), 8, "0 2 <1>45678\n");
}

/* One in, one out: nothing that a record says ends it, but for LF in a line. */
TEST(framing_is_not_moved_by_what_records_say)
{
    static const char text[] = "<34>a\0b\rc\xe2\x80\xa8 7 <34>x";
    struct slice record = slice_make(text, sizeof text - 1);
    struct buf in, expected, out;
    buf_init(&in, 1 << 16);
    buf_init(&expected, 1 << 16);
    buf_printf(&in, "%zu ", record.len);
    buf_put(&in, record);
    buf_put(&in, record);
    buf_putc(&in, '\n');
    for (int i = 0; i < 2; i++) {
        buf_puts(&expected, "0 0 ");
        buf_put(&expected, record);
        buf_putc(&expected, '\n');
    }
    for (size_t size = 0; size < 9; size++) {
        buf_init(&out, 1 << 16);
        run(buf_slice(&in), 1024, size, &out);
        CHECK(slice_eq(buf_slice(&out), buf_slice(&expected)));
        buf_done(&out);
    }
    buf_done(&in);
    buf_done(&expected);
}
