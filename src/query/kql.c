/* SPDX-License-Identifier: EUPL-1.2 */
/* The filter: KQL to a tree of atoms. */
#include "base/ip.h"
#include "detect/sigma/match.h"
#include "detect/sigma/pattern.h"
#include "detect/sigma/tree.h"
#include "query/read.h"

/* Of ECS 8 the fields of type match_only_text that products and senders fill. */
static const char *const texts[] = {"message", "error.message"};

static bool is_text_field(struct slice field)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (slice_eq(field, slice_of(texts[i]))) return true;
    return false;
}

/* ---- atoms ------------------------------------------------------------------------------- */

static const struct sigma_expr *leaf(struct query_reader *r, const struct sigma_atom *model)
{
    struct sigma_atom *atom = arena_zalloc(r->arena, 1, sizeof *atom);
    struct sigma_expr *e = expr_new(r->arena, EXPR_ATOM);
    if (!atom || !e) return NULL;
    *atom = *model;
    atom->pos.column = (uint32_t)r->term_at;
    e->atom = atom;
    return e;
}

/* Text with QUERY_STARs to a folded glob. */
static void set_glob(struct query_reader *r, struct sigma_atom *atom, struct slice text)
{
    struct pattern_builder b;
    size_t stars = 0;
    for (size_t i = 0; i < text.len; i++) stars += text.ptr[i] == QUERY_STAR;
    pattern_begin(&b, r->arena, 2 * stars + 1, text.len);
    for (bool more = true; more;) {
        struct slice head;
        more = slice_split(text, QUERY_STAR, &head, &text);
        pattern_add(&b, PIECE_TEXT, head);
        if (more) pattern_add(&b, PIECE_ANY, SLICE_NONE);
    }
    atom->glob = pattern_glob(r->arena, &b.pattern, false);
    atom->n_glob = b.pattern.n;
}

static int count_term(struct query_reader *r, size_t at)
{
    r->term_at = at;
    if (r->terms++ < QUERY_TERMS_MAX) return 0;
    return query_fail(r, at, ERR_LIMIT, "a filter has at most %d values", QUERY_TERMS_MAX);
}

static struct slice written(const struct query_reader *r, const struct query_literal *lit)
{
    return slice_until(slice_from(r->text, lit->at), lit->end - lit->at);
}

static int add(struct query_reader *r, struct expr_list *list, const struct sigma_expr *e)
{
    return expr_list_add(r->arena, list, e) ? 0 : query_fail_memory(r);
}

static int join(struct query_reader *r, enum expr_kind kind, const struct expr_list *list,
                const struct sigma_expr **ret)
{
    const struct sigma_expr *e = expr_join(r->arena, kind, list);
    if (!e) return query_fail_memory(r);
    *ret = e;
    return 0;
}

static bool next_word(struct slice *rest, struct slice *ret)
{
    *rest = slice_trim(*rest);
    size_t n = 0;
    while (n < rest->len && rest->ptr[n] != ' ' && rest->ptr[n] != '\t' && rest->ptr[n] != '\n' &&
           rest->ptr[n] != '\r')
        n++;
    *ret = slice_until(*rest, n);
    *rest = slice_from(*rest, n);
    return n > 0;
}

/* Words of which one is enough, or of text in quotes all as they stand; anywhere when no field. */
static int words(struct query_reader *r, struct slice field, const struct query_literal *lit,
                 const struct sigma_expr **ret)
{
    struct sigma_atom atom = {.op = field.len ? ATOM_STRING : ATOM_KEYWORD,
                              .field = field,
                              .words = true,
                              .pattern = written(r, lit)};
    struct expr_list list = {0};
    struct slice rest = lit->text, word;
    int error = 0;
    if (lit->quoted && lit->text.len == 0)
        return query_fail(r, lit->at, ERR_INVALID, "an empty text is in everything; leave it out");
    while (error == 0 && (lit->quoted ? list.n == 0 : next_word(&rest, &word))) {
        error = count_term(r, lit->at);
        if (lit->quoted) word = lit->text;
        else if (lit->text.len != word.len) atom.pattern = lit->starred ? written(r, lit) : word;
        set_glob(r, &atom, word);
        if (error == 0) error = add(r, &list, leaf(r, &atom));
    }
    return error ? error : join(r, EXPR_OR, &list, ret);
}

/* ---- values of fields -------------------------------------------------------------------- */

static int exact(struct query_reader *r, struct slice field, struct slice text,
                 struct slice pattern, const struct sigma_expr **ret)
{
    struct sigma_atom atom = {.op = ATOM_STRING, .field = field, .pattern = pattern};
    atom.numeric = slice_to_double(text, &atom.num);
    set_glob(r, &atom, text);
    *ret = leaf(r, &atom);
    return *ret ? 0 : query_fail_memory(r);
}

static bool all_numbers(struct slice text, uint32_t *ret_n)
{
    struct slice word;
    double number;
    *ret_n = 0;
    for (; next_word(&text, &word); ++*ret_n)
        if (!slice_to_double(word, &number)) return false;
    return true;
}

static int alternatives(struct query_reader *r, struct slice field, const struct query_literal *lit,
                        const struct sigma_expr **ret)
{
    struct expr_list list = {0};
    struct slice rest = lit->text, word;
    int error = 0;
    while (error == 0 && next_word(&rest, &word)) {
        const struct sigma_expr *e = NULL;
        error = count_term(r, lit->at);
        if (error == 0) error = exact(r, field, word, word, &e);
        if (error == 0) error = add(r, &list, e);
    }
    return error ? error : join(r, EXPR_OR, &list, ret);
}

/* An address or network, beside the text that it is written as. */
static int network(struct query_reader *r, struct slice field, const struct query_literal *lit,
                   const struct sigma_expr **ret)
{
    struct sigma_atom atom = {.op = ATOM_CIDR, .field = field, .pattern = lit->text};
    struct expr_list list = {0};
    const struct sigma_expr *e = NULL;
    const char *why = cidr_read(lit->text, &atom);
    if (why) return query_fail(r, lit->at, ERR_INVALID, "%s", why);
    int error = exact(r, field, lit->text, lit->text, &e);
    if (error == 0) error = add(r, &list, e);
    if (error == 0) error = add(r, &list, leaf(r, &atom));
    return error ? error : join(r, EXPR_OR, &list, ret);
}

/* An IPv4 address may also be written as one of IPv6 that stands for it. */
static int address4(struct query_reader *r, struct slice field, struct slice text,
                    const struct sigma_expr **ret)
{
    const char *mapped = arena_printf(r->arena, "::ffff:%.*s", (int)text.len, text.ptr);
    struct expr_list list = {0};
    const struct sigma_expr *e = NULL;
    if (!mapped) return query_fail_memory(r);
    int error = exact(r, field, text, text, &e);
    if (error == 0) error = add(r, &list, e);
    if (error == 0) error = exact(r, field, slice_of(mapped), slice_of(mapped), &e);
    if (error == 0) error = add(r, &list, e);
    return error ? error : join(r, EXPR_OR, &list, ret);
}

/* `f: *`, which an object of that name is as well. */
static int is_there(struct query_reader *r, struct slice field, const struct query_literal *lit,
                    const struct sigma_expr **ret)
{
    const struct sigma_atom atom = {.op = ATOM_NULL, .field = field, .pattern = written(r, lit)};
    *ret = expr_negate(r->arena, leaf(r, &atom));
    return *ret ? 0 : query_fail_memory(r);
}

static bool only_stars(const struct query_literal *lit)
{
    for (size_t i = 0; i < lit->text.len; i++)
        if (lit->text.ptr[i] != QUERY_STAR) return false;
    return lit->starred;
}

static int field_value(struct query_reader *r, struct slice field, const struct query_literal *lit,
                       const struct sigma_expr **ret)
{
    uint32_t n;
    uint8_t addr[16];
    bool v6;
    int error = count_term(r, lit->at);
    if (error) return error;
    if (only_stars(lit)) return is_there(r, field, lit, ret);
    if (is_text_field(field) && lit->text.len) return words(r, field, lit, ret);
    if (lit->starred) return exact(r, field, lit->text, written(r, lit), ret);
    if (!lit->quoted && all_numbers(lit->text, &n) && n > 1)
        return alternatives(r, field, lit, ret);
    struct slice head, rest;
    bool slash = slice_split(lit->text, '/', &head, &rest);
    if (ip_is(head) && addr_parse(head, addr, &v6)) {
        bool colons = slice_find_byte(head, ':') != SIZE_MAX;
        return slash || colons ? network(r, field, lit, ret) : address4(r, field, head, ret);
    }
    return exact(r, field, lit->text, lit->text, ret);
}

/* ---- ranges ------------------------------------------------------------------------------ */

static const struct range_operator {
    const char *text;
    enum sigma_cmp cmp;
} operators[] = {{"<=", CMP_LTE}, {">=", CMP_GTE}, {"<", CMP_LT}, {">", CMP_GT}};

static const struct range_operator *operator_at(const struct query_reader *r)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (slice_starts_with(slice_from(r->text, r->at), slice_of(operators[i].text)))
            return &operators[i];
    return NULL;
}

static int range(struct query_reader *r, struct slice field, const struct range_operator *op,
                 const struct sigma_expr **ret)
{
    struct sigma_atom atom = {.op = ATOM_NUMBER, .field = field, .cmp = op->cmp};
    struct query_literal lit;
    nsec t;
    r->at += strlen(op->text);
    query_skip_blanks(r);
    int error = query_read_literal(r, false, "a number or a time", &lit);
    if (error == 0) error = count_term(r, lit.at);
    if (error) return error;
    atom.pattern = written(r, &lit);
    if (!slice_to_double(lit.text, &atom.num)) {
        if (!when_parse(lit.text, &r->options->when, false, &t))
            return query_fail(
                r, lit.at, ERR_INVALID,
                "only numbers and points in time have an order (\"2026-12-23 21:47\", "
                "now-1h); a range of addresses is a network, such as 10.0.0.0/8");
        atom.op = ATOM_TIME;
        atom.part = TIME_POINT;
        atom.num = (double)t / (double)NSEC_PER_SEC;
    }
    *ret = leaf(r, &atom);
    return *ret ? 0 : query_fail_memory(r);
}

/* ---- the grammar ------------------------------------------------------------------------- */

/* `field` is that of a group of values, else NULL. */
static int read_or(struct query_reader *r, const struct slice *field,
                   const struct sigma_expr **ret);

static int read_group(struct query_reader *r, const struct slice *field,
                      const struct sigma_expr **ret)
{
    size_t start = r->at++;
    if (r->depth == QUERY_DEPTH_MAX)
        return query_fail(r, start, ERR_LIMIT, "parentheses are nested more than %d deep",
                          QUERY_DEPTH_MAX);
    r->depth++;
    int error = read_or(r, field, ret);
    r->depth--;
    if (error) return error;
    query_skip_blanks(r);
    if (query_peek(r) == ')') {
        r->at++;
        return 0;
    }
    if (r->at == r->text.len || query_peek(r) == '|')
        return query_fail(r, start, ERR_SYNTAX, "this parenthesis is not closed");
    return query_fail(r, r->at, ERR_SYNTAX, "`and`, `or` or `)` is expected here");
}

/* A field without its blanks, as rules have it. */
static int take_field(struct query_reader *r, const struct query_literal *lit, struct slice *ret)
{
    char *to = arena_alloc(r->arena, lit->text.len);
    size_t n = 0;
    if (!to) return query_fail_memory(r);
    for (size_t i = 0; i < lit->text.len; i++)
        if (lit->text.ptr[i] != ' ') to[n++] = lit->text.ptr[i];
    if (n == 0) return query_fail(r, lit->at, ERR_SYNTAX, "a field has a name");
    *ret = slice_make(to, n);
    return 0;
}

static int read_field_value(struct query_reader *r, const struct query_literal *name,
                            const struct sigma_expr **ret)
{
    struct slice field;
    struct query_literal lit;
    int error = take_field(r, name, &field);
    if (error) return error;
    const struct range_operator *op = operator_at(r);
    if (op) return range(r, field, op, ret);
    r->at++;
    query_skip_blanks(r);
    if (query_peek(r) == '(') return read_group(r, &field, ret);
    if (query_peek(r) == '{')
        return query_fail(r, r->at, ERR_UNSUPPORTED,
                          "nested fields in braces are not told apart; write %.*s.NAME: VALUE",
                          (int)(field.len < 60 ? field.len : 60), field.ptr);
    op = operator_at(r);
    if (op)
        return query_fail(r, r->at, ERR_SYNTAX, "a range has no colon: write `%.*s %s ...`",
                          (int)(field.len < 60 ? field.len : 60), field.ptr, op->text);
    error = query_read_literal(r, false, "a value", &lit);
    return error ? error : field_value(r, field, &lit, ret);
}

static int read_term(struct query_reader *r, const struct slice *field,
                     const struct sigma_expr **ret)
{
    struct query_literal lit;
    if (query_peek(r) == '(') return read_group(r, field, ret);
    int error = query_read_literal(r, field == NULL, "a value", &lit);
    if (error) return error;
    if (field) return field_value(r, *field, &lit, ret);
    size_t end = r->at;
    query_skip_blanks(r);
    if (query_peek(r) == ':' || operator_at(r)) return read_field_value(r, &lit, ret);
    r->at = end;
    if (only_stars(&lit)) {
        *ret = expr_new(r->arena, EXPR_TRUE);
        return *ret ? 0 : query_fail_memory(r);
    }
    return words(r, SLICE_NONE, &lit, ret);
}

static int read_not(struct query_reader *r, const struct slice *field,
                    const struct sigma_expr **ret)
{
    bool negated = false;
    query_skip_blanks(r);
    for (; query_has_word(r, r->at, "not"); negated = !negated) {
        r->at += strlen("not");
        query_skip_blanks(r);
    }
    int error = read_term(r, field, ret);
    if (error || !negated) return error;
    *ret = expr_negate(r->arena, *ret);
    return *ret ? 0 : query_fail_memory(r);
}

/* One level: what `next` reads, with `word` between. */
static int read_row(struct query_reader *r, const struct slice *field, const char *word,
                    enum expr_kind kind,
                    int (*next)(struct query_reader *r, const struct slice *field,
                                const struct sigma_expr **ret),
                    const struct sigma_expr **ret)
{
    struct expr_list list = {0};
    for (bool more = true; more;) {
        const struct sigma_expr *e = NULL;
        int error = next(r, field, &e);
        if (error == 0) error = add(r, &list, e);
        if (error) return error;
        size_t end = r->at;
        query_skip_blanks(r);
        more = query_has_word(r, r->at, word);
        r->at = more ? r->at + strlen(word) : end;
    }
    return join(r, kind, &list, ret);
}

static int read_and(struct query_reader *r, const struct slice *field,
                    const struct sigma_expr **ret)
{
    return read_row(r, field, "and", EXPR_AND, read_not, ret);
}

static int read_or(struct query_reader *r, const struct slice *field, const struct sigma_expr **ret)
{
    return read_row(r, field, "or", EXPR_OR, read_and, ret);
}

/* What stands where the filter should have gone on or ended. */
static int fail_behind(struct query_reader *r)
{
    switch (query_peek(r)) {
    case ')':
        return query_fail(r, r->at, ERR_SYNTAX, "no parenthesis is open here");
    case '{':
    case '}':
        return query_fail(r, r->at, ERR_SYNTAX, "a brace goes into quotes");
    case '"':
    case '(':
        return query_fail(r, r->at, ERR_SYNTAX, "`and` or `or` is missing before this");
    case ':':
        return query_fail(r, r->at, ERR_SYNTAX,
                          "a second colon: `and` or `or` is missing, or a value needs quotes");
    default:
        return query_fail(r, r->at, ERR_SYNTAX, "`and`, `or`, `|` or the end is expected here");
    }
}

int query_read_filter(struct query_reader *r, const struct sigma_expr **ret)
{
    query_skip_blanks(r);
    if (r->at == r->text.len || query_peek(r) == '|') { /* nothing: everything */
        *ret = expr_new(r->arena, EXPR_TRUE);
        return *ret ? 0 : query_fail_memory(r);
    }
    int error = read_or(r, NULL, ret);
    query_skip_blanks(r);
    if (error == 0 && r->at < r->text.len && query_peek(r) != '|') error = fail_behind(r);
    return error;
}

/* ---- for people -------------------------------------------------------------------------- */

static void show(struct buf *out, const struct sigma_expr *e, unsigned depth)
{
    static const char *const kinds[] = {[EXPR_AND] = "all of",
                                        [EXPR_OR] = "any of",
                                        [EXPR_NOT] = "not",
                                        [EXPR_TRUE] = "everything",
                                        [EXPR_FALSE] = "nothing"};
    for (unsigned i = 0; i < depth; i++) buf_puts(out, "  ");
    if (e->kind != EXPR_ATOM) {
        buf_printf(out, "%s\n", kinds[e->kind]);
        for (uint32_t i = 0; i < e->n_children; i++) show(out, e->child[i], depth + 1);
        return;
    }
    const struct sigma_atom *a = e->atom;
    if (a->field.len == 0) buf_puts(out, "any value");
    for (size_t i = 0; i < a->field.len; i++)
        buf_putc(out, a->field.ptr[i] == QUERY_STAR ? '*' : a->field.ptr[i]);
    buf_printf(out, " %s", a->op == ATOM_KEYWORD ? "has" : atom_op_text(a));
    if (a->op != ATOM_NULL) {
        buf_putc(out, ' ');
        buf_put(out, a->pattern);
    }
    buf_putc(out, '\n');
}

void query_show_filter(struct buf *out, const struct sigma_expr *filter)
{
    show(out, filter, 0);
}
