/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/export.h"

#include "drive.h"
#include "test.h"

static void check_max(struct slice in, uint32_t record_max, const char *text)
{
    static const size_t sizes[] = {0, 1, 2, 3, 7, 100};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct drive d;
        size_t size = sizes[i] ? sizes[i] : in.len;
        drive_init(&d, &export_protocol, record_max, 1);
        for (size_t at = 0; at < in.len; at += size)
            drive_feed(&d, slice_until(slice_from(in, at), size));
        drive_finish(&d);
        CHECK_SLICE(buf_slice(&d.text), text);
        drive_done(&d);
    }
}

TEST(export_splits_entries)
{
    check_max(SLICE("__CURSOR=a\nMESSAGE=x\n\n\n__CURSOR=b\nMESSAGE=\n\n"), 1024,
              "0 0 __CURSOR=a\nMESSAGE=x\n\n0 0 __CURSOR=b\nMESSAGE=\n\n");
}

/* An empty line inside of a binary value ends nothing. */
TEST(export_reads_binary_values)
{
    static const char in[] = "A=1\nMESSAGE\n\4\0\0\0\0\0\0\0a\n\nb\nB=2\n\nC\n\0\0\0\0\0\0\0\0\n\n";
    struct drive d;
    drive_init(&d, &export_protocol, 1024, 1);
    drive_feed(&d, slice_make(in, sizeof in - 1));
    CHECK_INT(d.records, 2);
    CHECK_INT(d.in.len, 0);
    CHECK_INT(d.error, 0);
    drive_done(&d);
}

TEST(export_cuts_what_is_too_long_and_goes_on)
{
    check_max(SLICE("A=345678\n\nA=3456789\n\nA=34567890123456789012345\nB=1\n\nA=\n\n"), 9,
              "0 0 A=345678\n\n0 2 A=3456789\n0 2 A=3456789\n0 0 A=\n\n");
}

TEST(export_gives_an_entry_without_its_end_as_cut)
{
    check_max(SLICE("A=1\n\nB=2\nC="), 1024,
              "0 0 A=1\n\n0 2 B=2\nC= (the stream ended inside of an entry)\n");
}

TEST(export_refuses_values_that_are_none)
{
    check_max(SLICE("A\n\1\0\0\0\0\0\0\0xy"), 1024,
              "input is damaged: a value that does not end where it says\n");
    check_max(SLICE("A\n\xff\xff\xff\xff\xff\xff\xff\xff"), 1024,
              "input is damaged: a value of an impossible length\n");
}

TEST(export_cursor_is_a_sequence_and_a_number)
{
    struct slice delivery;
    uint64_t ordinal;
    export_cursor(SLICE("s=aa;i=1f;b=cc;m=1;t=2;x=3"), &delivery, &ordinal);
    CHECK_SLICE(delivery, "s=aa");
    CHECK_INT(ordinal, 31);
    export_cursor(SLICE("something else"), &delivery, &ordinal);
    CHECK_SLICE(delivery, "something else");
    CHECK_INT(ordinal, 0);
    export_cursor(SLICE("s=aa;i=xyz;b=cc"), &delivery, &ordinal);
    CHECK_SLICE(delivery, "s=aa;i=xyz;b=cc");
    CHECK_SLICE(export_cursor_of(SLICE("__CURSOR=s=1\nA=2\n")), "s=1");
    CHECK_SLICE(export_cursor_of(SLICE("A=2\n__CURSOR=s=1\n")), "");
}
