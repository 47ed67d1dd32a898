/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/json_write.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

static void write_escape(struct buf *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    size_t len = 2;
    switch (c) {
    case '"':
        text[1] = '"';
        break;
    case '\\':
        text[1] = '\\';
        break;
    case '\n':
        text[1] = 'n';
        break;
    case '\r':
        text[1] = 'r';
        break;
    case '\t':
        text[1] = 't';
        break;
    case '\b':
        text[1] = 'b';
        break;
    case '\f':
        text[1] = 'f';
        break;
    default:
        len = 6;
        break;
    }
    buf_put(b, slice_make(text, len));
}

/* How many bytes from `at` on stand as they are in a string: printable ASCII, no quote, no
 * backslash. */
static size_t plain_run(struct slice s, size_t at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    size_t i = at;
    for (; s.len - i >= 8; i += 8) {
        uint64_t v;
        memcpy(&v, s.ptr + i, 8);
        /* The high bit of each byte that is zero after the exclusive or, or below 0x20, or high. */
        uint64_t quote = v ^ (ones * '"'), slash = v ^ (ones * '\\');
        uint64_t odd =
            ((quote - ones) & ~quote) | ((slash - ones) & ~slash) | (v - ones * 0x20) | v;
        if (odd & high) break;
    }
    while (i < s.len && (unsigned char)s.ptr[i] >= 0x20 && (unsigned char)s.ptr[i] < 0x80 &&
           s.ptr[i] != '"' && s.ptr[i] != '\\')
        i++;
    return i - at;
}

/* Written in runs: everything up to the next byte that cannot stand as it is goes in one piece. */
void json_write_string(struct buf *b, struct slice s)
{
    buf_putc(b, '"');
    size_t run = 0;
    for (size_t i = 0; i < s.len;) {
        i += plain_run(s, i);
        if (i == s.len) break;
        unsigned char c = (unsigned char)s.ptr[i];
        uint32_t cp;
        unsigned n = c >= 0x80 ? utf8_decode(s, i, &cp) : 0;
        if (n) {
            i += n;
            continue;
        }
        buf_put(b, slice_make(s.ptr + run, i - run));
        if (c >= 0x80) buf_put(b, SLICE("\xEF\xBF\xBD"));
        else write_escape(b, c);
        run = ++i;
    }
    if (run < s.len) buf_put(b, slice_make(s.ptr + run, s.len - run));
    buf_putc(b, '"');
}

void json_write_u64(struct buf *b, uint64_t v)
{
    char text[20];
    size_t at = sizeof text;
    do {
        text[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_put(b, slice_make(text + at, sizeof text - at));
}

void json_write_i64(struct buf *b, int64_t v)
{
    if (v < 0) buf_putc(b, '-');
    json_write_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void json_write_double(struct buf *b, double v)
{
    if (!isfinite(v)) {
        buf_puts(b, "null");
        return;
    }
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        int n = snprintf(text, sizeof text, "%.*g", digits, v);
        if (n < 0 || (size_t)n >= sizeof text) {
            b->failed = true;
            return;
        }
        if (strtod(text, NULL) == v) break;
    }
    buf_puts(b, text);
}

void json_write_key(struct buf *b, const char *key)
{
    char last = b->len ? b->ptr[b->len - 1] : '{';
    if (last != '{' && last != '[') buf_putc(b, ',');
    json_write_string(b, slice_of(key));
    buf_putc(b, ':');
}

static size_t digits_at(struct slice s, size_t at)
{
    size_t i = at;
    while (i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9') i++;
    return i - at;
}

void json_write_member_u64(struct buf *b, const char *key, uint64_t v)
{
    json_write_key(b, key);
    json_write_u64(b, v);
}

void json_write_member_string(struct buf *b, const char *key, struct slice s)
{
    json_write_key(b, key);
    json_write_string(b, s);
}

bool json_is_number(struct slice s)
{
    size_t i = s.len && s.ptr[0] == '-';
    size_t n = digits_at(s, i);
    if (n == 0 || (n > 1 && s.ptr[i] == '0')) return false;
    i += n;
    if (i < s.len && s.ptr[i] == '.') {
        n = digits_at(s, i + 1);
        if (n == 0) return false;
        i += 1 + n;
    }
    if (i < s.len && (s.ptr[i] == 'e' || s.ptr[i] == 'E')) {
        i++;
        if (i < s.len && (s.ptr[i] == '+' || s.ptr[i] == '-')) i++;
        n = digits_at(s, i);
        if (n == 0) return false;
        i += n;
    }
    return i == s.len;
}
