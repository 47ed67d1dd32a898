/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/cursor.h"

#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>

#include "base/be.h"

enum { MAC = 16, RAW_MAX = MAC + API_PLACE_MAX, TEXT_MAX = BASE64_ENCODE_RAW_LENGTH(RAW_MAX) };

/* purpose, what it is about, and one part more of that, kept apart. */
static void mac(const uint8_t secret[API_SECRET], const char *purpose, struct slice about,
                struct slice more, uint8_t ret[MAC])
{
    struct hmac_sha256_ctx ctx;
    uint8_t len[4];
    be32_put((char *)len, (uint32_t)about.len);
    hmac_sha256_set_key(&ctx, API_SECRET, secret);
    hmac_sha256_update(&ctx, strlen(purpose) + 1, (const uint8_t *)purpose);
    hmac_sha256_update(&ctx, sizeof len, len);
    hmac_sha256_update(&ctx, about.len, (const uint8_t *)about.ptr);
    hmac_sha256_update(&ctx, more.len, (const uint8_t *)more.ptr);
    hmac_sha256_digest(&ctx, MAC, ret);
}

void api_cursor_write(struct buf *out, const uint8_t secret[API_SECRET], struct slice list,
                      struct slice place)
{
    uint8_t raw[RAW_MAX];
    char text[TEXT_MAX];
    ASSERT(place.len <= API_PLACE_MAX);
    mac(secret, "cursor", list, place, raw);
    if (place.len) memcpy(raw + MAC, place.ptr, place.len);
    base64_encode_raw(text, MAC + place.len, raw);
    size_t len = BASE64_ENCODE_RAW_LENGTH(MAC + place.len);
    for (size_t i = 0; i < len && text[i] != '='; i++)
        buf_putc(out, (char)(text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i]));
}

bool api_cursor_read(struct slice text, const uint8_t secret[API_SECRET], struct slice list,
                     char space[API_PLACE_MAX], struct slice *ret)
{
    struct base64_decode_ctx ctx;
    uint8_t raw[BASE64_DECODE_LENGTH(TEXT_MAX)], right[MAC];
    struct buf again;
    size_t len = sizeof raw;
    if (text.len > TEXT_MAX) return false;
    base64url_decode_init(&ctx);
    if (!base64_decode_update(&ctx, &len, raw, text.len, text.ptr) || len < MAC || len > RAW_MAX)
        return false;
    struct slice place = slice_make(raw + MAC, len - MAC);
    mac(secret, "cursor", list, place, right);
    if (!memeql_sec(raw, right, MAC)) return false;
    /* One place, one text: bits that decoding passes over are not free. */
    buf_init(&again, TEXT_MAX);
    api_cursor_write(&again, secret, list, place);
    bool same = slice_eq(buf_slice(&again), text);
    buf_done(&again);
    if (place.len) memcpy(space, place.ptr, place.len);
    *ret = slice_make(space, place.len);
    return same;
}

void api_mark_write(const uint8_t secret[API_SECRET], const char *purpose, struct slice about,
                    char ret[API_MARK_TEXT + 1])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t right[MAC];
    mac(secret, purpose, about, SLICE_NONE, right);
    for (size_t i = 0; i < MAC; i++) {
        ret[2 * i] = digits[right[i] >> 4];
        ret[2 * i + 1] = digits[right[i] & 15];
    }
    ret[API_MARK_TEXT] = '\0';
}

bool api_mark_is(const uint8_t secret[API_SECRET], const char *purpose, struct slice about,
                 struct slice text)
{
    char right[API_MARK_TEXT + 1];
    api_mark_write(secret, purpose, about, right);
    return text.len == API_MARK_TEXT && memeql_sec(text.ptr, right, API_MARK_TEXT);
}
