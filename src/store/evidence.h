/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Records as evidence: one JSON object that anybody can check who has the log's public key.
 *
 *     format      "vaka-evidence-1"
 *     claim       what it proves and what it does not
 *     check       how to check it, in words
 *     exported, by, reason
 *     checkpoint  the lines of a signed checkpoint (checkpoint.h), without their LF
 *     records     for each: seq; received and source, which are for people and repeat what the leaf
 *                 says; leaf, base64 of the bytes whose SHA-256 is the leaf's hash (event/record.h,
 *                 record_leaf_head(), then the raw bytes); proof, base64 of each hash of the
 * inclusion proof (RFC 6962, 2.1.1) in the tree of the checkpoint
 */
#ifndef VAKA_STORE_EVIDENCE_H
#define VAKA_STORE_EVIDENCE_H

#include "base/clock.h"
#include "store/checkpoint.h"
#include "store/tree_read.h"

enum {
    EVIDENCE_RECORDS_MAX = 10000,
    EVIDENCE_MAX = 256 * 1024 * 1024, /* bytes of the object */
};

struct evidence_options {
    uint64_t from, to;       /* sequence numbers: from <= n <= to */
    struct slice checkpoint; /* its text; its tree has all of them */
    struct slice by, reason;
    nsec now;
};

/* "N" or "N..M", from <= to; false: it is none. */
bool evidence_read_range(struct slice text, uint64_t *ret_from, uint64_t *ret_to);
/*
 * Appends the checkpoint of a tenant's folder to prove against: the newest that a witness has
 * signed, when it has record `last` in it, else the newest. ERR_NOT_FOUND: there is none;
 * ERR_NOMEM; errors of the io.
 */
int evidence_read_checkpoint(const struct store_io *io, uint64_t last, struct buf *out) MUST_USE;

/*
 * ERR_INVALID: no records, or the checkpoint is none, is smaller than `to` or is not of this tree;
 * ERR_LIMIT: too many records or bytes; ERR_NOT_FOUND: a record is not there, or what its proof
 * needs; errors of tree_reader_record(). out is to be dropped then.
 */
int evidence_write(struct buf *out, struct tree_reader *tree,
                   const struct evidence_options *options) MUST_USE;

#endif
