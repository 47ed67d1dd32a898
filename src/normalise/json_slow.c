/* SPDX-License-Identifier: EUPL-1.2 */
#include "normalise/json_slow.h"

#include "base/json_write.h"
#include "base/utf8.h"

enum { GUESS_MAX = 128 }; /* bytes of a name that is looked for to judge a stray quote */

struct container {
    key_id key;
    bool array;
};

struct reader {
    struct event *ev;
    struct slice s;
    size_t at;
    unsigned flags;
    unsigned depth;
    struct container stack[JSON_DEPTH_MAX];
};

key_id json_key(struct event *ev, key_id parent, struct slice name)
{
    if (ev->flags & EVENT_CUT) return KEY_ROOT;
    struct event_field f = {.value = name, .type = VALUE_JSON_STRING};
    return keys_intern(ev->keys, parent, event_text(ev, &f));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_delimiter(char c)
{
    return c == ',' || c == ':' || c == '{' || c == '}' || c == '[' || c == ']' || c == '"' ||
           is_blank(c);
}

static size_t skip_blank(struct slice s, size_t i)
{
    while (i < s.len && is_blank(s.ptr[i])) i++;
    return i;
}

/* Moves to the next byte that is no blank; false at the end. */
static bool next(struct reader *r)
{
    r->at = skip_blank(r->s, r->at);
    return r->at < r->s.len;
}

/* The next quote that is not escaped, at or behind i; s.len when there is none. */
static size_t find_quote(struct reader *r, size_t i)
{
    struct slice s = r->s;
    for (; i < s.len && s.ptr[i] != '"'; i++) {
        if ((unsigned char)s.ptr[i] < 0x20) r->flags |= JSON_SLOW_ODD;
        if (s.ptr[i] == '\\' && s.len - i > 1) i++;
    }
    return i < s.len ? i : s.len;
}

/* Whether `"name" :` stands at i (at the quote, or behind it when `opened`). */
static bool name_at(struct slice s, size_t i, bool opened)
{
    if (!opened && (i >= s.len || s.ptr[i++] != '"')) return false;
    size_t end = s.len - i > GUESS_MAX ? i + GUESS_MAX : s.len;
    for (; i < end && s.ptr[i] != '"'; i++)
        if (s.ptr[i] == '\n' || is_delimiter(s.ptr[i])) {
            if (s.ptr[i] != ' ' && s.ptr[i] != ':') return false;
        }
    if (i >= end) return false;
    i = skip_blank(s, i + 1);
    return i < s.len && s.ptr[i] == ':';
}

/* The end of s[start..quote) without a comma and blanks before the quote; SIZE_MAX without one. */
static size_t before_comma(struct slice s, size_t start, size_t quote)
{
    size_t i = quote;
    while (i > start && is_blank(s.ptr[i - 1])) i--;
    return i > start && s.ptr[i - 1] == ',' ? i - 1 : SIZE_MAX;
}

/* The string value whose opening quote is at r->at. */
static struct slice read_string(struct reader *r)
{
    struct slice s = r->s;
    size_t start = r->at + 1;
    for (size_t i = start;;) {
        size_t quote = find_quote(r, i);
        if (quote == s.len) {
            r->flags |= JSON_SLOW_ODD | JSON_SLOW_CUT;
            r->at = s.len;
            return slice_make(s.ptr + start, s.len - start);
        }
        size_t after = skip_blank(s, quote + 1);
        bool ends = after == s.len || s.ptr[after] == ',' || s.ptr[after] == '}' ||
                    s.ptr[after] == ']' || name_at(s, after, false);
        if (ends) {
            r->at = quote + 1;
            return slice_make(s.ptr + start, quote - start);
        }
        r->flags |= JSON_SLOW_ODD;
        size_t comma = name_at(s, quote + 1, true) ? before_comma(s, start, quote) : SIZE_MAX;
        if (comma != SIZE_MAX) {
            r->at = comma;
            return slice_make(s.ptr + start, comma - start);
        }
        i = quote + 1;
    }
}

/* The run of bytes up to the next delimiter; at least one. */
static struct slice read_token(struct reader *r)
{
    size_t start = r->at++;
    while (r->at < r->s.len && !is_delimiter(r->s.ptr[r->at])) r->at++;
    return slice_make(r->s.ptr + start, r->at - start);
}

static void add_token(struct reader *r, key_id key, struct slice token)
{
    enum value_type type = VALUE_STRING;
    if (slice_eq(token, SLICE("null"))) type = VALUE_NULL;
    else if (slice_eq(token, SLICE("true")) || slice_eq(token, SLICE("false"))) type = VALUE_BOOL;
    else if (json_is_number(token)) type = VALUE_NUMBER;
    else r->flags |= JSON_SLOW_ODD;
    event_add(r->ev, key, type, token);
}

/* A container below the depth limit: its text up to its end. */
static void add_subtree(struct reader *r, key_id key)
{
    size_t start = r->at, depth = 0;
    r->flags |= JSON_SLOW_ODD;
    while (r->at < r->s.len) {
        char c = r->s.ptr[r->at];
        if (c == '"') {
            r->at = find_quote(r, r->at + 1);
            if (r->at == r->s.len) break;
        }
        r->at++;
        if (c == '{' || c == '[') depth++;
        if ((c == '}' || c == ']') && --depth == 0) break;
    }
    if (depth) r->flags |= JSON_SLOW_CUT;
    event_add(r->ev, key, VALUE_STRING, slice_make(r->s.ptr + start, r->at - start));
}

static void open_container(struct reader *r, key_id key)
{
    bool array = r->s.ptr[r->at] == '[';
    size_t first = skip_blank(r->s, r->at + 1);
    if (first < r->s.len && r->s.ptr[first] == (array ? ']' : '}')) {
        r->at = first + 1;
        event_add(r->ev, key, VALUE_NULL, SLICE("null"));
    } else if (r->depth == JSON_DEPTH_MAX) {
        add_subtree(r, key);
    } else {
        r->at++;
        r->stack[r->depth++] = (struct container){.key = key, .array = array};
    }
}

/* A value at r->at; what stands there is neither a comma, a colon nor a closing bracket. */
static void read_value(struct reader *r, key_id key)
{
    char c = r->s.ptr[r->at];
    if (c == '{' || c == '[') {
        open_container(r, key);
    } else if (c == '"') {
        struct slice text = read_string(r);
        event_add(r->ev, key, VALUE_JSON_STRING, text);
    } else {
        add_token(r, key, read_token(r));
    }
}

/* A member whose name is at r->at. */
static void read_member(struct reader *r, key_id parent)
{
    struct slice name;
    char c = r->s.ptr[r->at];
    if (c == '"') {
        size_t start = r->at + 1, quote = find_quote(r, start);
        name = slice_make(r->s.ptr + start, quote - start);
        r->at = quote < r->s.len ? quote + 1 : quote;
        if (quote == r->s.len) r->flags |= JSON_SLOW_ODD | JSON_SLOW_CUT;
    } else {
        r->flags |= JSON_SLOW_ODD;
        if (c == '{' || c == '[') { /* a container without a name belongs to the object itself */
            open_container(r, parent);
            return;
        }
        name = read_token(r);
        if (!next(r) || r->s.ptr[r->at] != ':') {
            event_add(r->ev, parent, VALUE_STRING, name);
            return;
        }
    }
    key_id key = json_key(r->ev, parent, name);
    bool colon = next(r) && r->s.ptr[r->at] == ':';
    if (colon) r->at++;
    else r->flags |= JSON_SLOW_ODD;
    bool more = next(r);
    c = more ? r->s.ptr[r->at] : '}';
    if (c == ',' || c == ':' || c == '}' || c == ']') {
        r->flags |= JSON_SLOW_ODD;
        if (more && c == ':') r->at++;
        event_add(r->ev, key, VALUE_NULL, SLICE("null"));
    } else {
        read_value(r, key);
    }
}

/* What separates two members or ends a container. */
static bool read_separator(struct reader *r, bool *comma)
{
    char c = r->s.ptr[r->at];
    struct container top = r->stack[r->depth - 1];
    if (c == ',' || c == ':') {
        if (c == ':' || *comma) r->flags |= JSON_SLOW_ODD;
        *comma = true;
        r->at++;
        return true;
    }
    if (c == '}' || c == ']') {
        if (*comma || (c == ']') != top.array) r->flags |= JSON_SLOW_ODD;
        r->depth--;
        *comma = false;
        r->at++;
        return true;
    }
    return false;
}

unsigned json_slow_read(struct event *ev, struct slice record, bool inside)
{
    struct reader r = {.ev = ev, .s = record, .depth = 1};
    r.stack[0] = (struct container){.key = KEY_ROOT};
    if (!inside) r.at = 1;
    if (inside || !utf8_valid(record)) r.flags |= JSON_SLOW_ODD;
    bool comma = false, first = true; /* a comma is open; nothing came before in this container */
    while (r.depth && next(&r)) {
        unsigned depth = r.depth;
        bool was_comma = comma;
        if (read_separator(&r, &comma)) {
            if (was_comma || first) {
                if (comma) r.flags |= JSON_SLOW_ODD;
            }
            first = false;
            continue;
        }
        if (!comma && !first) r.flags |= JSON_SLOW_ODD;
        comma = false;
        struct container top = r.stack[r.depth - 1];
        if (top.array) read_value(&r, top.key);
        else read_member(&r, top.key);
        first = r.depth > depth;
    }
    if (r.depth) r.flags |= JSON_SLOW_ODD | JSON_SLOW_CUT;
    if (skip_blank(record, r.at) != record.len) r.flags |= JSON_SLOW_ODD;
    return r.flags;
}
