/* SPDX-License-Identifier: EUPL-1.2 */
#include "pull/seen.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/le.h"

enum { VERSION = 1, SLOTS_FIRST = 64, SECOND_SEED = 0x5eed };

struct seen_id seen_id_of(struct slice id)
{
    return (struct seen_id){hash64(id), hash64_seed(id, SECOND_SEED)};
}

void seen_init(struct seen *s)
{
    *s = (struct seen){0};
}

void seen_done(struct seen *s)
{
    free(s->items);
    free(s->slots);
    *s = (struct seen){0};
}

/* ---- the table --------------------------------------------------------------------------- */

/* Where an id is, or the empty slot where it would be. There are slots. */
static uint32_t *slot_of(const struct seen *s, struct seen_id id)
{
    uint32_t at = (uint32_t)id.a & s->mask;
    for (; s->slots[at]; at = (at + 1) & s->mask) {
        const struct seen_item *item = &s->items[s->slots[at] - 1];
        if (item->id.a == id.a && item->id.b == id.b) break;
    }
    return &s->slots[at];
}

bool seen_has(const struct seen *s, struct seen_id id)
{
    return s->slots && *slot_of(s, id) != 0;
}

/* The slots of all items that are left. */
static void index_all(struct seen *s)
{
    memset(s->slots, 0, ((size_t)s->mask + 1) * sizeof *s->slots);
    for (uint32_t i = 0; i < s->n; i++) *slot_of(s, s->items[i].id) = i + 1;
}

/* Twice as many slots as items, and room for one more of these. */
static int grow(struct seen *s)
{
    uint32_t slots = s->slots ? s->mask + 1 : 0;
    if (2 * (s->n + 1) <= slots) return 0;
    slots = slots ? 2 * slots : SLOTS_FIRST;
    struct seen_item *items = realloc(s->items, slots / 2 * sizeof *items);
    if (!items) return ERR_NOMEM;
    s->items = items;
    uint32_t *table = calloc(slots, sizeof *table);
    if (!table) return ERR_NOMEM;
    free(s->slots);
    s->slots = table;
    s->mask = slots - 1;
    index_all(s);
    return 0;
}

int seen_add(struct seen *s, struct seen_id id, nsec time)
{
    if (seen_has(s, id)) return 0;
    int error = s->n == SEEN_MAX ? ERR_LIMIT : grow(s);
    if (error) {
        s->full = true;
        return error == ERR_LIMIT ? 0 : error;
    }
    s->items[s->n] = (struct seen_item){time, id};
    *slot_of(s, id) = ++s->n;
    return 0;
}

/* ---- moving on --------------------------------------------------------------------------- */

void seen_move(struct seen *s, nsec cursor, nsec late)
{
    uint32_t kept = 0;
    if (cursor > s->cursor) s->cursor = cursor;
    if (s->full && s->cursor > s->floor) s->floor = s->cursor;
    s->full = false;
    nsec from = seen_from(s, late);
    for (uint32_t i = 0; i < s->n; i++)
        if (s->items[i].time >= from) s->items[kept++] = s->items[i];
    if (kept == s->n) return;
    s->n = kept;
    index_all(s);
}

nsec seen_from(const struct seen *s, nsec late)
{
    nsec from = s->cursor - late;
    return from > s->floor ? from : s->floor;
}

/* ---- as text ----------------------------------------------------------------------------- */

void seen_write(const struct seen *s, struct buf *out)
{
    char bytes[SEEN_ITEM] = {VERSION};
    le32_put(bytes + 4, s->n);
    le64_put(bytes + 8, (uint64_t)s->cursor);
    le64_put(bytes + 16, (uint64_t)s->floor);
    buf_put(out, slice_make(bytes, SEEN_HEADER));
    for (uint32_t i = 0; i < s->n; i++) {
        le64_put(bytes, (uint64_t)s->items[i].time);
        le64_put(bytes + 8, s->items[i].id.a);
        le64_put(bytes + 16, s->items[i].id.b);
        buf_put(out, slice_make(bytes, SEEN_ITEM));
    }
}

static int read_items(struct seen *s, struct slice text)
{
    uint32_t n = le32(text.ptr + 4);
    int error = 0;
    if (n > SEEN_MAX || text.len != SEEN_HEADER + (size_t)n * SEEN_ITEM) return ERR_CORRUPT;
    s->cursor = (nsec)le64(text.ptr + 8);
    s->floor = (nsec)le64(text.ptr + 16);
    if (s->cursor < 0 || s->floor < 0) return ERR_CORRUPT;
    for (uint32_t i = 0; i < n && error == 0; i++) {
        const char *at = text.ptr + SEEN_HEADER + (size_t)i * SEEN_ITEM;
        error = seen_add(s, (struct seen_id){le64(at + 8), le64(at + 16)}, (nsec)le64(at));
    }
    return error;
}

int seen_read(struct seen *s, struct slice text)
{
    seen_init(s);
    if (text.len == 0) return 0;
    if (text.ptr[0] != VERSION) return ERR_UNSUPPORTED;
    int error = text.len < SEEN_HEADER ? ERR_CORRUPT : read_items(s, text);
    if (error) seen_done(s);
    return error;
}
