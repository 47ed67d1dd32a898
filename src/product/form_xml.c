/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A reader of our own rather than a library's: what is wanted is small, a record that was cut off
 * must still say what it says up to there, values stay in place, and what is not here (DTDs,
 * entities of their own, external ones) cannot be turned on.
 */
#include "base/utf8.h"
#include "product/form_read.h"

enum {
    NAME_LEN_MAX = 256,
    ENTITY_LEN_MAX = 12, /* &#x0010ffff; */
};

struct element {
    key_id key;
    struct slice name; /* without its prefix */
    bool data;         /* a Data of EventData that has a Name, which is in the key */
    bool filled;       /* it has attributes, text or elements */
};

struct xml {
    const struct form *form;
    struct event *ev;
    struct slice s;
    size_t at;
    bool opened; /* the last tag began the innermost element */
    unsigned depth;
    struct element elements[FORM_DEPTH_MAX];
};

/* ---- text -------------------------------------------------------------------------------- */

/* &#N; and &#xN;, without & and ;. Characters that cannot be are U+FFFD. */
static bool read_reference(struct slice s, uint32_t *ret)
{
    unsigned base = 10;
    uint32_t value = 0;
    if (s.len < 2 || s.ptr[0] != '#') return false;
    s = slice_from(s, 1);
    if (s.ptr[0] == 'x') {
        base = 16;
        s = slice_from(s, 1);
    }
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i], lower = (char)(c | 0x20);
        unsigned digit = form_is_digit(c)               ? (unsigned)(c - '0')
                         : lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a' + 10)
                                                        : base;
        if (digit >= base) return false;
        value = value * base + digit;
        if (value > 0x10FFFF) value = 0x110000;
    }
    bool possible = value > 0 && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
    *ret = possible ? value : 0xFFFD;
    return s.len > 0;
}

/*
 * The entity at the start of s, which begins with &: writes its character, which is never longer,
 * and *ret_len is what it takes. One that is not known stands for itself.
 */
static size_t decode_entity(char *dst, struct slice s, size_t *ret_len)
{
    static const struct {
        const char *name;
        char means;
    } known[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    size_t end = slice_find_byte(slice_until(s, ENTITY_LEN_MAX), ';');
    *ret_len = 1;
    *dst = '&';
    if (end == SIZE_MAX) return 1;
    struct slice name = slice_make(s.ptr + 1, end - 1);
    uint32_t cp;
    if (read_reference(name, &cp)) {
        *ret_len = end + 1;
        return utf8_encode(dst, cp);
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!slice_eq(name, slice_of(known[i].name))) continue;
        *dst = known[i].means;
        *ret_len = end + 1;
    }
    return 1;
}

/* What begins at a < and is no tag: where it ends, and what of it is text. */
struct section {
    size_t len;
    struct slice text;
    bool open; /* its end is missing */
};

/* Comments, CDATA and instructions; false for anything else. */
static bool read_section(struct slice s, struct section *ret)
{
    static const struct {
        const char *begin, *end;
        bool text;
    } kinds[] = {{"<!--", "-->", false}, {"<![CDATA[", "]]>", true}, {"<?", "?>", false}};
    if (s.len < 2 || (s.ptr[1] != '!' && s.ptr[1] != '?')) return false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct slice begin = slice_of(kinds[i].begin), end = slice_of(kinds[i].end);
        if (!slice_starts_with(s, begin)) continue;
        struct slice inside = slice_from(s, begin.len);
        size_t len = slice_find(inside, end);
        *ret = (struct section){.open = len == SIZE_MAX, .len = s.len};
        if (kinds[i].text) ret->text = slice_until(inside, len);
        if (!ret->open) ret->len = begin.len + len + end.len;
        return true;
    }
    return false;
}

/* Text with entities, and sections where they may be, as what it means. */
static struct slice decode_text(struct xml *x, struct slice s, bool sections)
{
    bool plain = !sections || slice_find_byte(s, '<') == SIZE_MAX;
    if (plain && slice_find_byte(s, '&') == SIZE_MAX) return s;
    char *text = arena_alloc(x->ev->arena, s.len);
    if (!text) {
        x->ev->flags |= EVENT_CUT;
        return s;
    }
    size_t n = 0, len;
    struct section section;
    for (size_t i = 0; i < s.len; i += len) {
        struct slice rest = slice_from(s, i);
        len = 1;
        if (rest.ptr[0] == '&') {
            n += decode_entity(text + n, rest, &len);
        } else if (rest.ptr[0] == '<' && sections && read_section(rest, &section)) {
            len = section.len;
            if (section.text.len) memcpy(text + n, section.text.ptr, section.text.len);
            n += section.text.len;
        } else {
            text[n++] = rest.ptr[0];
        }
    }
    return slice_make(text, n);
}

static bool begins_name(char c)
{
    return form_is_letter(c) || c == '_' || c == ':';
}

/* Takes the text up to the next tag, as it stands. A < that begins nothing is text. */
static struct slice take_text(struct xml *x)
{
    size_t from = x->at;
    while (x->at < x->s.len) {
        struct slice rest = slice_from(x->s, x->at);
        size_t skip = slice_find_byte(rest, '<');
        x->at = skip == SIZE_MAX ? x->s.len : x->at + skip;
        rest = slice_from(x->s, x->at);
        struct section section;
        if (read_section(rest, &section)) {
            x->at += section.len;
        } else if (rest.len > 1) {
            char c = rest.ptr[1];
            if (begins_name(c) || c == '/' || c == '!') break;
            x->at++;
        } else {
            x->at = x->s.len;
        }
    }
    return slice_make(x->s.ptr + from, x->at - from);
}

/* `all`: nothing else stands between the tags of the element. */
static void add_text(struct xml *x, struct slice text, bool all)
{
    struct element *e = &x->elements[x->depth - 1];
    struct slice value = decode_text(x, text, true), trimmed = slice_trim(value);
    if (trimmed.len) {
        form_put(x->form, x->ev, e->key, VALUE_STRING, all ? value : trimmed);
    } else if (all && e->data) {
        form_put(x->form, x->ev, e->key, VALUE_STRING, SLICE(""));
    } else if (all && !e->filled) {
        form_put(x->form, x->ev, e->key, VALUE_NULL, SLICE("null"));
    }
    e->filled = true;
}

/* ---- tags -------------------------------------------------------------------------------- */

/* Takes a name; the part behind its prefix. Empty when it is none. */
static struct slice take_name(struct slice s, size_t *at, bool *ret_is_xmlns)
{
    size_t from = *at, colon = from;
    while (*at < s.len && !form_is_blank(s.ptr[*at]) &&
           slice_find_byte(SLICE("/>=<\"'&"), s.ptr[*at]) == SIZE_MAX) {
        if (s.ptr[*at] == ':') colon = *at + 1;
        ++*at;
    }
    struct slice name = slice_make(s.ptr + from, *at - from);
    *ret_is_xmlns = slice_eq(name, SLICE("xmlns")) || slice_starts_with(name, SLICE("xmlns:"));
    if (name.len == 0 || name.len > NAME_LEN_MAX || !begins_name(name.ptr[0])) return SLICE_NONE;
    return slice_from(name, colon - from);
}

static size_t skip_blanks(struct slice s, size_t at)
{
    while (at < s.len && form_is_blank(s.ptr[at])) at++;
    return at;
}

struct attribute {
    struct slice name, value; /* the value as it stands */
    bool is_xmlns;
};

/* Takes NAME="VALUE" at *at (no blank). */
static bool take_attribute(struct slice s, size_t *at, struct attribute *ret)
{
    ret->name = take_name(s, at, &ret->is_xmlns);
    *at = skip_blanks(s, *at);
    if (ret->name.len == 0 || *at == s.len || s.ptr[*at] != '=') return false;
    *at = skip_blanks(s, *at + 1);
    if (*at == s.len || (s.ptr[*at] != '"' && s.ptr[*at] != '\'')) return false;
    struct slice rest = slice_from(s, *at + 1);
    size_t len = slice_find_byte(rest, s.ptr[*at]);
    if (len == SIZE_MAX) return false;
    ret->value = slice_until(rest, len);
    *at += len + 2;
    return true;
}

/* The tag that begins an element, at x->at. */
struct tag {
    struct slice name;
    struct slice attributes; /* as they stand; they are whole */
    struct slice data_name;  /* the value of Name */
    bool empty;              /* /> */
};

static bool take_tag(struct xml *x, struct tag *ret)
{
    size_t at = x->at + 1;
    bool is_xmlns;
    *ret = (struct tag){.name = take_name(x->s, &at, &is_xmlns)};
    if (ret->name.len == 0) return false;
    size_t from = at;
    for (;;) {
        at = skip_blanks(x->s, at);
        if (at == x->s.len) return false;
        if (x->s.ptr[at] == '>' || x->s.ptr[at] == '/') break;
        struct attribute a;
        if (!take_attribute(x->s, &at, &a)) return false;
        if (!a.is_xmlns && slice_eq(a.name, SLICE("Name"))) ret->data_name = a.value;
    }
    ret->attributes = slice_make(x->s.ptr + from, at - from);
    ret->empty = x->s.ptr[at] == '/';
    if (ret->empty && (++at == x->s.len || x->s.ptr[at] != '>')) return false;
    x->at = at + 1;
    return true;
}

static void add_attributes(struct xml *x, struct element *e, struct slice attributes)
{
    struct attribute a;
    for (size_t at = skip_blanks(attributes, 0); at < attributes.len;
         at = skip_blanks(attributes, at)) {
        if (!take_attribute(attributes, &at, &a)) return;
        if (a.is_xmlns || (e->data && slice_eq(a.name, SLICE("Name")))) continue;
        char name[1 + NAME_LEN_MAX] = "@";
        memcpy(name + 1, a.name.ptr, a.name.len);
        key_id key = keys_intern(x->ev->keys, e->key, slice_make(name, 1 + a.name.len));
        form_put(x->form, x->ev, key, VALUE_STRING, decode_text(x, a.value, false));
        e->filled = true;
    }
}

static key_id key_of(struct xml *x, struct slice name)
{
    if (x->depth == 0) return form_key(x->form, x->ev, name);
    return keys_intern(x->ev->keys, x->elements[x->depth - 1].key, name);
}

/* Begins an element, and ends it when it is empty. */
static bool open_element(struct xml *x)
{
    struct tag tag;
    if (!take_tag(x, &tag) || x->depth == FORM_DEPTH_MAX) return false;
    bool data = x->depth && tag.data_name.len && slice_eq(tag.name, SLICE("Data")) &&
                slice_eq(x->elements[x->depth - 1].name, SLICE("EventData"));
    struct slice name = data ? decode_text(x, tag.data_name, false) : tag.name;
    struct element *e = &x->elements[x->depth];
    *e = (struct element){.key = key_of(x, name), .name = tag.name, .data = data};
    if (x->depth) x->elements[x->depth - 1].filled = true;
    x->depth++;
    x->opened = true;
    add_attributes(x, e, tag.attributes);
    if (tag.empty) {
        add_text(x, SLICE_NONE, true);
        x->depth--;
        x->opened = false;
    }
    return true;
}

/* Ends the innermost element of that name, and those in it. One that did not begin ends nothing. */
static bool close_element(struct xml *x)
{
    size_t at = x->at + 2;
    bool is_xmlns;
    struct slice name = take_name(x->s, &at, &is_xmlns);
    at = skip_blanks(x->s, at);
    if (name.len == 0 || at == x->s.len || x->s.ptr[at] != '>') return false;
    x->at = at + 1;
    for (unsigned d = x->depth; d > 0; d--) {
        if (!slice_eq(x->elements[d - 1].name, name)) continue;
        x->depth = d - 1;
        break;
    }
    x->opened = false;
    return true;
}

/* The first tag that begins an element. */
static bool find_root(struct xml *x)
{
    (void)take_text(x);
    return x->at < x->s.len && begins_name(x->s.ptr[x->at + 1]) && open_element(x);
}

bool form_xml_read(const struct form *form, struct slice text, struct event *ev)
{
    struct xml x = {.form = form, .ev = ev, .s = text};
    if (!find_root(&x)) return false;
    bool whole = true;
    while (x.depth && whole && !form_is_cut(ev)) {
        struct slice between = take_text(&x);
        bool ends = x.at == x.s.len, closes = !ends && x.s.ptr[x.at + 1] == '/';
        add_text(&x, between, x.opened && closes);
        if (ends) break;
        whole = closes ? close_element(&x) : open_element(&x);
    }
    return true;
}
