/* SPDX-License-Identifier: EUPL-1.2 */
#include "query/needles.h"

/* The longest run of plain ASCII bytes; empty when it is too short to tell something. */
static struct slice longest_run(const struct needles_world *w, struct slice text)
{
    struct slice best = SLICE_NONE;
    for (size_t i = 0; i < text.len;) {
        size_t n = 0;
        while (i + n < text.len && w->plain(text.ptr[i + n])) n++;
        if (n > best.len) best = slice_make(text.ptr + i, n);
        i += n ? n : 1;
    }
    return best.len < NEEDLE_LEAST ? SLICE_NONE : best;
}

/* Folding leaves ASCII letters to small ones and nothing else becomes them. */
static struct slice needle_of(const struct needles_world *w, const struct sigma_atom *a)
{
    struct slice best = SLICE_NONE;
    bool text = a->op == ATOM_KEYWORD || a->op == ATOM_STRING;
    /* 4625 may be written 4.625e3. */
    if (!text || a->numeric || a->cased) return best;
    bool stars = sigma_field_has_stars(a->field);
    if (a->op == ATOM_STRING && (stars || !w->copied(w->ctx, a->field))) return best;
    for (uint32_t i = 0; i < a->n_glob; i++) {
        if (a->glob[i].kind != GLOB_LITERAL) continue;
        struct slice run = longest_run(w, a->glob[i].text);
        if (run.len > best.len) best = run;
    }
    return best;
}

/* The fewer and the longer, the seldomer. */
static double badness(const struct needles *n)
{
    double sum = 0;
    for (uint32_t i = 0; i < n->n; i++) sum += 1.0 / (double)(n->at[i].len * n->at[i].len);
    return sum;
}

/* What has one of the others in it is found with that one. */
static bool is_covered(const struct needles *n, struct slice text)
{
    for (uint32_t i = 0; i < n->n; i++)
        if (slice_find(text, n->at[i]) != SIZE_MAX) return true;
    return false;
}

static bool join(struct needles *to, const struct needles *more)
{
    for (uint32_t i = 0; i < more->n; i++) {
        if (is_covered(to, more->at[i])) continue;
        if (to->n == NEEDLES_MAX) return false;
        to->at[to->n++] = more->at[i];
    }
    return true;
}

void needles_find(const struct sigma_expr *e, const struct needles_world *world,
                  struct needles *ret)
{
    struct needles child;
    bool all = true;
    ret->n = 0;
    if (e->kind == EXPR_ATOM) {
        ret->at[0] = needle_of(world, e->atom);
        ret->n = ret->at[0].len > 0;
        return;
    }
    for (uint32_t i = 0; i < e->n_children && all; i++) {
        if (e->kind != EXPR_AND && e->kind != EXPR_OR) break;
        needles_find(e->child[i], world, &child);
        if (e->kind == EXPR_OR) all = child.n > 0 && join(ret, &child);
        else if (child.n && (ret->n == 0 || badness(&child) < badness(ret))) *ret = child;
    }
    if (!all) ret->n = 0;
}
