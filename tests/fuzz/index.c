/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * An index with any groups and pages behind a head that fits them: what can be opened answers for
 * any token, with bits of the group's blocks and those of blocks that may have anything. Input: u8
 * blocks, u8 pages, groups and first values as the format has them, pages, whose CRCs are made.
 */
#include "base/crc32c.h"
#include "base/le.h"
#include "index/file.h"
#include "store/token.h"
#include "target.h"

enum { IN_MAX = 64 * 1024, INPUT_HEAD = 2, ASKED = 16 };

static int64_t on_read(void *ctx, int file, void *to, size_t len, uint64_t offset)
{
    const struct buf *bytes = ctx;
    (void)file;
    if (offset >= bytes->len) return 0;
    size_t n = bytes->len - offset < len ? bytes->len - (size_t)offset : len;
    memcpy(to, bytes->ptr + offset, n);
    return (int64_t)n;
}

static int64_t on_size(void *ctx, int file)
{
    const struct buf *bytes = ctx;
    (void)file;
    return (int64_t)bytes->len;
}

static void put_head(struct buf *out, const struct segment_footer *f, uint32_t groups,
                     uint32_t pages)
{
    char head[INDEX_HEAD] = "VkIdx1";
    le32_put(head + 8, INDEX_FORMAT);
    le32_put(head + 64, TOKEN_VERSION);
    le32_put(head + 68, f->blocks);
    le32_put(head + 72, groups);
    le32_put(head + 76, pages);
    buf_put(out, slice_make(head, sizeof head));
}

/* The last four bytes are the CRC of what is in front of them. */
static void put_cells(struct buf *out, struct slice cells)
{
    char *to = buf_reserve(out, cells.len + 1);
    HOLDS(to);
    if (cells.len) memcpy(to, cells.ptr, cells.len);
    if (cells.len > 4) le32_put(to + cells.len - 4, crc32c(0, slice_until(cells, cells.len - 4)));
    out->len += cells.len;
}

/* What follows the head: a group's pages, one behind the other, each with its CRC, and its cells.
 */
static void put_pages(struct buf *out, const char *groups, uint32_t n, struct slice rest)
{
    for (uint32_t i = 0; i < n; i++) {
        struct slice own = slice_until(rest, le32(groups + (size_t)i * INDEX_GROUP + 8));
        rest = slice_from(rest, own.len);
        while (own.len) {
            struct slice page = slice_until(own, FILTER_PAGE);
            char *to = buf_reserve(out, page.len);
            HOLDS(to);
            memcpy(to, page.ptr, page.len);
            if (page.len > 4) le32_put(to, crc32c(0, slice_from(page, 4)));
            out->len += page.len;
            own = slice_from(own, page.len);
        }
        own = slice_until(rest, le32(groups + (size_t)i * INDEX_GROUP + 20));
        rest = slice_from(rest, own.len);
        put_cells(out, own);
    }
}

/* Each column that can be read has a value for each event. */
static void check_cells(const struct index_file *f, uint32_t group)
{
    struct cells_group g;
    struct cells_column c;
    struct slice names[CELLS_FIELDS_MAX];
    struct buf bytes;
    uint32_t n = cells_fields(names);
    buf_init(&bytes, CELLS_MAX + 1);
    int error = index_file_cells(f, group, &bytes);
    if (error == 0) error = cells_group_read(buf_slice(&bytes), &g);
    HOLDS(error == 0 || error == ERR_CORRUPT);
    for (uint32_t i = 0; i < n && error == 0; i++) {
        int got = cells_column_read(&g, names[i], &c);
        HOLDS(got == 0 || got == 1 || got == ERR_CORRUPT);
        if (got != 1) continue;
        for (uint32_t e = 0; e < g.first[g.blocks]; e++) HOLDS(cells_column_at(&c, e) < c.n);
        cells_column_done(&c);
    }
    buf_done(&bytes);
}

static void check(struct buf *bytes, const struct segment_footer *f)
{
    const struct store_io io = {.read = on_read, .size = on_size, .ctx = bytes};
    struct index_file file;
    uint64_t may;
    int error = index_file_init(&file, &io, 0, &(struct index_key){f, 0});
    HOLDS(error == 0 || error == ERR_CORRUPT);
    if (error) return;
    int whole = index_file_check(&file);
    HOLDS(whole == 0 || whole == ERR_CORRUPT);
    for (uint32_t i = 0; i < file.n_groups; i++) check_cells(&file, i);
    for (uint32_t i = 0; i < file.n_groups * ASKED; i++) {
        uint32_t group = i / ASKED, left = f->blocks - group * FILTER_BLOCKS;
        error = index_file_ask(&file, group, left < FILTER_BLOCKS ? left : FILTER_BLOCKS,
                               (uint64_t)i * 0x123456789abcdefu, &may);
        HOLDS(error == 0 || (error == ERR_CORRUPT && whole));
        HOLDS(error || (may & file.groups[group].head.full) == file.groups[group].head.full);
    }
    index_file_done(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct segment_footer f = {.blocks = 0};
    struct buf out;
    char crc[4];
    if (size < INPUT_HEAD || size > IN_MAX || data[0] == 0) return 0;
    f.blocks = data[0];
    uint32_t groups = (f.blocks + FILTER_BLOCKS - 1) / FILTER_BLOCKS, pages = data[1];
    size_t table = (size_t)groups * INDEX_GROUP + (size_t)pages * 4;
    if (size - INPUT_HEAD < table) return 0;
    const char *groups_at = (const char *)data + INPUT_HEAD;
    buf_init(&out, 2 * (size_t)IN_MAX);
    put_head(&out, &f, groups, pages);
    buf_put(&out, slice_make(groups_at, table));
    le32_put(crc, crc32c(0, buf_slice(&out)));
    buf_put(&out, slice_make(crc, sizeof crc));
    put_pages(&out, groups_at, groups, slice_make(groups_at + table, size - INPUT_HEAD - table));
    HOLDS(!buf_failed(&out));
    check(&out, &f);
    buf_done(&out);
    return 0;
}
