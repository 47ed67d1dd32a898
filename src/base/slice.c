/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/slice.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

enum { NEEDLE_SHORT = 8 };

int slice_cmp(struct slice a, struct slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
    if (c) return c;
    return a.len < b.len ? -1 : a.len > b.len;
}

static unsigned char lower(unsigned char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++) {
        unsigned char x = (unsigned char)a.ptr[i], y = (unsigned char)b.ptr[i];
        if (x != y && lower(x) != lower(y)) return false;
    }
    return true;
}

bool slice_ends_with(struct slice s, struct slice suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

/* By its first byte: memmem() makes a table before it looks. */
static size_t find_short(struct slice s, struct slice needle)
{
    size_t starts = s.len - needle.len + 1; /* where it may begin */
    for (size_t at = 0, n; at < starts; at++) {
        n = slice_find_byte(slice_make(s.ptr + at, starts - at), needle.ptr[0]);
        if (n == SIZE_MAX) break;
        at += n;
        if (memcmp(s.ptr + at, needle.ptr, needle.len) == 0) return at;
    }
    return SIZE_MAX;
}

size_t slice_find(struct slice s, struct slice needle)
{
    if (needle.len == 0) return 0;
    if (s.len < needle.len) return SIZE_MAX;
    if (needle.len <= NEEDLE_SHORT) return find_short(s, needle);
    const char *hit = memmem(s.ptr, s.len, needle.ptr, needle.len);
    return hit ? (size_t)(hit - s.ptr) : SIZE_MAX;
}

size_t slice_find_last_byte(struct slice s, char c)
{
    const char *hit = s.len ? memrchr(s.ptr, c, s.len) : NULL;
    return hit ? (size_t)(hit - s.ptr) : SIZE_MAX;
}

size_t slice_find_last(struct slice s, struct slice needle)
{
    if (needle.len == 0 || needle.len > s.len) return SIZE_MAX;
    size_t starts = s.len - needle.len + 1; /* where it may begin */
    for (size_t at; (at = slice_find_last_byte(slice_until(s, starts), needle.ptr[0])) != SIZE_MAX;
         starts = at)
        if (memcmp(s.ptr + at, needle.ptr, needle.len) == 0) return at;
    return SIZE_MAX;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim_blanks(struct slice s)
{
    while (s.len && is_blank(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len && is_blank(s.ptr[s.len - 1])) s.len--;
    return s;
}

bool slice_split(struct slice s, char sep, struct slice *ret_head, struct slice *ret_rest)
{
    size_t at = slice_find_byte(s, sep);
    if (at == SIZE_MAX) {
        *ret_head = s;
        *ret_rest = SLICE_NONE;
        return false;
    }
    *ret_head = slice_until(s, at);
    *ret_rest = slice_from(s, at + 1);
    return true;
}

bool slice_to_u64(struct slice s, uint64_t *ret)
{
    enum { DIGITS_FIT = 19 }; /* whatever they are */
    const size_t fit = s.len < DIGITS_FIT ? s.len : DIGITS_FIT;
    uint64_t v = 0;
    if (s.len == 0) return false;
    for (size_t i = 0; i < fit; i++) {
        unsigned d = (unsigned char)s.ptr[i] - (unsigned)'0';
        if (d > 9) return false;
        v = v * 10 + d;
    }
    for (size_t i = fit; i < s.len; i++) {
        unsigned d = (unsigned char)s.ptr[i] - (unsigned)'0';
        if (d > 9 || __builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, d, &v))
            return false;
    }
    *ret = v;
    return true;
}

bool slice_to_i64(struct slice s, int64_t *ret)
{
    bool negative = s.len && s.ptr[0] == '-';
    if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+')) s = slice_from(s, 1);
    uint64_t v;
    if (!slice_to_u64(s, &v)) return false;
    if (negative) {
        if (v > (uint64_t)INT64_MAX + 1) return false;
        *ret = v == (uint64_t)INT64_MAX + 1 ? INT64_MIN : -(int64_t)v;
    } else {
        if (v > (uint64_t)INT64_MAX) return false;
        *ret = (int64_t)v;
    }
    return true;
}

static bool double_syntax(struct slice s)
{
    size_t i = 0, digits = 0;
    if (i < s.len && (s.ptr[i] == '-' || s.ptr[i] == '+')) i++;
    for (; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++) digits++;
    if (i < s.len && s.ptr[i] == '.')
        for (i++; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++) digits++;
    if (digits == 0) return false;
    if (i < s.len && (s.ptr[i] == 'e' || s.ptr[i] == 'E')) {
        i++;
        if (i < s.len && (s.ptr[i] == '-' || s.ptr[i] == '+')) i++;
        size_t start = i;
        while (i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9') i++;
        if (i == start) return false;
    }
    return i == s.len;
}

bool slice_to_double(struct slice s, double *ret)
{
    char text[401];
    if (s.len == 0 || s.len >= sizeof text || !double_syntax(s)) return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    /* The program never calls setlocale for LC_NUMERIC, so the decimal point is a point. */
    double v = strtod(text, NULL);
    if (!isfinite(v)) return false;
    *ret = v;
    return true;
}

struct slice slice_next_word(struct slice *rest)
{
    size_t end = 0;
    *rest = slice_trim(*rest);
    while (end < rest->len && rest->ptr[end] != ' ' && rest->ptr[end] != '\t') end++;
    struct slice word = slice_until(*rest, end);
    *rest = slice_from(*rest, end);
    return word;
}

bool slice_is_plain(struct slice s, const char *more)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && (c == '\0' || !strchr(more, c))) return false;
    }
    return true;
}

bool slice_copy(struct slice s, char *to, size_t size)
{
    if (s.len == 0 || s.len >= size) return false;
    memcpy(to, s.ptr, s.len);
    to[s.len] = '\0';
    return true;
}
