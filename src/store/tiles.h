/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The kept nodes of the tree: file tree-L has the nodes of height 8 L in the order of their index,
 * 32 bytes each, for L from 1: the tiles of level L of C2SP tlog-tiles, laid end to end. Nodes
 * never change; writing one again writes the same bytes.
 */
#ifndef VAKA_STORE_TILES_H
#define VAKA_STORE_TILES_H

#include "base/buf.h"
#include "store/io.h"
#include "store/tree.h"

enum { TILES_LEVEL_MAX = TREE_HEIGHT_MAX / TREE_TILE_HEIGHT };

/* Nodes that came to be after the tree had `begin` leaves, until they are written. */
struct tiles_new {
    uint64_t begin;
    struct buf levels[TILES_LEVEL_MAX + 1]; /* nodes from index begin >> 8 L on; [0] is not used */
};

void tiles_new_init(struct tiles_new *t);
void tiles_new_done(struct tiles_new *t);
/* Empty, for a tree of `begin` leaves. */
void tiles_new_begin(struct tiles_new *t, uint64_t begin);
/* Takes nodes; what memory did not suffice for is told by tiles_write(). `t` is borrowed. */
struct tree_sink tiles_sink(struct tiles_new *t);
/* Writes them, durably: a segment without its nodes would be one that nobody writes again.
 * ERR_NOMEM, and the table's errors. */
int tiles_write(const struct store_io *io, const struct tiles_new *t) MUST_USE;

/* n nodes of a level from `index` on. ERR_TRUNCATED: they are not there; the table's errors. */
int tiles_read(const struct store_io *io, unsigned level, uint64_t index, size_t n,
               struct sha256 *ret) MUST_USE;

#endif
