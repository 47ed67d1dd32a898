/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The `correlation` section (Sigma correlation rules specification 2.1.0). Beyond it, as pySigma
 * reads them: value_median, the units w, M and y, and an extended condition over the rules' names
 * (`condition: a and not b`) for the temporal types, which may then leave `rules` out.
 */
#include "base/hint.h"
#include "detect/sigma/read.h"

static const char *const type_names[] = {
    [CORR_EVENT_COUNT] = "event_count",
    [CORR_VALUE_COUNT] = "value_count",
    [CORR_TEMPORAL] = "temporal",
    [CORR_TEMPORAL_ORDERED] = "temporal_ordered",
    [CORR_VALUE_SUM] = "value_sum",
    [CORR_VALUE_AVG] = "value_avg",
    [CORR_VALUE_PERCENTILE] = "value_percentile",
    [CORR_VALUE_MEDIAN] = "value_median",
};
enum { N_TYPES = sizeof type_names / sizeof *type_names };

static const char *const cmp_names[] = {
    [CMP_LT] = "lt",   [CMP_LTE] = "lte", [CMP_GT] = "gt",
    [CMP_GTE] = "gte", [CMP_EQ] = "eq",   [CMP_NEQ] = "neq",
};

static bool is_null(const struct yaml_node *node)
{
    return !node || (node->kind == YAML_SCALAR && node->type == YAML_NULL);
}

static bool is_temporal(enum sigma_corr_type type)
{
    return type == CORR_TEMPORAL || type == CORR_TEMPORAL_ORDERED;
}

static int missing(struct sigma_reading *rd, const struct yaml_node *key, const char *what)
{
    return READ_REFUSE(rd, ERR_INVALID, key->pos, "the correlation has no `%s`", what);
}

static int read_type(struct sigma_reading *rd, const struct yaml_node *key,
                     enum sigma_corr_type *ret)
{
    const struct yaml_node *node = yaml_get(key->value, "type");
    if (is_null(node)) return missing(rd, key, "type");
    struct sigma_value value;
    int error = sigma_read_value(rd, node, "`type`", &value);
    if (error) return error;
    struct hint hint;
    hint_init(&hint, value.text);
    for (unsigned i = 0; i < N_TYPES; i++) {
        if (slice_eq_nocase(value.text, slice_of(type_names[i]))) {
            *ret = (enum sigma_corr_type)i;
            return 0;
        }
        hint_offer(&hint, slice_of(type_names[i]));
    }
    char shown[HINT_SHOW_SIZE], text[HINT_SIZE];
    return READ_REFUSE(rd, ERR_INVALID, node->pos, "there is no correlation type `%s`%s",
                       hint_show(shown, value.text), hint_text(&hint, text));
}

/* `90m`. A month is 1/12 of the mean Gregorian year of 31,556,952 s, as in pySigma. */
static bool parse_timespan(struct slice s, int64_t *ret)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1},      {'m', 60},      {'h', 3600},    {'d', 86400},
                 {'w', 604800}, {'M', 2629746}, {'y', 31556952}};
    if (s.len < 2) return false;
    uint64_t count;
    if (!slice_to_u64(slice_until(s, s.len - 1), &count) || count == 0 || count > INT64_MAX)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        int64_t seconds;
        if (units[i].unit != s.ptr[s.len - 1]) continue;
        return !__builtin_mul_overflow((int64_t)count, units[i].seconds, &seconds) &&
               !__builtin_mul_overflow(seconds, (int64_t)1000000000, ret);
    }
    return false;
}

static int read_timespan(struct sigma_reading *rd, const struct yaml_node *key, int64_t *ret)
{
    const struct yaml_node *node = yaml_get(key->value, "timespan");
    if (is_null(node)) return missing(rd, key, "timespan");
    if (node->kind != YAML_SCALAR || !parse_timespan(node->text, ret))
        return READ_REFUSE(rd, ERR_INVALID, node->pos,
                           "`timespan` must be a number and one of s, m, h, d, w, M, y, as in 90m");
    return 0;
}

static int read_slices(struct sigma_reading *rd, const struct yaml_node *node, const char *what,
                       const struct slice **ret, uint32_t *ret_n)
{
    struct sigma_value *values;
    int error = sigma_read_list(rd, node, what, SIGMA_NAMES_MAX, &values, ret_n);
    if (error) return error;
    struct slice *slices = arena_zalloc(rd->arena, *ret_n, sizeof *slices);
    if (!slices) return ERR_NOMEM;
    for (uint32_t i = 0; i < *ret_n; i++) slices[i] = values[i].text;
    *ret = slices;
    return 0;
}

static int read_aliases(struct sigma_reading *rd, const struct yaml_node *key,
                        struct sigma_correlation *ret)
{
    const struct yaml_node *map = yaml_get(key->value, "aliases");
    if (is_null(map)) return 0;
    if (map->kind != YAML_MAP)
        return READ_REFUSE(rd, ERR_INVALID, map->pos,
                           "`aliases` must be a map from an alias to rules and their fields");
    if (map->n > SIGMA_NAMES_MAX)
        return READ_REFUSE(rd, ERR_LIMIT, map->pos, "more than %d aliases", SIGMA_NAMES_MAX);
    struct sigma_alias *aliases = arena_zalloc(rd->arena, map->n, sizeof *aliases);
    if (!aliases) return ERR_NOMEM;
    for (const struct yaml_node *name = map->first; name; name = name->next) {
        const struct yaml_node *from = name->value;
        if (from->kind != YAML_MAP || from->n == 0 || from->n > SIGMA_NAMES_MAX)
            return READ_REFUSE(rd, ERR_INVALID, name->pos,
                               "an alias must be a map from rules to their fields");
        struct sigma_alias *alias = &aliases[ret->n_aliases++];
        struct sigma_alias_source *sources = arena_zalloc(rd->arena, from->n, sizeof *sources);
        alias->name = arena_dup(rd->arena, name->text);
        if (!sources || !alias->name.ptr) return ERR_NOMEM;
        for (const struct yaml_node *rule = from->first; rule; rule = rule->next) {
            struct sigma_alias_source *source = &sources[alias->n_sources++];
            source->rule = arena_dup(rd->arena, rule->text);
            if (!source->rule.ptr) return ERR_NOMEM;
            if (is_null(rule->value) ||
                (rule->value->kind == YAML_SCALAR && rule->value->text.len == 0))
                return READ_REFUSE(rd, ERR_INVALID, rule->pos, "the alias names no field");
            int error = sigma_read_text(rd, rule->value, "an alias's field", &source->field);
            if (error) return error;
        }
        alias->sources = sources;
    }
    ret->aliases = aliases;
    return 0;
}

static int read_number(struct sigma_reading *rd, const struct yaml_node *key, double *ret)
{
    const struct yaml_node *node = key->value;
    char shown[HINT_SHOW_SIZE];
    if (node->kind != YAML_SCALAR || node->type != YAML_NUMBER || !slice_to_double(node->text, ret))
        return READ_REFUSE(rd, ERR_INVALID, node->pos, "`%s` must be a decimal number",
                           hint_show(shown, key->text));
    return 0;
}

/* Checks what a condition map must hold and must not for the type. */
static int check_condition(struct sigma_reading *rd, const struct yaml_node *map,
                           const struct sigma_correlation *corr)
{
    bool counts_values = corr->type != CORR_EVENT_COUNT && !is_temporal(corr->type);
    const struct yaml_node *field = yaml_key(map, "field");
    const struct yaml_node *percentile = yaml_key(map, "percentile");
    if (corr->n_bounds == 0)
        return READ_REFUSE(rd, ERR_INVALID, map->pos,
                           "the condition has none of gt, gte, lt, lte, eq, neq");
    if (counts_values && corr->n_fields == 0)
        return READ_REFUSE(rd, ERR_INVALID, map->pos, "a %s condition needs a `field`",
                           type_names[corr->type]);
    if (!counts_values && field)
        return READ_REFUSE(rd, ERR_INVALID, field->pos, "`field` has no meaning for %s",
                           type_names[corr->type]);
    if (corr->n_fields > 1 && corr->type != CORR_VALUE_COUNT)
        return READ_REFUSE(rd, ERR_INVALID, field->value->pos, "%s takes one field",
                           type_names[corr->type]);
    if (percentile && corr->type != CORR_VALUE_PERCENTILE)
        return READ_REFUSE(rd, ERR_INVALID, percentile->pos, "`percentile` has no meaning for %s",
                           type_names[corr->type]);
    return 0;
}

static int read_condition_map(struct sigma_reading *rd, const struct yaml_node *map,
                              struct sigma_correlation *ret)
{
    static const char *const known[] = {"gt",  "gte",   "lt",         "lte", "eq",
                                        "neq", "field", "percentile", NULL};
    int error = sigma_read_keys(rd, map, "the condition", known);
    for (const struct yaml_node *key = map->first; key && !error; key = key->next) {
        for (unsigned i = 0; i < sizeof cmp_names / sizeof *cmp_names && !error; i++) {
            if (!slice_eq(key->text, slice_of(cmp_names[i]))) continue;
            if (ret->n_bounds == 2)
                return READ_REFUSE(rd, ERR_INVALID, key->pos,
                                   "the condition has more than two bounds");
            ret->bound[ret->n_bounds].cmp = (enum sigma_cmp)i;
            error = read_number(rd, key, &ret->bound[ret->n_bounds].value);
            ret->n_bounds++;
        }
    }
    if (!error)
        error = read_slices(rd, yaml_get(map, "field"), "`field`", &ret->fields, &ret->n_fields);
    const struct yaml_node *percentile = yaml_key(map, "percentile");
    if (!error && percentile) {
        error = read_number(rd, percentile, &ret->percentile);
        if (!error && (ret->percentile < 0 || ret->percentile > 100))
            error = READ_REFUSE(rd, ERR_INVALID, percentile->value->pos,
                                "`percentile` must be from 0 to 100");
    }
    return error ? error : check_condition(rd, map, ret);
}

static void mark_used(const struct sigma_cond *cond, bool *used)
{
    if (cond->kind == COND_SEARCH) used[cond->search] = true;
    for (uint32_t i = 0; i < cond->n_children; i++) mark_used(cond->child[i], used);
}

/* `condition: a and not b`: the rules stand where a detection's condition has searches. */
static int read_extended(struct sigma_reading *rd, const struct yaml_node *node,
                         struct sigma_correlation *ret)
{
    if (!is_temporal(ret->type))
        return READ_REFUSE(rd, ERR_INVALID, node->pos,
                           "the condition of %s must be a map with gt, gte, lt, lte, eq or neq",
                           type_names[ret->type]);
    struct sigma_value text;
    int error = sigma_read_value(rd, node, "`condition`", &text);
    if (error) return error;
    if (ret->n_rules == 0) {
        struct sigma_value *names;
        error = sigma_cond_names(rd->arena, &text, &names, &ret->n_rules);
        if (error) return error;
        ret->rules = names;
    }
    struct sigma_search *searches = arena_zalloc(rd->arena, ret->n_rules, sizeof *searches);
    bool *used = arena_zalloc(rd->arena, ret->n_rules, sizeof *used);
    if (!searches || !used) return ERR_NOMEM;
    for (uint32_t i = 0; i < ret->n_rules; i++) searches[i].name = ret->rules[i].text;
    error = sigma_cond_parse(rd->arena, rd->file, &text, searches, ret->n_rules, &ret->condition,
                             rd->diag);
    if (error) return error;
    mark_used(ret->condition, used);
    for (uint32_t i = 0; i < ret->n_rules; i++) {
        char shown[HINT_SHOW_SIZE];
        if (!used[i])
            return READ_REFUSE(rd, ERR_INVALID, ret->rules[i].pos,
                               "the rule `%s` is listed, but the condition does not name it",
                               hint_show(shown, ret->rules[i].text));
    }
    return 0;
}

static int read_rules(struct sigma_reading *rd, const struct yaml_node *key,
                      struct sigma_correlation *ret)
{
    struct sigma_value *rules;
    int error = sigma_read_list(rd, yaml_get(key->value, "rules"), "`rules`", SIGMA_NAMES_MAX,
                                &rules, &ret->n_rules);
    if (error) return error;
    ret->rules = rules;
    const struct yaml_node *condition = yaml_get(key->value, "condition");
    bool extended = is_temporal(ret->type) && condition && condition->kind == YAML_SCALAR &&
                    condition->type != YAML_NULL;
    if (ret->n_rules == 0 && !extended) return missing(rd, key, "rules");
    for (uint32_t i = 0; i < ret->n_rules; i++) {
        for (uint32_t j = 0; j < i; j++) {
            char shown[HINT_SHOW_SIZE];
            if (slice_eq(rules[i].text, rules[j].text))
                return READ_REFUSE(rd, ERR_INVALID, rules[i].pos, "the rule `%s` is listed twice",
                                   hint_show(shown, rules[i].text));
        }
    }
    return 0;
}

/* `generate` stands in `correlation` in practice and at the top in the JSON schema. */
static int read_generate(struct sigma_reading *rd, const struct yaml_node *root,
                         const struct yaml_node *key, bool *ret)
{
    const struct yaml_node *inner = yaml_get(key->value, "generate");
    const struct yaml_node *outer = yaml_get(root, "generate");
    if (!is_null(inner) && !is_null(outer))
        return READ_REFUSE(rd, ERR_INVALID, outer->pos, "`generate` is written twice");
    const struct yaml_node *node = is_null(inner) ? outer : inner;
    return is_null(node) ? 0 : sigma_read_bool(rd, node, "`generate`", ret);
}

int sigma_read_correlation(struct sigma_reading *rd, const struct yaml_node *root,
                           struct sigma_correlation *ret)
{
    static const char *const known[] = {"type",    "rules",    "group-by",  "timespan",
                                        "aliases", "generate", "condition", NULL};
    const struct yaml_node *key = yaml_key(root, "correlation");
    const struct yaml_node *map = key->value;
    if (map->kind != YAML_MAP)
        return READ_REFUSE(rd, ERR_INVALID, is_null(map) ? key->pos : map->pos,
                           "`correlation` must be a map");
    ret->percentile = 50;
    int error = sigma_read_keys(rd, map, "`correlation`", known);
    if (!error) error = read_type(rd, key, &ret->type);
    if (!error) error = read_rules(rd, key, ret);
    if (!error)
        error = read_slices(rd, yaml_get(map, "group-by"), "`group-by`", &ret->group_by,
                            &ret->n_group_by);
    if (!error) error = read_timespan(rd, key, &ret->timespan);
    if (!error) error = read_aliases(rd, key, ret);
    if (!error) error = read_generate(rd, root, key, &ret->generate);
    if (error) return error;

    const struct yaml_node *condition = yaml_get(map, "condition");
    if (is_null(condition)) return is_temporal(ret->type) ? 0 : missing(rd, key, "condition");
    if (condition->kind == YAML_MAP) return read_condition_map(rd, condition, ret);
    if (condition->kind == YAML_SCALAR) return read_extended(rd, condition, ret);
    return READ_REFUSE(rd, ERR_INVALID, condition->pos,
                       "the condition of a correlation must be a map, not a list");
}
