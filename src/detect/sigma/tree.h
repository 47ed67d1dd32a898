/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Expressions while they are made. They come out clean: AND and OR are flattened, a node with one
 * child is the child, nothing is negated twice and no constant stands below another node. Nodes
 * with a label are kept whole, since people are shown them.
 *
 * Everything is the arena's; NULL or false is its overflow, which a NULL that is handed in passes
 * on.
 */
#ifndef VAKA_DETECT_SIGMA_TREE_H
#define VAKA_DETECT_SIGMA_TREE_H

#include "detect/sigma/rule.h"

/* A list of children while it grows; the array is final once joined. */
struct expr_list {
    const struct sigma_expr **at;
    uint32_t n, cap;
};

struct sigma_expr *expr_new(struct arena *arena, enum expr_kind kind) MUST_USE;
bool expr_list_add(struct arena *arena, struct expr_list *list,
                   const struct sigma_expr *e) MUST_USE;
/* The AND or OR of a list; of none it is what changes nothing. */
const struct sigma_expr *expr_join(struct arena *arena, enum expr_kind kind,
                                   const struct expr_list *list) MUST_USE;
const struct sigma_expr *expr_negate(struct arena *arena, const struct sigma_expr *e) MUST_USE;

#endif
