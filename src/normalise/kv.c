/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * NAME=VALUE NAME="VALUE" …, as firewalls write their messages. Pairs are separated by blanks, or
 * by a comma behind which another pair begins. A value ends at the separator, a quoted one (" or ')
 * at its quote; a backslash before a quote keeps it inside and stays.
 */
#include "normalise/record_forms.h"

enum { NAME_MAX_LEN = 64, PAIRS_MIN = 3, PAIRS_KEPT = 64 };

struct pair {
    struct slice name, value;
};

enum { IN_NAME = 1, ENDS_PLAIN = 2, IS_QUOTE = 4 };

static bool is(char c, unsigned what)
{
    static const unsigned char table[256] = {
        ['a' ... 'z'] = IN_NAME, ['A' ... 'Z'] = IN_NAME, ['0' ... '9'] = IN_NAME,
        ['_'] = IN_NAME,         ['-'] = IN_NAME,         ['.'] = IN_NAME,
        [' '] = ENDS_PLAIN,      ['\t'] = ENDS_PLAIN,     [','] = ENDS_PLAIN,
        ['"'] = IS_QUOTE,        ['\''] = IS_QUOTE,
    };
    return table[(unsigned char)c] & what;
}

/* The length of the name that s begins with, when a = follows; else 0. */
static size_t name_len(struct slice s)
{
    size_t n = 0, max = s.len < NAME_MAX_LEN ? s.len : NAME_MAX_LEN;
    while (n < max && is(s.ptr[n], IN_NAME)) n++;
    return n < s.len && s.ptr[n] == '=' ? n : 0;
}

static struct slice skip_blanks(struct slice s)
{
    size_t n = 0;
    while (n < s.len && (s.ptr[n] == ' ' || s.ptr[n] == '\t')) n++;
    return slice_from(s, n);
}

/* The bytes of a quoted value with its quotes; 0 when it does not end. */
static size_t quoted_len(struct slice s)
{
    for (size_t at = 1, n; (n = slice_find_byte(slice_from(s, at), s.ptr[0])) != SIZE_MAX;) {
        at += n;
        size_t before = at;
        while (before > 1 && s.ptr[before - 1] == '\\') before--;
        at++;
        if ((at - 1 - before) % 2 == 0) return at; /* else a backslash keeps it inside */
    }
    return 0;
}

static size_t plain_len(struct slice s)
{
    size_t n = 0;
    for (; n < s.len; n++) {
        if (!is(s.ptr[n], ENDS_PLAIN)) continue;
        if (s.ptr[n] != ',' || name_len(skip_blanks(slice_from(s, n + 1)))) break;
    }
    return n;
}

/* Takes a pair and the separator behind it off *s; false when something else stands there. */
static bool take_pair(struct slice *s, struct pair *ret)
{
    size_t n = name_len(*s);
    if (n == 0) return false;
    ret->name = slice_until(*s, n);
    struct slice rest = slice_from(*s, n + 1);
    bool quoted = rest.len && is(rest.ptr[0], IS_QUOTE);
    n = quoted ? quoted_len(rest) : plain_len(rest);
    if (quoted && n == 0) return false;
    ret->value = quoted ? slice_make(rest.ptr + 1, n - 2) : slice_until(rest, n);
    rest = slice_from(rest, n);
    if (rest.len && rest.ptr[0] == ',') rest = slice_from(rest, 1);
    else if (rest.len && !is(rest.ptr[0], ENDS_PLAIN)) return false;
    *s = skip_blanks(rest);
    return true;
}

static void add(struct event *ev, const struct pair *pair)
{
    event_add_named(ev, pair->name, VALUE_STRING, pair->value);
}

/* All of it must be pairs before one is added: names of other text would fill the table of keys. */
bool kv_read(struct slice text, struct event *ev)
{
    struct pair first[PAIRS_KEPT], more;
    struct slice rest = slice_trim(text), behind;
    uint32_t n = 0, kept = 0;
    while (rest.len && n < PAIRS_KEPT && take_pair(&rest, &first[n])) n++;
    kept = n;
    behind = rest;
    while (rest.len && n >= PAIRS_KEPT && take_pair(&rest, &more)) n++;
    if (rest.len || n < PAIRS_MIN) return false;
    for (uint32_t i = 0; i < kept && !(ev->flags & EVENT_CUT); i++) add(ev, &first[i]);
    while (behind.len && !(ev->flags & EVENT_CUT) && take_pair(&behind, &more)) add(ev, &more);
    return true;
}

bool kv_begins(struct slice text)
{
    return name_len(text) > 0;
}
