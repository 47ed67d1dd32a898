/* SPDX-License-Identifier: EUPL-1.2 */
#include "verify/segment.h"

#include <zstd.h>

#include "base/crc32c.h"
#include "base/le.h"
#include "verify/block.h"
#include "verify/filter.h"

enum {
    HEAD = 24,
    TAIL = 16,
    FOOTER_FIXED = 144,
    INDEX_MAX = 16 * 1024 * 1024,
    INDEX_HEAD = 16,
    BLOCK_ENTRY = 96,
    GROUP_ENTRY = 28,
    ROWS_ENTRY = 12, /* a group of version 1 */
    BLOCKS_MAX = 1024,
    GROUP_BLOCKS = 64,
    PART_MAX = 8 * 1024 * 1024,
    FILTERS_MAX = 64 * 1024 * 1024,
    VALUES_MAX = 1 << 24,
};

/* ---- footer ------------------------------------------------------------------------------ */

static unsigned nodes_of(uint64_t begin, uint64_t end)
{
    unsigned n = 0;
    for (; begin < end; n++) begin += UINT64_C(1) << verify_tree_height(begin, end);
    return n;
}

static int read_footer(struct slice body, struct verify_footer *f)
{
    const char *p = body.ptr;
    uint64_t end;
    if (body.len < FOOTER_FIXED || memcmp(p, "VkFoot1", 8) != 0 || le32(p + 8) - 1 > 1)
        return ERR_INVALID;
    f->version = le32(p + 8);
    f->tenant = le32(p + 12);
    f->begin = le64(p + 16);
    f->lost = le64(p + 24);
    f->records = le64(p + 32);
    f->earliest = (int64_t)le64(p + 40);
    f->latest = (int64_t)le64(p + 48);
    f->raw_bytes = le64(p + 64);
    f->index_at = le64(p + 72);
    f->index_len = le32(p + 80);
    f->index_raw = le32(p + 84);
    f->index_crc = le32(p + 88);
    f->blocks = le32(p + 92);
    f->token_rule = le32(p + 100);
    f->n_before = le32(p + 104);
    f->n_range = le32(p + 108);
    memcpy(&f->root, p + 112, sizeof f->root);
    if (__builtin_add_overflow(f->begin, f->lost, &end) ||
        __builtin_add_overflow(end, f->records, &end) || end > UINT64_C(1) << 62 ||
        end == f->begin || f->n_before != nodes_of(0, f->begin) ||
        f->n_range != nodes_of(f->begin, end) ||
        body.len - FOOTER_FIXED != ((size_t)f->n_before + f->n_range) * sizeof f->root)
        return ERR_INVALID;
    ASSERT((size_t)f->n_before + f->n_range <= 2 * VERIFY_NODES);
    if (f->n_before + f->n_range > VERIFY_NODES) return ERR_INVALID;
    memcpy(f->nodes, p + FOOTER_FIXED, body.len - FOOTER_FIXED);
    return 0;
}

int verify_footer_read(struct slice bytes, struct verify_footer *ret)
{
    if (bytes.len < TAIL) return ERR_CORRUPT;
    const char *tail = bytes.ptr + bytes.len - TAIL;
    uint32_t len = le32(tail);
    if (memcmp(tail + 8, "VkEnd1\0", 8) != 0 || len < TAIL || len > VERIFY_FOOTER_MAX ||
        len > bytes.len)
        return ERR_CORRUPT;
    struct slice body = slice_make(bytes.ptr + bytes.len - len, len - TAIL);
    if (crc32c(0, body) != le32(tail + 4)) return ERR_CORRUPT;
    ret->len = len;
    return read_footer(body, ret);
}

/* ---- reading ----------------------------------------------------------------------------- */

struct reading {
    const struct verify_file *file;
    const struct verify_footer *footer;
    struct verify_flaw *flaw;
    verify_take *take;
    void *ctx;
    struct buf in, index;
    const char *blocks, *groups, *firsts, *ends, *numbers;
    struct slice texts;
    uint32_t n_sources, n_numbers;
    bool *seen; /* for each of the numbers: a record has this source */
    struct verify_block *block;
    struct verify_filter *filter;
    uint64_t offset, seq, raw_bytes;
    int64_t earliest, latest;
};

static void flawed(struct reading *r, bool accident, const char *what)
{
    if (r->flaw->what) return;
    *r->flaw = (struct verify_flaw){accident, what, r->seq, r->offset};
}

static int unpack_index(struct reading *r)
{
    const struct verify_footer *f = r->footer;
    uint64_t footer_at = r->file->size - f->len;
    r->offset = f->index_at;
    if (f->index_at < HEAD || f->index_at > footer_at || f->index_len != footer_at - f->index_at ||
        f->index_len > INDEX_MAX || f->index_raw > INDEX_MAX) {
        flawed(r, false, "the footer places the index where it cannot be");
        return ERR_INVALID;
    }
    int error = verify_file_read(r->file, f->index_at, f->index_len, &r->in);
    if (error) return error;
    if (crc32c(0, buf_slice(&r->in)) != f->index_crc) {
        flawed(r, true, "the index is damaged");
        return ERR_INVALID;
    }
    char *to = buf_reserve(&r->index, f->index_raw + (size_t)1);
    if (!to) return ERR_NOMEM;
    size_t n = ZSTD_decompress(to, f->index_raw, r->in.ptr, r->in.len);
    if (ZSTD_isError(n) || n != f->index_raw) {
        flawed(r, false, "the index does not decompress");
        return ERR_INVALID;
    }
    r->index.len = n;
    return 0;
}

static size_t pages_of(const char *group)
{
    return (le32(group + 16) + (size_t)VERIFY_FILTER_PAGE - 1) / VERIFY_FILTER_PAGE;
}

static size_t pages_of_groups(const struct reading *r, size_t groups)
{
    size_t pages = 0;
    for (size_t i = 0; r->footer->version != 1 && i < groups; i++)
        pages += pages_of(r->groups + i * GROUP_ENTRY);
    return pages;
}

static bool split_index(struct reading *r)
{
    const char *p = r->index.ptr;
    size_t len = r->index.len, texts = 0;
    if (len < INDEX_HEAD) return false;
    size_t blocks = le32(p), groups = le32(p + 4), sources = le32(p + 8), numbers = le32(p + 12);
    size_t entry = r->footer->version == 1 ? ROWS_ENTRY : GROUP_ENTRY;
    size_t at = INDEX_HEAD + blocks * BLOCK_ENTRY + groups * entry;
    if (blocks != r->footer->blocks || blocks > BLOCKS_MAX ||
        groups != (blocks + GROUP_BLOCKS - 1) / GROUP_BLOCKS || at > len)
        return false;
    r->blocks = p + INDEX_HEAD;
    r->groups = r->blocks + blocks * BLOCK_ENTRY;
    r->firsts = p + at;
    at += 4 * pages_of_groups(r, groups);
    if (at > len || sources > (len - at) / 4) return false;
    r->ends = p + at;
    at += sources * 4;
    for (size_t i = 0; i < sources; i++) {
        size_t end = le32(r->ends + 4 * i);
        if (end < texts) return false;
        texts = end;
    }
    if (texts > len - at || numbers * 4 != len - at - texts) return false;
    r->texts = slice_make(p + at, texts);
    r->numbers = p + at + texts;
    r->n_sources = (uint32_t)sources;
    r->n_numbers = (uint32_t)numbers;
    return true;
}

/* ---- blocks ------------------------------------------------------------------------------ */

static struct slice source_of(const struct reading *r, uint32_t number)
{
    size_t from = number ? le32(r->ends + 4 * ((size_t)number - 1)) : 0;
    return slice_make(r->texts.ptr + from, le32(r->ends + 4 * (size_t)number) - from);
}

/* Whether the index names the source for the block; it is seen then. */
static bool see_source(struct reading *r, const char *entry, struct slice source)
{
    uint32_t from = le32(entry + 88), count = le32(entry + 92);
    if (count == UINT32_MAX) return true;
    for (size_t i = from; i < (size_t)from + count; i++) {
        if (!slice_eq(source_of(r, le32(r->numbers + 4 * i)), source)) continue;
        r->seen[i] = true;
        return true;
    }
    return false;
}

static bool all_seen(const struct reading *r, const char *entry)
{
    uint32_t from = le32(entry + 88), count = le32(entry + 92);
    if (count == UINT32_MAX) return true;
    for (size_t i = from; i < (size_t)from + count; i++)
        if (!r->seen[i]) return false;
    return true;
}

static bool sources_fit(const struct reading *r, const char *entry)
{
    uint32_t from = le32(entry + 88), count = le32(entry + 92);
    if (count == UINT32_MAX) return true;
    if (from > r->n_numbers || count > r->n_numbers - from) return false;
    for (uint32_t i = 0; i < count; i++)
        if (le32(r->numbers + 4 * (size_t)(from + i)) >= r->n_sources) return false;
    return true;
}

/* Compares the records of a block with its entry, and tells them when they are what it says. */
static void check_records(struct reading *r, const char *entry)
{
    struct verify_tree range;
    struct verify_record record;
    struct slice before = SLICE_NONE;
    int64_t earliest = INT64_MAX, latest = INT64_MIN;
    verify_tree_init(&range, r->seq);
    verify_block_rewind(r->block);
    while (verify_block_next(r->block, &record)) {
        struct verify_hash leaf = verify_leaf(&record);
        if (!verify_tree_push(&range, 0, &leaf)) return;
        if (record.received < earliest) earliest = record.received;
        if (record.received > latest) latest = record.received;
        r->raw_bytes += record.raw.len;
        if (record.source.ptr != before.ptr && !see_source(r, entry, record.source))
            flawed(r, false, "the index does not name a source of a block");
        before = record.source;
    }
    struct verify_hash root = verify_tree_root(&range), told;
    memcpy(&told, entry + 56, sizeof told);
    if (!verify_hash_eq(&root, &told)) {
        flawed(r, false, "records are not those that the block was sealed with");
        return;
    }
    if (earliest != (int64_t)le64(entry + 40) || latest != (int64_t)le64(entry + 48))
        flawed(r, false, "the index has other times than the records");
    if (!all_seen(r, entry)) flawed(r, false, "the index names a source that no record has");
    if (earliest < r->earliest) r->earliest = earliest;
    if (latest > r->latest) r->latest = latest;
}

static void tell_records(struct reading *r)
{
    struct verify_record record;
    verify_block_rewind(r->block);
    for (uint64_t seq = r->seq; verify_block_next(r->block, &record); seq++)
        r->take(r->ctx, seq, &record);
}

/* 0, though it may be flawed; ERR_INVALID: nothing behind it can be found. */
static int read_block(struct reading *r, uint32_t number)
{
    const char *entry = r->blocks + (size_t)number * BLOCK_ENTRY;
    size_t meta = le32(entry + 8), data = le32(entry + 16);
    uint32_t n = le32(entry + 28);
    if (le64(entry) != r->offset || le64(entry + 32) != r->seq || n == 0 || meta > PART_MAX ||
        data > PART_MAX || !sources_fit(r, entry)) {
        flawed(r, false, "the index does not agree with itself");
        return ERR_INVALID;
    }
    int error = verify_file_read(r->file, r->offset, meta + data, &r->in);
    if (error == ERR_TRUNCATED) flawed(r, true, "the segment is cut short");
    if (error) return error == ERR_TRUNCATED ? ERR_INVALID : error;
    if (crc32c(0, buf_slice(&r->in)) != le32(entry + 24)) {
        flawed(r, true, "a block is damaged");
    } else {
        error = verify_block_open(r->block, buf_slice(&r->in), meta, le32(entry + 12),
                                  le32(entry + 20));
        if (error == ERR_NOMEM) return error;
        if (error || verify_block_count(r->block) != n) {
            flawed(r, false, "a block is none");
        } else {
            bool before = r->flaw->what != NULL;
            check_records(r, entry);
            if (r->flaw->what && !before) return ERR_INVALID;
            tell_records(r);
            error = verify_filter_add(r->filter, r->block, number % GROUP_BLOCKS);
            if (error) return error;
        }
    }
    r->offset += meta + data;
    r->seq += n;
    return 0;
}

/* The bytes of filters, from `offset` on, when the index places them there. */
static int read_group(struct reading *r, uint64_t offset, uint64_t len)
{
    if (offset != r->offset || len > FILTERS_MAX) {
        flawed(r, false, "the index does not agree with itself");
        return ERR_INVALID;
    }
    int error = verify_file_read(r->file, r->offset, (size_t)len, &r->in);
    if (error == ERR_TRUNCATED) flawed(r, true, "the segment is cut short");
    r->offset += len;
    return error == ERR_TRUNCATED ? ERR_INVALID : error;
}

static bool is_checked(const struct reading *r)
{
    return r->footer->token_rule == VERIFY_FILTER_RULE && !r->flaw->what;
}

/* Of version 1. */
static int read_rows(struct reading *r, const char *entry, uint32_t n)
{
    uint32_t buckets = le32(entry + 8);
    uint64_t len = (uint64_t)buckets * (n * 32 + 4);
    int error = read_group(r, le64(entry), buckets == 0 ? UINT64_MAX : len);
    if (error) return error;
    for (uint32_t i = 0; i < buckets; i++) {
        struct slice row = slice_make(r->in.ptr + i * (n * 32 + (size_t)4), n * (size_t)32);
        if (crc32c(0, row) == le32(row.ptr + row.len)) continue;
        flawed(r, true, "filters are damaged");
        break;
    }
    if (is_checked(r) && !verify_filter_check_rows(r->filter, buf_slice(&r->in), n, buckets))
        flawed(r, false, "filters hide a token");
    return 0;
}

static int read_list(struct reading *r, const char *entry, uint32_t n)
{
    struct verify_list list = {.n = n,
                               .full = le64(entry + 8),
                               .values = le32(entry + 20),
                               .rice = le32(entry + 24),
                               .firsts = r->firsts};
    bool can_be = list.values > 0 && list.values <= VALUES_MAX;
    int error = read_group(r, le64(entry), can_be ? le32(entry + 16) : UINT64_MAX);
    if (error) return error;
    list.pages = buf_slice(&r->in);
    for (size_t at = 0; at < list.pages.len; at += VERIFY_FILTER_PAGE) {
        struct slice page = slice_from(list.pages, at);
        if (page.len > VERIFY_FILTER_PAGE) page.len = VERIFY_FILTER_PAGE;
        if (page.len >= 4 && crc32c(0, slice_from(page, 4)) == le32(page.ptr)) continue;
        flawed(r, true, "filters are damaged");
        break;
    }
    r->firsts += 4 * pages_of(entry);
    if (!is_checked(r)) return 0;
    error = verify_filter_check(r->filter, &list);
    if (error == ERR_NOMEM) return error;
    if (error == ERR_INVALID) flawed(r, false, "filters are none");
    if (error == ERR_CORRUPT) flawed(r, false, "filters hide a token");
    return 0;
}

/* The filters behind block `number`, which is the last of its group. */
static int read_filters(struct reading *r, uint32_t number)
{
    bool rows = r->footer->version == 1;
    const char *entry =
        r->groups + (size_t)(number / GROUP_BLOCKS) * (rows ? ROWS_ENTRY : GROUP_ENTRY);
    uint32_t n = number % GROUP_BLOCKS + 1;
    int error = rows ? read_rows(r, entry, n) : read_list(r, entry, n);
    verify_filter_clear(r->filter);
    return error;
}

static int read_body(struct reading *r)
{
    const struct verify_footer *f = r->footer;
    r->offset = HEAD;
    for (uint64_t i = 0; i < f->lost; i++) r->take(r->ctx, r->seq++, NULL);
    for (uint32_t i = 0; i < f->blocks; i++) {
        int error = read_block(r, i);
        if (error == 0 && ((i + 1) % GROUP_BLOCKS == 0 || i + 1 == f->blocks))
            error = read_filters(r, i);
        if (error) return error;
    }
    if (r->flaw->what) return 0;
    if (r->offset != f->index_at || r->seq != f->begin + f->lost + f->records)
        flawed(r, false, "the index does not agree with the footer");
    if (f->records > 0 &&
        (r->earliest != f->earliest || r->latest != f->latest || r->raw_bytes != f->raw_bytes))
        flawed(r, false, "the footer has other times or sizes than the records");
    return 0;
}

static int read_all(struct reading *r, uint64_t begin)
{
    int error = verify_file_read(r->file, 0, HEAD, &r->in);
    if (error) return error;
    const char *p = r->in.ptr;
    if (memcmp(p, "VkSeg1\0", 8) != 0 || le32(p + 8) != r->footer->version ||
        le32(p + 12) != r->footer->tenant || le64(p + 16) != begin)
        flawed(r, true, "the head of the segment is damaged");
    if (r->footer->begin != begin) {
        flawed(r, false, "the segment has another number than its name");
        return ERR_INVALID;
    }
    error = unpack_index(r);
    if (error) return error;
    if (!split_index(r)) {
        flawed(r, false, "the index is none");
        return ERR_INVALID;
    }
    r->seen = calloc(r->n_numbers + (size_t)1, sizeof *r->seen);
    if (!r->seen) return ERR_NOMEM;
    return read_body(r);
}

int verify_segment(const struct verify_file *file, uint64_t begin, verify_take *take, void *ctx,
                   struct verify_footer *footer, struct verify_flaw *flaw)
{
    struct reading r = {.file = file,
                        .footer = footer,
                        .flaw = flaw,
                        .take = take,
                        .ctx = ctx,
                        .seq = begin,
                        .earliest = INT64_MAX,
                        .latest = INT64_MIN};
    *flaw = (struct verify_flaw){.what = NULL};
    buf_init(&r.in, FILTERS_MAX + 1);
    buf_init(&r.index, INDEX_MAX + 1);
    size_t want = file->size < VERIFY_FOOTER_MAX ? (size_t)file->size : VERIFY_FOOTER_MAX;
    int error = verify_file_read(file, file->size - want, want, &r.in);
    if (error == 0) error = verify_footer_read(buf_slice(&r.in), footer);
    if (error == ERR_CORRUPT) flawed(&r, true, "the footer is damaged");
    if (error == ERR_INVALID) flawed(&r, false, "the footer does not agree with itself");
    if (error == ERR_INVALID) error = ERR_CORRUPT;
    if (error == 0) {
        r.block = verify_block_new();
        r.filter = verify_filter_new();
        error = r.block && r.filter ? read_all(&r, begin) : ERR_NOMEM;
        if (error == ERR_INVALID || error == ERR_TRUNCATED) error = 0;
    }
    verify_block_free(r.block);
    verify_filter_free(r.filter);
    buf_done(&r.in);
    buf_done(&r.index);
    free(r.seen);
    return error;
}
