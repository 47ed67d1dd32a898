/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/search_output.h"

#include "base/text.h"
#include "base/time.h"

enum {
    LINE_MAX = 256 * 1024 * 1024,
    WAITING_MAX = 64 * 1024 * 1024,
    COLUMNS_SHOWN = 1 << 20, /* of one value */
    HOST_WIDTH = 20,
};
#define LATE (60 * NSEC_PER_SEC)

void search_output_init(struct search_output *o, FILE *to, enum search_format format,
                        const struct query *query, const struct zone *zone)
{
    *o = (struct search_output){.to = to, .format = format, .query = query, .zone = zone};
    buf_init(&o->line, LINE_MAX);
    arena_init(&o->arena, WAITING_MAX);
}

void search_output_done(struct search_output *o)
{
    buf_done(&o->line);
    arena_done(&o->arena);
}

static int write_line(struct search_output *o)
{
    int error = buf_error(&o->line);
    if (error == 0 && o->line.len && fwrite(o->line.ptr, 1, o->line.len, o->to) != o->line.len)
        error = ERR_IO;
    buf_clear(&o->line);
    return error;
}

void search_put_time(struct buf *out, nsec t, const struct zone *zone)
{
    struct civil_time c;
    nsec local = t;
    if (zone && __builtin_add_overflow(t, zone_offset(zone, t) * NSEC_PER_SEC, &local)) local = t;
    time_to_civil(local, &c);
    buf_printf(out, "%04d-%02d-%02d %02d:%02d:%02d", c.year, c.month, c.day, c.hour, c.minute,
               c.second);
    if (c.nsec) buf_printf(out, ".%03d", c.nsec / 1000000);
}

/* ---- JSON and CSV ------------------------------------------------------------------------ */

/* Values of a list stand behind each other. */
static void put_text(struct search_output *o, struct buf *out, const struct cell *c)
{
    struct cell_values values;
    struct cell value;
    unsigned n = 0;
    cell_values_init(&values, c);
    while (cell_values_next(&values, &value)) {
        if (n++) buf_puts(out, ", ");
        if (value.kind != CELL_TIME) buf_put(out, value.text);
        else if (o->format == SEARCH_CSV) time_write_rfc3339(out, cell_time(&value));
        else search_put_time(out, cell_time(&value), o->zone);
    }
}

static void csv_row(struct search_output *o, const struct cell *cells, uint32_t n)
{
    struct buf text;
    buf_init(&text, LINE_MAX);
    for (uint32_t i = 0; i < n; i++) {
        if (i) buf_putc(&o->line, ',');
        buf_clear(&text);
        put_text(o, &text, &cells[i]);
        text_put_csv(&o->line, buf_slice(&text));
    }
    buf_puts(&o->line, "\r\n");
    buf_done(&text);
}

static void csv_names(struct search_output *o)
{
    for (uint32_t i = 0; i < o->query->n_names; i++) {
        if (i) buf_putc(&o->line, ',');
        text_put_csv(&o->line, o->query->names[i]);
    }
    buf_puts(&o->line, "\r\n");
}

/* ---- tables ------------------------------------------------------------------------------ */

/* Events: when, where, and the record; columns as the query gives them. */
static void event_row(struct search_output *o, const struct cell *cells)
{
    enum { TIME, RECEIVED, SEQ, HOST, SOURCE, RAW };
    nsec time = cell_time(&cells[TIME]), received = cell_time(&cells[RECEIVED]), apart;
    const struct cell *where = cells[HOST].kind == CELL_NONE ? &cells[SOURCE] : &cells[HOST];
    search_put_time(&o->line, time - time % NSEC_PER_SEC, o->zone);
    buf_puts(&o->line, "  ");
    text_put_padded(&o->line, where->text, HOST_WIDTH);
    buf_puts(&o->line, "  ");
    (void)text_put_visible(&o->line, cells[RAW].text, COLUMNS_SHOWN);
    if (__builtin_sub_overflow(received, time, &apart) || apart > LATE || apart < -LATE) {
        buf_puts(&o->line, "  (received ");
        search_put_time(&o->line, received - received % NSEC_PER_SEC, o->zone);
        buf_putc(&o->line, ')');
    }
    buf_putc(&o->line, '\n');
}

static void put_cell(struct search_output *o, const struct cell *c, size_t width, bool last)
{
    struct buf text;
    buf_init(&text, LINE_MAX);
    if (c->kind == CELL_NONE) buf_putc(&text, '-');
    put_text(o, &text, c);
    size_t used = text_columns(buf_slice(&text), COLUMNS_SHOWN);
    for (; c->kind == CELL_NUMBER && used < width; used++) buf_putc(&o->line, ' ');
    (void)text_put_visible(&o->line, buf_slice(&text), COLUMNS_SHOWN);
    for (; !last && used < width; used++) buf_putc(&o->line, ' ');
    buf_puts(&o->line, last ? "\n" : "  ");
    buf_done(&text);
}

static void widen(struct search_output *o, const struct cell *cells, uint32_t n)
{
    struct buf text;
    buf_init(&text, LINE_MAX);
    for (uint32_t i = 0; i < n; i++) {
        buf_clear(&text);
        put_text(o, &text, &cells[i]);
        size_t width = text_columns(buf_slice(&text), SEARCH_OUTPUT_WIDTH);
        if (width > o->width[i]) o->width[i] = width;
    }
    buf_done(&text);
}

static void table_names(struct search_output *o)
{
    const struct query *q = o->query;
    for (uint32_t i = 0; i < q->n_names; i++) {
        size_t width = text_columns(q->names[i], SEARCH_OUTPUT_WIDTH);
        if (width > o->width[i]) o->width[i] = width;
        const struct cell name = {q->names[i], CELL_TEXT};
        put_cell(o, &name, o->width[i], i + 1 == q->n_names);
    }
}

static void table_row(struct search_output *o, const struct cell *cells, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) put_cell(o, &cells[i], o->width[i], i + 1 == n);
}

static int begin(struct search_output *o)
{
    if (o->begun) return 0;
    o->begun = true;
    if (o->format == SEARCH_CSV) csv_names(o);
    if (o->format == SEARCH_TABLE && !o->query->events) table_names(o);
    return write_line(o);
}

/* ---- rows -------------------------------------------------------------------------------- */

static bool wait(struct search_output *o, const struct cell *cells, uint32_t n)
{
    if (o->n_waiting == SEARCH_OUTPUT_ROWS) return false;
    struct cell *copy = arena_zalloc(&o->arena, n ? n : 1, sizeof *copy);
    for (uint32_t i = 0; copy && i < n; i++) {
        copy[i] = (struct cell){arena_dup(&o->arena, cells[i].text), cells[i].kind};
        if (!copy[i].text.ptr) copy = NULL;
    }
    if (copy) o->waiting[o->n_waiting++] = copy;
    return copy != NULL;
}

static int put_row(struct search_output *o, const struct cell *cells, uint32_t n)
{
    int error = begin(o);
    if (error) return error;
    if (o->format == SEARCH_JSON) cells_write_json(&o->line, o->query->names, cells, n);
    else if (o->format == SEARCH_CSV) csv_row(o, cells, n);
    else if (o->query->events) event_row(o, cells);
    else table_row(o, cells, n);
    return write_line(o);
}

int search_output_row(struct search_output *o, const struct cell *cells, uint32_t n)
{
    bool waits = o->format == SEARCH_TABLE && !o->query->events && !o->begun;
    o->rows++;
    if (waits) {
        widen(o, cells, n);
        if (wait(o, cells, n)) return 0;
    }
    int error = search_output_flush(o);
    return error ? error : put_row(o, cells, n);
}

int search_output_flush(struct search_output *o)
{
    int error = 0;
    uint32_t n = o->query->n_names;
    if (o->n_waiting) error = begin(o);
    for (uint32_t i = 0; i < o->n_waiting && error == 0; i++) error = put_row(o, o->waiting[i], n);
    o->n_waiting = 0;
    arena_reset(&o->arena);
    if (error == 0 && fflush(o->to) != 0) error = ERR_IO;
    return error;
}

int search_output_finish(struct search_output *o)
{
    int error = search_output_flush(o);
    if (error == 0 && o->format != SEARCH_TABLE) error = begin(o);
    return error == 0 && fflush(o->to) != 0 ? ERR_IO : error;
}
