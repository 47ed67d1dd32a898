/* SPDX-License-Identifier: EUPL-1.2 */
/* Hashing. XXH3 where the input is ours or the table is bounded and checked by full comparison. */
#ifndef VAKA_BASE_HASH_H
#define VAKA_BASE_HASH_H

#include "base/slice.h"

/* XXH3, 64 bits. */
uint64_t hash64(struct slice s);
uint64_t hash64_seed(struct slice s, uint64_t seed);

/* Mixes two 64-bit values into one (for composing keys). */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    uint64_t x = a ^ (b * 0x9e3779b97f4a7c15u);
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    return x;
}

/* FNV-1a, whatever the case of ASCII letters: for short keys. */
static inline uint32_t hash32_nocase(struct slice s)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        h = (h ^ ((unsigned)(c - 'A') < 26u ? c | 0x20u : c)) * 16777619u;
    }
    return h;
}

#endif
