/* SPDX-License-Identifier: EUPL-1.2 */
#include <string.h>

#include "detect/sigma/set_private.h"

struct choosing {
    const struct sigma_set *from;
    struct sigma_set *set;
    bool *rules, *correlations; /* what is wanted, with what that refers to */
    uint32_t *at;               /* in the new set: of rules, behind them of correlations */
};

/* A correlation refers to those before it alone. */
static void add_referred(struct choosing *c)
{
    for (uint32_t i = c->from->n_correlations; i-- > 0;) {
        const struct sigma_corr_rule *corr = c->from->correlations[i];
        for (uint32_t k = 0; k < corr->corr->n_rules && c->correlations[i]; k++)
            (corr->refs[k].is_corr ? c->correlations : c->rules)[corr->refs[k].index] = true;
    }
}

static int copy_rule(struct choosing *c, uint32_t number)
{
    struct sigma_rule *rule = arena_zalloc(&c->set->arena, 1, sizeof *rule);
    if (!rule) return ERR_NOMEM;
    *rule = *c->from->rules[number];
    int error = sigma_set_add_rule(c->set, rule);
    c->at[number] = rule->index;
    return error;
}

static int copy_correlation(struct choosing *c, uint32_t number)
{
    const struct sigma_corr_rule *from = c->from->correlations[number];
    struct sigma_corr_rule *corr = arena_zalloc(&c->set->arena, 1, sizeof *corr);
    struct sigma_corr_ref *refs = arena_zalloc(&c->set->arena, from->corr->n_rules, sizeof *refs);
    if (!corr || !refs) return ERR_NOMEM;
    *corr = *from;
    corr->refs = refs;
    for (uint32_t k = 0; k < from->corr->n_rules; k++) {
        refs[k] = from->refs[k];
        refs[k].index = c->at[from->refs[k].index + (refs[k].is_corr ? c->from->n_rules : 0)];
    }
    int error = set_add_correlation(set_impl(c->set), corr);
    c->at[c->from->n_rules + number] = corr->index;
    return error;
}

static int copy_all(struct choosing *c, const bool *wanted)
{
    uint32_t n_rules = c->from->n_rules, n_correlations = c->from->n_correlations;
    int error = 0;
    memcpy(c->rules, wanted, n_rules * sizeof *wanted);
    if (n_correlations) memcpy(c->correlations, wanted + n_rules, n_correlations * sizeof *wanted);
    add_referred(c);
    for (uint32_t i = 0; i < n_rules && error == 0; i++)
        if (c->rules[i]) error = copy_rule(c, i);
    for (uint32_t i = 0; i < n_correlations && error == 0; i++)
        if (c->correlations[i]) error = copy_correlation(c, i);
    return error;
}

struct sigma_set *sigma_set_choose(const struct sigma_set *from, const bool *wanted)
{
    struct choosing c = {.from = from, .set = sigma_set_new()};
    size_t n = (size_t)from->n_rules + from->n_correlations + 1;
    bool *chosen = calloc(n, sizeof *chosen);
    c.at = calloc(n, sizeof *c.at);
    c.rules = chosen;
    c.correlations = chosen ? chosen + from->n_rules : NULL;
    int error = c.set && chosen && c.at ? copy_all(&c, wanted) : ERR_NOMEM;
    free(chosen);
    free(c.at);
    if (error == 0) return c.set;
    sigma_set_free(c.set);
    return NULL;
}
