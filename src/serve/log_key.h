/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The key of the log in the process that signs, with what it signed last: a start forgets nothing,
 * and nothing smaller is signed after it. In the folder, beside the files of signing_key.h:
 *
 *     log.signed   the newest checkpoint that was signed, as a note (bookmark.h)
 *
 * It is durable before its signature is given out. While the folder is locked (flock), the key is
 * being replaced by another one, and nothing is signed.
 */
#ifndef VAKA_SERVE_LOG_KEY_H
#define VAKA_SERVE_LOG_KEY_H

#include "serve/bookmark.h"
#include "serve/signing_key.h"

struct log_key {
    struct checkpoint_signer signer;
    int folder, file; /* of the key */
    struct bookmark last;
    bool any;      /* it has signed something */
    uint64_t size; /* of the largest tree that was signed */
    struct sha256 root;
};

/*
 * As signing_key_open(); ERR_CORRUPT, too: what was signed last is not signed with a key of
 * log.pub. diag tells. Before the sandbox.
 */
int log_key_open(struct log_key *k, const char *folder, struct slice name,
                 const struct signing_seal *seal, struct diag *diag) MUST_USE;
/* Overwrites the secret. */
void log_key_close(struct log_key *k);

/*
 * Appends the line of a signature over `text`, a checkpoint of `size` up to its empty line and with
 * it. ERR_CORRUPT: it is none of this log, or goes back; ERR_STOPPED: another key has taken this
 * one's place; ERR_IO, ERR_LIMIT, ERR_NOMEM: it could not be kept.
 */
int log_key_sign(struct log_key *k, struct slice text, uint64_t size, struct buf *out) MUST_USE;
/* The same for what a tombstone says, which must be of records that a checkpoint covers. */
int log_key_sign_tombstone(struct log_key *k, struct slice body, struct buf *out) MUST_USE;

/*
 * Another key takes its place (signing_key_rotate()), also while a process signs: that one signs
 * nothing more. What it signed last, in the folder `store` of the records, is signed by both, and
 * log.pub says that the old key ended with it. `now` in seconds. ERR_NOT_FOUND: it has signed
 * nothing yet.
 */
int log_key_rotate(const char *folder, const char *store, uint64_t now,
                   const struct signing_seal *seal, struct diag *diag) MUST_USE;

#endif
