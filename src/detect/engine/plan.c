/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/engine/plan.h"

#include <stdlib.h>

#include "base/hash.h"
#include "detect/engine/build.h"

enum { PLAN_ARENA_MAX = 256 * 1024 * 1024 };

/* A compiled sub-expression: a tree whose leaves are truths. */
struct node {
    enum expr_kind kind; /* EXPR_ATOM: leaf */
    uint32_t truth;
    double frequency; /* how often it holds, for ordering */
    double cost;
    struct node **child;
    uint32_t n;
};

static struct node *new_node(struct arena *a, enum expr_kind kind, uint32_t children)
{
    struct node *n = arena_zalloc(a, 1, sizeof *n);
    ASSERT(n);
    n->kind = kind;
    n->child = arena_zalloc(a, children, sizeof(struct node *));
    ASSERT(n->child);
    return n;
}

static struct node *leaf(struct plan_builder *b, struct arena *a, uint32_t truth)
{
    struct node *n = new_node(a, EXPR_ATOM, 0);
    n->truth = truth;
    bool lazy = truth & PROGRAM_LAZY;
    n->frequency = lazy ? 0.5 : b->truths.at[truth].frequency;
    n->cost = lazy ? 100 : 1;
    return n;
}

static struct node *lower_atom(struct plan_builder *b, struct arena *a,
                               const struct sigma_rule *rule, const struct sigma_atom *atom)
{
    struct decided d = build_atom(b, rule, atom);
    struct node *n = leaf(b, a, d.truth);
    if (d.guard == UINT32_MAX) return n;
    struct node *both = new_node(a, EXPR_AND, 2);
    both->n = 2;
    both->child[0] = leaf(b, a, d.guard);
    both->child[1] = n;
    both->frequency = both->child[0]->frequency * 0.5;
    both->cost = 1 + both->child[0]->frequency * n->cost;
    return both;
}

static int by_rank(double x, double y)
{
    return x < y ? -1 : x > y;
}

/* Conjunctions test what is cheap and rarely true first, disjunctions what is cheap and often true.
 */
static int order_and(const void *x, const void *y)
{
    const struct node *a = *(struct node *const *)x, *b = *(struct node *const *)y;
    return by_rank(a->cost / (1.001 - a->frequency), b->cost / (1.001 - b->frequency));
}

static int order_or(const void *x, const void *y)
{
    const struct node *a = *(struct node *const *)x, *b = *(struct node *const *)y;
    return by_rank(a->cost / (0.001 + a->frequency), b->cost / (0.001 + b->frequency));
}

static struct node *lower(struct plan_builder *b, struct arena *a, const struct sigma_rule *rule,
                          const struct sigma_expr *e);

/* Alternatives that needles prove become one truth when they are many. */
static struct node *lower_or(struct plan_builder *b, struct arena *a, const struct sigma_rule *rule,
                             const struct sigma_expr *e)
{
    const struct sigma_expr **simple = arena_zalloc(a, e->n_children, sizeof(struct sigma_expr *));
    ASSERT(simple);
    uint32_t n_simple = 0;
    struct node *n = new_node(a, EXPR_OR, e->n_children);
    for (uint32_t i = 0; i < e->n_children; i++) {
        const struct sigma_expr *c = e->child[i];
        if (c->kind == EXPR_ATOM && atom_has_needle(c->atom)) simple[n_simple++] = c;
        else n->child[n->n++] = lower(b, a, rule, c);
    }
    if (n_simple >= GROUP_MIN)
        n->child[n->n++] = leaf(b, a, build_any_of(b, rule, simple, n_simple));
    else
        for (uint32_t i = 0; i < n_simple; i++)
            n->child[n->n++] = lower_atom(b, a, rule, simple[i]->atom);
    return n;
}

static struct node *lower(struct plan_builder *b, struct arena *a, const struct sigma_rule *rule,
                          const struct sigma_expr *e)
{
    if (e->kind == EXPR_ATOM) return lower_atom(b, a, rule, e->atom);
    struct node *n;
    if (e->kind == EXPR_OR) {
        n = lower_or(b, a, rule, e);
    } else {
        n = new_node(a, e->kind, e->n_children);
        for (uint32_t i = 0; i < e->n_children; i++)
            n->child[n->n++] = lower(b, a, rule, e->child[i]);
    }
    double hold = n->kind == EXPR_OR ? 0 : 1;
    for (uint32_t i = 0; i < n->n; i++) {
        const struct node *c = n->child[i];
        if (n->kind == EXPR_OR) hold += c->frequency;
        else hold *= n->kind == EXPR_NOT ? 1 - c->frequency : c->frequency;
        n->cost += c->cost;
    }
    if (e->kind == EXPR_TRUE) hold = 1;
    if (e->kind == EXPR_FALSE) hold = 0;
    n->frequency = hold > 1 ? 1 : hold;
    if (n->kind == EXPR_AND) qsort(n->child, n->n, sizeof *n->child, order_and);
    if (n->kind == EXPR_OR) qsort(n->child, n->n, sizeof *n->child, order_or);
    return n;
}

/* Emits backwards, so that both targets of an instruction are known when it is written. */
static uint32_t emit(struct plan_builder *b, const struct node *n, uint32_t if_true,
                     uint32_t if_false)
{
    switch (n->kind) {
    case EXPR_TRUE:
        return if_true;
    case EXPR_FALSE:
        return if_false;
    case EXPR_NOT:
        return emit(b, n->child[0], if_false, if_true);
    case EXPR_ATOM:
        VEC_PUSH(b->code, (struct plan_insn){n->truth, if_true, if_false});
        return b->code.n - 1;
    case EXPR_AND:
        for (uint32_t i = n->n; i-- > 0;) if_true = emit(b, n->child[i], if_true, if_false);
        return if_true;
    case EXPR_OR:
        for (uint32_t i = n->n; i-- > 0;) if_false = emit(b, n->child[i], if_true, if_false);
        return if_false;
    }
    return PROGRAM_REJECT;
}

/*
 * A set of truths of which one must hold for n to be `want`, appended to *out; returns the summed
 * frequency, or a number above 1e8 when there is none.
 */
static double necessary(const struct plan_builder *b, const struct node *n, bool want,
                        uint32_t *out, uint32_t *n_out, uint32_t max)
{
    const double none = 1e9;
    if (n->kind == EXPR_NOT) return necessary(b, n->child[0], !want, out, n_out, max);
    if (n->kind == EXPR_TRUE) return want ? none : 0;
    if (n->kind == EXPR_FALSE) return want ? 0 : none;
    if (n->kind == EXPR_ATOM) {
        if (!want || n->truth & PROGRAM_LAZY || *n_out == max) return none;
        out[(*n_out)++] = n->truth;
        return b->truths.at[n->truth].frequency + 0.0001;
    }
    bool pick_one = (n->kind == EXPR_AND) == want;
    uint32_t start = *n_out;
    if (pick_one) {
        double best = none;
        uint32_t best_n = 0;
        for (uint32_t i = 0; i < n->n; i++) {
            /* The candidate stands behind the best so far and is moved down when it is better. */
            uint32_t end = start + best_n;
            double f = necessary(b, n->child[i], want, out, &end, max);
            if (f >= best) continue;
            best = f;
            uint32_t len = end - start - best_n;
            memmove(out + start, out + start + best_n, len * sizeof *out);
            best_n = len;
        }
        *n_out = start + best_n;
        return best;
    }
    double sum = 0;
    for (uint32_t i = 0; i < n->n; i++) {
        sum += necessary(b, n->child[i], want, out, n_out, max);
        if (sum >= none) break;
    }
    if (sum >= none) *n_out = start;
    return sum;
}

struct trigger_pair {
    uint32_t truth, rule;
};

struct program {
    uint32_t begin, n; /* instructions */
    uint32_t entry;    /* relative to begin, or PROGRAM_* */
    uint32_t last;     /* of the rules that have it */
};

struct build_lists {
    VEC(struct program) programs;
    struct hash_index program_index;
    VEC(struct trigger_pair) triggers;
    VEC(uint32_t) always;
};

/* An instruction with its targets told from the program's first one. */
static struct plan_insn relative(const struct plan_builder *b, uint32_t at, uint32_t begin)
{
    struct plan_insn in = b->code.at[at];
    if (in.if_true < PROGRAM_REJECT) in.if_true -= begin;
    if (in.if_false < PROGRAM_REJECT) in.if_false -= begin;
    return in;
}

static bool same_program(const struct plan_builder *b, const struct program *x,
                         const struct program *y)
{
    if (x->n != y->n || x->entry != y->entry) return false;
    for (uint32_t i = 0; i < x->n; i++) {
        struct plan_insn p = relative(b, x->begin + i, x->begin);
        struct plan_insn q = relative(b, y->begin + i, y->begin);
        if (p.truth != q.truth || p.if_true != q.if_true || p.if_false != q.if_false) return false;
    }
    return true;
}

/*
 * Takes in the instructions from `begin` on as rule i's program; false when an earlier rule has the
 * same, which then stands for both.
 */
static bool take_program(struct plan_builder *b, struct build_lists *lists, uint32_t i,
                         uint32_t begin)
{
    uint32_t entry = b->plan->entry[i];
    struct program new = {.begin = begin,
                          .n = b->code.n - begin,
                          .entry = entry < PROGRAM_REJECT ? entry - begin : entry,
                          .last = i};
    uint64_t hash = new.entry;
    for (uint32_t k = 0; k < new.n; k++) {
        struct plan_insn in = relative(b, begin + k, begin);
        hash = hash_mix(hash, (uint64_t)in.if_true << 32 | in.if_false);
        hash = hash_mix(hash, in.truth);
    }
    for (uint32_t pos = UINT32_MAX, at;
         (at = hash_index_next(&lists->program_index, hash, &pos)) != UINT32_MAX;) {
        struct program *known = &lists->programs.at[at];
        if (!same_program(b, known, &new)) continue;
        b->code.n = begin;
        b->plan->entry[i] = PROGRAM_REJECT; /* never asked */
        b->plan->twin[known->last] = i;
        known->last = i;
        return false;
    }
    VEC_PUSH(lists->programs, new);
    hash_index_add(&lists->program_index, hash, lists->programs.n - 1);
    return true;
}

static const struct needle *needle_at(const struct plan_builder *b, const struct truth *t,
                                      uint32_t k)
{
    return &b->needles.at[b->truth_needles.at[t->needles_at + k]];
}

/* Whether a keyword may prove one of the truths that the instructions from `begin` on ask for. */
static bool asks_keywords(const struct plan_builder *b, uint32_t begin)
{
    for (uint32_t i = begin; i < b->code.n; i++) {
        uint32_t truth = b->code.at[i].truth;
        if (truth & PROGRAM_LAZY) continue;
        const struct truth *t = &b->truths.at[truth];
        for (uint32_t k = 0; k < t->n; k++)
            if (needle_at(b, t, k)->field == 0) return true;
    }
    return false;
}

static void build_rule(struct plan_builder *b, struct build_lists *lists, uint32_t i)
{
    const struct sigma_rule *rule = b->plan->rules[i];
    struct arena scratch;
    arena_init(&scratch, PLAN_ARENA_MAX);
    const struct node *n = lower(b, &scratch, rule, rule->expr);
    uint32_t begin = b->code.n;
    b->plan->twin[i] = UINT32_MAX;
    b->plan->entry[i] = emit(b, n, PROGRAM_ACCEPT, PROGRAM_REJECT);
    if (!take_program(b, lists, i, begin)) {
        arena_done(&scratch);
        return;
    }
    enum { TRIGGERS_MAX = 4096 };
    uint32_t *out = arena_alloc(&scratch, 2 * TRIGGERS_MAX * sizeof *out);
    ASSERT(out);
    uint32_t n_out = 0;
    b->plan->asks_keywords[i] = asks_keywords(b, begin);
    double f = necessary(b, n, true, out, &n_out, TRIGGERS_MAX);
    if (f > 0.97 || (n_out == 0 && f > 0)) VEC_PUSH(lists->always, i);
    else
        for (uint32_t k = 0; k < n_out; k++)
            VEC_PUSH(lists->triggers, (struct trigger_pair){out[k], i});
    arena_done(&scratch);
}

static void *keep(struct plan *p, const void *at, size_t n, size_t size)
{
    void *copy = arena_alloc(&p->arena, n * size);
    ASSERT(copy);
    if (n) memcpy(copy, at, n * size);
    return copy;
}

/* Groups (key, value) pairs by key into runs of index[]; count and fill passes share the loop. */
static void build_postings(struct plan_builder *b)
{
    struct plan *p = b->plan;
    p->posting = arena_zalloc(&p->arena, p->n_needles, sizeof *p->posting);
    ASSERT(p->posting);
    for (uint32_t t = 0; t < b->truths.n; t++)
        for (uint32_t k = 0; k < b->truths.at[t].n; k++)
            p->posting[b->truth_needles.at[b->truths.at[t].needles_at + k]].n++;
    uint32_t at = b->index.n;
    for (uint32_t i = 0; i < p->n_needles; i++) {
        p->posting[i].at = at;
        at += p->posting[i].n;
        p->posting[i].n = 0;
    }
    while (b->index.n < at) VEC_PUSH(b->index, 0);
    for (uint32_t t = 0; t < b->truths.n; t++)
        for (uint32_t k = 0; k < b->truths.at[t].n; k++) {
            struct plan_list *l = &p->posting[b->truth_needles.at[b->truths.at[t].needles_at + k]];
            b->index.at[l->at + l->n++] = t;
        }
}

static void build_triggers(struct plan_builder *b, const struct build_lists *lists)
{
    struct plan *p = b->plan;
    p->trigger = arena_zalloc(&p->arena, p->n_truths, sizeof *p->trigger);
    ASSERT(p->trigger);
    for (uint32_t i = 0; i < lists->triggers.n; i++) p->trigger[lists->triggers.at[i].truth].n++;
    uint32_t at = b->index.n;
    for (uint32_t t = 0; t < p->n_truths; t++) {
        p->trigger[t].at = at;
        at += p->trigger[t].n;
        p->trigger[t].n = 0;
    }
    while (b->index.n < at) VEC_PUSH(b->index, 0);
    for (uint32_t i = 0; i < lists->triggers.n; i++) {
        struct plan_list *l = &p->trigger[lists->triggers.at[i].truth];
        b->index.at[l->at + l->n++] = lists->triggers.at[i].rule;
    }
    p->always = (struct plan_list){b->index.n, lists->always.n};
    for (uint32_t i = 0; i < lists->always.n; i++) VEC_PUSH(b->index, lists->always.at[i]);
}

static uint32_t atom_slot(const struct plan *p, const struct sigma_atom *atom)
{
    uint64_t hash = hash_mix((uint64_t)(uintptr_t)atom, 0);
    uint32_t at = (uint32_t)hash & p->atoms_mask;
    while (p->atoms[at].atom && p->atoms[at].atom != atom) at = (at + 1) & p->atoms_mask;
    return at;
}

uint32_t plan_field_of(const struct plan *p, const struct sigma_atom *atom)
{
    uint32_t at = atom_slot(p, atom);
    return p->atoms[at].atom ? p->atoms[at].field : UINT32_MAX;
}

static void build_atoms(struct plan_builder *b)
{
    struct plan *p = b->plan;
    uint32_t cap = 64;
    while (cap < b->atoms.n * 2) cap *= 2;
    p->atoms_mask = cap - 1;
    p->atoms = arena_zalloc(&p->arena, cap, sizeof *p->atoms);
    ASSERT(p->atoms);
    for (uint32_t i = 0; i < b->atoms.n; i++)
        p->atoms[atom_slot(p, b->atoms.at[i].atom)] = b->atoms.at[i];
}

static void build_sets(struct plan_builder *b)
{
    struct plan *p = b->plan;
    struct literal_spec *specs = calloc(b->needles.n ? b->needles.n : 1, sizeof *specs);
    ASSERT(specs);
    for (uint32_t f = 0; f < b->fields.n; f++)
        for (int cased = 0; cased < 2; cased++) {
            uint32_t n = 0;
            for (uint32_t i = 0; i < b->needles.n; i++) {
                const struct needle *nd = &b->needles.at[i];
                if (nd->field != f || nd->cased != cased) continue;
                specs[n++] = (struct literal_spec){.text = nd->text,
                                                   .anchor = nd->anchor,
                                                   .needle = i,
                                                   .glob = nd->atom ? nd->atom->glob : NULL,
                                                   .n_glob = nd->atom ? nd->atom->n_glob : 0,
                                                   .words = nd->atom && nd->atom->words,
                                                   .listed = nd->listed};
            }
            if (n == 0) continue;
            struct literal_set *s = literal_set_new(specs, n);
            ASSERT(s);
            p->bytes += literal_set_bytes(s);
            if (cased) b->fields.at[f].cased = s;
            else b->fields.at[f].folded = s;
        }
    free(specs);
    p->keywords = b->fields.at[0].folded || b->fields.at[0].cased;
}

/* NULL: a rule asks for keywords in any case, or for what is no folded literal. */
static struct literal_set *waking_set(const struct plan_builder *b, const struct build_lists *lists)
{
    struct plan *p = b->plan;
    VEC(struct literal_spec) specs = {0};
    bool whole = p->keywords;
    for (uint32_t i = 0; i < lists->always.n; i++)
        whole = whole && !p->asks_keywords[lists->always.at[i]];
    for (uint32_t i = 0; i < lists->triggers.n && whole; i++) {
        const struct truth *t = &b->truths.at[lists->triggers.at[i].truth];
        for (uint32_t k = 0; k < t->n; k++) {
            const struct needle *n = needle_at(b, t, k);
            if (n->field != 0) continue;
            whole = whole && !n->listed && !n->cased;
            VEC_PUSH(specs, (struct literal_spec){.text = n->text, .anchor = ANCHOR_INSIDE});
        }
    }
    struct literal_set *set = whole ? literal_set_new(specs.at, specs.n) : NULL;
    ASSERT(set || !whole);
    if (set) p->bytes += literal_set_bytes(set);
    free(specs.at);
    return set;
}

static void builder_done(struct plan_builder *b)
{
    free(b->fields.at);
    free(b->needles.at);
    free(b->truths.at);
    free(b->truth_needles.at);
    free(b->lazy.at);
    free(b->code.at);
    free(b->index.at);
    free(b->atoms.at);
    free(b->field_index.slots);
    free(b->needle_index.slots);
    free(b->truth_index.slots);
    free(b->lazy_index.slots);
}

static void compile_regexes(struct plan *p)
{
    for (uint32_t i = 0; i < p->n_lazy; i++) {
        struct plan_lazy *l = &p->lazy[i];
        if (l->atom->op != ATOM_REGEX) continue;
        /* The rule set was only loaded because this compiles. */
        int r = regex_compile(l->atom->regex, l->atom->regex_flags, NULL, &l->regex);
        ASSERT(r == 0);
    }
}

struct plan *plan_new(const struct plan_source *source)
{
    struct plan *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    arena_init(&p->arena, PLAN_ARENA_MAX);
    p->signature = source->signature;
    p->taxonomy = source->route ? source->route->taxonomy : NULL;
    p->n_rules = source->n_rules;
    p->rules = keep(p, source->rules, source->n_rules, sizeof(struct sigma_rule *));
    p->entry = arena_zalloc(&p->arena, p->n_rules, sizeof *p->entry);
    p->twin = arena_zalloc(&p->arena, p->n_rules, sizeof *p->twin);
    p->asks_keywords = arena_zalloc(&p->arena, p->n_rules, sizeof *p->asks_keywords);
    ASSERT(p->entry && p->twin && p->asks_keywords);
    struct plan_builder b = {.plan = p, .route = source->route};
    struct build_lists lists = {0};
    VEC_PUSH(b.fields, (struct plan_field){.any_truth = UINT32_MAX});
    for (uint32_t i = 0; i < p->n_rules; i++) build_rule(&b, &lists, i);
    p->n_needles = b.needles.n;
    p->n_truths = b.truths.n;
    build_sets(&b);
    p->waking = waking_set(&b, &lists);
    build_postings(&b);
    build_triggers(&b, &lists);
    build_atoms(&b);
    p->n_fields = b.fields.n;
    p->n_code = b.code.n;
    p->n_lazy = b.lazy.n;
    p->fields = keep(p, b.fields.at, b.fields.n, sizeof *p->fields);
    p->code = keep(p, b.code.at, b.code.n, sizeof *p->code);
    p->lazy = keep(p, b.lazy.at, b.lazy.n, sizeof *p->lazy);
    p->index = keep(p, b.index.at, b.index.n, sizeof *p->index);
    compile_regexes(p);
    p->bytes += p->arena.held;
    free(lists.triggers.at);
    free(lists.always.at);
    free(lists.programs.at);
    free(lists.program_index.slots);
    builder_done(&b);
    return p;
}

void plan_free(struct plan *p)
{
    if (!p) return;
    for (uint32_t i = 0; i < p->n_fields; i++) {
        literal_set_free(p->fields[i].folded);
        literal_set_free(p->fields[i].cased);
        free(p->fields[i].numerics);
    }
    literal_set_free(p->waking);
    for (uint32_t i = 0; i < p->n_lazy; i++) regex_free(p->lazy[i].regex);
    free(p->key_map);
    free(p->key_lists);
    arena_done(&p->arena);
    free(p);
}
