/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Retention: whole segments are removed when all their records are old enough and none is held.
 * What stays is footer-N, the segment's footer and tail, so that the tree goes on over what is
 * gone, and tombstone-N, a C2SP signed-note that the log's key signs, with the lines
 *
 *     origin "/tombstone" · begin · end (behind the last sequence number) · base64 of the root
 * behind it · when it was removed (RFC 3339) · the reason
 */
#ifndef VAKA_STORE_RETAIN_H
#define VAKA_STORE_RETAIN_H

#include "store/checkpoint.h"
#include "store/segment.h"

/* Sequence numbers that are kept whatever their age: from <= n < to. */
struct retain_hold {
    uint64_t from, to;
};

struct retain_options {
    const struct store_io *io;
    nsec before; /* a segment goes when its last record was received before this */
    nsec now;
    struct slice origin; /* of the log; at most CHECKPOINT_NAME_MAX */
    struct slice reason; /* one line, at most 1,000 bytes */
    const struct retain_hold *holds;
    size_t n_holds;
    /* Appends the lines of signatures over `body` to out. An error ends it. */
    int (*sign)(void *ctx, struct slice body, struct buf *out);
    void *ctx;
};

struct retain_counts {
    uint64_t removed, records; /* segments, and their records */
    uint64_t held, unreadable; /* segments that stay though they are old, or cannot be read */
};

/*
 * Goes through all segments. What was removed is told even when it ends with an error: the table's,
 * sign()'s, ERR_INVALID (origin or reason). Footer and tombstone are durable before a segment goes;
 * one that was interrupted is done again by the next call.
 */
int retain_run(const struct retain_options *options, struct retain_counts *ret) MUST_USE;

#endif
