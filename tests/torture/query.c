/* SPDX-License-Identifier: EUPL-1.2 */
/* Queries: reading them, and their pipes over some rows, in two tables that are joined. */
#include "query/rows.h"
#include "torture.h"

static const char *const queries[] = {
    "user.name: (anna* or \"b c\") and not 10.0.0.0/8 and f: fe80::1 | count by f, g",
    "message: a b or n: 1 2 | stats count, distinct(f), sum(g), avg(g), p95(g), max(h) as m by f",
    "x | sort -g, f | head 2 | table f, g",
    "x | dedup f | count",
    "x | top 2 f",
    "x | timechart 1h by f | sort -count",
    "x | timechart 1h of _received by f",
};

static int on_row(void *ctx, const struct cell *cells, uint32_t n)
{
    struct buf *out = ctx;
    for (uint32_t i = 0; i < n; i++) {
        buf_put(out, cells[i].text);
        buf_putc(out, i + 1 < n ? ' ' : '\n');
    }
    return buf_error(out);
}

static int take_piece(void *ctx, struct slice bytes)
{
    return rows_merge(ctx, bytes);
}

/* Each column has as many values as there are rows, with some in common. */
static void fill(const struct query *q, unsigned row, char text[][24], struct cell *cells)
{
    for (uint32_t i = 0; i < q->n_columns; i++) {
        bool time = q->columns[i].place == QUERY_TIME;
        int n = snprintf(text[i], sizeof text[i], time ? "%u000000000000" : "%u",
                         1 + (row * (i + 3)) % 7);
        cells[i] = (struct cell){slice_make(text[i], (size_t)n), time ? CELL_TIME : CELL_TEXT};
    }
}

static int feed(struct rows *rows, const struct query *q)
{
    char text[QUERY_COLUMNS_MAX][24];
    struct cell cells[QUERY_COLUMNS_MAX];
    struct groups *groups = rows_only_groups(q) ? rows_groups(q, NULL, 1 << 20) : NULL;
    int error = rows_only_groups(q) && !groups ? ERR_NOMEM : 0;
    for (unsigned i = 0; i < 40 && error == 0; i++) {
        fill(q, i, text, cells);
        if (groups) groups_add(groups, cells);
        else error = rows_push(rows, cells);
        if (groups && i % 16 == 15) error = groups_split(groups, rows, take_piece);
    }
    if (groups && error == 0) error = groups_split(groups, rows, take_piece);
    groups_free(groups);
    return error;
}

static int ask(const char *text, struct buf *out)
{
    const struct query_options options = {.whole = true};
    struct arena arena;
    struct query query;
    struct diag diag;
    struct rows_cut cut;
    arena_init(&arena, 1 << 20);
    int error = query_read(&arena, slice_of(text), &options, &query, &diag);
    struct rows *rows = error ? NULL
                              : rows_new(&(struct rows_options){
                                    .query = &query, .memory = 1 << 20, .ctx = out, .row = on_row});
    if (error == 0 && !rows) error = ERR_NOMEM;
    if (error == 0) error = feed(rows, &query);
    if (error == 0) error = rows_finish(rows);
    if (error == 0) {
        rows_get_cut(rows, &cut);
        if (cut.groups || cut.values || cut.sorted || cut.repeats) buf_puts(out, "cut\n");
    }
    rows_free(rows);
    arena_done(&arena);
    return error;
}

static int ask_all(void *ctx, struct buf *out)
{
    int error = 0;
    (void)ctx;
    for (size_t i = 0; i < sizeof queries / sizeof *queries && error == 0; i++)
        error = ask(queries[i], out);
    return error;
}

TEST(queries)
{
    static const char *const losses[] = {"cut", NULL};
    torture_run(&(struct torture){.run = ask_all, .told_by = losses});
}
