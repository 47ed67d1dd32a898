/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/sha256.h"

#include <nettle/sha2.h>

void sha256_many_portable(const struct sha256_message *messages, size_t n, struct sha256 *ret)
{
    for (size_t i = 0; i < n; i++) {
        struct sha256_ctx ctx;
        sha256_init(&ctx);
        sha256_update(&ctx, messages[i].head.len, (const uint8_t *)messages[i].head.ptr);
        sha256_update(&ctx, messages[i].body.len, (const uint8_t *)messages[i].body.ptr);
        sha256_digest(&ctx, sizeof ret[i].bytes, ret[i].bytes);
    }
}

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>

#define WITH_SHA __attribute__((target("sha,sse4.1,ssse3")))

enum { BLOCK = 64 };

static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* The state as the instructions want it, and the four last vectors of the message schedule. */
struct rounds {
    __m128i abef, cdgh, m[4];
};

WITH_SHA static inline __attribute__((always_inline)) void
rounds_load(struct rounds *r, const uint32_t state[8], const char *block)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i_u *)state), 0xb1);
    __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i_u *)(state + 4)), 0x1b);
    r->abef = _mm_alignr_epi8(low, high, 8);
    r->cdgh = _mm_blend_epi16(high, low, 0xf0);
    for (int i = 0; i < 4; i++)
        r->m[i] =
            _mm_shuffle_epi8(_mm_loadu_si128((const __m128i_u *)(block + (size_t)i * 16)), swap);
}

/* Rounds 4 i to 4 i + 3. `i` is a constant, so that m[] becomes registers. */
WITH_SHA static inline __attribute__((always_inline)) void rounds_four(struct rounds *r, int i)
{
    __m128i w = _mm_add_epi32(r->m[i & 3], _mm_load_si128((const __m128i *)constants + i));
    r->cdgh = _mm_sha256rnds2_epu32(r->cdgh, r->abef, w);
    if (i >= 3 && i < 15) {
        __m128i sum = _mm_alignr_epi8(r->m[i & 3], r->m[(i - 1) & 3], 4);
        sum = _mm_add_epi32(r->m[(i + 1) & 3], sum);
        r->m[(i + 1) & 3] = _mm_sha256msg2_epu32(sum, r->m[i & 3]);
    }
    r->abef = _mm_sha256rnds2_epu32(r->abef, r->cdgh, _mm_shuffle_epi32(w, 0x0e));
    if (i >= 1 && i < 13) r->m[(i - 1) & 3] = _mm_sha256msg1_epu32(r->m[(i - 1) & 3], r->m[i & 3]);
}

WITH_SHA static inline __attribute__((always_inline)) void rounds_store(const struct rounds *r,
                                                                        uint32_t state[8])
{
    __m128i low = _mm_shuffle_epi32(r->abef, 0x1b);  /* feba */
    __m128i high = _mm_shuffle_epi32(r->cdgh, 0xb1); /* dchg */
    __m128i abcd = _mm_blend_epi16(low, high, 0xf0);
    __m128i efgh = _mm_alignr_epi8(high, low, 8);
    __m128i_u *at = (__m128i_u *)state;
    _mm_storeu_si128(at, _mm_add_epi32(_mm_loadu_si128(at), abcd));
    _mm_storeu_si128(at + 1, _mm_add_epi32(_mm_loadu_si128(at + 1), efgh));
}

#define SIXTEEN(X)                                                                                 \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

WITH_SHA static void compress_one(uint32_t state[8], const char *block)
{
    struct rounds r;
    rounds_load(&r, state, block);
#define X(i) rounds_four(&r, i);
    SIXTEEN(X)
#undef X
    rounds_store(&r, state);
}

WITH_SHA static void compress_two(uint32_t state_a[8], const char *block_a, uint32_t state_b[8],
                                  const char *block_b)
{
    struct rounds a, b;
    rounds_load(&a, state_a, block_a);
    rounds_load(&b, state_b, block_b);
#define X(i)                                                                                       \
    rounds_four(&a, i);                                                                            \
    rounds_four(&b, i);
    SIXTEEN(X)
#undef X
    rounds_store(&a, state_a);
    rounds_store(&b, state_b);
}

/* A message on its way. */
struct lane {
    uint32_t state[8];
    struct slice head, body; /* what is not compressed yet */
    uint64_t bits;           /* of the whole message */
    size_t blocks;           /* still to come, padding included */
    struct sha256 *ret;      /* NULL: the lane is free */
    char block[BLOCK];
};

static void lane_start(struct lane *l, const struct sha256_message *m, struct sha256 *ret)
{
    size_t len = m->head.len + m->body.len;
    memcpy(l->state, initial, sizeof initial);
    l->head = m->head;
    l->body = m->body;
    l->bits = (uint64_t)len * 8;
    l->blocks = (len + 1 + 8 + BLOCK - 1) / BLOCK;
    l->ret = ret;
}

static size_t take(char *to, size_t room, struct slice *from)
{
    size_t n = from->len < room ? from->len : room;
    if (n) memcpy(to, from->ptr, n);
    *from = slice_from(*from, n);
    return n;
}

/* The next block: where it lies, or put together from the ends of head, body and padding. */
static const char *lane_next(struct lane *l)
{
    l->blocks--;
    if (l->head.len == 0 && l->body.len >= BLOCK) {
        const char *at = l->body.ptr;
        l->body = slice_from(l->body, BLOCK);
        return at;
    }
    bool ended = l->head.len == 0 && l->body.len == 0 && l->bits % (8 * BLOCK) != 0;
    size_t n = take(l->block, BLOCK, &l->head);
    n += take(l->block + n, BLOCK - n, &l->body);
    if (n == BLOCK) return l->block;
    memset(l->block + n, 0, BLOCK - n);
    /* The 1 bit stands behind the last byte; when that filled its block, the padding begins anew.
     */
    if (!ended) l->block[n] = (char)0x80;
    if (l->blocks == 0)
        for (int i = 0; i < 8; i++) l->block[BLOCK - 1 - i] = (char)(l->bits >> (8 * i));
    return l->block;
}

static void lane_finish(struct lane *l)
{
    if (l->blocks) return;
    for (size_t i = 0; i < SHA256_SIZE; i++)
        l->ret->bytes[i] = (uint8_t)(l->state[i / 4] >> (24 - 8 * (i % 4)));
    l->ret = NULL;
}

static bool has_sha(void)
{
#ifdef __clang__ /* 14 does not know the name */
    unsigned a, b = 0, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA) &&
           __builtin_cpu_supports("sse4.1");
#else
    return __builtin_cpu_supports("sha") && __builtin_cpu_supports("sse4.1");
#endif
}

void sha256_many(const struct sha256_message *messages, size_t n, struct sha256 *ret)
{
    if (!has_sha()) {
        sha256_many_portable(messages, n, ret);
        return;
    }
    struct lane a = {.ret = NULL}, b = {.ret = NULL};
    for (size_t i = 0;;) {
        if (!a.ret && i < n) lane_start(&a, &messages[i], &ret[i]), i++;
        if (!b.ret && i < n) lane_start(&b, &messages[i], &ret[i]), i++;
        if (a.ret && b.ret) {
            const char *block = lane_next(&a);
            compress_two(a.state, block, b.state, lane_next(&b));
            lane_finish(&a);
            lane_finish(&b);
        } else if (a.ret || b.ret) {
            struct lane *l = a.ret ? &a : &b;
            compress_one(l->state, lane_next(l));
            lane_finish(l);
        } else {
            return;
        }
    }
}

#else

void sha256_many(const struct sha256_message *messages, size_t n, struct sha256 *ret)
{
    sha256_many_portable(messages, n, ret);
}

#endif
