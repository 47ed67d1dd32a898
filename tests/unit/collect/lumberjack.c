/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/lumberjack.h"

#include <endian.h>

#include "drive.h"
#include "test.h"

static void put_be32(struct buf *b, uint32_t v)
{
    v = htobe32(v);
    buf_put(b, slice_make(&v, sizeof v));
}

static void put_window(struct buf *b, uint32_t n)
{
    buf_puts(b, "2W");
    put_be32(b, n);
}

static void put_json(struct buf *b, uint32_t seq, const char *json)
{
    buf_puts(b, "2J");
    put_be32(b, seq);
    put_be32(b, (uint32_t)strlen(json));
    buf_puts(b, json);
}

static void put_packed(struct buf *b, struct slice plain)
{
    uLongf len = compressBound((uLong)plain.len);
    Bytef *packed = malloc(len);
    REQUIRE(packed != NULL);
    REQUIRE(compress(packed, &len, (const Bytef *)plain.ptr, (uLong)plain.len) == Z_OK);
    buf_puts(b, "2C");
    put_be32(b, (uint32_t)len);
    buf_put(b, slice_make(packed, len));
    free(packed);
}

static void put_ack(struct buf *b, uint32_t seq)
{
    buf_puts(b, "2A");
    put_be32(b, seq);
}

static void check(const struct buf *in, uint32_t record_max, const char *text)
{
    static const size_t sizes[] = {0, 1, 2, 3, 7, 100};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct drive d;
        size_t size = sizes[i] ? sizes[i] : in->len;
        drive_init(&d, &lumberjack_protocol, record_max, 100000);
        for (size_t at = 0; at < in->len; at += size)
            drive_feed(&d, slice_until(slice_from(buf_slice(in), at), size));
        drive_finish(&d);
        CHECK_SLICE(buf_slice(&d.text), text);
        CHECK_INT(d.out.len, 0);
        drive_done(&d);
    }
}

TEST(lumberjack_reads_windows_and_compressed_frames)
{
    struct buf in, plain;
    buf_init(&in, 1 << 20);
    buf_init(&plain, 1 << 20);
    put_window(&in, 3);
    put_json(&in, 1, "{\"a\":1}");
    put_json(&plain, 2, "{\"b\":\"x\\ny\"}");
    put_json(&plain, 3, "{}");
    put_packed(&in, buf_slice(&plain));
    buf_clear(&plain);
    put_window(&plain, 2);
    put_json(&plain, 1, "{\"c\":1}");
    put_packed(&in, buf_slice(&plain));
    put_json(&in, 2, "{\"d\":1}");
    check(&in, 1024,
          "1 0 {\"a\":1}\n2 0 {\"b\":\"x\\ny\"}\n3 0 {}\n1 0 {\"c\":1}\n2 0 {\"d\":1}\n");
    buf_done(&in);
    buf_done(&plain);
}

TEST(lumberjack_cuts_what_is_too_long_and_goes_on)
{
    struct buf in, plain;
    buf_init(&in, 1 << 20);
    buf_init(&plain, 1 << 20);
    put_window(&in, 4);
    put_json(&in, 1, "12345678");
    put_json(&in, 2, "123456789012345678901234567890");
    put_json(&plain, 3, "123456789");
    put_json(&plain, 4, "x");
    put_packed(&in, buf_slice(&plain));
    check(&in, 8, "1 0 12345678\n2 2 12345678\n3 2 12345678\n4 0 x\n");
    buf_done(&in);
    buf_done(&plain);
}

TEST(lumberjack_acks_each_window_by_its_last)
{
    struct drive d;
    struct buf in, expected;
    buf_init(&in, 1 << 20);
    buf_init(&expected, 1 << 20);
    drive_init(&d, &lumberjack_protocol, 1024, 100);
    put_window(&in, 2);
    put_json(&in, 1, "{}");
    put_json(&in, 2, "{}");
    put_window(&in, 3);
    for (uint32_t i = 1; i <= 3; i++) put_json(&in, i, "{}");
    drive_feed(&d, buf_slice(&in));
    CHECK_INT(d.records, 5);
    lumberjack_protocol.keep_alive(d.p, &d.out);
    put_ack(&expected, 0);
    lumberjack_protocol.acked(d.p, 1, &d.out);
    put_ack(&expected, 1);
    lumberjack_protocol.acked(d.p, 3, &d.out);
    put_ack(&expected, 2);
    put_ack(&expected, 2);
    lumberjack_protocol.acked(d.p, 1, &d.out);
    put_ack(&expected, 3);
    lumberjack_protocol.keep_alive(d.p, &d.out);
    CHECK(slice_eq(buf_slice(&d.out), buf_slice(&expected)));
    /* Sequence numbers may go on from window to window. */
    buf_clear(&in);
    buf_clear(&d.out);
    buf_clear(&expected);
    put_window(&in, 1);
    put_json(&in, 77, "{}");
    put_window(&in, 1);
    put_json(&in, 78, "{}");
    drive_feed(&d, buf_slice(&in));
    lumberjack_protocol.acked(d.p, 2, &d.out);
    put_ack(&expected, 77);
    put_ack(&expected, 78);
    CHECK(slice_eq(buf_slice(&d.out), buf_slice(&expected)));
    CHECK_INT(d.error, 0);
    drive_done(&d);
    buf_done(&in);
    buf_done(&expected);
}

static void refuse(struct slice in, uint32_t pending_max, const char *text)
{
    struct drive d;
    drive_init(&d, &lumberjack_protocol, 1024, pending_max);
    drive_feed(&d, in);
    CHECK(d.error < 0);
    CHECK(slice_ends_with(buf_slice(&d.text), slice_of(text)));
    drive_done(&d);
}

TEST(lumberjack_refuses_what_breaks_its_rules)
{
    struct buf in, plain;
    buf_init(&in, 1 << 20);
    buf_init(&plain, 1 << 20);
    refuse(SLICE("1W\0\0\0\1"), 8, ": not a frame of Lumberjack v2\n");
    refuse(SLICE("2D\0\0\0\1"), 8, ": not a frame of Lumberjack v2\n");
    put_json(&in, 1, "{}");
    refuse(buf_slice(&in), 8, ": a record outside of its window\n");
    buf_clear(&in);
    put_window(&in, 1);
    put_json(&in, 1, "{}");
    put_json(&in, 2, "{}");
    refuse(buf_slice(&in), 8, ": a record outside of its window\n");
    buf_clear(&in);
    put_window(&in, 9);
    put_json(&in, 1, "{}");
    put_json(&in, 3, "{}");
    refuse(buf_slice(&in), 8, ": sequence numbers that do not ascend by one\n");
    buf_clear(&in);
    put_window(&in, 9);
    for (uint32_t i = 1; i <= 9; i++) put_json(&in, i, "{}");
    refuse(buf_slice(&in), 8, ": too many records wait for their ack\n");
    buf_clear(&in);
    for (uint32_t i = 0; i < LUMBERJACK_WINDOWS_MAX + 1; i++) {
        put_window(&in, 1);
        put_json(&in, 1, "{}");
    }
    refuse(buf_slice(&in), 100, ": too many windows wait for their ack\n");
    buf_clear(&in);
    put_packed(&plain, SLICE("2W\0\0\0\1"));
    put_packed(&in, buf_slice(&plain));
    refuse(buf_slice(&in), 8, ": a compressed frame inside of another\n");
    buf_clear(&in);
    put_packed(&in, SLICE("2W\0\0\0"));
    refuse(buf_slice(&in), 8, ": a frame that breaks off inside of a compressed one\n");
    refuse(SLICE("2C\0\0\0\x08xxxxxxxx"), 8, ": damaged compression\n");
    refuse(SLICE("2C\xff\xff\xff\xff"), 8, ": a compressed frame that is too long\n");
    buf_done(&in);
    buf_done(&plain);
}

TEST(lumberjack_refuses_a_length_that_is_not_the_streams)
{
    struct buf in;
    buf_init(&in, 1 << 20);
    put_packed(&in, SLICE("2W\0\0\0\1"));
    char *len = in.ptr + 5;
    *len = (char)(*len - 1);
    refuse(buf_slice(&in), 8, ": a compressed frame that does not end where it says\n");
    *len = (char)(*len + 2);
    buf_putc(&in, 'x');
    refuse(buf_slice(&in), 8, ": a compressed frame that does not end where it says\n");
    buf_done(&in);
}

/* Windows without records, as many as a frame of 100 KB can hold. */
TEST(lumberjack_refuses_a_bomb)
{
    struct buf in, plain;
    buf_init(&in, 1 << 20);
    buf_init(&plain, LUMBERJACK_UNPACKED_MAX + 64);
    while (plain.len <= LUMBERJACK_UNPACKED_MAX) put_window(&plain, 1);
    put_packed(&in, buf_slice(&plain));
    buf_done(&plain);
    refuse(buf_slice(&in), 8, ": a compressed frame that unpacks to too much\n");
    buf_done(&in);
}
