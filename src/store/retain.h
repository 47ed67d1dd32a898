/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Retention: whole segments are removed when all their records are old enough and none is held.
 * What stays is footer-N, the segment's footer and tail, so that the tree goes on over what is
 * gone, and tombstone-N, a C2SP signed-note that the log's key signs, with the lines
 *
 *     origin "/tombstone" · begin · end (behind the last sequence number) · base64 of the root
 * behind it · when it was removed (RFC 3339) · the reason
 *
 * The key may be another process's: then a pass stops at each segment that may go, and goes on when
 * the signature has come.
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
    /* Of retain_run(): appends the lines of signatures over `body` to out. An error ends it. */
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

/* The same in steps. */
struct retain_pass {
    struct retain_options options; /* what it borrows stays for the pass */
    struct retain_counts counts;
    struct buf begins; /* u64, ascending, of the segments that were there at its beginning */
    size_t at;
    struct segment_footer footer; /* of the one that waits for its signature */
    struct buf body;              /* what is to be signed */
};

/* retain_pass_done() in any case. ERR_INVALID, ERR_NOMEM, the table's errors. */
int retain_pass_init(struct retain_pass *p, const struct retain_options *options) MUST_USE;
void retain_pass_done(struct retain_pass *p);
/*
 * 1: a segment may go when p->body is signed; 0: there is none any more. retain_pass_bury() takes
 * the lines of the signatures and removes it. Errors as of retain_run().
 */
int retain_pass_next(struct retain_pass *p) MUST_USE;
int retain_pass_bury(struct retain_pass *p, struct slice signatures) MUST_USE;

/*
 * Whether `body` is what a tombstone of that log says before its signatures, in the only form of
 * it; *ret_end is the sequence number behind the last removed one.
 */
bool retain_tombstone_valid(struct slice body, struct slice origin, uint64_t *ret_end);

#endif
