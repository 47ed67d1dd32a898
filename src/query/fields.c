/* SPDX-License-Identifier: EUPL-1.2 */
#include "query/fields.h"

#include <stdlib.h>

enum { LIST_MAX = 32 * 1024 * 1024 };

/* Which fields a path is, is not known yet; no path is all of them. */
static const uint64_t unknown_mask = UINT64_MAX;

/* Which fields an event's path is on one route, by its key: a bit for each. */
struct masks {
    uint64_t *of_key;
    uint32_t cap;
};

struct fields {
    struct engine *engine;
    const struct sigma_rule *rule;
    const struct slice *names;
    uint32_t n;
    struct masks *masks; /* by route id */
    uint32_t generation; /* of the keys that they are about */
    struct buf text;
};

struct fields *fields_new(const struct slice *names, uint32_t n, struct engine *engine,
                          const struct sigma_rule *rule)
{
    struct fields *f = calloc(1, sizeof *f);
    if (!f) return NULL;
    ASSERT(n <= FIELDS_MAX);
    *f = (struct fields){.engine = engine, .rule = rule, .names = names, .n = n};
    buf_init(&f->text, LIST_MAX);
    f->generation = keys_generation(engine_keys(engine));
    f->masks = calloc(TAXONOMY_ROUTES_MAX, sizeof *f->masks);
    if (f->masks) return f;
    free(f);
    return NULL;
}

void fields_free(struct fields *f)
{
    if (!f) return;
    for (uint32_t i = 0; i < TAXONOMY_ROUTES_MAX; i++) free(f->masks[i].of_key);
    free(f->masks);
    buf_done(&f->text);
    free(f);
}

static void forget_masks(struct fields *f)
{
    for (uint32_t i = 0; i < TAXONOMY_ROUTES_MAX; i++)
        for (uint32_t k = 0; k < f->masks[i].cap; k++) f->masks[i].of_key[k] = unknown_mask;
}

static uint64_t mask_of(struct fields *f, const struct taxonomy_route *route, key_id key)
{
    struct keys *keys = engine_keys(f->engine);
    if (f->generation != keys_generation(keys)) {
        f->generation = keys_generation(keys);
        forget_masks(f);
    }
    ASSERT(route->id < TAXONOMY_ROUTES_MAX);
    struct masks *m = &f->masks[route->id];
    if (key >= m->cap) {
        uint32_t cap = keys_count(keys) + 256;
        uint64_t *grown = reallocarray(m->of_key, cap, sizeof *grown);
        /* It is found out again each time. */
        if (!grown) return engine_path_is(f->engine, f->rule, f->names, f->n, key);
        for (uint32_t k = m->cap; k < cap; k++) grown[k] = unknown_mask;
        *m = (struct masks){grown, cap};
    }
    if (m->of_key[key] == unknown_mask)
        m->of_key[key] = engine_path_is(f->engine, f->rule, f->names, f->n, key);
    return m->of_key[key];
}

/* Values of the same field become a list. False: it found no room. */
static bool add_value(struct fields *f, struct event *ev, struct cell *cell,
                      struct event_field *field)
{
    const struct cell value = {event_text(ev, field),
                               field->type == VALUE_NUMBER ? CELL_NUMBER : CELL_TEXT};
    if (cell->kind == CELL_NONE) {
        *cell = value;
        return true;
    }
    buf_clear(&f->text);
    if (cell->kind == CELL_LIST) buf_put(&f->text, cell->text);
    else cell_write(&f->text, cell);
    cell_write(&f->text, &value);
    struct slice copy = arena_dup(ev->arena, buf_slice(&f->text));
    if (!copy.ptr || buf_failed(&f->text)) return false;
    *cell = (struct cell){copy, CELL_LIST};
    return true;
}

bool fields_fill(struct fields *f, struct event *ev, const struct taxonomy_route *route,
                 struct cell *ret)
{
    bool whole = true;
    for (uint32_t k = 0; k < f->n; k++) ret[k] = (struct cell){SLICE_NONE, CELL_NONE};
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *field = &ev->fields[i];
        if (field->type == VALUE_NULL) continue;
        uint64_t mask = mask_of(f, route, field->key);
        for (uint32_t k = 0; mask; k++, mask >>= 1)
            if (mask & 1) whole &= add_value(f, ev, &ret[k], field);
    }
    return whole;
}
