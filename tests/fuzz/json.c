/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * JSON decoder. Pieces decide which of its two ways a record takes, so both are compared as any
 * decoder is; and what was read as strict JSON must be what the tolerant reader sees in it.
 */
#include "normalise/json_slow.h"
#include "pieces.h"

static void compare_readers(struct event *ev)
{
    if (!(ev->flags & EVENT_RAW_IS_JSON) || (ev->flags & EVENT_CUT)) return;
    struct arena arena;
    struct event again;
    arena_init(&arena, 2 * DECODER_RECORD_MAX);
    event_init(&again, ev->keys, &arena);
    unsigned odd = json_slow_read(&again, ev->raw, false);
    HOLDS(odd == 0 && !(again.flags & EVENT_CUT));
    HOLDS(again.n_fields == ev->n_fields);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        const struct event_field *a = &ev->fields[i], *b = &again.fields[i];
        HOLDS(a->key == b->key && a->type == b->type && slice_eq(a->value, b->value));
    }
    event_done(&again);
    arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return pieces_fuzz(&decoder_json, compare_readers, data, size);
}
