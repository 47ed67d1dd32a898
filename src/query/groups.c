/* SPDX-License-Identifier: EUPL-1.2 */
#include "query/groups.h"

#include <math.h>
#include <stdlib.h>

#include "base/json_write.h"
#include "base/le.h"
#include "query/keyed.h"

enum { NUMBER_MAX = 40, KEY_MAX = 1024 * 1024, PIECE_MAX = 4 * 1024 * 1024 };
enum piece_kind { PIECE_CUT, PIECE_GROUP, PIECE_ITEM };
#define DAY  (86400 * NSEC_PER_SEC)
#define WEEK (7 * DAY)

/* Of count(f): rows with a value. Of the others the values that are numbers. */
struct measured {
    uint64_t n;
    double sum, least, most;
    bool times;
};

struct group {
    uint64_t id, rows;
    struct measured measured[]; /* as many as the pipe has measures */
};

struct groups {
    const struct query_pipe *pipe;
    const struct zone *zone;
    struct keyed groups;
    struct keyed items; /* of distinct and percentiles: u64 group, u8 measure, value → u64 count */
    bool has_items;
    struct buf key, item, out;
    uint64_t rows, cut_rows, cut_values;
    struct cell times; /* a step of a timechart, in time_text */
    char time_text[NUMBER_MAX];
};

static bool has_items(enum query_function f)
{
    return f == QUERY_DISTINCT || f == QUERY_PERCENTILE;
}

struct groups *groups_new(const struct query_pipe *pipe, const struct zone *zone, size_t budget)
{
    struct groups *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->pipe = pipe;
    g->zone = zone;
    for (uint32_t i = 0; i < pipe->n_measures; i++)
        g->has_items |= has_items(pipe->measures[i].function);
    size_t size = sizeof(struct group) + pipe->n_measures * sizeof(struct measured);
    keyed_init(&g->groups, size, g->has_items ? budget / 2 : budget);
    keyed_init(&g->items, sizeof(uint64_t), g->has_items ? budget / 2 : 0);
    buf_init(&g->key, KEY_MAX);
    buf_init(&g->item, KEY_MAX);
    buf_init(&g->out, PIECE_MAX);
    return g;
}

void groups_free(struct groups *g)
{
    if (!g) return;
    keyed_done(&g->groups);
    keyed_done(&g->items);
    buf_done(&g->key);
    buf_done(&g->item);
    buf_done(&g->out);
    free(g);
}

bool groups_full(const struct groups *g)
{
    return keyed_bytes(&g->groups) > g->groups.budget / 2 ||
           (g->has_items && keyed_bytes(&g->items) > g->items.budget / 2);
}

uint64_t groups_cut_rows(const struct groups *g)
{
    return g->cut_rows;
}

uint64_t groups_cut_values(const struct groups *g)
{
    return g->cut_values;
}

/* ---- steps of time ----------------------------------------------------------------------- */

static int64_t floor_to(int64_t t, int64_t step)
{
    int64_t rest = t % step;
    return t - (rest < 0 ? rest + step : rest);
}

/*
 * Steps of days begin at midnight of the zone, those of weeks on its Mondays; others are of one
 * length, also when clocks are turned. What lies a hundred years away is as if it lay no further.
 */
static nsec step_of(const struct groups *g, nsec t)
{
    if (t > INT64_MAX / 2) t = INT64_MAX / 2;
    if (t < INT64_MIN / 2) t = INT64_MIN / 2;
    nsec span = g->pipe->span, offset = g->zone ? zone_offset(g->zone, t) * NSEC_PER_SEC : 0;
    nsec shift = span % WEEK == 0 ? 3 * DAY : 0; /* 1970 began on a Thursday */
    nsec local = floor_to(t + offset + shift, span) - shift;
    return g->zone && span % DAY == 0 ? zone_from_local(g->zone, local) : local - offset;
}

static const struct cell *step_cell(struct groups *g, const struct cell *time)
{
    int64_t t;
    if (time->kind != CELL_TIME || !slice_to_i64(time->text, &t)) return time;
    int n = snprintf(g->time_text, sizeof g->time_text, "%lld", (long long)step_of(g, t));
    g->times = (struct cell){slice_make(g->time_text, (size_t)n), CELL_TIME};
    return &g->times;
}

/* ---- values ------------------------------------------------------------------------------ */

static void count_item(struct groups *g, const struct group *group, uint32_t measure,
                       struct slice value, uint64_t count)
{
    char head[9];
    le64_put(head, group->id);
    head[8] = (char)measure;
    buf_clear(&g->item);
    buf_put(&g->item, slice_make(head, sizeof head));
    buf_put(&g->item, value);
    struct keyed_entry *e =
        buf_failed(&g->item) ? NULL : keyed_take(&g->items, buf_slice(&g->item));
    if (!e) g->cut_values += count;
    else *(uint64_t *)e->value += count;
}

static void measure_number(struct measured *m, const struct cell *value, double x)
{
    if (m->n == 0 || x < m->least) m->least = x;
    if (m->n == 0 || x > m->most) m->most = x;
    m->n++;
    m->sum += x;
    m->times |= value->kind == CELL_TIME;
}

static void measure_value(struct groups *g, struct group *group, uint32_t i,
                          const struct cell *value)
{
    char rounded[NUMBER_MAX];
    struct measured *m = &group->measured[i];
    enum query_function f = g->pipe->measures[i].function;
    double x;
    if (f == QUERY_DISTINCT) {
        count_item(g, group, i, value->text, 1);
    } else if (cell_number(value, &x)) {
        measure_number(m, value, x);
        if (f != QUERY_PERCENTILE) return;
        int n = snprintf(rounded, sizeof rounded, "%.2e", x == 0 ? 0.0 : x);
        count_item(g, group, i, slice_make(rounded, (size_t)n), 1);
    }
}

static void measure_row(struct groups *g, struct group *group, const struct cell *row)
{
    for (uint32_t i = 0; i < g->pipe->n_measures; i++) {
        const struct query_measure *m = &g->pipe->measures[i];
        struct cell_values values;
        struct cell value;
        if (m->column == QUERY_NO_COLUMN) continue;
        if (m->function == QUERY_COUNT) {
            group->measured[i].n += row[m->column].kind != CELL_NONE;
            continue;
        }
        cell_values_init(&values, &row[m->column]);
        while (cell_values_next(&values, &value)) measure_value(g, group, i, &value);
    }
}

/* ---- rows -------------------------------------------------------------------------------- */

static struct group *take_group(struct groups *g)
{
    struct keyed_entry *e = buf_failed(&g->key) ? NULL : keyed_take(&g->groups, buf_slice(&g->key));
    if (!e) return NULL;
    struct group *group = e->value;
    if (group->id == 0) group->id = g->groups.n; /* from 1 */
    return group;
}

/* Texts that are numbers here and there are of one group. */
static void put_key(struct groups *g, const struct cell *c)
{
    struct cell plain = *c;
    if (plain.kind == CELL_NUMBER) plain.kind = CELL_TEXT;
    cell_write(&g->key, &plain);
}

struct spreading {
    const struct cell *row;
    uint64_t times;
    uint32_t left; /* groups that the row may still be added to */
};

/* The value was there before in the cell. */
static bool is_repeated(const struct cell *all, const struct cell *value)
{
    struct cell_values values;
    struct cell before;
    cell_values_init(&values, all);
    while (cell_values_next(&values, &before)) {
        if (before.text.ptr == value->text.ptr) return false;
        if (slice_eq(before.text, value->text)) return true;
    }
    return false;
}

/* Adds the row to the groups of all values of the columns from number `column` on. */
static void spread(struct groups *g, struct spreading *s, uint32_t column)
{
    const struct query_pipe *pipe = g->pipe;
    if (column == pipe->n_columns) {
        if (s->left-- == 0) {
            s->left = 0;
            g->cut_rows += s->times;
            return;
        }
        struct group *group = take_group(g);
        if (!group) {
            g->cut_rows += s->times;
            return;
        }
        group->rows += s->times;
        measure_row(g, group, s->row);
        return;
    }
    const struct cell *cell = &s->row[pipe->columns[column]];
    size_t before = g->key.len;
    if (column == 0 && pipe->span) cell = step_cell(g, cell);
    if (cell->kind != CELL_LIST) {
        put_key(g, cell);
        spread(g, s, column + 1);
        g->key.len = before;
        return;
    }
    struct cell_values values;
    struct cell value;
    cell_values_init(&values, cell);
    while (cell_values_next(&values, &value)) {
        if (is_repeated(cell, &value)) continue;
        put_key(g, &value);
        spread(g, s, column + 1);
        g->key.len = before;
    }
}

static void add(struct groups *g, const struct cell *row, uint64_t times)
{
    struct spreading s = {.row = row, .times = times, .left = GROUPS_OF_ROW_MAX};
    for (uint32_t i = 0; g->pipe->there && i < g->pipe->n_columns; i++)
        if (row[g->pipe->columns[i]].kind == CELL_NONE) return;
    g->rows += times;
    buf_clear(&g->key);
    spread(g, &s, 0);
}

void groups_add(struct groups *g, const struct cell *row)
{
    add(g, row, 1);
}

void groups_add_times(struct groups *g, const struct cell *row, uint64_t times)
{
    for (uint32_t i = 0; i < g->pipe->n_measures; i++)
        ASSERT(g->pipe->measures[i].column == QUERY_NO_COLUMN);
    add(g, row, times);
}

/* ---- pieces ------------------------------------------------------------------------------ */

/*
 * A piece is a row of: u8 kind · u32 length of key · key ·
 *     PIECE_CUT    u64 rows · u64 cut rows · u64 cut values; no key
 *     PIECE_GROUP  u64 rows · measures × { u64 n · f64 sum · f64 least · f64 most · u8 times }
 *     PIECE_ITEM   u8 measure · u32 length of value · value · u64 count
 */
static void put_u64(struct buf *out, uint64_t v)
{
    char bytes[8];
    le64_put(bytes, v);
    buf_put(out, slice_make(bytes, sizeof bytes));
}

static void put_double(struct buf *out, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    put_u64(out, bits);
}

static void put_text(struct buf *out, struct slice s)
{
    char bytes[4];
    le32_put(bytes, (uint32_t)s.len);
    buf_put(out, slice_make(bytes, sizeof bytes));
    buf_put(out, s);
}

static void put_head(struct buf *out, enum piece_kind kind, struct slice key)
{
    buf_putc(out, (char)kind);
    put_text(out, key);
}

static void put_group(struct groups *g, const struct keyed_entry *e)
{
    const struct group *group = e->value;
    put_head(&g->out, PIECE_GROUP, e->key);
    put_u64(&g->out, group->rows);
    for (uint32_t i = 0; i < g->pipe->n_measures; i++) {
        const struct measured *m = &group->measured[i];
        put_u64(&g->out, m->n);
        put_double(&g->out, m->sum);
        put_double(&g->out, m->least);
        put_double(&g->out, m->most);
        buf_putc(&g->out, (char)m->times);
    }
}

static void put_item(struct groups *g, const struct keyed_entry *item, struct slice group_key)
{
    put_head(&g->out, PIECE_ITEM, group_key);
    buf_putc(&g->out, item->key.ptr[8]);
    put_text(&g->out, slice_from(item->key, 9));
    put_u64(&g->out, *(const uint64_t *)item->value);
}

static int flush(struct groups *g, size_t above, void *ctx,
                 int (*piece)(void *ctx, struct slice bytes))
{
    if (g->out.len <= above && !buf_failed(&g->out)) return 0;
    int error = buf_error(&g->out);
    if (error == 0) error = piece(ctx, buf_slice(&g->out));
    buf_clear(&g->out);
    return error;
}

/* The keys of groups by their number. */
static struct slice *keys_by_id(const struct groups *g)
{
    struct slice *keys = calloc(g->groups.n + 1, sizeof *keys);
    for (const struct keyed_entry *e = g->groups.first; e && keys; e = e->next)
        keys[((const struct group *)e->value)->id] = e->key;
    return keys;
}

int groups_split(struct groups *g, void *ctx, int (*piece)(void *ctx, struct slice bytes))
{
    struct slice *keys = keys_by_id(g);
    int error = keys ? 0 : ERR_NOMEM;
    buf_clear(&g->out);
    put_head(&g->out, PIECE_CUT, SLICE_NONE);
    put_u64(&g->out, g->rows);
    put_u64(&g->out, g->cut_rows);
    put_u64(&g->out, g->cut_values);
    for (const struct keyed_entry *e = g->groups.first; e && error == 0; e = e->next) {
        put_group(g, e);
        error = flush(g, GROUPS_PIECE, ctx, piece);
    }
    for (const struct keyed_entry *e = g->items.first; e && error == 0; e = e->next) {
        put_item(g, e, keys[le64(e->key.ptr)]);
        error = flush(g, GROUPS_PIECE, ctx, piece);
    }
    if (error == 0) error = flush(g, 0, ctx, piece);
    free(keys);
    keyed_clear(&g->groups);
    keyed_clear(&g->items);
    g->rows = g->cut_rows = g->cut_values = 0;
    return error;
}

static bool get_u64(struct slice *rest, uint64_t *ret)
{
    if (rest->len < 8) return false;
    *ret = le64(rest->ptr);
    *rest = slice_from(*rest, 8);
    return true;
}

static bool get_double(struct slice *rest, double *ret)
{
    uint64_t bits;
    if (!get_u64(rest, &bits)) return false;
    memcpy(ret, &bits, sizeof bits);
    return true;
}

static bool get_text(struct slice *rest, struct slice *ret)
{
    if (rest->len < 4) return false;
    uint32_t len = le32(rest->ptr);
    *rest = slice_from(*rest, 4);
    if (len > rest->len) return false;
    *ret = slice_until(*rest, len);
    *rest = slice_from(*rest, len);
    return true;
}

static bool get_byte(struct slice *rest, unsigned *ret)
{
    if (rest->len == 0) return false;
    *ret = (unsigned char)rest->ptr[0];
    *rest = slice_from(*rest, 1);
    return true;
}

static bool get_measured(struct slice *rest, struct measured *ret)
{
    unsigned times;
    if (!get_u64(rest, &ret->n) || !get_double(rest, &ret->sum) || !get_double(rest, &ret->least) ||
        !get_double(rest, &ret->most) || !get_byte(rest, &times))
        return false;
    ret->times = times;
    return true;
}

static void join_measured(struct measured *to, const struct measured *m)
{
    if (m->n == 0) return;
    if (to->n == 0 || m->least < to->least) to->least = m->least;
    if (to->n == 0 || m->most > to->most) to->most = m->most;
    to->n += m->n;
    to->sum += m->sum;
    to->times |= m->times;
}

static void set_key(struct groups *g, struct slice key)
{
    buf_clear(&g->key);
    buf_put(&g->key, key);
}

static bool merge_group(struct groups *g, struct slice key, struct slice *rest)
{
    uint64_t rows;
    if (!get_u64(rest, &rows)) return false;
    set_key(g, key);
    struct group *group = take_group(g);
    if (group) group->rows += rows;
    else g->cut_rows += rows;
    for (uint32_t i = 0; i < g->pipe->n_measures; i++) {
        struct measured m;
        if (!get_measured(rest, &m)) return false;
        if (group) join_measured(&group->measured[i], &m);
    }
    return true;
}

static bool merge_item(struct groups *g, struct slice key, struct slice *rest)
{
    unsigned measure;
    struct slice value;
    uint64_t count;
    if (!get_byte(rest, &measure) || !get_text(rest, &value) || !get_u64(rest, &count) ||
        measure >= g->pipe->n_measures || !has_items(g->pipe->measures[measure].function))
        return false;
    struct keyed_entry *e = keyed_find(&g->groups, key);
    if (e) count_item(g, e->value, measure, value, count);
    return true;
}

static bool merge_cut(struct groups *g, struct slice *rest)
{
    uint64_t rows, cut_rows, cut_values;
    if (!get_u64(rest, &rows) || !get_u64(rest, &cut_rows) || !get_u64(rest, &cut_values))
        return false;
    g->rows += rows;
    g->cut_rows += cut_rows;
    g->cut_values += cut_values;
    return true;
}

/* A group's key has as many cells as the pipe has columns. */
static bool is_key(const struct groups *g, struct slice key)
{
    struct cell cells[QUERY_FIELDS_MAX];
    return cells_read(key, cells, g->pipe->n_columns);
}

int groups_merge(struct groups *g, struct slice piece)
{
    bool good = true;
    while (good && piece.len) {
        unsigned kind;
        struct slice key;
        good = get_byte(&piece, &kind) && get_text(&piece, &key);
        if (good && kind != PIECE_CUT) good = is_key(g, key);
        if (!good) break;
        if (kind == PIECE_CUT) good = merge_cut(g, &piece);
        else if (kind == PIECE_GROUP) good = merge_group(g, key, &piece);
        else good = kind == PIECE_ITEM && merge_item(g, key, &piece);
    }
    return good ? 0 : ERR_CORRUPT;
}

/* ---- what comes out ---------------------------------------------------------------------- */

struct finishing {
    struct groups *g;
    const struct keyed_entry **order;
    size_t n;
    struct arena arena; /* of the texts of one row */
    /* Of all groups: u64 distinct values by (group, measure), and the counts of percentiles. */
    struct item {
        uint64_t group;
        uint32_t measure;
        double value;
        uint64_t count;
    } * items;
    size_t n_items;
};

static int compare_items(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    if (x->group != y->group) return x->group < y->group ? -1 : 1;
    if (x->measure != y->measure) return x->measure < y->measure ? -1 : 1;
    return x->value < y->value ? -1 : x->value > y->value;
}

static int gather_items(struct finishing *f)
{
    const struct groups *g = f->g;
    f->items = calloc(g->items.n + 1, sizeof *f->items);
    if (!f->items) return ERR_NOMEM;
    for (const struct keyed_entry *e = g->items.first; e; e = e->next) {
        struct item *it = &f->items[f->n_items++];
        *it = (struct item){.group = le64(e->key.ptr),
                            .measure = (unsigned char)e->key.ptr[8],
                            .count = *(const uint64_t *)e->value};
        if (g->pipe->measures[it->measure].function == QUERY_PERCENTILE)
            (void)slice_to_double(slice_from(e->key, 9), &it->value);
    }
    qsort(f->items, f->n_items, sizeof *f->items, compare_items);
    return 0;
}

/* The items of a measure of a group. */
static const struct item *find_items(const struct finishing *f, uint64_t group, uint32_t measure,
                                     size_t *ret_n)
{
    const struct item want = {.group = group, .measure = measure, .value = -INFINITY};
    size_t low = 0, high = f->n_items;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_items(&f->items[middle], &want) < 0) low = middle + 1;
        else high = middle;
    }
    size_t end = low;
    while (end < f->n_items && f->items[end].group == group && f->items[end].measure == measure)
        end++;
    *ret_n = end - low;
    return f->items + low;
}

static struct cell number_cell(struct finishing *f, double v)
{
    char room[NUMBER_MAX];
    struct buf text = {.ptr = room, .cap = sizeof room, .max = sizeof room}; /* never grows */
    json_write_double(&text, v);
    struct slice copy = arena_dup(&f->arena, buf_slice(&text));
    return (struct cell){copy, copy.ptr ? CELL_NUMBER : CELL_NONE};
}

static struct cell count_cell(struct finishing *f, uint64_t n)
{
    const char *text = arena_printf(&f->arena, "%llu", (unsigned long long)n);
    return (struct cell){slice_of(text), text ? CELL_NUMBER : CELL_NONE};
}

static struct cell value_cell(struct finishing *f, const struct measured *m, double v)
{
    if (m->n == 0) return (struct cell){SLICE_NONE, CELL_NONE};
    if (!m->times) return number_cell(f, v);
    const char *text = arena_printf(&f->arena, "%.0f", v);
    return (struct cell){slice_of(text), text ? CELL_TIME : CELL_NONE};
}

/* The value that has `percent` of them at or below it (nearest rank). */
static double percentile(const struct item *items, size_t n, uint64_t total, uint32_t percent)
{
    uint64_t rank = (total * percent + 99) / 100, seen = 0;
    for (size_t i = 0; i < n; i++) {
        seen += items[i].count;
        if (seen >= rank) return items[i].value;
    }
    return n ? items[n - 1].value : 0;
}

static struct cell measure_cell(struct finishing *f, const struct group *group, uint32_t i)
{
    const struct query_measure *measure = &f->g->pipe->measures[i];
    const struct measured *m = &group->measured[i];
    size_t n;
    switch (measure->function) {
    case QUERY_COUNT:
        return count_cell(f, measure->column == QUERY_NO_COLUMN ? group->rows : m->n);
    case QUERY_DISTINCT:
        (void)find_items(f, group->id, i, &n);
        return count_cell(f, n);
    case QUERY_SUM:
        return number_cell(f, m->sum);
    case QUERY_AVG:
        return value_cell(f, m, m->sum / (double)m->n);
    case QUERY_MIN:
        return value_cell(f, m, m->least);
    case QUERY_MAX:
        return value_cell(f, m, m->most);
    case QUERY_PERCENTILE: {
        const struct item *items = find_items(f, group->id, i, &n);
        uint64_t total = 0;
        for (size_t k = 0; k < n; k++) total += items[k].count;
        return value_cell(f, m, percentile(items, n, total, measure->percent));
    }
    }
    return (struct cell){SLICE_NONE, CELL_NONE};
}

static int emit(struct finishing *f, struct slice key, const struct group *group, void *ctx,
                int (*row)(void *ctx, const struct cell *cells, uint32_t n))
{
    const struct query_pipe *pipe = f->g->pipe;
    struct cell cells[2 * QUERY_FIELDS_MAX + 2];
    uint32_t n = 0;
    arena_reset(&f->arena);
    for (; n < pipe->n_columns; n++)
        if (!cell_read(&key, &cells[n])) return ERR_CORRUPT;
    for (uint32_t i = 0; i < pipe->n_measures; i++) cells[n++] = measure_cell(f, group, i);
    if (pipe->share) {
        double all = (double)f->g->rows;
        cells[n++] = number_cell(f, round(1e4 * (double)group->rows / all) / 1e2);
    }
    return arena_failed(&f->arena) ? arena_error(&f->arena) : row(ctx, cells, n);
}

/* By the values of the columns, the first one first. */
static int compare_keys(const struct query_pipe *pipe, struct slice a, struct slice b)
{
    struct cell x, y;
    for (uint32_t i = 0; i < pipe->n_columns; i++) {
        if (!cell_read(&a, &x) || !cell_read(&b, &y)) return 0;
        int order = cell_compare(&x, &y);
        if (order) return order;
    }
    return 0;
}

static int compare_groups(const void *a, const void *b, void *ctx)
{
    const struct query_pipe *pipe = ctx;
    const struct keyed_entry *const *x = a, *const *y = b;
    uint64_t n = ((const struct group *)(*x)->value)->rows;
    uint64_t m = ((const struct group *)(*y)->value)->rows;
    if (pipe->order != QUERY_BY_KEY && n != m)
        return (n < m) == (pipe->order == QUERY_LEAST) ? -1 : 1;
    return compare_keys(pipe, (*x)->key, (*y)->key);
}

static int sort_groups(struct finishing *f)
{
    f->order = calloc(f->g->groups.n + 1, sizeof(struct keyed_entry *));
    if (!f->order) return ERR_NOMEM;
    for (const struct keyed_entry *e = f->g->groups.first; e; e = e->next) f->order[f->n++] = e;
    qsort_r(f->order, f->n, sizeof(struct keyed_entry *), compare_groups,
            (void *)(uintptr_t)f->g->pipe);
    return 0;
}

static bool key_time(struct slice key, nsec *ret)
{
    struct cell c;
    return cell_read(&key, &c) && c.kind == CELL_TIME && slice_to_i64(c.text, ret);
}

/* Steps without events between two that have some. */
static int emit_gap(struct finishing *f, struct slice before, struct slice behind, void *ctx,
                    int (*row)(void *ctx, const struct cell *cells, uint32_t n))
{
    struct groups *g = f->g;
    struct group *none = calloc(1, g->groups.value_size);
    nsec at, end;
    int error = none ? 0 : ERR_NOMEM;
    bool times = key_time(before, &at) && key_time(behind, &end);
    for (uint32_t n = 0; error == 0 && times && n < GROUPS_FILL_MAX; n++) {
        /* A day may have 25 hours. */
        if (__builtin_add_overflow(at, g->pipe->span + g->pipe->span / 2, &at)) break;
        at = step_of(g, at);
        if (at >= end) break;
        const char *text = arena_printf(&f->arena, "%lld", (long long)at);
        const struct cell c = {slice_of(text), CELL_TIME};
        buf_clear(&g->key);
        cell_write(&g->key, &c);
        error = text ? emit(f, buf_slice(&g->key), none, ctx, row) : ERR_NOMEM;
    }
    free(none);
    return error;
}

static int emit_all(struct finishing *f, void *ctx,
                    int (*row)(void *ctx, const struct cell *cells, uint32_t n))
{
    const struct query_pipe *pipe = f->g->pipe;
    int error = 0;
    if (pipe->n_columns == 0 && f->n == 0) { /* of no rows there are no more than that */
        struct group *none = calloc(1, f->g->groups.value_size);
        error = none ? emit(f, SLICE_NONE, none, ctx, row) : ERR_NOMEM;
        free(none);
    }
    for (size_t i = 0; i < f->n && error == 0; i++) {
        if (pipe->limit && i >= pipe->limit) break;
        if (pipe->span && pipe->n_columns == 1 && i > 0)
            error = emit_gap(f, f->order[i - 1]->key, f->order[i]->key, ctx, row);
        if (error == 0) error = emit(f, f->order[i]->key, f->order[i]->value, ctx, row);
    }
    return error;
}

int groups_finish(struct groups *g, void *ctx,
                  int (*row)(void *ctx, const struct cell *cells, uint32_t n))
{
    struct finishing f = {.g = g};
    arena_init(&f.arena, 1 << 20);
    int error = gather_items(&f);
    if (error == 0) error = sort_groups(&f);
    if (error == 0) error = emit_all(&f, ctx, row);
    arena_done(&f.arena);
    free(f.order);
    free(f.items);
    return error;
}
