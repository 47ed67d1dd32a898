/* SPDX-License-Identifier: EUPL-1.2 */
#include "normalise/columns.h"

void columns_init(struct columns *c)
{
    c->n = 0;
    c->keyed = false;
    buf_init(&c->text, COLUMNS_TEXT_MAX);
}

void columns_done(struct columns *c)
{
    buf_done(&c->text);
}

void columns_clear(struct columns *c)
{
    buf_clear(&c->text);
    c->n = 0;
    c->keyed = false;
}

bool columns_add(struct columns *c, struct slice name)
{
    if (c->n == COLUMNS_MAX) return false;
    buf_put(&c->text, name);
    if (buf_failed(&c->text)) return false;
    c->end[c->n++] = (uint32_t)c->text.len;
    c->keyed = false;
    return true;
}

int columns_error(const struct columns *c)
{
    return buf_error(&c->text) == ERR_NOMEM ? ERR_NOMEM : 0;
}

struct slice columns_name(const struct columns *c, uint32_t i)
{
    ASSERT(i < c->n);
    uint32_t start = i ? c->end[i - 1] : 0;
    return slice_make(c->text.ptr ? c->text.ptr + start : NULL, c->end[i] - start);
}

bool columns_has(const struct columns *c, struct slice name)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (slice_eq(columns_name(c, i), name)) return true;
    return false;
}

const key_id *columns_keys(struct columns *c, struct keys *keys)
{
    if (!c->keyed || c->generation != keys_generation(keys)) {
        for (uint32_t i = 0; i < c->n; i++) c->key[i] = keys_intern_path(keys, columns_name(c, i));
        c->generation = keys_generation(keys);
        c->keyed = true;
    }
    return c->key;
}
