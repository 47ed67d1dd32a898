/* SPDX-License-Identifier: EUPL-1.2 */
#include "normalise/verbatim.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "base/find.h"

enum { SPAN_BYTES = 16 * 1024 };

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
        return next == '/';
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

#ifdef __x86_64__
/* For the low and the high half of a byte, twice: which of the pairs below may have it. */
#define HALVES(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)
#define IS_ONE(low, high, v)                                                                       \
    _mm256_and_si256(_mm256_shuffle_epi8(low, v),                                                  \
                     _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(v, 4), half)))

/* The places of 32 where two bytes stand that marks have: 1 is \u, 2 &#, 4 </, 8 t(, 16 NUL and
 * whatever follows. */
__attribute__((target("avx2"))) static uint32_t candidates(const char *p)
{
    const __m256i half = _mm256_set1_epi8(0x0f), any = _mm256_set1_epi8(16);
    const __m256i low = HALVES(16, 0, 0, 0, 8, 0, 2, 0, 0, 0, 0, 0, 1 + 4, 0, 0, 0);
    const __m256i high = HALVES(16, 0, 2, 4, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m256i low_next = HALVES(0, 0, 0, 2, 0, 1, 0, 0, 8, 0, 0, 0, 0, 0, 0, 4);
    const __m256i high_next = HALVES(0, 0, 2 + 4 + 8, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i next = _mm256_loadu_si256((const __m256i *)(const void *)(p + 1));
    __m256i pair = _mm256_and_si256(IS_ONE(low, high, v),
                                    _mm256_or_si256(IS_ONE(low_next, high_next, next), any));
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(pair, _mm256_setzero_si256()));
}

__attribute__((target("avx2"))) static size_t find_mark_avx2(struct slice s, size_t *from)
{
    for (; *from + 33 <= s.len; *from += 32)
        for (uint32_t mask = candidates(s.ptr + *from); mask; mask &= mask - 1) {
            size_t at = *from + (unsigned)__builtin_ctz(mask);
            if (is_mark(s, at)) return at;
        }
    return SIZE_MAX;
}
#endif

static size_t find_mark(struct slice s, size_t from)
{
#ifdef __x86_64__
    size_t at = __builtin_cpu_supports("avx2") ? find_mark_avx2(s, &from) : SIZE_MAX;
    if (at != SIZE_MAX) return at;
#endif
    return find_mark_slowly(s, from);
}

static bool is_plain_format(uint8_t format)
{
    return format == RECORD_TEXT || format == RECORD_SYSLOG || format == RECORD_JSON ||
           format == RECORD_BULK || format == RECORD_BEATS;
}

/* Goes on behind so many records that one look at their bytes leaves them in the first cache. */
static void take_span(struct batch_iter *it, uint64_t *bits)
{
    struct record r;
    size_t enough = it->data_offset + SPAN_BYTES;
    while (it->data_offset < enough && batch_iter_next_raw(it, &r))
        if (!is_plain_format(r.format)) set(bits, it->next - 1);
}

static size_t find(struct slice s, const struct slice *text, size_t from)
{
    return text ? find_nocase(s, *text, from) : find_mark(s, from);
}

/* Records behind `it` that have the text, or a mark, in the bytes that begin there. */
static void mark_found(struct batch_iter it, struct slice s, const struct slice *text,
                       uint64_t *bits)
{
    struct record r;
    size_t begin = it.data_offset, at = find(s, text, 0);
    while (at != SIZE_MAX) {
        while (it.data_offset - begin <= at && batch_iter_next_raw(&it, &r)) {
        }
        set(bits, it.next - 1);
        at = find(s, text, it.data_offset - begin);
    }
}

void verbatim_mark(const struct batch *batch, const struct slice *texts, uint32_t n, uint64_t *bits)
{
    struct batch_iter it;
    batch_iter_init(&it, batch);
    while (it.next < batch->n) {
        const struct batch_iter begin = it;
        take_span(&it, bits);
        struct slice s =
            slice_make(batch->data.ptr + begin.data_offset, it.data_offset - begin.data_offset);
        mark_found(begin, s, NULL, bits);
        for (uint32_t k = 0; k < n; k++) mark_found(begin, s, &texts[k], bits);
    }
}
