/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The W3C's extended log file format (W3C WD-logfile-960323), as IIS, Exchange, CloudFront and
 * proxies write it.
 *
 *   #Version: 1.0   #Software: …   #Date: …
 *   #Fields: NAME…                  behind blanks, tabs or commas
 *   VALUE…
 *
 * Lines that begin with `#` are directives and count from where they stand: a server that starts
 * anew writes them again in the same file. Values stand between what the names have between them;
 * CloudFront has blanks there, and tabs between values: the first record behind the names tells, so
 * that no later one can be made to look otherwise; a record by itself tells that of itself. A value
 * may stand in quotes, in which doubled quotes mean one. One that is `-` is absent. Values behind
 * the last column are `extra`.
 */
#include "base/csv.h"
#include "normalise/columns.h"
#include "normalise/decoder.h"
#include "normalise/lines.h"

struct w3c {
    struct line_decoder d;
    struct columns columns;
    bool fields;    /* #Fields was read */
    char separator; /* 0: no record told it yet */
    char named;     /* what the names have between them; 0: blanks */
};

static char *room_of_event(void *ctx, size_t n)
{
    struct w3c *d = ctx;
    return line_decoder_room(&d->d, n);
}

static uint32_t count_byte(struct slice s, char byte)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s.len; i++) n += s.ptr[i] == byte;
    return n;
}

/* The next cell; blanks separate in any number. False: there is none. */
static bool next_cell(struct slice *line, char separator, bool *more, struct csv_cell *ret)
{
    while (separator == ' ' && line->len && line->ptr[0] == ' ') *line = slice_from(*line, 1);
    if (!*more || (separator == ' ' && line->len == 0)) return false;
    *ret = csv_take_cell(line, separator, more);
    return true;
}

static int read_fields(struct w3c *d, struct slice names)
{
    columns_clear(&d->columns);
    names = slice_trim(names);
    d->named = count_byte(names, ',') ? ',' : count_byte(names, '\t') ? '\t' : '\0';
    d->separator = d->named;
    char separator = d->named;
    if (separator == '\0') separator = ' ';
    bool more = true;
    for (struct csv_cell cell; next_cell(&names, separator, &more, &cell);)
        if (!columns_add(&d->columns, slice_trim(cell.text))) break;
    d->fields = true;
    return columns_error(&d->columns);
}

static int w3c_line(void *ctx, struct slice line, uint64_t offset)
{
    struct w3c *d = ctx;
    if (slice_trim(line).len == 0) return 0;
    if (slice_starts_with(line, SLICE("#Fields:"))) return read_fields(d, slice_from(line, 8));
    if (line.ptr[0] == '#') return 0;
    if (!d->fields) {
        line_decoder_bad(&d->d, offset, "no #Fields before the record");
        return 0;
    }
    struct event *ev = line_decoder_event(&d->d, line);
    const key_id *keys = columns_keys(&d->columns, ev->keys);
    if (d->separator == '\0')
        d->separator = d->columns.n > 1 && count_byte(line, '\t') + 1 >= d->columns.n ? '\t' : ' ';
    key_id extra = KEY_ROOT;
    bool more = true;
    struct csv_cell cell;
    for (uint32_t i = 0; next_cell(&line, d->separator, &more, &cell); i++) {
        if (ev->flags & EVENT_CUT) break;
        if (cell.open) ev->flags |= EVENT_DAMAGED;
        if (i == d->columns.n) extra = keys_intern_path(ev->keys, SLICE("extra"));
        if (cell.text.len == 0 || slice_eq(cell.text, SLICE("-"))) continue;
        event_add(ev, i < d->columns.n ? keys[i] : extra, VALUE_STRING,
                  csv_cell_text(cell, room_of_event, d));
    }
    return line_decoder_emit(&d->d);
}

static int w3c_headers(struct decoder *base, struct slice lines)
{
    struct w3c *d = (struct w3c *)base;
    struct slice line;
    int rc = 0;
    columns_clear(&d->columns);
    d->fields = false;
    while (rc == 0 && lines.len) {
        (void)slice_split(lines, '\n', &line, &lines);
        if (slice_starts_with(line, SLICE("#Fields:"))) rc = read_fields(d, slice_from(line, 8));
    }
    return rc;
}

static int w3c_record(struct decoder *base, struct slice record)
{
    struct w3c *d = (struct w3c *)base;
    /* It would change how the records behind it are read. */
    if (record.len && record.ptr[0] == '#') {
        line_decoder_bad(&d->d, 0, "a header where a record should be");
        return 0;
    }
    if (record.len && record.ptr[record.len - 1] == '\r') record.len--;
    d->separator = d->named;
    return w3c_line(base, record, 0);
}

static int w3c_too_long(void *ctx, uint64_t offset)
{
    struct w3c *d = ctx;
    line_decoder_bad(&d->d, offset, "line too long");
    return 0;
}

/* Zeek's line of names has a small letter and no colon. */
static int w3c_sniff(struct slice head, bool final)
{
    char storage[LINES_SNIFF_TEXT];
    struct slice text = lines_sniff_text(head, storage), line;
    for (bool first = true; lines_sniff_next(&text, final, &first, &line);) {
        if (slice_starts_with(line, SLICE("#Fields:"))) return 95;
        if (line.len && line.ptr[0] != '#') return 0;
    }
    return 0;
}

static struct decoder *w3c_open(const struct decoder_out *out, struct keys *keys)
{
    struct w3c *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    line_decoder_init(&d->d, &decoder_w3c, out, keys, false);
    columns_init(&d->columns);
    return &d->d.base;
}

static struct lines_sink w3c_sink(struct w3c *d)
{
    return (struct lines_sink){.ctx = d, .line = w3c_line, .too_long = w3c_too_long};
}

static int w3c_feed(struct decoder *base, struct slice data)
{
    struct w3c *d = (struct w3c *)base;
    const struct lines_sink sink = w3c_sink(d);
    return lines_feed(&d->d.lines, data, &sink);
}

static int w3c_finish(struct decoder *base)
{
    struct w3c *d = (struct w3c *)base;
    const struct lines_sink sink = w3c_sink(d);
    return lines_finish(&d->d.lines, &sink);
}

static void w3c_close(struct decoder *base)
{
    if (!base) return;
    struct w3c *d = (struct w3c *)base;
    columns_done(&d->columns);
    line_decoder_done(&d->d);
    free(d);
}

const struct decoder_ops decoder_w3c = {
    .name = "w3c",
    .sniff = w3c_sniff,
    .open = w3c_open,
    .feed = w3c_feed,
    .finish = w3c_finish,
    .header = w3c_headers,
    .record = w3c_record,
    .close = w3c_close,
};
