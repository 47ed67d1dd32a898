/* SPDX-License-Identifier: EUPL-1.2 */
#include "event/event.h"

#include <stdlib.h>

#include "base/json_write.h"
#include "base/utf8.h"

enum { FIELDS_FIRST = 256 };

void event_init(struct event *ev, struct keys *keys, struct arena *arena)
{
    *ev = (struct event){.keys = keys, .arena = arena};
}

void event_done(struct event *ev)
{
    free(ev->fields);
    *ev = (struct event){0};
}

void event_reset(struct event *ev)
{
    arena_reset(ev->arena);
    ev->n_fields = 0;
    ev->flags = 0;
    ev->record = 0;
    ev->raw = SLICE_NONE;
    ev->format = NULL;
}

bool event_grow(struct event *ev)
{
    uint32_t cap = ev->cap_fields ? ev->cap_fields * 2 : FIELDS_FIRST;
    struct event_field *p =
        cap <= EVENT_FIELDS_MAX ? realloc(ev->fields, cap * sizeof *ev->fields) : NULL;
    if (!p) {
        ev->flags |= EVENT_CUT;
        return false;
    }
    ev->fields = p;
    ev->cap_fields = cap;
    return true;
}

void event_add_named(struct event *ev, struct slice name, enum value_type type, struct slice value)
{
    event_add(ev, keys_intern_path(ev->keys, name), type, value);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* \uXXXX at s.ptr[at]; false when there is none. */
static bool read_u_escape(struct slice s, size_t at, uint32_t *ret)
{
    if (s.len < 6 || at > s.len - 6 || s.ptr[at] != '\\' || s.ptr[at + 1] != 'u') return false;
    uint32_t v = 0;
    for (size_t i = at + 2; i < at + 6; i++) {
        int d = hex_digit(s.ptr[i]);
        if (d < 0) return false;
        v = v << 4 | (uint32_t)d;
    }
    *ret = v;
    return true;
}

/*
 * Decodes the escape at s.ptr[*i], moves *i behind it and returns the bytes written (1..4, never
 * more than were read). A backslash that begins no escape stands for itself.
 */
static size_t decode_escape(char *dst, struct slice s, size_t *i)
{
    static const char plain[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    char c = *i + 1 < s.len ? plain[(unsigned char)s.ptr[*i + 1]] : '\0';
    if (c) {
        dst[0] = c;
        *i += 2;
        return 1;
    }
    uint32_t cp, low;
    if (!read_u_escape(s, *i, &cp)) {
        dst[0] = s.ptr[(*i)++];
        return 1;
    }
    *i += 6;
    if (cp >= 0xD800 && cp <= 0xDFFF) {
        if (cp < 0xDC00 && read_u_escape(s, *i, &low) && low >= 0xDC00 && low <= 0xDFFF) {
            cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
            *i += 6;
        } else {
            cp = 0xFFFD;
        }
    }
    return utf8_encode(dst, cp);
}

struct slice event_text(struct event *ev, struct event_field *f)
{
    if (f->type != VALUE_JSON_STRING) return f->value;
    struct slice s = f->value;
    size_t at = slice_find_byte(s, '\\');
    if (at == SIZE_MAX) {
        f->type = VALUE_STRING;
        return s;
    }
    char *dst = arena_alloc(ev->arena, s.len);
    if (!dst) {
        ev->flags |= EVENT_CUT;
        return s;
    }
    size_t o = 0;
    for (size_t i = 0;;) {
        memcpy(dst + o, s.ptr + i, at);
        o += at;
        i += at;
        if (i == s.len) break;
        o += decode_escape(dst + o, s, &i);
        at = slice_find_byte(slice_from(s, i), '\\');
        if (at == SIZE_MAX) at = s.len - i;
    }
    f->value = slice_make(dst, o);
    f->type = VALUE_STRING;
    return f->value;
}

struct event_field *event_find(struct event *ev, struct slice path)
{
    key_id key = keys_find(ev->keys, path);
    for (uint32_t i = 0; i < ev->n_fields; i++)
        if (ev->fields[i].key == key) return &ev->fields[i];
    return NULL;
}

static void write_value(struct event *ev, struct event_field *f, struct buf *out)
{
    struct slice v = event_text(ev, f);
    bool verbatim = false;
    switch (f->type) {
    case VALUE_NUMBER:
        verbatim = json_is_number(v);
        break;
    case VALUE_BOOL:
        verbatim = slice_eq(v, SLICE("true")) || slice_eq(v, SLICE("false"));
        break;
    case VALUE_NULL:
        v = SLICE("null");
        verbatim = true;
        break;
    case VALUE_STRING:
    case VALUE_JSON_STRING:
        break;
    }
    if (verbatim) buf_put(out, v);
    else json_write_string(out, v);
}

/*
 * Decoders leave the escapes inside strings to event_text(), which forgives; raw text whose escapes
 * a strict reader would refuse is not written again.
 */
static bool escapes_are_whole(struct slice raw)
{
    for (size_t i = 0;;) {
        size_t at = slice_find_byte(slice_from(raw, i), '\\');
        if (at == SIZE_MAX) return true;
        i += at;
        if (raw.len - i >= 2 && raw.ptr[i + 1] == '\\') { /* by far the most common one */
            i += 2;
            continue;
        }
        char text[4];
        size_t start = i, n = decode_escape(text, raw, &i);
        bool lone = n == 3 && memcmp(text, "\xEF\xBF\xBD", 3) == 0;
        if (i == start + 1 || lone) return false;
    }
}

/* Line ends in valid JSON stand between tokens only; without them the object is one line. */
static void write_raw(struct slice raw, struct buf *out)
{
    if (slice_find_byte(raw, '\n') == SIZE_MAX && slice_find_byte(raw, '\r') == SIZE_MAX) {
        buf_put(out, raw);
        return;
    }
    for (size_t i = 0; i < raw.len; i++)
        if (raw.ptr[i] != '\n' && raw.ptr[i] != '\r') buf_putc(out, raw.ptr[i]);
}

/*
 * Fields with the same key, chained: next[i] is the index of the one after i (0: none), led[i]
 * says that some next[] is i. Without memory for this the object is written with repeated names.
 */
struct chains {
    uint32_t *next;
    bool *led;
};

static bool chain_fields(struct event *ev, struct chains *ret)
{
    uint32_t n = ev->n_fields, size = 1;
    while (size < 2 * n) size *= 2;
    uint32_t *last = arena_zalloc(ev->arena, size, sizeof *last); /* index + 1 of the last field */
    ret->next = arena_zalloc(ev->arena, n, sizeof *ret->next);
    ret->led = arena_zalloc(ev->arena, n, sizeof *ret->led);
    if (!last || !ret->next || !ret->led) return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = (uint32_t)(ev->fields[i].key * UINT32_C(2654435769)) & (size - 1);
        while (last[at] && ev->fields[last[at] - 1].key != ev->fields[i].key)
            at = (at + 1) & (size - 1);
        if (last[at]) {
            ret->next[last[at] - 1] = i;
            ret->led[i] = true;
        }
        last[at] = i + 1;
    }
    return true;
}

void event_write_fields(struct event *ev, struct buf *out)
{
    struct chains c;
    bool chained = chain_fields(ev, &c);
    bool first = true;
    buf_putc(out, '{');
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        if (chained && c.led[i]) continue;
        if (!first) buf_putc(out, ',');
        first = false;
        json_write_string(out, keys_name(ev->keys, ev->fields[i].key));
        buf_putc(out, ':');
        bool array = chained && c.next[i];
        if (array) buf_putc(out, '[');
        write_value(ev, &ev->fields[i], out);
        for (uint32_t j = i; chained && c.next[j];) {
            j = c.next[j];
            buf_putc(out, ',');
            write_value(ev, &ev->fields[j], out);
        }
        if (array) buf_putc(out, ']');
    }
    buf_putc(out, '}');
}

void event_write_json(struct event *ev, struct buf *out)
{
    if ((ev->flags & EVENT_RAW_IS_JSON) && escapes_are_whole(ev->raw)) write_raw(ev->raw, out);
    else event_write_fields(ev, out);
}
