/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a sibling process says. Any bytes are refused or understood to the last one, and what was
 * understood has one form only: written again it is the same bytes. A message that breaks off is
 * never taken for a whole one.
 */
#include "detect/correlate/correlate.h"
#include "hunt/message.h"
#include "target.h"

enum { VALUES_MAX = 256 };

#define M(name, NAME, number)                                                                      \
    static bool read_##name(struct slice payload, struct buf *out)                                 \
    {                                                                                              \
        struct message_##name m;                                                                   \
        int error = message_##name##_read(payload, &m);                                            \
        HOLDS(error == 0 || error == ERR_CORRUPT);                                                 \
        if (error) return false;                                                                   \
        message_##name##_write(out, &m);                                                           \
        return true;                                                                               \
    }
MESSAGES(M)
#undef M

/* Reads the payload as a message of its type and writes it to `out`; false when it is refused. */
static bool read_message(const struct frame *f, struct slice payload, struct buf *out)
{
    switch (f->type) {
#define M(name, NAME, number)                                                                      \
    case MESSAGE_##NAME:                                                                           \
        return read_##name(payload, out);
        MESSAGES(M)
#undef M
    default:
        return false;
    }
}

static void check_message(const struct frame *f, struct slice bytes, struct buf *out)
{
    buf_clear(out);
    if (!read_message(f, f->payload, out)) return;
    HOLDS(!buf_failed(out) && slice_eq(buf_slice(out), bytes));
    HOLDS(!read_message(f, slice_until(f->payload, f->payload.len - 1), out));
}

static void check_tuple(struct slice body, struct buf *out)
{
    struct slice values[VALUES_MAX];
    struct correlator_tuple tuple;
    if (correlator_tuple_read(body, values, VALUES_MAX, &tuple) < 0) return;
    HOLDS(tuple.n_values <= VALUES_MAX);
    buf_clear(out);
    correlator_tuple_write(out, &tuple);
    HOLDS(!buf_failed(out) && slice_eq(buf_slice(out), body));
    HOLDS(correlator_tuple_read(slice_until(body, body.len - 1), values, VALUES_MAX, &tuple) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make(data, size);
    struct buf out;
    struct frame f;
    int r;
    buf_init(&out, FRAME_HEADER + MESSAGE_MAX);
    check_tuple(in, &out);
    while ((r = frame_next(in, MESSAGE_MAX, &f)) == 1) {
        HOLDS(f.size == FRAME_HEADER + f.payload.len && f.size <= in.len);
        check_message(&f, slice_until(in, f.size), &out);
        struct message_tuple tuple;
        if (f.type == MESSAGE_TUPLE && message_tuple_read(f.payload, &tuple) == 0)
            check_tuple(tuple.body, &out);
        in = slice_from(in, f.size);
    }
    HOLDS(r == 0 || r == ERR_CORRUPT);
    buf_done(&out);
    return 0;
}
