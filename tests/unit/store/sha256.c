/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/sha256.h"

#include "base/hash.h"
#include "test.h"

static void hex(const struct sha256 *h, char ret[65])
{
    for (int i = 0; i < SHA256_SIZE; i++) (void)snprintf(ret + 2 * i, 3, "%02x", h->bytes[i]);
}

/* NIST's examples for FIPS 180-4: one block, two blocks, none. */
TEST(sha256_of_known_messages)
{
    static const struct {
        const char *message, *digest;
    } known[] = {
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
         "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    struct sha256_message messages[4];
    struct sha256 got[4];
    char text[65];
    for (size_t i = 0; i < 4; i++)
        messages[i] = (struct sha256_message){SLICE_NONE, slice_of(known[i].message)};
    sha256_many(messages, 4, got);
    for (size_t i = 0; i < 4; i++) {
        hex(&got[i], text);
        CHECK_SLICE(slice_of(text), known[i].digest);
    }
}

/* A million times "a": SHA256LongMsg of the same publication. */
TEST(sha256_of_a_long_message)
{
    char *a = malloc(1000000), text[65];
    REQUIRE(a);
    memset(a, 'a', 1000000);
    struct sha256 got;
    sha256_many(&(struct sha256_message){slice_make(a, 37), slice_make(a, 1000000 - 37)}, 1, &got);
    hex(&got, text);
    CHECK_SLICE(slice_of(text), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(a);
}

/* Every length around the ends of blocks, every split into head and body, lanes of other lengths.
 */
TEST(sha256_is_what_nettle_says)
{
    enum { N = 61 };
    static char bytes[4096];
    struct sha256_message messages[N];
    struct sha256 got[N], expected[N];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)hash64_seed(slice_make(&i, sizeof i), 1);
    for (uint64_t round = 0; round < 400; round++) {
        for (size_t i = 0; i < N; i++) {
            uint64_t r = hash_mix(round, i);
            size_t len = round < 200 ? round : r % 2048;
            size_t head = len ? (r >> 32) % (len + 1) : 0, at = (r >> 16) % 2048;
            messages[i].head = slice_make(bytes + at, head);
            messages[i].body = slice_make(bytes + at + head, len - head);
        }
        size_t n = round % (N + 1);
        sha256_many(messages, n, got);
        sha256_many_portable(messages, n, expected);
        for (size_t i = 0; i < n; i++) CHECK(sha256_eq(&got[i], &expected[i]));
    }
}
