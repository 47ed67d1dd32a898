/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/filter.h"

#include "base/crc32c.h"
#include "base/hash.h"
#include "base/le.h"
#include "store/bloom.h"
#include "store/token.h"
#include "test.h"

/* A group, its pages and what the index would tell of them. */
struct filters {
    struct filter_group group;
    struct buf out, firsts;
    struct filter_head head;
    uint32_t n;
};

static void begin(struct filters *f)
{
    *f = (struct filters){.n = 0};
    filter_group_init(&f->group);
    buf_init(&f->out, 1 << 26);
    buf_init(&f->firsts, 1 << 20);
}

static void finish(struct filters *f)
{
    f->n = f->group.n;
    buf_clear(&f->out);
    buf_clear(&f->firsts);
    REQUIRE(filter_group_finish(&f->group, &f->out, &f->firsts, &f->head) == 0);
    CHECK_INT(f->group.n, 0);
    CHECK_INT(f->out.len, f->head.bytes);
    CHECK_INT(f->firsts.len, 4 * filter_pages(f->head.bytes));
}

static void end(struct filters *f)
{
    filter_group_done(&f->group);
    buf_done(&f->out);
    buf_done(&f->firsts);
}

/* The blocks that may have a token. */
static uint64_t ask(const struct filters *f, uint64_t hash)
{
    uint32_t value = filter_value(hash, f->head.values);
    int page = filter_page_of(f->firsts.ptr, filter_pages(f->head.bytes), value);
    if (page == FILTER_NO_PAGE) return f->head.full;
    struct slice bytes = slice_make(f->out.ptr + (size_t)page * FILTER_PAGE,
                                    filter_page_size(f->head.bytes, (uint32_t)page));
    return f->head.full |
           filter_test(bytes, le32(f->firsts.ptr + 4 * (size_t)page), f->head.rice, f->n, value);
}

/* One more block. */
static void add(struct filters *f, const uint64_t *hashes, uint32_t n, bool full)
{
    static uint32_t keys[4000];
    for (uint32_t i = 0; i < n; i++) keys[i] = token_key(hashes[i]);
    REQUIRE(filter_group_add(&f->group, keys, n, full) == 0);
}

/* Token i of a block. */
static uint64_t token(uint64_t block, uint64_t i)
{
    return hash64_seed(slice_make(&i, sizeof i), block);
}

/* Blocks of 1,000 tokens but for one that is four times as large and one that is full. */
TEST(filters_find_every_token_and_few_others)
{
    static uint64_t hashes[4000];
    static struct filters f;
    begin(&f);
    for (uint32_t block = 0; block < FILTER_BLOCKS; block++) {
        uint32_t n = block == 5 ? 4000 : 1000;
        for (uint32_t i = 0; i < n; i++) hashes[i] = token(block, i);
        add(&f, hashes, n, block == 9);
    }
    finish(&f);
    CHECK_INT(f.head.full, 1 << 9);
    CHECK_INT(f.head.values, 66000 * 192 / 64);
    CHECK(f.head.bytes < 66000 * 12 / 8); /* fewer than 12 bits a token */
    uint64_t false_positives = 0;
    for (uint32_t block = 0; block < FILTER_BLOCKS; block++) {
        for (uint32_t i = 0; i < 2000; i++) {
            bool may = ask(&f, token(block, i)) >> block & 1;
            if (block == 5 || block == 9 || i < 1000) CHECK(may);
            else false_positives += may;
        }
    }
    /* 62,000 were asked for that are in no block; one in 192 is let through. */
    CHECK(false_positives > 62 && false_positives < 620);
    end(&f);
}

/* Whatever blocks share, however many they are and how their hashes lie, nothing is hidden. */
TEST(filters_hide_no_token)
{
    static uint64_t hashes[FILTER_BLOCKS][3000];
    static struct filters f;
    uint32_t counts[FILTER_BLOCKS];
    begin(&f);
    for (uint64_t round = 0; round < 30; round++) {
        uint32_t blocks = 1 + (uint32_t)hash_mix(round, 1) % FILTER_BLOCKS;
        uint32_t shared = (uint32_t)hash_mix(round, 2) % 100, spread = hash_mix(round, 3) % 64;
        for (uint32_t b = 0; b < blocks; b++) {
            counts[b] = (uint32_t)hash_mix(round, 4 + b) % (round % 10 ? 60 : 1500);
            for (uint64_t i = 0; i < counts[b]; i++) {
                bool common = hash_mix(round * i, b) % 100 < shared;
                hashes[b][i] = token(common ? round : round * 64 + b, i) >> spread;
            }
            add(&f, hashes[b], counts[b], false);
        }
        finish(&f);
        for (uint32_t b = 0; b < blocks; b++)
            for (uint32_t i = 0; i < counts[b]; i++) CHECK(ask(&f, hashes[b][i]) >> b & 1);
        for (uint64_t i = 0; i < 100; i++)
            CHECK(blocks == FILTER_BLOCKS || ask(&f, token(7, i)) >> blocks == 0);
    }
    end(&f);
}

TEST(tokens_of_every_block_are_exact)
{
    static struct filters f;
    static uint64_t hashes[100];
    begin(&f);
    for (uint64_t i = 0; i < 100; i++) hashes[i] = token(1, i);
    for (uint32_t block = 0; block < 40; block++) add(&f, hashes, block % 2 ? 100 : 50, false);
    finish(&f);
    CHECK(ask(&f, hashes[0]) == (UINT64_C(1) << 40) - 1);
    CHECK(ask(&f, hashes[99]) == (UINT64_C(0xaaaaaaaaaa)));
    end(&f);
}

TEST(filters_of_a_small_group)
{
    static struct filters f;
    begin(&f);
    uint64_t one = token(0, 0), other = token(0, 1);
    add(&f, NULL, 0, false);
    add(&f, &one, 1, false);
    finish(&f);
    CHECK_INT(f.out.len, FILTER_PAGE_HEAD + 1);
    CHECK_INT(ask(&f, one), 2);
    CHECK_INT(ask(&f, other), 0);
    f.out.ptr[6] ^= 1; /* nothing may be skipped on the word of a damaged page */
    CHECK_INT(ask(&f, one) & 3, 3);
    add(&f, NULL, 0, false);
    add(&f, &one, 1, true);
    finish(&f);
    CHECK_INT(f.out.len, 0);
    CHECK_INT(ask(&f, one), 2);
    end(&f);
}

/* Tokens all of whose hashes lie close together but for one: the page after them is far away. */
TEST(gaps_may_be_wide)
{
    static struct filters f;
    static uint64_t hashes[2001];
    begin(&f);
    for (uint64_t i = 0; i < 2000; i++) hashes[i] = i << 38;
    hashes[2000] = UINT64_MAX;
    add(&f, hashes, 2001, false);
    finish(&f);
    for (int i = 0; i < 2001; i++) CHECK(ask(&f, hashes[i]) == 1);
    CHECK(ask(&f, UINT64_C(1) << 62) == 0);
    end(&f);
}

/* A page whose CRC is right can still hold anything. */
TEST(no_page_is_read_beyond_its_end)
{
    char page[64];
    for (uint64_t round = 0; round < 20000; round++) {
        size_t len = FILTER_PAGE_HEAD + hash_mix(round, 1) % (sizeof page - FILTER_PAGE_HEAD);
        for (size_t i = 0; i < len; i++) page[i] = (char)hash_mix(round, 2 + i);
        page[5] = 0;
        le32_put(page, crc32c(0, slice_make(page + 4, len - 4)));
        struct slice cut = slice_make(page, len);
        (void)filter_test(cut, 0, (uint32_t)round % 20, 1 + (uint32_t)round % 64, UINT32_MAX);
        page[6] = (char)0xff; /* more entries than there can be */
        page[4] = page[5] = (char)0xff;
        le32_put(page, crc32c(0, slice_make(page + 4, len - 4)));
        CHECK(filter_test(cut, 0, 0, 64, UINT32_MAX) == ~UINT64_C(0));
    }
}

/* Version 1: two blocks, one bucket; the second has the token. */
TEST(rows_of_version_1_are_read)
{
    static const uint32_t salts[8] = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                                      0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};
    char row[2 * BLOOM_BUCKET + 4] = {0};
    uint64_t hash = token(0, 0);
    CHECK_INT(bloom_row_size(2), sizeof row);
    CHECK_INT(bloom_bucket(UINT64_MAX, 7), 6);
    for (int i = 0; i < 8; i++)
        le32_put(row + BLOOM_BUCKET + 4 * i, UINT32_C(1) << ((uint32_t)hash * salts[i] >> 27));
    le32_put(row + 2 * BLOOM_BUCKET, crc32c(0, slice_make(row, 2 * BLOOM_BUCKET)));
    CHECK_INT(bloom_test(row, 2, hash), 2);
    CHECK_INT(bloom_test(row, 2, token(0, 1)), 0);
    row[0] ^= 1;
    CHECK_INT(bloom_test(row, 2, hash) & 3, 3);
}
