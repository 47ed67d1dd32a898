/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/find.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

static bool stands_at(const char *p, struct slice lower)
{
    for (size_t i = 0; i < lower.len; i++) {
        char c = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] | 0x20) : p[i];
        if (c != lower.ptr[i]) return false;
    }
    return true;
}

static size_t find_slowly(struct slice s, struct slice lower, size_t from)
{
    for (size_t i = from; lower.len <= s.len && i <= s.len - lower.len; i++)
        if (stands_at(s.ptr + i, lower)) return i;
    return SIZE_MAX;
}

#ifdef __x86_64__
/*
 * Sixteen places at once: first and last byte are compared with bit 0x20 set, which makes capitals
 * small and something else of other bytes; what is left is compared in full.
 */
static size_t find_sse2(struct slice s, struct slice lower, size_t *from)
{
    const __m128i bit = _mm_set1_epi8(0x20);
    const __m128i first = _mm_set1_epi8((char)(lower.ptr[0] | 0x20));
    const __m128i last = _mm_set1_epi8((char)(lower.ptr[lower.len - 1] | 0x20));
    size_t i = *from, span = lower.len - 1;
    for (; i + span + 16 <= s.len; i += 16) {
        __m128i a = _mm_loadu_si128((const __m128i *)(const void *)(s.ptr + i));
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(s.ptr + i + span));
        __m128i both = _mm_and_si128(_mm_cmpeq_epi8(_mm_or_si128(a, bit), first),
                                     _mm_cmpeq_epi8(_mm_or_si128(b, bit), last));
        for (unsigned mask = (unsigned)_mm_movemask_epi8(both); mask; mask &= mask - 1) {
            size_t at = i + (unsigned)__builtin_ctz(mask);
            if (stands_at(s.ptr + at, lower)) return at;
        }
    }
    *from = i;
    return SIZE_MAX;
}

/* The same with twice as many. */
__attribute__((target("avx2"))) static size_t find_avx2(struct slice s, struct slice lower,
                                                        size_t *from)
{
    const __m256i bit = _mm256_set1_epi8(0x20);
    const __m256i first = _mm256_set1_epi8((char)(lower.ptr[0] | 0x20));
    const __m256i last = _mm256_set1_epi8((char)(lower.ptr[lower.len - 1] | 0x20));
    size_t i = *from, span = lower.len - 1;
    for (; i + span + 32 <= s.len; i += 32) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(s.ptr + i));
        __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(s.ptr + i + span));
        __m256i both = _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_or_si256(a, bit), first),
                                        _mm256_cmpeq_epi8(_mm256_or_si256(b, bit), last));
        for (unsigned mask = (unsigned)_mm256_movemask_epi8(both); mask; mask &= mask - 1) {
            size_t at = i + (unsigned)__builtin_ctz(mask);
            if (stands_at(s.ptr + at, lower)) return at;
        }
    }
    *from = i;
    return SIZE_MAX;
}
#endif

size_t find_nocase(struct slice s, struct slice lower, size_t from)
{
#ifdef __x86_64__
    size_t at =
        __builtin_cpu_supports("avx2") ? find_avx2(s, lower, &from) : find_sse2(s, lower, &from);
    if (at != SIZE_MAX) return at;
#endif
    return find_slowly(s, lower, from);
}
