/* SPDX-License-Identifier: EUPL-1.2 */
#include <zstd.h>

#include "base/crc32c.h"
#include "base/hash.h"
#include "base/le.h"
#include "store/filter.h"
#include "store/segment.h"
#include "store/tiles.h"
#include "store/token.h"

enum {
    WRITE_BACK = 4 * 1024 * 1024, /* bytes that are left to the end at most */
    LEVEL_OF_INDEX = 3,
    LEAVES_AT_ONCE = 128, /* records that are hashed together */
    HEADS_MAX = LEAVES_AT_ONCE * (3 * RECORD_TEXT_MAX + 64),
    HEADS_ENOUGH = 256 * 1024,
    SOURCE_SLOTS = 2 * SEGMENT_SOURCES_MAX,
    FILTERS_MAX = 64 * 1024 * 1024, /* of a group; above what TOKEN_SET_MAX allows */
};

/* All sources of the segment, each once. */
struct sources {
    struct buf texts, ends;
    uint32_t n;
    uint32_t *slots;                    /* number + 1; 0: empty */
    uint32_t seen[SEGMENT_SOURCES_MAX]; /* the last block it was in, + 1 */
};

struct segment_writer {
    const struct store_io *io;
    struct segment_options options;
    char name[STORE_NAME_MAX + 1];
    int file;
    uint64_t offset, on_way;     /* of the file: its end, and what is on its way to the disk */
    struct batch_writer records; /* of the block to come */
    struct buf batch, block, heads;
    struct block_codec *codec;
    struct token_set *tokens;
    struct filter_group filters;
    struct sources sources;
    struct buf blocks, groups, pages, numbers; /* of the index */
    uint32_t n_groups;
    struct sha256 *leaves; /* BATCH_RECORDS_MAX; of the block to come … */
    uint32_t n_leaves;     /* … as many as were handed in */
    struct tiles_new tiles;
    struct tree_range tree, block_range;
    struct segment_footer footer;
    uint64_t bytes, n; /* with what is not in a block yet */
};

/* ---- beginning and end ------------------------------------------------------------------- */

void segment_options_default(struct segment_options *ret)
{
    *ret = (struct segment_options){.level_text = 1, .level_json = 3, .block_bytes = SEGMENT_BLOCK};
}

static void init_buffers(struct segment_writer *w)
{
    batch_writer_init(&w->records, 0, BATCH_MAX);
    buf_init(&w->batch, BATCH_MAX);
    buf_init(&w->block, 2 * (size_t)BLOCK_PART_MAX + FILTERS_MAX);
    buf_init(&w->heads, HEADS_MAX);
    filter_group_init(&w->filters);
    buf_init(&w->sources.texts, SEGMENT_SOURCES_BYTES);
    buf_init(&w->sources.ends, SEGMENT_SOURCES_MAX * 4);
    buf_init(&w->blocks, SEGMENT_BLOCKS_MAX * SEGMENT_BLOCK_ENTRY);
    buf_init(&w->groups, SEGMENT_GROUPS_MAX * SEGMENT_GROUP_ENTRY);
    buf_init(&w->pages, SEGMENT_PAGES_MAX * 4);
    buf_init(&w->numbers, SEGMENT_NUMBERS_MAX * 4);
    tiles_new_init(&w->tiles);
}

int segment_writer_new(const struct store_io *io, struct segment_writer **ret)
{
    struct segment_writer *w = calloc(1, sizeof *w);
    if (!w) return ERR_NOMEM;
    w->io = io;
    w->file = -1;
    init_buffers(w);
    w->sources.slots = calloc(SOURCE_SLOTS, sizeof *w->sources.slots);
    w->leaves = malloc(BATCH_RECORDS_MAX * sizeof *w->leaves);
    w->codec = block_codec_new();
    w->tokens = token_set_new();
    if (!w->sources.slots || !w->leaves || !w->codec || !w->tokens) {
        segment_writer_free(w);
        return ERR_NOMEM;
    }
    *ret = w;
    return 0;
}

/* What was not finished goes; if it stays, the next of that name removes it. */
static void abandon(struct segment_writer *w)
{
    if (w->file < 0) return;
    w->io->close(w->io->ctx, w->file);
    (void)w->io->unlink(w->io->ctx, w->name);
    w->file = -1;
}

void segment_writer_free(struct segment_writer *w)
{
    if (!w) return;
    abandon(w);
    batch_writer_done(&w->records);
    buf_done(&w->batch);
    buf_done(&w->block);
    buf_done(&w->heads);
    block_codec_free(w->codec);
    token_set_free(w->tokens);
    filter_group_done(&w->filters);
    buf_done(&w->sources.texts);
    buf_done(&w->sources.ends);
    free(w->sources.slots);
    buf_done(&w->blocks);
    buf_done(&w->groups);
    buf_done(&w->pages);
    buf_done(&w->numbers);
    free(w->leaves);
    tiles_new_done(&w->tiles);
    free(w);
}

/* As if no record had come, with the memory that those before it needed. */
static void clear(struct segment_writer *w)
{
    batch_writer_clear(&w->records);
    w->records.tenant = w->options.tenant;
    filter_group_clear(&w->filters);
    buf_clear(&w->sources.texts);
    buf_clear(&w->sources.ends);
    memset(w->sources.slots, 0, SOURCE_SLOTS * sizeof *w->sources.slots);
    memset(w->sources.seen, 0, sizeof w->sources.seen);
    w->sources.n = 0;
    buf_clear(&w->blocks);
    buf_clear(&w->groups);
    buf_clear(&w->pages);
    buf_clear(&w->numbers);
    tiles_new_begin(&w->tiles, w->footer.begin);
    w->n_groups = w->n_leaves = 0;
    w->bytes = w->n = 0;
}

static int put_head(struct segment_writer *w)
{
    char head[SEGMENT_HEAD] = "VkSeg1";
    le32_put(head + 8, SEGMENT_VERSION);
    le32_put(head + 12, w->options.tenant);
    le64_put(head + 16, w->footer.begin);
    w->offset = sizeof head;
    w->on_way = 0;
    return store_io_write(w->io, w->file, slice_make(head, sizeof head), 0);
}

/* Leaves of what was lost: the bytes 0 (a leaf) and 0 (no version of a record). */
static void put_lost(struct segment_writer *w)
{
    struct sha256 leaf;
    struct tree_sink sink = tiles_sink(&w->tiles);
    sha256_many(&(struct sha256_message){SLICE("\0\0"), SLICE_NONE}, 1, &leaf);
    for (uint64_t left = w->options.lost; left > 0;) {
        size_t n = left < BATCH_RECORDS_MAX ? (size_t)left : BATCH_RECORDS_MAX;
        for (size_t i = 0; i < n; i++) w->leaves[i] = leaf;
        tree_range_of_leaves(&w->block_range, w->tree.end, w->leaves, n, &sink);
        tree_range_append(&w->tree, &w->block_range, &sink);
        tree_range_append(&w->footer.range, &w->block_range, NULL);
        left -= n;
    }
}

static int create_file(struct segment_writer *w)
{
    segment_name(w->name, "sealing", w->footer.begin);
    int file = store_io_create(w->io, w->name);
    if (file < 0) return file;
    w->file = file;
    put_lost(w);
    return put_head(w);
}

int segment_writer_begin(struct segment_writer *w, const struct segment_options *options)
{
    uint64_t end;
    abandon(w);
    if (options->lost > SEGMENT_LOST_MAX ||
        __builtin_add_overflow(options->before->end, options->lost, &end) || end > TREE_SIZE_MAX)
        return ERR_INVALID;
    w->options = *options;
    w->options.before = NULL;
    w->tree = *options->before;
    w->footer = (struct segment_footer){.version = SEGMENT_VERSION,
                                        .tenant = options->tenant,
                                        .normaliser = options->normaliser,
                                        .tokens = TOKEN_VERSION,
                                        .begin = options->before->end,
                                        .lost = options->lost,
                                        .earliest = INT64_MAX,
                                        .latest = INT64_MIN,
                                        .before = *options->before};
    tree_range_init(&w->footer.range, w->footer.begin);
    clear(w);
    return create_file(w);
}

/* ---- sources ----------------------------------------------------------------------------- */

static struct slice source_text(const struct sources *s, uint32_t number)
{
    size_t from = number ? le32(s->ends.ptr + 4 * ((size_t)number - 1)) : 0;
    return slice_make(s->texts.ptr + from, le32(s->ends.ptr + 4 * (size_t)number) - from);
}

static void put_u32(struct buf *out, uint32_t v)
{
    char bytes[4];
    le32_put(bytes, v);
    buf_put(out, slice_make(bytes, sizeof bytes));
}

static void put_u64(struct buf *out, uint64_t v)
{
    char bytes[8];
    le64_put(bytes, v);
    buf_put(out, slice_make(bytes, sizeof bytes));
}

/* Its number, given at first sight; UINT32_MAX: there are too many. */
static uint32_t source_number(struct sources *s, struct slice text)
{
    size_t at = hash64(text) % SOURCE_SLOTS;
    for (; s->slots[at]; at = (at + 1) % SOURCE_SLOTS)
        if (slice_eq(source_text(s, s->slots[at] - 1), text)) return s->slots[at] - 1;
    if (s->n == SEGMENT_SOURCES_MAX || text.len > SEGMENT_SOURCES_BYTES - s->texts.len)
        return UINT32_MAX;
    buf_put(&s->texts, text);
    put_u32(&s->ends, (uint32_t)s->texts.len);
    if (buf_failed(&s->texts) || buf_failed(&s->ends)) return UINT32_MAX;
    s->slots[at] = ++s->n;
    return s->n - 1;
}

/* The sources of a block go to the index. Returns their count, UINT32_MAX: it may have any. */
static uint32_t put_sources(struct segment_writer *w, const struct batch *b)
{
    struct batch_iter it;
    struct record r;
    struct slice before = SLICE_NONE;
    size_t start = w->numbers.len;
    bool first = true, full = false;
    batch_iter_init(&it, b);
    while (!full && batch_iter_next(&it, &r)) {
        if (!first && r.source.ptr == before.ptr && r.source.len == before.len) continue;
        first = false;
        before = r.source;
        uint32_t number = source_number(&w->sources, r.source);
        full = number == UINT32_MAX || w->numbers.len == SEGMENT_NUMBERS_MAX * 4;
        if (full || w->sources.seen[number] == w->footer.blocks + 1) continue;
        w->sources.seen[number] = w->footer.blocks + 1;
        put_u32(&w->numbers, number);
    }
    if (!full) return (uint32_t)(w->numbers.len - start) / 4;
    w->numbers.len = start;
    return UINT32_MAX;
}

/* ---- blocks ------------------------------------------------------------------------------ */

static int hash_leaves(struct segment_writer *w, const struct batch *b)
{
    struct sha256_message messages[LEAVES_AT_ONCE];
    size_t ends[LEAVES_AT_ONCE];
    struct batch_iter it;
    struct record r;
    uint32_t done = 0;
    batch_iter_init(&it, b);
    while (done < b->n) {
        uint32_t n = 0;
        buf_clear(&w->heads);
        while (n < LEAVES_AT_ONCE && w->heads.len < HEADS_ENOUGH && batch_iter_next(&it, &r)) {
            record_leaf_head(&w->heads, &r);
            messages[n].body = r.raw;
            ends[n++] = w->heads.len;
        }
        if (buf_failed(&w->heads)) return buf_error(&w->heads);
        for (uint32_t i = 0; i < n; i++) {
            size_t from = i ? ends[i - 1] : 0;
            messages[i].head = slice_make(w->heads.ptr + from, ends[i] - from);
        }
        sha256_many(messages, n, w->leaves + done);
        done += n;
    }
    return 0;
}

/* What is found out about all records of a block. */
struct summary {
    nsec earliest, latest;
    uint64_t json_bytes;
};

static int read_records(struct segment_writer *w, const struct batch *b, struct summary *ret)
{
    struct batch_iter it;
    struct record r;
    *ret = (struct summary){INT64_MAX, INT64_MIN, 0};
    token_set_clear(w->tokens);
    batch_iter_init(&it, b);
    while (batch_iter_next(&it, &r)) {
        if (r.received < ret->earliest) ret->earliest = r.received;
        if (r.received > ret->latest) ret->latest = r.received;
        if (r.raw.len && r.raw.ptr[0] == '{') ret->json_bytes += r.raw.len;
        int error = token_set_add(w->tokens, r.raw);
        if (error) return error;
    }
    return 0;
}

static int write_out(struct segment_writer *w, struct slice bytes)
{
    int error = store_io_write(w->io, w->file, bytes, w->offset);
    w->offset += bytes.len;
    if (error == 0 && w->offset - w->on_way >= WRITE_BACK) {
        w->io->write_back(w->io->ctx, w->file, w->on_way, w->offset - w->on_way);
        w->on_way = w->offset;
    }
    return error;
}

static int write_filters(struct segment_writer *w)
{
    struct filter_head head;
    if (w->filters.n == 0) return 0;
    buf_clear(&w->block);
    int error = filter_group_finish(&w->filters, &w->block, &w->pages, &head);
    if (error) return error;
    put_u64(&w->groups, w->offset);
    put_u64(&w->groups, head.full);
    put_u32(&w->groups, head.bytes);
    put_u32(&w->groups, head.values);
    put_u32(&w->groups, head.rice);
    w->n_groups++;
    return write_out(w, buf_slice(&w->block));
}

static void put_entry(struct segment_writer *w, const struct batch *b, const struct summary *sum,
                      const struct block_sizes *sizes)
{
    struct sha256 root = tree_range_root(&w->block_range);
    uint32_t from = (uint32_t)(w->numbers.len / 4), count = put_sources(w, b);
    put_u64(&w->blocks, w->offset);
    put_u32(&w->blocks, sizes->meta);
    put_u32(&w->blocks, sizes->meta_raw);
    put_u32(&w->blocks, sizes->data);
    put_u32(&w->blocks, sizes->data_raw);
    put_u32(&w->blocks, crc32c(0, buf_slice(&w->block)));
    put_u32(&w->blocks, b->n);
    put_u64(&w->blocks, w->block_range.begin);
    put_u64(&w->blocks, (uint64_t)sum->earliest);
    put_u64(&w->blocks, (uint64_t)sum->latest);
    buf_put(&w->blocks, slice_make(&root, sizeof root));
    put_u32(&w->blocks, from);
    put_u32(&w->blocks, count);
}

static void grow_tree(struct segment_writer *w, const struct batch *b)
{
    struct tree_sink sink = tiles_sink(&w->tiles);
    tree_range_of_leaves(&w->block_range, w->tree.end, w->leaves, b->n, &sink);
    tree_range_append(&w->tree, &w->block_range, &sink);
    tree_range_append(&w->footer.range, &w->block_range, NULL);
}

static int write_block(struct segment_writer *w)
{
    struct batch b;
    struct summary sum;
    struct block_sizes sizes;
    if (w->records.n == 0) return 0;
    buf_clear(&w->batch);
    batch_writer_finish(&w->records, &w->batch);
    if (buf_failed(&w->batch)) return buf_error(&w->batch);
    int error = batch_open(buf_slice(&w->batch), &b);
    if (error == 0 && w->n_leaves < b.n) error = hash_leaves(w, &b);
    w->n_leaves = 0;
    if (error == 0) error = read_records(w, &b, &sum);
    if (error) return error;
    grow_tree(w, &b);
    buf_clear(&w->block);
    int level = 2 * sum.json_bytes > b.data.len ? w->options.level_json : w->options.level_text;
    error = block_encode(w->codec, &b, level, &w->block, &sizes);
    if (error) return error;
    put_entry(w, &b, &sum, &sizes);
    error = write_out(w, buf_slice(&w->block));
    if (error) return error;
    w->footer.blocks++;
    w->footer.records += b.n;
    w->footer.raw_bytes += b.data.len - b.n;
    if (sum.earliest < w->footer.earliest) w->footer.earliest = sum.earliest;
    if (sum.latest > w->footer.latest) w->footer.latest = sum.latest;
    uint32_t n;
    const uint32_t *keys = token_set_keys(w->tokens, &n);
    error = filter_group_add(&w->filters, keys, n, token_set_full(w->tokens));
    return error || w->filters.n < FILTER_BLOCKS ? error : write_filters(w);
}

/* ---- records ----------------------------------------------------------------------------- */

int segment_writer_add(struct segment_writer *w, const struct record *record,
                       const struct sha256 *leaf)
{
    bool last = w->footer.blocks + 1 >= SEGMENT_BLOCKS_MAX;
    if (w->footer.blocks == SEGMENT_BLOCKS_MAX) return ERR_LIMIT;
    int error = batch_writer_add(&w->records, record);
    if (error == ERR_LIMIT && last) return ERR_LIMIT;
    if (error == ERR_LIMIT) {
        error = write_block(w);
        if (error) return error;
        error = batch_writer_add(&w->records, record);
    }
    if (error) return error;
    if (leaf) {
        w->leaves[w->records.n - 1] = *leaf;
        w->n_leaves++;
    }
    w->n++;
    w->bytes += record->raw.len;
    bool enough = w->records.data.len + w->records.texts.len >= w->options.block_bytes;
    return enough ? write_block(w) : 0;
}

uint64_t segment_writer_bytes(const struct segment_writer *w)
{
    return w->bytes;
}

uint64_t segment_writer_records(const struct segment_writer *w)
{
    return w->n;
}

static int write_index(struct segment_writer *w)
{
    struct buf raw;
    size_t n_numbers = w->numbers.len / 4;
    buf_init(&raw, SEGMENT_INDEX_MAX);
    put_u32(&raw, w->footer.blocks);
    put_u32(&raw, w->n_groups);
    put_u32(&raw, w->sources.n);
    put_u32(&raw, (uint32_t)n_numbers);
    buf_put(&raw, buf_slice(&w->blocks));
    buf_put(&raw, buf_slice(&w->groups));
    buf_put(&raw, buf_slice(&w->pages));
    buf_put(&raw, buf_slice(&w->sources.ends));
    buf_put(&raw, buf_slice(&w->sources.texts));
    buf_put(&raw, buf_slice(&w->numbers));
    bool failed = buf_failed(&raw) || buf_failed(&w->blocks) || buf_failed(&w->groups) ||
                  buf_failed(&w->numbers) || buf_failed(&w->sources.texts) ||
                  buf_failed(&w->sources.ends);
    size_t bound = ZSTD_compressBound(raw.len);
    buf_clear(&w->block);
    char *to = failed ? NULL : buf_reserve(&w->block, bound);
    size_t len = to ? ZSTD_compress(to, bound, raw.ptr, raw.len, LEVEL_OF_INDEX) : 0;
    w->footer.index_raw = (uint32_t)raw.len;
    buf_done(&raw);
    if (!to || ZSTD_isError(len)) return ERR_NOMEM;
    w->block.len = len;
    w->footer.index_at = w->offset;
    w->footer.index_len = (uint32_t)len;
    w->footer.index_crc = crc32c(0, buf_slice(&w->block));
    return write_out(w, buf_slice(&w->block));
}

static int write_footer(struct segment_writer *w, nsec sealed)
{
    w->footer.sealed = sealed;
    w->footer.root = tree_range_root(&w->tree);
    if (w->footer.records == 0) w->footer.earliest = w->footer.latest = sealed;
    buf_clear(&w->block);
    segment_footer_write(&w->block, &w->footer);
    return buf_failed(&w->block) ? buf_error(&w->block) : write_out(w, buf_slice(&w->block));
}

int segment_writer_finish(struct segment_writer *w, nsec sealed, struct tree_range *ret_tree)
{
    char name[STORE_NAME_MAX + 1];
    int error = write_block(w);
    if (error) return error;
    if (w->footer.range.end == w->footer.begin) return ERR_INVALID;
    error = write_filters(w);
    if (error == 0) error = write_index(w);
    if (error == 0) error = write_footer(w, sealed);
    if (error == 0) error = w->io->sync_data(w->io->ctx, w->file);
    if (error == 0) error = tiles_write(w->io, &w->tiles);
    if (error) return error;
    segment_name(name, "segment", w->footer.begin);
    error = w->io->rename(w->io->ctx, w->name, name);
    if (error) return error;
    w->io->close(w->io->ctx, w->file);
    w->file = -1;
    error = w->io->sync_names(w->io->ctx);
    if (error == 0) *ret_tree = w->tree;
    return error;
}
