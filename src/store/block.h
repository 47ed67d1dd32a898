/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A block of a sealed segment: a batch (event/record.h) whose rows are turned into columns, so that
 * they compress. Two zstd frames lie end to end; the second decompresses to the data of the batch,
 * the first to
 *
 *     u32 records n · u32 texts m · u32 bytes of texts · u32 bytes of data · columns of n values:
 *     length of raw, format (u8), flags (u8), source, delivery, context, received, ordinal ·
 *     m lengths of texts · the texts
 *
 * Numbers that are not u8 or u32 are LEB128; received and ordinal are differences to the row before
 * (0 before the first), zigzag, modulo 2^64.
 *
 * It is valid when: 1 both frames decompress to the lengths that the segment's index tells; 2 the
 * columns fill the first exactly, each number in its shortest form; 3 the batch that comes of it is
 * valid.
 */
#ifndef VAKA_STORE_BLOCK_H
#define VAKA_STORE_BLOCK_H

#include "event/record.h"

enum {
    BLOCK_META_MAX = 6 * 1024 * 1024, /* bytes of the first part, decompressed */
    BLOCK_PART_MAX = 8 * 1024 * 1024, /* bytes of a part, compressed */
};

/* Bytes of both parts. */
struct block_sizes {
    uint32_t meta, meta_raw, data, data_raw;
};

/* Contexts of zstd and working space; used by one call at a time. */
struct block_codec;
/* NULL: out of memory. */
struct block_codec *block_codec_new(void) MUST_USE;
void block_codec_free(struct block_codec *c);

/* Appends both frames to out. level: zstd's, for the data. ERR_NOMEM, ERR_LIMIT. */
int block_encode(struct block_codec *c, const struct batch *batch, int level, struct buf *out,
                 struct block_sizes *ret) MUST_USE;
/*
 * `bytes` are both frames. The batch is written to `out`, whose maximum is at least BATCH_MAX, and
 * *ret borrows from it. ERR_CORRUPT, ERR_NOMEM.
 */
int block_decode(struct block_codec *c, struct slice bytes, const struct block_sizes *sizes,
                 uint32_t tenant, struct buf *out, struct batch *ret) MUST_USE;

#endif
