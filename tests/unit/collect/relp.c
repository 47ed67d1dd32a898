/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/relp.h"

#include "drive.h"
#include "test.h"

#define OPEN   "1 open 3 a=b\n"
#define OPENED "1 rsp 56 200 OK\nrelp_version=0\nrelp_software=vaka\ncommands=syslog\n"

static void check_max(const char *in, uint32_t record_max, const char *text, const char *out)
{
    static const size_t sizes[] = {0, 1, 2, 3, 11};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct drive d;
        struct slice all = slice_of(in);
        size_t size = sizes[i] ? sizes[i] : all.len;
        drive_init(&d, &relp_protocol, record_max, 8);
        for (size_t at = 0; at < all.len; at += size)
            drive_feed(&d, slice_until(slice_from(all, at), size));
        drive_finish(&d);
        CHECK_SLICE(buf_slice(&d.text), text);
        CHECK_SLICE(buf_slice(&d.out), out);
        drive_done(&d);
    }
}

TEST(relp_answers_only_what_is_safe)
{
    struct drive d;
    drive_init(&d, &relp_protocol, 1024, 8);
    drive_feed(&d, SLICE(OPEN));
    CHECK_SLICE(buf_slice(&d.out), OPENED);
    buf_clear(&d.out);
    drive_feed(&d, SLICE("2 syslog 7 <34>one\n3 syslog 7 <34>two\n4 syslog 9 <34>a\nb\nc\n"));
    CHECK_SLICE(buf_slice(&d.text), "2 0 <34>one\n3 0 <34>two\n4 0 <34>a\nb\nc\n");
    CHECK_INT(d.out.len, 0);
    relp_protocol.acked(d.p, 1, &d.out);
    CHECK_SLICE(buf_slice(&d.out), "2 rsp 6 200 OK\n");
    relp_protocol.acked(d.p, 2, &d.out);
    CHECK_SLICE(buf_slice(&d.out), "2 rsp 6 200 OK\n3 rsp 6 200 OK\n4 rsp 6 200 OK\n");
    buf_clear(&d.out);
    drive_feed(&d, SLICE("5 close 0\n"));
    CHECK_INT(d.error, ERR_STOPPED);
    CHECK_SLICE(buf_slice(&d.out), "5 rsp 0\n0 serverclose 0\n");
    drive_done(&d);
}

TEST(relp_reads_the_same_in_pieces)
{
    check_max(OPEN
              "2 syslog 7 <34>one\n3 syslog 0\n4 syslog 0 \n999999999 syslog 3 <1>\n1 syslog 1 x\n",
              1024, "2 0 <34>one\n3 0 \n4 0 \n999999999 0 <1>\n1 0 x\n", OPENED);
}

TEST(relp_cuts_what_is_too_long_and_goes_on)
{
    check_max(OPEN "2 syslog 8 12345678\n3 syslog 20 12345678901234567890\n4 syslog 1 x\n", 8,
              "2 0 12345678\n3 2 12345678\n4 0 x\n", OPENED);
}

TEST(relp_refuses_what_is_no_frame)
{
    static const char *const bad[] = {
        "<34>one\n",
        "1\n",
        "1 \n",
        " 1 open 0\n",
        "1234567890 open 0\n",
        "1 op3n 0\n",
        "1 open 1234567890 ",
        "1 open x\n",
        "1 open 3\n",
        "1 open -1 \n",
        "1 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 0\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct drive d;
        drive_init(&d, &relp_protocol, 1024, 8);
        drive_feed(&d, slice_of(bad[i]));
        CHECK_INT(d.error, ERR_CORRUPT);
        CHECK_SLICE(buf_slice(&d.text), "input is damaged: not a RELP frame\n");
        drive_done(&d);
    }
}

TEST(relp_holds_its_order)
{
    check_max("1 syslog 1 x\n", 1024, "input is damaged: a record before the session was opened\n",
              "");
    check_max(OPEN "2 syslog 1 xy\n", 1024,
              "input is damaged: a frame that does not end where it says\n", OPENED);
    check_max(OPEN "2 starttls 0\n", 1024, "input is damaged: a command that was not offered\n",
              OPENED "2 rsp 25 500 command not supported\n");
    check_max("1 open 5000 x", 1024, "a limit was reached: a command with too much data\n", "");
}

TEST(relp_bounds_what_waits)
{
    struct drive d;
    drive_init(&d, &relp_protocol, 1024, 2);
    drive_feed(&d, SLICE(OPEN "2 syslog 1 x\n3 syslog 1 x\n"));
    CHECK_INT(d.error, 0);
    drive_feed(&d, SLICE("4 syslog 1 x\n"));
    CHECK_INT(d.error, ERR_LIMIT);
    drive_done(&d);
}

/* The ring of numbers grows while it is in use. */
TEST(relp_answers_in_order_through_a_growing_ring)
{
    struct drive d;
    struct buf expected;
    char frame[64];
    buf_init(&expected, 1 << 20);
    drive_init(&d, &relp_protocol, 1024, 4096);
    drive_feed(&d, SLICE(OPEN));
    buf_clear(&d.out);
    uint32_t acked = 0;
    for (uint32_t i = 0; i < 3000; i++) {
        (void)snprintf(frame, sizeof frame, "%u syslog 1 x\n", i + 2);
        drive_feed(&d, slice_of(frame));
        if (i % 3 == 0) {
            relp_protocol.acked(d.p, 1, &d.out);
            buf_printf(&expected, "%u rsp 6 200 OK\n", acked++ + 2);
        }
    }
    relp_protocol.acked(d.p, 3000 - acked, &d.out);
    for (; acked < 3000; acked++) buf_printf(&expected, "%u rsp 6 200 OK\n", acked + 2);
    CHECK(slice_eq(buf_slice(&d.out), buf_slice(&expected)));
    drive_done(&d);
    buf_done(&expected);
}
