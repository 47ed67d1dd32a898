/* SPDX-License-Identifier: EUPL-1.2 */
#include "indicator/read.h"

#include "base/csv.h"
#include "base/hint.h"
#include "base/time.h"
#include "base/utf8.h"
#include "detect/sigma/doc.h"

enum {
    ARENA_MAX = 1024 * 1024 * 1024,
    COLUMNS_MAX = 256,
    QUOTED_MAX = 64 * 1024, /* bytes of a cell in quotes that goes over several lines */
    TEXT_MAX = 512,         /* bytes of a description that are kept */
};

enum column {
    COLUMN_VALUE,
    COLUMN_TYPE,
    COLUMN_DESCRIPTION,
    COLUMN_SOURCE,
    COLUMN_EXPIRES,
    COLUMN_TO_IDS,
    COLUMN_COUNT
};

struct cell {
    struct slice text; /* what it means */
    size_t at;         /* where it stands in its record */
};

struct reader {
    const struct indicators_options *options;
    struct indicators *to;
    struct slice rest;
    uint32_t line; /* of the record */
    struct slice record;
    char delimiter;                 /* NUL: a value a line */
    uint32_t columns[COLUMN_COUNT]; /* + 1; 0: there is none */
    struct arena scratch;           /* of a record */
    struct slice last[2];           /* the description and source that were kept last */
};

/* ---- lines ------------------------------------------------------------------------------- */

static struct slice without_cr(struct slice line)
{
    if (line.len && line.ptr[line.len - 1] == '\r') line.len--;
    return line;
}

/*
 * Where the record ends that the text begins with: at the first line end outside of quotes. A quote
 * that is not closed soon belongs to its line alone.
 */
static size_t record_length(struct slice text, char delimiter)
{
    size_t line = slice_find_byte(text, '\n');
    if (line == SIZE_MAX) line = text.len;
    if (!delimiter) return line;
    bool begins = true, quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (quoted) {
            if (c == '"' && i + 1 < text.len && text.ptr[i + 1] == '"') i++;
            else if (c == '"') quoted = false;
            else if (i > line && i - line > QUOTED_MAX) return line;
            continue;
        }
        if (c == '\n') return i;
        quoted = c == '"' && begins;
        begins = c == delimiter;
    }
    return quoted ? line : text.len;
}

static uint32_t count_lines(struct slice text)
{
    uint32_t n = 0;
    for (size_t i = 0; i < text.len; i++) n += text.ptr[i] == '\n';
    return n;
}

/* The next record that says something. */
static bool next_record(struct reader *r)
{
    while (r->rest.len) {
        r->line += 1 + count_lines(r->record);
        size_t n = record_length(r->rest, r->delimiter);
        r->record = slice_until(r->rest, n);
        r->rest = slice_from(r->rest, n + 1);
        struct slice said = slice_trim(r->record);
        if (said.len == 0 || said.ptr[0] == '#') continue;
        return true;
    }
    return false;
}

static char *scratch_room(void *ctx, size_t n)
{
    return arena_alloc(ctx, n);
}

static uint32_t take_cells(struct reader *r, struct cell *cells)
{
    struct slice rest = without_cr(r->record);
    uint32_t n = 0;
    arena_reset(&r->scratch);
    for (bool more = true; more && n < COLUMNS_MAX; n++) {
        size_t at = (size_t)(rest.ptr - r->record.ptr);
        struct csv_cell cell = csv_take_cell(&rest, r->delimiter, &more);
        cells[n] = (struct cell){slice_trim(csv_cell_text(cell, scratch_room, &r->scratch)), at};
    }
    return n;
}

/* ---- what is refused --------------------------------------------------------------------- */

static uint32_t column_of(struct slice record, size_t at)
{
    uint32_t column = 1;
    for (size_t i = 0; i < at && i < record.len; i++)
        column += ((unsigned char)record.ptr[i] & 0xc0) != 0x80;
    return column;
}

static void refuse(struct reader *r, const struct cell *cell, const char *why)
{
    struct indicators *to = r->to;
    char shown[HINT_SHOW_SIZE];
    to->refused++;
    if (to->n_told == INDICATORS_TOLD_MAX) return;
    (void)diag_set(&to->told[to->n_told++], ERR_INVALID, r->options->file, r->line,
                   column_of(r->record, cell->at), "`%s`: %s", hint_show(shown, cell->text), why);
}

/* ---- the header -------------------------------------------------------------------------- */

static bool read_column(struct slice text, enum column *ret)
{
    static const struct {
        const char *name;
        enum column column;
    } names[] = {
        {"value", COLUMN_VALUE},
        {"indicator", COLUMN_VALUE},
        {"ioc", COLUMN_VALUE},
        {"ioc_value", COLUMN_VALUE},
        {"observable", COLUMN_VALUE},
        {"type", COLUMN_TYPE},
        {"indicator_type", COLUMN_TYPE},
        {"ioc_type", COLUMN_TYPE},
        {"description", COLUMN_DESCRIPTION},
        {"comment", COLUMN_DESCRIPTION},
        {"title", COLUMN_DESCRIPTION},
        {"source", COLUMN_SOURCE},
        {"feed", COLUMN_SOURCE},
        {"reference", COLUMN_SOURCE},
        {"expires", COLUMN_EXPIRES},
        {"expiry", COLUMN_EXPIRES},
        {"expiration", COLUMN_EXPIRES},
        {"valid_until", COLUMN_EXPIRES},
        {"to_ids", COLUMN_TO_IDS},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!slice_eq_nocase(text, slice_of(names[i].name))) continue;
        *ret = names[i].column;
        return true;
    }
    return false;
}

/* Whether the first record names a column; then it says where they are. */
static bool read_header(struct reader *r, char delimiter)
{
    struct cell cells[COLUMNS_MAX];
    enum column column;
    bool any = false;
    r->delimiter = delimiter;
    memset(r->columns, 0, sizeof r->columns);
    uint32_t n = take_cells(r, cells);
    for (uint32_t i = 0; i < n; i++) {
        if (!read_column(cells[i].text, &column)) continue;
        any = true;
        if (!r->columns[column]) r->columns[column] = i + 1;
    }
    return any;
}

/*
 * The delimiter is the one with which the header has most columns that are known. What looks like
 * no header is the first of the values.
 */
static int begin(struct reader *r, struct diag *diag)
{
    static const char delimiters[] = {',', ';', '\t'};
    const struct reader start = *r;
    if (!next_record(r))
        return diag_set(diag, ERR_INVALID, r->options->file, 0, 0, "there is nothing in it");
    char best = '\0';
    uint32_t most = 0;
    for (size_t i = 0; i < sizeof delimiters; i++) {
        uint32_t n = 0;
        if (!read_header(r, delimiters[i])) continue;
        for (unsigned c = 0; c < COLUMN_COUNT; c++) n += r->columns[c] != 0;
        if (n > most) best = delimiters[i];
        if (n > most) most = n;
    }
    if (best) {
        (void)read_header(r, best);
        if (arena_failed(&r->scratch))
            return diag_set(diag, ERR_NOMEM, NULL, 0, 0, "%s", error_text(ERR_NOMEM));
        if (r->columns[COLUMN_VALUE]) return 0;
        return diag_set(diag, ERR_INVALID, r->options->file, r->line, 1,
                        "the header names no column `value` (or indicator, ioc, observable)");
    }
    r->rest = start.rest;
    r->line = start.line;
    r->record = start.record;
    r->delimiter = '\0';
    memset(r->columns, 0, sizeof r->columns);
    return 0;
}

/* ---- values ------------------------------------------------------------------------------ */

/* Most descriptions and sources are those of the line before. */
static struct slice keep_text(struct reader *r, struct slice text, struct slice *last)
{
    size_t end = TEXT_MAX;
    while (end && end < text.len && ((unsigned char)text.ptr[end] & 0xc0) == 0x80) end--;
    text = slice_trim(slice_until(text, end));
    if (text.len == 0 || slice_eq(text, *last)) return text.len ? *last : SLICE("");
    *last = arena_dup(&r->to->arena, text);
    return *last;
}

/* What is said of the values of a record. */
struct about {
    struct slice description, source;
    nsec expires;
};

static int keep(struct reader *r, const struct cell *cell, enum listed_kind kind,
                struct slice value, const struct about *about)
{
    struct indicators *to = r->to;
    struct listed **list = &to->lists[kind];
    bool known;
    if (!*list) *list = listed_new(kind);
    if (!*list) return ERR_NOMEM;
    const struct listed_value v = {
        .value = arena_dup(&to->arena, value),
        .description = keep_text(r, about->description, &r->last[0]),
        .source = keep_text(r, about->source, &r->last[1]),
        .expires = about->expires,
    };
    if (arena_failed(&to->arena)) return arena_error(&to->arena);
    int error = listed_add(*list, &v, &known);
    if (error == ERR_INVALID) refuse(r, cell, "this cannot be looked for");
    if (error) return error == ERR_INVALID ? 0 : error;
    to->doubled += known;
    if (known) return 0;
    if (++to->n > INDICATORS_MAX) return ERR_LIMIT;
    if (v.expires && (to->ends == 0 || v.expires < to->ends)) to->ends = v.expires;
    return 0;
}

/* One value: as it was meant, folded, and of a kind that is said or seen. */
static int take_value(struct reader *r, const struct cell *cell, struct slice text,
                      const enum listed_kind *said, const struct about *about)
{
    enum listed_kind kind;
    struct slice value;
    if (r->options->kept && said) return keep(r, cell, *said, text, about);
    if (text.len > INDICATOR_VALUE_MAX) {
        refuse(r, cell, "it is too long");
        return 0;
    }
    char *plain = arena_alloc(&r->scratch, text.len + 1);
    char *folded = arena_alloc(&r->scratch, utf8_fold_bound(text.len));
    if (!plain || !folded) return ERR_NOMEM;
    size_t n = indicator_refang(plain, text);
    struct slice meant = slice_make(folded, utf8_fold(folded, slice_trim(slice_make(plain, n))));
    const char *why = NULL;
    if (said) kind = *said;
    else if (!indicator_guess(meant, &kind))
        why = "this is no address, name, URL, hash or address of mail";
    if (!why) why = indicator_check(kind, meant, &value);
    if (!why && !r->options->force) why = indicator_too_general(kind, value, &r->options->own);
    if (!why) return keep(r, cell, kind, value, about);
    refuse(r, cell, why);
    return 0;
}

static bool is_passed_over(struct slice type)
{
    return slice_eq_nocase(type, SLICE("port")) || slice_eq_nocase(type, SLICE("filename"));
}

/* `domain|ip`, with a value of each; what stands beside an indicator without being one is left. */
static int take_typed(struct reader *r, const struct cell *cell, struct slice types,
                      const struct about *about)
{
    struct slice type, value, values = cell->text;
    bool more = true, many = slice_find_byte(types, '|') != SIZE_MAX, any = false;
    int error = 0;
    while (more && error == 0) {
        enum listed_kind kind;
        more = slice_split(types, '|', &type, &types);
        if (many) (void)slice_split(values, '|', &value, &values);
        else value = values;
        if (many && is_passed_over(type)) continue;
        if (!indicator_kind_read(type, &kind)) break;
        any = true;
        error = take_value(r, cell, slice_trim(value), &kind, about);
    }
    if (!any && error == 0) refuse(r, cell, "its type is none that is looked for");
    return error;
}

static struct slice cell_of(const struct reader *r, const struct cell *cells, uint32_t n,
                            enum column column)
{
    uint32_t at = r->columns[column];
    return at && at <= n ? cells[at - 1].text : SLICE_NONE;
}

static bool read_expires(struct reader *r, const struct cell *cells, uint32_t n, nsec *ret)
{
    struct slice text = cell_of(r, cells, n, COLUMN_EXPIRES);
    *ret = r->options->expires;
    if (text.len == 0 || sigma_until_parse(text, ret)) return true;
    refuse(r, &cells[r->columns[COLUMN_EXPIRES] - 1],
           "this is no point in time (2026-12-31, 2026-12-31T12:00:00Z)");
    return false;
}

static int take_record(struct reader *r)
{
    struct cell cells[COLUMNS_MAX];
    uint32_t n = take_cells(r, cells);
    uint32_t at = r->columns[COLUMN_VALUE];
    if (arena_failed(&r->scratch)) return arena_error(&r->scratch);
    const struct cell none = {.text = slice_until(slice_trim(r->record), 32)};
    if (at > n || cells[at - 1].text.len == 0) {
        refuse(r, &none, "the line has no value");
        return 0;
    }
    const struct cell *value = &cells[at - 1];
    struct about about = {cell_of(r, cells, n, COLUMN_DESCRIPTION),
                          cell_of(r, cells, n, COLUMN_SOURCE), 0};
    if (!read_expires(r, cells, n, &about.expires)) return 0;
    if (about.expires && about.expires <= r->options->now) {
        r->to->ended++;
        return 0;
    }
    if (slice_eq(cell_of(r, cells, n, COLUMN_TO_IDS), SLICE("0")) && !r->options->force) {
        refuse(r, value, "it is not to be looked for (to_ids is 0)");
        return 0;
    }
    struct slice type = cell_of(r, cells, n, COLUMN_TYPE);
    return type.len ? take_typed(r, value, type, &about)
                    : take_value(r, value, value->text, NULL, &about);
}

/* A value, with or without a remark behind it. */
static int take_line(struct reader *r)
{
    const struct about about = {.expires = r->options->expires};
    struct slice text = slice_trim(r->record);
    size_t remark = slice_find(text, SLICE(" #"));
    if (remark != SIZE_MAX) text = slice_trim(slice_until(text, remark));
    arena_reset(&r->scratch);
    return take_value(r, &(struct cell){.text = text, .at = (size_t)(text.ptr - r->record.ptr)},
                      text, NULL, &about);
}

static int read_all(struct reader *r, struct diag *diag)
{
    int error = begin(r, diag);
    if (error) return error;
    while (error == 0 && next_record(r)) error = r->delimiter ? take_record(r) : take_line(r);
    if (error == ERR_LIMIT)
        return diag_set(diag, error, r->options->file, r->line, 0,
                        "more than %d indicators in one list", INDICATORS_MAX);
    return error ? diag_set(diag, error, r->options->file, 0, 0, "%s", error_text(error)) : 0;
}

/* As UTF-8 and without its mark: spreadsheets write UTF-16 as well. */
static int take_text(struct arena *arena, struct slice text, struct slice *ret)
{
    size_t mark;
    *ret = slice_starts_with(text, SLICE("\xef\xbb\xbf")) ? slice_from(text, 3) : text;
    if (utf16_look(text, &mark) == UTF16_NONE) return 0;
    char *to = arena_alloc(arena, text.len + text.len / 2 + UTF16_TAIL);
    if (!to) return arena_error(arena);
    *ret = slice_make(to, utf16_text(text, to));
    return 0;
}

int indicators_read(struct slice text, const struct indicators_options *options,
                    struct indicators *ret, struct diag *diag)
{
    struct indicators in = {0};
    struct reader r = {.options = options, .to = &in};
    struct arena whole;
    arena_init(&whole, ARENA_MAX);
    arena_init(&in.arena, ARENA_MAX);
    arena_init(&r.scratch, 2 * (size_t)INDICATORS_FILE_MAX);
    int error = take_text(&whole, text, &r.rest);
    if (error) (void)diag_set(diag, error, options->file, 0, 0, "%s", error_text(error));
    else error = read_all(&r, diag);
    arena_done(&r.scratch);
    arena_done(&whole);
    if (error) indicators_done(&in);
    else *ret = in;
    return error;
}

void indicators_done(struct indicators *in)
{
    for (unsigned k = 0; k < LISTED_KINDS; k++) listed_free(in->lists[k]);
    arena_done(&in->arena);
}

/* ---- writing ----------------------------------------------------------------------------- */

static void put_cell(struct buf *out, struct slice text)
{
    buf_putc(out, '"');
    for (struct slice part, rest = text; text.len;) {
        bool more = slice_split(rest, '"', &part, &rest);
        buf_put(out, part);
        if (!more) break;
        buf_puts(out, "\"\"");
    }
    buf_putc(out, '"');
}

static void put_value(struct buf *out, enum listed_kind kind, const struct listed_value *v)
{
    buf_printf(out, "%s,", listed_kind_name(kind));
    put_cell(out, v->value);
    buf_putc(out, ',');
    if (v->expires) time_write_rfc3339(out, v->expires);
    buf_putc(out, ',');
    put_cell(out, v->description);
    buf_putc(out, ',');
    put_cell(out, v->source);
    buf_putc(out, '\n');
}

static int compare(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

uint32_t indicators_write_rest(struct buf *out, const struct indicators *in, struct slice *without,
                               uint32_t n)
{
    uint32_t left_out = 0;
    if (n) qsort(without, n, sizeof *without, compare);
    for (unsigned k = 0; k < LISTED_KINDS; k++)
        for (uint32_t i = 0; in->lists[k] && i < listed_count(in->lists[k]); i++) {
            const struct listed_value *v = listed_at(in->lists[k], i);
            if (n && bsearch(&v->value, without, n, sizeof *without, compare)) left_out++;
            else put_value(out, (enum listed_kind)k, v);
        }
    return left_out;
}

void indicators_write(struct buf *out, const struct indicators *in)
{
    buf_puts(out, INDICATORS_HEAD);
    (void)indicators_write_rest(out, in, NULL, 0);
}
