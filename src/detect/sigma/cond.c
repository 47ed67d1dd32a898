/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Conditions (Sigma rules specification 2.1.0, "Condition"):
 *
 *     or      = and { "or" and }
 *     and     = not { "and" not }
 *     not     = "not" not | primary
 *     primary = "(" or ")" | ( "1" | "any" | "all" ) "of" ( "them" | pattern ) | name
 *
 * Words are separated by blanks and parentheses and may hold anything else; the operators are read
 * without regard to case, names with it. `1`, `any` and `all` are only special before `of`.
 *
 * Which names `x of` reaches: `them` is every search whose name does not start with `_`. Of a
 * pattern the specification says "same as 1/all of them, but restricted to matching search
 * identifiers", so a pattern does not reach `_` names either - unless it starts with `_` itself,
 * which nobody writes by accident.
 */
#include "detect/sigma/doc.h"

#include <stdarg.h>

#include "base/hint.h"
#include "base/utf8.h"
#include "detect/sigma/read.h"

/* Looking up names in one condition may compare this many. */
enum { LOOKUP_STEPS_MAX = 8 * 1024 * 1024 };

struct word {
    struct slice text; /* empty at the end */
    size_t at;
};

struct cell {
    const struct sigma_cond *node;
    struct cell *next;
};

struct parser {
    struct arena *arena;
    const char *file;
    const struct sigma_value *value;
    const struct sigma_search *searches;
    uint32_t n_searches;
    const struct sigma_cond **leaf; /* one shared node per search, made when first named */
    struct diag *diag;
    size_t at;
    struct word word; /* the current one */
    unsigned depth;
    uint32_t nodes;
    uint32_t steps;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void next_word(struct parser *p)
{
    struct slice s = p->value->text;
    while (p->at < s.len && is_space(s.ptr[p->at])) p->at++;
    size_t start = p->at;
    if (p->at < s.len && (s.ptr[p->at] == '(' || s.ptr[p->at] == ')')) {
        p->at++;
    } else {
        while (p->at < s.len && !is_space(s.ptr[p->at]) && s.ptr[p->at] != '(' &&
               s.ptr[p->at] != ')')
            p->at++;
    }
    p->word = (struct word){slice_until(slice_from(s, start), p->at - start), start};
}

/* The place of a byte of the text; see sigma_cond_parse(). */
static struct yaml_pos place(const struct sigma_value *value, size_t offset)
{
    struct yaml_pos pos = value->pos;
    for (size_t i = 0; i < offset && i < value->text.len; i += utf8_step(value->text, i)) {
        if (value->text.ptr[i] == '\n') {
            pos.line++;
            pos.column = 1;
        } else {
            pos.column++;
        }
    }
    return pos;
}

#define REFUSE(p, error, offset, ...)                                                              \
    refuse((p)->file, place((p)->value, offset), (p)->diag, error, __VA_ARGS__)

static int refuse(const char *file, struct yaml_pos pos, struct diag *diag, int error,
                  const char *fmt, ...) PRINTF_LIKE(5, 6);
static int refuse(const char *file, struct yaml_pos pos, struct diag *diag, int error,
                  const char *fmt, ...)
{
    char text[sizeof diag->message];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return diag_set(diag, error, file, pos.line, pos.column, "%s", text);
}

static bool is_word(const struct parser *p, const char *keyword)
{
    return slice_eq_nocase(p->word.text, slice_of(keyword));
}

static bool is_number(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
    return s.len > 0;
}

/* What the aggregations of Sigma before 2.0 are written with. */
static bool is_old_aggregation(const struct parser *p)
{
    static const char *const functions[] = {"count", "min", "max", "avg", "sum"};
    if (is_word(p, "near")) return true;
    if (p->at >= p->value->text.len || p->value->text.ptr[p->at] != '(') return false;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (is_word(p, functions[i])) return true;
    return false;
}

static int unexpected(struct parser *p, const char *wanted)
{
    char shown[HINT_SHOW_SIZE];
    if (p->word.text.len == 0)
        return REFUSE(p, ERR_SYNTAX, p->word.at, "the condition ends where %s is expected", wanted);
    if (is_old_aggregation(p))
        return REFUSE(p, ERR_UNSUPPORTED, p->word.at,
                      "the old aggregation syntax (`%s`) is not supported; use a correlation rule",
                      hint_show(shown, p->word.text));
    return REFUSE(p, ERR_SYNTAX, p->word.at, "the condition has `%s` where %s is expected",
                  hint_show(shown, p->word.text), wanted);
}

static int spend(struct parser *p, uint32_t nodes)
{
    if (nodes > SIGMA_COND_NODES_MAX - p->nodes)
        return REFUSE(p, ERR_LIMIT, p->word.at, "the condition has more than %d parts",
                      SIGMA_COND_NODES_MAX);
    p->nodes += nodes;
    return 0;
}

static int look(struct parser *p)
{
    if (p->n_searches > LOOKUP_STEPS_MAX - p->steps)
        return REFUSE(p, ERR_LIMIT, p->word.at, "the condition names too many searches");
    p->steps += p->n_searches;
    return 0;
}

static struct sigma_cond *new_node(struct parser *p, enum sigma_cond_kind kind, uint32_t n)
{
    struct sigma_cond *node = arena_zalloc(p->arena, 1, sizeof *node);
    if (!node) return NULL;
    node->kind = kind;
    node->n_children = n;
    if (n > 0) {
        node->child = arena_zalloc(p->arena, n, sizeof(struct sigma_cond *));
        if (!node->child) return NULL;
    }
    return node;
}

static const struct sigma_cond *leaf(struct parser *p, uint32_t search)
{
    if (!p->leaf[search]) {
        struct sigma_cond *node = new_node(p, COND_SEARCH, 0);
        if (!node) return NULL;
        node->search = search;
        p->leaf[search] = node;
    }
    return p->leaf[search];
}

static int parse_name(struct parser *p, const struct sigma_cond **ret)
{
    int error = look(p);
    if (!error) error = spend(p, 1);
    if (error) return error;
    for (uint32_t i = 0; i < p->n_searches; i++) {
        if (!slice_eq(p->searches[i].name, p->word.text)) continue;
        *ret = leaf(p, i);
        next_word(p);
        return *ret ? 0 : ERR_NOMEM;
    }
    if (is_old_aggregation(p) || is_word(p, "of")) return unexpected(p, "a search's name");
    struct hint hint;
    char text[HINT_SIZE], shown[HINT_SHOW_SIZE];
    hint_init(&hint, p->word.text);
    for (uint32_t i = 0; i < p->n_searches; i++) hint_offer(&hint, p->searches[i].name);
    return REFUSE(p, ERR_NOT_FOUND, p->word.at, "the condition names `%s`, which is not defined%s",
                  hint_show(shown, p->word.text), hint_text(&hint, text));
}

/* `*` stands for any run of bytes; everything else for itself. */
static bool pattern_matches(struct slice pattern, struct slice name)
{
    size_t p = 0, n = 0, star = SIZE_MAX, retry = 0;
    while (n < name.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            retry = n;
        } else if (p < pattern.len && pattern.ptr[p] == name.ptr[n]) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++retry;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*') p++;
    return p == pattern.len;
}

static bool starts_with_underscore(struct slice s)
{
    return s.len > 0 && s.ptr[0] == '_';
}

static bool reached(struct slice pattern, bool them, struct slice name)
{
    if (starts_with_underscore(name) && (them || !starts_with_underscore(pattern))) return false;
    return them || pattern_matches(pattern, name);
}

/* Behind `x of`; the current word is the pattern. */
static int parse_of(struct parser *p, bool all, const struct sigma_cond **ret)
{
    char shown[HINT_SHOW_SIZE];
    struct slice pattern = p->word.text;
    if (pattern.len == 0 || is_word(p, "(") || is_word(p, ")"))
        return unexpected(p, "`them` or a pattern of names");
    bool them = is_word(p, "them");
    int error = look(p);
    if (error) return error;
    uint32_t n = 0, only = 0;
    for (uint32_t i = 0; i < p->n_searches; i++) {
        if (!reached(pattern, them, p->searches[i].name)) continue;
        n++;
        only = i;
    }
    if (n == 0 && them)
        return REFUSE(p, ERR_NOT_FOUND, p->word.at,
                      "`of them` reaches nothing: every search's name starts with `_`");
    if (n == 0)
        return REFUSE(p, ERR_NOT_FOUND, p->word.at, "no search's name matches the pattern `%s`",
                      hint_show(shown, pattern));
    error = spend(p, n + 1);
    if (error) return error;
    next_word(p);
    if (n == 1) {
        *ret = leaf(p, only);
        return *ret ? 0 : ERR_NOMEM;
    }
    struct sigma_cond *node = new_node(p, all ? COND_AND : COND_OR, n);
    if (!node) return ERR_NOMEM;
    n = 0;
    for (uint32_t i = 0; i < p->n_searches; i++) {
        if (!reached(pattern, them, p->searches[i].name)) continue;
        node->child[n] = leaf(p, i);
        if (!node->child[n++]) return ERR_NOMEM;
    }
    *ret = node;
    return 0;
}

static int parse_or(struct parser *p, const struct sigma_cond **ret);

static int parse_group(struct parser *p, const struct sigma_cond **ret)
{
    size_t open = p->word.at;
    next_word(p);
    int error = parse_or(p, ret);
    if (error) return error;
    if (p->word.text.len == 0)
        return REFUSE(p, ERR_SYNTAX, open, "this parenthesis is never closed");
    if (!is_word(p, ")")) return unexpected(p, "`and`, `or` or `)`");
    next_word(p);
    return 0;
}

static int parse_primary(struct parser *p, const struct sigma_cond **ret)
{
    if (p->word.text.len == 0 || is_word(p, ")") || is_word(p, "and") || is_word(p, "or"))
        return unexpected(p, "a search's name");
    if (is_word(p, "(")) return parse_group(p, ret);

    /* `x of` needs a look at the word behind. */
    struct word quantity = p->word;
    bool all = is_word(p, "all");
    bool any = is_word(p, "any") || is_word(p, "1");
    if (all || any || is_number(quantity.text)) {
        size_t behind = p->at;
        next_word(p);
        if (is_word(p, "of")) {
            if (!all && !any)
                return REFUSE(p, ERR_UNSUPPORTED, quantity.at,
                              "only `1 of`, `any of` and `all of` exist in Sigma");
            next_word(p);
            return parse_of(p, all, ret);
        }
        p->word = quantity;
        p->at = behind;
    }
    return parse_name(p, ret);
}

static int parse_not(struct parser *p, const struct sigma_cond **ret)
{
    if (p->depth >= SIGMA_COND_DEPTH_MAX)
        return REFUSE(p, ERR_LIMIT, p->word.at, "the condition is nested more than %d levels deep",
                      SIGMA_COND_DEPTH_MAX);
    if (!is_word(p, "not")) {
        p->depth++;
        int error = parse_primary(p, ret);
        p->depth--;
        return error;
    }
    next_word(p);
    const struct sigma_cond *child = NULL;
    p->depth++;
    int error = parse_not(p, &child);
    p->depth--;
    if (!error) error = spend(p, 1);
    if (error) return error;
    struct sigma_cond *node = new_node(p, COND_NOT, 1);
    if (!node) return ERR_NOMEM;
    node->child[0] = child;
    *ret = node;
    return 0;
}

/* operand { keyword operand }, as one node with all operands. */
static int parse_chain(struct parser *p, enum sigma_cond_kind kind, const char *keyword,
                       int (*operand)(struct parser *, const struct sigma_cond **),
                       const struct sigma_cond **ret)
{
    const struct sigma_cond *first = NULL;
    int error = operand(p, &first);
    if (error) return error;
    struct cell head = {.node = first}, *last = &head;
    uint32_t n = 1;
    while (is_word(p, keyword)) {
        next_word(p);
        struct cell *cell = arena_zalloc(p->arena, 1, sizeof *cell);
        if (!cell) return ERR_NOMEM;
        error = operand(p, &cell->node);
        if (error) return error;
        last->next = cell;
        last = cell;
        n++;
    }
    if (n == 1) {
        *ret = first;
        return 0;
    }
    error = spend(p, 1);
    if (error) return error;
    struct sigma_cond *node = new_node(p, kind, n);
    if (!node) return ERR_NOMEM;
    n = 0;
    for (const struct cell *c = &head; c; c = c->next) node->child[n++] = c->node;
    *ret = node;
    return 0;
}

static int parse_and(struct parser *p, const struct sigma_cond **ret)
{
    return parse_chain(p, COND_AND, "and", parse_not, ret);
}

static int parse_or(struct parser *p, const struct sigma_cond **ret)
{
    return parse_chain(p, COND_OR, "or", parse_and, ret);
}

int sigma_cond_parse(struct arena *arena, const char *file, const struct sigma_value *text,
                     const struct sigma_search *searches, uint32_t n_searches,
                     const struct sigma_cond **ret, struct diag *diag)
{
    struct parser p = {.arena = arena,
                       .file = file,
                       .value = text,
                       .searches = searches,
                       .n_searches = n_searches,
                       .diag = diag};
    if (text->text.len > SIGMA_VALUE_LEN_MAX)
        return REFUSE(&p, ERR_LIMIT, 0, "the condition is longer than %d bytes",
                      SIGMA_VALUE_LEN_MAX);
    size_t pipe = slice_find_byte(text->text, '|');
    if (pipe < text->text.len)
        return REFUSE(&p, ERR_UNSUPPORTED, pipe,
                      "the old aggregation syntax (`|`) is not supported; use a correlation rule");
    p.leaf = arena_zalloc(arena, n_searches, sizeof(struct sigma_cond *));
    if (!p.leaf) return ERR_NOMEM;
    const struct sigma_cond *root;
    next_word(&p);
    if (p.word.text.len == 0) return REFUSE(&p, ERR_SYNTAX, 0, "the condition is empty");
    int error = parse_or(&p, &root);
    if (error) return error;
    if (is_word(&p, ")"))
        return REFUSE(&p, ERR_SYNTAX, p.word.at, "this parenthesis was never opened");
    if (p.word.text.len > 0) return unexpected(&p, "`and` or `or`");
    *ret = root;
    return 0;
}

int sigma_cond_names(struct arena *arena, const struct sigma_value *text, struct sigma_value **ret,
                     uint32_t *ret_n)
{
    static const char *const keywords[] = {"and", "or", "not", "(", ")"};
    struct parser p = {.value = text};
    uint32_t cap = 0, n = 0;
    for (next_word(&p); p.word.text.len > 0 && cap < SIGMA_NAMES_MAX; next_word(&p)) cap++;
    struct sigma_value *names = arena_zalloc(arena, cap, sizeof *names);
    if (!names) return ERR_NOMEM;
    p.at = 0;
    for (next_word(&p); p.word.text.len > 0 && n < cap; next_word(&p)) {
        bool skip = false;
        for (size_t i = 0; i < sizeof keywords / sizeof *keywords && !skip; i++)
            skip = is_word(&p, keywords[i]);
        for (uint32_t i = 0; i < n && !skip; i++) skip = slice_eq(names[i].text, p.word.text);
        if (!skip)
            names[n++] = (struct sigma_value){YAML_STRING, p.word.text, place(text, p.word.at)};
    }
    *ret = names;
    *ret_n = n;
    return 0;
}
