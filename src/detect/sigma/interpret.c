/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Documents to expressions.
 *
 * A value becomes one atom, or several that are alternatives; the values of an item are joined by
 * OR (`all`: AND) and, with `neq`, negated as a whole; a map is the AND of its items, a search the
 * OR of its maps. `neq` is a plain negation: a missing field is different from every value. A
 * search that a condition names twice is one shared node.
 */
#include "base/hint.h"
#include "detect/sigma/modifier.h"
#include "detect/sigma/regex.h"
#include "detect/sigma/tree.h"

enum {
    SCRATCH_MAX = 16 * 1024 * 1024, /* while one value is worked on */
    RULE_ATOMS_MAX = 2 * SIGMA_VALUES_MAX,
    RULE_BYTES_MAX = 8 * 1024 * 1024, /* patterns of one rule's atoms */
};

struct interpreting {
    struct arena *arena;
    struct arena scratch;
    const struct sigma_doc *doc;
    struct modifying m;
    struct diag *diag;
    uint32_t atoms; /* made for this rule, and what their patterns take */
    size_t bytes;
};

static int fail_at(struct interpreting *in, int error, struct yaml_pos pos, const char *why)
{
    return diag_set(in->diag, error, in->doc->file, pos.line, pos.column, "%s", why);
}

static int fail_memory(struct interpreting *in, struct yaml_pos pos)
{
    return fail_at(in, ERR_NOMEM, pos, "out of memory for rules");
}

/* The same node under a name. */
static const struct sigma_expr *label(struct interpreting *in, const struct sigma_expr *e,
                                      struct slice name)
{
    struct sigma_expr *copy = expr_new(in->arena, e->kind);
    if (!copy) return NULL;
    *copy = *e;
    copy->label = name;
    return copy;
}

/* A star at both ends, for what may stand anywhere. */
static struct pattern unbound(struct arena *scratch, const struct pattern *p)
{
    struct pattern_builder b;
    pattern_begin(&b, scratch, (size_t)p->n + 2, pattern_bytes(p));
    pattern_add(&b, PIECE_ANY, SLICE_NONE);
    pattern_add_all(&b, p);
    pattern_add(&b, PIECE_ANY, SLICE_NONE);
    return b.pattern;
}

static int set_glob(struct interpreting *in, struct sigma_atom *a, struct pattern p)
{
    a->op = ATOM_STRING;
    if (a->field.len == 0) {
        a->op = ATOM_KEYWORD;
        p = unbound(&in->scratch, &p);
    }
    if (arena_error(&in->scratch) == ERR_NOMEM) return fail_memory(in, a->pos);
    if (arena_failed(&in->scratch))
        return fail_at(in, ERR_LIMIT, a->pos, "this value is too large");
    in->bytes += pattern_bytes(&p) + p.n * sizeof(struct glob_piece);
    if (in->bytes > RULE_BYTES_MAX)
        return fail_at(in, ERR_LIMIT, a->pos, "the rule expands to more than 8 MiB of patterns");
    a->glob = pattern_glob(in->arena, &p, a->cased);
    a->n_glob = p.n;
    return arena_failed(in->arena) ? fail_memory(in, a->pos) : 0;
}

static int set_regex(struct interpreting *in, struct sigma_atom *a, const struct operand *o)
{
    struct regex *regex;
    struct diag why;
    int r = regex_compile(o->written, o->regex_flags, &why, &regex);
    if (r < 0)
        return diag_set(in->diag, r, in->doc->file, a->pos.line, a->pos.column,
                        "regular expression: %s (at byte %u)", why.message, why.column);
    regex_free(regex);
    a->op = ATOM_REGEX;
    a->regex = o->written;
    a->regex_flags = o->regex_flags;
    return 0;
}

static int set_time(struct interpreting *in, struct sigma_atom *a, const struct operand *o)
{
    static const struct {
        double first, last;
    } range[] = {[TIME_MINUTE] = {0, 59}, [TIME_HOUR] = {0, 23},  [TIME_DAY] = {1, 31},
                 [TIME_WEEK] = {1, 53},   [TIME_MONTH] = {1, 12}, [TIME_YEAR] = {0, 9999}};
    a->op = ATOM_TIME;
    a->part = o->part;
    a->cmp = o->cmp;
    a->num = o->num;
    if (o->cmp != CMP_EQ) return 0;
    bool whole = o->num >= range[o->part].first && o->num <= range[o->part].last &&
                 (double)(int)o->num == o->num;
    return whole ? 0 : fail_at(in, ERR_INVALID, a->pos, "no time has this number there");
}

/* A field that is a string, a number or a boolean in the rule is compared as text. */
static int set_scalar(struct interpreting *in, struct sigma_atom *a, const struct operand *o)
{
    a->numeric = o->kind == OPERAND_NUMBER && a->field.len > 0;
    if (a->numeric) a->num = o->num;
    return set_glob(in, a, o->pattern);
}

static int set_atom(struct interpreting *in, struct sigma_atom *a, const struct operand *o)
{
    switch (o->kind) {
    case OPERAND_STRING:
    case OPERAND_NUMBER:
    case OPERAND_BOOL:
        return set_scalar(in, a, o);
    case OPERAND_NULL:
        a->op = ATOM_NULL;
        if (a->field.len == 0) return fail_at(in, ERR_INVALID, a->pos, "null needs a field");
        return 0;
    case OPERAND_REGEX:
        return set_regex(in, a, o);
    case OPERAND_COMPARE:
        a->op = ATOM_NUMBER;
        a->cmp = o->cmp;
        a->num = o->num;
        return 0;
    case OPERAND_TIME:
        return set_time(in, a, o);
    case OPERAND_CIDR:
        a->op = ATOM_CIDR;
        a->cidr = o->network.cidr;
        return 0;
    case OPERAND_EXISTS:
        a->op = ATOM_EXISTS;
        a->flag = o->flag;
        return 0;
    case OPERAND_REF:
        a->op = ATOM_FIELDREF;
        a->anchor = o->anchor;
        a->ref = arena_dup(in->arena, pattern_text(&o->pattern));
        return arena_failed(in->arena) ? fail_memory(in, a->pos) : 0;
    }
    return ERR_INVALID;
}

static int add_atom(struct interpreting *in, const struct sigma_value *value,
                    const struct operand *o, struct expr_list *list)
{
    if (in->atoms++ == RULE_ATOMS_MAX)
        return fail_at(in, ERR_LIMIT, value->pos, "the rule expands to too many patterns");
    struct sigma_atom *a = arena_zalloc(in->arena, 1, sizeof *a);
    struct sigma_expr *e = expr_new(in->arena, EXPR_ATOM);
    if (!a || !e) return fail_memory(in, value->pos);
    a->field = in->m.item->field;
    a->cased = in->m.cased;
    a->pattern = value->type == YAML_NULL ? SLICE("null") : value->text;
    a->pos = value->pos;
    int r = set_atom(in, a, o);
    if (r < 0) return r;
    e->atom = a;
    return expr_list_add(in->arena, list, e) ? 0 : fail_memory(in, value->pos);
}

/*
 * 0x1F, 0o17, +5 and 007 are numbers to YAML and spellings to people: logs hold the one or the
 * other, so both are looked for.
 */
static int add_decimal(struct interpreting *in, const struct sigma_value *value,
                       const struct operand *o, struct expr_list *list)
{
    char buf[24];
    struct slice decimal;
    struct operand plain = *o;
    if (o->kind != OPERAND_NUMBER) return 0;
    if (!number_read(value->text, &plain.num, buf, &decimal) || decimal.len == 0) return 0;
    plain.pattern = pattern_plain(&in->scratch, decimal);
    if (arena_failed(&in->scratch)) return fail_memory(in, value->pos);
    return add_atom(in, value, &plain, list);
}

static int interpret_value(struct interpreting *in, const struct sigma_value *value,
                           const struct sigma_expr **ret)
{
    struct operands operands = {0};
    struct expr_list list = {0};
    arena_reset(&in->scratch);
    int r = modifier_apply(&in->m, value, &operands);
    for (uint32_t i = 0; i < operands.n && r == 0; i++) {
        r = add_atom(in, value, &operands.at[i], &list);
        if (r == 0) r = add_decimal(in, value, &operands.at[i], &list);
    }
    if (r < 0) return r;
    *ret = expr_join(in->arena, EXPR_OR, &list);
    return *ret ? 0 : fail_memory(in, value->pos);
}

static int interpret_item(struct interpreting *in, const struct sigma_item *item,
                          const struct sigma_expr **ret)
{
    struct expr_list list = {0};
    int r = modifier_begin(&in->m, item);
    if (r < 0) return r;
    if (item->n_values == 0)
        return fail_at(in, ERR_INVALID, item->pos, "an empty list matches nothing; give it values");
    for (uint32_t i = 0; i < item->n_values; i++) {
        const struct sigma_expr *e = NULL;
        r = interpret_value(in, &item->values[i], &e);
        if (r < 0) return r;
        if (!expr_list_add(in->arena, &list, e)) return fail_memory(in, item->pos);
    }
    const struct sigma_expr *e = expr_join(in->arena, in->m.all ? EXPR_AND : EXPR_OR, &list);
    if (e && in->m.neq) e = expr_negate(in->arena, e);
    if (!e) return fail_memory(in, item->pos);
    *ret = e;
    return 0;
}

static int interpret_map(struct interpreting *in, const struct sigma_search *search,
                         const struct sigma_map *map, const struct sigma_expr **ret)
{
    struct expr_list list = {0};
    if (map->n_items == 0)
        return fail_at(in, ERR_INVALID, search->pos, "an empty map matches everything");
    for (uint32_t i = 0; i < map->n_items; i++) {
        const struct sigma_expr *e = NULL;
        int r = interpret_item(in, &map->items[i], &e);
        if (r < 0) return r;
        if (!expr_list_add(in->arena, &list, e)) return fail_memory(in, search->pos);
    }
    *ret = expr_join(in->arena, EXPR_AND, &list);
    return *ret ? 0 : fail_memory(in, search->pos);
}

static int interpret_search(struct interpreting *in, const struct sigma_search *search,
                            const struct sigma_expr **ret)
{
    struct expr_list list = {0};
    if (search->n_maps == 0)
        return fail_at(in, ERR_INVALID, search->pos, "an empty search matches nothing");
    for (uint32_t i = 0; i < search->n_maps; i++) {
        const struct sigma_expr *e = NULL;
        int r = interpret_map(in, search, &search->maps[i], &e);
        if (r < 0) return r;
        if (!expr_list_add(in->arena, &list, e)) return fail_memory(in, search->pos);
    }
    const struct sigma_expr *e = expr_join(in->arena, EXPR_OR, &list);
    if (e) e = label(in, e, search->name);
    if (!e) return fail_memory(in, search->pos);
    *ret = e;
    return 0;
}

/* NULL when out of memory. The depth is bounded by SIGMA_COND_DEPTH_MAX. */
static const struct sigma_expr *interpret_cond(struct interpreting *in,
                                               const struct sigma_cond *cond,
                                               const struct sigma_expr *const *searches)
{
    if (cond->kind == COND_SEARCH) return searches[cond->search];
    struct expr_list list = {0};
    for (uint32_t i = 0; i < cond->n_children; i++)
        if (!expr_list_add(in->arena, &list, interpret_cond(in, cond->child[i], searches)))
            return NULL;
    if (cond->kind == COND_NOT) return expr_negate(in->arena, list.at[0]);
    return expr_join(in->arena, cond->kind == COND_AND ? EXPR_AND : EXPR_OR, &list);
}

static int interpret_detection(struct interpreting *in, const struct sigma_expr **ret)
{
    const struct sigma_detection *d = &in->doc->detection;
    if (!d->condition) return fail_at(in, ERR_INVALID, in->doc->pos, "the rule has no condition");
    const struct sigma_expr **searches =
        arena_zalloc(in->arena, d->n_searches, sizeof(struct sigma_expr *));
    if (!searches) return fail_memory(in, in->doc->pos);
    for (uint32_t i = 0; i < d->n_searches; i++) {
        int r = interpret_search(in, &d->searches[i], &searches[i]);
        if (r < 0) return r;
    }
    const struct sigma_expr *e = interpret_cond(in, d->condition, searches);
    if (!e) return fail_memory(in, in->doc->pos);
    *ret = e;
    return 0;
}

int sigma_interpret_detection(struct arena *arena, const struct sigma_doc *doc,
                              const struct placeholders *ph, const struct sigma_expr **ret_expr,
                              struct diag *diag)
{
    struct interpreting in = {.arena = arena, .doc = doc, .diag = diag};
    arena_init(&in.scratch, SCRATCH_MAX);
    in.m = (struct modifying){
        .scratch = &in.scratch, .placeholders = ph, .file = doc->file, .diag = diag};
    int r = interpret_detection(&in, ret_expr);
    arena_done(&in.scratch);
    return r;
}

int sigma_interpret(struct arena *arena, const struct sigma_doc *doc, const struct placeholders *ph,
                    struct sigma_rule *ret, struct diag *diag)
{
    const struct sigma_expr *expr;
    int r = sigma_interpret_detection(arena, doc, ph, &expr, diag);
    if (r < 0) return r;
    *ret = (struct sigma_rule){.doc = doc, .logsource = doc->logsource, .expr = expr};
    return 0;
}
