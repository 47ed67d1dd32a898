/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/filter.h"

#include "base/hash.h"
#include "store/token.h"
#include "test.h"

/* Token i of a block. */
static uint64_t token(uint64_t block, uint64_t i)
{
    return hash64_seed(slice_make(&i, sizeof i), block);
}

/* Blocks of 1,000 tokens but for one that is four times as large and one that is full. */
TEST(filters_find_every_token_and_few_others)
{
    static uint64_t hashes[4000];
    struct filter_group g;
    struct buf out;
    filter_group_init(&g);
    buf_init(&out, 1 << 22);
    for (uint32_t block = 0; block < FILTER_BLOCKS; block++) {
        uint32_t n = block == 5 ? 4000 : 1000;
        for (uint32_t i = 0; i < n; i++) hashes[i] = token(block, i);
        REQUIRE(filter_group_add(&g, hashes, n, block == 9) == 0);
    }
    int64_t buckets = filter_group_finish(&g, &out);
    CHECK_INT(buckets, 47); /* 12,000 bits */
    CHECK_INT(out.len, 47 * (64 * 32 + 4));
    CHECK_INT(g.n, 0);
    uint64_t false_positives = 0;
    for (uint32_t block = 0; block < FILTER_BLOCKS; block++) {
        for (uint32_t i = 0; i < 2000; i++) {
            uint64_t hash = token(block, i);
            const char *row =
                out.ptr + filter_bucket(hash, (uint32_t)buckets) * filter_row_size(FILTER_BLOCKS);
            bool may = filter_test(row, FILTER_BLOCKS, hash) >> block & 1;
            if (block == 5 || block == 9 || i < 1000) CHECK(may);
            else false_positives += may;
        }
    }
    /* 62,000 were asked for that are in no block; 12 bits let 0.5 % of them through. */
    CHECK(false_positives > 62 && false_positives < 620);
    buf_done(&out);
    filter_group_done(&g);
}

TEST(filters_of_a_small_group)
{
    struct filter_group g;
    struct buf out;
    filter_group_init(&g);
    buf_init(&out, 1 << 20);
    uint64_t one = token(0, 0), other = token(0, 1);
    REQUIRE(filter_group_add(&g, NULL, 0, false) == 0);
    REQUIRE(filter_group_add(&g, &one, 1, false) == 0);
    CHECK_INT(filter_group_finish(&g, &out), 1);
    CHECK_INT(out.len, 68);
    CHECK_INT(filter_test(out.ptr, 2, one), 2);
    CHECK_INT(filter_test(out.ptr, 2, other), 0);
    out.ptr[3] ^= 1; /* nothing may be skipped on the word of a damaged row */
    CHECK_INT(filter_test(out.ptr, 2, other) & 3, 3);
    buf_done(&out);
    filter_group_done(&g);
}
