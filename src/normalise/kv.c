/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * NAME=VALUE NAME="VALUE" …, as firewalls write their messages. Pairs are separated by blanks, or
 * by a comma behind which another pair begins. A value ends at the separator, a quoted one (" or ')
 * at its quote; a backslash before a quote keeps it inside and stays.
 */
#include "normalise/record_forms.h"

enum { NAME_MAX_LEN = 64, PAIRS_MIN = 3 };

static bool is_name_byte(char c)
{
    static const bool is[256] = {['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true,
                                 ['_'] = true,         ['-'] = true,         ['.'] = true};
    return is[(unsigned char)c];
}

/* The length of the name that s begins with, when a = follows; else 0. */
static size_t name_len(struct slice s)
{
    size_t n = 0;
    while (n < s.len && n < NAME_MAX_LEN && is_name_byte(s.ptr[n])) n++;
    return n < s.len && s.ptr[n] == '=' ? n : 0;
}

static struct slice skip_blanks(struct slice s)
{
    while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) s = slice_from(s, 1);
    return s;
}

/* The bytes of a quoted value with its quotes; 0 when it does not end. */
static size_t quoted_len(struct slice s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.ptr[i] == '\\') i++;
        else if (s.ptr[i] == s.ptr[0]) return i + 1;
    }
    return 0;
}

static size_t plain_len(struct slice s)
{
    size_t n = 0;
    while (n < s.len && s.ptr[n] != ' ' && s.ptr[n] != '\t' &&
           !(s.ptr[n] == ',' && name_len(skip_blanks(slice_from(s, n + 1)))))
        n++;
    return n;
}

/* Takes a pair and the separator behind it off *s; false when something else stands there. */
static bool take_pair(struct slice *s, struct slice *ret_name, struct slice *ret_value)
{
    size_t n = name_len(*s);
    if (n == 0) return false;
    *ret_name = slice_until(*s, n);
    struct slice rest = slice_from(*s, n + 1);
    bool quoted = rest.len && (rest.ptr[0] == '"' || rest.ptr[0] == '\'');
    n = quoted ? quoted_len(rest) : plain_len(rest);
    if (quoted && n == 0) return false;
    *ret_value = quoted ? slice_make(rest.ptr + 1, n - 2) : slice_until(rest, n);
    rest = slice_from(rest, n);
    if (rest.len && rest.ptr[0] == ',') rest = slice_from(rest, 1);
    else if (rest.len && rest.ptr[0] != ' ' && rest.ptr[0] != '\t') return false;
    *s = skip_blanks(rest);
    return true;
}

bool kv_read(struct slice text, struct event *ev)
{
    struct slice name, value, rest = slice_trim(text);
    unsigned pairs = 0;
    while (rest.len && take_pair(&rest, &name, &value)) pairs++;
    if (rest.len || pairs < PAIRS_MIN) return false;
    rest = slice_trim(text);
    while (rest.len && !(ev->flags & EVENT_CUT) && take_pair(&rest, &name, &value))
        event_add_named(ev, name, VALUE_STRING, value);
    return true;
}

bool kv_begins(struct slice text)
{
    return name_len(text) > 0;
}
