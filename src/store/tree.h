/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The Merkle tree of RFC 6962, 2.1: a leaf is SHA-256(0x00 ‖ record), a node SHA-256(0x01 ‖ left ‖
 * right). One tree per tenant; leaf i is the record with sequence number i.
 *
 * A *range* stands for the leaves [begin, end) and keeps the hashes of the largest aligned subtrees
 * that lie in it, in order: at most 2 log2(n). A range that begins at 0 is a tree, and its nodes
 * are all that has to be kept to go on (RFC 6962 calls their fold the tree head). Neighbouring
 * ranges can be joined, so that a block of records, a segment and the whole tree are the same
 * thing, and what is below them may be gone.
 *
 * Nodes of heights 8, 16, … are told to a sink once, when they come to be: in the order of their
 * index they are the tiles of level 1, 2, … of C2SP tlog-tiles, laid end to end.
 */
#ifndef VAKA_STORE_TREE_H
#define VAKA_STORE_TREE_H

#include "base/error.h"
#include "store/sha256.h"

enum {
    TREE_RANGE_MAX = 128,  /* nodes of a range */
    TREE_PROOF_MAX = 128,  /* hashes of a proof */
    TREE_TILE_HEIGHT = 8,  /* tlog-tiles */
    TREE_TILE_WIDTH = 256, /* hashes of a whole tile */
    TREE_HEIGHT_MAX = 62,  /* of any node */
};
#define TREE_SIZE_MAX (UINT64_C(1) << TREE_HEIGHT_MAX)

/* level 1: nodes of height 8, and so on. */
struct tree_sink {
    void (*node)(void *ctx, unsigned level, uint64_t index, const struct sha256 *hash);
    void *ctx;
};

struct tree_range {
    uint64_t begin, end; /* begin <= end <= TREE_SIZE_MAX */
    unsigned n;
    struct sha256 nodes[TREE_RANGE_MAX];
};

/* An empty one. */
void tree_range_init(struct tree_range *range, uint64_t begin);
/*
 * The range of n leaves from `begin`. `leaves` is used up as working space.
 * `sink` may be NULL.
 */
void tree_range_of_leaves(struct tree_range *ret, uint64_t begin, struct sha256 *leaves, size_t n,
                          const struct tree_sink *sink);
/* Joins the range that begins where `range` ends. `sink` may be NULL. */
void tree_range_append(struct tree_range *range, const struct tree_range *next,
                       const struct tree_sink *sink);
/* How many nodes a range has. */
unsigned tree_range_count(uint64_t begin, uint64_t end);
/*
 * The nodes folded from the right: of a range from 0 this is the tree's root (of an empty one
 * SHA-256 of nothing), of any other a hash that binds all its leaves and their place.
 */
struct sha256 tree_range_root(const struct tree_range *range);

/* SHA-256(0x01 ‖ left ‖ right) */
struct sha256 tree_node(const struct sha256 *left, const struct sha256 *right);

/* ---- proofs ---- */

/* Where nodes are read from: the subtree of `height` over leaves index << height and on. */
struct tree_source {
    int (*node)(void *ctx, unsigned height, uint64_t index, struct sha256 *ret);
    void *ctx;
};

struct tree_proof {
    unsigned n;
    struct sha256 hashes[TREE_PROOF_MAX];
};

/* The root when the tree had `size` leaves. Errors are the source's. */
int tree_root(const struct tree_source *source, uint64_t size, struct sha256 *ret) MUST_USE;
/* RFC 6962, 2.1.1. ERR_INVALID: index >= size. */
int tree_prove_inclusion(const struct tree_source *source, uint64_t index, uint64_t size,
                         struct tree_proof *ret) MUST_USE;
/* RFC 6962, 2.1.2. ERR_INVALID: old_size > size. Empty for old_size 0 and for equal sizes. */
int tree_prove_consistency(const struct tree_source *source, uint64_t old_size, uint64_t size,
                           struct tree_proof *ret) MUST_USE;
/*
 * The same from the tree's ranges alone: `before` from 0, `since` from where it ends. ERR_INVALID:
 * they are not neighbours.
 */
int tree_prove_growth(const struct tree_range *before, const struct tree_range *since,
                      struct tree_proof *ret) MUST_USE;
/* RFC 9162, 2.1.3.2 and 2.1.4.2. */
bool tree_verify_inclusion(const struct tree_proof *proof, uint64_t index, uint64_t size,
                           const struct sha256 *leaf, const struct sha256 *root);
bool tree_verify_consistency(const struct tree_proof *proof, uint64_t old_size, uint64_t size,
                             const struct sha256 *old_root, const struct sha256 *root);

#endif
