/* SPDX-License-Identifier: EUPL-1.2 */
#include "query/rule.h"

#include "base/text.h"
#include "base/utf8.h"
#include "detect/sigma/modifier.h"
#include "query/read.h"

enum { RULE_MAX = 16 * 1024 * 1024 };

struct writer {
    const struct query *query;
    struct diag *diag;
    struct buf searches, condition, value;
    uint32_t n; /* searches so far */
    int error;  /* sticky */
};

static void refuse(struct writer *w, size_t at, const char *why)
{
    uint32_t line, column;
    if (w->error) return;
    query_find_place(w->query->text, at, &line, &column);
    w->error = diag_set(w->diag, ERR_UNSUPPORTED, NULL, line, column, "%s", why);
}

static void refuse_atom(struct writer *w, const struct sigma_atom *a, const char *why)
{
    refuse(w, query_atom_at(a), why);
}

/* ---- YAML -------------------------------------------------------------------------------- */

static bool is_plain(struct slice text)
{
    uint32_t cp;
    for (size_t i = 0; i < text.len;) {
        unsigned n = utf8_decode(text, i, &cp);
        if (n == 0 || !text_is_visible(cp)) return false;
        i += n;
    }
    return true;
}

/* In double quotes characters that cannot be seen are written as what they are (YAML 1.2, 5.7). */
static void put_escaped(struct buf *out, struct slice text)
{
    uint32_t cp;
    buf_putc(out, '"');
    for (size_t i = 0; i < text.len;) {
        unsigned n = utf8_decode(text, i, &cp);
        struct slice c = slice_until(slice_from(text, i), n ? n : 1);
        if (n && text_is_visible(cp)) {
            if (cp == '"' || cp == '\\') buf_putc(out, '\\');
            buf_put(out, c);
        } else {
            buf_printf(out, "\\U%08x", n ? cp : 0xfffdu);
        }
        i += c.len;
    }
    buf_putc(out, '"');
}

/* A string, also when it looks like something else. */
static void put_string(struct buf *out, struct slice text)
{
    if (!is_plain(text)) {
        put_escaped(out, text);
        return;
    }
    buf_putc(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'') buf_putc(out, '\'');
        buf_putc(out, text.ptr[i]);
    }
    buf_putc(out, '\'');
}

/* ---- values ------------------------------------------------------------------------------ */

/* As Sigma writes it (pattern.h): every backslash twice, which always means one. */
static void put_glob(struct writer *w, const struct sigma_atom *a)
{
    buf_clear(&w->value);
    for (uint32_t i = 0; i < a->n_glob; i++) {
        struct slice text = a->glob[i].text;
        if (a->glob[i].kind == GLOB_ANY) buf_putc(&w->value, '*');
        for (size_t k = 0; a->glob[i].kind == GLOB_LITERAL && k < text.len; k++) {
            char c = text.ptr[k];
            if (c == '*' || c == '?' || c == '\\') buf_putc(&w->value, '\\');
            buf_putc(&w->value, c);
        }
    }
    put_string(&w->searches, buf_slice(&w->value));
}

/* A number of YAML is another spelling of itself; to be no more than that it is a plain one. */
static void put_number(struct writer *w, const struct sigma_atom *a)
{
    char space[24];
    struct slice text = a->glob[0].text, decimal;
    double number;
    if (yaml_plain_type(text) != YAML_NUMBER || !number_read(text, &number, space, &decimal) ||
        decimal.len)
        refuse_atom(w, a, "a rule takes this number for others, too; write it plainly");
    else buf_put(&w->searches, text);
}

static void put_value(struct writer *w, const struct sigma_atom *a)
{
    if (a->numeric) put_number(w, a);
    else put_glob(w, a);
}

/* ---- words ------------------------------------------------------------------------------- */

/* What words are made of (words_match()); in the regular expression, and as bytes. */
#define WORD_CLASS "0-9A-Za-z\\x{80}-\\x{10ffff}"
static bool is_word_byte(char c)
{
    return slice_is_plain(slice_make(&c, 1), "") || (unsigned char)c >= 0x80;
}

/* All characters that are folded to one beyond ASCII. */
static void put_folded(struct buf *out, uint32_t cp)
{
    enum { LAST = 0x1ffff }; /* Unicode folds nothing beyond it */
    buf_puts(out, "(?-i:[");
    buf_printf(out, "\\x{%x}", cp);
    for (uint32_t other = 0x80; other <= LAST; other++)
        if (other != cp && utf8_fold_cp(other) == cp) buf_printf(out, "\\x{%x}", other);
    buf_puts(out, "])");
}

/*
 * Without regard to case, as values are folded. PCRE2 would also take the Kelvin sign for k and the
 * long s for s.
 */
static void put_regex_text(struct buf *out, struct slice text)
{
    uint32_t cp;
    for (size_t i = 0; i < text.len;) {
        unsigned n = utf8_decode(text, i, &cp);
        char c = text.ptr[i];
        if (n > 1) put_folded(out, cp);
        else if (c == 'k' || c == 's') buf_printf(out, "(?-i:[%c%c])", c, c - 'a' + 'A');
        else if (is_word_byte(c) || c == ' ') buf_putc(out, c);
        else buf_printf(out, "\\x{%02x}", (unsigned char)c);
        i += n ? n : 1;
    }
}

static void put_words(struct writer *w, const struct sigma_atom *a)
{
    struct buf *out = &w->value;
    buf_clear(out);
    for (uint32_t i = 0; i < a->n_glob; i++) {
        struct slice text = a->glob[i].text;
        if (a->glob[i].kind == GLOB_ANY) {
            if (i > 0 && i + 1 < a->n_glob) buf_puts(out, "[\\x{0}-\\x{10ffff}]*");
            continue;
        }
        bool first = i == 0 && is_word_byte(text.ptr[0]);
        bool last = i + 1 == a->n_glob && is_word_byte(text.ptr[text.len - 1]);
        if (first) buf_puts(out, "(?:^|[^" WORD_CLASS "])");
        put_regex_text(out, text);
        if (last) buf_puts(out, "(?:\\z|[^" WORD_CLASS "])");
    }
    put_string(&w->searches, buf_slice(out));
}

/* ---- searches ---------------------------------------------------------------------------- */

static const char *modifier_of(const struct sigma_atom *a)
{
    static const char *const compares[] = {
        [CMP_LT] = "|lt", [CMP_LTE] = "|lte", [CMP_GT] = "|gt", [CMP_GTE] = "|gte"};
    if (a->words) return "|re|i";
    if (a->op == ATOM_CIDR) return "|cidr";
    return a->op == ATOM_NUMBER ? compares[a->cmp] : "";
}

static void check_atom(struct writer *w, const struct sigma_atom *a)
{
    if (sigma_field_has_stars(a->field))
        refuse_atom(w, a, "a rule has no wildcards in the names of fields");
    else if (slice_find_byte(a->field, '|') != SIZE_MAX)
        refuse_atom(w, a, "a rule has no fields with a | in their names");
    else if (a->op == ATOM_TIME) refuse_atom(w, a, "a rule does not compare points in time");
    for (uint32_t i = 0; i < a->n_glob; i++)
        if (!utf8_valid(a->glob[i].text)) refuse_atom(w, a, "a rule is UTF-8, which this is not");
}

/* `    s1:` and the field, up to its values. */
static void begin_search(struct writer *w, const struct sigma_atom *a)
{
    struct buf *out = &w->searches;
    if (!w->error) check_atom(w, a);
    buf_printf(out, "    s%u:\n        ", ++w->n);
    buf_clear(&w->value);
    buf_put(&w->value, a->field);
    buf_puts(&w->value, modifier_of(a));
    put_string(out, buf_slice(&w->value));
    buf_putc(out, ':');
    buf_printf(&w->condition, "s%u", w->n);
}

static void put_atom(struct writer *w, const struct sigma_atom *a)
{
    begin_search(w, a);
    buf_putc(&w->searches, ' ');
    switch (a->op) {
    case ATOM_CIDR:
        put_string(&w->searches, a->pattern);
        break;
    case ATOM_NUMBER:
        buf_printf(&w->searches, "%.17g", a->num);
        break;
    case ATOM_NULL:
        buf_puts(&w->searches, "null");
        break;
    default:
        if (a->words) put_words(w, a);
        else put_value(w, a);
    }
    buf_putc(&w->searches, '\n');
}

/* Values of one field, of which any will do. */
static bool is_list(const struct sigma_expr *e)
{
    for (uint32_t i = 0; i < e->n_children; i++) {
        const struct sigma_expr *c = e->child[i];
        if (c->kind != EXPR_ATOM || c->atom->op != ATOM_STRING || c->atom->words ||
            !slice_eq(c->atom->field, e->child[0]->atom->field))
            return false;
    }
    return e->kind == EXPR_OR;
}

static void put_list(struct writer *w, const struct sigma_expr *e)
{
    begin_search(w, e->child[0]->atom);
    buf_putc(&w->searches, '\n');
    for (uint32_t i = 0; i < e->n_children; i++) {
        buf_puts(&w->searches, "            - ");
        put_value(w, e->child[i]->atom);
        buf_putc(&w->searches, '\n');
    }
}

static void put_expr(struct writer *w, const struct sigma_expr *e)
{
    if (e->kind == EXPR_ATOM) {
        put_atom(w, e->atom);
    } else if (e->kind == EXPR_NOT) {
        buf_puts(&w->condition, "not ");
        put_expr(w, e->child[0]);
    } else if (is_list(e)) {
        put_list(w, e);
    } else {
        buf_putc(&w->condition, '(');
        for (uint32_t i = 0; i < e->n_children && !w->error; i++) {
            if (i) buf_puts(&w->condition, e->kind == EXPR_AND ? " and " : " or ");
            put_expr(w, e->child[i]);
        }
        buf_putc(&w->condition, ')');
    }
}

/* ---- the rule ---------------------------------------------------------------------------- */

static void put_member(struct buf *out, const char *key, struct slice text)
{
    if (text.len == 0) return;
    buf_puts(out, key);
    put_string(out, text);
    buf_putc(out, '\n');
}

static void put_rule(struct buf *out, const struct writer *w, const struct query_rule_options *o)
{
    put_member(out, "title: ", o->title);
    put_member(out, "id: ", o->id);
    buf_puts(out, "status: experimental\n");
    put_member(out, "description: ", slice_trim(w->query->filter_text));
    put_member(out, "author: ", o->author);
    put_member(out, "date: ", o->date);
    buf_puts(out, "logsource: {}\ndetection:\n");
    buf_put(out, buf_slice(&w->searches));
    buf_puts(out, "    condition: ");
    buf_put(out, buf_slice(&w->condition));
    buf_printf(out, "\nlevel: %s\n", sigma_level_name(o->level));
}

/* What stands behind the filter, or is no filter. */
static void check_query(struct writer *w)
{
    const struct query *q = w->query;
    size_t end = (size_t)(q->filter_text.ptr - q->text.ptr) + q->filter_text.len;
    while (end < q->text.len && q->text.ptr[end] != '|') end++;
    if (end < q->text.len) refuse(w, end, "a rule has no pipes; it is what stands before them");
    if (q->filter->kind == EXPR_TRUE || q->filter->kind == EXPR_FALSE)
        refuse(w, 0, "a rule needs something that it looks for");
}

int query_write_rule(struct buf *out, const struct query *q,
                     const struct query_rule_options *options, struct diag *diag)
{
    struct writer w = {.query = q, .diag = diag};
    buf_init(&w.searches, RULE_MAX);
    buf_init(&w.condition, RULE_MAX);
    buf_init(&w.value, RULE_MAX);
    check_query(&w);
    if (!w.error) put_expr(&w, q->filter);
    bool failed = buf_failed(&w.searches) || buf_failed(&w.condition) || buf_failed(&w.value);
    if (!w.error && failed)
        w.error = diag_set(diag, ERR_LIMIT, NULL, 1, 1, "the query is too large for a rule");
    if (!w.error) put_rule(out, &w, options);
    buf_done(&w.value);
    buf_done(&w.condition);
    buf_done(&w.searches);
    return w.error ? w.error : buf_error(out);
}
