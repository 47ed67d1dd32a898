/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A witness: it keeps, for each log it knows, the newest checkpoint it has signed, and signs
 * another only when that goes on from it. So of one size of a log there is never more than one root
 * with its signature, and never a smaller one after a larger: who has the log's key cannot write
 * the past anew without being seen.
 *
 * In its folder, for each log, H being the beginning of SHA-256 of its origin as 32 hexadecimal
 * digits: log-H, the newest checkpoint with our cosignature; fork-H, the first checkpoint that the
 * log's key has signed and that was not shown to go on from it: of the same size it is proof that
 * the log was rewritten. A log-H that does not bear our signature is not believed.
 */
#ifndef VAKA_WITNESS_WITNESS_H
#define VAKA_WITNESS_WITNESS_H

#include "witness/request.h"

struct witness {
    const struct store_io *io;
    const struct checkpoint_signer *signer; /* CHECKPOINT_WITNESS */
    const struct checkpoint_key *logs;      /* several of one name: any that has no end may sign */
    size_t n_logs;
};

/* The answers of C2SP tlog-witness, as statuses of HTTP. */
enum witness_status {
    WITNESS_SIGNED = 200,
    WITNESS_MALFORMED = 400, /* no request, or the old size is above the new one */
    WITNESS_UNSIGNED = 403,  /* no key that is trusted for the origin, and in use, has signed it */
    WITNESS_UNKNOWN = 404,   /* the origin */
    WITNESS_CONFLICT = 409,  /* the old size is not the one we know, or a size has two roots */
    WITNESS_UNPROVED = 422,  /* it does not go on from what we know */
    WITNESS_FAILED = 500,    /* our state cannot be read or written: nothing was signed */
};

struct witness_answer {
    enum witness_status status;
    uint64_t size; /* that we know of now */
    bool forked;   /* signed by the log's key, and not shown to go on from what we know */
    char origin[CHECKPOINT_NAME_MAX + 1]; /* "" unless it is one we know */
};

/*
 * Decides about the body of a request at `now` (seconds), and appends the body of the answer. What
 * is signed is durable before.
 */
void witness_add(const struct witness *w, struct slice request, uint64_t now, struct buf *out,
                 struct witness_answer *ret);

#endif
