/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/json_read.h"
#include "product/form_read.h"

struct level {
    key_id key;
    bool array;
};

struct walk {
    const struct form *form;
    struct event *ev;
    struct slice s;
    size_t at;
    unsigned depth;
    bool any; /* a value was taken */
    struct level levels[FORM_DEPTH_MAX];
};

/* The first brace behind which a name or another brace stands; s.len without. */
static size_t find_object(struct slice s)
{
    for (size_t at = 0; at < s.len;) {
        size_t skip = slice_find_byte(slice_from(s, at), '{');
        if (skip == SIZE_MAX) break;
        at += skip;
        size_t next = json_skip_blank(s, at + 1);
        if (next < s.len && (s.ptr[next] == '"' || s.ptr[next] == '}')) return at;
        at = next;
    }
    return s.len;
}

/* Goes to the next byte that is no blank; '\0' at the end. */
static char peek(struct walk *w)
{
    w->at = json_skip_blank(w->s, w->at);
    return w->at < w->s.len ? w->s.ptr[w->at] : '\0';
}

static key_id key_of(struct walk *w, struct slice name)
{
    struct event_field f = {.value = name, .type = VALUE_JSON_STRING};
    struct slice text = event_text(w->ev, &f);
    if (w->depth == 1) return form_key(w->form, w->ev, text);
    return keys_intern(w->ev->keys, w->levels[w->depth - 1].key, text);
}

/* A name and its colon. */
static bool take_name(struct walk *w, key_id *ret)
{
    struct slice value, name;
    if (peek(w) != '"' || json_read_value(w->s, w->at, &value) != 0) return false;
    w->at += value.len;
    if (peek(w) != ':' || !json_string_inside(value, &name)) return false;
    w->at++;
    *ret = key_of(w, name);
    return true;
}

static void add(struct walk *w, key_id key, enum value_type type, struct slice value)
{
    form_put(w->form, w->ev, key, type, value);
    w->any = true;
}

/* Text or a token. A token at the end of all text may be half of one. */
static bool take_scalar(struct walk *w, key_id key)
{
    struct slice value, inside;
    if (json_read_value(w->s, w->at, &value) != 0) return false;
    w->at += value.len;
    if (json_string_inside(value, &inside)) {
        add(w, key, VALUE_JSON_STRING, inside);
        return true;
    }
    if (w->at == w->s.len) return false;
    char c = value.ptr[0];
    enum value_type type = c == 't' || c == 'f' ? VALUE_BOOL : c == 'n' ? VALUE_NULL : VALUE_NUMBER;
    add(w, key, type, value);
    return true;
}

static bool take_value(struct walk *w, key_id key)
{
    char c = peek(w);
    if (c != '{' && c != '[') return take_scalar(w, key);
    w->at++;
    if (peek(w) == c + 2) {
        w->at++;
        add(w, key, VALUE_NULL, SLICE("null"));
        return true;
    }
    if (w->depth == FORM_DEPTH_MAX) return false;
    w->levels[w->depth++] = (struct level){.key = key, .array = c == '['};
    return true;
}

/* One member or element, or the end of what it would belong to. */
static bool take_next(struct walk *w, bool *comma)
{
    struct level top = w->levels[w->depth - 1];
    char c = peek(w);
    if (c == (top.array ? ']' : '}')) {
        w->at++;
        w->depth--;
        *comma = true;
        return true;
    }
    if (*comma) {
        if (c != ',') return false;
        w->at++;
    }
    key_id key = top.key;
    unsigned depth = w->depth;
    bool taken = (top.array || take_name(w, &key)) && take_value(w, key);
    *comma = w->depth == depth;
    return taken;
}

bool form_json_read(const struct form *form, struct slice text, struct event *ev)
{
    struct walk w = {.form = form, .ev = ev, .s = text, .at = find_object(text)};
    if (w.at == text.len) return false;
    w.at++;
    w.levels[w.depth++] = (struct level){.key = KEY_ROOT};
    bool comma = false, whole = true;
    while (w.depth && whole && !form_is_cut(ev)) whole = take_next(&w, &comma);
    return whole || w.any;
}
