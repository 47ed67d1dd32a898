/* SPDX-License-Identifier: EUPL-1.2 */
#include "query/rows.h"

#include <stdlib.h>

#include "query/keyed.h"

enum { ROW_MAX = 16 * 1024 * 1024, STAGE_LEAST = 64 * 1024 };

/* A row that waits to be sorted. */
struct waiting {
    uint64_t number; /* in which order it came */
    struct slice row;
    struct cell keys[];
};

struct stage {
    const struct query_pipe *pipe;
    uint32_t n_in; /* cells of the rows that come in */
    uint64_t passed;
    struct groups *groups;
    struct keyed seen; /* DEDUP */
    struct buf key;
    /* SORT: rows lie in one arena, and move to the other when the worst of them are dropped. */
    struct arena arenas[2];
    unsigned arena;
    struct waiting **waiting;
    size_t n, cap;
    size_t keep;  /* rows that are enough, as a head follows */
    size_t right; /* rows that are told: behind them are some that were dropped */
    uint64_t came;
};

struct rows {
    struct rows_options options;
    struct stage stages[QUERY_PIPES_MAX + 1];
    uint32_t n;
    uint32_t full; /* stages before this one need no more rows */
    struct rows_cut cut;
    struct buf packed;
};

static int push(struct rows *r, uint32_t at, const struct cell *cells, uint32_t n);

/* ---- sort -------------------------------------------------------------------------------- */

static int compare_waiting(const void *a, const void *b, void *ctx)
{
    const struct query_pipe *pipe = ctx;
    const struct waiting *const *x = a, *const *y = b;
    for (uint32_t i = 0; i < pipe->n_columns; i++) {
        int order = cell_compare(&(*x)->keys[i], &(*y)->keys[i]);
        if (order) return pipe->descending[i] ? -order : order;
    }
    return (*x)->number < (*y)->number ? -1 : 1;
}

static void sort_waiting(struct stage *s)
{
    if (s->n > 1)
        qsort_r(s->waiting, s->n, sizeof(struct waiting *), compare_waiting,
                (void *)(uintptr_t)s->pipe);
}

static struct waiting *copy_waiting(struct arena *arena, const struct query_pipe *pipe, uint32_t n,
                                    uint64_t number, struct slice row)
{
    struct cell cells[QUERY_COLUMNS_MAX + QUERY_FIELDS_MAX];
    struct waiting *w = arena_alloc(arena, sizeof *w + pipe->n_columns * sizeof(struct cell));
    struct slice copy = arena_dup(arena, row);
    if (!w || !copy.ptr || !cells_read(copy, cells, n)) return NULL;
    *w = (struct waiting){.number = number, .row = copy};
    for (uint32_t i = 0; i < pipe->n_columns; i++) w->keys[i] = cells[pipe->columns[i]];
    return w;
}

/* Keeps the first `n` of the rows, in the other arena. */
static void drop_behind(struct stage *s, size_t n)
{
    struct arena *to = &s->arenas[1 - s->arena];
    sort_waiting(s);
    if (n < s->right) s->right = n;
    arena_reset(to);
    size_t kept = 0;
    for (; kept < n && kept < s->n; kept++) {
        s->waiting[kept] =
            copy_waiting(to, s->pipe, s->n_in, s->waiting[kept]->number, s->waiting[kept]->row);
        if (!s->waiting[kept]) break;
    }
    s->n = kept;
    s->arena = 1 - s->arena;
}

static bool grow(struct stage *s)
{
    if (s->n < s->cap) return true;
    size_t cap = s->cap ? 2 * s->cap : 256;
    if (cap * sizeof(struct waiting *) > s->arenas[0].budget) return false;
    struct waiting **more = reallocarray(s->waiting, cap, sizeof(struct waiting *));
    if (!more) return false;
    s->waiting = more;
    s->cap = cap;
    return true;
}

static struct waiting *add_waiting(struct stage *s, struct slice row)
{
    struct waiting *w =
        grow(s) ? copy_waiting(&s->arenas[s->arena], s->pipe, s->n_in, s->came, row) : NULL;
    if (w) s->waiting[s->n++] = w;
    return w;
}

static int push_sort(struct rows *r, struct stage *s, const struct cell *cells, uint32_t n)
{
    buf_clear(&r->packed);
    for (uint32_t i = 0; i < n; i++) cell_write(&r->packed, &cells[i]);
    if (buf_failed(&r->packed)) return buf_error(&r->packed);
    if (s->keep < SIZE_MAX / 4 && s->n >= 2 * s->keep + 1024) drop_behind(s, s->keep);
    if (!add_waiting(s, buf_slice(&r->packed))) {
        drop_behind(s, s->n / 2);
        if (!add_waiting(s, buf_slice(&r->packed))) s->right = 0; /* it is larger than all */
    }
    s->came++;
    return 0;
}

static int finish_sort(struct rows *r, uint32_t at)
{
    struct stage *s = &r->stages[at];
    struct cell cells[QUERY_COLUMNS_MAX + QUERY_FIELDS_MAX];
    int error = 0;
    sort_waiting(s);
    if (s->right < s->keep) r->cut.sorted += s->came - (s->right < s->n ? s->right : s->n);
    for (size_t i = 0; i < s->n && i < s->right && error == 0 && at >= r->full; i++) {
        if (!cells_read(s->waiting[i]->row, cells, s->n_in)) return ERR_CORRUPT;
        error = push(r, at + 1, cells, s->n_in);
    }
    return error;
}

/* ---- the others -------------------------------------------------------------------------- */

static int push_table(struct rows *r, uint32_t at, const struct cell *cells)
{
    const struct query_pipe *pipe = r->stages[at].pipe;
    struct cell out[QUERY_FIELDS_MAX];
    for (uint32_t i = 0; i < pipe->n_columns; i++) out[i] = cells[pipe->columns[i]];
    return push(r, at + 1, out, pipe->n_columns);
}

static int push_head(struct rows *r, uint32_t at, const struct cell *cells, uint32_t n)
{
    struct stage *s = &r->stages[at];
    if (s->passed++ >= s->pipe->limit) return 0;
    if (s->passed == s->pipe->limit && r->full < at + 1) r->full = at + 1;
    return push(r, at + 1, cells, n);
}

static int push_dedup(struct rows *r, uint32_t at, const struct cell *cells, uint32_t n)
{
    struct stage *s = &r->stages[at];
    buf_clear(&s->key);
    for (uint32_t i = 0; i < s->pipe->n_columns; i++) {
        struct cell plain = cells[s->pipe->columns[i]];
        if (plain.kind == CELL_NUMBER) plain.kind = CELL_TEXT;
        cell_write(&s->key, &plain);
    }
    size_t before = s->seen.n;
    struct keyed_entry *e = buf_failed(&s->key) ? NULL : keyed_take(&s->seen, buf_slice(&s->key));
    if (!e) r->cut.repeats++;
    return e && s->seen.n == before ? 0 : push(r, at + 1, cells, n);
}

static int push(struct rows *r, uint32_t at, const struct cell *cells, uint32_t n)
{
    if (at == r->n) return r->options.row(r->options.ctx, cells, n);
    struct stage *s = &r->stages[at];
    switch (s->pipe->kind) {
    case QUERY_GROUP:
        groups_add(s->groups, cells);
        return 0;
    case QUERY_TABLE:
        return push_table(r, at, cells);
    case QUERY_SORT:
        return push_sort(r, s, cells, n);
    case QUERY_HEAD:
        return push_head(r, at, cells, n);
    case QUERY_DEDUP:
        return push_dedup(r, at, cells, n);
    }
    return 0;
}

/* ---- from outside ------------------------------------------------------------------------ */

static bool needs_memory(const struct query_pipe *p)
{
    return p->kind == QUERY_GROUP || p->kind == QUERY_SORT || p->kind == QUERY_DEDUP;
}

static bool stage_init(struct rows *r, uint32_t i, uint32_t n_in, size_t memory)
{
    const struct query *q = r->options.query;
    struct stage *s = &r->stages[i];
    *s = (struct stage){.pipe = &q->pipes[i], .n_in = n_in, .keep = SIZE_MAX, .right = SIZE_MAX};
    keyed_init(&s->seen, 0, memory);
    buf_init(&s->key, ROW_MAX);
    arena_init(&s->arenas[0], memory / 2);
    arena_init(&s->arenas[1], memory / 2);
    if (i + 1 < q->n_pipes && q->pipes[i + 1].kind == QUERY_HEAD) s->keep = q->pipes[i + 1].limit;
    if (s->pipe->kind == QUERY_GROUP) s->groups = groups_new(s->pipe, r->options.zone, memory);
    return s->pipe->kind != QUERY_GROUP || s->groups;
}

struct rows *rows_new(const struct rows_options *options)
{
    struct rows *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    const struct query *q = options->query;
    uint32_t n_in = q->n_columns;
    size_t share = 0;
    bool good = true;
    r->options = *options;
    buf_init(&r->packed, ROW_MAX);
    for (uint32_t i = 0; i < q->n_pipes; i++) share += needs_memory(&q->pipes[i]);
    size_t memory = share ? options->memory / share : options->memory;
    if (memory < STAGE_LEAST) memory = STAGE_LEAST;
    for (; r->n < q->n_pipes && good; r->n++) {
        good = stage_init(r, r->n, n_in, memory);
        if (q->pipes[r->n].names) n_in = q->pipes[r->n].n_names;
    }
    if (good) return r;
    rows_free(r);
    return NULL;
}

void rows_free(struct rows *r)
{
    if (!r) return;
    for (uint32_t i = 0; i < r->n; i++) {
        struct stage *s = &r->stages[i];
        groups_free(s->groups);
        keyed_done(&s->seen);
        buf_done(&s->key);
        arena_done(&s->arenas[0]);
        arena_done(&s->arenas[1]);
        free(s->waiting);
    }
    buf_done(&r->packed);
    free(r);
}

bool rows_only_groups(const struct query *query)
{
    return query->n_pipes > 0 && query->pipes[0].kind == QUERY_GROUP;
}

struct groups *rows_groups(const struct query *query, const struct zone *zone, size_t memory)
{
    return groups_new(&query->pipes[0], zone, memory);
}

int rows_push(struct rows *r, const struct cell *cells)
{
    return push(r, 0, cells, r->options.query->n_columns);
}

int rows_merge(struct rows *r, struct slice piece)
{
    return groups_merge(r->stages[0].groups, piece);
}

bool rows_full(const struct rows *r)
{
    for (uint32_t i = 0; i < r->full; i++)
        if (r->stages[i].pipe->kind == QUERY_GROUP || r->stages[i].pipe->kind == QUERY_SORT)
            return false;
    return r->full > 0;
}

struct next {
    struct rows *r;
    uint32_t at;
};

static int push_next(void *ctx, const struct cell *cells, uint32_t n)
{
    const struct next *next = ctx;
    return push(next->r, next->at, cells, n);
}

int rows_finish(struct rows *r)
{
    int error = 0;
    for (uint32_t i = 0; i < r->n && error == 0; i++) {
        struct stage *s = &r->stages[i];
        if (s->pipe->kind == QUERY_SORT) error = finish_sort(r, i);
        if (s->pipe->kind != QUERY_GROUP) continue;
        struct next next = {r, i + 1};
        error = groups_finish(s->groups, &next, push_next);
        r->cut.groups += groups_cut_rows(s->groups);
        r->cut.values += groups_cut_values(s->groups);
    }
    return error;
}

void rows_get_cut(const struct rows *r, struct rows_cut *ret)
{
    *ret = r->cut;
}
