/* SPDX-License-Identifier: EUPL-1.2 */
#include "verify/tree.h"

#include <nettle/sha2.h>

#include "base/error.h"
#include "base/le.h"

static void add(struct sha256_ctx *sha, const void *bytes, size_t len)
{
    sha256_update(sha, len, bytes);
}

static void add_u32(struct sha256_ctx *sha, size_t v)
{
    char bytes[4];
    le32_put(bytes, (uint32_t)v);
    add(sha, bytes, sizeof bytes);
}

static void add_u64(struct sha256_ctx *sha, uint64_t v)
{
    char bytes[8];
    le64_put(bytes, v);
    add(sha, bytes, sizeof bytes);
}

static void add_text(struct sha256_ctx *sha, struct slice s)
{
    add_u32(sha, s.len);
    add(sha, s.ptr, s.len);
}

static struct verify_hash finish(struct sha256_ctx *sha)
{
    struct verify_hash hash;
    sha256_digest(sha, sizeof hash.bytes, hash.bytes);
    return hash;
}

struct verify_hash verify_leaf(const struct verify_record *r)
{
    struct sha256_ctx sha;
    const uint8_t front[4] = {0, 1, r->format, r->flags};
    sha256_init(&sha);
    add(&sha, front, sizeof front);
    add_u64(&sha, (uint64_t)r->received);
    add_u64(&sha, r->ordinal);
    add_text(&sha, r->source);
    add_text(&sha, r->delivery);
    add_text(&sha, r->context);
    add_text(&sha, r->raw);
    return finish(&sha);
}

struct verify_hash verify_leaf_lost(void)
{
    struct sha256_ctx sha;
    sha256_init(&sha);
    add(&sha, "\0\0", 2);
    return finish(&sha);
}

struct verify_hash verify_node(const struct verify_hash *left, const struct verify_hash *right)
{
    struct sha256_ctx sha;
    sha256_init(&sha);
    add(&sha, "\1", 1);
    add(&sha, left->bytes, sizeof left->bytes);
    add(&sha, right->bytes, sizeof right->bytes);
    return finish(&sha);
}

void verify_tree_init(struct verify_tree *t, uint64_t begin)
{
    t->begin = t->end = begin;
    t->n = 0;
    t->node = NULL;
    t->ctx = NULL;
}

unsigned verify_tree_height(uint64_t at, uint64_t end)
{
    unsigned height = 0;
    while (height < 62 && at % (UINT64_C(2) << height) == 0 && (UINT64_C(2) << height) <= end - at)
        height++;
    return height;
}

bool verify_tree_push(struct verify_tree *t, unsigned height, const struct verify_hash *hash)
{
    uint64_t width;
    if (height > 62) return false;
    width = UINT64_C(1) << height;
    if (t->end % width != 0 || t->end > (UINT64_C(1) << 62) - width) return false;
    ASSERT(t->n < VERIFY_NODES);
    t->nodes[t->n].height = height;
    t->nodes[t->n++].hash = *hash;
    t->end += width;
    while (t->n >= 2 && t->nodes[t->n - 1].height == t->nodes[t->n - 2].height) {
        unsigned h = t->nodes[t->n - 1].height;
        /* Two neighbours of a height are the halves of one when the left one's index is even. */
        uint64_t index = (t->end >> h) - 2;
        if (index % 2 != 0) break;
        t->n--;
        t->nodes[t->n - 1].hash = verify_node(&t->nodes[t->n - 1].hash, &t->nodes[t->n].hash);
        t->nodes[t->n - 1].height = h + 1;
        if (t->node) t->node(t->ctx, h + 1, index / 2, &t->nodes[t->n - 1].hash);
    }
    return true;
}

struct verify_hash verify_tree_root(const struct verify_tree *t)
{
    struct verify_hash root;
    if (t->n == 0) {
        struct sha256_ctx sha;
        sha256_init(&sha);
        return finish(&sha);
    }
    root = t->nodes[t->n - 1].hash;
    for (unsigned i = t->n - 1; i-- > 0;) root = verify_node(&t->nodes[i].hash, &root);
    return root;
}
