/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/target.h"

#include "base/utf8.h"

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* In place: what is unescaped is never longer. */
static bool unescape(char *text, size_t len, struct slice *ret)
{
    size_t to = 0;
    for (size_t from = 0; from < len; from++) {
        unsigned char c = (unsigned char)text[from];
        if (c == '%') {
            int high = len - from > 2 ? hex_digit(text[from + 1]) : -1;
            int low = high >= 0 ? hex_digit(text[from + 2]) : -1;
            if (low < 0) return false;
            c = (unsigned char)(high * 16 + low);
            from += 2;
        }
        if (c < 0x20 || c == 0x7f) return false;
        text[to++] = (char)c;
    }
    *ret = slice_make(text, to);
    return utf8_valid(*ret);
}

static int read_path(struct api_target *t)
{
    struct slice rest = slice_from(t->path, 1), segment;
    bool more = true;
    if (t->path.len == 0 || t->path.ptr[0] != '/') return ERR_SYNTAX;
    for (t->n_segments = 0; more; t->n_segments++) {
        if (t->n_segments == API_SEGMENTS_MAX) return ERR_LIMIT;
        more = slice_split(rest, '/', &segment, &rest);
        bool dots = slice_eq(segment, SLICE(".")) || slice_eq(segment, SLICE(".."));
        /* The root alone has a segment that is empty. */
        if (dots || (segment.len == 0 && t->path.len > 1) ||
            !slice_is_plain(segment, "-._~:@!$&'()*+,;="))
            return ERR_SYNTAX;
        t->segments[t->n_segments] = segment;
    }
    return 0;
}

static int read_pair(struct api_target *t, char *text, size_t len)
{
    struct api_query *q = &t->query[t->n_query];
    struct slice had;
    size_t equals = slice_find_byte(slice_make(text, len), '=');
    size_t name = equals == SIZE_MAX ? len : equals;
    if (t->n_query == API_QUERY_MAX) return ERR_LIMIT;
    if (!unescape(text, name, &q->name) || q->name.len == 0) return ERR_SYNTAX;
    q->value = SLICE_NONE;
    if (name < len && !unescape(text + name + 1, len - name - 1, &q->value)) return ERR_SYNTAX;
    for (uint32_t i = 0; i < t->n_query; i++) {
        had = t->query[i].name;
        if (slice_eq(had, q->name)) return ERR_SYNTAX;
    }
    t->n_query++;
    return 0;
}

int api_target_read(struct slice text, struct api_target *ret)
{
    if (text.len >= sizeof ret->text) return ERR_LIMIT;
    if (text.len) memcpy(ret->text, text.ptr, text.len);
    size_t mark = slice_find_byte(text, '?');
    size_t path = mark == SIZE_MAX ? text.len : mark;
    ret->path = slice_make(ret->text, path);
    ret->n_query = 0;
    int error = read_path(ret);
    size_t at = path + 1;
    while (error == 0 && at < text.len) {
        size_t next = slice_find_byte(slice_from(text, at), '&');
        size_t len = next == SIZE_MAX ? text.len - at : next;
        error = read_pair(ret, ret->text + at, len);
        at += len + 1;
    }
    return error;
}

bool api_target_find(const struct api_target *t, const char *name, struct slice *ret)
{
    for (uint32_t i = 0; i < t->n_query; i++) {
        if (!slice_eq(t->query[i].name, slice_of(name))) continue;
        *ret = t->query[i].value;
        return true;
    }
    return false;
}
