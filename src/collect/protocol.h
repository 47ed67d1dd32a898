/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the protocols of streams have in common: bytes in, records and bytes to send out. A protocol
 * knows no socket and no time, so that it can be tried byte by byte.
 *
 * The owner keeps what has arrived in one buffer and asks for one record after the other:
 *
 *     while ((r = ops->next(p, rest, out, &used, &piece)) > 0) { … rest = slice_from(rest, used); }
 *     if (r == 0) drop the first `used` bytes of rest as well and wait for more;
 *
 * so that it can stop between any two records. A protocol never needs more than protocol_input()
 * bytes at once: with so many in the buffer it makes progress.
 */
#ifndef VAKA_COLLECT_PROTOCOL_H
#define VAKA_COLLECT_PROTOCOL_H

#include "base/buf.h"
#include "base/error.h"

enum { PROTOCOL_HEADER_MAX = 64, PROTOCOL_COMMAND_MAX = 4096 };
static inline size_t protocol_input(size_t record_max)
{
    return PROTOCOL_HEADER_MAX +
           (record_max > PROTOCOL_COMMAND_MAX ? record_max : PROTOCOL_COMMAND_MAX);
}

struct protocol_limits {
    uint32_t record_max;  /* bytes of one record; longer ones are cut. 1 … RECORD_MAX */
    uint32_t pending_max; /* records that wait for their ack; a sender with more is at fault */
};

struct piece {
    struct slice raw; /* until the next call */
    uint64_t ordinal; /* the protocol's own number; 0 when it has none */
    uint8_t flags;    /* RECORD_CUT or 0 */
    /* A constant sentence: what was odd about this record, or why next() failed; NULL: nothing. */
    const char *reason;
};

struct protocol_ops {
    size_t size; /* of its state, which lives in the owner's memory */
    void (*init)(void *p, const struct protocol_limits *limits);
    void (*done)(void *p);
    /*
     * 1: *ret is a record, 0: more bytes are needed; both times the first *ret_used bytes of `in`
     * are done with. ERR_STOPPED: the sender said good-bye; ERR_CORRUPT, ERR_LIMIT: it is not
     * understood any more (ret->reason); ERR_NOMEM. `in` continues what was not used before.
     * Answers are appended to `out` (its overflow is sticky and the owner's to see).
     */
    int (*next)(void *p, struct slice in, struct buf *out, size_t *ret_used,
                struct piece *ret) MUST_USE;
    /* The stream has ended and `rest` was left: 1 and a last record, or 0. */
    int (*finish)(void *p, struct slice rest, struct piece *ret) MUST_USE;
    /* The n oldest records without an ack are safe. NULL: the protocol has no acks. */
    void (*acked)(void *p, uint64_t n, struct buf *out);
    /* While the sender waits for acks, now and then. NULL: nothing to say. */
    void (*keep_alive)(void *p, struct buf *out);
};

#endif
