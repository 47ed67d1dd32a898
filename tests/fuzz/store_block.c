/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Both readings of a block, of any columns and data: they take the same ones and see the same
 * records, whose leaves are the same. And both rules of tokens: filters made by one hide nothing
 * from the other. Input: u16 length of the columns, the columns, the data.
 */
#include <zstd.h>

#include "base/le.h"
#include "store/block.h"
#include "store/filter.h"
#include "store/sha256.h"
#include "store/token.h"
#include "target.h"
#include "verify/block.h"
#include "verify/filter.h"

enum { IN_MAX = 128 * 1024 };

static bool same(const struct record *a, const struct verify_record *b)
{
    return slice_eq(a->raw, b->raw) && slice_eq(a->source, b->source) &&
           slice_eq(a->delivery, b->delivery) && slice_eq(a->context, b->context) &&
           a->received == b->received && a->ordinal == b->ordinal && a->format == b->format &&
           a->flags == b->flags;
}

static void check_leaf(const struct record *r, const struct verify_record *v)
{
    struct buf head;
    struct sha256 leaf;
    buf_init(&head, 4 * (size_t)RECORD_TEXT_MAX);
    record_leaf_head(&head, r);
    sha256_many(&(struct sha256_message){buf_slice(&head), r->raw}, 1, &leaf);
    struct verify_hash other = verify_leaf(v);
    HOLDS(memcmp(&leaf, &other, sizeof leaf) == 0);
    buf_done(&head);
}

static void check_filters(const struct batch *batch, struct verify_block *block)
{
    struct token_set *set = token_set_new();
    struct verify_filter *filter = verify_filter_new();
    struct filter_group group;
    struct filter_head head;
    struct buf out, firsts;
    struct batch_iter it;
    struct record r;
    uint32_t n;
    HOLDS(set && filter);
    filter_group_init(&group);
    buf_init(&out, 1 << 24);
    buf_init(&firsts, 1 << 16);
    batch_iter_init(&it, batch);
    while (batch_iter_next(&it, &r)) HOLDS(token_set_add(set, r.raw) == 0);
    const uint32_t *keys = token_set_keys(set, &n);
    HOLDS(filter_group_add(&group, keys, n, token_set_full(set)) == 0);
    HOLDS(filter_group_finish(&group, &out, &firsts, &head) == 0);
    HOLDS(verify_filter_add(filter, block, 0) == 0);
    struct verify_list list = {.n = 1,
                               .full = head.full,
                               .values = head.values,
                               .rice = head.rice,
                               .firsts = firsts.ptr,
                               .pages = buf_slice(&out)};
    HOLDS(verify_filter_check(filter, &list) == 0);
    filter_group_done(&group);
    buf_done(&out);
    buf_done(&firsts);
    verify_filter_free(filter);
    token_set_free(set);
}

static void check(struct slice packed, const struct block_sizes *sizes)
{
    struct block_codec *codec = block_codec_new();
    struct verify_block *block = verify_block_new();
    struct buf out;
    struct batch batch;
    struct batch_iter it;
    struct record r;
    struct verify_record v;
    HOLDS(codec && block);
    buf_init(&out, BATCH_MAX);
    int error = block_decode(codec, packed, sizes, 7, &out, &batch);
    int other = verify_block_open(block, packed, sizes->meta, sizes->meta_raw, sizes->data_raw);
    HOLDS((error == 0) == (other == 0));
    if (error == 0) {
        batch_iter_init(&it, &batch);
        HOLDS(verify_block_count(block) == batch.n);
        while (batch_iter_next(&it, &r)) {
            HOLDS(verify_block_next(block, &v) && same(&r, &v));
            check_leaf(&r, &v);
        }
        HOLDS(!verify_block_next(block, &v));
        check_filters(&batch, block);
    }
    buf_done(&out);
    block_codec_free(codec);
    verify_block_free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char packed[2 * IN_MAX];
    if (size < 2 || size > IN_MAX) return 0;
    size_t meta = le16((const char *)data), rest = size - 2;
    if (meta > rest) return 0;
    struct block_sizes sizes = {.meta_raw = (uint32_t)meta, .data_raw = (uint32_t)(rest - meta)};
    size_t n = ZSTD_compress(packed, sizeof packed, data + 2, meta, 1);
    HOLDS(!ZSTD_isError(n));
    sizes.meta = (uint32_t)n;
    n = ZSTD_compress(packed + sizes.meta, sizeof packed - sizes.meta, data + 2 + meta, rest - meta,
                      1);
    HOLDS(!ZSTD_isError(n));
    sizes.data = (uint32_t)n;
    check(slice_make(packed, (size_t)sizes.meta + sizes.data), &sizes);
    return 0;
}
