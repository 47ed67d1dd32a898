/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Zeek's tab-separated logs.
 *
 *   #separator \x09                 behind a space; all others behind the separator itself
 *   #set_separator ,   #empty_field (empty)   #unset_field -   #path conn
 *   #fields NAME…      #types TYPE…
 *   VALUE…
 *
 * Every line that begins with `#` is a header (a value that does is written \x23), and headers
 * count from where they stand: several logs may follow each other in one source; `#separator`
 * begins a log and puts all settings back.
 *
 * Values: an unset one is absent, the empty mark is empty text; a set or vector gives one value
 * for each member; \xHH stands for a byte and \\ for a backslash. Numbers (count, int, double,
 * time, interval, port) are numbers, T and F are true and false as in Zeek's JSON. `_path` is the
 * log's path unless a column has that name. Values behind the last column are `extra`.
 */
#include "normalise/columns.h"
#include "normalise/decoder.h"
#include "normalise/lines.h"

enum { MARK_MAX = 64, PATH_MAX_LEN = 256 };

/* A setting: short text of our own. */
struct mark {
    char text[MARK_MAX];
    uint8_t len;
};

enum column_kind { KIND_TEXT, KIND_NUMBER, KIND_BOOL };

struct column_type {
    uint8_t kind; /* enum column_kind */
    bool many;    /* a set or vector of them */
};

struct zeek {
    struct line_decoder d;
    struct columns columns;
    struct column_type types[COLUMNS_MAX];
    struct mark separator, set_separator, empty, unset;
    char path[PATH_MAX_LEN];
    size_t path_len;
    bool fields;   /* #fields was read */
    bool has_path; /* a column is named _path */
};

static struct slice mark_slice(const struct mark *m)
{
    return slice_make(m->text, m->len);
}

/* \xHH and \\; returns the bytes written, at most s.len. */
static size_t unescape(char *dst, struct slice s)
{
    size_t o = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '\\' && s.len - i >= 4 && s.ptr[i + 1] == 'x' && hex_value(s.ptr[i + 2]) >= 0 &&
            hex_value(s.ptr[i + 3]) >= 0) {
            c = (char)(hex_value(s.ptr[i + 2]) << 4 | hex_value(s.ptr[i + 3]));
            i += 3;
        } else if (c == '\\' && i + 1 < s.len && s.ptr[i + 1] == '\\') {
            i++;
        }
        dst[o++] = c;
    }
    return o;
}

/* Text that is too long for a setting leaves it as it was. */
static void set_mark(struct mark *m, struct slice text)
{
    if (text.len > MARK_MAX) return;
    m->len = (uint8_t)unescape(m->text, text);
}

static void begin_log(struct zeek *d)
{
    set_mark(&d->separator, SLICE("\t"));
    set_mark(&d->set_separator, SLICE(","));
    set_mark(&d->empty, SLICE("(empty)"));
    set_mark(&d->unset, SLICE("-"));
    d->path_len = 0;
    d->fields = d->has_path = false;
    columns_clear(&d->columns);
}

/* Takes what stands before the separator off *s; false when nothing is left. */
static bool next_part(struct slice *s, struct slice separator, struct slice *ret)
{
    if (!s->ptr) return false;
    size_t at = separator.len == 1 ? slice_find_byte(*s, separator.ptr[0])
                : separator.len    ? slice_find(*s, separator)
                                   : SIZE_MAX;
    *ret = slice_until(*s, at);
    *s = at == SIZE_MAX ? SLICE_NONE : slice_from(*s, at + separator.len);
    return true;
}

static struct column_type type_of(struct slice name)
{
    static const char *const numbers[] = {"count", "int", "double", "time", "interval", "port"};
    struct column_type type = {.kind = KIND_TEXT};
    size_t bracket = slice_find_byte(name, '[');
    if (bracket != SIZE_MAX) {
        struct slice outer = slice_until(name, bracket);
        type.many = slice_eq(outer, SLICE("set")) || slice_eq(outer, SLICE("vector")) ||
                    slice_eq(outer, SLICE("table"));
        name = slice_from(name, bracket + 1);
        if (name.len && name.ptr[name.len - 1] == ']') name.len--;
    }
    if (slice_eq(name, SLICE("bool"))) type.kind = KIND_BOOL;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (slice_eq(name, slice_of(numbers[i]))) type.kind = KIND_NUMBER;
    return type;
}

static int read_fields(struct zeek *d, struct slice names)
{
    columns_clear(&d->columns);
    memset(d->types, 0, sizeof d->types);
    struct slice name;
    while (next_part(&names, mark_slice(&d->separator), &name))
        if (!columns_add(&d->columns, name)) break;
    d->fields = true;
    d->has_path = columns_has(&d->columns, SLICE("_path"));
    return columns_error(&d->columns);
}

static void read_types(struct zeek *d, struct slice types)
{
    struct slice name;
    for (uint32_t i = 0; i < d->columns.n && next_part(&types, mark_slice(&d->separator), &name);
         i++)
        d->types[i] = type_of(name);
}

/* What stands behind `#name` and the separator. */
static bool header_is(const struct zeek *d, struct slice line, struct slice name, struct slice *ret)
{
    struct slice separator = mark_slice(&d->separator);
    if (!slice_starts_with(line, name)) return false;
    *ret = slice_from(line, name.len);
    if (!slice_starts_with(*ret, separator)) return false;
    *ret = slice_from(*ret, separator.len);
    return true;
}

static int read_header(struct zeek *d, struct slice line)
{
    struct slice value;
    if (slice_starts_with(line, SLICE("#separator "))) {
        begin_log(d);
        set_mark(&d->separator, slice_from(line, 11));
    } else if (header_is(d, line, SLICE("#set_separator"), &value)) {
        set_mark(&d->set_separator, value);
    } else if (header_is(d, line, SLICE("#empty_field"), &value)) {
        set_mark(&d->empty, value);
    } else if (header_is(d, line, SLICE("#unset_field"), &value)) {
        set_mark(&d->unset, value);
    } else if (header_is(d, line, SLICE("#path"), &value)) {
        d->path_len = unescape(d->path, slice_until(value, PATH_MAX_LEN));
    } else if (header_is(d, line, SLICE("#fields"), &value)) {
        return read_fields(d, value);
    } else if (header_is(d, line, SLICE("#types"), &value)) {
        read_types(d, value);
    }
    return 0;
}

static void add_value(struct zeek *d, key_id key, enum column_kind kind, struct slice value)
{
    struct event *ev = &d->d.ev;
    if (slice_eq(value, mark_slice(&d->unset))) return;
    if (slice_eq(value, mark_slice(&d->empty))) value = SLICE("");
    if (kind == KIND_BOOL && value.len == 1 && (value.ptr[0] == 'T' || value.ptr[0] == 'F')) {
        event_add(ev, key, VALUE_BOOL, value.ptr[0] == 'T' ? SLICE("true") : SLICE("false"));
        return;
    }
    if (kind == KIND_NUMBER && value.len) {
        event_add(ev, key, VALUE_NUMBER, value);
        return;
    }
    if (slice_find_byte(value, '\\') != SIZE_MAX) {
        char *dst = line_decoder_room(&d->d, value.len);
        if (dst) {
            size_t n = unescape(dst, value);
            line_decoder_unroom(&d->d, value.len - n);
            value = slice_make(dst, n);
        }
    }
    event_add(ev, key, VALUE_STRING, value);
}

static int zeek_line(void *ctx, struct slice line, uint64_t offset)
{
    struct zeek *d = ctx;
    if (line.len == 0) return 0;
    if (line.ptr[0] == '#') return read_header(d, line);
    if (!d->fields) {
        line_decoder_bad(&d->d, offset, "no #fields before the record");
        return 0;
    }
    struct event *ev = line_decoder_event(&d->d, line);
    const key_id *keys = columns_keys(&d->columns, ev->keys);
    if (d->path_len && !d->has_path)
        event_add_named(ev, SLICE("_path"), VALUE_STRING, slice_make(d->path, d->path_len));
    struct slice value, member;
    key_id extra = KEY_ROOT;
    for (uint32_t i = 0; next_part(&line, mark_slice(&d->separator), &value); i++) {
        if (ev->flags & EVENT_CUT) break;
        if (i >= d->columns.n) {
            if (i == d->columns.n) extra = keys_intern_path(ev->keys, SLICE("extra"));
            add_value(d, extra, KIND_TEXT, value);
            continue;
        }
        struct column_type type = d->types[i];
        if (!type.many) {
            add_value(d, keys[i], (enum column_kind)type.kind, value);
            continue;
        }
        while (next_part(&value, mark_slice(&d->set_separator), &member))
            add_value(d, keys[i], (enum column_kind)type.kind, member);
    }
    return line_decoder_emit(&d->d);
}

static int zeek_headers(struct decoder *base, struct slice lines)
{
    struct zeek *d = (struct zeek *)base;
    int rc = 0;
    struct slice line;
    begin_log(d);
    while (rc == 0 && lines.len) {
        (void)slice_split(lines, '\n', &line, &lines);
        if (line.len && line.ptr[line.len - 1] == '\r') line.len--;
        if (line.len && line.ptr[0] == '#') rc = read_header(d, line);
    }
    return rc;
}

static int zeek_record(struct decoder *base, struct slice record)
{
    /* It would change how the records behind it are read. */
    if (record.len && record.ptr[0] == '#') {
        line_decoder_bad((struct line_decoder *)base, 0, "a header where a record should be");
        return 0;
    }
    if (record.len && record.ptr[record.len - 1] == '\r') record.len--;
    return zeek_line(base, record, 0);
}

static int zeek_too_long(void *ctx, uint64_t offset)
{
    struct zeek *d = ctx;
    line_decoder_bad(&d->d, offset, "line too long");
    return 0;
}

static int zeek_sniff(struct slice head, bool final)
{
    char storage[LINES_SNIFF_TEXT];
    struct slice text = lines_sniff_text(head, storage), line;
    for (bool first = true; lines_sniff_next(&text, final, &first, &line);) {
        if (slice_starts_with(line, SLICE("#separator \\x"))) return 100;
        if (slice_starts_with(line, SLICE("#fields\t"))) return 90;
        if (line.len && line.ptr[0] != '#') return 0;
    }
    return 0;
}

static struct decoder *zeek_open(const struct decoder_out *out, struct keys *keys)
{
    struct zeek *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    line_decoder_init(&d->d, &decoder_zeek, out, keys, false);
    columns_init(&d->columns);
    begin_log(d);
    return &d->d.base;
}

static struct lines_sink zeek_sink(struct zeek *d)
{
    return (struct lines_sink){.ctx = d, .line = zeek_line, .too_long = zeek_too_long};
}

static int zeek_feed(struct decoder *base, struct slice data)
{
    struct zeek *d = (struct zeek *)base;
    const struct lines_sink sink = zeek_sink(d);
    return lines_feed(&d->d.lines, data, &sink);
}

static int zeek_finish(struct decoder *base)
{
    struct zeek *d = (struct zeek *)base;
    const struct lines_sink sink = zeek_sink(d);
    return lines_finish(&d->d.lines, &sink);
}

static void zeek_close(struct decoder *base)
{
    if (!base) return;
    struct zeek *d = (struct zeek *)base;
    columns_done(&d->columns);
    line_decoder_done(&d->d);
    free(d);
}

const struct decoder_ops decoder_zeek = {
    .name = "zeek",
    .sniff = zeek_sniff,
    .open = zeek_open,
    .feed = zeek_feed,
    .finish = zeek_finish,
    .record = zeek_record,
    .header = zeek_headers,
    .close = zeek_close,
};
