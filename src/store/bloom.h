/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Filters of segments of version 1, which are read but not written any more: split-block Bloom
 * filters (the form of Apache Parquet's BloomFilter.md: 32-byte buckets of eight words, one bit in
 * each; other hashes). The filters of up to 64 blocks form a group of one size, interleaved: a row
 * is bucket 0 of every block and a CRC32C, then follows the row of buckets 1, …
 *
 * The bucket of a hash is its high 32 bits times the number of buckets, divided by 2^32; the bit in
 * word i is the low 32 bits times salt i, its highest five bits.
 */
#ifndef VAKA_STORE_BLOOM_H
#define VAKA_STORE_BLOOM_H

#include <stddef.h>
#include <stdint.h>

enum { BLOOM_BUCKET = 32 /* bytes */ };

/* Which of `buckets` a hash is in. */
static inline uint32_t bloom_bucket(uint64_t hash, uint32_t buckets)
{
    return (uint32_t)((hash >> 32) * buckets >> 32);
}
/* Bytes of a row of n blocks. */
static inline size_t bloom_row_size(uint32_t n)
{
    return (size_t)n * BLOOM_BUCKET + 4;
}
/* A bit for each of n blocks that may have the token: all of them when the row is damaged. */
uint64_t bloom_test(const char *row, uint32_t n, uint64_t hash);

#endif
