/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Which fields are only ever copied: their values are parts of values that the record has. Found by
 * going through all that a product does until nothing changes any more. What products fill that
 * show another one behind them is there before that begins.
 */
#include <stdlib.h>

#include "detect/taxonomy_model.h"
#include "product/model.h"

struct products_copies {
    const struct products *products;
    bool (*plain)(char c);
    /* By field: a value may be something else than a part of one of the record's … */
    bool *made;    /* … of the product at hand, … */
    bool *first;   /* … of those that show others behind them, … */
    bool *all;     /* … and of any. */
    bool anything; /* fields of any name may be made */
    bool changed;  /* in this round */
    /* The made ones, as rules may name them. */
    struct made_name {
        struct slice plain, stands_for;
    } * names;
    uint32_t n_names;
};

static bool is_copied(void *ctx, uint32_t field)
{
    const struct products_copies *f = ctx;
    return !f->made[field];
}

static void mark(struct products_copies *f, uint32_t field)
{
    f->changed |= !f->made[field];
    f->made[field] = true;
}

static void look_at_body(struct products_copies *f, const struct body *body);

static void mark_place(void *ctx, int name)
{
    mark(ctx, (uint32_t)name);
}

/* What comes of a made value that is taken apart. */
static void mark_parts(struct products_copies *f, const struct step *s)
{
    const struct products *p = f->products;
    struct slice prefix = s->form.prefix.len ? s->form.prefix : SLICE("url.");
    if (s->operation == OP_PATTERN) {
        shape_each_name(s->patterns, mark_place, f);
        return;
    }
    /* The others take names from the text. */
    f->anything |= s->operation != OP_FORM || s->form.kind != FORM_URL;
    for (uint32_t i = 0; i < p->n_names; i++)
        if (slice_starts_with(p->names[i], prefix)) mark(f, i);
}

static void look_at_step(struct products_copies *f, const struct step *s)
{
    if ((s->operation != OP_NONE && f->made[s->from]) ||
        (s->operation == OP_ENTRIES && f->made[s->values]))
        mark_parts(f, s);
    /* A backslash keeps a separator inside of a value, and is not in it then. */
    f->anything |=
        s->operation == OP_FORM && s->form.kind == FORM_KV && f->plain(s->form.separator);
    look_at_body(f, &s->body);
    for (uint32_t i = 0; s->operation == OP_PATTERN && i < shape_set_numbers(s->patterns); i++)
        look_at_body(f, &s->pattern_bodies[i]);
}

static void look_at_body(struct products_copies *f, const struct body *body)
{
    for (uint32_t i = 0; i < body->n_assignments; i++) {
        const struct assignment *a = &body->assignments[i];
        if (!a->expr || !expr_copies(a->expr, f, is_copied)) mark(f, a->field);
    }
    for (uint32_t i = 0; body->cases && i <= body->cases->mask; i++)
        if (body->cases->rows[i].body) look_at_body(f, body->cases->rows[i].body);
    if (body->cases && body->cases->other) look_at_body(f, body->cases->other);
    for (uint32_t i = 0; i < body->n_steps; i++) look_at_step(f, &body->steps[i]);
}

static void name_made(struct products_copies *f)
{
    const struct products *p = f->products;
    for (uint32_t i = 0; i < p->n_names; i++) {
        if (!f->all[i]) continue;
        struct slice plain = taxonomy_plain_name(p->taxonomy, p->names[i]);
        f->names[f->n_names++] = (struct made_name){plain, taxonomy_stands_for(p->taxonomy, plain)};
    }
}

/* What of the fields one product makes, given those of `first`, is added to `to`. */
static void look_at_product(struct products_copies *f, const struct product_box *box, bool *to)
{
    uint32_t n = f->products->n_names;
    memcpy(f->made, f->first, n * sizeof *f->made);
    do {
        f->changed = false;
        look_at_body(f, &box->body);
    } while (f->changed);
    /* Names that begin with _ are the product's own, and gone behind it. */
    for (uint32_t i = 0; i < n; i++) to[i] |= f->made[i] && f->products->names[i].ptr[0] != '_';
}

/* One of those that show others may be behind another one of them. */
static void look_at_first(struct products_copies *f)
{
    const struct products *p = f->products;
    uint32_t before, now = 0;
    do {
        before = now;
        now = 0;
        for (uint32_t i = 0; i < p->n; i++)
            if (p->at[i]->again) look_at_product(f, p->at[i], f->first);
        for (uint32_t i = 0; i < p->n_names; i++) now += f->first[i];
    } while (now != before);
}

struct products_copies *products_copies_new(const struct products *p, bool (*plain)(char c))
{
    struct products_copies *f = calloc(1, sizeof *f);
    size_t n = p->n_names + (size_t)1;
    if (!f) return NULL;
    f->products = p;
    f->plain = plain;
    f->made = calloc(n, sizeof *f->made);
    f->first = calloc(n, sizeof *f->first);
    f->all = calloc(n, sizeof *f->all);
    f->names = calloc(n, sizeof *f->names);
    if (!f->made || !f->first || !f->all || !f->names) {
        products_copies_free(f);
        return NULL;
    }
    look_at_first(f);
    for (uint32_t i = 0; i < p->n; i++) look_at_product(f, p->at[i], f->all);
    name_made(f);
    return f;
}

void products_copies_free(struct products_copies *f)
{
    if (!f) return;
    free(f->made);
    free(f->first);
    free(f->all);
    free(f->names);
    free(f);
}

/* Names of rules have no blanks. */
static bool same_name(struct slice a, struct slice b)
{
    size_t i = 0, k = 0;
    for (;;) {
        while (i < a.len && a.ptr[i] == ' ') i++;
        while (k < b.len && b.ptr[k] == ' ') k++;
        if (i == a.len || k == b.len) return i == a.len && k == b.len;
        if (a.ptr[i++] != b.ptr[k++]) return false;
    }
}

/* Whether a source's map may give the field other names, also for who asks for no log source. */
static bool is_mapped(const struct taxonomy *t, struct slice field)
{
    const struct taxonomy_label *labels;
    uint32_t n = taxonomy_sources(t, &labels);
    for (uint32_t i = 0; i < n; i++) {
        const struct taxonomy_map *map = labels[i].map;
        if (!map || labels[i].category.len || labels[i].service.len) continue;
        for (uint32_t k = 0; k < map->n_entries; k++)
            if (slice_eq_nocase(map->entries[k].field, field)) return true;
    }
    return false;
}

bool products_copied(const struct products_copies *f, struct slice field)
{
    const struct taxonomy *t = f->products->taxonomy;
    struct slice plain = taxonomy_plain_name(t, field), other = taxonomy_stands_for(t, plain);
    if (f->anything || is_mapped(t, field)) return false;
    for (uint32_t i = 0; i < f->n_names; i++) {
        const struct made_name *made = &f->names[i];
        if (same_name(made->plain, plain) || (other.ptr && same_name(made->plain, other)) ||
            (made->stands_for.ptr && same_name(made->stands_for, plain)))
            return false;
    }
    return true;
}
