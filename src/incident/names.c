/* SPDX-License-Identifier: EUPL-1.2 */
#include "incident/names.h"

#include "base/ip.h"
#include "base/utf8.h"
#include "incident/files.h"

const char *name_kind_word(enum name_kind kind)
{
    static const char *const words[] = {
#define X(id, word) word,
        NAME_KINDS(X)
#undef X
    };
    return words[kind];
}

static bool fits(struct slice pattern, struct slice name)
{
    bool open = slice_ends_with(pattern, SLICE("*"));
    if (!open) return slice_eq(pattern, name);
    return slice_starts_with(name, slice_until(pattern, pattern.len - 1));
}

static struct slice file_text(unsigned file)
{
    return incident_files[file].text;
}

/* Whether many have it. The list is short, and what is asked comes with an alert. */
static bool is_shared(enum name_kind kind, struct slice name)
{
    struct slice rest = file_text(INCIDENT_SHARED), line;
    while (rest.len > 0) {
        struct slice word, pattern;
        (void)slice_split(rest, '\n', &line, &rest);
        if (!slice_split(line, '\t', &word, &line)) continue;
        (void)slice_split(line, '\t', &pattern, &line);
        if (slice_eq(word, slice_of(name_kind_word(kind))) && fits(pattern, name)) return true;
    }
    return false;
}

/* anna of BJORKVIK\anna and of anna@bjorkvik.example. */
static struct slice without_domain(struct slice s)
{
    size_t at = slice_find_last_byte(s, '\\');
    if (at != SIZE_MAX) s = slice_from(s, at + 1);
    at = slice_find_byte(s, '@');
    return at != SIZE_MAX && at > 0 ? slice_until(s, at) : s;
}

static enum name_kind kind_of_value(struct slice s)
{
    return ip_is(s) ? NAME_ADDRESS : slice_find_byte(s, '@') != SIZE_MAX ? NAME_USER : NAME_VALUE;
}

enum name_kind name_write(struct buf *out, enum name_kind kind, struct slice text)
{
    text = slice_until(slice_trim(text), NAME_MAX_BYTES);
    if (kind == NAME_VALUE) kind = kind_of_value(text);
    if (kind == NAME_USER) text = without_domain(text);
    if (kind == NAME_USER && text.len > 1 && slice_ends_with(text, SLICE("$"))) {
        kind = NAME_HOST;
        text.len--;
    }
    if (kind == NAME_HOST && ip_is(text)) kind = NAME_ADDRESS;
    if (kind == NAME_HOST) text = slice_until(text, slice_find_byte(text, '.'));
    if (text.len < (kind == NAME_COMMAND ? NAME_COMMAND_MIN : NAME_LEAST)) return kind;
    size_t begin = out->len;
    char *to = buf_reserve(out, utf8_fold_bound(text.len));
    if (!to) return kind;
    out->len = begin + utf8_fold(to, text);
    if (is_shared(kind, slice_from(buf_slice(out), begin))) out->len = begin;
    return kind;
}

void name_write_full(struct buf *out, struct slice text)
{
    size_t begin = out->len;
    text = slice_until(slice_trim(text), NAME_MAX_BYTES);
    while (text.len > 0 && text.ptr[text.len - 1] == '.') text.len--;
    if (slice_find_byte(text, '.') == SIZE_MAX) return;
    bool somebody = name_write(out, NAME_HOST, text) == NAME_HOST && out->len > begin;
    out->len = begin;
    char *to = somebody ? buf_reserve(out, utf8_fold_bound(text.len)) : NULL;
    if (to) out->len = begin + utf8_fold(to, text);
}

void name_write_deed(struct buf *out, struct slice technique)
{
    struct slice rest = file_text(INCIDENT_DEEDS), line, word;
    technique = slice_until(technique, slice_find_byte(technique, '.'));
    while (rest.len > 0) {
        (void)slice_split(rest, '\n', &line, &rest);
        if (!slice_split(line, '\t', &word, &line) || !slice_eq_nocase(word, technique)) continue;
        buf_printf(out, "%.*s (%.*s)", SLICE_FMT(line), SLICE_FMT(word));
        return;
    }
}

void name_write_said(struct buf *out, struct slice text)
{
    bool has_domain = slice_find_byte(text, '\\') != SIZE_MAX;
    (void)name_write(out, has_domain ? NAME_USER : NAME_VALUE, text);
}
