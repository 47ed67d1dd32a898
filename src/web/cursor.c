/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/cursor.h"

#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>

#include "base/be.h"

enum { MAC = 16, RAW = 8 + MAC };
_Static_assert(BASE64_ENCODE_RAW_LENGTH(RAW) == API_CURSOR_TEXT, "a cursor has no padding");

static void mac(const uint8_t secret[API_SECRET], struct slice purpose, struct slice about,
                uint8_t ret[MAC])
{
    struct hmac_sha256_ctx ctx;
    const uint8_t apart = 0;
    hmac_sha256_set_key(&ctx, API_SECRET, secret);
    hmac_sha256_update(&ctx, purpose.len, (const uint8_t *)purpose.ptr);
    hmac_sha256_update(&ctx, 1, &apart);
    hmac_sha256_update(&ctx, about.len, (const uint8_t *)about.ptr);
    hmac_sha256_digest(&ctx, MAC, ret);
}

/* purpose "cursor" and the position before the list. */
static void mac_cursor(const uint8_t secret[API_SECRET], const char position[8], struct slice list,
                       uint8_t ret[MAC])
{
    char purpose[6 + 8] = "cursor";
    memcpy(purpose + 6, position, 8);
    mac(secret, slice_make(purpose, sizeof purpose), list, ret);
}

void api_cursor_write(struct buf *out, const uint8_t secret[API_SECRET], struct slice list,
                      uint64_t position)
{
    uint8_t raw[RAW];
    char text[API_CURSOR_TEXT];
    be32_put((char *)raw, (uint32_t)(position >> 32));
    be32_put((char *)raw + 4, (uint32_t)position);
    mac_cursor(secret, (const char *)raw, list, raw + 8);
    base64_encode_raw(text, sizeof raw, raw);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    buf_put(out, slice_make(text, sizeof text));
}

bool api_cursor_read(struct slice text, const uint8_t secret[API_SECRET], struct slice list,
                     uint64_t *ret_position)
{
    struct base64_decode_ctx ctx;
    uint8_t raw[BASE64_DECODE_LENGTH(API_CURSOR_TEXT)], right[MAC];
    size_t len = sizeof raw;
    if (text.len != API_CURSOR_TEXT) return false;
    base64url_decode_init(&ctx);
    if (!base64_decode_update(&ctx, &len, raw, text.len, text.ptr) || len != RAW ||
        !base64_decode_final(&ctx))
        return false;
    mac_cursor(secret, (const char *)raw, list, right);
    if (!memeql_sec(raw + 8, right, MAC)) return false;
    *ret_position = be64((const char *)raw);
    return true;
}

void api_mark_write(const uint8_t secret[API_SECRET], const char *purpose, struct slice about,
                    char ret[API_MARK_TEXT + 1])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t right[MAC];
    mac(secret, slice_of(purpose), about, right);
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
