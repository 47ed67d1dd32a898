/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the process that seals does to a folder, in the order in which serve/seal_role.c does it,
 * one step at a time and without processes: journals → segments, tree, checkpoints. Only the caller
 * knows what the store has called durable, and which journals there are.
 */
#ifndef VAKA_TESTS_SEALING_H
#define VAKA_TESTS_SEALING_H

#include "store/checkpoint.h"
#include "store/journal.h"
#include "store/segment.h"
#include "store/store.h"

enum { SEALING_JOURNALS_MAX = 64, SEALING_FRAME_MAX = 1024 /* records */ };

struct sealing {
    const struct store_io *io; /* borrowed */
    struct segment_options options;
    uint64_t journals[SEALING_JOURNALS_MAX]; /* ascending, those not read to their end */
    size_t n_journals;
    struct journal_reader reader;
    int file; /* of journals[0]; -1: it is not open */
    struct segment_writer *writer;
    struct tree_range tree, segments; /* of all records that were read; of finished segments */
    struct sha256 leaves[SEALING_FRAME_MAX];
    uint64_t signed_before; /* size of the checkpoint that was there at the start */
    bool keep;              /* a segment was finished since the last checkpoint */
};

/* From what is in the folder. sealing_end() in any case. */
int sealing_start(struct sealing *s, const struct store_io *io, uint32_t tenant) MUST_USE;
/* As the end of the process: nothing is finished. */
void sealing_end(struct sealing *s);
/* A journal is there; told again it changes nothing. */
void sealing_tell(struct sealing *s, uint64_t first);
/* The store began anew: it tells all journals again, and one may be another file than it was. */
void sealing_forget(struct sealing *s);
/* One frame, or the end of a journal. 1: there was something; 0: there is nothing for now. */
int sealing_step(struct sealing *s, struct store_durable durable) MUST_USE;
/* Whether what was signed before the start is still being read. */
bool sealing_is_behind(const struct sealing *s, struct store_durable durable);
/* Signs and stores what the tree is now. */
int sealing_sign(struct sealing *s, const struct checkpoint_signer *signer) MUST_USE;

/* The hash of a record in the tree, and that of one that was lost. */
struct sha256 sealing_leaf(const struct record *record);
struct sha256 sealing_leaf_lost(void);

#endif
