/* SPDX-License-Identifier: EUPL-1.2 */
/* Atoms no literal can prove, computed when a program asks. */
#include "base/time.h"
#include "base/utf8.h"
#include "detect/engine/state.h"
#include "detect/sigma/match.h"

static bool compare_number(double x, enum sigma_cmp cmp, double y)
{
    switch (cmp) {
    case CMP_LT:
        return x < y;
    case CMP_LTE:
        return x <= y;
    case CMP_GT:
        return x > y;
    case CMP_GTE:
        return x >= y;
    case CMP_EQ:
        return x == y;
    case CMP_NEQ:
        return x != y;
    }
    return false;
}

/* Time modifiers know no zones (Sigma modifiers 2.1.0): 21:47+02:00 is hour 21. */
static bool time_part_of(struct slice text, enum time_part part, double *ret)
{
    struct civil_time c;
    nsec t;
    if (part == TIME_POINT) {
        if (!time_parse(text, 0, &t)) return false;
        *ret = (double)t / (double)NSEC_PER_SEC;
        return true;
    }
    if (!time_parse_civil(text, &c)) return false;
    switch (part) {
    case TIME_MINUTE:
        *ret = c.minute;
        break;
    case TIME_HOUR:
        *ret = c.hour;
        break;
    case TIME_DAY:
        *ret = c.day;
        break;
    case TIME_WEEK:
        *ret = time_iso_week(&c);
        break;
    case TIME_MONTH:
        *ret = c.month;
        break;
    case TIME_YEAR:
        *ret = c.year;
        break;
    case TIME_POINT:
        break;
    }
    return true;
}

enum truth_value atom_holds(const struct sigma_atom *a, const struct regex *regex,
                            enum value_type type, struct slice text, struct slice folded)
{
    double number;
    if (type == VALUE_NULL) return TRUTH_FALSE;
    switch (a->op) {
    case ATOM_STRING:
    case ATOM_KEYWORD:
        if (a->words) return words_match(a->glob, a->n_glob, a->cased ? text : folded);
        if (glob_match(a->glob, a->n_glob, a->cased ? text : folded)) return TRUTH_TRUE;
        if (a->op == ATOM_STRING && a->numeric && type == VALUE_NUMBER &&
            slice_to_double(text, &number)) {
            double want;
            return a->n_glob == 1 && slice_to_double(a->glob[0].text, &want) && want == number;
        }
        return TRUTH_FALSE;
    case ATOM_REGEX: {
        int r = regex_match(regex, text);
        return r < 0 ? TRUTH_UNDETERMINED : r > 0 ? TRUTH_TRUE : TRUTH_FALSE;
    }
    case ATOM_NUMBER:
        return slice_to_double(text, &number) && compare_number(number, a->cmp, a->num);
    case ATOM_CIDR:
        return cidr_contains(a, text);
    case ATOM_LISTED:
        return listed_find(a->listed, folded) ? TRUTH_TRUE : TRUTH_FALSE;
    case ATOM_TIME:
        return time_part_of(text, a->part, &number) && compare_number(number, a->cmp, a->num);
    case ATOM_NULL:
    case ATOM_EXISTS:
    case ATOM_FIELDREF:
        break;
    }
    return TRUTH_FALSE;
}

bool event_has_below(struct engine *e, struct event *ev, struct slice name)
{
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct slice path = engine_plain_name(e, ev->fields[i].key);
        if (path.len > name.len && path.ptr[name.len] == '.' &&
            slice_eq(slice_until(path, name.len), name))
            return true;
    }
    return false;
}

static bool present(struct engine *e, const struct plan_field *f, uint32_t head)
{
    if (head) return true;
    for (uint32_t i = 0; i < f->n_names; i++)
        if (event_has_below(e, e->ev, f->names[i])) return true;
    return false;
}

static bool all_null(struct engine *e, uint32_t head)
{
    for (uint32_t n = head; n; n = e->values[n - 1].next)
        if (e->ev->fields[e->values[n - 1].field].type != VALUE_NULL) return false;
    return true;
}

/* Any value of one field against any of the other, folded unless cased. */
static enum truth_value compare_fields(struct engine *e, const struct plan_lazy *l)
{
    struct arena *arena = e->ev->arena;
    for (uint32_t n = e->value_head[l->field]; n; n = e->values[n - 1].next) {
        struct event_field *f = &e->ev->fields[e->values[n - 1].field];
        if (f->type == VALUE_NULL) continue;
        struct slice left = event_text(e->ev, f);
        if (!l->atom->cased) {
            char *p = arena_alloc(arena, utf8_fold_bound(left.len));
            if (!p) return TRUTH_UNDETERMINED;
            left = slice_make(p, utf8_fold(p, left));
        }
        for (uint32_t m = e->value_head[l->ref]; m; m = e->values[m - 1].next) {
            struct event_field *g = &e->ev->fields[e->values[m - 1].field];
            if (g->type == VALUE_NULL) continue;
            struct slice right = event_text(e->ev, g);
            if (!l->atom->cased) {
                char *p = arena_alloc(arena, utf8_fold_bound(right.len));
                if (!p) return TRUTH_UNDETERMINED;
                right = slice_make(p, utf8_fold(p, right));
            }
            if (anchor_match(left, right, l->atom->anchor)) return TRUTH_TRUE;
        }
    }
    return TRUTH_FALSE;
}

/* What an expression says of a value is remembered like what literals say of it. */
static enum truth_value search(struct engine *e, const struct plan_lazy *l, struct event_field *f)
{
    struct memo_key key = {l->regex, f->type == VALUE_JSON_STRING, f->value, 0};
    uint32_t n;
    const uint32_t *known = e->memo ? memo_find(e->memo, &key, &n) : NULL;
    if (known) return n ? TRUTH_TRUE : TRUTH_FALSE;
    enum truth_value v = atom_holds(l->atom, l->regex, f->type, event_text(e->ev, f), SLICE_NONE);
    e->stats.regexes++;
    if (v == TRUTH_UNDETERMINED) e->stats.regex_limits++;
    else if (e->memo) memo_keep(e->memo, &key, &(uint32_t){0}, v == TRUTH_TRUE);
    return v;
}

static enum truth_value any_value(struct engine *e, const struct plan_lazy *l,
                                  struct event_field *f)
{
    if (l->atom->op == ATOM_REGEX && f->type != VALUE_NULL) return search(e, l, f);
    struct slice text = event_text(e->ev, f), folded = text;
    if (l->atom->op == ATOM_STRING || l->atom->op == ATOM_KEYWORD) {
        if (!engine_text_room(e, text.len)) return TRUTH_UNDETERMINED;
        folded = slice_make(e->text, utf8_fold(e->text, text));
    }
    return atom_holds(l->atom, l->regex, f->type, text, folded);
}

enum truth_value lazy_evaluate(struct engine *e, const struct plan_lazy *l)
{
    const struct plan_field *f = &e->plan->fields[l->field];
    uint32_t head = e->value_head[l->field];
    enum truth_value result = TRUTH_FALSE;
    switch (l->atom->op) {
    case ATOM_NULL:
        return all_null(e, head) && (head || !present(e, f, head));
    case ATOM_EXISTS:
        return present(e, f, head) == l->atom->flag;
    case ATOM_FIELDREF:
        return compare_fields(e, l);
    default:
        break;
    }
    if (l->field == 0) { /* keywords: every value of the event */
        for (uint32_t i = 0; i < e->ev->n_fields && result != TRUTH_TRUE; i++) {
            if (e->ev->fields[i].derived) continue;
            enum truth_value v = any_value(e, l, &e->ev->fields[i]);
            if (v != TRUTH_FALSE) result = v;
        }
        return result;
    }
    for (uint32_t n = head; n && result != TRUTH_TRUE; n = e->values[n - 1].next) {
        enum truth_value v = any_value(e, l, &e->ev->fields[e->values[n - 1].field]);
        if (v != TRUTH_FALSE) result = v;
    }
    return result;
}
