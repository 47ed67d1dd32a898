/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Comma-separated values with a header (RFC 4180), as spreadsheets, scripts and event viewers
 * export them.
 *
 * The delimiter is the one of `,` `;` TAB `|` that the header has most of outside quotes; a first
 * line `sep=X` (Excel) names it, lines `#TYPE …` (PowerShell) before the header are passed over.
 * A value in quotes may hold delimiters, doubled quotes and line ends; text behind a closing quote
 * is kept. Header names are trimmed; an empty one becomes colN, N from 1.
 *
 * A row may be short (the missing columns are absent) or long (the rest is `extra`, one value
 * each). Blank lines are no records. The header is not a record either.
 *
 * A quote that is opened and never closed would swallow the rows behind it. Once the record
 * reaches DECODER_RECORD_MAX, or the source ends, each of its lines is read as a row of its own,
 * with the quote closed by the line end, and marked EVENT_DAMAGED: nothing is hidden by one stray
 * quote, and the cost stays linear.
 */
#include "base/csv.h"
#include "normalise/columns.h"
#include "normalise/decoder.h"
#include "normalise/lines.h"

struct csv {
    struct line_decoder d;
    struct columns columns;
    struct buf record; /* a record that spans lines, with its line ends */
    char delimiter;
    bool named;   /* `sep=` named the delimiter */
    bool open;    /* `record` ends inside quotes */
    bool header;  /* the header was read */
    bool damaged; /* replaying lines of a record that never ended */
};

static char *room_of_event(void *ctx, size_t n)
{
    struct csv *d = ctx;
    return line_decoder_room(&d->d, n);
}

static struct slice without_end(struct slice line)
{
    if (line.len && line.ptr[line.len - 1] == '\n') line.len--;
    if (line.len && line.ptr[line.len - 1] == '\r') line.len--;
    return line;
}

static char find_delimiter(struct slice header)
{
    static const char candidates[] = {',', ';', '\t', '|'};
    size_t counts[sizeof candidates] = {0}, best = 0;
    bool quoted = false;
    for (size_t i = 0; i < header.len; i++) {
        if (header.ptr[i] == '"') quoted = !quoted;
        if (quoted) continue;
        for (size_t k = 0; k < sizeof candidates; k++)
            if (header.ptr[i] == candidates[k]) counts[k]++;
    }
    for (size_t k = 1; k < sizeof candidates; k++)
        if (counts[k] > counts[best]) best = k;
    return candidates[best];
}

static bool names_delimiter(struct slice line, char *ret)
{
    if (line.len != 5 || !slice_eq_nocase(slice_until(line, 4), SLICE("sep="))) return false;
    *ret = line.ptr[4];
    return *ret != '"';
}

/* PowerShell's Export-Csv says what it wrote before the header. */
static bool is_type_line(struct slice line)
{
    return slice_starts_with(line, SLICE("#TYPE "));
}

/* A header may have blanks around its quotes: `a, "b"`. */
static struct slice unquoted(struct slice name)
{
    if (name.len >= 2 && name.ptr[0] == '"' && name.ptr[name.len - 1] == '"')
        return slice_trim(slice_make(name.ptr + 1, name.len - 2));
    return name;
}

/* The header's names lie in the event's room; they are copied. */
static int read_header(struct csv *d, struct slice row)
{
    (void)line_decoder_event(&d->d, row);
    d->d.record--;
    bool more = true;
    for (uint32_t n = 1; more; n++) {
        struct csv_cell c = csv_take_cell(&row, d->delimiter, &more);
        struct slice name = unquoted(slice_trim(csv_cell_text(c, room_of_event, d)));
        char numbered[16];
        if (name.len == 0) {
            int len = snprintf(numbered, sizeof numbered, "col%u", n);
            name = slice_make(numbered, len > 0 ? (size_t)len : 0);
        }
        if (!columns_add(&d->columns, name)) break;
    }
    d->header = true;
    return columns_error(&d->columns);
}

static int read_row(struct csv *d, struct slice row)
{
    if (!d->header) return read_header(d, row);
    struct event *ev = line_decoder_event(&d->d, row);
    if (d->damaged) ev->flags |= EVENT_DAMAGED;
    const key_id *keys = columns_keys(&d->columns, ev->keys);
    key_id extra = KEY_ROOT;
    bool more = true;
    for (uint32_t i = 0; more && !(ev->flags & EVENT_CUT); i++) {
        struct csv_cell c = csv_take_cell(&row, d->delimiter, &more);
        if (c.open) ev->flags |= EVENT_DAMAGED;
        if (i == d->columns.n) extra = keys_intern_path(ev->keys, SLICE("extra"));
        event_add(ev, i < d->columns.n ? keys[i] : extra, VALUE_STRING,
                  csv_cell_text(c, room_of_event, d));
    }
    return line_decoder_emit(&d->d);
}

/* Whether the text ends inside a quoted value; `open` says that it also begins in one. */
static bool ends_open(struct slice line, char delimiter, bool open)
{
    if (!open && slice_find_byte(line, '"') == SIZE_MAX) return false;
    if (open) {
        /* Close the value first; `i` runs over doubled quotes. */
        size_t i = 0;
        for (;; i += 2) {
            size_t q = slice_find_byte(slice_from(line, i), '"');
            if (q == SIZE_MAX) return true;
            i += q;
            if (i + 1 >= line.len || line.ptr[i + 1] != '"') break;
        }
        line = slice_from(line, i + 1);
        size_t next = slice_find_byte(line, delimiter);
        if (next == SIZE_MAX) return false;
        line = slice_from(line, next + 1);
    }
    for (bool more = true; more;) {
        struct csv_cell c = csv_take_cell(&line, delimiter, &more);
        if (c.open) return true;
    }
    return false;
}

/* Reads every line of a record whose quotes are not closed as a row. */
static int read_lines(struct csv *d, struct slice rest)
{
    struct slice line;
    int rc = 0;
    d->damaged = true;
    while (rc == 0 && rest.len) {
        (void)slice_split(rest, '\n', &line, &rest);
        line = without_end(line);
        if (slice_trim(line).len) rc = read_row(d, line);
    }
    d->damaged = false;
    return rc;
}

/* Gives the unfinished record up. */
static int replay(struct csv *d)
{
    d->open = false;
    int rc = read_lines(d, buf_slice(&d->record));
    buf_clear(&d->record);
    return rc;
}

static int csv_line(void *ctx, struct slice line, uint64_t offset)
{
    (void)offset;
    struct csv *d = ctx;
    struct slice row = without_end(line);
    if (!d->open && (slice_trim(row).len == 0 || (!d->header && is_type_line(row)))) return 0;
    if (!d->header && !d->open && !d->named) {
        d->named = names_delimiter(row, &d->delimiter);
        if (d->named) return 0;
        d->delimiter = find_delimiter(row);
    }
    if (d->open && line.len > d->record.max - d->record.len) {
        int rc = replay(d);
        if (rc != 0) return rc;
    }
    bool was_open = d->open;
    d->open = ends_open(row, d->delimiter, was_open);
    if (!was_open && !d->open) return read_row(d, row);
    buf_put(&d->record, line);
    if (buf_failed(&d->record)) return ERR_NOMEM;
    if (d->open) return 0;
    int rc = read_row(d, without_end(buf_slice(&d->record)));
    buf_clear(&d->record);
    return rc;
}

/* The record that the line would have belonged to does not go on behind it. */
static int csv_too_long(void *ctx, uint64_t offset)
{
    struct csv *d = ctx;
    int rc = replay(d);
    line_decoder_bad(&d->d, offset, "line too long");
    return rc;
}

static int csv_header(struct decoder *base, struct slice lines)
{
    struct csv *d = (struct csv *)base;
    struct slice line;
    int rc = 0;
    d->header = d->open = d->named = false;
    buf_clear(&d->record);
    columns_clear(&d->columns);
    while (rc == 0 && !d->header && lines.len) {
        (void)slice_split(lines, '\n', &line, &lines);
        rc = csv_line(d, line, 0);
    }
    d->open = false; /* a header whose quotes are not closed names no columns */
    return rc;
}

static int csv_record(struct decoder *base, struct slice record)
{
    struct csv *d = (struct csv *)base;
    struct slice row = without_end(record);
    if (slice_trim(row).len == 0) return 0;
    if (!d->header) {
        line_decoder_bad(&d->d, 0, "no header names its columns");
        return 0;
    }
    return ends_open(row, d->delimiter, false) ? read_lines(d, row) : read_row(d, row);
}

static bool is_name_byte(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c >= 0x80 || (c && strchr("_-.@/()#%$[] ", c));
}

/* Whether a header cell looks like a name and not like a piece of a sentence or a record. */
static bool is_name(struct slice name)
{
    if (name.len == 0 || name.len > 64) return false;
    if ((name.ptr[0] >= '0' && name.ptr[0] <= '9') || name.ptr[0] == '[' || name.ptr[0] == '-')
        return false;
    unsigned spaces = 0;
    for (size_t i = 0; i < name.len; i++) {
        if (!is_name_byte((unsigned char)name.ptr[i])) return false;
        spaces += name.ptr[i] == ' ';
    }
    return spaces <= 3;
}

/* The number of columns of a header made of names; 0 when it is none. One name may be missing. */
static unsigned count_names(struct slice header, char delimiter)
{
    unsigned n = 0, empty = 0;
    for (bool more = true; more; n++) {
        struct slice name = unquoted(slice_trim(csv_take_cell(&header, delimiter, &more).text));
        if (name.len == 0 && empty++ == 0) continue;
        if (!is_name(name)) return 0;
    }
    return n;
}

static unsigned count_cells(struct slice row, char delimiter)
{
    unsigned n = 0;
    for (bool more = true; more; n++) (void)csv_take_cell(&row, delimiter, &more);
    return n;
}

/*
 * Conservative, because ordinary log lines hold commas too: a header of at least two names, and
 * rows that have as many cells (or, as Windows' event viewer exports the message, one more).
 */
static int csv_sniff(struct slice head, bool final)
{
    char storage[LINES_SNIFF_TEXT], delimiter = 0;
    struct slice text = lines_sniff_text(head, storage), line;
    if (!lines_is_text(text)) return 0;
    unsigned columns = 0, rows = 0, agree = 0;
    bool open = false;
    for (bool first = true; lines_sniff_next(&text, final, &first, &line);) {
        if (!open && (slice_trim(line).len == 0 || (!columns && is_type_line(line)))) continue;
        if (columns == 0) {
            if (!delimiter && names_delimiter(line, &delimiter)) continue;
            if (!delimiter) delimiter = find_delimiter(line);
            columns = count_names(line, delimiter);
            if (columns < 2) return 0;
            continue;
        }
        bool was_open = open;
        open = ends_open(line, delimiter, was_open);
        if (was_open) continue;
        unsigned cells = count_cells(line, delimiter);
        rows++;
        if (open ? cells <= columns + 1 : cells == columns || cells == columns + 1) agree++;
    }
    if (rows == 0) return final && columns >= 4 ? 50 : columns >= 4 ? 30 : 0;
    if (agree * 4 < rows * 3) return 0;
    if (columns == 2) return rows >= 2 && agree == rows ? 60 : 0;
    return rows >= 2 ? 75 : 60;
}

static struct decoder *csv_open(const struct decoder_out *out, struct keys *keys)
{
    struct csv *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    line_decoder_init(&d->d, &decoder_csv, out, keys, true);
    columns_init(&d->columns);
    buf_init(&d->record, DECODER_RECORD_MAX + 2);
    return &d->d.base;
}

static struct lines_sink csv_sink(struct csv *d)
{
    return (struct lines_sink){.ctx = d, .line = csv_line, .too_long = csv_too_long};
}

static int csv_feed(struct decoder *base, struct slice data)
{
    struct csv *d = (struct csv *)base;
    const struct lines_sink sink = csv_sink(d);
    return lines_feed(&d->d.lines, data, &sink);
}

static int csv_finish(struct decoder *base)
{
    struct csv *d = (struct csv *)base;
    const struct lines_sink sink = csv_sink(d);
    int rc = lines_finish(&d->d.lines, &sink);
    return rc == 0 ? replay(d) : rc;
}

static void csv_close(struct decoder *base)
{
    if (!base) return;
    struct csv *d = (struct csv *)base;
    buf_done(&d->record);
    columns_done(&d->columns);
    line_decoder_done(&d->d);
    free(d);
}

const struct decoder_ops decoder_csv = {
    .name = "csv",
    .sniff = csv_sniff,
    .open = csv_open,
    .feed = csv_feed,
    .finish = csv_finish,
    .record = csv_record,
    .header = csv_header,
    .close = csv_close,
};
