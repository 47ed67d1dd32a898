/* SPDX-License-Identifier: EUPL-1.2 */
#include "ruleset/verdict.h"

/* The first field that no log source of the rule can have: its map gives it no name. */
static bool field_exists(const struct taxonomy_route *route, const struct sigma_logsource *ls,
                         const struct sigma_expr *expr, struct slice *ret_missing)
{
    struct slice names[8];
    if (expr->kind == EXPR_ATOM) {
        if (expr->atom->field.len == 0) return true;
        uint32_t n = taxonomy_fields(route, ls, expr->atom->field, names, 8);
        for (uint32_t i = 0; i < n && i < 8; i++)
            if (names[i].len) return true;
        *ret_missing = expr->atom->field;
        return false;
    }
    for (uint32_t i = 0; i < expr->n_children; i++)
        if (!field_exists(route, ls, expr->child[i], ret_missing)) return false;
    return true;
}

/* Whether a rule without field or keyword in its condition could ever hold. */
struct ruleset_verdict ruleset_judge(const struct taxonomy *taxonomy, const struct sigma_rule *rule)
{
    const struct sigma_logsource *ls = &rule->logsource;
    struct ruleset_verdict v = {.why = "no log source"};
    if (rule->expr->kind == EXPR_FALSE)
        return (struct ruleset_verdict){.why = "its condition never holds"};
    if (!ls->product.len && !ls->category.len && !ls->service.len)
        return (struct ruleset_verdict){.can_fire = true};
    const struct taxonomy_label *labels;
    uint32_t n = taxonomy_sources(taxonomy, &labels);
    for (uint32_t i = 0; i < n; i++) {
        const struct taxonomy_route route = {.labels = &labels[i], .n_labels = 1};
        if (!taxonomy_applies(&route, ls)) continue;
        if (field_exists(&route, ls, rule->expr, &v.field))
            return (struct ruleset_verdict){.can_fire = true};
        v.why = "no field";
    }
    return v;
}
