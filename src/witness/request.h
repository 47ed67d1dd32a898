/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What is said to a witness, C2SP tlog-witness: the body of POST …/add-checkpoint is
 *
 *     "old " size in decimal LF; base64 of each hash of the consistency proof, LF; LF; a checkpoint
 *
 * A size has one form, a proof at most 63 hashes. The answer is the lines of cosignatures, or with
 * status 409 and type text/x.tlog.size the size that the witness knows, in decimal, and LF.
 */
#ifndef VAKA_WITNESS_REQUEST_H
#define VAKA_WITNESS_REQUEST_H

#include "store/checkpoint.h"
#include "store/tree.h"

enum {
    WITNESS_PROOF_MAX = 63,
    WITNESS_REQUEST_MAX = CHECKPOINT_MAX + 4096, /* bytes */
    WITNESS_ANSWER_MAX = 16 * 1024,
};

struct witness_request {
    uint64_t old_size;
    struct tree_proof proof;
    struct slice note; /* of the text */
    struct checkpoint checkpoint;
};

/* Borrows from its text. ERR_SYNTAX, ERR_LIMIT. No signature is looked at. */
int witness_request_read(struct slice text, struct witness_request *ret) MUST_USE;
/* Appends a body. */
void witness_request_write(struct buf *out, uint64_t old_size, const struct tree_proof *proof,
                           struct slice note);

void witness_size_write(struct buf *out, uint64_t size);
/* Of an answer 409; false when it is none. */
bool witness_size_read(struct slice text, uint64_t *ret);

#endif
