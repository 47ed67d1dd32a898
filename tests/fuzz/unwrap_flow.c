/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Datagrams one after the other: u8 seconds passed (high bit: another exporter), u8 length, bytes.
 * What comes out must be readable by itself.
 */
#include "event/flow.h"
#include "unwrapping.h"

static uint64_t run(struct slice in, size_t batch_max)
{
    struct unwrapping t;
    struct container c = {.kind = CONTAINER_FLOW};
    unwrapping_init(&t, batch_max);
    while (in.len >= 2) {
        unsigned how = (unsigned char)in.ptr[0], len = (unsigned char)in.ptr[1];
        struct slice datagram = slice_until(slice_from(in, 2), len);
        in = slice_from(in, 2 + datagram.len);
        c.received += how & 0x7f;
        c.source = how & 0x80 ? SLICE("other") : SLICE("one");
        unwrapping_run(&t, c, datagram);
        struct unwrap_flow_stats s;
        unwrap_flow_stats(t.unwrap, &s);
        HOLDS(s.templates <= 16);
    }
    uint64_t hash = t.hash;
    unwrapping_done(&t);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make(data, size);
    HOLDS(run(in, BATCH_MAX) == run(in, 256));
    return 0;
}
