/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/tree.h"

enum { PAIRS_AT_ONCE = 64 };

/* ---- nodes ------------------------------------------------------------------------------- */

/* ret[i] = the node over hashes 2 i and 2 i + 1. `ret` may be `hashes`. */
static void hash_pairs(const struct sha256 *hashes, size_t n, struct sha256 *ret)
{
    struct sha256_message messages[PAIRS_AT_ONCE];
    struct sha256 out[PAIRS_AT_ONCE];
    while (n > 0) {
        size_t now = n < PAIRS_AT_ONCE ? n : PAIRS_AT_ONCE;
        for (size_t i = 0; i < now; i++)
            messages[i] = (struct sha256_message){SLICE("\x01"), slice_make(hashes + 2 * i, 64)};
        sha256_many(messages, now, out);
        memcpy(ret, out, now * sizeof *out);
        hashes += 2 * now;
        ret += now;
        n -= now;
    }
}

struct sha256 tree_node(const struct sha256 *left, const struct sha256 *right)
{
    struct sha256 pair[2] = {*left, *right}, node;
    hash_pairs(pair, 1, &node);
    return node;
}

/* ---- ranges ------------------------------------------------------------------------------ */

static unsigned log2_floor(uint64_t n)
{
    return 63 - (unsigned)__builtin_clzll(n);
}

/* The height of the largest aligned subtree that begins at `at` and ends by `end`. */
static unsigned height_at(uint64_t at, uint64_t end)
{
    unsigned fits = log2_floor(end - at);
    unsigned aligned = at ? (unsigned)__builtin_ctzll(at) : fits;
    return aligned < fits ? aligned : fits;
}

void tree_range_init(struct tree_range *range, uint64_t begin)
{
    range->begin = range->end = begin;
    range->n = 0;
}

unsigned tree_range_count(uint64_t begin, uint64_t end)
{
    unsigned n = 0;
    for (; begin < end; n++) begin += UINT64_C(1) << height_at(begin, end);
    return n;
}

static void tell(const struct tree_sink *sink, unsigned height, uint64_t index,
                 const struct sha256 *hash)
{
    if (sink && height > 0 && height % TREE_TILE_HEIGHT == 0)
        sink->node(sink->ctx, height / TREE_TILE_HEIGHT, index, hash);
}

/* One more subtree at the end; it and those before it become larger ones. */
static void push(struct tree_range *range, unsigned height, const struct sha256 *hash,
                 const struct tree_sink *sink)
{
    uint64_t index = range->end >> height;
    struct sha256 top = *hash;
    range->end += UINT64_C(1) << height;
    /* What is left of an odd node is whole and of its height, or begins before the range does. */
    while ((index & 1) && ((index - 1) << height) >= range->begin) {
        top = tree_node(&range->nodes[--range->n], &top);
        index >>= 1;
        height++;
        tell(sink, height, index, &top);
    }
    ASSERT(range->n < TREE_RANGE_MAX);
    range->nodes[range->n++] = top;
}

void tree_range_append(struct tree_range *range, const struct tree_range *next,
                       const struct tree_sink *sink)
{
    ASSERT(range->end == next->begin && next->end <= TREE_SIZE_MAX);
    for (unsigned i = 0; i < next->n; i++)
        push(range, height_at(range->end, next->end), &next->nodes[i], sink);
}

void tree_range_of_leaves(struct tree_range *ret, uint64_t begin, struct sha256 *leaves, size_t n,
                          const struct tree_sink *sink)
{
    struct sha256 right[TREE_HEIGHT_MAX + 2];
    unsigned n_right = 0, height = 0;
    uint64_t index = begin;
    tree_range_init(ret, begin);
    ret->end = begin + n;
    while (n > 0) {
        if ((index & 1) || n == 1) {
            /* No left sibling in the range, or the last of its height: it stays as it is. */
            ret->nodes[ret->n++] = *leaves++;
            index++;
            n--;
        }
        if (n % 2) right[n_right++] = leaves[n - 1];
        n /= 2;
        index /= 2;
        height++;
        hash_pairs(leaves, n, leaves);
        for (size_t i = 0; i < n; i++) tell(sink, height, index + i, &leaves[i]);
    }
    while (n_right > 0) ret->nodes[ret->n++] = right[--n_right];
}

struct sha256 tree_range_root(const struct tree_range *range)
{
    struct sha256 root;
    if (range->n == 0) {
        sha256_many(&(struct sha256_message){SLICE_NONE, SLICE_NONE}, 1, &root);
        return root;
    }
    root = range->nodes[range->n - 1];
    for (unsigned i = range->n - 1; i > 0; i--) root = tree_node(&range->nodes[i - 1], &root);
    return root;
}

/* ---- proofs ------------------------------------------------------------------------------ */

/* The largest power of two below n; n > 1. */
static uint64_t split_of(uint64_t n)
{
    return UINT64_C(1) << log2_floor(n - 1);
}

/* MTH(D[begin:end]), RFC 6962, 2.1; `begin` is aligned as a subtree of that many leaves is. */
static int subtree(const struct tree_source *source, uint64_t begin, uint64_t end,
                   struct sha256 *ret)
{
    struct sha256 parts[TREE_HEIGHT_MAX + 2];
    unsigned n = 0;
    while (begin < end) {
        unsigned height = height_at(begin, end);
        int error = source->node(source->ctx, height, begin >> height, &parts[n++]);
        if (error) return error;
        begin += UINT64_C(1) << height;
    }
    while (n > 1) {
        parts[n - 2] = tree_node(&parts[n - 2], &parts[n - 1]);
        n--;
    }
    *ret = parts[0];
    return 0;
}

int tree_root(const struct tree_source *source, uint64_t size, struct sha256 *ret)
{
    struct tree_range empty;
    if (size > TREE_SIZE_MAX) return ERR_INVALID;
    if (size > 0) return subtree(source, 0, size, ret);
    tree_range_init(&empty, 0);
    *ret = tree_range_root(&empty);
    return 0;
}

static void reverse(struct tree_proof *proof)
{
    for (unsigned i = 0, j = proof->n; i + 1 < j; i++) {
        struct sha256 h = proof->hashes[--j];
        proof->hashes[j] = proof->hashes[i];
        proof->hashes[i] = h;
    }
}

int tree_prove_inclusion(const struct tree_source *source, uint64_t index, uint64_t size,
                         struct tree_proof *ret)
{
    struct tree_proof proof = {.n = 0};
    uint64_t begin = 0, end = size;
    if (size > TREE_SIZE_MAX || index >= size) return ERR_INVALID;
    while (end - begin > 1) {
        uint64_t middle = begin + split_of(end - begin);
        struct sha256 *sibling = &proof.hashes[proof.n++];
        int error = index < middle ? subtree(source, middle, end, sibling)
                                   : subtree(source, begin, middle, sibling);
        if (error) return error;
        if (index < middle) end = middle;
        else begin = middle;
    }
    reverse(&proof);
    *ret = proof;
    return 0;
}

int tree_prove_consistency(const struct tree_source *source, uint64_t old_size, uint64_t size,
                           struct tree_proof *ret)
{
    struct tree_proof proof = {.n = 0};
    uint64_t begin = 0, end = size;
    bool whole = true; /* RFC 6962's b: the verifier knows the subtree that is left */
    if (size > TREE_SIZE_MAX || old_size > size) return ERR_INVALID;
    while (old_size > 0 && old_size < end) {
        uint64_t middle = begin + split_of(end - begin);
        struct sha256 *sibling = &proof.hashes[proof.n++];
        int error = old_size <= middle ? subtree(source, middle, end, sibling)
                                       : subtree(source, begin, middle, sibling);
        if (error) return error;
        if (old_size <= middle) {
            end = middle;
        } else {
            begin = middle;
            whole = false;
        }
    }
    if (!whole) {
        int error = subtree(source, begin, end, &proof.hashes[proof.n++]);
        if (error) return error;
    }
    reverse(&proof);
    *ret = proof;
    return 0;
}

/* Where a proof of growth finds its nodes: each is one of the old tree's range or the new one's. */
struct growth {
    const struct tree_range *before, *since;
};

static bool node_of_range(const struct tree_range *range, unsigned height, uint64_t index,
                          struct sha256 *ret)
{
    uint64_t begin = range->begin;
    for (unsigned i = 0; i < range->n; i++) {
        unsigned at = height_at(begin, range->end);
        if (at == height && begin >> at == index) {
            *ret = range->nodes[i];
            return true;
        }
        begin += UINT64_C(1) << at;
    }
    return false;
}

static int node_of_growth(void *ctx, unsigned height, uint64_t index, struct sha256 *ret)
{
    const struct growth *g = ctx;
    bool found =
        node_of_range(g->before, height, index, ret) || node_of_range(g->since, height, index, ret);
    return found ? 0 : ERR_NOT_FOUND;
}

int tree_prove_growth(const struct tree_range *before, const struct tree_range *since,
                      struct tree_proof *ret)
{
    struct growth growth = {before, since};
    if (before->begin != 0 || before->end != since->begin) return ERR_INVALID;
    return tree_prove_consistency(&(struct tree_source){.node = node_of_growth, .ctx = &growth},
                                  before->end, since->end, ret);
}

bool tree_verify_inclusion(const struct tree_proof *proof, uint64_t index, uint64_t size,
                           const struct sha256 *leaf, const struct sha256 *root)
{
    if (index >= size || proof->n > TREE_PROOF_MAX) return false;
    struct sha256 r = *leaf;
    uint64_t last = size - 1;
    for (unsigned i = 0; i < proof->n; i++) {
        if (last == 0) return false;
        if ((index & 1) || index == last) {
            r = tree_node(&proof->hashes[i], &r);
            while (!(index & 1) && index != 0) {
                index >>= 1;
                last >>= 1;
            }
        } else {
            r = tree_node(&r, &proof->hashes[i]);
        }
        index >>= 1;
        last >>= 1;
    }
    return last == 0 && sha256_eq(&r, root);
}

bool tree_verify_consistency(const struct tree_proof *proof, uint64_t old_size, uint64_t size,
                             const struct sha256 *old_root, const struct sha256 *root)
{
    if (old_size > size || proof->n > TREE_PROOF_MAX) return false;
    if (old_size == size) return proof->n == 0 && sha256_eq(old_root, root);
    if (old_size == 0) return proof->n == 0;
    unsigned i = 0;
    uint64_t index = old_size - 1, last = size - 1;
    struct sha256 old_r = *old_root;
    /* A whole old tree is a node of the new one and stands in no proof. */
    if (old_size & (old_size - 1)) {
        if (proof->n == 0) return false;
        old_r = proof->hashes[i++];
    }
    struct sha256 r = old_r;
    for (; index & 1; index >>= 1) last >>= 1;
    for (; i < proof->n; i++) {
        if (last == 0) return false;
        if ((index & 1) || index == last) {
            old_r = tree_node(&proof->hashes[i], &old_r);
            r = tree_node(&proof->hashes[i], &r);
            while (!(index & 1) && index != 0) {
                index >>= 1;
                last >>= 1;
            }
        } else {
            r = tree_node(&r, &proof->hashes[i]);
        }
        index >>= 1;
        last >>= 1;
    }
    return last == 0 && sha256_eq(&old_r, old_root) && sha256_eq(&r, root);
}
