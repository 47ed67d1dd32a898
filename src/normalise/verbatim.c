/* SPDX-License-Identifier: EUPL-1.2 */
#include "normalise/verbatim.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/find.h"

enum { TEXTS_MAX = 64 };

bool verbatim_is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr(".-_:@$", c));
}

static void set(uint64_t *bits, uint32_t number)
{
    bits[number / 64] |= UINT64_C(1) << number % 64;
}

/* Whether what begins with the byte at `at`, or ends with it and the next, makes a record opaque.
 */
static bool is_mark(struct slice s, size_t at)
{
    struct slice rest = slice_from(s, at), audit = SLICE("msg=audit(");
    char next = rest.len > 1 ? rest.ptr[1] : '\0';
    switch (rest.ptr[0]) {
    case '\0':
        return true;
    case '\\':
        return next == 'u';
    case '&':
        return next == '#';
    case '<':
        return next == '/' && rest.len > 1;
    case 't': /* the last letter before the parenthesis */
        return at + 2 >= audit.len && slice_starts_with(slice_from(s, at + 2 - audit.len), audit);
    default:
        return false;
    }
}

static size_t find_mark_slowly(struct slice s, size_t from)
{
    for (; from < s.len; from++)
        if (is_mark(s, from)) return from;
    return SIZE_MAX;
}

#ifdef __SSE2__
/* Places where two bytes stand that marks have, sixteen at once. */
static unsigned candidates(const char *p)
{
    __m128i a = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(p + 1));
#define IS(bytes, c) _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c))
    __m128i any = _mm_or_si128(IS(a, '\0'), _mm_and_si128(IS(a, '\\'), IS(b, 'u')));
    any = _mm_or_si128(any, _mm_and_si128(IS(a, '&'), IS(b, '#')));
    any = _mm_or_si128(any, _mm_and_si128(IS(a, '<'), IS(b, '/')));
    any = _mm_or_si128(any, _mm_and_si128(IS(a, 't'), IS(b, '(')));
#undef IS
    return (unsigned)_mm_movemask_epi8(any);
}
#endif

static size_t find_mark(struct slice s, size_t from)
{
#ifdef __SSE2__
    for (; from + 17 <= s.len; from += 16)
        for (unsigned mask = candidates(s.ptr + from); mask; mask &= mask - 1) {
            size_t at = from + (unsigned)__builtin_ctz(mask);
            if (is_mark(s, at)) return at;
        }
#endif
    return find_mark_slowly(s, from);
}

static bool is_plain_format(uint8_t format)
{
    return format == RECORD_TEXT || format == RECORD_SYSLOG || format == RECORD_JSON ||
           format == RECORD_BULK || format == RECORD_BEATS;
}

void verbatim_mark_opaque(const struct batch *batch, uint64_t *bits)
{
    struct batch_iter it;
    struct record r;
    size_t next = find_mark(batch->data, 0);
    batch_iter_init(&it, batch);
    for (uint32_t i = 0; batch_iter_next_raw(&it, &r); i++) {
        size_t from = (size_t)(r.raw.ptr - batch->data.ptr), to = from + r.raw.len;
        if (next < from) next = find_mark(batch->data, from);
        if (next < to || !is_plain_format(r.format)) set(bits, i);
    }
}

void verbatim_mark_texts(const struct batch *batch, const struct slice *texts, uint32_t n,
                         uint64_t *bits)
{
    struct batch_iter it;
    struct record r;
    size_t next[TEXTS_MAX];
    ASSERT(n <= TEXTS_MAX);
    for (uint32_t k = 0; k < n; k++) next[k] = find_nocase(batch->data, texts[k], 0);
    batch_iter_init(&it, batch);
    for (uint32_t i = 0; batch_iter_next_raw(&it, &r); i++) {
        size_t from = (size_t)(r.raw.ptr - batch->data.ptr), to = from + r.raw.len;
        for (uint32_t k = 0; k < n; k++) {
            if (next[k] >= to) continue;
            if (next[k] < from) next[k] = find_nocase(batch->data, texts[k], from);
            if (next[k] < to) set(bits, i);
        }
    }
}
