/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A protocol of streams against any bytes: whole and in pieces it must say the same, it must go on
 * with a full buffer, and never hand out more than the limit. The last byte of the input says how
 * it is cut and how long a record may be.
 */
#ifndef VAKA_TESTS_FUZZ_PROTOCOL_H
#define VAKA_TESTS_FUZZ_PROTOCOL_H

#include "../unit/collect/drive.h"
#include "base/hash.h"
#include "target.h"

static inline uint64_t protocol_run(const struct protocol_ops *ops, struct slice in,
                                    uint32_t record_max, uint64_t cut)
{
    struct drive d;
    drive_init(&d, ops, record_max, 1 << 16);
    while (in.len && !d.error) {
        cut = hash_mix(cut, 0x51ed) | 1;
        size_t n = cut == 1 ? in.len : 1 + (cut >> 16 & (cut >> 8 & 1 ? 7 : 511));
        struct slice part = slice_until(in, n);
        drive_feed(&d, part);
        in = slice_from(in, part.len);
    }
    drive_finish(&d);
    uint64_t hash = hash_mix(hash64(buf_slice(&d.text)), hash64(buf_slice(&d.out)));
    HOLDS(d.records == 0 || d.text.len <= d.records * (record_max + 128) + 256);
    if (ops->acked) {
        if (ops->keep_alive) ops->keep_alive(d.p, &d.out);
        ops->acked(d.p, d.records, &d.out);
    }
    drive_done(&d);
    return hash;
}

static inline int protocol_fuzz(const struct protocol_ops *ops, const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct slice in = slice_make(data, size - 1);
    uint8_t how = data[size - 1];
    uint32_t record_max = how & 1 ? 16 : 8192;
    uint64_t whole = protocol_run(ops, in, record_max, how & 2 ? 3 : 7);
    HOLDS(whole == protocol_run(ops, in, record_max, how + UINT64_C(11)));
    return 0;
}

#endif
