/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Whether a tenant's folder is what was once stored. This room reads the formats by itself
 * (event/record.h, store/journal.h, block.h, segment.h, checkpoint.h describe them) and shares no
 * code with those who write them, so that a mistake there is not repeated here.
 *
 * Every record is hashed again and the tree is built from nothing; each signed checkpoint is
 * compared with the root at its size. What no checkpoint covers is counted as unproven: on a
 * machine whose root is the attacker, that is all that no witness elsewhere has signed.
 */
#ifndef VAKA_VERIFY_VERIFY_H
#define VAKA_VERIFY_VERIFY_H

#include "base/error.h"
#include "base/slice.h"
#include "verify/note.h"

enum verify_verdict {
    VERIFY_INTACT,
    VERIFY_UNPROVABLE, /* nothing is wrong, but nothing signed says that it is right */
    VERIFY_DAMAGED,    /* bytes are unreadable or missing, as an accident leaves them */
    VERIFY_TAMPERED,   /* what is readable is not what was signed, or does not agree with itself */
};
/* "intact"; never NULL. */
const char *verify_verdict_text(enum verify_verdict verdict);

enum { VERIFY_NAME_MAX = 64, VERIFY_CHECKPOINTS_MAX = 1024 * 1024 };
/* A sequence number or an offset that is not known. */
#define VERIFY_NOWHERE UINT64_MAX

struct verify_finding {
    enum verify_verdict verdict;
    const char *what; /* a constant sentence */
    char file[VERIFY_NAME_MAX + 1];
    uint64_t seq, offset;
};

struct verify_options {
    int folder;                    /* borrowed */
    const struct verify_key *keys; /* the log's own */
    size_t n_keys;
    const struct verify_key *witnesses;
    size_t n_witnesses;
    /* Checkpoints that were kept elsewhere; the folder has to go on from them. */
    const struct slice *witnessed;
    size_t n_witnessed;
    void (*finding)(void *ctx, const struct verify_finding *finding);
    void *ctx;
};

struct verify_indexes {
    uint64_t n, damaged;
    char first[VERIFY_NAME_MAX + 1]; /* of those that are damaged */
};

struct verify_report {
    enum verify_verdict verdict;
    struct verify_finding first; /* the first of the worst; only when the verdict is not intact */
    uint64_t size;               /* leaves of the tree: sequence numbers in use */
    uint64_t sealed, waiting;    /* records read in segments, in journals */
    uint64_t lost, removed;      /* sequence numbers lost before sealing; removed by retention */
    uint64_t segments, footers, journals, checkpoints;
    uint64_t signed_size;    /* of the largest checkpoint that was found right */
    uint64_t witnessed_size; /* of the largest that a witness signed or that was handed in */
    uint64_t findings;
    struct verify_indexes indexes; /* no evidence: they change no verdict */
};

/* ERR_IO, ERR_NOMEM: nothing can be said. What is wrong with the folder is in the report. */
int verify_folder(const struct verify_options *options, struct verify_report *ret) MUST_USE;

#endif
