/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the process that seals has to do with witnesses: each checkpoint goes to the process that
 * asks them, with the proof that the tree went on from the one before, and their signatures come
 * back and are checked and stored with it. The proof costs nothing: the ranges of the tree are
 * kept from one checkpoint to the next. Only for a witness that missed some are records read again.
 *
 * File `witnessed` is the newest checkpoint that a witness has signed; `checkpoint`, and the one
 * that was kept, get the signature too as long as they are the same.
 */
#ifndef VAKA_SERVE_COSIGN_H
#define VAKA_SERVE_COSIGN_H

#include "serve/role.h"
#include "store/checkpoint.h"
#include "store/tree.h"

enum { COSIGN_WITNESSES_MAX = 8 };

struct cosign {
    struct role *role;
    const struct store_io *io;
    struct checkpoint_key log; /* name "": not known yet */
    struct checkpoint_key keys[COSIGN_WITNESSES_MAX];
    size_t n;
    struct tree_range told, since; /* the tree that was asked about last; what came since */
    struct tree_proof proof;       /* from the one before to `told` */
    uint64_t old;
    struct buf current; /* the newest checkpoint as the log has signed it */
    bool kept;
    struct buf note, lines[COSIGN_WITNESSES_MAX]; /* the one that is signed by witnesses */
    struct buf text;
    uint64_t size; /* of the newest that a witness signed; 0: none since the start */
    nsec at;       /* realtime; 0: never */
    nsec told_at;  /* what the clock of that witness said */
    uint64_t refused;
};

/* Before the sandbox. io is borrowed. */
int cosign_prepare(struct cosign *c, struct role *r, const struct store_io *io,
                   struct diag *diag) MUST_USE;
/* The tree at the start. */
void cosign_start(struct cosign *c, const struct tree_range *tree);
void cosign_set_log(struct cosign *c, const struct checkpoint_key *log);
/* Leaves came behind the others. */
void cosign_grow(struct cosign *c, const struct tree_range *range);
/* A checkpoint of the tree is asked for. */
void cosign_mark(struct cosign *c, const struct tree_range *tree);
/* It was signed; `kept`: it is also stored as checkpoint-N. */
void cosign_submit(struct cosign *c, struct slice note, uint64_t size, bool kept);
/* From the process that asks the witnesses. ERR_CORRUPT. */
int cosign_frame(struct cosign *c, const struct frame *frame) MUST_USE;
void cosign_status(const struct cosign *c, struct buf *out);

#endif
