/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Split-block Bloom filters over the tokens of blocks (the form of Apache Parquet's BloomFilter.md:
 * 32-byte buckets of eight words, one bit in each; other hashes). The filters of up to 64 blocks
 * form a group of one size, interleaved: bucket 0 of every block, then bucket 1 of every block, …;
 * so that one read of at most 2 KiB answers a token for all of them. The size gives 12 bits to each
 * token of the block that stands at nine tenths by its count. A block whose set was full has all
 * bits set.
 *
 * The bucket of a hash is its high 32 bits times the number of buckets, divided by 2^32; the bit in
 * word i is the low 32 bits times salt i, its highest five bits.
 */
#ifndef VAKA_STORE_FILTER_H
#define VAKA_STORE_FILTER_H

#include "base/buf.h"

enum {
    FILTER_BLOCKS = 64, /* of a group */
    FILTER_BUCKET = 32, /* bytes */
    FILTER_BITS = 12,   /* for each token */
};

/* Gathers the tokens of the blocks of a group. */
struct filter_group {
    struct buf hashes; /* u64 in the machine's order, block after block */
    uint32_t n;        /* blocks */
    uint32_t counts[FILTER_BLOCKS];
    uint64_t full; /* a bit for each block whose tokens were too many */
};

void filter_group_init(struct filter_group *g);
void filter_group_done(struct filter_group *g);
/* One more block; there are fewer than FILTER_BLOCKS. ERR_NOMEM. */
int filter_group_add(struct filter_group *g, const uint64_t *hashes, uint32_t n,
                     bool full) MUST_USE;
/*
 * Appends the filters to out and empties the group, which has blocks; returns the number of buckets
 * a block. ERR_NOMEM or ERR_LIMIT when out did not take them.
 */
int64_t filter_group_finish(struct filter_group *g, struct buf *out) MUST_USE;

/* Which of `buckets` a hash is in. */
static inline uint32_t filter_bucket(uint64_t hash, uint32_t buckets)
{
    return (uint32_t)((hash >> 32) * buckets >> 32);
}
/* Bytes of a row of n blocks. */
static inline size_t filter_row_size(uint32_t n)
{
    return (size_t)n * FILTER_BUCKET + 4;
}
/* A bit for each of n blocks that may have the token: all of them when the row is damaged. */
uint64_t filter_test(const char *row, uint32_t n, uint64_t hash);

#endif
