/* SPDX-License-Identifier: EUPL-1.2 */
/* Exported evidence (store/evidence.h has the form), checked without the store it came from. */
#ifndef VAKA_VERIFY_EVIDENCE_H
#define VAKA_VERIFY_EVIDENCE_H

#include "verify/note.h"

struct verify_evidence {
    const char *what; /* why it is not right; NULL: it is */
    uint64_t records; /* that were found right */
    uint64_t seq;     /* of the record that is not */
    uint64_t size;    /* of the tree */
    bool witnessed;   /* a witness has signed its checkpoint */
};

/*
 * Tells each record that is right. 0: all of them are; ERR_CORRUPT: something is not, see *ret;
 * ERR_SYNTAX: this is no evidence; ERR_NOMEM. Without keys nothing is right.
 */
int verify_evidence(struct slice text, const struct verify_key *keys, size_t n_keys,
                    const struct verify_key *witnesses, size_t n_witnesses,
                    void (*record)(void *ctx, uint64_t seq, const struct verify_record *record),
                    void *ctx, struct verify_evidence *ret) MUST_USE;

#endif
