/* SPDX-License-Identifier: EUPL-1.2 */
/* Why a rule holds, by the plain definitions: for alerts, `rules explain` and undecided cases. */
#include <stdlib.h>

#include "base/json_write.h"
#include "base/utf8.h"
#include "detect/engine/state.h"
#include "detect/sigma/match.h"

/* Which of the event's fields a rule's field stands for. */
struct names {
    struct slice name[FIELD_NAMES_MAX];
    uint32_t n;
};

static struct names names_of(const struct engine *e, const struct taxonomy_route *route,
                             const struct sigma_rule *rule, struct slice field)
{
    struct names names = {.n = 1};
    names.name[0] = field;
    if (!e->options.any_logsource && !sigma_field_has_stars(field))
        names.n = taxonomy_fields(route, &rule->logsource, field, names.name, FIELD_NAMES_MAX);
    return names;
}

static bool in_names(const struct names *names, struct slice plain)
{
    for (uint32_t i = 0; i < names->n; i++)
        if (engine_same_name(plain, names->name[i])) return true;
    return false;
}

struct inspection {
    struct engine *e;
    struct event *ev;
    const struct sigma_rule *rule;
    const struct taxonomy_route *route;
    const struct plan *plan; /* of this very event, or NULL: names are compared */
    struct slice *folded;    /* per field of the event, made when asked */
    struct engine_detail *details;
    uint32_t n_details, max_details;
};

static struct slice folded_text(struct event *ev, struct slice text)
{
    char *p = arena_alloc(ev->arena, utf8_fold_bound(text.len));
    return p ? slice_make(p, utf8_fold(p, text)) : SLICE_NONE;
}

/* The folded text of one field, remembered for the next atom that asks. */
static struct slice folded_field(struct inspection *in, uint32_t i, struct slice text)
{
    if (!in->folded) in->folded = arena_zalloc(in->ev->arena, in->ev->n_fields, sizeof *in->folded);
    if (!in->folded) return folded_text(in->ev, text);
    if (!in->folded[i].ptr) in->folded[i] = folded_text(in->ev, text);
    return in->folded[i];
}

/* Which fields of the event an atom looks at: by the plan where there is one, else by name. */
struct selection {
    uint32_t plan_field; /* UINT32_MAX: by name */
    bool everywhere;
    struct names names;
};

static struct selection select_fields(struct inspection *in, const struct sigma_atom *a)
{
    struct selection s = {.plan_field = UINT32_MAX, .everywhere = a->field.len == 0};
    if (s.everywhere) return s;
    if (in->plan) s.plan_field = plan_field_of(in->plan, a);
    if (s.plan_field == UINT32_MAX) s.names = names_of(in->e, in->route, in->rule, a->field);
    return s;
}

static bool selected(const struct inspection *in, const struct selection *s, key_id key)
{
    if (s->everywhere) return true;
    if (s->plan_field == UINT32_MAX) return in_names(&s->names, engine_plain_name(in->e, key));
    const uint32_t *list = in->plan->key_lists + in->plan->key_map[key];
    for (uint32_t k = 1; k <= list[0]; k++)
        if (list[k] == s->plan_field) return true;
    return false;
}

static void note(struct inspection *in, const struct sigma_atom *a, struct slice field,
                 struct slice value, struct slice folded)
{
    if (!in->details || in->n_details == in->max_details) return;
    const struct listed_value *listed =
        a->op == ATOM_LISTED ? listed_find(a->listed, folded) : NULL;
    in->details[in->n_details++] = (struct engine_detail){field, value, a->pattern, listed};
}

static enum truth_value compare_refs(struct inspection *in, const struct sigma_atom *a,
                                     const struct names *names)
{
    struct names other = names_of(in->e, in->route, in->rule, a->ref);
    struct event *ev = in->ev;
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        if (!in_names(names, engine_plain_name(in->e, ev->fields[i].key))) continue;
        for (uint32_t k = 0; k < ev->n_fields; k++) {
            if (ev->fields[i].type == VALUE_NULL || ev->fields[k].type == VALUE_NULL) continue;
            if (!in_names(&other, engine_plain_name(in->e, ev->fields[k].key))) continue;
            struct slice x = event_text(ev, &ev->fields[i]), y = event_text(ev, &ev->fields[k]);
            struct slice fx = a->cased ? x : folded_text(ev, x),
                         fy = a->cased ? y : folded_text(ev, y);
            if (!anchor_match(fx, fy, a->anchor)) continue;
            note(in, a, keys_name(in->e->keys, ev->fields[i].key), x, fx);
            return TRUTH_TRUE;
        }
    }
    return TRUTH_FALSE;
}

static enum truth_value presence(struct inspection *in, const struct sigma_atom *a,
                                 const struct names *names)
{
    bool here = false, all_null = true;
    for (uint32_t i = 0; i < in->ev->n_fields; i++) {
        if (!in_names(names, engine_plain_name(in->e, in->ev->fields[i].key))) continue;
        here = true;
        all_null &= in->ev->fields[i].type == VALUE_NULL;
    }
    bool below = false;
    for (uint32_t i = 0; !here && i < names->n; i++)
        below |= event_has_below(in->e, in->ev, names->name[i]);
    bool holds = a->op == ATOM_EXISTS ? (here || below) == a->flag : all_null && !below;
    if (holds) note(in, a, a->field, SLICE(""), SLICE(""));
    return holds ? TRUTH_TRUE : TRUTH_FALSE;
}

/* Truth of one atom over all values of its field, noting the first that satisfies it. */
static enum truth_value inspect_atom(struct inspection *in, const struct sigma_atom *a)
{
    if (a->op == ATOM_FIELDREF || a->op == ATOM_NULL || a->op == ATOM_EXISTS) {
        struct names names = names_of(in->e, in->route, in->rule, a->field);
        return a->op == ATOM_FIELDREF ? compare_refs(in, a, &names) : presence(in, a, &names);
    }
    struct selection s = select_fields(in, a);
    struct regex *regex = NULL;
    if (a->op == ATOM_REGEX && regex_compile(a->regex, a->regex_flags, NULL, &regex) < 0)
        return TRUTH_FALSE;
    enum truth_value result = TRUTH_FALSE;
    for (uint32_t i = 0; i < in->ev->n_fields && result != TRUTH_TRUE; i++) {
        struct event_field *f = &in->ev->fields[i];
        if (f->type == VALUE_NULL || !selected(in, &s, f->key)) continue;
        if (f->derived && s.everywhere) continue;
        struct slice text = event_text(in->ev, f);
        struct slice folded = a->op == ATOM_REGEX ? text : folded_field(in, i, text);
        enum truth_value v = atom_holds(a, regex, f->type, text, folded);
        if (v == TRUTH_FALSE) continue;
        result = v;
        note(in, a, keys_name(in->e->keys, f->key), text, folded);
    }
    regex_free(regex);
    return result;
}

static enum truth_value negate(enum truth_value v)
{
    return v == TRUTH_UNDETERMINED ? v : v == TRUTH_TRUE ? TRUTH_FALSE : TRUTH_TRUE;
}

/* Kleene's three-valued logic. Details are collected in positive positions of true branches only.
 */
static enum truth_value inspect(struct inspection *in, const struct sigma_expr *x)
{
    uint32_t mark = in->n_details;
    enum truth_value v;
    switch (x->kind) {
    case EXPR_TRUE:
        return TRUTH_TRUE;
    case EXPR_FALSE:
        return TRUTH_FALSE;
    case EXPR_ATOM:
        return inspect_atom(in, x->atom);
    case EXPR_NOT: {
        struct engine_detail *keep = in->details;
        in->details = NULL;
        v = negate(inspect(in, x->child[0]));
        in->details = keep;
        return v;
    }
    case EXPR_AND:
        v = TRUTH_TRUE;
        for (uint32_t i = 0; i < x->n_children && v != TRUTH_FALSE; i++) {
            enum truth_value c = inspect(in, x->child[i]);
            if (c != TRUTH_TRUE) v = c;
        }
        if (v == TRUTH_FALSE) in->n_details = mark;
        return v;
    case EXPR_OR:
        v = TRUTH_FALSE;
        for (uint32_t i = 0; i < x->n_children; i++) {
            enum truth_value c = inspect(in, x->child[i]);
            if (c == TRUTH_TRUE) v = c;
            else if (c == TRUTH_UNDETERMINED && v == TRUTH_FALSE) v = c;
            if (v == TRUTH_TRUE && !in->details) break;
        }
        return v;
    }
    return TRUTH_FALSE;
}

/*
 * The same for what is known to be true, where conjunctions need no proof: their exclusions, often
 * the longest part of a rule, say nothing about what matched.
 */
static void inspect_true(struct inspection *in, const struct sigma_expr *x)
{
    if (x->kind == EXPR_NOT) return;
    if (x->kind != EXPR_AND) {
        (void)inspect(in, x);
        return;
    }
    for (uint32_t i = 0; i < x->n_children; i++) inspect_true(in, x->child[i]);
}

static struct inspection inspection_of(struct engine *e, struct event *ev,
                                       const struct sigma_rule *rule)
{
    return (struct inspection){
        .e = e,
        .ev = ev,
        .rule = rule,
        .plan = e->ev == ev ? e->plan : NULL,
        .route = e->options.any_logsource ? NULL
                 : e->ev == ev            ? e->route
                                          : router_route(e->router, ev),
    };
}

enum truth_value tree_evaluate(struct engine *e, struct event *ev, const struct sigma_rule *rule,
                               const struct sigma_expr *expr)
{
    struct inspection in = inspection_of(e, ev, rule);
    return inspect(&in, expr);
}

uint32_t engine_details(struct engine *e, struct event *ev, const struct engine_hit *hit,
                        struct engine_detail *ret, uint32_t max)
{
    struct inspection in = inspection_of(e, ev, hit->rule);
    in.details = ret;
    in.max_details = max;
    if (hit->undetermined) (void)inspect(&in, hit->rule->expr);
    else inspect_true(&in, hit->rule->expr);
    return in.n_details;
}

static void write_indicator(struct buf *out, const struct listed_value *v)
{
    json_write_key(out, "indicator");
    buf_putc(out, '{');
    json_write_member_string(out, "value", v->value);
    json_write_member_string(out, "description", v->description);
    json_write_member_string(out, "source", v->source);
    buf_putc(out, '}');
}

void engine_write_matched(struct engine *e, struct event *ev, const struct engine_hit *hit,
                          struct buf *out)
{
    struct engine_detail details[64];
    uint32_t n = engine_details(e, ev, hit, details, 64);
    buf_putc(out, '[');
    for (uint32_t i = 0; i < n; i++) {
        if (i) buf_putc(out, ',');
        buf_putc(out, '{');
        json_write_member_string(out, "field", details[i].field);
        json_write_member_string(out, "value", details[i].value);
        json_write_member_string(out, "pattern", details[i].pattern);
        if (details[i].listed) write_indicator(out, details[i].listed);
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}

bool engine_field(struct engine *e, struct event *ev, const struct sigma_rule *rule,
                  struct slice field, struct slice *ret)
{
    struct inspection in = inspection_of(e, ev, rule);
    struct names names = names_of(e, in.route, rule, field);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        if (ev->fields[i].type == VALUE_NULL) continue;
        if (!in_names(&names, engine_plain_name(e, ev->fields[i].key))) continue;
        *ret = event_text(ev, &ev->fields[i]);
        return true;
    }
    return false;
}

uint64_t engine_path_is(struct engine *e, const struct sigma_rule *rule, const struct slice *fields,
                        uint32_t n, key_id key)
{
    uint64_t is = 0;
    struct slice path = engine_plain_name(e, key);
    ASSERT(n <= 64);
    for (uint32_t i = 0; i < n; i++) {
        struct names names = names_of(e, e->route, rule, fields[i]);
        is |= (uint64_t)in_names(&names, path) << i;
    }
    return is;
}

static const char *truth_name(enum truth_value v)
{
    return v == TRUTH_TRUE ? "true " : v == TRUTH_FALSE ? "false" : "?????";
}

static void explain_node(struct inspection *in, const struct sigma_expr *x, unsigned depth,
                         struct buf *out)
{
    static const char *const names[] = {
        [EXPR_AND] = "and", [EXPR_OR] = "or",     [EXPR_NOT] = "not",
        [EXPR_ATOM] = "",   [EXPR_TRUE] = "true", [EXPR_FALSE] = "false"};
    struct engine_detail detail;
    in->details = &detail;
    in->max_details = 1;
    in->n_details = 0;
    enum truth_value v = inspect(in, x);
    buf_printf(out, "%s %*s", truth_name(v), (int)(depth * 2), "");
    if (x->label.len) buf_printf(out, "%.*s: ", SLICE_FMT(x->label));
    buf_puts(out, names[x->kind]);
    if (x->kind == EXPR_ATOM) {
        const struct sigma_atom *a = x->atom;
        buf_printf(out, "%.*s ", SLICE_FMT(a->field.len ? a->field : SLICE("(any value)")));
        buf_puts(out, atom_op_text(a));
        buf_putc(out, ' ');
        json_write_string(out, a->pattern);
        if (v == TRUTH_TRUE && in->n_details) {
            buf_printf(out, "   <- %.*s = ", SLICE_FMT(detail.field));
            json_write_string(out, slice_until(detail.value, 200));
        }
    }
    in->details = NULL;
    buf_putc(out, '\n');
    for (uint32_t i = 0; i < x->n_children; i++) explain_node(in, x->child[i], depth + 1, out);
}

void engine_explain(struct engine *e, struct event *ev, const struct sigma_rule *rule,
                    struct buf *out)
{
    struct inspection in = inspection_of(e, ev, rule);
    in.plan = NULL; /* the rule need not be in the event's plan */
    explain_node(&in, rule->expr, 0, out);
}
