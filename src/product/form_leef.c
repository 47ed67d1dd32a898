/* SPDX-License-Identifier: EUPL-1.2 */
#include "product/form_pairs.h"
#include "product/form_read.h"

/* From the version on; SLICE_NONE without a header. */
static struct slice find_header(struct slice text)
{
    for (;;) {
        size_t at = slice_find(text, SLICE("LEEF:"));
        if (at == SIZE_MAX) return SLICE_NONE;
        text = slice_from(text, at + 5);
        if (slice_starts_with(text, SLICE("1.0|")) || slice_starts_with(text, SLICE("2.0|")))
            return text;
    }
}

static bool add_header(const struct form *form, struct slice *s, struct event *ev)
{
    static const char *const names[] = {
        "leef.version", "leef.vendor", "leef.product", "leef.product_version", "leef.event_id",
    };
    enum { PARTS = sizeof names / sizeof *names };
    struct slice parts[PARTS];
    bool more = true;
    for (size_t i = 0; i < PARTS; i++) {
        if (!more) return false;
        more = slice_split(*s, '|', &parts[i], s);
    }
    for (size_t i = 0; i < PARTS; i++) form_add(form, ev, slice_of(names[i]), slice_trim(parts[i]));
    return true;
}

static int hex_digit(char c)
{
    if (form_is_digit(c)) return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Of a delimiter as a header says it: itself, or 0xHH, xHH, xH. Nothing is a tab. */
static bool read_delimiter(struct slice s, char *ret)
{
    if (s.len == 0) {
        *ret = '\t';
        return true;
    }
    if (s.len == 1) {
        *ret = s.ptr[0];
        return true;
    }
    if (s.ptr[0] == '0') s = slice_from(s, 1);
    if (s.len < 2 || s.len > 3 || (s.ptr[0] != 'x' && s.ptr[0] != 'X')) return false;
    int value = 0;
    for (size_t i = 1; i < s.len; i++) {
        int digit = hex_digit(s.ptr[i]);
        if (digit < 0) return false;
        value = value << 4 | digit;
    }
    *ret = (char)value;
    return value != 0;
}

/* Takes the delimiter off the attributes; some senders of 2.0 leave it out. */
static char take_delimiter(struct slice *s)
{
    struct slice said, rest;
    char delimiter;
    if (!slice_split(*s, '|', &said, &rest) || !read_delimiter(said, &delimiter)) return '\t';
    *s = rest;
    return delimiter;
}

bool form_leef_read(const struct form *form, struct slice text, struct event *ev)
{
    struct slice s = find_header(text);
    bool says_delimiter = slice_starts_with(s, SLICE("2"));
    if (s.len == 0 || !add_header(form, &s, ev)) return false;
    struct form_pairs pairs = {.marks = SLICE("_-.[]"), .separator = '\t', .assign = '='};
    if (says_delimiter) pairs.separator = take_delimiter(&s);
    pairs.text = s;
    struct form_pair pair;
    while (!form_is_cut(ev) && form_pairs_next(&pairs, &pair))
        form_add(form, ev, pair.name, pair.value);
    return true;
}
