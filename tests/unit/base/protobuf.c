/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/protobuf.h"

#include "test.h"

TEST(fields_of_each_type)
{
    /* The examples of the encoding's own guide, and fixed numbers. */
    struct slice m = SLICE("\x08\x96\x01"
                           "\x12\x07testing"
                           "\x1d\x01\x00\x00\x80"
                           "\x21\x02\x00\x00\x00\x00\x00\x00\x80"
                           "\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                           "\x32\x00");
    struct proto_field f;
    CHECK_INT(proto_next(&m, &f), 1);
    CHECK_INT(f.id, 1);
    CHECK_INT(f.type, PROTO_VARINT);
    CHECK_INT(f.number, 150);
    CHECK_SLICE(f.whole, "\x08\x96\x01");
    CHECK_INT(proto_next(&m, &f), 1);
    CHECK_INT(f.id, 2);
    CHECK_SLICE(f.bytes, "testing");
    CHECK_INT(proto_next(&m, &f), 1);
    CHECK_INT(f.type, PROTO_FIXED32);
    CHECK(f.number == 0x80000001);
    CHECK_INT(proto_next(&m, &f), 1);
    CHECK_INT(f.type, PROTO_FIXED64);
    CHECK(f.number == UINT64_C(0x8000000000000002));
    CHECK_INT(proto_next(&m, &f), 1);
    CHECK(f.number == UINT64_MAX);
    CHECK_INT(proto_next(&m, &f), 1);
    CHECK_INT(f.id, 6);
    CHECK_INT(f.bytes.len, 0);
    CHECK_INT(proto_next(&m, &f), 0);
}

TEST(damaged_messages)
{
    static const struct {
        struct slice s;
        int rc;
    } cases[] = {
        {{"\x08", 1}, ERR_TRUNCATED},
        {{"\x08\x80", 2}, ERR_TRUNCATED},
        {{"\x12\x02\x41", 3}, ERR_TRUNCATED},
        {{"\x1d\x00\x00\x00", 4}, ERR_TRUNCATED},
        {{"\x21\x00", 2}, ERR_TRUNCATED},
        {{"\x80", 1}, ERR_TRUNCATED},
        {{"\x00\x01", 2}, ERR_CORRUPT},
        {{"\x0b", 1}, ERR_CORRUPT}, /* a group */
        {{"\x0c", 1}, ERR_CORRUPT},
        {{"\x0e\x00", 2}, ERR_CORRUPT},
        {{"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}, ERR_TRUNCATED},
        {{"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12}, ERR_CORRUPT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice m = cases[i].s;
        struct proto_field f;
        CHECK_INT(proto_next(&m, &f), cases[i].rc);
        CHECK(m.ptr == cases[i].s.ptr && m.len == cases[i].s.len);
    }
}

TEST(written_fields_are_read_back)
{
    static const uint64_t numbers[] = {0, 1, 127, 128, 300, UINT32_MAX, UINT64_MAX};
    struct buf out;
    buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        buf_clear(&out);
        proto_put_number(&out, 536870911, numbers[i]);
        proto_put_bytes(&out, 2, SLICE("x"));
        struct slice m = buf_slice(&out);
        struct proto_field f;
        REQUIRE(proto_next(&m, &f) == 1);
        CHECK_INT(f.id, 536870911);
        CHECK(f.number == numbers[i]);
        REQUIRE(proto_next(&m, &f) == 1);
        CHECK_SLICE(f.bytes, "x");
        CHECK_INT(proto_next(&m, &f), 0);
    }
    buf_done(&out);
}
