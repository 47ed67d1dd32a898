/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/hash.h"

#include "test.h"

/* Digests and compile caches outlive a build: the function must stay XXH3. Values are those of
 * `xxh64sum -H3`. */
TEST(it_is_xxh3)
{
    CHECK(hash64(SLICE("")) == UINT64_C(0x2d06800538d394c2));
    CHECK(hash64(SLICE("abc")) == UINT64_C(0x78af5f94892f3950));
    CHECK(hash64(SLICE_NONE) == hash64(SLICE("")));
    CHECK(hash64_seed(SLICE("abc"), 0) == hash64(SLICE("abc")));
}

TEST(a_seed_makes_it_another)
{
    CHECK(hash64_seed(SLICE("abc"), 1) != hash64(SLICE("abc")));
    CHECK(hash64_seed(SLICE("abc"), 1) != hash64_seed(SLICE("abc"), 2));
    CHECK(hash64_seed(SLICE("abc"), 1) == hash64_seed(SLICE("abc"), 1));
}

/* Keys are composed of a small number and a hash: neither side may get lost, nor their order. */
TEST(mixing_keeps_both_sides_apart)
{
    CHECK(hash_mix(1, 2) != hash_mix(2, 1));
    CHECK(hash_mix(0, 1) != hash_mix(0, 2));
    CHECK(hash_mix(1, 0) != hash_mix(2, 0));
}
