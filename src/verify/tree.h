/* SPDX-License-Identifier: EUPL-1.2 */
/* Hashes of records and of what is above them: RFC 6962, 2.1, leaf by leaf. */
#ifndef VAKA_VERIFY_TREE_H
#define VAKA_VERIFY_TREE_H

#include "base/slice.h"

enum { VERIFY_HASH = 32, VERIFY_NODES = 128 };

struct verify_hash {
    uint8_t bytes[VERIFY_HASH];
};

static inline bool verify_hash_eq(const struct verify_hash *a, const struct verify_hash *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

struct verify_record {
    struct slice raw, source, delivery, context;
    int64_t received;
    uint64_t ordinal;
    uint8_t format, flags;
};

struct verify_hash verify_leaf(const struct verify_record *r);
/* Of a sequence number whose record was lost. */
struct verify_hash verify_leaf_lost(void);
struct verify_hash verify_node(const struct verify_hash *left, const struct verify_hash *right);

/* The leaves [begin, end), as their largest aligned subtrees. */
struct verify_tree {
    uint64_t begin, end;
    unsigned n;
    struct {
        unsigned height;
        struct verify_hash hash;
    } nodes[VERIFY_NODES];
    /* Told each node of a height above 0 that comes to be; may be NULL. */
    void (*node)(void *ctx, unsigned height, uint64_t index, const struct verify_hash *hash);
    void *ctx;
};

void verify_tree_init(struct verify_tree *t, uint64_t begin);
/* A subtree of 2^height leaves; false when none can stand at the end. */
bool verify_tree_push(struct verify_tree *t, unsigned height, const struct verify_hash *hash);
/* The height of the largest subtree that begins at `at` and ends by `end`, which is larger. */
unsigned verify_tree_height(uint64_t at, uint64_t end);
struct verify_hash verify_tree_root(const struct verify_tree *t);

#endif
