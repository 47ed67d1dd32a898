/* SPDX-License-Identifier: EUPL-1.2 */
#include "proc/frame.h"

#include <stdlib.h>

#include "test.h"

static void put_sample(struct buf *b)
{
    buf_init(b, 4096);
    size_t begin = frame_begin(b, 7);
    frame_put_u8(b, 0xff);
    frame_put_u32(b, 0x89abcdef);
    frame_put_u64(b, UINT64_C(0x0123456789abcdef));
    frame_put_i64(b, INT64_MIN);
    frame_put_text(b, SLICE("a\0b"));
    frame_put_text(b, SLICE_NONE);
    frame_end(b, begin);
    REQUIRE(!buf_failed(b));
}

TEST(numbers_are_little_endian_behind_a_header)
{
    struct buf b;
    buf_init(&b, 64);
    size_t begin = frame_begin(&b, 9);
    frame_put_u32(&b, 0x04030201);
    frame_put_text(&b, SLICE("hi"));
    frame_end(&b, begin);
    static const char want[] = "\x0a\0\0\0\x09\x01\x02\x03\x04\x02\0\0\0hi";
    CHECK(slice_eq(buf_slice(&b), slice_make(want, sizeof want - 1)));
    buf_done(&b);
}

TEST(what_is_put_is_what_is_got)
{
    struct buf b;
    struct frame f;
    put_sample(&b);
    REQUIRE(frame_next(buf_slice(&b), 4096, &f) == 1);
    CHECK_INT(f.type, 7);
    CHECK_INT(f.size, b.len);
    struct frame_reader r = frame_reader_of(f.payload);
    CHECK_INT(frame_get_u8(&r), 0xff);
    CHECK_INT(frame_get_u32(&r), 0x89abcdef);
    CHECK(frame_get_u64(&r) == UINT64_C(0x0123456789abcdef));
    CHECK(frame_get_i64(&r) == INT64_MIN);
    CHECK(slice_eq(frame_get_text(&r, 3), SLICE("a\0b")));
    CHECK(!frame_done(&r));
    CHECK_INT(frame_get_text(&r, 0).len, 0);
    CHECK(frame_done(&r));
    buf_done(&b);
}

TEST(a_cut_frame_waits_for_more)
{
    struct buf b;
    struct frame f = {.size = 77};
    put_sample(&b);
    for (size_t n = 0; n < b.len; n++) {
        /* On the heap, so that a byte read too far is seen. */
        char *cut = malloc(n ? n : 1);
        REQUIRE(cut);
        memcpy(cut, b.ptr, n);
        CHECK_INT(frame_next(slice_make(cut, n), 4096, &f), 0);
        free(cut);
    }
    CHECK_INT(f.size, 77); /* untouched */
    buf_done(&b);
}

TEST(a_length_above_the_limit_is_refused_at_once)
{
    struct frame f;
    CHECK_INT(frame_next(SLICE("\x0a\0\0\0\1"), 10, &f), 0);
    CHECK_INT(frame_next(SLICE("\x0b\0\0\0\1"), 10, &f), ERR_CORRUPT);
    CHECK_INT(frame_next(SLICE("\xff\xff\xff\xff\1"), 10, &f), ERR_CORRUPT);
    CHECK_INT(frame_next(SLICE("\xff\xff\xff\xff\1"), SIZE_MAX, &f), 0);
    CHECK_INT(frame_next(SLICE("\0\0\0\0\3rest"), 0, &f), 1);
    CHECK_INT(f.payload.len, 0);
    CHECK_INT(f.size, FRAME_HEADER);
}

/* Every get past the end fails for good, also one that would fit what is left. */
TEST(a_reader_stays_failed)
{
    struct frame_reader r = frame_reader_of(SLICE("\1\2\3"));
    CHECK_INT(frame_get_u32(&r), 0);
    CHECK(r.failed);
    CHECK_INT(frame_get_u8(&r), 0);
    CHECK(!frame_done(&r));
    r = frame_reader_of(SLICE("\1\2\3\4\5\6\7"));
    CHECK(frame_get_u64(&r) == 0 && r.failed);
    r = frame_reader_of(SLICE_NONE);
    CHECK(frame_done(&r));
    CHECK_INT(frame_get_u8(&r), 0);
    CHECK(!frame_done(&r));
}

TEST(texts_are_bounded)
{
    struct frame_reader r = frame_reader_of(SLICE("\3\0\0\0abc"));
    CHECK_INT(frame_get_text(&r, 2).len, 0);
    CHECK(r.failed);
    r = frame_reader_of(SLICE("\4\0\0\0abc"));
    CHECK(frame_get_text(&r, SIZE_MAX).ptr == NULL);
    CHECK(r.failed);
    r = frame_reader_of(SLICE("\xff\xff\xff\xff"
                              "abc"));
    CHECK(frame_get_text(&r, SIZE_MAX).ptr == NULL);
    CHECK(r.failed);
    r = frame_reader_of(SLICE("\0\0\0"));
    CHECK(frame_get_text(&r, 8).ptr == NULL);
    CHECK(r.failed);
}

TEST(what_does_not_fit_fails_the_buffer)
{
    struct buf b;
    buf_init(&b, 10);
    size_t begin = frame_begin(&b, 1);
    frame_put_text(&b, SLICE("ab"));
    frame_end(&b, begin);
    CHECK(buf_failed(&b));
    buf_clear(&b);
    begin = frame_begin(&b, 1);
    frame_put_text(&b, slice_make("", (size_t)UINT32_MAX + 1));
    frame_end(&b, begin);
    CHECK(buf_failed(&b));
    buf_done(&b);
}

TEST(frames_follow_each_other)
{
    struct buf b;
    buf_init(&b, 4096);
    for (uint8_t type = 1; type <= 3; type++) {
        size_t begin = frame_begin(&b, type);
        for (uint8_t i = 0; i < type; i++) frame_put_u8(&b, type);
        frame_end(&b, begin);
    }
    struct slice rest = buf_slice(&b);
    struct frame f;
    for (uint8_t type = 1; type <= 3; type++) {
        REQUIRE(frame_next(rest, 3, &f) == 1);
        CHECK_INT(f.type, type);
        CHECK_INT(f.payload.len, type);
        rest = slice_from(rest, f.size);
    }
    CHECK_INT(rest.len, 0);
    buf_done(&b);
}
