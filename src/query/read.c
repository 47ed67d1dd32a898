/* SPDX-License-Identifier: EUPL-1.2 */
#include "query/read.h"

#include <stdarg.h>

#include "base/text.h"
#include "base/utf8.h"

void query_find_place(struct slice text, size_t at, uint32_t *ret_line, uint32_t *ret_column)
{
    *ret_line = *ret_column = 1;
    for (size_t i = 0; i < at && i < text.len; i += utf8_step(text, i)) {
        ++*ret_column;
        if (text.ptr[i] != '\n') continue;
        ++*ret_line;
        *ret_column = 1;
    }
}

int query_fail(struct query_reader *r, size_t at, int error, const char *fmt, ...)
{
    char why[sizeof r->diag->message];
    uint32_t line, column;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    query_find_place(r->text, at, &line, &column);
    return diag_set(r->diag, error, NULL, line, column, "%s", why);
}

int query_fail_memory(struct query_reader *r)
{
    int error = arena_error(r->arena);
    if (error == ERR_LIMIT) return query_fail(r, r->at, error, "the query is too large");
    return query_fail(r, r->at, ERR_NOMEM, "%s", error_text(ERR_NOMEM));
}

char query_peek(const struct query_reader *r)
{
    return r->at < r->text.len ? r->text.ptr[r->at] : '\0';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void query_skip_blanks(struct query_reader *r)
{
    while (r->at < r->text.len && is_blank(r->text.ptr[r->at])) r->at++;
}

bool query_has_word(const struct query_reader *r, size_t at, const char *word)
{
    struct slice rest = slice_from(r->text, at), want = slice_of(word);
    if (!slice_eq_nocase(slice_until(rest, want.len), want)) return false;
    if (rest.len == want.len) return true;
    char next = rest.ptr[want.len];
    return is_blank(next) || next == '(' || next == ')' || next == '|';
}

/* ---- literals ---------------------------------------------------------------------------- */

static bool is_special(char c)
{
    return c && strchr("\\():<>\"*{}|", c) != NULL;
}

static bool is_keyword(const struct query_reader *r, size_t at)
{
    return query_has_word(r, at, "and") || query_has_word(r, at, "or") ||
           query_has_word(r, at, "not");
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* \uXXXX at r->at. */
static bool take_unicode(struct query_reader *r, char **to)
{
    uint32_t cp = 0;
    if (r->text.len - r->at < 6) return false;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_digit(r->text.ptr[r->at + i]);
        if (digit < 0) return false;
        cp = cp << 4 | (uint32_t)digit;
    }
    if (cp == 0 || (cp >= 0xd800 && cp < 0xe000)) return false;
    *to += utf8_encode(*to, cp);
    r->at += 6;
    return true;
}

/* What a backslash at r->at stands for; false when it is itself. */
static bool take_escape(struct query_reader *r, bool quoted, char **to)
{
    char next = r->at + 1 < r->text.len ? r->text.ptr[r->at + 1] : '\0';
    char blank = next == 't' ? '\t' : next == 'r' ? '\r' : next == 'n' ? '\n' : '\0';
    if (!quoted && is_keyword(r, r->at + 1)) {
        r->at++;
        while (r->at < r->text.len && !is_blank(r->text.ptr[r->at]) &&
               !is_special(r->text.ptr[r->at]))
            *(*to)++ = r->text.ptr[r->at++];
        return true;
    }
    if (next == 'u' && take_unicode(r, to)) return true;
    if (quoted ? next == '\\' || next == '"' : is_special(next)) *(*to)++ = next;
    else if (blank) *(*to)++ = blank;
    else return false;
    r->at += 2;
    return true;
}

static int read_quoted(struct query_reader *r, char *to, struct query_literal *ret)
{
    size_t start = r->at++;
    ret->quoted = true;
    while (r->at < r->text.len && query_peek(r) != '"')
        if (query_peek(r) != '\\' || !take_escape(r, true, &to)) *to++ = r->text.ptr[r->at++];
    if (query_peek(r) != '"') return query_fail(r, start, ERR_SYNTAX, "this quote is not closed");
    r->at++;
    ret->end = r->at;
    ret->text.len = (size_t)(to - ret->text.ptr);
    return 0;
}

/* A colon inside of an address or a time belongs to the value. */
static bool is_inner_colon(const struct query_reader *r, bool is_name)
{
    char next = r->at + 1 < r->text.len ? r->text.ptr[r->at + 1] : '\0';
    return !is_name && query_peek(r) == ':' && next && !is_blank(next) &&
           (!is_special(next) || next == ':' || next == '\\');
}

/* Whether a word goes on behind the blanks at r->at. */
static bool words_go_on(const struct query_reader *r)
{
    size_t at = r->at;
    while (at < r->text.len && is_blank(r->text.ptr[at])) at++;
    if (at == r->text.len || is_keyword(r, at)) return false;
    char c = r->text.ptr[at];
    return !is_special(c) || c == '*' || c == '\\';
}

static int read_words(struct query_reader *r, char *to, bool is_name, struct query_literal *ret)
{
    while (r->at < r->text.len) {
        char c = query_peek(r);
        if (is_blank(c) && !words_go_on(r)) break;
        if (c == '*') {
            *to++ = QUERY_STAR;
            ret->starred = true;
            r->at++;
        } else if (c == '\\') {
            if (!take_escape(r, false, &to))
                return query_fail(r, r->at, ERR_SYNTAX,
                                  "a backslash stands before a special character here; write \\\\ "
                                  "or put the value into quotes");
        } else if (is_special(c) && !is_inner_colon(r, is_name)) {
            break;
        } else {
            *to++ = c;
            r->at++;
        }
    }
    ret->end = r->at;
    ret->text.len = (size_t)(to - ret->text.ptr);
    return 0;
}

int query_read_literal(struct query_reader *r, bool is_name, const char *expected,
                       struct query_literal *ret)
{
    char *to = r->scratch; /* no escape is shorter than what it stands for */
    *ret = (struct query_literal){.at = r->at, .text.ptr = to};
    int error = 0;
    if (query_peek(r) == '"') error = read_quoted(r, to, ret);
    else if (is_keyword(r, r->at))
        error = query_fail(r, r->at, ERR_SYNTAX,
                           "%s is expected here; a word that is an operator goes into quotes",
                           expected);
    else error = read_words(r, to, is_name, ret);
    if (error == 0 && !ret->quoted && ret->text.len == 0)
        error = query_fail(r, r->at, ERR_SYNTAX, "%s is expected here", expected);
    if (error) return error;
    ret->text = arena_dup(r->arena, ret->text);
    return ret->text.ptr ? 0 : query_fail_memory(r);
}

/* ---- all of it --------------------------------------------------------------------------- */

static int check_text(struct query_reader *r)
{
    if (r->text.len > QUERY_TEXT_MAX)
        return query_fail(r, 0, ERR_LIMIT, "a query has at most %d KiB", QUERY_TEXT_MAX / 1024);
    for (size_t i = 0; i < r->text.len;) {
        uint32_t cp;
        unsigned n = utf8_decode(r->text, i, &cp);
        if (n == 0 || cp == 0) return query_fail(r, i, ERR_SYNTAX, "this byte is no text in UTF-8");
        i += n;
    }
    return 0;
}

int query_read(struct arena *arena, struct slice text, const struct query_options *options,
               struct query *ret, struct diag *diag)
{
    struct query *query = arena_zalloc(arena, 1, sizeof *query);
    struct query_reader r = {
        .arena = arena, .text = text, .options = options, .query = query, .diag = diag};
    int error = check_text(&r);
    if (error == 0) r.scratch = arena_alloc(arena, text.len + 1);
    if (!query || (error == 0 && !r.scratch)) return query_fail_memory(&r);
    query->text = text;
    if (error == 0) error = query_read_filter(&r, &query->filter);
    query->filter_text = slice_trim(slice_until(text, r.at));
    if (error == 0) error = query_read_pipes(&r);
    if (error == 0 && arena_failed(arena)) error = query_fail_memory(&r);
    if (error == 0) *ret = *query;
    return error;
}

void query_show_place(struct buf *out, struct slice text, const struct diag *diag)
{
    struct slice line = SLICE_NONE, rest = text;
    for (uint32_t i = 0; i < diag->line; i++) (void)slice_split(rest, '\n', &line, &rest);
    size_t at = 0;
    for (uint32_t i = 1; i < diag->column && at < line.len; i++) at += utf8_step(line, at);
    /* Long lines are shown around the place. */
    enum { BEFORE = 60, BEHIND = 60 };
    size_t from = at > BEFORE ? at - BEFORE : 0;
    while (from < at && ((unsigned char)line.ptr[from] & 0xc0) == 0x80) from++;
    struct slice head = slice_make(line.ptr ? line.ptr + from : NULL, at - from);
    struct slice tail = slice_until(slice_from(line, at), BEHIND);
    buf_puts(out, "    ");
    size_t columns = text_put_visible(out, head, SIZE_MAX / 2);
    (void)text_put_visible(out, tail, 2 * BEHIND);
    buf_puts(out, "\n    ");
    for (size_t i = 0; i < columns; i++) buf_putc(out, ' ');
    buf_puts(out, "^\n");
}
