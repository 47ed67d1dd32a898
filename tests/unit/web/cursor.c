/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/cursor.h"

#include "test.h"

static const uint8_t secret[API_SECRET] = {1, 2, 3}, other[API_SECRET] = {1, 2, 4};

TEST(only_for_its_list)
{
    struct buf text;
    uint64_t position = 0;
    const struct slice list = SLICE("alerts 0\nlevel=high");
    buf_init(&text, 64);
    api_cursor_write(&text, secret, list, UINT64_C(0x123456789abcdef0));
    CHECK_INT(text.len, API_CURSOR_TEXT);
    CHECK(slice_is_plain(buf_slice(&text), "-_"));
    REQUIRE(api_cursor_read(buf_slice(&text), secret, list, &position));
    CHECK(position == UINT64_C(0x123456789abcdef0));
    CHECK(!api_cursor_read(buf_slice(&text), secret, SLICE("alerts 1\nlevel=high"), &position));
    CHECK(!api_cursor_read(buf_slice(&text), other, list, &position));
    CHECK(!api_cursor_read(slice_until(buf_slice(&text), 31), secret, list, &position));
    CHECK(!api_cursor_read(SLICE("================================"), secret, list, &position));
    buf_done(&text);
}

TEST(no_bit_can_be_changed)
{
    struct buf text;
    uint64_t position;
    const struct slice list = SLICE("alerts 0");
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    buf_init(&text, 64);
    api_cursor_write(&text, secret, list, 77);
    for (size_t at = 0; at < text.len; at++) {
        char right = text.ptr[at];
        for (size_t i = 0; i < 64; i++) {
            if (letters[i] == right) continue;
            text.ptr[at] = letters[i];
            CHECK(!api_cursor_read(buf_slice(&text), secret, list, &position));
        }
        text.ptr[at] = right;
    }
    buf_done(&text);
}

TEST(marks)
{
    char mark[API_MARK_TEXT + 1];
    api_mark_write(secret, "csrf", SLICE("session"), mark);
    CHECK(api_mark_is(secret, "csrf", SLICE("session"), slice_of(mark)));
    CHECK(!api_mark_is(secret, "csrf", SLICE("session2"), slice_of(mark)));
    CHECK(!api_mark_is(secret, "other", SLICE("session"), slice_of(mark)));
    CHECK(!api_mark_is(other, "csrf", SLICE("session"), slice_of(mark)));
    CHECK(!api_mark_is(secret, "csrf", SLICE("session"), SLICE_NONE));
}
