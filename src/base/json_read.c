/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/json_read.h"

#include "base/json_write.h"
#include "base/utf8.h"

size_t json_skip_blank(struct slice s, size_t at)
{
    while (at < s.len &&
           (s.ptr[at] == ' ' || s.ptr[at] == '\t' || s.ptr[at] == '\r' || s.ptr[at] == '\n'))
        at++;
    return at;
}

/* Behind the string whose opening quote is at `at`; 0 when it does not end. */
static size_t string_end(struct slice s, size_t at)
{
    for (size_t i = at + 1; i < s.len;) {
        const char *quote = memchr(s.ptr + i, '"', s.len - i);
        if (!quote) return 0;
        size_t end = (size_t)(quote - s.ptr), escapes = 0;
        while (end - escapes > i && s.ptr[end - escapes - 1] == '\\') escapes++;
        if (escapes % 2 == 0) return end + 1;
        i = end + 1;
    }
    return 0;
}

static bool ends_token(char c)
{
    return c == ',' || c == ':' || c == ']' || c == '}' || c == '[' || c == '{' || c == '"' ||
           c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Goes behind the literal or number at *at. */
static int skip_token(struct slice s, bool inside, size_t *at)
{
    size_t end = *at;
    while (end < s.len && !ends_token(s.ptr[end])) end++;
    struct slice token = slice_make(s.ptr + *at, end - *at);
    bool known = slice_eq(token, SLICE("true")) || slice_eq(token, SLICE("false")) ||
                 slice_eq(token, SLICE("null")) || json_is_number(token);
    if (!known) return inside && end == s.len ? ERR_TRUNCATED : ERR_SYNTAX;
    *at = end;
    return 0;
}

/* Goes behind the string at *at. */
static int skip_string(struct slice s, size_t *at)
{
    size_t end = string_end(s, *at);
    if (end == 0) return ERR_TRUNCATED;
    *at = end;
    return 0;
}

/* What a value's text is gone through with; bit 0 of `objects` is the innermost container. */
struct skim {
    struct slice s;
    size_t at;
    uint64_t objects;
    unsigned depth;
};

/* `"name" :` at w->at; leaves w->at at the value. */
static int skip_name(struct skim *w)
{
    w->at = json_skip_blank(w->s, w->at);
    if (w->at == w->s.len) return ERR_TRUNCATED;
    if (w->s.ptr[w->at] != '"') return ERR_SYNTAX;
    int rc = skip_string(w->s, &w->at);
    if (rc != 0) return rc;
    w->at = json_skip_blank(w->s, w->at);
    if (w->at == w->s.len) return ERR_TRUNCATED;
    if (w->s.ptr[w->at] != ':') return ERR_SYNTAX;
    w->at = json_skip_blank(w->s, w->at + 1);
    return 0;
}

/* Behind a bracket that opens; *ret_value: a value comes next. */
static int enter(struct skim *w, bool *ret_value)
{
    bool object = w->s.ptr[w->at++] == '{';
    if (w->depth == JSON_READ_DEPTH_MAX) return ERR_LIMIT;
    w->depth++;
    w->objects = w->objects << 1 | object;
    w->at = json_skip_blank(w->s, w->at);
    *ret_value = w->at == w->s.len || w->s.ptr[w->at] != (object ? '}' : ']');
    return *ret_value && object ? skip_name(w) : 0;
}

/* What follows a value inside a container; *ret_value: a comma, and a value comes next. */
static int follow(struct skim *w, bool *ret_value)
{
    bool object = w->objects & 1;
    w->at = json_skip_blank(w->s, w->at);
    if (w->at == w->s.len) return ERR_TRUNCATED;
    char c = w->s.ptr[w->at++];
    *ret_value = c == ',';
    if (*ret_value) {
        w->at = json_skip_blank(w->s, w->at);
        return object ? skip_name(w) : 0;
    }
    if (c != (object ? '}' : ']')) return ERR_SYNTAX;
    w->depth--;
    w->objects >>= 1;
    return 0;
}

int json_read_value(struct slice s, size_t at, struct slice *ret)
{
    struct skim w = {.s = s, .at = at};
    bool value = true;
    do {
        int rc = 0;
        if (value) {
            if (w.at >= s.len) return ERR_TRUNCATED;
            char c = s.ptr[w.at];
            value = false;
            if (c == '{' || c == '[') rc = enter(&w, &value);
            else if (c == '"') rc = skip_string(s, &w.at);
            else rc = skip_token(s, w.depth > 0, &w.at);
        } else {
            rc = follow(&w, &value);
        }
        if (rc != 0) return rc;
    } while (w.depth || value);
    *ret = slice_make(s.ptr + at, w.at - at);
    return 0;
}

bool json_is_object(struct slice s)
{
    struct slice value;
    size_t at = json_skip_blank(s, 0);
    if (at == s.len || s.ptr[at] != '{' || json_read_value(s, at, &value) != 0) return false;
    return json_skip_blank(s, at + value.len) == s.len;
}

void json_parts_init(struct json_parts *it, struct slice container)
{
    *it = (struct json_parts){.s = container, .at = json_skip_blank(container, 1)};
}

bool json_parts_next(struct json_parts *it, struct slice *ret_name, struct slice *ret_value)
{
    struct slice s = it->s;
    if (it->at >= s.len || s.ptr[it->at] == '}' || s.ptr[it->at] == ']') return false;
    *ret_name = SLICE_NONE;
    if (s.ptr[0] == '{') {
        size_t end = string_end(s, it->at);
        if (end == 0) return false;
        *ret_name = slice_make(s.ptr + it->at + 1, end - it->at - 2);
        it->at = json_skip_blank(s, json_skip_blank(s, end) + 1);
    }
    if (json_read_value(s, it->at, ret_value) != 0) return false;
    it->at = json_skip_blank(s, it->at + ret_value->len);
    if (it->at < s.len && s.ptr[it->at] == ',') it->at = json_skip_blank(s, it->at + 1);
    return true;
}

bool json_find_member(struct slice object, const char *name, const char *or_name, struct slice *ret)
{
    struct json_parts it;
    struct slice found, value;
    if (object.len == 0 || object.ptr[0] != '{') return false;
    json_parts_init(&it, object);
    while (json_parts_next(&it, &found, &value)) {
        if (!slice_eq(found, slice_of(name)) && (!or_name || !slice_eq(found, slice_of(or_name))))
            continue;
        *ret = value;
        return true;
    }
    return false;
}

struct slice json_member(struct slice object, const char *name)
{
    struct slice value;
    return json_find_member(object, name, NULL, &value) ? value : SLICE_NONE;
}

struct slice json_member_text(struct slice object, const char *name)
{
    struct slice inside;
    return json_string_inside(json_member(object, name), &inside) ? inside : SLICE_NONE;
}

uint64_t json_member_u64(struct slice object, const char *name)
{
    uint64_t n;
    return slice_to_u64(json_member(object, name), &n) ? n : 0;
}

bool json_string_inside(struct slice value, struct slice *ret)
{
    if (value.len < 2 || value.ptr[0] != '"') return false;
    *ret = slice_make(value.ptr + 1, value.len - 2);
    return true;
}

/* ---- escapes ----------------------------------------------------------------------------- */

static bool read_hex4(struct slice s, uint32_t *ret)
{
    uint32_t value = 0;
    if (s.len < 4) return false;
    for (size_t i = 0; i < 4; i++) {
        char c = s.ptr[i];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
                                                : 16;
        if (digit > 15) return false;
        value = value << 4 | digit;
    }
    *ret = value;
    return true;
}

/* s is what stands behind \u; the bytes of it that were used, 0: it is none. */
static size_t put_unicode(struct slice s, struct buf *out)
{
    char text[4];
    uint32_t cp, low;
    size_t used = 4;
    if (!read_hex4(s, &cp)) return 0;
    if (cp >= 0xd800 && cp < 0xdc00 && slice_starts_with(slice_from(s, 4), SLICE("\\u")) &&
        read_hex4(slice_from(s, 6), &low) && low >= 0xdc00 && low < 0xe000) {
        cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
        used = 10;
    }
    if (cp >= 0xd800 && cp < 0xe000) cp = 0xfffd;
    buf_put(out, slice_make(text, utf8_encode(text, cp)));
    return used;
}

bool json_string_text(struct slice value, struct buf *out)
{
    static const char names[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    struct slice rest, plain;
    if (!json_string_inside(value, &rest)) return false;
    while (slice_split(rest, '\\', &plain, &rest)) {
        buf_put(out, plain);
        if (rest.len == 0) return false;
        const char *at = strchr(names, rest.ptr[0]);
        size_t used = 1;
        if (at && *at) buf_putc(out, means[at - names]);
        else if (rest.ptr[0] == 'u') used += put_unicode(slice_from(rest, 1), out);
        if (used == 1 && !(at && *at)) return false;
        rest = slice_from(rest, used);
    }
    buf_put(out, plain);
    return true;
}
