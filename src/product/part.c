/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Found backwards: what is asked for is needed; what an assignment, a condition or a text to be
 * taken apart looks at is needed when something behind it is; until nothing is added. What a form
 * finds in a text is known by several names, as what a record has; what is filled, by its own.
 */
#include "product/part.h"

#include <stdlib.h>

enum { PART_ARENA_MAX = 64 * 1024 * 1024 };

struct making {
    const struct products *p;
    struct product_part *part;
    bool changed;
};

/* ---- what is needed ---------------------------------------------------------------------- */

static void need(struct making *m, uint32_t field)
{
    if (part_needs(m->part, field)) return;
    m->part->need[field >> 6] |= UINT64_C(1) << (field & 63);
    m->changed = true;
}

static void need_field(void *ctx, uint32_t field)
{
    need(ctx, field);
}

static bool needs_name(const struct products *p, const struct product_part *part, struct slice name)
{
    uint32_t field = name.ptr ? products_find_field(p, name) : UINT32_MAX;
    return field != UINT32_MAX && part_needs(part, field);
}

static bool wants_path(const struct products *p, const struct product_part *part, struct slice path)
{
    struct slice plain = taxonomy_plain_name(p->taxonomy, path);
    return needs_name(p, part, path) || needs_name(p, part, plain) ||
           needs_name(p, part, taxonomy_stands_for(p->taxonomy, plain)) ||
           part->asks(part->ctx, path);
}

struct wish {
    const struct making *m;
    bool any;
};

static void wish_path(void *ctx, struct slice path)
{
    struct wish *w = ctx;
    w->any = w->any || wants_path(w->m->p, w->m->part, path);
}

static void wish_place(void *ctx, int name)
{
    struct wish *w = ctx;
    w->any |= part_needs(w->m->part, (uint32_t)name);
}

/* Whether the operation itself may add something that is needed. */
static bool adds_needed(const struct making *m, const struct step *step)
{
    struct wish wish = {.m = m};
    switch (step->operation) {
    case OP_NONE:
        return false;
    case OP_PATTERN:
        shape_each_name(step->patterns, wish_place, &wish);
        return wish.any;
    case OP_FORM:
        return !form_each_name(&step->form, wish_path, &wish) || wish.any;
    case OP_ENTRIES:
        return true;
    }
    return true;
}

static bool mark_body(struct making *m, const struct body *body);

static void use_step(struct making *m, const struct step *step)
{
    for (uint32_t i = 0; i < step->n_conditions; i++) need(m, step->conditions[i].field);
    if (step->operation != OP_NONE) need(m, step->from);
    if (step->operation == OP_ENTRIES) need(m, step->values);
}

static bool mark_step(struct making *m, const struct step *step)
{
    bool kept = mark_body(m, &step->body);
    for (uint32_t i = 0; i < step->n_pattern_bodies; i++)
        kept |= mark_body(m, &step->pattern_bodies[i]);
    kept = kept || adds_needed(m, step);
    if (kept) use_step(m, step);
    return kept;
}

static bool mark_cases(struct making *m, const struct cases *cases)
{
    bool kept = cases->other && mark_body(m, cases->other);
    for (uint32_t i = 0; i <= cases->mask; i++)
        if (cases->rows[i].body) kept |= mark_body(m, cases->rows[i].body);
    if (kept) need(m, cases->field);
    return kept;
}

/* Marks what the body's needed pieces look at. Whether there are any. */
static bool mark_body(struct making *m, const struct body *body)
{
    bool kept = false;
    for (uint32_t i = 0; i < body->n_assignments; i++) {
        const struct assignment *a = &body->assignments[i];
        if (!part_needs(m->part, a->field)) continue;
        if (a->expr) expr_each_field(a->expr, need_field, m);
        kept = true;
    }
    if (body->cases) kept |= mark_cases(m, body->cases);
    for (uint32_t i = 0; i < body->n_steps; i++) kept |= mark_step(m, &body->steps[i]);
    return kept;
}

/*
 * What is asked for of all that the file may fill. A field that never holds anything but what is
 * there already under the same plain name shows nothing new.
 */
static void need_asked(struct making *m)
{
    const struct product_part *part = m->part;
    for (const struct fill *f = part->box->fills; f; f = f->next) {
        struct slice name = m->p->names[f->field], source = m->p->names[f->copy_of];
        bool repeats =
            f->field != f->copy_of && slice_eq(taxonomy_plain_name(m->p->taxonomy, name),
                                               taxonomy_plain_name(m->p->taxonomy, source));
        if (name.ptr[0] != '_' && !repeats && part->asks(part->ctx, name)) need(m, f->field);
    }
}

/* ---- what is left ------------------------------------------------------------------------ */

static bool is_empty(const struct body *body)
{
    return body->n_assignments == 0 && !body->cases && body->n_steps == 0;
}

static bool prune_body(struct making *m, const struct body *from, struct body *ret);

static bool prune_assignments(struct making *m, const struct body *from, struct body *ret)
{
    struct assignment *kept =
        arena_zalloc(&m->part->arena, from->n_assignments, sizeof *from->assignments);
    if (!kept) return false;
    ret->assignments = kept;
    for (uint32_t i = 0; i < from->n_assignments; i++)
        if (part_needs(m->part, from->assignments[i].field))
            kept[ret->n_assignments++] = from->assignments[i];
    return true;
}

static bool prune_step(struct making *m, const struct step *from, struct step *ret)
{
    *ret = *from;
    struct body *bodies =
        arena_zalloc(&m->part->arena, from->n_pattern_bodies, sizeof *from->pattern_bodies);
    bool made = bodies && prune_body(m, &from->body, &ret->body);
    for (uint32_t i = 0; i < from->n_pattern_bodies && made; i++)
        made = prune_body(m, &from->pattern_bodies[i], &bodies[i]);
    ret->pattern_bodies = bodies;
    return made;
}

static bool step_is_empty(const struct making *m, const struct step *step)
{
    bool empty = is_empty(&step->body) && !adds_needed(m, step);
    for (uint32_t i = 0; i < step->n_pattern_bodies && empty; i++)
        empty = is_empty(&step->pattern_bodies[i]);
    return empty;
}

static bool prune_steps(struct making *m, const struct body *from, struct body *ret)
{
    struct step *kept = arena_zalloc(&m->part->arena, from->n_steps, sizeof *from->steps);
    if (!kept) return false;
    ret->steps = kept;
    for (uint32_t i = 0; i < from->n_steps; i++) {
        if (!prune_step(m, &from->steps[i], &kept[ret->n_steps])) return false;
        if (!step_is_empty(m, &kept[ret->n_steps])) ret->n_steps++;
    }
    return true;
}

/* A case of which nothing is left stays: it is none of the others. */
static bool prune_cases(struct making *m, const struct cases *from, struct body *ret)
{
    struct arena *arena = &m->part->arena;
    struct cases *kept = arena_alloc(arena, sizeof *kept);
    struct case_row *rows = arena_zalloc(arena, (size_t)from->mask + 1, sizeof *rows);
    struct body *bodies = arena_zalloc(arena, (size_t)from->mask + 2, sizeof *bodies);
    if (!kept || !rows || !bodies) return false;
    bool any = false;
    *kept = *from;
    kept->rows = rows;
    for (uint32_t i = 0; i <= from->mask; i++) {
        if (!from->rows[i].body) continue;
        if (!prune_body(m, from->rows[i].body, &bodies[i])) return false;
        rows[i] = (struct case_row){from->rows[i].key, &bodies[i]};
        any |= !is_empty(&bodies[i]);
    }
    if (from->other) {
        kept->other = &bodies[from->mask + 1];
        if (!prune_body(m, from->other, &bodies[from->mask + 1])) return false;
        any |= !is_empty(kept->other);
    }
    ret->cases = any ? kept : NULL;
    return true;
}

/* False: out of memory. */
static bool prune_body(struct making *m, const struct body *from, struct body *ret)
{
    *ret = (struct body){0};
    return prune_assignments(m, from, ret) && (!from->cases || prune_cases(m, from->cases, ret)) &&
           prune_steps(m, from, ret);
}

/* ---- the part ---------------------------------------------------------------------------- */

static bool make(struct making *m)
{
    const struct product_box *box = m->part->box;
    m->part->need = arena_zalloc(&m->part->arena, m->p->n_names / 64 + 1, sizeof *m->part->need);
    if (!m->part->need) return false;
    need_asked(m);
    do {
        m->changed = false;
        (void)mark_body(m, &box->body);
    } while (m->changed);
    return prune_body(m, &box->body, &m->part->body);
}

struct product_part *part_new(const struct products *p, const struct product_box *box,
                              product_asks *asks, void *ctx)
{
    struct product_part *part = calloc(1, sizeof *part);
    if (!part) return NULL;
    *part = (struct product_part){.box = box, .asks = asks, .ctx = ctx};
    arena_init(&part->arena, PART_ARENA_MAX);
    struct making m = {.p = p, .part = part};
    if (make(&m)) return part;
    part_free(part);
    return NULL;
}

void part_free(struct product_part *part)
{
    if (!part) return;
    arena_done(&part->arena);
    free(part->wanted);
    free(part);
}

static void cover_keys(struct product_part *part, const struct keys *keys)
{
    if (part->generation != keys_generation(keys)) {
        if (part->n_wanted) memset(part->wanted, WANTED_UNKNOWN, part->n_wanted);
        part->generation = keys_generation(keys);
    }
    uint32_t n = keys_count(keys);
    if (n <= part->n_wanted) return;
    uint32_t want = n + n / 2 + 256;
    uint8_t *grown = realloc(part->wanted, want);
    ASSERT(grown);
    memset(grown + part->n_wanted, WANTED_UNKNOWN, want - part->n_wanted);
    part->wanted = grown;
    part->n_wanted = want;
}

bool part_wants(const struct products *p, struct product_part *part, const struct keys *keys,
                key_id key)
{
    if (key >= part->n_wanted || part->generation != keys_generation(keys)) cover_keys(part, keys);
    if (part->wanted[key] == WANTED_UNKNOWN)
        part->wanted[key] = wants_path(p, part, keys_name(keys, key)) ? WANTED_YES : WANTED_NO;
    return part->wanted[key] == WANTED_YES;
}

bool part_is_empty(const struct product_part *part)
{
    return is_empty(&part->body);
}
