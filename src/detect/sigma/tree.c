/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/sigma/tree.h"

struct sigma_expr *expr_new(struct arena *arena, enum expr_kind kind)
{
    struct sigma_expr *e = arena_zalloc(arena, 1, sizeof *e);
    if (e) e->kind = kind;
    return e;
}

bool expr_list_add(struct arena *arena, struct expr_list *list, const struct sigma_expr *e)
{
    if (!e) return false;
    if (list->n == list->cap) {
        uint32_t cap = list->cap ? list->cap * 2 : 4;
        const struct sigma_expr **at = arena_zalloc(arena, cap, sizeof(struct sigma_expr *));
        if (!at) return false;
        if (list->n) memcpy(at, list->at, list->n * sizeof(struct sigma_expr *));
        list->at = at;
        list->cap = cap;
    }
    list->at[list->n++] = e;
    return true;
}

const struct sigma_expr *expr_join(struct arena *arena, enum expr_kind kind,
                                   const struct expr_list *list)
{
    enum expr_kind neutral = kind == EXPR_AND ? EXPR_TRUE : EXPR_FALSE;
    enum expr_kind decides = kind == EXPR_AND ? EXPR_FALSE : EXPR_TRUE;
    struct expr_list flat = {0};
    for (uint32_t i = 0; i < list->n; i++) {
        const struct sigma_expr *c = list->at[i];
        if (c->kind == neutral) continue;
        if (c->kind == decides) return expr_new(arena, decides);
        bool dissolve = c->kind == kind && c->label.len == 0;
        if (!dissolve && !expr_list_add(arena, &flat, c)) return NULL;
        for (uint32_t k = 0; dissolve && k < c->n_children; k++)
            if (!expr_list_add(arena, &flat, c->child[k])) return NULL;
    }
    if (flat.n == 0) return expr_new(arena, neutral);
    if (flat.n == 1) return flat.at[0];
    struct sigma_expr *e = expr_new(arena, kind);
    if (!e) return NULL;
    e->child = flat.at;
    e->n_children = flat.n;
    return e;
}

const struct sigma_expr *expr_negate(struct arena *arena, const struct sigma_expr *e)
{
    if (!e) return NULL;
    if (e->kind == EXPR_TRUE) return expr_new(arena, EXPR_FALSE);
    if (e->kind == EXPR_FALSE) return expr_new(arena, EXPR_TRUE);
    if (e->kind == EXPR_NOT && e->label.len == 0) return e->child[0];
    struct sigma_expr *not = expr_new(arena, EXPR_NOT);
    struct expr_list list = {0};
    if (!not || !expr_list_add(arena, &list, e)) return NULL;
    not ->child = list.at;
    not ->n_children = 1;
    return not ;
}
