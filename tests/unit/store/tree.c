/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/tree.h"

#include "base/hash.h"
#include "test.h"

enum { LEAVES = 1500, GROWN = 70, KEPT = 2048 };

static struct sha256 leaf_of(uint64_t i)
{
    struct sha256 leaf;
    sha256_many(&(struct sha256_message){SLICE(""), slice_make(&i, sizeof i)}, 1, &leaf);
    return leaf;
}

static struct sha256 plain_root(uint64_t begin, uint64_t end);

static struct sha256 make_root(uint64_t begin, uint64_t end)
{
    if (end - begin == 1) return leaf_of(begin);
    uint64_t k = 1;
    while (2 * k < end - begin) k *= 2;
    struct sha256 left = plain_root(begin, begin + k), right = plain_root(begin + k, end);
    return tree_node(&left, &right);
}

/* MTH as RFC 6962, 2.1 writes it down. Those of complete trees are made once, and kept as in a
 * heap. */
static struct sha256 plain_root(uint64_t begin, uint64_t end)
{
    static struct {
        struct sha256 root;
        bool made;
    } kept[2 * KEPT];
    uint64_t n = end - begin;
    if ((n & (n - 1)) != 0 || begin % n != 0 || end > KEPT) return make_root(begin, end);
    uint64_t at = (KEPT + begin) / n;
    if (!kept[at].made) kept[at].root = make_root(begin, end);
    kept[at].made = true;
    return kept[at].root;
}

static int plain_node(void *ctx, unsigned height, uint64_t index, struct sha256 *ret)
{
    uint64_t size = *(uint64_t *)ctx;
    if (((index + 1) << height) > size) return ERR_NOT_FOUND;
    *ret = plain_root(index << height, (index + 1) << height);
    return 0;
}

/* The inputs and roots that Certificate Transparency's implementations are tested with. */
TEST(tree_has_the_roots_of_certificate_transparency)
{
    static const char *const inputs[] = {
        "",
        "\x00",
        "\x10",
        "\x20\x21",
        "\x30\x31",
        "\x40\x41\x42\x43",
        "\x50\x51\x52\x53\x54\x55\x56\x57",
        "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"};
    static const size_t lengths[] = {0, 1, 1, 2, 2, 4, 8, 16};
    static const char *const roots[] = {
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
    struct tree_range tree;
    tree_range_init(&tree, 0);
    for (size_t i = 0; i < 8; i++) {
        struct sha256 leaf;
        struct tree_range one;
        char text[65];
        sha256_many(&(struct sha256_message){SLICE("\x00"), slice_make(inputs[i], lengths[i])}, 1,
                    &leaf);
        tree_range_of_leaves(&one, i, &leaf, 1, NULL);
        tree_range_append(&tree, &one, NULL);
        struct sha256 root = tree_range_root(&tree);
        for (int k = 0; k < SHA256_SIZE; k++)
            (void)snprintf(text + 2 * k, 3, "%02x", root.bytes[k]);
        CHECK_SLICE(slice_of(text), roots[i]);
    }
}

struct told {
    uint32_t count[3][8];
    int wrong;
};

static void on_node(void *ctx, unsigned level, uint64_t index, const struct sha256 *hash)
{
    struct told *t = ctx;
    struct sha256 expected = plain_root(index << (8 * level), (index + 1) << (8 * level));
    t->wrong += !sha256_eq(hash, &expected);
    t->count[level][index]++;
}

/* However the leaves are cut into blocks: the same root, and each node of height 8 once. */
TEST(tree_is_the_same_from_any_ranges)
{
    static struct sha256 leaves[LEAVES];
    struct sha256 expected = plain_root(0, LEAVES);
    for (uint64_t round = 0; round < 60; round++) {
        struct told told = {.wrong = 0};
        struct tree_sink sink = {on_node, &told};
        static struct tree_range tree, middle, range, front;
        tree_range_init(&tree, 0);
        tree_range_init(&middle, 700);
        for (uint64_t at = 0, n; at < LEAVES; at += n) {
            n = 1 + hash_mix(round, at) % (round % 2 ? 40 : 900);
            if (at < 700 && n > 700 - at) n = 700 - at;
            if (n > LEAVES - at) n = LEAVES - at;
            for (uint64_t i = 0; i < n; i++) leaves[i] = plain_root(at + i, at + i + 1);
            tree_range_of_leaves(&range, at, leaves, n, &sink);
            CHECK_INT(range.n, tree_range_count(at, at + n));
            tree_range_append(&tree, &range, &sink);
            if (at >= 700) tree_range_append(&middle, &range, NULL);
        }
        struct sha256 root = tree_range_root(&tree);
        CHECK(sha256_eq(&root, &expected));
        CHECK_INT(told.wrong, 0);
        for (unsigned i = 0; i < 8; i++) CHECK_INT(told.count[1][i], i < LEAVES / 256);
        /* A range whose beginning is gone still makes the whole with the nodes before it. */
        for (uint64_t i = 0; i < 700; i++) leaves[i] = plain_root(i, i + 1);
        tree_range_of_leaves(&front, 0, leaves, 700, NULL);
        CHECK_INT(middle.n, tree_range_count(700, LEAVES));
        tree_range_append(&front, &middle, NULL);
        root = tree_range_root(&front);
        CHECK(sha256_eq(&root, &expected));
    }
}

TEST(inclusion_is_proved_and_nothing_else)
{
    uint64_t size = 0;
    struct tree_source source = {plain_node, &size};
    for (size = 1; size <= GROWN; size++) {
        struct sha256 root, other = leaf_of(999);
        REQUIRE(tree_root(&source, size, &root) == 0);
        for (uint64_t i = 0; i < size; i++) {
            struct tree_proof proof;
            struct sha256 leaf = leaf_of(i);
            REQUIRE(tree_prove_inclusion(&source, i, size, &proof) == 0);
            CHECK(tree_verify_inclusion(&proof, i, size, &leaf, &root));
            CHECK(!tree_verify_inclusion(&proof, i, size, &other, &root));
            CHECK(!tree_verify_inclusion(&proof, i + 1, size, &leaf, &root));
            for (unsigned k = 0; k < proof.n; k++) {
                proof.hashes[k].bytes[k] ^= 1;
                CHECK(!tree_verify_inclusion(&proof, i, size, &leaf, &root));
                proof.hashes[k].bytes[k] ^= 1;
            }
            proof.hashes[proof.n++] = other;
            CHECK(!tree_verify_inclusion(&proof, i, size, &leaf, &root));
            proof.n--;
            if (proof.n > 0) {
                proof.n--;
                CHECK(!tree_verify_inclusion(&proof, i, size, &leaf, &root));
            }
        }
        struct tree_proof none;
        CHECK(tree_prove_inclusion(&source, size, size, &none) == ERR_INVALID);
    }
}

TEST(consistency_is_proved_and_nothing_else)
{
    uint64_t size = 0;
    struct tree_source source = {plain_node, &size};
    for (size = 1; size < 50; size++) {
        struct sha256 root, old_root, other = leaf_of(999);
        REQUIRE(tree_root(&source, size, &root) == 0);
        for (uint64_t old = 0; old <= size; old++) {
            struct tree_proof proof;
            REQUIRE(tree_root(&source, old, &old_root) == 0);
            REQUIRE(tree_prove_consistency(&source, old, size, &proof) == 0);
            CHECK(tree_verify_consistency(&proof, old, size, &old_root, &root));
            if (old == 0) continue; /* an empty tree is consistent with any */
            CHECK(!tree_verify_consistency(&proof, old, size, &other, &root));
            CHECK(!tree_verify_consistency(&proof, old, size, &old_root, &other));
            for (unsigned k = 0; k < proof.n; k++) {
                proof.hashes[k].bytes[k] ^= 1;
                CHECK(!tree_verify_consistency(&proof, old, size, &old_root, &root));
                proof.hashes[k].bytes[k] ^= 1;
            }
            proof.hashes[proof.n++] = other;
            CHECK(!tree_verify_consistency(&proof, old, size, &old_root, &root));
        }
        struct tree_proof none;
        CHECK(tree_prove_consistency(&source, size + 1, size, &none) == ERR_INVALID);
    }
}

static void range_of(struct tree_range *ret, uint64_t begin, uint64_t end)
{
    struct sha256 leaves[GROWN];
    for (uint64_t i = begin; i < end; i++) leaves[i - begin] = plain_root(i, i + 1);
    tree_range_of_leaves(ret, begin, leaves, (size_t)(end - begin), NULL);
}

TEST(growth_is_proved_from_two_ranges_alone)
{
    for (uint64_t size = 0; size < 70; size++) {
        const struct tree_source source = {.node = plain_node, .ctx = &size};
        for (uint64_t old = 0; old <= size; old++) {
            static struct tree_range before, since;
            static struct tree_proof want, got;
            range_of(&before, 0, old);
            range_of(&since, old, size);
            REQUIRE(tree_prove_consistency(&source, old, size, &want) == 0);
            REQUIRE(tree_prove_growth(&before, &since, &got) == 0);
            REQUIRE(got.n == want.n);
            CHECK(memcmp(got.hashes, want.hashes, got.n * sizeof *got.hashes) == 0);
        }
    }
    static struct tree_range before, since;
    struct tree_proof proof;
    range_of(&before, 0, 5);
    range_of(&since, 6, 9);
    CHECK_INT(tree_prove_growth(&before, &since, &proof), ERR_INVALID);
}

TEST(proofs_end_with_their_source)
{
    uint64_t size = 5;
    struct tree_source source = {plain_node, &size};
    struct tree_proof proof;
    struct sha256 root;
    CHECK(tree_prove_inclusion(&source, 2, 9, &proof) == ERR_NOT_FOUND);
    CHECK(tree_prove_consistency(&source, 3, 9, &proof) == ERR_NOT_FOUND);
    CHECK(tree_root(&source, 9, &root) == ERR_NOT_FOUND);
}
