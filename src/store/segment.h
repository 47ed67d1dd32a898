/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A sealed segment: a run of one tenant's records that does not change any more. The file is called
 * segment-N, N being the sequence number it begins with, in 20 decimal digits; it has that name
 * only when it is whole and durable.
 *
 * All numbers are little-endian.
 *
 * head     magic "VkSeg1\0\0" · u32 version 2 · u32 tenant · u64 begin
 *
 * body     blocks (block.h), and behind every 64th and the last the filters of these blocks
 *          (filter.h)
 *
 * index    one zstd frame of
 *          u32 blocks B · u32 groups G · u32 sources S · u32 numbers U ·
 *          B × { u64 offset · u32 meta · u32 meta raw · u32 data · u32 data raw · u32 CRC32C of the
 *          compressed block · u32 records · u64 first · i64 earliest · i64 latest · 32 bytes root ·
 *          u32 numbers from · u32 count }          (96 bytes) ·
 *          G × { u64 offset · u64 full · u32 bytes · u32 values · u32 rice }: groups of filters, 64
 *          blocks each but the last          (28 bytes) ·
 *          u32 for each page of the filters, group after group: its first value ·
 *          S × u32: where each source ends · the sources ·
 *          U × u32: sources by number from 0; a block has those from `from` on, `count` many, or
 *          0xffffffff: it may have any
 *
 * footer   magic "VkFoot1\0" · u32 version 2 · u32 tenant · u64 begin · u64 lost · u64 records ·
 *          i64 earliest · i64 latest time received · i64 sealed · u64 raw bytes · u64 index at ·
 *          u32 its length · u32 decompressed · u32 CRC32C of its compressed bytes · u32 blocks ·
 *          u32 normaliser · u32 token rule · u32 nodes before p · u32 nodes r · 32 bytes root ·
 *          p nodes of the tree before the segment · r nodes of the segment's range
 *
 * tail     u32 length of footer and tail · u32 CRC32C of the footer · magic "VkEnd1\0\0"
 *
 * In version 1 the filters are those of bloom.h: a group is { u64 offset · u32 buckets }, and there
 * are no pages.
 *
 * The leaves of the tree that the segment adds are begin … begin + lost + records - 1. The first
 * `lost` are sequence numbers whose records were lost in the journal; their leaf is SHA-256(0x00
 * 0x00), which is no record's. `root` is the tree's root behind the last leaf; a block's root is
 * that of its range (tree.h).
 *
 * A segment is valid when: 1 its magics, versions, tenant and `begin` agree with each other and the
 * name; 2 the CRCs are right; 3 the parts lie in order and fill the file: blocks and filters as the
 * index tells, then index, footer, tail; 4 blocks are not empty, have ascending numbers from
 * begin + lost without a gap, `records` in sum; 5 times, sources and roots of blocks are those of
 * their records; 6 the node counts are those of the ranges 0…begin and begin…end
 * (tree_range_count()), and `root` is the root of both joined; 7 each block is valid.
 *
 * Retention removes the segment and leaves its last bytes (footer and tail) as footer-N.
 */
#ifndef VAKA_STORE_SEGMENT_H
#define VAKA_STORE_SEGMENT_H

#include "event/record.h"
#include "store/block.h"
#include "store/io.h"
#include "store/tree.h"

enum {
    SEGMENT_VERSION = 2,
    SEGMENT_VERSION_BLOOM = 1, /* is read */
    SEGMENT_HEAD = 24,
    SEGMENT_FOOTER_MIN = 144,      /* bytes without nodes and tail */
    SEGMENT_FOOTER_MAX = 8 * 1024, /* with them */
    SEGMENT_TAIL = 16,
    SEGMENT_BLOCK_ENTRY = 96,
    SEGMENT_GROUP_ENTRY = 28,
    SEGMENT_BLOCK = 1024 * 1024, /* bytes of raw records after which a block ends */
    SEGMENT_BLOCKS_MAX = 1024,
    SEGMENT_GROUPS_MAX = 16,        /* 64 blocks each */
    SEGMENT_PAGES_MAX = 512 * 1024, /* of filters; above what full groups have */
    SEGMENT_LOST_MAX = 1 << 24,     /* sequence numbers without a record */
    SEGMENT_SOURCES_MAX = 64 * 1024,
    SEGMENT_SOURCES_BYTES = 4 * 1024 * 1024,
    SEGMENT_NUMBERS_MAX = 1024 * 1024,    /* sources of blocks in sum */
    SEGMENT_INDEX_MAX = 16 * 1024 * 1024, /* bytes, decompressed */
};

struct segment_footer {
    uint32_t version, tenant, normaliser, tokens, blocks;
    uint64_t begin, lost, records;
    nsec earliest, latest, sealed;
    uint64_t raw_bytes, index_at;
    uint32_t index_len, index_raw, index_crc;
    struct sha256 root;
    struct tree_range before, range;
};

/* "segment-00000000000000000012", with a NUL. kind: "segment", "footer", "sealing". */
void segment_name(char name[STORE_NAME_MAX + 1], const char *kind, uint64_t begin);
/* false when it is not of that kind. */
bool segment_name_read(const char *name, const char *kind, uint64_t *ret_begin);

/*
 * `bytes` end with a footer and a tail; *ret_len is how many these are. ERR_TRUNCATED: more bytes
 * are needed in front; ERR_CORRUPT, ERR_UNSUPPORTED (of another version). Root and nodes agree.
 */
int segment_footer_read(struct slice bytes, struct segment_footer *ret, size_t *ret_len) MUST_USE;

/*
 * The footer at the end of the file kind-N, "segment" or "footer". ERR_CORRUPT, ERR_TRUNCATED: it
 * is not readable or is another's; ERR_UNSUPPORTED; the table's errors.
 */
int segment_footer_load(const struct store_io *io, const char *kind, uint64_t begin,
                        struct segment_footer *ret) MUST_USE;

/* Appends footer and tail. */
void segment_footer_write(struct buf *out, const struct segment_footer *footer);

/* ---- writing ---- */

struct segment_options {
    uint32_t tenant, normaliser;     /* version of the decoders that will read it */
    const struct tree_range *before; /* the tree so far, from 0; copied */
    uint64_t lost;                   /* sequence numbers behind it that have no record */
    int level_text, level_json;      /* zstd's, for blocks that are mostly text or JSON */
    uint32_t block_bytes;            /* of raw records and texts after which a block ends */
};

/* Blocks of SEGMENT_BLOCK, levels 1 and 3; tenant, normaliser, before and lost are to be set. */
void segment_options_default(struct segment_options *ret);

struct segment_writer;

/*
 * Memory to write segments with, one after the other: what one needed stays for the next. About 10
 * MiB, and 8 bytes for each token of 64 blocks (up to 32 MiB). `io` is borrowed. ERR_NOMEM.
 */
int segment_writer_new(const struct store_io *io, struct segment_writer **ret) MUST_USE;
/* Removes what was not finished. May be NULL. */
void segment_writer_free(struct segment_writer *w);
/*
 * Begins sealing-N, and removes what was begun and not finished. ERR_NOMEM, ERR_INVALID (lost is
 * above SEGMENT_LOST_MAX), the table's errors; another one may be begun after any.
 */
int segment_writer_begin(struct segment_writer *w, const struct segment_options *options) MUST_USE;
/*
 * The record that follows; `leaf` is its hash in the tree when the caller has it, else NULL and
 * computed here. ERR_LIMIT: the segment has SEGMENT_BLOCKS_MAX blocks, finish it;
 * ERR_INVALID: the record is above its limits. Both leave the segment as it was; after any other
 * error it cannot be finished.
 */
int segment_writer_add(struct segment_writer *w, const struct record *record,
                       const struct sha256 *leaf) MUST_USE;
/* Raw bytes and records so far. */
uint64_t segment_writer_bytes(const struct segment_writer *w);
uint64_t segment_writer_records(const struct segment_writer *w);
/*
 * Writes the rest, syncs all, gives the file its name. *ret_tree: the tree behind it.
 * `sealed`: the time now. ERR_INVALID: nothing is in it.
 */
int segment_writer_finish(struct segment_writer *w, nsec sealed,
                          struct tree_range *ret_tree) MUST_USE;

/* ---- reading ---- */

struct segment_block {
    uint64_t offset, first;
    struct block_sizes sizes;
    uint32_t crc, n, sources_from, n_sources;
    nsec earliest, latest;
    struct sha256 root;
};

struct segment;

/* Reads footer and index. `io` is borrowed. ERR_CORRUPT, ERR_TRUNCATED, ERR_UNSUPPORTED, ERR_NOMEM,
 * ERR_NOT_FOUND and the other errors of the table. */
int segment_open(const struct store_io *io, uint64_t begin, struct segment **ret) MUST_USE;
void segment_close(struct segment *s);
const struct segment_footer *segment_footer_of(const struct segment *s);
void segment_block_of(const struct segment *s, uint32_t number, struct segment_block *ret);
uint32_t segment_sources(const struct segment *s);
struct slice segment_source(const struct segment *s, uint32_t number);

/* Block `number`, borrowed until the next call for this segment. ERR_CORRUPT, ERR_NOMEM, ERR_IO. */
int segment_read_block(struct segment *s, uint32_t number, struct batch *ret) MUST_USE;
/* The block that has the record, and the number of its first one. ERR_NOT_FOUND: not in this
 * segment. */
int segment_read_around(struct segment *s, uint64_t seq, struct batch *ret,
                        uint64_t *ret_first) MUST_USE;
/* The record, borrowed in the same way. ERR_NOT_FOUND: not in this segment. */
int segment_read_record(struct segment *s, uint64_t seq, struct record *ret) MUST_USE;

/* Whether its filters can be asked for the tokens of token.h. */
bool segment_has_filters(const struct segment *s);
/* Blocks of a group, which is one of them: FILTER_BLOCKS, or the last ones. */
uint32_t segment_group_blocks(const struct segment *s, uint32_t group);
/*
 * Which blocks of a group may have a token, a bit for each; the segment has filters. The table's
 * errors.
 */
int segment_ask(const struct segment *s, uint32_t group, uint64_t hash, uint64_t *ret) MUST_USE;

struct segment_query {
    nsec from, to;          /* received at or after `from` and before `to` */
    struct slice source;    /* what the source has in it; empty: any */
    const uint64_t *tokens; /* of which the record has all (token.h); borrowed */
    uint32_t n_tokens;
};
/* All of them. */
#define SEGMENT_ANY ((struct segment_query){.from = INT64_MIN, .to = INT64_MAX})

/* Goes through the records that may match: of tokens only the filters are asked. */
struct segment_cursor {
    struct segment *segment;
    struct segment_query query;
    uint32_t block; /* the next one */
    uint32_t group; /* of which `may` is; UINT32_MAX: none yet */
    uint64_t may;   /* blocks of the group */
    uint64_t seq;   /* of the next record */
    struct batch batch;
    struct batch_iter iter; /* batch NULL: no block is open */
    uint32_t skipped;       /* blocks that were not read */
    bool *sources;          /* those that match; NULL: any */
};

/* ERR_NOMEM. One cursor of a segment at a time. */
int segment_cursor_init(struct segment_cursor *c, struct segment *s,
                        const struct segment_query *query) MUST_USE;
void segment_cursor_done(struct segment_cursor *c);
/*
 * 1: *ret is the next record, borrowed until the next call; 0: the end. ERR_CORRUPT: the block that
 * begins with *ret_seq is damaged; the next call goes on behind it. ERR_IO, ERR_NOMEM.
 */
int segment_cursor_next(struct segment_cursor *c, uint64_t *ret_seq, struct record *ret) MUST_USE;

#endif
