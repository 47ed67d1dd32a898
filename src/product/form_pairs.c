/* SPDX-License-Identifier: EUPL-1.2 */
#include "product/form_pairs.h"

#include "product/form_read.h"

enum place { ANYWHERE, BEHIND_A_PAIR };

static bool is_name_byte(const struct form_pairs *p, char c)
{
    return form_is_letter(c) || form_is_digit(c) || slice_find_byte(p->marks, c) != SIZE_MAX;
}

/* Of bytes that belong to names. */
static bool is_name(const struct form_pairs *p, struct slice s)
{
    return s.len > 0 && s.len <= FORM_NAME_MAX &&
           (form_is_letter(s.ptr[0]) || s.ptr[0] == '_' ||
            (form_is_digit(s.ptr[0]) && p->assign != ':'));
}

/* Whether a name may begin at `start`, where something was looked for from `from` on. */
static bool may_begin(const struct form_pairs *p, size_t start, size_t from, enum place place)
{
    if (start == 0 || (start == from && place == ANYWHERE)) return true;
    char before = p->text.ptr[start - 1];
    if (form_is_blank(before)) return true;
    if (before == ',' && p->commas) return true;
    return place == ANYWHERE && slice_find_byte(SLICE("[](){}<>|:;,\"'"), before) != SIZE_MAX;
}

/* The next name with what assigns behind it, from `from` on; empty without. */
static struct slice find_name(const struct form_pairs *p, size_t from, enum place place)
{
    size_t start = from;
    for (size_t i = from; i < p->text.len; i++) {
        char c = p->text.ptr[i];
        struct slice name = slice_make(p->text.ptr + start, i - start);
        if (c == p->assign && is_name(p, name) && may_begin(p, start, from, place)) return name;
        if (c == p->assign || !is_name_byte(p, c)) start = i + 1;
    }
    return SLICE_NONE;
}

static size_t skip_blanks(const struct form_pairs *p, size_t at)
{
    while (at < p->text.len && form_is_blank(p->text.ptr[at]) && p->text.ptr[at] != p->separator)
        at++;
    return at;
}

static bool ends_value(const struct form_pairs *p, char c)
{
    return form_is_blank(c) || c == p->separator || slice_find_byte(SLICE(",;])}>"), c) != SIZE_MAX;
}

/*
 * A quoted value that begins at `from`; leaves p->at behind it. An apostrophe that none closes, or
 * only the one of a word ("don't"), is a part of a plain value, so that it hides no pairs. Text up
 * to the closing one is gone through again then, but only once: no other value in quotes begins
 * there.
 */
static bool take_quoted(struct form_pairs *p, size_t from, struct form_pair *ret)
{
    size_t open = skip_blanks(p, from);
    if (!p->quotes || open == p->text.len) return false;
    /* Check Point assigns some values twice: sys_message::"text". */
    if (p->text.ptr[open] == p->assign && open + 1 < p->text.len) open++;
    char quote = p->text.ptr[open];
    if (quote != '"' && quote != '\'') return false;
    size_t end = open + 1;
    while (end < p->text.len && p->text.ptr[end] != quote) end += p->text.ptr[end] == '\\' ? 2 : 1;
    bool closed = end < p->text.len;
    bool in_word = closed && end + 1 < p->text.len && !ends_value(p, p->text.ptr[end + 1]);
    if (quote == '\'' && (!closed || in_word)) return false;
    if (!closed) end = p->text.len;
    ret->value = slice_make(p->text.ptr + open + 1, end - open - 1);
    ret->quoted = true;
    p->at = closed ? end + 1 : end;
    return true;
}

static size_t offset_of(const struct form_pairs *p, const char *ptr)
{
    return (size_t)(ptr - p->text.ptr);
}

/* ---- without a separator ----------------------------------------------------------------- */

/* A value's text, which the next name ends. */
static struct slice before_name(const struct form_pairs *p, struct slice text)
{
    text = slice_trim(text);
    if (p->commas && p->next.len && text.len && text.ptr[text.len - 1] == ',')
        text = slice_trim(slice_until(text, text.len - 1));
    return text;
}

static bool next_of_blanks(struct form_pairs *p, struct form_pair *ret)
{
    bool first = p->at == 0 && !p->leading;
    if (p->next.len == 0) p->next = find_name(p, p->at, first ? BEHIND_A_PAIR : ANYWHERE);
    if (p->next.len == 0) return false;
    *ret = (struct form_pair){.name = p->next};
    size_t from = offset_of(p, ret->name.ptr) + ret->name.len + 1;
    p->next = SLICE_NONE;
    if (take_quoted(p, from, ret)) return true;
    p->next = find_name(p, from, BEHIND_A_PAIR);
    p->at = p->next.len ? offset_of(p, p->next.ptr) : p->text.len;
    ret->value = before_name(p, slice_make(p->text.ptr + from, p->at - from));
    return true;
}

/* ---- with one ---------------------------------------------------------------------------- */

/* Where the separator at or behind `at` is; the text's end without. */
static size_t find_separator(const struct form_pairs *p, size_t at)
{
    bool escapes = p->escapes && !form_is_blank(p->separator);
    while (at < p->text.len) {
        size_t skip = slice_find_byte(slice_from(p->text, at), p->separator);
        if (skip == SIZE_MAX) return p->text.len;
        at += skip;
        if (!escapes || at == 0 || p->text.ptr[at - 1] != '\\') return at;
        at++;
    }
    return at;
}

static void take_value(struct form_pairs *p, size_t from, struct form_pair *ret)
{
    bool quoted = take_quoted(p, from, ret);
    size_t end = find_separator(p, quoted ? p->at : from);
    if (!quoted) ret->value = slice_trim(slice_make(p->text.ptr + from, end - from));
    p->at = end < p->text.len ? end + 1 : end;
}

static bool next_of_separators(struct form_pairs *p, struct form_pair *ret)
{
    /* Between two separators: where it begins, where the run of name bytes begins, and whether
     * there was nothing but those and blanks. */
    size_t part = p->at, start = p->at;
    bool words = p->at > 0 || !p->leading;
    for (size_t i = p->at; i < p->text.len; i++) {
        char c = p->text.ptr[i];
        if (c == p->separator) {
            part = start = i + 1;
            words = true;
            continue;
        }
        if (c == p->assign) {
            struct slice name = slice_make(p->text.ptr + start, i - start);
            if (words) name = slice_trim(slice_make(p->text.ptr + part, i - part));
            if (is_name(p, name) && (words || may_begin(p, start, part, ANYWHERE))) {
                *ret = (struct form_pair){.name = name};
                take_value(p, i + 1, ret);
                return true;
            }
        } else if (is_name_byte(p, c)) {
            continue;
        }
        words = words && form_is_blank(c);
        start = i + 1;
    }
    p->at = p->text.len;
    return false;
}

bool form_pairs_next(struct form_pairs *p, struct form_pair *ret)
{
    return p->separator ? next_of_separators(p, ret) : next_of_blanks(p, ret);
}
