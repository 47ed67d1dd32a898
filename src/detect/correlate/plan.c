/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/correlate/internal.h"

#include <math.h>

static bool cond_has_not(const struct sigma_cond *cond)
{
    if (cond->kind == COND_NOT) return true;
    for (uint32_t i = 0; i < cond->n_children; i++)
        if (cond_has_not(cond->child[i])) return true;
    return false;
}

static bool compare(double a, enum sigma_cmp cmp, double b)
{
    switch (cmp) {
    case CMP_LT:
        return a < b;
    case CMP_LTE:
        return a <= b;
    case CMP_GT:
        return a > b;
    case CMP_GTE:
        return a >= b;
    case CMP_EQ:
        return a >= b && a <= b;
    case CMP_NEQ:
        return a < b || a > b;
    }
    return false;
}

bool plan_bounds_hold(const struct corr_plan *plan, double count)
{
    for (uint32_t i = 0; i < plan->corr->n_bounds; i++)
        if (!compare(count, plan->corr->bound[i].cmp, plan->corr->bound[i].value)) return false;
    return true;
}

/* The smallest count that meets all gt and gte bounds; at least 1. */
static uint64_t count_needed(const struct sigma_correlation *corr)
{
    uint64_t need = 1;
    for (uint32_t i = 0; i < corr->n_bounds; i++) {
        double v = corr->bound[i].value;
        if (!(v > 0)) continue;
        if (v > 9e15) return UINT64_MAX;
        uint64_t whole = (uint64_t)v;
        if (corr->bound[i].cmp == CMP_GT || (double)whole < v) whole++;
        if (whole > need) need = whole;
    }
    return need;
}

static bool only_grows(const struct sigma_correlation *corr)
{
    for (uint32_t i = 0; i < corr->n_bounds; i++)
        if (corr->bound[i].cmp != CMP_GT && corr->bound[i].cmp != CMP_GTE) return false;
    return !corr->condition || !cond_has_not(corr->condition);
}

static void *grow(struct arena *a, void *old, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap) return old;
    uint32_t bigger = *cap ? *cap * 2 : 4;
    void *p = arena_zalloc(a, bigger, size);
    if (!p) return NULL;
    if (n) memcpy(p, old, n * size);
    *cap = bigger;
    return p;
}

/* The place of a field in what a source gives; added when new. UINT32_MAX: no room. */
static uint32_t source_field(struct arena *a, struct corr_source *source, struct slice name)
{
    for (uint32_t i = 0; i < source->n_fields; i++)
        if (slice_eq(source->fields[i], name)) return i;
    if (source->n_fields == CORRELATOR_FIELDS_MAX) return UINT32_MAX;
    struct slice *fields =
        grow(a, source->fields, source->n_fields, &source->cap_fields, sizeof *fields);
    if (!fields) return UINT32_MAX;
    source->fields = fields;
    fields[source->n_fields] = name;
    return source->n_fields++;
}

static const struct sigma_doc *ref_doc(const struct sigma_set *set,
                                       const struct sigma_corr_ref *ref)
{
    return ref->is_corr ? set->correlations[ref->index]->doc : set->rules[ref->index]->doc;
}

/* The field that `name` means for the rule at `position` of the correlation. */
static struct slice resolve_alias(const struct sigma_set *set, const struct corr_plan *plan,
                                  uint32_t position, struct slice name)
{
    const struct sigma_correlation *corr = plan->corr;
    const struct sigma_doc *doc = ref_doc(set, &plan->rule->refs[position]);
    for (uint32_t i = 0; i < corr->n_aliases; i++) {
        const struct sigma_alias *alias = &corr->aliases[i];
        if (!slice_eq(alias->name, name)) continue;
        for (uint32_t k = 0; k < alias->n_sources; k++) {
            struct slice rule = alias->sources[k].rule;
            if (slice_eq(rule, corr->rules[position].text) ||
                (doc->name.len && slice_eq(rule, doc->name)) ||
                (doc->id.len && slice_eq_nocase(rule, doc->id)))
                return alias->sources[k].field;
        }
    }
    return name;
}

static bool is_counted_by_value(const struct corr_plan *plan)
{
    return plan->kind != KIND_COUNT && plan->kind != KIND_TEMPORAL && plan->kind != KIND_ORDERED;
}

/* Lets the plan read one of its rules: all fields it needs are asked of that source. */
static const char *add_use(struct correlator *c, const struct sigma_set *set,
                           struct corr_plan *plan, uint32_t position)
{
    const struct sigma_correlation *corr = plan->corr;
    const struct sigma_corr_ref *ref = &plan->rule->refs[position];
    struct corr_source *source = ref->is_corr ? &c->plans[ref->index].out : &c->rules[ref->index];
    uint32_t n_values = is_counted_by_value(plan) ? corr->n_fields : 0;
    uint32_t *index =
        arena_zalloc(&c->arena, corr->n_group_by + n_values + plan->n_carry + 1, sizeof *index);
    if (!index) return "out of memory";
    uint32_t n = 0;
    for (uint32_t i = 0; i < corr->n_group_by + n_values + plan->n_carry; i++) {
        struct slice name = i < corr->n_group_by ? corr->group_by[i]
                            : i < corr->n_group_by + n_values
                                ? corr->fields[i - corr->n_group_by]
                                : plan->carry[i - corr->n_group_by - n_values];
        uint32_t at = source_field(&c->arena, source, resolve_alias(set, plan, position, name));
        if (at == UINT32_MAX)
            return arena_failed(&c->arena) ? "out of memory"
                                           : "too many different fields are wanted of one rule";
        index[n++] = at;
    }
    struct corr_use *uses =
        grow(&c->arena, source->uses, source->n_uses, &source->cap_uses, sizeof *uses);
    if (!uses) return "out of memory";
    source->uses = uses;
    uses[source->n_uses++] =
        (struct corr_use){.plan = plan, .place = plan->place_of[position], .index = index};
    return NULL;
}

static bool same_ref(const struct sigma_corr_ref *a, const struct sigma_corr_ref *b)
{
    return a->index == b->index && a->is_corr == b->is_corr;
}

/* Numbers the distinct rules; positions that repeat one get its place. */
static bool number_places(struct correlator *c, struct corr_plan *plan)
{
    const struct sigma_corr_rule *rule = plan->rule;
    plan->place_of = arena_zalloc(&c->arena, plan->corr->n_rules + 1, sizeof *plan->place_of);
    if (!plan->place_of) return false;
    for (uint32_t i = 0; i < plan->corr->n_rules; i++) {
        uint32_t k = 0;
        while (k < i && !same_ref(&rule->refs[k], &rule->refs[i])) k++;
        plan->place_of[i] = k < i ? plan->place_of[k] : plan->n_places++;
    }
    return true;
}

/* What parents want of this correlation's firings beyond its group-by is carried along. */
static bool find_carried(struct correlator *c, struct corr_plan *plan)
{
    const struct corr_source *out = &plan->out;
    const struct sigma_correlation *corr = plan->corr;
    uint32_t *from = arena_zalloc(&c->arena, out->n_fields + 1, sizeof *from);
    plan->carry = arena_zalloc(&c->arena, out->n_fields + 1, sizeof *plan->carry);
    if (!from || !plan->carry) return false;
    for (uint32_t i = 0; i < out->n_fields; i++) {
        uint32_t k = 0;
        while (k < corr->n_group_by && !slice_eq(corr->group_by[k], out->fields[i])) k++;
        if (k == corr->n_group_by) {
            k += plan->n_carry;
            plan->carry[plan->n_carry++] = out->fields[i];
        }
        from[i] = k;
    }
    plan->out_from = from;
    return true;
}

static enum corr_kind kind_of(const struct sigma_correlation *corr)
{
    switch (corr->type) {
    case CORR_EVENT_COUNT:
        return KIND_COUNT;
    case CORR_VALUE_COUNT:
        return KIND_DISTINCT;
    case CORR_TEMPORAL:
        return KIND_TEMPORAL;
    case CORR_TEMPORAL_ORDERED:
        return KIND_ORDERED;
    case CORR_VALUE_SUM:
        return KIND_SUM;
    case CORR_VALUE_AVG:
        return KIND_AVG;
    case CORR_VALUE_PERCENTILE:
    case CORR_VALUE_MEDIAN:
        break;
    }
    return KIND_QUANTILE;
}

static const char *plan_fill(struct correlator *c, const struct sigma_set *set,
                             struct corr_plan *plan)
{
    const struct sigma_correlation *corr = plan->corr;
    plan->kind = kind_of(corr);
    bool ordered = plan->kind == KIND_ORDERED;
    bool temporal = ordered || plan->kind == KIND_TEMPORAL;
    if (!number_places(c, plan) || !find_carried(c, plan)) return "out of memory";
    if (temporal && plan->n_places > CORRELATOR_RULES_MAX)
        return "a temporal correlation may refer to at most 64 rules";
    if (plan->kind == KIND_DISTINCT && !corr->n_fields)
        return "value_count names no field to count";
    if (is_counted_by_value(plan) && plan->kind != KIND_DISTINCT && corr->n_fields != 1)
        return "this correlation type reads exactly one field";
    if (!temporal && !corr->n_bounds) return "the condition compares with nothing";
    if (corr->timespan < 0) return "the timespan is negative";
    plan->percentile = corr->type == CORR_VALUE_PERCENTILE ? corr->percentile : 50;
    if (!(plan->percentile >= 0 && plan->percentile <= 100))
        return "the percentile is not between 0 and 100";
    for (uint32_t i = 0; i < corr->n_bounds; i++)
        if (!isfinite(corr->bound[i].value)) return "the condition compares with no number";
    plan->sliding = only_grows(corr) && plan->kind != KIND_AVG && plan->kind != KIND_QUANTILE &&
                    !(ordered && corr->condition);
    plan->need = count_needed(corr);
    if (temporal && !corr->n_bounds && !corr->condition) plan->need = plan->n_places;
    /* Shorter lengths only at places from which `need` can still be reached. */
    plan->width = plan->n_places;
    if (plan->sliding && plan->need <= plan->n_places)
        plan->width = plan->n_places - (uint32_t)plan->need + 1;
    for (uint32_t i = 0; i < corr->n_rules; i++) {
        const struct sigma_corr_ref *ref = &plan->rule->refs[i];
        if (ref->is_corr && ref->index >= plan->index) return "it refers to itself";
        uint32_t k = 0;
        while (k < i && plan->place_of[k] != plan->place_of[i]) k++;
        if (k < i) continue;
        const char *why = add_use(c, set, plan, i);
        if (why) return why;
    }
    return NULL;
}

static void refuse(struct correlator *c, struct corr_plan *plan, const char *why)
{
    if (plan->refused) return;
    plan->refused = true;
    if (c->out.refused) c->out.refused(c->out.ctx, plan->rule, why);
}

/* A correlation that hears only part of what it refers to would count wrongly. */
static void refuse_parents(struct correlator *c)
{
    for (uint32_t i = 0; i < c->n_plans; i++) {
        struct corr_plan *plan = &c->plans[i];
        if (!plan->refused) continue;
        for (uint32_t k = 0; k < plan->out.n_uses; k++)
            refuse(c, plan->out.uses[k].plan, "a correlation it refers to was refused");
    }
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

int plan_build(struct correlator *c, const struct sigma_set *set)
{
    c->n_rules = set->n_rules;
    c->n_plans = set->n_correlations;
    c->rules = arena_zalloc(&c->arena, c->n_rules + (size_t)1, sizeof *c->rules);
    c->plans = arena_zalloc(&c->arena, c->n_plans + (size_t)1, sizeof *c->plans);
    if (!c->rules || !c->plans) return ERR_NOMEM;
    size_t most_group = 0, most_values = 0, most_out = 0;
    /* Parents first: what they want of a child decides what the child carries. */
    for (uint32_t i = c->n_plans; i-- > 0;) {
        struct corr_plan *plan = &c->plans[i];
        plan->rule = set->correlations[i];
        plan->corr = plan->rule->corr;
        plan->index = i;
        const char *why = plan_fill(c, set, plan);
        if (arena_failed(&c->arena)) return ERR_NOMEM;
        if (why) refuse(c, plan, why);
        most_group = larger(most_group, plan->corr->n_group_by);
        most_values = larger(most_values, plan->corr->n_fields);
        most_out = larger(most_out, plan->out.n_fields);
    }
    refuse_parents(c);
    /* A kept value takes 2 + CORRELATOR_SHOWN_MAX; folding needs room behind the last one. */
    const size_t each = 2 + CORRELATOR_SHOWN_MAX;
    const size_t slack = CORRELATOR_VALUE_MAX + CORRELATOR_VALUE_MAX / 2 + 64;
    c->key = arena_alloc(&c->arena, most_group * each + slack);
    c->value = arena_alloc(&c->arena, most_values * each + slack);
    c->shown = arena_zalloc(&c->arena, most_group + 1, sizeof *c->shown);
    c->firing = arena_zalloc(&c->arena, most_out + 1, sizeof *c->firing);
    return c->key && c->value && c->shown && c->firing ? 0 : ERR_NOMEM;
}
