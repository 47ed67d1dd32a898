/* SPDX-License-Identifier: EUPL-1.2 */
#include "query/cell.h"

#include "base/json_write.h"
#include "base/le.h"
#include "base/time.h"

enum { HEAD = 5 };

void cell_write(struct buf *out, const struct cell *c)
{
    char head[HEAD];
    head[0] = (char)c->kind;
    le32_put(head + 1, (uint32_t)c->text.len);
    buf_put(out, slice_make(head, sizeof head));
    buf_put(out, c->text);
}

bool cell_read(struct slice *rest, struct cell *ret)
{
    if (rest->len < HEAD || (unsigned char)rest->ptr[0] > CELL_JSON) return false;
    uint32_t len = le32(rest->ptr + 1);
    if (len > rest->len - HEAD) return false;
    *ret = (struct cell){slice_make(rest->ptr + HEAD, len), (enum cell_kind)rest->ptr[0]};
    *rest = slice_from(*rest, HEAD + len);
    return true;
}

bool cells_read(struct slice bytes, struct cell *ret, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!cell_read(&bytes, &ret[i])) return false;
    return bytes.len == 0;
}

bool cell_number(const struct cell *c, double *ret)
{
    int64_t time;
    if (c->kind == CELL_NUMBER || c->kind == CELL_TEXT) return slice_to_double(c->text, ret);
    if (c->kind != CELL_TIME || !slice_to_i64(c->text, &time)) return false;
    *ret = (double)time;
    return true;
}

static int compare_times(const struct cell *a, const struct cell *b)
{
    int64_t x = 0, y = 0;
    (void)slice_to_i64(a->text, &x);
    (void)slice_to_i64(b->text, &y);
    return x < y ? -1 : x > y;
}

static int compare_values(const struct cell *a, const struct cell *b)
{
    double x, y;
    if (a->kind == CELL_TIME && b->kind == CELL_TIME) return compare_times(a, b);
    bool left = cell_number(a, &x), right = cell_number(b, &y);
    if (left && right && x != y) return x < y ? -1 : 1;
    if (left != right) return left ? -1 : 1;
    return slice_cmp(a->text, b->text);
}

void cell_values_init(struct cell_values *v, const struct cell *c)
{
    *v = (struct cell_values){.one = *c, .has_one = c->kind != CELL_NONE && c->kind != CELL_LIST};
    if (c->kind == CELL_LIST) v->rest = c->text;
}

bool cell_values_next(struct cell_values *v, struct cell *ret)
{
    if (!v->has_one) return cell_read(&v->rest, ret);
    *ret = v->one;
    v->has_one = false;
    return true;
}

int cell_compare(const struct cell *a, const struct cell *b)
{
    struct cell_values left, right;
    struct cell x, y;
    cell_values_init(&left, a);
    cell_values_init(&right, b);
    for (;;) {
        bool more = cell_values_next(&left, &x), others = cell_values_next(&right, &y);
        if (!more || !others) return more - others;
        int order = compare_values(&x, &y);
        if (order) return order;
    }
}

nsec cell_time(const struct cell *c)
{
    int64_t t = 0;
    (void)slice_to_i64(c->text, &t);
    return t;
}

static void write_json(struct buf *out, const struct cell *c);

static void write_list(struct buf *out, const struct cell *c)
{
    struct cell_values values;
    struct cell value;
    buf_putc(out, '[');
    cell_values_init(&values, c);
    for (bool first = true; cell_values_next(&values, &value); first = false) {
        if (!first) buf_putc(out, ',');
        write_json(out, &value);
    }
    buf_putc(out, ']');
}

static void write_json(struct buf *out, const struct cell *c)
{
    switch (c->kind) {
    case CELL_NONE:
        buf_puts(out, "null");
        return;
    case CELL_JSON:
        buf_put(out, c->text);
        return;
    case CELL_NUMBER:
        if (json_is_number(c->text)) buf_put(out, c->text);
        else json_write_string(out, c->text);
        return;
    case CELL_TEXT:
        json_write_string(out, c->text);
        return;
    case CELL_TIME:
        buf_putc(out, '"');
        time_write_rfc3339(out, cell_time(c));
        buf_putc(out, '"');
        return;
    case CELL_LIST:
        write_list(out, c);
        return;
    }
}

void cells_write_json(struct buf *out, const struct slice *names, const struct cell *cells,
                      uint32_t n)
{
    buf_putc(out, '{');
    for (uint32_t i = 0; i < n; i++) {
        if (i) buf_putc(out, ',');
        json_write_string(out, names[i]);
        buf_putc(out, ':');
        write_json(out, &cells[i]);
    }
    buf_puts(out, "}\n");
}
