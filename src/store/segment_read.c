/* SPDX-License-Identifier: EUPL-1.2 */
#include <zstd.h>

#include "base/crc32c.h"
#include "base/le.h"
#include "store/bloom.h"
#include "store/filter.h"
#include "store/segment.h"
#include "store/token.h"

enum { INDEX_HEAD = 16, BLOOM_ENTRY = 12, NO_BLOCK = UINT32_MAX };

/* Filters of up to 64 blocks. */
struct group {
    uint64_t offset, bytes;
    uint32_t buckets; /* of version 1 */
    struct filter_head head;
    const char *firsts; /* of its pages */
};

struct segment {
    const struct store_io *io;
    int file;
    uint64_t size, footer_at;
    struct segment_footer footer;
    struct buf index; /* decompressed */
    uint32_t n_groups, n_sources, n_numbers;
    const char *blocks, *ends, *numbers; /* in the index */
    struct group groups[SEGMENT_GROUPS_MAX];
    struct slice texts;
    struct block_codec *codec;
    struct buf in, batch;
    uint32_t loaded; /* the block that is in `batch`, or NO_BLOCK */
    struct batch loaded_batch;
};

/* ---- opening ----------------------------------------------------------------------------- */

static int read_at(const struct segment *s, void *to, size_t len, uint64_t offset)
{
    int64_t n = store_io_read(s->io, s->file, to, len, offset);
    if (n < 0) return (int)n;
    return (size_t)n == len ? 0 : ERR_TRUNCATED;
}

static int read_footer(struct segment *s, uint64_t begin)
{
    char bytes[SEGMENT_FOOTER_MAX], head[SEGMENT_HEAD];
    int64_t size = s->io->size(s->io->ctx, s->file);
    size_t len;
    if (size < 0) return (int)size;
    if (size < SEGMENT_HEAD + SEGMENT_TAIL) return ERR_TRUNCATED;
    s->size = (uint64_t)size;
    size_t want = s->size < sizeof bytes ? (size_t)s->size : sizeof bytes;
    int error = read_at(s, bytes, want, s->size - want);
    if (error == 0) error = segment_footer_read(slice_make(bytes, want), &s->footer, &len);
    if (error == 0) error = read_at(s, head, sizeof head, 0);
    if (error) return error;
    s->footer_at = s->size - len;
    bool same = memcmp(head, "VkSeg1\0", 8) == 0 && le32(head + 8) == s->footer.version &&
                le32(head + 12) == s->footer.tenant && le64(head + 16) == begin &&
                s->footer.begin == begin;
    return same ? 0 : ERR_CORRUPT;
}

static int read_index(struct segment *s)
{
    const struct segment_footer *f = &s->footer;
    if (f->index_at < SEGMENT_HEAD || f->index_at > s->footer_at ||
        f->index_len != s->footer_at - f->index_at || f->index_raw > SEGMENT_INDEX_MAX ||
        f->index_len > SEGMENT_INDEX_MAX)
        return ERR_CORRUPT;
    char *packed = buf_reserve(&s->in, f->index_len + (size_t)1);
    char *to = buf_reserve(&s->index, f->index_raw + (size_t)1);
    if (!packed || !to) return ERR_NOMEM;
    int error = read_at(s, packed, f->index_len, f->index_at);
    if (error) return error;
    if (crc32c(0, slice_make(packed, f->index_len)) != f->index_crc) return ERR_CORRUPT;
    size_t n = ZSTD_decompress(to, f->index_raw, packed, f->index_len);
    if (ZSTD_isError(n) || n != f->index_raw) return ERR_CORRUPT;
    s->index.len = n;
    return 0;
}

/* Takes n things of `size` bytes from the front; NULL when they are not there. */
static const char *take(struct slice *from, size_t n, size_t size)
{
    size_t len;
    if (__builtin_mul_overflow(n, size, &len) || len > from->len) return NULL;
    const char *at = from->ptr;
    *from = slice_from(*from, len);
    return at;
}

static bool sources_valid(const struct segment *s)
{
    uint32_t before = 0;
    for (uint32_t i = 0; i < s->n_sources; i++) {
        uint32_t end = le32(s->ends + 4 * (size_t)i);
        if (end < before) return false;
        before = end;
    }
    for (uint32_t i = 0; i < s->n_numbers; i++)
        if (le32(s->numbers + 4 * (size_t)i) >= s->n_sources) return false;
    return true;
}

static void read_entry(const struct segment *s, uint32_t number, struct segment_block *ret)
{
    const char *p = s->blocks + (size_t)number * SEGMENT_BLOCK_ENTRY;
    ret->offset = le64(p);
    ret->sizes.meta = le32(p + 8);
    ret->sizes.meta_raw = le32(p + 12);
    ret->sizes.data = le32(p + 16);
    ret->sizes.data_raw = le32(p + 20);
    ret->crc = le32(p + 24);
    ret->n = le32(p + 28);
    ret->first = le64(p + 32);
    ret->earliest = (nsec)le64(p + 40);
    ret->latest = (nsec)le64(p + 48);
    memcpy(&ret->root, p + 56, sizeof ret->root);
    ret->sources_from = le32(p + 88);
    ret->n_sources = le32(p + 92);
}

static bool entry_valid(const struct segment *s, const struct segment_block *b)
{
    bool any = b->n_sources == UINT32_MAX;
    return b->sizes.meta <= BLOCK_PART_MAX && b->sizes.data <= BLOCK_PART_MAX && b->n > 0 &&
           b->n <= BATCH_RECORDS_MAX && b->earliest <= b->latest &&
           b->sources_from <= s->n_numbers &&
           (any || b->n_sources <= s->n_numbers - b->sources_from);
}

/* Blocks and filters lie one behind the other, from the head to the index. */
static bool layout_valid(const struct segment *s)
{
    uint64_t at = SEGMENT_HEAD, seq = s->footer.begin + s->footer.lost, records = 0;
    for (uint32_t i = 0; i < s->footer.blocks; i++) {
        struct segment_block b;
        read_entry(s, i, &b);
        if (b.offset != at || b.first != seq || !entry_valid(s, &b)) return false;
        at += (uint64_t)b.sizes.meta + b.sizes.data;
        seq += b.n;
        records += b.n;
        if ((i + 1) % FILTER_BLOCKS != 0 && i + 1 < s->footer.blocks) continue;
        const struct group *group = &s->groups[i / FILTER_BLOCKS];
        if (group->offset != at) return false;
        at += group->bytes;
    }
    return at == s->footer.index_at && records == s->footer.records;
}

uint32_t segment_group_blocks(const struct segment *s, uint32_t group)
{
    uint32_t left = s->footer.blocks - group * FILTER_BLOCKS;
    return left < FILTER_BLOCKS ? left : FILTER_BLOCKS;
}

static bool take_blooms(struct segment *s, struct slice *rest)
{
    for (uint32_t i = 0; i < s->n_groups; i++) {
        const char *p = take(rest, 1, BLOOM_ENTRY);
        if (!p || le32(p + 8) == 0) return false;
        s->groups[i] = (struct group){.offset = le64(p), .buckets = le32(p + 8)};
        s->groups[i].bytes =
            s->groups[i].buckets * (uint64_t)bloom_row_size(segment_group_blocks(s, i));
    }
    return true;
}

static bool take_groups(struct segment *s, struct slice *rest)
{
    if (s->footer.version == SEGMENT_VERSION_BLOOM) return take_blooms(s, rest);
    const char *p = take(rest, s->n_groups, SEGMENT_GROUP_ENTRY);
    for (uint32_t i = 0; p && i < s->n_groups; i++, p += SEGMENT_GROUP_ENTRY) {
        struct group *g = &s->groups[i];
        g->offset = le64(p);
        g->head.full = le64(p + 8);
        g->bytes = g->head.bytes = le32(p + 16);
        g->head.values = le32(p + 20);
        g->head.rice = le32(p + 24);
        g->firsts = take(rest, filter_pages(g->head.bytes), 4);
        if (!g->firsts || g->head.values == 0 || g->head.values > FILTER_VALUES_MAX) return false;
    }
    return p != NULL;
}

static int parse_index(struct segment *s)
{
    struct slice rest = buf_slice(&s->index);
    const char *head = take(&rest, 1, INDEX_HEAD);
    if (!head || le32(head) != s->footer.blocks || le32(head) > SEGMENT_BLOCKS_MAX)
        return ERR_CORRUPT;
    s->n_groups = le32(head + 4);
    s->n_sources = le32(head + 8);
    s->n_numbers = le32(head + 12);
    if (s->n_groups != (s->footer.blocks + FILTER_BLOCKS - 1) / FILTER_BLOCKS) return ERR_CORRUPT;
    s->blocks = take(&rest, s->footer.blocks, SEGMENT_BLOCK_ENTRY);
    s->ends = s->blocks && take_groups(s, &rest) ? take(&rest, s->n_sources, 4) : NULL;
    if (!s->ends) return ERR_CORRUPT;
    size_t texts = s->n_sources ? le32(s->ends + 4 * ((size_t)s->n_sources - 1)) : 0;
    s->texts.ptr = take(&rest, texts, 1);
    s->texts.len = texts;
    s->numbers = s->texts.ptr ? take(&rest, s->n_numbers, 4) : NULL;
    if (!s->numbers || rest.len || !sources_valid(s) || !layout_valid(s)) return ERR_CORRUPT;
    return 0;
}

int segment_open(const struct store_io *io, uint64_t begin, struct segment **ret)
{
    char name[STORE_NAME_MAX + 1];
    segment_name(name, "segment", begin);
    int file = io->open(io->ctx, name, STORE_READ);
    if (file < 0) return file;
    struct segment *s = calloc(1, sizeof *s);
    if (!s) {
        io->close(io->ctx, file);
        return ERR_NOMEM;
    }
    s->io = io;
    s->file = file;
    s->loaded = NO_BLOCK;
    buf_init(&s->index, SEGMENT_INDEX_MAX + 1);
    buf_init(&s->in, 2 * (size_t)BLOCK_PART_MAX + 1);
    buf_init(&s->batch, BATCH_MAX);
    s->codec = block_codec_new();
    int error = s->codec ? read_footer(s, begin) : ERR_NOMEM;
    if (error == 0) error = read_index(s);
    if (error == 0) error = parse_index(s);
    if (error) {
        segment_close(s);
        return error;
    }
    *ret = s;
    return 0;
}

void segment_close(struct segment *s)
{
    if (!s) return;
    s->io->close(s->io->ctx, s->file);
    buf_done(&s->index);
    buf_done(&s->in);
    buf_done(&s->batch);
    block_codec_free(s->codec);
    free(s);
}

const struct segment_footer *segment_footer_of(const struct segment *s)
{
    return &s->footer;
}

void segment_block_of(const struct segment *s, uint32_t number, struct segment_block *ret)
{
    ASSERT(number < s->footer.blocks);
    read_entry(s, number, ret);
}

uint32_t segment_sources(const struct segment *s)
{
    return s->n_sources;
}

struct slice segment_source(const struct segment *s, uint32_t number)
{
    ASSERT(number < s->n_sources);
    size_t from = number ? le32(s->ends + 4 * ((size_t)number - 1)) : 0;
    return slice_make(s->texts.ptr + from, le32(s->ends + 4 * (size_t)number) - from);
}

/* ---- records ----------------------------------------------------------------------------- */

static int load_block(struct segment *s, uint32_t number)
{
    struct segment_block b;
    segment_block_of(s, number, &b);
    size_t len = (size_t)b.sizes.meta + b.sizes.data;
    s->loaded = NO_BLOCK;
    buf_clear(&s->in);
    char *to = buf_reserve(&s->in, len + 1);
    if (!to) return buf_error(&s->in);
    int error = read_at(s, to, len, b.offset);
    if (error) return error == ERR_TRUNCATED ? ERR_CORRUPT : error;
    struct slice bytes = slice_make(to, len);
    if (crc32c(0, bytes) != b.crc) return ERR_CORRUPT;
    error = block_decode(s->codec, bytes, &b.sizes, s->footer.tenant, &s->batch, &s->loaded_batch);
    if (error == 0 && s->loaded_batch.n != b.n) error = ERR_CORRUPT;
    if (error == 0) s->loaded = number;
    return error;
}

int segment_read_block(struct segment *s, uint32_t number, struct batch *ret)
{
    int error = s->loaded == number ? 0 : load_block(s, number);
    if (error == 0) *ret = s->loaded_batch;
    return error;
}

/* The block that has the record: it is in one. */
static uint32_t find_block(const struct segment *s, uint64_t seq, uint64_t *ret_first)
{
    uint32_t low = 0, high = s->footer.blocks;
    struct segment_block b;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        segment_block_of(s, middle, &b);
        if (b.first <= seq) low = middle;
        else high = middle;
    }
    segment_block_of(s, low, &b);
    *ret_first = b.first;
    return low;
}

int segment_read_around(struct segment *s, uint64_t seq, struct batch *ret, uint64_t *ret_first)
{
    uint64_t begin = s->footer.begin + s->footer.lost;
    if (seq < begin || seq - begin >= s->footer.records) return ERR_NOT_FOUND;
    return segment_read_block(s, find_block(s, seq, ret_first), ret);
}

int segment_read_record(struct segment *s, uint64_t seq, struct record *ret)
{
    struct batch batch;
    struct batch_iter it;
    uint64_t first;
    int error = segment_read_around(s, seq, &batch, &first);
    if (error) return error;
    batch_iter_init(&it, &batch);
    for (uint64_t at = first; batch_iter_next(&it, ret) && at < seq;) at++;
    return 0;
}

/* ---- queries ----------------------------------------------------------------------------- */

int segment_cursor_init(struct segment_cursor *c, struct segment *s,
                        const struct segment_query *query)
{
    *c = (struct segment_cursor){.segment = s, .query = *query, .group = UINT32_MAX};
    if (query->source.len == 0) return 0;
    c->sources = calloc(s->n_sources + (size_t)1, sizeof *c->sources);
    if (!c->sources) return ERR_NOMEM;
    for (uint32_t i = 0; i < s->n_sources; i++)
        c->sources[i] = slice_find(segment_source(s, i), query->source) != SIZE_MAX;
    return 0;
}

void segment_cursor_done(struct segment_cursor *c)
{
    free(c->sources);
}

static bool has_source(const struct segment_cursor *c, const struct segment_block *b)
{
    if (!c->sources || b->n_sources == UINT32_MAX) return true;
    const char *at = c->segment->numbers + (size_t)b->sources_from * 4;
    for (uint32_t i = 0; i < b->n_sources; i++)
        if (c->sources[le32(at + (size_t)i * 4)]) return true;
    return false;
}

static int ask_bloom(const struct segment *s, const struct group *g, uint32_t n, uint64_t hash,
                     uint64_t *ret_may)
{
    char row[FILTER_BLOCKS * BLOOM_BUCKET + 4];
    size_t len = bloom_row_size(n);
    int error = read_at(s, row, len, g->offset + bloom_bucket(hash, g->buckets) * len);
    if (error == 0) *ret_may = bloom_test(row, n, hash);
    return error;
}

static int ask_pages(const struct segment *s, const struct group *g, uint32_t n, uint64_t hash,
                     uint64_t *ret_may)
{
    char bytes[FILTER_PAGE];
    uint32_t value = filter_value(hash, g->head.values);
    int page = filter_page_of(g->firsts, filter_pages(g->head.bytes), value);
    if (page == FILTER_NO_PAGE) {
        *ret_may = g->head.full;
        return 0;
    }
    size_t len = filter_page_size(g->head.bytes, (uint32_t)page);
    int error = read_at(s, bytes, len, g->offset + (uint64_t)page * FILTER_PAGE);
    if (error) return error;
    *ret_may =
        g->head.full | filter_test(slice_make(bytes, len), le32(g->firsts + 4 * (size_t)page),
                                   g->head.rice, n, value);
    return 0;
}

bool segment_has_filters(const struct segment *s)
{
    /* Those of another rule say nothing about these tokens. */
    return s->footer.tokens == TOKEN_VERSION;
}

int segment_ask(const struct segment *s, uint32_t group, uint64_t hash, uint64_t *ret)
{
    ASSERT(group < s->n_groups);
    const struct group *g = &s->groups[group];
    uint32_t n = segment_group_blocks(s, group);
    return s->footer.version == SEGMENT_VERSION_BLOOM ? ask_bloom(s, g, n, hash, ret)
                                                      : ask_pages(s, g, n, hash, ret);
}

/* Which blocks of a group may have all the tokens. */
static int ask_filters(struct segment_cursor *c, uint32_t number)
{
    c->may = ~UINT64_C(0);
    for (uint32_t i = 0; i < c->query.n_tokens && c->may; i++) {
        uint64_t may;
        int error = segment_ask(c->segment, number, c->query.tokens[i], &may);
        if (error) return error;
        c->may &= may;
    }
    c->group = number;
    return 0;
}

/* 1: block `number` has to be read, 0: not. */
static int wanted(struct segment_cursor *c, uint32_t number, const struct segment_block *b)
{
    if (b->latest < c->query.from || b->earliest >= c->query.to || !has_source(c, b)) return 0;
    if (c->query.n_tokens == 0 || !segment_has_filters(c->segment)) return 1;
    int error = c->group == number / FILTER_BLOCKS ? 0 : ask_filters(c, number / FILTER_BLOCKS);
    return error ? error : (int)(c->may >> (number % FILTER_BLOCKS) & 1);
}

/* Opens the next block that is wanted. 0: there is none. */
static int next_block(struct segment_cursor *c)
{
    while (c->block < c->segment->footer.blocks) {
        struct segment_block b;
        uint32_t number = c->block;
        segment_block_of(c->segment, number, &b);
        int answer = wanted(c, number, &b);
        if (answer < 0) return answer;
        c->block++;
        c->seq = b.first;
        if (answer == 0) {
            c->skipped++;
            continue;
        }
        int error = segment_read_block(c->segment, number, &c->batch);
        if (error) return error;
        batch_iter_init(&c->iter, &c->batch);
        return 1;
    }
    return 0;
}

static bool matches(const struct segment_query *q, const struct record *r)
{
    return r->received >= q->from && r->received < q->to &&
           (q->source.len == 0 || slice_find(r->source, q->source) != SIZE_MAX);
}

int segment_cursor_next(struct segment_cursor *c, uint64_t *ret_seq, struct record *ret)
{
    for (;;) {
        while (c->iter.batch && batch_iter_next(&c->iter, ret)) {
            *ret_seq = c->seq++;
            if (matches(&c->query, ret)) return 1;
        }
        c->iter.batch = NULL;
        int answer = next_block(c);
        if (answer <= 0) {
            *ret_seq = c->seq;
            return answer;
        }
    }
}
