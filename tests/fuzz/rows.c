/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a process that reads records tells a search: pieces of tables and rows. The first byte says
 * of which query; then come parts, each behind its length in two bytes. A piece that is taken and
 * split again is the same table.
 */
#include "query/rows.h"
#include "base/le.h"
#include "target.h"

enum { MEMORY = 1 << 20, OUT_MAX = 1 << 26 };

static const char *const queries[] = {
    "| count by f, g",
    "| stats count, distinct(f), sum(g), avg(g), min(g), max(g), p95(g) by h",
    "| timechart 1h sum(f) by g",
    "| rare 3 f | sort -count | dedup f",
    "| sort -f, g | head 2 | table f, g",
    "| dedup f | table f, g | stats count by g",
};

static int on_row(void *ctx, const struct cell *cells, uint32_t n)
{
    struct buf *out = ctx;
    for (uint32_t i = 0; i < n; i++) cell_write(out, &cells[i]);
    return 0;
}

static int keep_piece(void *ctx, struct slice bytes)
{
    struct buf *out = ctx;
    char len[4];
    le32_put(len, (uint32_t)bytes.len);
    buf_put(out, slice_make(len, sizeof len));
    buf_put(out, bytes);
    return buf_error(out);
}

/* The rows that the table has, in `out`, and its pieces, in `pieces`. */
static void look(const struct query *q, struct slice piece, struct buf *out, struct buf *pieces)
{
    struct rows *rows = rows_new(
        &(struct rows_options){.query = q, .memory = 4 * MEMORY, .ctx = out, .row = on_row});
    struct groups *groups = rows_groups(q, NULL, 4 * MEMORY);
    HOLDS(rows && groups);
    HOLDS(rows_merge(rows, piece) == 0 && rows_finish(rows) == 0);
    HOLDS(groups_merge(groups, piece) == 0 && groups_split(groups, pieces, keep_piece) == 0);
    groups_free(groups);
    rows_free(rows);
}

static void check_split(const struct query *q, struct slice piece)
{
    struct buf before, pieces, after, again;
    buf_init(&before, OUT_MAX);
    buf_init(&after, OUT_MAX);
    buf_init(&pieces, OUT_MAX);
    buf_init(&again, OUT_MAX);
    look(q, piece, &before, &pieces);
    struct slice rest = buf_slice(&pieces);
    /* Most tables are one piece. */
    if (rest.len >= 4 && le32(rest.ptr) == rest.len - 4) {
        look(q, slice_from(rest, 4), &after, &again);
        HOLDS(slice_eq(buf_slice(&before), buf_slice(&after)));
    }
    buf_done(&before);
    buf_done(&after);
    buf_done(&pieces);
    buf_done(&again);
}

static void take_part(struct rows *rows, const struct query *q, struct slice part)
{
    struct cell cells[QUERY_COLUMNS_MAX];
    if (rows_only_groups(q)) {
        int error = rows_merge(rows, part);
        HOLDS(error == 0 || error == ERR_CORRUPT);
        if (error == 0) check_split(q, part);
    } else if (cells_read(part, cells, q->n_columns)) {
        HOLDS(rows_push(rows, cells) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct query_options options = {.whole = false};
    struct slice rest = slice_make(data, size);
    struct arena arena;
    struct query query;
    struct diag diag;
    struct buf out;
    if (size == 0) return 0;
    arena_init(&arena, 1 << 20);
    buf_init(&out, OUT_MAX);
    struct slice text = slice_of(queries[data[0] % (sizeof queries / sizeof *queries)]);
    HOLDS(query_read(&arena, text, &options, &query, &diag) == 0);
    struct rows *rows = rows_new(
        &(struct rows_options){.query = &query, .memory = MEMORY, .ctx = &out, .row = on_row});
    HOLDS(rows != NULL);
    for (rest = slice_from(rest, 1); rest.len >= 2;) {
        size_t len = le16(rest.ptr);
        rest = slice_from(rest, 2);
        take_part(rows, &query, slice_until(rest, len));
        rest = slice_from(rest, len);
    }
    HOLDS(rows_finish(rows) == 0);
    rows_free(rows);
    buf_done(&out);
    arena_done(&arena);
    return 0;
}
