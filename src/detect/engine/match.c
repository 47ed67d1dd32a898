/* SPDX-License-Identifier: EUPL-1.2 */
/* The hot path: one event through its plan. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "detect/engine/fold.h"
#include "detect/engine/state.h"
#include "detect/sigma/match.h"

enum { READINGS_MAX = 4 };

struct engine *engine_new(const struct sigma_set *set, const struct taxonomy *taxonomy,
                          const struct engine_options *options)
{
    struct engine *e = calloc(1, sizeof *e);
    if (!e) return NULL;
    e->set = set;
    e->taxonomy = taxonomy;
    e->options = *options;
    e->keys = keys_new();
    e->router = e->keys ? router_new(taxonomy, e->keys) : NULL;
    if (!options->no_memo) e->memo = memo_new();
    if (!e->router || !engine_text_room(e, 64 * 1024) || (!e->memo && !options->no_memo)) {
        engine_free(e);
        return NULL;
    }
    return e;
}

void engine_free(struct engine *e)
{
    if (!e) return;
    for (uint32_t i = 0; i < e->n_plans; i++) plan_free(e->plans[i]);
    free(e->plans);
    free(e->by_route);
    free(e->plain);
    free(e->bits);
    free(e->touched);
    free(e->needle_stamp);
    free(e->needle_out);
    free(e->rule_stamp);
    free(e->candidates);
    free(e->hits);
    free(e->lazy);
    free(e->lazy_touched);
    free(e->value_head);
    free(e->value_fields);
    free(e->values);
    free(e->text);
    memo_free(e->memo);
    router_free(e->router);
    keys_free(e->keys);
    free(e);
}

struct keys *engine_keys(struct engine *e)
{
    return e->keys;
}

void engine_set_reading(struct engine *e, const struct engine_reading *reading)
{
    e->reading = *reading;
}

struct router *engine_router(struct engine *e)
{
    return e->router;
}

void engine_housekeep(struct engine *e)
{
    if (keys_full(e->keys)) keys_clear(e->keys);
}

bool engine_text_room(struct engine *e, size_t n)
{
    size_t want = utf8_fold_bound(n) + LITERAL_SLACK;
    if (want <= e->text_cap) return true;
    want += want / 2;
    char *p = realloc(e->text, want);
    if (!p) return false;
    e->text = p;
    e->text_cap = want;
    e->stats.mallocs++;
    return true;
}

/* Grows every per-plan scratch array to fit p. */
static void fit_scratch(struct engine *e, const struct plan *p)
{
#define FIT(cap, need, ...)                                                                        \
    if ((need) > e->cap) {                                                                         \
        uint32_t want_ = (need) + (need) / 4 + 64;                                                 \
        __VA_ARGS__;                                                                               \
        e->cap = want_;                                                                            \
    }
#define ROOM(array, n)                                                                             \
    do {                                                                                           \
        free(e->array);                                                                            \
        e->array = calloc((n), sizeof *e->array);                                                  \
        ASSERT(e->array);                                                                          \
    } while (0)
    FIT(cap_truths, p->n_truths, ROOM(bits, want_ / 64 + 1); ROOM(touched, want_))
    FIT(cap_needles, p->n_needles, ROOM(needle_stamp, want_); ROOM(needle_out, want_))
    FIT(cap_rules, p->n_rules, ROOM(rule_stamp, want_); ROOM(candidates, want_); ROOM(hits, want_))
    FIT(cap_lazy, p->n_lazy, ROOM(lazy, want_); ROOM(lazy_touched, want_))
    FIT(cap_fields, p->n_fields, ROOM(value_head, want_); ROOM(value_fields, want_))
#undef ROOM
#undef FIT
}

/* A rule that names what must not be would hold for every event of a source nobody knows. */
static bool rule_applies(const struct taxonomy_route *route, const struct sigma_rule *rule)
{
    return taxonomy_applies(route, &rule->logsource) &&
           (taxonomy_says(route, &rule->logsource) || !expr_holds_for_nothing(rule->expr));
}

static struct plan *plan_compile(struct engine *e, const struct taxonomy_route *route)
{
    const struct sigma_rule **rules = calloc(e->set->n_rules + 1, sizeof(struct sigma_rule *));
    ASSERT(rules);
    struct plan_source source = {.rules = rules, .route = route};
    for (uint32_t i = 0; i < e->set->n_rules; i++) {
        const struct sigma_rule *r = e->set->rules[i];
        if (route && !rule_applies(route, r)) continue;
        rules[source.n_rules++] = r;
        source.signature = hash_mix(source.signature, r->index + 1);
    }
    for (uint32_t i = 0; route && i < route->n_labels; i++)
        if (route->labels[i].map)
            source.signature =
                hash_mix(source.signature, (uint64_t)(uintptr_t)route->labels[i].map);
    if (route && route->beside) source.signature = hash_mix(source.signature, route->beside);
    struct plan *p = NULL;
    for (uint32_t i = 0; i < e->n_plans && !p; i++)
        if (e->plans[i]->signature == source.signature && e->plans[i]->n_rules == source.n_rules)
            p = e->plans[i];
    if (!p) {
        p = plan_new(&source);
        ASSERT(p);
        struct plan **grown = realloc(e->plans, (e->n_plans + 1) * sizeof(struct plan *));
        ASSERT(grown);
        e->plans = grown;
        e->plans[e->n_plans++] = p;
        fit_scratch(e, p);
        e->stats.plans = e->n_plans;
        e->stats.plan_bytes += p->bytes;
    }
    free(rules);
    return p;
}

static struct route_state *state_of(struct engine *e, const struct taxonomy_route *route)
{
    uint32_t id = route ? route->id : 0;
    if (id >= e->n_by_route) {
        uint32_t want = id + 64;
        struct route_state *grown = realloc(e->by_route, want * sizeof *grown);
        ASSERT(grown);
        memset(grown + e->n_by_route, 0, (want - e->n_by_route) * sizeof *grown);
        e->by_route = grown;
        e->n_by_route = want;
    }
    return &e->by_route[id];
}

static struct plan *plan_for(struct engine *e, const struct taxonomy_route *route)
{
    struct route_state *state = state_of(e, route);
    if (!state->plan) state->plan = plan_compile(e, route);
    return state->plan;
}

struct slice engine_plain_name(struct engine *e, key_id key)
{
    if (e->plain_generation != keys_generation(e->keys)) {
        if (e->n_plain) memset(e->plain, 0, e->n_plain * sizeof *e->plain);
        e->plain_generation = keys_generation(e->keys);
    }
    if (key >= e->n_plain) {
        uint32_t want = keys_count(e->keys) + 256;
        struct slice *grown = realloc(e->plain, want * sizeof *grown);
        ASSERT(grown);
        memset(grown + e->n_plain, 0, (want - e->n_plain) * sizeof *grown);
        e->plain = grown;
        e->n_plain = want;
        e->stats.mallocs++;
    }
    if (!e->plain[key].ptr) {
        struct slice name = keys_name(e->keys, key);
        e->plain[key] = e->options.any_logsource ? name : taxonomy_plain_name(e->taxonomy, name);
    }
    return e->plain[key];
}

bool engine_same_name(struct slice path, struct slice rule_field)
{
    if (slice_find_byte(path, ' ') == SIZE_MAX) return slice_eq(path, rule_field);
    char text[KEY_NAME_MAX];
    size_t n = 0;
    for (size_t i = 0; i < path.len && n < sizeof text; i++)
        if (path.ptr[i] != ' ') text[n++] = path.ptr[i];
    return slice_eq(slice_make(text, n), rule_field);
}

/* A field with stars, of which the last that was met takes what does not fit elsewhere. */
static bool stars_fit(struct slice path, struct slice field)
{
    size_t i = 0, k = 0, star = SIZE_MAX, again = 0;
    while (i < path.len) {
        if (k < field.len && field.ptr[k] == SIGMA_FIELD_STAR) {
            star = k++;
            again = i;
        } else if (k < field.len && field.ptr[k] == path.ptr[i]) {
            i++;
            k++;
        } else if (path.ptr[i] == ' ') {
            i++;
        } else if (star != SIZE_MAX) {
            k = star + 1;
            i = ++again;
        } else {
            return false;
        }
    }
    while (k < field.len && field.ptr[k] == SIGMA_FIELD_STAR) k++;
    return k == field.len;
}

/* Whether an event's path is a field of the plan; one with stars is compared with all of the path.
 */
static bool is_field(struct engine *e, key_id key, struct slice field)
{
    struct slice plain = engine_plain_name(e, key);
    if (!sigma_field_has_stars(field)) return engine_same_name(plain, field);
    return stars_fit(keys_name(e->keys, key), field) || stars_fit(plain, field);
}

/* First sight of a path under this plan: which of its fields read it. */
static uint32_t map_key(struct engine *e, struct plan *p, key_id key)
{
    if (p->key_generation != keys_generation(e->keys)) {
        if (p->key_cap) memset(p->key_map, 0xff, p->key_cap * sizeof *p->key_map);
        p->n_key_lists = 0;
        p->key_generation = keys_generation(e->keys);
    }
    if (key >= p->key_cap) {
        uint32_t want = keys_count(e->keys) + 256;
        uint32_t *grown = realloc(p->key_map, want * sizeof *grown);
        ASSERT(grown);
        memset(grown + p->key_cap, 0xff, (want - p->key_cap) * sizeof *grown);
        p->key_map = grown;
        p->key_cap = want;
        e->stats.mallocs++;
    }
    if (p->key_map[key] != UINT32_MAX) return p->key_map[key];
    uint32_t n = 0;
    if (p->n_key_lists + p->n_fields + 2 > p->cap_key_lists) {
        p->cap_key_lists = p->cap_key_lists * 2 + p->n_fields + 64;
        p->key_lists = realloc(p->key_lists, p->cap_key_lists * sizeof *p->key_lists);
        ASSERT(p->key_lists);
        e->stats.mallocs++;
    }
    if (p->n_key_lists == 0) p->key_lists[p->n_key_lists++] = 0; /* list 0 is the empty one */
    uint32_t *list = p->key_lists + p->n_key_lists;
    for (uint32_t f = 1; f < p->n_fields; f++)
        for (uint32_t i = 0; i < p->fields[f].n_names; i++)
            if (is_field(e, key, p->fields[f].names[i])) {
                list[++n] = f;
                break;
            }
    p->key_map[key] = 0;
    if (n) {
        list[0] = n;
        p->key_map[key] = p->n_key_lists;
        p->n_key_lists += n + 1;
    }
    return p->key_map[key];
}

static inline void set_truth(struct engine *e, const struct plan *p, uint32_t truth)
{
    uint64_t bit = UINT64_C(1) << (truth & 63);
    if (e->bits[truth >> 6] & bit) return;
    e->bits[truth >> 6] |= bit;
    e->touched[e->n_touched++] = truth;
    struct plan_list l = p->trigger[truth];
    for (uint32_t i = l.at; i < l.at + l.n; i++) {
        uint32_t rule = p->index[i];
        if (e->rule_stamp[rule] == e->now) continue;
        e->rule_stamp[rule] = e->now;
        e->candidates[e->n_candidates++] = rule;
    }
}

static inline void set_needles(struct engine *e, const struct plan *p, const uint32_t *needles,
                               uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct plan_list l = p->posting[needles[i]];
        for (uint32_t k = l.at; k < l.at + l.n; k++) set_truth(e, p, p->index[k]);
    }
}

/* A JSON number written differently from the rule's (4688.0) is still that number. */
static void match_numerics(struct engine *e, const struct plan *p, const struct plan_field *f,
                           struct slice text)
{
    double value;
    if (!slice_to_double(text, &value)) return;
    for (uint32_t i = 0; i < f->n_numerics; i++)
        if (f->numerics[i].value == value) set_needles(e, p, &f->numerics[i].needle, 1);
}

/* One scan of one value; stamps keep a needle that occurs twice from being reported twice. */
static struct literal_hits scan(struct engine *e, const struct literal_set *set, size_t len)
{
    if (++e->scan == 0) { /* stamps wrapped: forget the old ones */
        memset(e->needle_stamp, 0, e->cap_needles * sizeof *e->needle_stamp);
        e->scan = 1;
    }
    struct literal_hits hits = {e->needle_stamp, e->scan, e->needle_out, 0};
    literal_set_scan(set, e->text, len, &hits);
    return hits;
}

/* Escapes give no more than they take; folding may. */
static bool is_too_short(const struct literal_set *set, size_t len)
{
    return len * UTF8_FOLD_GROWTH_NUM / UTF8_FOLD_GROWTH_DEN < literal_set_shortest(set);
}

/* Which needles of the set are in the value, folded; valid until the next search. */
static const uint32_t *find_folded(struct engine *e, const struct literal_set *set,
                                   struct event_field *v, uint32_t *ret_n)
{
    *ret_n = 0;
    if (is_too_short(set, v->value.len)) return e->needle_out;
    struct memo_key key = {set, v->type == VALUE_JSON_STRING, v->value, 0};
    const uint32_t *known = e->memo ? memo_find(e->memo, &key, ret_n) : NULL;
    if (known) return known;
    if (!engine_text_room(e, v->value.len)) return NULL;
    size_t len = fold_value(e->text, e->ev, v);
    struct literal_hits hits = scan(e, set, len);
    if (e->memo) memo_keep(e->memo, &key, hits.out, hits.n);
    *ret_n = hits.n;
    return hits.out;
}

static void look(struct engine *e, const struct plan *p, const struct plan_field *f,
                 struct event_field *v)
{
    if (f->folded) {
        uint32_t n;
        const uint32_t *found = find_folded(e, f->folded, v, &n);
        set_needles(e, p, found, n);
        if (f->n_numerics && v->type == VALUE_NUMBER &&
            (f->odd_numerics || !plan_is_plain_integer(v->value)))
            match_numerics(e, p, f, v->value);
    }
    if (f->cased) {
        struct slice text = event_text(e->ev, v);
        if (!engine_text_room(e, text.len)) return;
        if (text.len) memcpy(e->text, text.ptr, text.len);
        struct literal_hits hits = scan(e, f->cased, text.len);
        set_needles(e, p, hits.out, hits.n);
    }
}

static void keep_value(struct engine *e, uint32_t field, uint32_t index)
{
    if (e->n_values == e->cap_values) {
        uint32_t want = e->cap_values * 2 + 256;
        struct value_node *grown = realloc(e->values, want * sizeof *grown);
        ASSERT(grown);
        e->values = grown;
        e->cap_values = want;
        e->stats.mallocs++;
    }
    if (e->value_head[field] == 0) e->value_fields[e->n_value_fields++] = field;
    e->values[e->n_values++] = (struct value_node){index, e->value_head[field]};
    e->value_head[field] = e->n_values;
}

static void feed(struct engine *e, struct plan *p, struct event *ev)
{
    bool fresh = p->key_generation == keys_generation(e->keys);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *v = &ev->fields[i];
        uint32_t list = fresh && v->key < p->key_cap ? p->key_map[v->key] : UINT32_MAX;
        if (__builtin_expect(list == UINT32_MAX, 0)) {
            list = map_key(e, p, v->key);
            fresh = true;
        }
        if (list == 0) continue;
        for (uint32_t k = 1; k <= p->key_lists[list]; k++) {
            uint32_t field = p->key_lists[list + k];
            const struct plan_field *f = &p->fields[field];
            if (f->keep_values) keep_value(e, field, i);
            if (v->type == VALUE_NULL) continue;
            if (f->any_truth != UINT32_MAX) set_truth(e, p, f->any_truth);
            if (f->folded || f->cased) look(e, p, f, v);
        }
    }
}

/* ---- keywords ---------------------------------------------------------------------------- */

/* Words are looked for in values, and not in those that are made of others. */
static bool may_have_words(const struct event_field *v)
{
    return v->type != VALUE_NULL && !v->derived && v->value.len > 0;
}

static bool continues_character(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/*
 * Whether the value is bytes of the record as they are, and no character is cut at its ends: then
 * all that is in the folded value is in the folded record.
 */
static bool is_in_record(struct slice raw, const struct event_field *v)
{
    uintptr_t from = (uintptr_t)raw.ptr, at = (uintptr_t)v->value.ptr;
    if (at < from || at - from >= raw.len || v->value.len > raw.len - (at - from)) return false;
    const char *end = v->value.ptr + v->value.len;
    if (continues_character(*v->value.ptr)) return false;
    if (end < raw.ptr + raw.len && continues_character(*end)) return false;
    return v->type != VALUE_JSON_STRING || slice_find_byte(v->value, '\\') == SIZE_MAX;
}

/*
 * Whether a keyword may wake a rule. Most values are bytes of the record, which is looked through
 * once instead of them; what is found there may be in none of them.
 */
static bool may_wake(struct engine *e, const struct plan *p, struct event *ev)
{
    bool any_in_record = false;
    uint32_t n;
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *v = &ev->fields[i];
        if (!may_have_words(v)) continue;
        if (is_in_record(ev->raw, v)) any_in_record = true;
        else if ((void)find_folded(e, p->waking, v, &n), n) return true;
    }
    if (!any_in_record) return false;
    if (!engine_text_room(e, ev->raw.len)) return true;
    return scan(e, p->waking, utf8_fold(e->text, ev->raw)).n > 0;
}

static bool any_asks_keywords(const struct engine *e, const struct plan *p)
{
    for (uint32_t i = 0; i < e->n_candidates; i++)
        if (p->asks_keywords[e->candidates[i]]) return true;
    return false;
}

/* Behind feed(), which wakes those that ask for keywords beside something else. */
static void feed_keywords(struct engine *e, const struct plan *p, struct event *ev)
{
    if (p->waking && !any_asks_keywords(e, p) && !may_wake(e, p, ev)) return;
    for (uint32_t i = 0; i < ev->n_fields; i++)
        if (may_have_words(&ev->fields[i])) look(e, p, &p->fields[0], &ev->fields[i]);
}

/* ---- rules ------------------------------------------------------------------------------- */

static bool lazy_truth(struct engine *e, const struct plan *p, uint32_t i)
{
    if (e->lazy[i] == LAZY_UNKNOWN) {
        enum truth_value v = lazy_evaluate(e, &p->lazy[i]);
        e->lazy[i] = v == TRUTH_TRUE    ? LAZY_TRUE
                     : v == TRUTH_FALSE ? LAZY_FALSE
                                        : LAZY_UNDETERMINED;
        e->lazy_touched[e->n_lazy_touched++] = i;
    }
    if (e->lazy[i] == LAZY_UNDETERMINED) e->undetermined = true;
    return e->lazy[i] != LAZY_FALSE;
}

static bool run_program(struct engine *e, const struct plan *p, uint32_t at)
{
    while (at < PROGRAM_REJECT) {
        const struct plan_insn *in = &p->code[at];
        bool holds = in->truth & PROGRAM_LAZY ? lazy_truth(e, p, in->truth & ~PROGRAM_LAZY)
                                              : e->bits[in->truth >> 6] >> (in->truth & 63) & 1;
        at = holds ? in->if_true : in->if_false;
    }
    return at == PROGRAM_ACCEPT;
}

static void add_hits(struct engine *e, const struct plan *p, uint32_t i, bool undetermined)
{
    for (; i != UINT32_MAX; i = p->twin[i])
        e->hits[e->n_hits++] = (struct engine_hit){p->rules[i], undetermined};
}

static void run_rule(struct engine *e, const struct plan *p, uint32_t i)
{
    e->undetermined = false;
    e->stats.evaluations++;
    bool holds = run_program(e, p, p->entry[i]);
    if (__builtin_expect(e->undetermined, 0)) {
        enum truth_value v = tree_evaluate(e, e->ev, p->rules[i], p->rules[i]->expr);
        if (v != TRUTH_FALSE) add_hits(e, p, i, v == TRUTH_UNDETERMINED);
    } else if (holds) {
        add_hits(e, p, i, false);
    }
}

static int by_rule(const void *a, const void *b)
{
    uint32_t x = ((const struct engine_hit *)a)->rule->index;
    uint32_t y = ((const struct engine_hit *)b)->rule->index;
    return x < y ? -1 : x > y;
}

static void next_event(struct engine *e)
{
    for (uint32_t i = 0; i < e->n_touched; i++) e->bits[e->touched[i] >> 6] = 0;
    for (uint32_t i = 0; i < e->n_lazy_touched; i++) e->lazy[e->lazy_touched[i]] = LAZY_UNKNOWN;
    for (uint32_t i = 0; i < e->n_value_fields; i++) e->value_head[e->value_fields[i]] = 0;
    e->n_touched = e->n_lazy_touched = e->n_value_fields = e->n_values = 0;
    e->n_candidates = e->n_hits = 0;
    if (++e->now == 0) { /* stamps wrapped: forget the old ones */
        memset(e->rule_stamp, 0, e->cap_rules * sizeof *e->rule_stamp);
        e->now = 1;
    }
}

/* ---- reading ----------------------------------------------------------------------------- */

/* A rule's field is this path, or an object that the path lies in. */
static bool field_meets(struct slice field, struct slice path)
{
    if (sigma_field_has_stars(field)) return true;
    return engine_same_name(path, field) ||
           (path.len > field.len && path.ptr[field.len] == '.' && slice_starts_with(path, field));
}

/* Whether a rule of the plan looks at this path. */
static bool rules_ask(void *ctx, struct slice path)
{
    const struct plan *p = ctx;
    struct slice plain = taxonomy_plain_name(p->taxonomy, path);
    for (uint32_t f = 1; f < p->n_fields; f++)
        for (uint32_t i = 0; i < p->fields[f].n_names; i++)
            if (field_meets(p->fields[f].names[i], plain)) return true;
    return false;
}

static bool routes_ask(void *ctx, struct slice path)
{
    return router_asks(ctx, path);
}

static const struct route_state *parts_of(struct engine *e, const struct taxonomy_route *route)
{
    struct route_state *state = state_of(e, route);
    if (__builtin_expect(state->has_parts, 1)) return state;
    const struct engine_reading *r = &e->reading;
    struct plan *p = plan_for(e, route);
    void *part = r->part(r->ctx, route, rules_ask, p), *showing = NULL;
    if (r->shows(r->ctx, route)) showing = r->part(r->ctx, route, routes_ask, e->router);
    state = state_of(e, route);
    state->part = part;
    state->showing = showing;
    state->has_parts = true;
    return state;
}

static void read_part(struct engine *e, struct event *ev, const struct taxonomy_route *route,
                      void *part)
{
    e->reading.read(e->reading.ctx, ev, route, part);
    e->read = READ_PART;
}

/* All of an event that was not read yet. */
static const struct taxonomy_route *read_all(struct engine *e, struct event *ev,
                                             const struct taxonomy_route *route)
{
    for (int round = 0; route->owner && round < READINGS_MAX; round++) {
        uint32_t owner = route->owner;
        e->reading.read(e->reading.ctx, ev, route, NULL);
        if (!e->reading.shows(e->reading.ctx, route)) break;
        route = router_route(e->router, ev);
        if (route->owner == owner) break;
    }
    e->read = READ_ALL;
    return route;
}

/* The route that the part which shows it shows; what was read for that is forgotten. */
static const struct taxonomy_route *show(struct engine *e, struct event *ev,
                                         const struct taxonomy_route *route, void *showing)
{
    uint32_t before = ev->n_fields;
    read_part(e, ev, route, showing);
    route = router_route(e->router, ev);
    ev->n_fields = before;
    return route;
}

/* What makes a difference. Of a product that shows another one all is read: that one needs it. */
static const struct taxonomy_route *read_asked(struct engine *e, struct event *ev,
                                               const struct taxonomy_route *route)
{
    for (int round = 0; route->owner && round < READINGS_MAX; round++) {
        uint32_t owner = route->owner;
        const struct route_state *state = parts_of(e, route);
        const struct taxonomy_route *shown =
            state->showing ? show(e, ev, route, state->showing) : route;
        if (shown->owner != owner) {
            read_part(e, ev, route, NULL);
            route = shown;
            continue;
        }
        route = shown;
        state = parts_of(e, route);
        if (state->part) read_part(e, ev, route, state->part);
        break;
    }
    return route;
}

const struct taxonomy_route *engine_route(struct engine *e, struct event *ev)
{
    const struct taxonomy_route *route = router_route(e->router, ev);
    e->own = ev->n_fields;
    e->read = READ_NONE;
    if (route->owner && e->reading.read)
        route = e->options.read_all ? read_all(e, ev, route) : read_asked(e, ev, route);
    if (route->n_labels == 0) e->stats.unknown_logsource++;
    return route;
}

static bool is_unread(const struct engine *e)
{
    return e->route && e->route->owner && e->reading.read && e->read != READ_ALL;
}

/* From the event as it came. */
static const struct taxonomy_route *read_anew(struct engine *e, struct event *ev)
{
    ev->n_fields = e->own;
    return read_all(e, ev, router_route(e->router, ev));
}

void engine_read_all(struct engine *e, struct event *ev)
{
    if (is_unread(e)) e->route = read_anew(e, ev);
}

/* ---- matching ---------------------------------------------------------------------------- */

static void match_event(struct engine *e, struct event *ev, const struct taxonomy_route *route)
{
    struct plan *p = plan_for(e, route);
    next_event(e);
    e->route = route;
    e->plan = p;
    e->ev = ev;
    feed(e, p, ev);
    if (p->keywords) feed_keywords(e, p, ev);
    for (uint32_t i = 0; i < p->always.n; i++) run_rule(e, p, p->index[p->always.at + i]);
    for (uint32_t i = 0; i < e->n_candidates; i++) run_rule(e, p, e->candidates[i]);
    if (e->n_hits > 1) qsort(e->hits, e->n_hits, sizeof *e->hits, by_rule);
    e->stats.candidates += e->n_candidates + p->always.n;
}

int engine_match(struct engine *e, struct event *ev, struct engine_result *ret)
{
    match_event(e, ev, e->options.any_logsource ? NULL : engine_route(e, ev));
    if (__builtin_expect(e->n_hits > 0, 0) && is_unread(e)) match_event(e, ev, read_anew(e, ev));
    e->stats.events++;
    *ret = (struct engine_result){e->hits, e->n_hits, e->route};
    return 0;
}

void engine_get_stats(const struct engine *e, struct engine_stats *ret)
{
    *ret = e->stats;
}
