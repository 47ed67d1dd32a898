/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/filter.h"

#include "base/crc32c.h"
#include "base/le.h"
#include "store/token.h"

enum { WORDS = FILTER_BUCKET / 4 };

static const uint32_t salts[WORDS] = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                                      0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};

void filter_group_init(struct filter_group *g)
{
    *g = (struct filter_group){.n = 0};
    buf_init(&g->hashes, (size_t)FILTER_BLOCKS * TOKEN_SET_MAX * sizeof(uint64_t));
}

void filter_group_done(struct filter_group *g)
{
    buf_done(&g->hashes);
}

int filter_group_add(struct filter_group *g, const uint64_t *hashes, uint32_t n, bool full)
{
    ASSERT(g->n < FILTER_BLOCKS);
    if (full) n = 0;
    buf_put(&g->hashes, slice_make(hashes, n * sizeof *hashes));
    if (buf_failed(&g->hashes)) return buf_error(&g->hashes);
    if (full) g->full |= UINT64_C(1) << g->n;
    g->counts[g->n++] = n;
    return 0;
}

/* The count that at most a tenth of the blocks exceed. */
static uint32_t count_at_nine_tenths(const struct filter_group *g)
{
    uint32_t sorted[FILTER_BLOCKS];
    for (uint32_t i = 0; i < g->n; i++) {
        uint32_t at = i;
        for (; at > 0 && sorted[at - 1] > g->counts[i]; at--) sorted[at] = sorted[at - 1];
        sorted[at] = g->counts[i];
    }
    return sorted[(g->n * 9 + 9) / 10 - 1];
}

static void set_bits(char *bucket, uint64_t hash)
{
    for (int i = 0; i < WORDS; i++) {
        char *at = bucket + 4 * i;
        le32_put(at, le32(at) | UINT32_C(1) << ((uint32_t)hash * salts[i] >> 27));
    }
}

int64_t filter_group_finish(struct filter_group *g, struct buf *out)
{
    ASSERT(g->n > 0);
    uint32_t buckets =
        (count_at_nine_tenths(g) * FILTER_BITS + 8 * FILTER_BUCKET - 1) / (8 * FILTER_BUCKET);
    if (buckets == 0) buckets = 1;
    size_t row = filter_row_size(g->n);
    char *filters = buf_reserve(out, buckets * row);
    if (!filters) return buf_error(out);
    memset(filters, 0, buckets * row);
    const char *hashes = g->hashes.ptr;
    for (uint32_t block = 0; block < g->n; block++) {
        for (uint32_t i = 0; i < g->counts[block]; i++, hashes += sizeof(uint64_t)) {
            uint64_t hash;
            memcpy(&hash, hashes, sizeof hash);
            set_bits(filters + filter_bucket(hash, buckets) * row + (size_t)block * FILTER_BUCKET,
                     hash);
        }
        if (!(g->full >> block & 1)) continue;
        for (uint32_t b = 0; b < buckets; b++)
            memset(filters + b * row + (size_t)block * FILTER_BUCKET, 0xff, FILTER_BUCKET);
    }
    for (uint32_t b = 0; b < buckets; b++) {
        char *at = filters + b * row;
        le32_put(at + row - 4, crc32c(0, slice_make(at, row - 4)));
    }
    out->len += buckets * row;
    buf_clear(&g->hashes);
    g->n = 0;
    g->full = 0;
    return buckets;
}

uint64_t filter_test(const char *row, uint32_t n, uint64_t hash)
{
    uint64_t may = 0;
    size_t len = (size_t)n * FILTER_BUCKET;
    if (le32(row + len) != crc32c(0, slice_make(row, len))) return ~UINT64_C(0);
    for (uint32_t block = 0; block < n; block++) {
        const char *bucket = row + (size_t)block * FILTER_BUCKET;
        uint32_t missing = 0;
        for (int i = 0; i < WORDS; i++)
            missing |= ~le32(bucket + 4 * i) & UINT32_C(1) << ((uint32_t)hash * salts[i] >> 27);
        may |= (uint64_t)(missing == 0) << block;
    }
    return may;
}
