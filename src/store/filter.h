/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Filters: which blocks of a segment may have a token. For up to 64 blocks together, a *group*,
 * they are one sorted list of small numbers, the *values* of tokens, each with the blocks that have
 * such a token. A token that several blocks have is there once, and a token that no block has meets
 * the value of another seldom: there are as many values as give it one block in FILTER_SPARSE.
 *
 * The value of a hash is its highest 26 bits times the number of values, divided by 2^26. In
 * segments the number of values is FILTER_SPARSE for each token that a block has on average, at
 * least 1.
 *
 * The list is cut into pages of FILTER_PAGE bytes, so that one read answers a token for all blocks
 * of the group; the last page is as long as it must be. The index of the segment tells the first
 * value of each page. A page is
 *
 *     u32 CRC32C of what follows · u16 entries, at least 1 · entries, one bit behind the other, the
 *     lowest of a byte first; zeros up to the end of the page
 *
 * and an entry, in a group of n blocks,
 *
 *     gap     how far the value is from the one before, minus 1, with r low bits. Not there in the
 *             first entry of a page.
 *     blocks  one less than their count c as ones, up to 15, and a zero; then the number of the
 *             block in as few bits as n - 1 needs, or of several how far each is from the one
 *             before, minus 1 (the first: its number), with as many low bits as 2 goes into
 *             n / (c + 1), rounded down. Or 16 ones and n bits, one for each block.
 *
 * A number with k low bits is what is above them as so many ones, up to 14, and a zero; then the k
 * bits. Or 15 ones and the number in 24 bits.
 *
 * The number r ("rice" in the index) makes entries × r + values / 2^r least, rounded down, and is
 * the lowest that does; 0 without entries. A block whose tokens were too many to gather has none in
 * the list; the index says that it may have any ("full").
 */
#ifndef VAKA_STORE_FILTER_H
#define VAKA_STORE_FILTER_H

#include "base/buf.h"

enum {
    FILTER_BLOCKS = 64, /* of a group */
    FILTER_PAGE = 2048,
    FILTER_PAGE_HEAD = 6,
    FILTER_SPARSE = 192,
    FILTER_VALUES_MAX = 1 << 24,
    FILTER_RICE_MAX = 16,
    FILTER_HASH_BITS = 26, /* of a hash that make its value */
    FILTER_NO_PAGE = -1,
};

/* What the index tells of a group. */
struct filter_head {
    uint64_t full;  /* a bit for each block that may have any token */
    uint32_t bytes; /* of all its pages */
    uint32_t values, rice;
};

/* Gathers the tokens of the blocks of a group. */
struct filter_group {
    struct buf tokens; /* u32 in the machine's order: bits of the hash, and the block */
    struct buf sorted; /* working space of the same size */
    uint32_t n;        /* blocks */
    uint64_t full;
    uint32_t sparse; /* FILTER_SPARSE unless it is set; values are at most FILTER_VALUES_MAX */
};

void filter_group_init(struct filter_group *g);
void filter_group_done(struct filter_group *g);
/* No blocks; the memory stays. */
void filter_group_clear(struct filter_group *g);
/* One more block, with keys of tokens (token.h); there are fewer than FILTER_BLOCKS. ERR_NOMEM. */
int filter_group_add(struct filter_group *g, const uint32_t *keys, uint32_t n, bool full) MUST_USE;
/*
 * Appends the pages to `out` and the first value of each as u32 to `firsts`, and empties the group,
 * which has blocks. ERR_NOMEM or ERR_LIMIT when a buffer did not take them.
 */
int filter_group_finish(struct filter_group *g, struct buf *out, struct buf *firsts,
                        struct filter_head *ret) MUST_USE;

static inline uint32_t filter_value(uint64_t hash, uint32_t values)
{
    return (uint32_t)((hash >> (64 - FILTER_HASH_BITS)) * values >> FILTER_HASH_BITS);
}
static inline uint32_t filter_pages(uint32_t bytes)
{
    return bytes / FILTER_PAGE + (bytes % FILTER_PAGE != 0);
}
/* Bytes of a page, which is one of them. */
static inline uint32_t filter_page_size(uint32_t bytes, uint32_t page)
{
    uint32_t left = bytes - page * FILTER_PAGE;
    return left < FILTER_PAGE ? left : FILTER_PAGE;
}
/* The page that has the value if any has; FILTER_NO_PAGE: none. `firsts` are u32, ascending. */
int filter_page_of(const char *firsts, uint32_t pages, uint32_t value);
/*
 * A bit for each of n blocks that may have tokens of this value, by the page, whose first value is
 * `first` and which has at most FILTER_PAGE bytes. All of them when it is damaged.
 */
uint64_t filter_test(struct slice page, uint32_t first, uint32_t rice, uint32_t n, uint32_t value);

#endif
