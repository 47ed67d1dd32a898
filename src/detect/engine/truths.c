/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/engine/build.h"

#include <stdlib.h>

#include "base/hash.h"

/* How often a value is thought to be an indicator; a guess that only steers speed. */
static const double LISTED_FREQUENCY = 0.0005;

void *vec_grow(void *at, uint32_t *cap, size_t size)
{
    uint32_t want = *cap ? *cap * 2 : 64;
    void *p = realloc(at, (size_t)want * size);
    ASSERT(p && want > *cap);
    *cap = want;
    return p;
}

uint32_t hash_index_next(const struct hash_index *ix, uint64_t hash, uint32_t *pos)
{
    if (ix->cap == 0) return UINT32_MAX;
    uint32_t mask = ix->cap - 1;
    uint32_t at = *pos == UINT32_MAX ? (uint32_t)hash & mask : (*pos + 1) & mask;
    for (; ix->slots[at].value; at = (at + 1) & mask)
        if (ix->slots[at].hash == hash) {
            *pos = at;
            return ix->slots[at].value - 1;
        }
    return UINT32_MAX;
}

void hash_index_add(struct hash_index *ix, uint64_t hash, uint32_t value)
{
    if ((ix->n + 1) * 2 > ix->cap) {
        struct hash_index old = *ix;
        ix->cap = old.cap ? old.cap * 2 : 256;
        ix->n = 0;
        ix->slots = calloc(ix->cap, sizeof *ix->slots);
        ASSERT(ix->slots);
        for (uint32_t i = 0; i < old.cap; i++)
            if (old.slots[i].value) hash_index_add(ix, old.slots[i].hash, old.slots[i].value - 1);
        free(old.slots);
    }
    uint32_t at = (uint32_t)hash & (ix->cap - 1);
    while (ix->slots[at].value) at = (at + 1) & (ix->cap - 1);
    ix->slots[at] = (struct hash_slot){hash, value + 1};
    ix->n++;
}

/* The plan field for a rule's field name: the set of paths it has on this route. */
static uint32_t field_of(struct plan_builder *b, const struct sigma_rule *rule, struct slice name)
{
    struct slice names[FIELD_NAMES_MAX];
    uint32_t n = 1;
    names[0] = name;
    if (b->route && !sigma_field_has_stars(name))
        n = taxonomy_fields(b->route, &rule->logsource, name, names, FIELD_NAMES_MAX);
    uint64_t hash = n;
    for (uint32_t i = 0; i < n; i++) hash = hash_mix(hash, hash64(names[i]));
    for (uint32_t pos = UINT32_MAX, at;
         (at = hash_index_next(&b->field_index, hash, &pos)) != UINT32_MAX;) {
        const struct plan_field *f = &b->fields.at[at];
        bool same = f->n_names == n;
        for (uint32_t i = 0; same && i < n; i++) same = slice_eq(f->names[i], names[i]);
        if (same) return at;
    }
    struct plan_field field = {.n_names = n, .any_truth = UINT32_MAX};
    for (uint32_t i = 0; i < n; i++) field.names[i] = names[i];
    VEC_PUSH(b->fields, field);
    hash_index_add(&b->field_index, hash, b->fields.n - 1);
    return b->fields.n - 1;
}

static uint32_t field_of_atom(struct plan_builder *b, const struct sigma_rule *rule,
                              const struct sigma_atom *atom)
{
    uint32_t field = atom->field.len == 0 ? 0 : field_of(b, rule, atom->field);
    VEC_PUSH(b->atoms, (struct plan_atom){atom, field});
    return field;
}

/* The literal by which a glob is found; false when it has none. */
static bool glob_literal(const struct sigma_atom *a, struct slice *ret_text,
                         enum anchor *ret_anchor, bool *ret_decides)
{
    bool unbound = a->op == ATOM_KEYWORD || a->words;
    const struct glob_piece *g = a->glob;
    uint32_t n = a->n_glob;
    *ret_decides = !a->words;
    *ret_text = SLICE("");
    *ret_anchor = ANCHOR_WHOLE;
    if (n == 0) return !unbound;
    if (n == 1 && g[0].kind == GLOB_LITERAL) {
        *ret_text = g[0].text;
        *ret_anchor = unbound ? ANCHOR_INSIDE : ANCHOR_WHOLE;
        return true;
    }
    bool open_start = g[0].kind == GLOB_ANY, open_end = g[n - 1].kind == GLOB_ANY;
    if (n - open_start - open_end == 1 && g[open_start].kind == GLOB_LITERAL) {
        *ret_text = g[open_start].text;
        if (unbound || (open_start && open_end)) *ret_anchor = ANCHOR_INSIDE;
        else *ret_anchor = open_start ? ANCHOR_END : ANCHOR_START;
        return true;
    }
    *ret_decides = false;
    double best = 2;
    for (uint32_t i = 0; i < n; i++) {
        if (g[i].kind != GLOB_LITERAL) continue;
        enum anchor anchor = unbound      ? ANCHOR_INSIDE
                             : i == 0     ? ANCHOR_START
                             : i == n - 1 ? ANCHOR_END
                                          : ANCHOR_INSIDE;
        double frequency = literal_frequency(g[i].text, anchor);
        if (frequency >= best) continue;
        best = frequency;
        *ret_text = g[i].text;
        *ret_anchor = anchor;
    }
    return best < 2;
}

bool atom_has_needle(const struct sigma_atom *a)
{
    struct slice text;
    enum anchor anchor;
    bool decides;
    if (a->op == ATOM_LISTED) return true;
    if (a->op != ATOM_STRING && a->op != ATOM_KEYWORD) return false;
    return glob_literal(a, &text, &anchor, &decides);
}

/* Fields that name the log source: their values say little about which rule holds. */
static bool is_selector(struct slice name)
{
    static const char *const selectors[] = {"EventID", "Channel", "Provider_Name", "eventSource",
                                            "type",    "product", "category",      "service"};
    for (size_t i = 0; i < sizeof selectors / sizeof *selectors; i++)
        if (slice_eq(name, slice_of(selectors[i]))) return true;
    return false;
}

static bool same_glob(const struct sigma_atom *a, const struct sigma_atom *b)
{
    if (!a || !b) return a == b;
    if (a->op != b->op || a->n_glob != b->n_glob || a->words != b->words) return false;
    for (uint32_t i = 0; i < a->n_glob; i++)
        if (a->glob[i].kind != b->glob[i].kind || !slice_eq(a->glob[i].text, b->glob[i].text))
            return false;
    return true;
}

static uint32_t add_needle(struct plan_builder *b, struct needle want)
{
    uint64_t text = want.listed ? (uint64_t)(uintptr_t)want.listed : hash64(want.text);
    uint64_t hash =
        hash_mix(text, (uint64_t)want.anchor << 40 | (uint64_t)want.cased << 39 | want.field);
    for (uint32_t pos = UINT32_MAX, at;
         (at = hash_index_next(&b->needle_index, hash, &pos)) != UINT32_MAX;) {
        const struct needle *n = &b->needles.at[at];
        if (n->field == want.field && n->anchor == want.anchor && n->cased == want.cased &&
            n->listed == want.listed && slice_eq(n->text, want.text) &&
            same_glob(n->atom, want.atom))
            return at;
    }
    want.frequency = want.listed ? LISTED_FREQUENCY : literal_frequency(want.text, want.anchor);
    if (b->fields.at[want.field].n_names && is_selector(b->fields.at[want.field].names[0]))
        want.frequency = 0.9;
    VEC_PUSH(b->needles, want);
    hash_index_add(&b->needle_index, hash, b->needles.n - 1);
    return b->needles.n - 1;
}

static uint32_t needle_of(struct plan_builder *b, const struct sigma_rule *rule,
                          const struct sigma_atom *a)
{
    struct needle want = {.field = field_of_atom(b, rule, a), .cased = a->cased};
    bool decides;
    if (a->op == ATOM_LISTED) {
        want.listed = a->listed;
        return add_needle(b, want);
    }
    bool has = glob_literal(a, &want.text, &want.anchor, &decides);
    ASSERT(has);
    if (!decides) want.atom = a;
    uint32_t needle = add_needle(b, want);
    double value;
    if (a->numeric && want.anchor == ANCHOR_WHOLE && slice_to_double(want.text, &value)) {
        struct plan_field *f = &b->fields.at[want.field];
        bool known = false;
        for (uint32_t i = 0; i < f->n_numerics; i++) known |= f->numerics[i].needle == needle;
        if (!known) {
            f->numerics = realloc(f->numerics, (f->n_numerics + 1) * sizeof *f->numerics);
            ASSERT(f->numerics);
            f->numerics[f->n_numerics++] = (struct plan_numeric){value, needle};
            f->odd_numerics |= !plan_is_plain_integer(want.text);
        }
    }
    return needle;
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* The truth "any of these needles"; sorts and deduplicates the list in place. */
static uint32_t truth_of(struct plan_builder *b, uint32_t *needles, uint32_t n)
{
    qsort(needles, n, sizeof *needles, compare_u32);
    uint32_t unique = 0;
    for (uint32_t i = 0; i < n; i++)
        if (unique == 0 || needles[unique - 1] != needles[i]) needles[unique++] = needles[i];
    n = unique;
    uint64_t hash = hash64(slice_make(needles, n * sizeof *needles));
    for (uint32_t pos = UINT32_MAX, at;
         (at = hash_index_next(&b->truth_index, hash, &pos)) != UINT32_MAX;) {
        const struct truth *t = &b->truths.at[at];
        if (t->n == n &&
            memcmp(b->truth_needles.at + t->needles_at, needles, n * sizeof *needles) == 0)
            return at;
    }
    struct truth t = {.needles_at = b->truth_needles.n, .n = n};
    double none = 1; /* as if they came independently */
    for (uint32_t i = 0; i < n; i++) {
        VEC_PUSH(b->truth_needles, needles[i]);
        none *= 1 - b->needles.at[needles[i]].frequency;
    }
    t.frequency = 1 - none;
    VEC_PUSH(b->truths, t);
    hash_index_add(&b->truth_index, hash, b->truths.n - 1);
    return b->truths.n - 1;
}

uint32_t build_any_of(struct plan_builder *b, const struct sigma_rule *rule,
                      const struct sigma_expr *const *atoms, uint32_t n)
{
    uint32_t *needles = calloc(n, sizeof *needles);
    ASSERT(needles);
    for (uint32_t i = 0; i < n; i++) needles[i] = needle_of(b, rule, atoms[i]->atom);
    uint32_t truth = truth_of(b, needles, n);
    free(needles);
    return truth;
}

/* `field: '*'`: any value at all. */
static bool is_any_value(const struct sigma_atom *a)
{
    return a->op == ATOM_STRING && a->n_glob == 1 && a->glob[0].kind == GLOB_ANY;
}

static uint32_t any_value_truth(struct plan_builder *b, uint32_t field)
{
    struct plan_field *f = &b->fields.at[field];
    if (f->any_truth == UINT32_MAX) {
        VEC_PUSH(b->truths, (struct truth){.frequency = 0.95});
        f->any_truth = b->truths.n - 1;
    }
    return f->any_truth;
}

/* The literals a regular expression cannot do without become needles that guard it. */
static uint32_t regex_guard(struct plan_builder *b, const struct sigma_atom *a, uint32_t field)
{
    struct slice literals[REGEX_LITERALS_MAX];
    struct arena arena;
    arena_init(&arena, 1 << 20);
    uint32_t guard = UINT32_MAX;
    uint32_t n = regex_required_literals(a->regex, a->regex_flags, &arena, literals);
    uint32_t needles[REGEX_LITERALS_MAX];
    for (uint32_t i = 0; i < n; i++)
        needles[i] = add_needle(b, (struct needle){.text = arena_dup(&b->plan->arena, literals[i]),
                                                   .anchor = ANCHOR_INSIDE,
                                                   .field = field});
    if (n) guard = truth_of(b, needles, n);
    arena_done(&arena);
    return guard;
}

/* Whether two computed atoms ask the same of the same fields. */
static bool same_lazy(const struct plan_lazy *x, const struct plan_lazy *y)
{
    const struct sigma_atom *a = x->atom, *c = y->atom;
    if (x->field != y->field || x->ref != y->ref || a->op != c->op) return false;
    switch (a->op) {
    case ATOM_REGEX:
        return slice_eq(a->regex, c->regex) && a->regex_flags == c->regex_flags;
    case ATOM_NULL:
        return true;
    case ATOM_EXISTS:
        return a->flag == c->flag;
    case ATOM_FIELDREF:
        return a->anchor == c->anchor && a->cased == c->cased;
    case ATOM_NUMBER:
        return a->cmp == c->cmp && a->num == c->num;
    case ATOM_TIME:
        return a->part == c->part && a->cmp == c->cmp && a->num == c->num;
    case ATOM_CIDR:
        return a->cidr.bits == c->cidr.bits && a->cidr.v6 == c->cidr.v6 &&
               memcmp(a->cidr.addr, c->cidr.addr, a->cidr.v6 ? 16 : 4) == 0;
    case ATOM_STRING:
    case ATOM_KEYWORD:
        return same_glob(a, c) && a->cased == c->cased && a->numeric == c->numeric;
    case ATOM_LISTED:
        return a->listed == c->listed;
    }
    return false;
}

static uint32_t lazy_of(struct plan_builder *b, struct plan_lazy want)
{
    uint64_t hash = hash_mix(hash64(want.atom->regex),
                             (uint64_t)want.atom->op << 40 | (uint64_t)want.field << 8 | want.ref);
    for (uint32_t pos = UINT32_MAX, at;
         (at = hash_index_next(&b->lazy_index, hash, &pos)) != UINT32_MAX;)
        if (same_lazy(&b->lazy.at[at], &want)) return at;
    VEC_PUSH(b->lazy, want);
    hash_index_add(&b->lazy_index, hash, b->lazy.n - 1);
    return b->lazy.n - 1;
}

struct decided build_atom(struct plan_builder *b, const struct sigma_rule *rule,
                          const struct sigma_atom *a)
{
    if (atom_has_needle(a)) {
        uint32_t needle = needle_of(b, rule, a);
        return (struct decided){truth_of(b, &needle, 1), UINT32_MAX};
    }
    uint32_t field = field_of_atom(b, rule, a);
    if (is_any_value(a)) return (struct decided){any_value_truth(b, field), UINT32_MAX};
    struct plan_lazy lazy = {.atom = a, .field = field, .ref = UINT32_MAX};
    b->fields.at[field].keep_values = true;
    uint32_t guard = UINT32_MAX;
    switch (a->op) {
    case ATOM_FIELDREF:
        lazy.ref = field_of(b, rule, a->ref);
        b->fields.at[lazy.ref].keep_values = true;
        guard = any_value_truth(b, field);
        break;
    case ATOM_REGEX:
        guard = regex_guard(b, a, field);
        if (guard == UINT32_MAX && field != 0) guard = any_value_truth(b, field);
        break;
    case ATOM_NUMBER:
    case ATOM_CIDR:
    case ATOM_TIME:
    case ATOM_STRING:
        guard = any_value_truth(b, field);
        break;
    case ATOM_KEYWORD:
    case ATOM_NULL:
    case ATOM_EXISTS:
    case ATOM_LISTED:
        break;
    }
    return (struct decided){PROGRAM_LAZY | lazy_of(b, lazy), guard};
}
