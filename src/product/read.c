/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Reading product files. The format is described in products/README.md. All that is kept goes to
 * the arena of the products; a file that is refused leaves its pieces there, unused.
 */
#include <stdarg.h>

#include "base/hash.h"
#include "base/hint.h"
#include "product/model.h"
#include "yaml/yaml.h"

enum {
    TITLE_MAX = 200,
    VALUE_MAX = 4096,
    SAMPLE_MAX = 65536,
    LIST_MAX = 4096, /* entries of any one list */
};

struct reading {
    struct products *p;
    struct product_box *box;
    const char *file;
    struct diag *diag;
    const struct yaml_node *tables; /* or NULL */
    struct slice *table_names;
    const struct expr_table **table_of; /* by place in `tables` */
    uint32_t n_tables;
    uint32_t depth;
    struct diag at; /* of the pattern at hand */
};

static int refuse(struct reading *r, int error, const struct yaml_node *at, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
static int refuse(struct reading *r, int error, const struct yaml_node *at, const char *fmt, ...)
{
    char text[200];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return diag_set(r->diag, error, r->file, at ? at->pos.line : 0, at ? at->pos.column : 0, "%s",
                    text);
}

static int no_memory(struct reading *r)
{
    return diag_set(r->diag, arena_error(&r->p->arena), r->file, 0, 0, "the file is too large");
}

static struct diag place_of(const struct reading *r, const struct yaml_node *node)
{
    return (struct diag){.file = r->file, .line = node->pos.line, .column = node->pos.column};
}

/* An array of n in the arena; never NULL but for want of memory. */
static void *array(struct reading *r, uint32_t n, size_t size)
{
    return arena_zalloc(&r->p->arena, n ? n : 1, size);
}

/* ---- pieces ------------------------------------------------------------------------------ */

static int need_kind(struct reading *r, const struct yaml_node *node, enum yaml_kind kind,
                     const char *what)
{
    static const char *const names[] = {"a single value", "a list", "a map"};
    if (node->kind != kind) return refuse(r, ERR_INVALID, node, "%s must be %s", what, names[kind]);
    if (node->n > LIST_MAX)
        return refuse(r, ERR_LIMIT, node, "%s has more than %d entries", what, LIST_MAX);
    return 0;
}

static int read_text(struct reading *r, const struct yaml_node *node, const char *what, size_t max,
                     struct slice *ret)
{
    int error = need_kind(r, node, YAML_SCALAR, what);
    if (error) return error;
    if (node->text.len > max)
        return refuse(r, ERR_LIMIT, node, "%s is longer than %zu bytes", what, max);
    *ret = arena_dup(&r->p->arena, node->text);
    return ret->ptr ? 0 : no_memory(r);
}

static int read_lower(struct reading *r, const struct yaml_node *node, const char *what,
                      struct slice *ret)
{
    int error = need_kind(r, node, YAML_SCALAR, what);
    if (error) return error;
    char *text = arena_alloc(&r->p->arena, node->text.len);
    if (!text) return no_memory(r);
    for (size_t i = 0; i < node->text.len; i++) {
        char c = node->text.ptr[i];
        text[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    *ret = slice_make(text, node->text.len);
    return 0;
}

static int read_field(struct reading *r, const struct yaml_node *node, uint32_t *ret)
{
    int error = need_kind(r, node, YAML_SCALAR, "a field's name");
    if (error) return error;
    if (node->text.len == 0 || node->text.len > KEY_NAME_MAX)
        return refuse(r, ERR_INVALID, node, "not a name of a field");
    int number = products_field(r->p, node->text);
    if (number < 0) return refuse(r, number, node, "products name too many fields");
    *ret = (uint32_t)number;
    return 0;
}

/* A value or a list of them, in the arena. */
static int read_values(struct reading *r, const struct yaml_node *node, const struct slice **ret,
                       uint32_t *ret_n)
{
    const struct yaml_node *one = node->kind == YAML_SEQ ? node->first : node;
    uint32_t n = node->kind == YAML_SEQ ? node->n : 1;
    if (n > EXPR_VALUES_MAX)
        return refuse(r, ERR_LIMIT, node, "more than %d values for one field", EXPR_VALUES_MAX);
    struct slice *values = array(r, n, sizeof *values);
    if (!values) return no_memory(r);
    for (uint32_t i = 0; i < n; i++, one = one->next) {
        int error = read_text(r, one, "a value", VALUE_MAX, &values[i]);
        if (error) return error;
    }
    *ret = values;
    *ret_n = n;
    return 0;
}

/* Refuses a key that is not in the NULL-terminated list. */
static int check_keys(struct reading *r, const struct yaml_node *map, const char *what,
                      const char *const *known)
{
    int error = need_kind(r, map, YAML_MAP, what);
    for (const struct yaml_node *key = map->first; key && !error; key = key->next) {
        struct hint hint;
        char shown[HINT_SHOW_SIZE], meant[HINT_SIZE];
        if (!known[hint_find(&hint, key->text, known, SIZE_MAX)])
            error = refuse(r, ERR_INVALID, key, "unknown key `%s` in %s%s",
                           hint_show(shown, key->text), what, hint_text(&hint, meant));
    }
    return error;
}

/* ---- expressions and tables -------------------------------------------------------------- */

static int expr_field(void *ctx, struct slice name)
{
    struct reading *r = ctx;
    return products_field(r->p, name);
}

/* The product may fill this field. */
static int add_fill(struct reading *r, uint32_t field, uint32_t copy_of)
{
    struct fill *fill = array(r, 1, sizeof *fill);
    if (!fill) return no_memory(r);
    *fill = (struct fill){r->box->fills, field, copy_of};
    r->box->fills = fill;
    return 0;
}

static int place_field(void *ctx, struct slice name)
{
    struct reading *r = ctx;
    product_doubt_field(r->p, &r->at, name);
    int number = products_field(r->p, name);
    if (number < 0) return number;
    int error = add_fill(r, (uint32_t)number, (uint32_t)number);
    return error ? error : number;
}

static const struct expr_table *expr_table_of(void *ctx, struct slice name)
{
    struct reading *r = ctx;
    for (uint32_t i = 0; i < r->n_tables; i++)
        if (slice_eq(r->table_names[i], name)) return r->table_of[i];
    return NULL;
}

/* Leaves the word at the beginning of *rest, and says which function or table was meant. */
static void hint_callable(const struct reading *r, struct slice *rest, char meant[static HINT_SIZE])
{
    static const char *const functions[] = {
#define X(id, text, argument) text,
        EXPR_FUNCTIONS(X)
#undef X
    };
    struct hint hint;
    size_t n = 0;
    if (slice_starts_with(*rest, SLICE("'"))) *rest = slice_from(*rest, 1);
    while (n < rest->len && rest->ptr[n] != ' ' && rest->ptr[n] != '\'' && rest->ptr[n] != '|') n++;
    rest->len = n;
    hint_init(&hint, *rest);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        hint_offer(&hint, slice_of(functions[i]));
    for (uint32_t i = 0; i < r->n_tables; i++) hint_offer(&hint, r->table_names[i]);
    (void)hint_text(&hint, meant);
}

static int read_expr(struct reading *r, const struct yaml_node *node, const struct expr **ret)
{
    int error = need_kind(r, node, YAML_SCALAR, "what a field is made of");
    if (error) return error;
    const struct expr_world world = {.ctx = r, .field = expr_field, .table = expr_table_of};
    struct slice text = arena_dup(&r->p->arena, node->text);
    const char *why;
    size_t at;
    if (!text.ptr) return no_memory(r);
    error = expr_read(&r->p->arena, text, &world, ret, &why, &at);
    if (!error) return 0;
    char shown[HINT_SHOW_SIZE], meant[HINT_SIZE] = "";
    struct slice rest = slice_from(text, at);
    if (error == ERR_NOT_FOUND) hint_callable(r, &rest, meant);
    if (rest.len == 0) return refuse(r, error, node, "%s at the end", why);
    return refuse(r, error, node, "%s at `%s`%s", why, hint_show(shown, rest), meant);
}

static int read_table(struct reading *r, const struct yaml_node *node,
                      const struct expr_table **ret)
{
    int error = need_kind(r, node, YAML_MAP, "a table");
    if (error) return error;
    struct expr_table *t = expr_table_new(&r->p->arena, node->n);
    if (!t) return no_memory(r);
    for (const struct yaml_node *key = node->first; key && !error; key = key->next) {
        struct slice text = SLICE_NONE;
        const struct slice *values = NULL;
        uint32_t n = 0;
        error = read_text(r, key, "a key", VALUE_MAX, &text);
        if (!error) error = read_values(r, key->value, &values, &n);
        if (!error && !expr_table_add(t, text, values, n))
            error = refuse(r, ERR_INVALID, key, "the table has this key already");
    }
    *ret = t;
    return error;
}

static int read_tables(struct reading *r, const struct yaml_node *node)
{
    int error = need_kind(r, node, YAML_MAP, "tables");
    if (error) return error;
    r->table_names = array(r, node->n, sizeof *r->table_names);
    r->table_of = array(r, node->n, sizeof *r->table_of);
    if (!r->table_names || !r->table_of) return no_memory(r);
    for (const struct yaml_node *key = node->first; key && !error; key = key->next) {
        error = read_text(r, key, "a table's name", KEY_NAME_MAX, &r->table_names[r->n_tables]);
        if (!error) error = read_table(r, key->value, &r->table_of[r->n_tables]);
        if (!error) r->n_tables++;
    }
    return error;
}

/* ---- conditions -------------------------------------------------------------------------- */

/* A value with * at its end, its beginning or both is a beginning, an end or a part. */
static int read_test(struct reading *r, const struct yaml_node *node, struct test *ret)
{
    struct slice text = SLICE_NONE;
    int error = read_lower(r, node, "a value", &text);
    if (error) return error;
    bool ends = text.len && text.ptr[0] == '*';
    bool begins = text.len > 1 && text.ptr[text.len - 1] == '*';
    if (ends) text = slice_from(text, 1);
    if (begins) text.len--;
    if ((ends || begins) && text.len == 0)
        return refuse(r, ERR_INVALID, node, "* alone; {exists: true} means any value");
    ret->text = text;
    ret->kind = ends ? begins ? TEST_CONTAINS : TEST_ENDS : begins ? TEST_BEGINS : TEST_EQUALS;
    return 0;
}

static int read_tests(struct reading *r, const struct yaml_node *node, struct condition *ret)
{
    const struct yaml_node *one = node->kind == YAML_SEQ ? node->first : node;
    ret->n_tests = node->kind == YAML_SEQ ? node->n : 1;
    ret->tests = array(r, ret->n_tests, sizeof *ret->tests);
    if (!ret->tests) return no_memory(r);
    int error = ret->n_tests ? 0 : refuse(r, ERR_INVALID, node, "a condition needs a value");
    for (uint32_t i = 0; i < ret->n_tests && !error; i++, one = one->next)
        error = read_test(r, one, &ret->tests[i]);
    return error;
}

/* FIELD: value(s), {exists: …} or {not: value(s)} */
static int read_condition(struct reading *r, const struct yaml_node *key, struct condition *ret)
{
    const struct yaml_node *value = key->value;
    int error = read_field(r, key, &ret->field);
    if (error || value->kind != YAML_MAP) return error ? error : read_tests(r, value, ret);
    const struct yaml_node *not = yaml_get(value, "not"), *exists = yaml_get(value, "exists");
    if (value->n != 1 || (!not &&!exists))
        return refuse(r, ERR_INVALID, key,
                      "a condition is a value, a list, {exists: ...} or {not: ...}");
    if (not ) {
        ret->absent = true;
        return read_tests(r, not, ret);
    }
    if (exists->type != YAML_BOOL)
        return refuse(r, ERR_INVALID, exists, "exists must be true or false");
    ret->exists = true;
    ret->absent = slice_eq_nocase(exists->text, SLICE("false"));
    return 0;
}

static int read_conditions(struct reading *r, const struct yaml_node *node, struct step *ret)
{
    int error = need_kind(r, node, YAML_MAP, "when");
    if (error) return error;
    struct condition *conditions = array(r, node->n, sizeof *conditions);
    if (!conditions) return no_memory(r);
    ret->conditions = conditions;
    for (const struct yaml_node *key = node->first; key && !error; key = key->next)
        error = read_condition(r, key, &conditions[ret->n_conditions++]);
    return error;
}

/* ---- bodies ------------------------------------------------------------------------------ */

static int read_body(struct reading *r, const struct yaml_node *map, struct body *ret);
static int read_steps(struct reading *r, const struct yaml_node *node, struct body *ret);

static void doubt_assignment(struct reading *r, const struct yaml_node *key,
                             const struct assignment *a)
{
    const struct diag at = place_of(r, key);
    product_doubt_field(r->p, &at, key->text);
    for (uint32_t i = 0; i < a->n_values; i++)
        product_doubt_value(r->p, &at, key->text, a->values[i]);
}

static int read_assignments(struct reading *r, const struct yaml_node *map, struct body *ret)
{
    const struct yaml_node *set = yaml_get(map, "set"), *made = yaml_get(map, "map");
    int error = set ? need_kind(r, set, YAML_MAP, "set") : 0;
    if (!error && made) error = need_kind(r, made, YAML_MAP, "map");
    if (error) return error;
    uint32_t n = (set ? set->n : 0) + (made ? made->n : 0);
    struct assignment *a = array(r, n, sizeof *a);
    if (!a) return no_memory(r);
    ret->assignments = a;
    ret->n_assignments = n;
    for (const struct yaml_node *key = made ? made->first : NULL; key && !error; key = key->next) {
        a->line = key->pos.line;
        error = read_field(r, key, &a->field);
        if (!error) error = read_expr(r, key->value, &a->expr);
        a->needs = FIELD_NONE;
        if (!error) (void)expr_needs_field(a->expr, &a->needs);
        uint32_t from = a->field;
        if (!error) a->is_copy = expr_is_field(a->expr, &from);
        if (!error) error = add_fill(r, a->field, from);
        if (!error) doubt_assignment(r, key, a);
        a++;
    }
    for (const struct yaml_node *key = set ? set->first : NULL; key && !error; key = key->next) {
        a->line = key->pos.line;
        a->needs = FIELD_NONE;
        error = read_field(r, key, &a->field);
        if (!error) error = read_values(r, key->value, &a->values, &a->n_values);
        if (!error) error = add_fill(r, a->field, a->field);
        if (!error) doubt_assignment(r, key, a);
        a++;
    }
    return error;
}

static int add_case(struct reading *r, const struct yaml_node *at, struct cases *cases,
                    struct slice key, const struct body *body)
{
    uint32_t i = hash32_nocase(key) & cases->mask;
    for (; cases->rows[i].body; i = (i + 1) & cases->mask)
        if (slice_eq(cases->rows[i].key, key))
            return refuse(r, ERR_INVALID, at, "this case is there already");
    cases->rows[i] = (struct case_row){key, body};
    return 0;
}

/* One key of `cases`: words with commas between them, or `default`. */
static int read_case(struct reading *r, const struct yaml_node *key, struct cases *cases)
{
    struct body *body = array(r, 1, sizeof *body);
    struct slice words = SLICE_NONE, word;
    if (!body) return no_memory(r);
    int error = key->value->kind == YAML_SEQ ? read_steps(r, key->value, body)
                                             : read_body(r, key->value, body);
    if (!error) error = read_lower(r, key, "a case", &words);
    if (error) return error;
    if (slice_eq(words, SLICE("default"))) {
        cases->other = body;
        return 0;
    }
    while (words.ptr && !error) {
        struct slice rest;
        (void)slice_split(words, ',', &word, &rest);
        word = slice_trim(word);
        error = word.len ? add_case(r, key, cases, word, body)
                         : refuse(r, ERR_INVALID, key, "a case is empty");
        words = rest;
    }
    return error;
}

static int read_cases(struct reading *r, const struct yaml_node *map, struct body *ret)
{
    const struct yaml_node *field = yaml_get(map, "switch"), *node = yaml_get(map, "cases");
    if (!field && !node) return 0;
    if (!field || !node)
        return refuse(r, ERR_INVALID, field ? field : node, "switch and cases belong together");
    int error = need_kind(r, node, YAML_MAP, "cases");
    struct cases *cases = array(r, 1, sizeof *cases);
    if (error || !cases) return error ? error : no_memory(r);
    uint32_t words = 0, size = 4;
    for (const struct yaml_node *key = node->first; key; key = key->next) {
        words++;
        for (size_t i = 0; i < key->text.len; i++) words += key->text.ptr[i] == ',';
    }
    if (words > LIST_MAX) return refuse(r, ERR_LIMIT, node, "more than %d cases", LIST_MAX);
    while (size < 2 * words) size *= 2;
    cases->mask = size - 1;
    cases->rows = array(r, size, sizeof *cases->rows);
    if (!cases->rows) return no_memory(r);
    error = read_field(r, field, &cases->field);
    for (const struct yaml_node *key = node->first; key && !error; key = key->next)
        error = read_case(r, key, cases);
    ret->cases = cases;
    return error;
}

/* `set`, `map`, `switch` with `cases`, and `steps`; other keys are the caller's. */
static int read_parts(struct reading *r, const struct yaml_node *map, struct body *ret)
{
    if (r->depth == PRODUCT_DEPTH_MAX)
        return refuse(r, ERR_LIMIT, map, "steps stand inside steps more than %d deep",
                      PRODUCT_DEPTH_MAX);
    r->depth++;
    const struct yaml_node *steps = yaml_get(map, "steps");
    int error = read_assignments(r, map, ret);
    if (!error) error = read_cases(r, map, ret);
    if (!error && steps) error = read_steps(r, steps, ret);
    r->depth--;
    return error;
}

static int read_body(struct reading *r, const struct yaml_node *map, struct body *ret)
{
    static const char *const keys[] = {"set", "map", "switch", "cases", "steps", NULL};
    int error = check_keys(r, map, "a case", keys);
    return error ? error : read_parts(r, map, ret);
}

/* ---- patterns ---------------------------------------------------------------------------- */

static int read_pattern(struct reading *r, struct shape_set *set, const struct yaml_node *node,
                        uint32_t number)
{
    struct slice text = SLICE_NONE;
    const char *why;
    size_t at;
    int error = read_text(r, node, "a pattern", SHAPE_LEN_MAX, &text);
    if (error) return error;
    r->at = place_of(r, node);
    error = shape_add(set, text, number, place_field, r, &why, &at);
    char shown[HINT_SHOW_SIZE];
    if (error && at == text.len) return refuse(r, error, node, "%s, at the end", why);
    if (error)
        return refuse(r, error, node, "%s, before `%s`", why,
                      hint_show(shown, slice_from(text, at)));
    return 0;
}

/* `is` (one or several patterns), and what is done when one of them fits. */
static int read_pattern_entry(struct reading *r, struct shape_set *set,
                              const struct yaml_node *node, uint32_t number, struct body *ret)
{
    static const char *const keys[] = {"is", "set", "map", "switch", "cases", "steps", NULL};
    if (node->kind == YAML_SCALAR) return read_pattern(r, set, node, number);
    int error = check_keys(r, node, "a pattern", keys);
    const struct yaml_node *is = error ? NULL : yaml_get(node, "is");
    if (!error && !is) error = refuse(r, ERR_INVALID, node, "`is` is missing: the pattern");
    if (error) return error;
    if (is->kind != YAML_SEQ) error = read_pattern(r, set, is, number);
    for (const struct yaml_node *one = is->kind == YAML_SEQ ? is->first : NULL; one && !error;
         one = one->next)
        error = read_pattern(r, set, one, number);
    return error ? error : read_parts(r, node, ret);
}

static int list_pattern(struct reading *r, uint32_t line)
{
    struct product_pattern *pattern = array(r, 1, sizeof *pattern);
    if (!pattern) return no_memory(r);
    *pattern = (struct product_pattern){r->box->product.patterns, line};
    r->box->product.patterns = pattern;
    return 0;
}

static int read_patterns(struct reading *r, const struct yaml_node *map, struct step *ret)
{
    const struct yaml_node *any = yaml_get(map, "any");
    if (!any) return refuse(r, ERR_INVALID, map, "`any` is missing: the list of patterns");
    int error = need_kind(r, any, YAML_SEQ, "any");
    if (!error && any->n == 0) error = refuse(r, ERR_INVALID, any, "`any` has no pattern");
    if (error) return error;
    struct shape_set *set = shape_set_new(&r->p->arena);
    struct body *bodies = array(r, any->n, sizeof *bodies);
    uint32_t *lines = array(r, any->n, sizeof *lines), number = 0;
    if (!set || !bodies || !lines) return no_memory(r);
    for (const struct yaml_node *one = any->first; one && !error; one = one->next, number++) {
        lines[number] = one->pos.line;
        error = list_pattern(r, one->pos.line);
        if (!error) error = read_pattern_entry(r, set, one, number, &bodies[number]);
    }
    ret->operation = OP_PATTERN;
    ret->patterns = set;
    ret->pattern_bodies = bodies;
    ret->n_pattern_bodies = number;
    ret->pattern_lines = lines;
    return error;
}

/* ---- forms ------------------------------------------------------------------------------- */

static int read_byte(struct reading *r, const struct yaml_node *map, const char *name, char *ret)
{
    const struct yaml_node *node = yaml_get(map, name);
    if (!node) return 0;
    int error = need_kind(r, node, YAML_SCALAR, name);
    if (!error && node->text.len != 1)
        error = refuse(r, ERR_INVALID, node, "%s must be one byte", name);
    if (!error) *ret = node->text.ptr[0];
    return error;
}

static int read_columns(struct reading *r, const struct yaml_node *map, struct form *ret)
{
    const struct yaml_node *node = yaml_get(map, "columns");
    if (!node) return refuse(r, ERR_INVALID, map, "`columns` is missing: the list of names");
    int error = need_kind(r, node, YAML_SEQ, "columns");
    if (error) return error;
    struct slice *columns = array(r, node->n, sizeof *columns);
    if (!columns) return no_memory(r);
    ret->columns = columns;
    for (const struct yaml_node *one = node->first; one && !error; one = one->next, columns++) {
        ret->n_columns++;
        if (one->type != YAML_NULL) error = read_text(r, one, "a column", KEY_NAME_MAX, columns);
    }
    return error;
}

static int read_prefix(struct reading *r, const struct yaml_node *map, struct form *ret)
{
    const struct yaml_node *prefix = yaml_get(map, "prefix");
    return prefix ? read_text(r, prefix, "prefix", KEY_NAME_MAX, &ret->prefix) : 0;
}

static int read_form(struct reading *r, const struct yaml_node *map, enum form_kind kind,
                     struct step *ret)
{
    ret->operation = OP_FORM;
    ret->form.kind = kind;
    int error = read_byte(r, map, "separator", &ret->form.separator);
    if (!error) error = read_byte(r, map, "assign", &ret->form.assign);
    if (!error) error = read_prefix(r, map, &ret->form);
    if (!error && kind == FORM_CSV) error = read_columns(r, map, &ret->form);
    return error;
}

static int read_entries(struct reading *r, const struct yaml_node *map, struct step *ret)
{
    const struct yaml_node *values = yaml_get(map, "values");
    if (!values) return refuse(r, ERR_INVALID, map, "`values` is missing: the field of the values");
    ret->operation = OP_ENTRIES;
    int error = read_field(r, values, &ret->values);
    return error ? error : read_prefix(r, map, &ret->form);
}

/* ---- steps ------------------------------------------------------------------------------- */

/* The field that an operation takes apart, when the step has it. */
static int read_from(struct reading *r, const struct yaml_node *node, struct step *ret)
{
    if (ret->operation != OP_NONE)
        return refuse(r, ERR_INVALID, node, "a step takes one text apart, in one way");
    return read_field(r, node, &ret->from);
}

static int read_operation(struct reading *r, const struct yaml_node *map, struct step *ret)
{
    const struct yaml_node *pattern = yaml_get(map, "pattern"), *entries = yaml_get(map, "entries");
    int error = pattern ? read_from(r, pattern, ret) : 0;
    if (!error && pattern) error = read_patterns(r, map, ret);
    for (int i = 0; i < N_FORMS && !error; i++) {
        enum form_kind kind = (enum form_kind)i;
        const struct yaml_node *node = yaml_get(map, form_name(kind));
        if (node) error = read_from(r, node, ret);
        if (!error && node) error = read_form(r, map, kind, ret);
    }
    if (!error && entries) error = read_from(r, entries, ret);
    if (!error && entries) error = read_entries(r, map, ret);
    return error;
}

static int read_step(struct reading *r, const struct yaml_node *map, struct step *ret)
{
#define X(id, name) #name,
    static const char *const keys[] = {
        "when",      "pattern", "any",     "entries", "values",
        "separator", "assign",  "columns", "prefix",  "switch",
        "cases",     "set",     "map",     "steps",   FORM_KINDS(X) NULL,
    };
#undef X
    int error = check_keys(r, map, "a step", keys);
    if (error) return error;
    const struct yaml_node *when = yaml_get(map, "when");
    ret->line = map->first ? map->first->pos.line : map->pos.line;
    if (when) error = read_conditions(r, when, ret);
    if (!error) error = read_operation(r, map, ret);
    return error ? error : read_parts(r, map, &ret->body);
}

static int read_steps(struct reading *r, const struct yaml_node *node, struct body *ret)
{
    int error = need_kind(r, node, YAML_SEQ, "steps");
    if (error) return error;
    struct step *steps = array(r, node->n, sizeof *steps);
    if (!steps) return no_memory(r);
    ret->steps = steps;
    ret->n_steps = node->n;
    for (const struct yaml_node *one = node->first; one && !error; one = one->next)
        error = read_step(r, one, steps++);
    return error;
}

/* ---- samples ----------------------------------------------------------------------------- */

static int read_expected(struct reading *r, const struct yaml_node *map, struct product_sample *ret)
{
    int error = need_kind(r, map, YAML_MAP, "expect");
    if (error) return error;
    struct product_expected *fields = array(r, map->n, sizeof *fields);
    if (!fields) return no_memory(r);
    ret->fields = fields;
    for (const struct yaml_node *key = map->first; key && !error; key = key->next, fields++) {
        ret->n_fields++;
        bool none = key->value->kind == YAML_SCALAR && key->value->type == YAML_NULL;
        error = read_text(r, key, "a field's name", KEY_NAME_MAX, &fields->field);
        if (!error && !none) error = read_values(r, key->value, &fields->values, &fields->n_values);
    }
    return error;
}

static int read_samples(struct reading *r, const struct yaml_node *node, struct product *ret)
{
    static const char *const keys[] = {"record", "expect", NULL};
    int error = need_kind(r, node, YAML_SEQ, "samples");
    if (error) return error;
    struct product_sample *samples = array(r, node->n, sizeof *samples);
    if (!samples) return no_memory(r);
    ret->samples = samples;
    for (const struct yaml_node *one = node->first; one && !error; one = one->next, samples++) {
        error = check_keys(r, one, "a sample", keys);
        const struct yaml_node *record = error ? NULL : yaml_get(one, "record");
        const struct yaml_node *expect = error ? NULL : yaml_get(one, "expect");
        if (!error && (!record || !expect))
            error = refuse(r, ERR_INVALID, one, "a sample needs a record and what to expect");
        if (!error) error = read_text(r, record, "a record", SAMPLE_MAX, &samples->record);
        if (!error && samples->record.len == 0)
            error = refuse(r, ERR_INVALID, record, "a record is empty");
        if (!error) error = read_expected(r, expect, samples);
        samples->line = one->first ? one->first->pos.line : one->pos.line;
        ret->n_samples++;
    }
    return error;
}

/* ---- the file ---------------------------------------------------------------------------- */

/* Of "products/cisco-asa.yml": "cisco-asa". */
static struct slice product_name(const char *file)
{
    struct slice name = slice_of(file);
    size_t slash = slice_find_last_byte(name, '/');
    if (slash != SIZE_MAX) name = slice_from(name, slash + 1);
    if (slice_ends_with(name, SLICE(".yml"))) name.len -= 4;
    return name;
}

static int read_again(struct reading *r, const struct yaml_node *root, struct product_box *box)
{
    const struct yaml_node *again = yaml_get(root, "again");
    if (!again) return 0;
    if (again->kind != YAML_SCALAR || again->type != YAML_BOOL)
        return refuse(r, ERR_INVALID, again, "again must be true or false");
    box->again = slice_eq_nocase(again->text, SLICE("true"));
    return 0;
}

static int read_root(struct reading *r, const struct yaml_node *root, struct product_box *box)
{
    static const char *const keys[] = {"title", "evidence", "recognise", "sources", "tables",
                                       "steps", "samples",  "again",     NULL};
    struct product *product = &box->product;
    int error = check_keys(r, root, "a product file", keys);
    if (error) return error;
    const struct yaml_node *title = yaml_get(root, "title");
    const struct yaml_node *evidence = yaml_get(root, "evidence");
    const struct yaml_node *tables = yaml_get(root, "tables"), *steps = yaml_get(root, "steps");
    const struct yaml_node *samples = yaml_get(root, "samples");
    const struct yaml_node *recognise = yaml_get(root, "recognise");
    if (!title || !evidence || !recognise)
        return refuse(r, ERR_INVALID, root, "`%s` is missing",
                      !title     ? "title"
                      : evidence ? "recognise"
                                 : "evidence");
    /* What it says is read by the taxonomy (taxonomy_add_product). */
    if (recognise->kind == YAML_SCALAR || recognise->n == 0)
        return refuse(r, ERR_INVALID, recognise,
                      "recognise is a map of conditions, or a list of such");
    error = read_text(r, title, "title", TITLE_MAX, &product->title);
    if (!error) error = read_text(r, evidence, "evidence", TITLE_MAX, &product->evidence);
    if (!error) error = read_again(r, root, box);
    if (!error && tables) error = read_tables(r, tables);
    if (!error && steps) error = read_steps(r, steps, &box->body);
    if (!error && samples) error = read_samples(r, samples, product);
    return error;
}

int product_file_read(struct products *p, const char *file, struct slice text,
                      struct product_box *box, struct diag *diag)
{
    struct reading r = {.p = p, .box = box, .file = file, .diag = diag};
    struct yaml_reader yaml;
    const struct yaml_node *root = NULL, *more = NULL;
    if (text.len > PRODUCT_FILE_MAX)
        return diag_set(diag, ERR_LIMIT, file, 0, 0, "longer than %d bytes", PRODUCT_FILE_MAX);
    struct slice path = arena_dup(&p->arena, slice_of(file));
    if (!path.ptr) return no_memory(&r);
    *box = (struct product_box){.product = {.file = path.ptr, .name = product_name(path.ptr)}};
    yaml_init(&yaml, file, text);
    int error = yaml_next(&yaml, &root, diag);
    if (!error && !root) error = diag_set(diag, ERR_INVALID, file, 1, 1, "the file is empty");
    if (!error) error = read_root(&r, root, box);
    if (!error) error = yaml_next(&yaml, &more, diag);
    if (!error && more) error = refuse(&r, ERR_INVALID, more, "a file holds one product");
    yaml_done(&yaml);
    return error;
}
