/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/engine/fold.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/utf8.h"

/* The byte an escape of one letter stands for; 0 for \u and what is not an escape. */
static inline char simple_escape(char c)
{
    switch (c) {
    case '\\':
    case '"':
    case '/':
        return c;
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    default:
        return 0;
    }
}

static inline char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/*
 * ASCII with simple escapes only; SIZE_MAX when anything else occurs. Writes up to 16 bytes past
 * the result, which LITERAL_SLACK allows.
 */
static size_t fold_ascii_json(char *dst, const char *p, size_t len)
{
    const char *end = p + len;
    char *out = dst;
#ifdef __SSE2__
    const __m128i before_a = _mm_set1_epi8('A' - 1), after_z = _mm_set1_epi8('Z' + 1);
    const __m128i bit = _mm_set1_epi8(0x20), slash = _mm_set1_epi8('\\');
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        if (_mm_movemask_epi8(v)) return SIZE_MAX;
        __m128i upper = _mm_and_si128(_mm_cmpgt_epi8(v, before_a), _mm_cmplt_epi8(v, after_z));
        __m128i folded = _mm_or_si128(v, _mm_and_si128(upper, bit));
        _mm_storeu_si128((__m128i *)(void *)out, folded);
        unsigned escapes = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, slash));
        if (!escapes) {
            p += 16;
            out += 16;
            continue;
        }
        unsigned at = (unsigned)__builtin_ctz(escapes);
        if (end - p < (ptrdiff_t)at + 2) return SIZE_MAX;
        char c = simple_escape(p[at + 1]);
        if (!c) return SIZE_MAX;
        out[at] = c;
        out += at + 1;
        p += at + 2;
    }
#endif
    while (p < end) {
        char c = *p++;
        if (c == '\\') {
            if (p == end || !(c = simple_escape(*p++))) return SIZE_MAX;
        } else if ((unsigned char)c >= 0x80) {
            return SIZE_MAX;
        }
        *out++ = lower(c);
    }
    return (size_t)(out - dst);
}

size_t fold_value(char *dst, struct event *ev, struct event_field *f)
{
    if (f->type == VALUE_JSON_STRING) {
        size_t n = fold_ascii_json(dst, f->value.ptr, f->value.len);
        if (n != SIZE_MAX) return n;
    }
    return utf8_fold(dst, event_text(ev, f));
}
