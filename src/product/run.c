/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Doing what a product file says. Names of fields are numbers over all products. Which number a key
 * of the event has is remembered by key; so one pass over an event's fields tells for every number
 * where it stands, and each step only looks there.
 *
 * A field is known by the path it has in the record, by the taxonomy's plain name of that path, and
 * by what this stands for, so that one file serves every way a record is shipped.
 */
#include <stdlib.h>

#include "base/find.h"
#include "base/hash.h"
#include "product/form_read.h"
#include "product/model.h"
#include "product/part.h"

/* In keys_of: a name for steps only. */
#define KEY_STEPS (KEY_NONE - 1)

enum {
    NUMBER_NONE = 0xffff,
    NUMBER_NEW = 0xfffe, /* a key not looked at yet */
};
_Static_assert((int)PRODUCT_FIELDS_MAX < (int)NUMBER_NEW, "numbers of fields fit in 16 bits");

/* The numbers of a key's path, of its plain name, and of what this stands for. */
struct numbers {
    uint16_t exact, plain, stands_for;
};

/* In struct place. */
#define INDEX_STEPS UINT32_MAX

/* Where a field stands. Names that begin with _ are for steps only and not put into the event. */
struct place {
    uint32_t reading; /* of another one: it is not there */
    uint32_t index;   /* in the event's fields, or INDEX_STEPS */
    bool more;        /* there are more values */
};

struct product_reader {
    const struct products *products;
    struct keys *keys;
    uint32_t generation;
    struct numbers *by_key;
    uint32_t cap_keys;
    key_id *keys_of; /* by number; KEY_NONE: not asked for yet; or KEY_STEPS */
    struct place *places;
    struct slice *texts; /* by number: of those for steps only */
    uint32_t reading;    /* the number of this one, not 0 */
    struct product_part *parts;
    /* Of the call. */
    struct event *ev;
    struct product_part *part; /* NULL: all of the file */
    /* Large: not on the stack, where each call would clear them. */
    struct shape_match match;
    struct slice made[EXPR_VALUES_MAX];
    struct expr_scope scope;
    struct expr_told told;
    const struct product_trace *trace;
};

/* ---- names and places -------------------------------------------------------------------- */

static void forget_keys_of(struct product_reader *r)
{
    for (uint32_t i = 0; i < r->products->n_names; i++)
        r->keys_of[i] = r->products->names[i].ptr[0] == '_' ? KEY_STEPS : KEY_NONE;
}

static void forget_keys(struct product_reader *r)
{
    if (r->generation == keys_generation(r->keys)) return;
    memset(r->by_key, 0xff, r->cap_keys * sizeof *r->by_key);
    for (uint32_t i = 0; i < r->cap_keys; i++) r->by_key[i].exact = NUMBER_NEW;
    forget_keys_of(r);
    r->generation = keys_generation(r->keys);
}

static void cover_keys(struct product_reader *r)
{
    uint32_t n = keys_count(r->keys);
    if (n <= r->cap_keys) return;
    uint32_t want = n + n / 2 + 256;
    struct numbers *grown = realloc(r->by_key, want * sizeof *grown);
    ASSERT(grown);
    for (uint32_t i = r->cap_keys; i < want; i++)
        grown[i] = (struct numbers){NUMBER_NEW, NUMBER_NONE, NUMBER_NONE};
    r->by_key = grown;
    r->cap_keys = want;
}

static uint16_t number_of(const struct product_reader *r, struct slice name)
{
    uint32_t number = products_find_field(r->products, name);
    return number == UINT32_MAX ? NUMBER_NONE : (uint16_t)number;
}

static struct numbers find_numbers(struct product_reader *r, key_id key)
{
    struct slice path = keys_name(r->keys, key);
    struct slice plain = taxonomy_plain_name(r->products->taxonomy, path);
    struct slice other = taxonomy_stands_for(r->products->taxonomy, plain);
    struct numbers found = {number_of(r, path), NUMBER_NONE, NUMBER_NONE};
    if (!slice_eq(path, plain)) found.plain = number_of(r, plain);
    if (other.ptr) found.stands_for = number_of(r, other);
    r->by_key[key] = found;
    return found;
}

static bool is_there(const struct product_reader *r, uint32_t field)
{
    return r->places[field].reading == r->reading;
}

static bool is_in_event(const struct product_reader *r, uint32_t field)
{
    return is_there(r, field) && r->places[field].index != INDEX_STEPS;
}

/* The first value of a name counts. */
static void take_place(struct product_reader *r, uint32_t number, uint32_t index)
{
    if (is_in_event(r, number)) r->places[number].more = true;
    else r->places[number] = (struct place){r->reading, index, false};
}

/* The event's fields from `first` on. */
static void look_at_fields(struct product_reader *r, uint32_t first)
{
    cover_keys(r);
    bool stand_ins = false;
    for (uint32_t i = first; i < r->ev->n_fields; i++) {
        key_id key = r->ev->fields[i].key;
        struct numbers n = r->by_key[key];
        if (n.exact == NUMBER_NEW) n = find_numbers(r, key);
        if (r->ev->fields[i].type == VALUE_NULL) continue;
        if (n.exact != NUMBER_NONE) take_place(r, n.exact, i);
        if (n.plain != NUMBER_NONE) take_place(r, n.plain, i);
        stand_ins |= n.stands_for != NUMBER_NONE;
    }
    for (uint32_t i = first; stand_ins && i < r->ev->n_fields; i++) {
        uint16_t number = r->by_key[r->ev->fields[i].key].stands_for;
        if (number != NUMBER_NONE && r->ev->fields[i].type != VALUE_NULL) take_place(r, number, i);
    }
}

/* No field is there. */
static void begin_reading(struct product_reader *r)
{
    if (++r->reading) return;
    memset(r->places, 0, r->products->n_names * sizeof *r->places);
    r->reading = 1;
}

static struct slice get(void *ctx, uint32_t field)
{
    struct product_reader *r = ctx;
    if (!is_there(r, field)) return SLICE_NONE;
    uint32_t index = r->places[field].index;
    if (index == INDEX_STEPS) return r->texts[field];
    struct event_field *f = &r->ev->fields[index];
    return f->type == VALUE_JSON_STRING ? event_text(r->ev, f) : f->value;
}

static struct slice next(void *ctx, uint32_t field, uint32_t *at)
{
    struct product_reader *r = ctx;
    if (!is_in_event(r, field)) return SLICE_NONE;
    for (uint32_t i = *at ? *at : r->places[field].index + 1; i < r->ev->n_fields; i++) {
        struct event_field *f = &r->ev->fields[i];
        const struct numbers *n = &r->by_key[f->key];
        if ((n->exact != field && n->plain != field) || f->type == VALUE_NULL) continue;
        *at = i + 1;
        return event_text(r->ev, f);
    }
    return SLICE_NONE;
}

static key_id find_key(struct product_reader *r, uint32_t field)
{
    key_id key = keys_intern_path(r->keys, r->products->names[field]);
    cover_keys(r);
    (void)find_numbers(r, key);
    return r->keys_of[field] = key;
}

/* A field of that name that is in the event stays. */
static void put_for_steps(struct product_reader *r, uint32_t field, struct slice value)
{
    if (is_in_event(r, field)) return;
    r->places[field] = (struct place){r->reading, INDEX_STEPS, false};
    r->texts[field] = value;
}

static void put_in_event(struct product_reader *r, uint32_t field, key_id key, struct slice value)
{
    struct event *ev = r->ev;
    uint32_t index = ev->n_fields++;
    ev->fields[index] =
        (struct event_field){.value = value, .key = key, .type = VALUE_STRING, .derived = true};
    take_place(r, field, index);
}

/* What is not said every time. */
static __attribute__((noinline)) void put_slowly(struct product_reader *r, uint32_t line,
                                                 uint32_t field, struct slice value)
{
    if (r->trace) r->trace->field(r->trace->ctx, line, r->products->names[field], value);
    key_id key = r->keys_of[field];
    if (key == KEY_NONE) key = find_key(r, field);
    if (key == KEY_STEPS) put_for_steps(r, field, value);
    else if (r->ev->n_fields < r->ev->cap_fields || event_grow(r->ev))
        put_in_event(r, field, key, value);
}

static void put(struct product_reader *r, uint32_t line, uint32_t field, struct slice value)
{
    key_id key = r->keys_of[field];
    bool full = r->ev->n_fields == r->ev->cap_fields;
    if (__builtin_expect(r->trace || full || key == KEY_NONE, 0)) put_slowly(r, line, field, value);
    else if (key == KEY_STEPS) put_for_steps(r, field, value);
    else put_in_event(r, field, key, value);
}

/* What the record says itself stays, and what was made of it first; names for steps may change. */
static bool may_fill(const struct product_reader *r, uint32_t field)
{
    return !is_there(r, field) || r->keys_of[field] == KEY_STEPS;
}

/* ---- conditions -------------------------------------------------------------------------- */

static bool test_holds(const struct test *t, struct slice value)
{
    size_t n = t->text.len;
    switch (t->kind) {
    case TEST_EQUALS:
        return slice_eq_nocase(value, t->text);
    case TEST_BEGINS:
        return slice_eq_nocase(slice_until(value, n), t->text);
    case TEST_ENDS:
        return value.len >= n && slice_eq_nocase(slice_from(value, value.len - n), t->text);
    case TEST_CONTAINS:
        return find_nocase(value, t->text, 0) != SIZE_MAX;
    }
    return false;
}

static bool any_test_holds(const struct condition *c, struct slice value)
{
    for (uint32_t i = 0; i < c->n_tests; i++)
        if (test_holds(&c->tests[i], value)) return true;
    return false;
}

static __attribute__((noinline)) bool holds_further(struct product_reader *r,
                                                    const struct condition *c)
{
    struct slice value;
    for (uint32_t at = 0; (value = next(r, c->field, &at)).ptr;)
        if (any_test_holds(c, value)) return true;
    return false;
}

/* Of a field with several values any one counts. */
static bool condition_holds(struct product_reader *r, const struct condition *c)
{
    const bool there = is_there(r, c->field);
    if (c->exists) return there != c->absent;
    bool any = there && (any_test_holds(c, get(r, c->field)) ||
                         (r->places[c->field].more && holds_further(r, c)));
    return any != c->absent;
}

static bool conditions_hold(struct product_reader *r, const struct step *step)
{
    for (uint32_t i = 0; i < step->n_conditions; i++)
        if (!condition_holds(r, &step->conditions[i])) return false;
    return true;
}

/* ---- bodies ------------------------------------------------------------------------------ */

static void run_body(struct product_reader *r, const struct body *body);

static void assign(struct product_reader *r, const struct assignment *a)
{
    const struct slice *values = a->values;
    uint32_t n = a->n_values;
    if (a->needs != FIELD_NONE && !is_there(r, a->needs)) return;
    if (!may_fill(r, a->field)) return;
    if (a->is_copy) {
        struct slice text = slice_trim(get(r, a->needs));
        if (expr_is_value(text)) put(r, a->line, a->field, text);
        return;
    }
    if (a->expr) {
        n = expr_values(a->expr, &r->scope, r->made);
        values = r->made;
    }
    for (uint32_t i = 0; i < n; i++) put(r, a->line, a->field, values[i]);
}

static const struct body *find_case(struct product_reader *r, const struct cases *cases)
{
    struct slice key = slice_trim(get(r, cases->field));
    for (uint32_t i = hash32_nocase(key) & cases->mask; cases->rows[i].body;
         i = (i + 1) & cases->mask)
        if (slice_eq_nocase(cases->rows[i].key, key)) return cases->rows[i].body;
    return cases->other;
}

static void trace_step(const struct product_reader *r, uint32_t line, const char *what,
                       struct slice text)
{
    if (r->trace) r->trace->step(r->trace->ctx, line, what, text);
}

/* False: none fits. */
static bool run_patterns(struct product_reader *r, const struct step *step)
{
    const struct shape_match *m = &r->match;
    struct slice text = get(r, step->from);
    if (!shape_find(step->patterns, text, &r->match)) {
        trace_step(r, step->line, "no pattern fits", text);
        return false;
    }
    uint32_t number = m->number;
    trace_step(r, step->pattern_lines[number], "pattern", text);
    const uint32_t line = step->pattern_lines[number], n = m->n_places;
    const int *names = m->names;
    for (uint32_t i = 0; i < n; i++) {
        if (names[i] < 0) continue;
        const uint32_t field = (uint32_t)names[i];
        if (r->part && !part_needs(r->part, field)) continue;
        struct slice value = slice_trim(m->texts[i]);
        if (value.len && may_fill(r, field)) put(r, line, field, value);
    }
    run_body(r, &step->pattern_bodies[number]);
    return true;
}

/* What an operation added to the event from `first` on. */
static void take_added(struct product_reader *r, const struct step *step, uint32_t first)
{
    look_at_fields(r, first);
    for (uint32_t i = first; i < r->ev->n_fields; i++) {
        struct event_field *f = &r->ev->fields[i];
        f->derived = true;
        if (r->trace)
            r->trace->field(r->trace->ctx, step->line, keys_name(r->keys, f->key),
                            event_text(r->ev, f));
    }
}

static bool wants(void *ctx, key_id key)
{
    struct product_reader *r = ctx;
    return part_wants(r->products, r->part, r->keys, key);
}

/* The step's form, which passes over what the part does not need. CEF's labels repeat keys. */
static struct form form_of(struct product_reader *r, const struct step *step)
{
    struct form form = step->form;
    if (r->part && form.kind != FORM_CEF) {
        form.wants = wants;
        form.ctx = r;
    }
    return form;
}

/* False: the text has not this form. */
static __attribute__((noinline)) bool run_form(struct product_reader *r, const struct step *step)
{
    uint32_t first = r->ev->n_fields;
    struct slice text = get(r, step->from);
    const struct form form = form_of(r, step);
    bool read = form_read(&form, text, r->ev);
    trace_step(r, step->line, read ? form_name(step->form.kind) : "the text has another form",
               text);
    take_added(r, step, first);
    return read;
}

static bool is_field(const struct product_reader *r, const struct event_field *f, uint32_t field)
{
    struct numbers n = r->by_key[f->key];
    return f->type != VALUE_NULL && (n.exact == field || n.plain == field);
}

/* False: there is no name with a value. */
static __attribute__((noinline)) bool run_entries(struct product_reader *r, const struct step *step)
{
    uint32_t first = r->ev->n_fields;
    const struct form form = form_of(r, step);
    struct slice name = SLICE_NONE;
    bool any = false;
    trace_step(r, step->line, "entries", r->products->names[step->from]);
    for (uint32_t i = 0; i < first; i++) {
        struct event_field *f = &r->ev->fields[i];
        if (is_field(r, f, step->from)) {
            name = event_text(r->ev, f);
        } else if (name.len && is_field(r, f, step->values)) {
            form_add(&form, r->ev, name, event_text(r->ev, f));
            any = true;
        }
    }
    take_added(r, step, first);
    return any;
}

static bool run_operation(struct product_reader *r, const struct step *step)
{
    switch (step->operation) {
    case OP_NONE:
        return true;
    case OP_PATTERN:
        return run_patterns(r, step);
    case OP_FORM:
        return run_form(r, step);
    case OP_ENTRIES:
        return run_entries(r, step);
    }
    return false;
}

static void run_step(struct product_reader *r, const struct step *step)
{
    if (!conditions_hold(r, step)) return;
    if (step->operation != OP_NONE && !is_there(r, step->from)) return;
    if (run_operation(r, step)) run_body(r, &step->body);
}

static void run_body(struct product_reader *r, const struct body *body)
{
    const struct assignment *a = body->assignments, *end = a + body->n_assignments;
    const struct step *step = body->steps, *last = step + body->n_steps;
    for (; a < end; a++) assign(r, a);
    const struct body *chosen = body->cases ? find_case(r, body->cases) : NULL;
    if (chosen) run_body(r, chosen);
    for (; step < last; step++) run_step(r, step);
}

/* ---- the reader -------------------------------------------------------------------------- */

struct product_reader *product_reader_new(const struct products *p, struct keys *keys)
{
    struct product_reader *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->products = p;
    r->keys = keys;
    r->scope =
        (struct expr_scope){.ctx = r, .get = get, .next = next, .now = TIME_NONE, .told = &r->told};
    r->generation = keys_generation(keys);
    r->keys_of = malloc((p->n_names + 1) * sizeof *r->keys_of);
    r->places = calloc(p->n_names + 1, sizeof *r->places);
    r->texts = calloc(p->n_names + 1, sizeof *r->texts);
    if (!r->keys_of || !r->places || !r->texts) {
        product_reader_free(r);
        return NULL;
    }
    forget_keys_of(r);
    return r;
}

void product_reader_free(struct product_reader *r)
{
    if (!r) return;
    free(r->by_key);
    free(r->keys_of);
    free(r->places);
    free(r->texts);
    for (struct product_part *part = r->parts, *next; part; part = next) {
        next = part->next;
        part_free(part);
    }
    free(r);
}

void product_reader_set_now(struct product_reader *r, nsec now)
{
    r->scope.now = now;
}

void product_reader_trace(struct product_reader *r, const struct product_trace *trace)
{
    r->trace = trace;
}

static const struct product_box *box_of(const struct product_reader *r,
                                        const struct taxonomy_route *route)
{
    return route && route->owner ? r->products->at[route->owner - 1] : NULL;
}

bool product_shows(const struct product_reader *r, const struct taxonomy_route *route)
{
    const struct product_box *box = box_of(r, route);
    return box && box->again;
}

struct product_part *product_part_of(struct product_reader *r, const struct taxonomy_route *route,
                                     bool (*asks)(void *ctx, struct slice path), void *ctx)
{
    const struct product_box *box = box_of(r, route);
    if (!box) return NULL;
    struct product_part *part = r->parts;
    while (part && (part->box != box || part->asks != asks || part->ctx != ctx)) part = part->next;
    if (!part) {
        part = part_new(r->products, box, asks, ctx);
        ASSERT(part);
        part->next = r->parts;
        r->parts = part;
    }
    return part_is_empty(part) ? NULL : part;
}

static void read_body(struct product_reader *r, struct event *ev, struct product_part *part,
                      const struct body *body)
{
    r->ev = ev;
    r->part = part;
    r->scope.arena = ev->arena;
    r->told = (struct expr_told){0};
    forget_keys(r);
    begin_reading(r);
    look_at_fields(r, 0);
    run_body(r, body);
}

bool product_read(struct product_reader *r, struct event *ev, const struct taxonomy_route *route)
{
    const struct product_box *box = box_of(r, route);
    if (!box) return false;
    read_body(r, ev, NULL, &box->body);
    return box->again;
}

void product_read_part(struct product_reader *r, struct event *ev, struct product_part *part)
{
    read_body(r, ev, part, &part->body);
}
