/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/csv.h"
#include "product/form_read.h"

static char *room_of_event(void *ctx, size_t n)
{
    struct event *ev = ctx;
    char *room = arena_alloc(ev->arena, n);
    if (!room) ev->flags |= EVENT_CUT;
    return room;
}

bool form_csv_read(const struct form *form, struct slice text, struct event *ev)
{
    char separator = form->separator;
    if (separator == '\0') separator = ',';
    if (form->n_columns > 1 && slice_find_byte(text, separator) == SIZE_MAX) return false;
    bool more = true;
    for (uint32_t i = 0; more && i < form->n_columns && !form_is_cut(ev); i++) {
        struct csv_cell cell = csv_take_cell(&text, separator, &more);
        if (form->columns[i].len == 0 || cell.text.len == 0) continue;
        struct slice value = csv_cell_text(cell, room_of_event, ev);
        if (value.len) form_add(form, ev, form->columns[i], value);
    }
    return true;
}
