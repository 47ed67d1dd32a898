/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/cursor.h"

#include "test.h"

static const uint8_t secret[API_SECRET] = {1, 2, 3}, other[API_SECRET] = {1, 2, 4};

static bool read(struct slice text, const uint8_t key[API_SECRET], struct slice list)
{
    char space[API_PLACE_MAX];
    struct slice place;
    return api_cursor_read(text, key, list, space, &place) && slice_eq(place, SLICE("12.345"));
}

TEST(only_for_its_list)
{
    struct buf text;
    const struct slice list = SLICE("alerts 0\nlevel=high");
    buf_init(&text, 128);
    api_cursor_write(&text, secret, list, SLICE("12.345"));
    CHECK(slice_is_plain(buf_slice(&text), "-_"));
    CHECK(read(buf_slice(&text), secret, list));
    CHECK(!read(buf_slice(&text), secret, SLICE("alerts 1\nlevel=high")));
    CHECK(!read(buf_slice(&text), other, list));
    CHECK(!read(slice_until(buf_slice(&text), text.len - 1), secret, list));
    CHECK(!read(SLICE("================================"), secret, list));
    CHECK(!read(SLICE_NONE, secret, list));
    buf_done(&text);
}

TEST(no_bit_can_be_changed)
{
    struct buf text;
    const struct slice list = SLICE("alerts 0");
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    buf_init(&text, 128);
    api_cursor_write(&text, secret, list, SLICE("12.345"));
    for (size_t at = 0; at < text.len; at++) {
        char right = text.ptr[at];
        for (size_t i = 0; i < 64; i++) {
            if (letters[i] == right) continue;
            text.ptr[at] = letters[i];
            CHECK(!read(buf_slice(&text), secret, list));
        }
        text.ptr[at] = right;
    }
    buf_done(&text);
}

TEST(places_of_all_lengths)
{
    static const char letters[API_PLACE_MAX + 1] =
        "0123456789012345678901234567890123456789012345678901234567890123";
    for (size_t n = 0; n <= API_PLACE_MAX; n++) {
        char space[API_PLACE_MAX];
        struct slice place;
        struct buf text;
        buf_init(&text, 128);
        api_cursor_write(&text, secret, SLICE("l"), slice_make(letters, n));
        REQUIRE(api_cursor_read(buf_slice(&text), secret, SLICE("l"), space, &place));
        CHECK(slice_eq(place, slice_make(letters, n)));
        buf_done(&text);
    }
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
