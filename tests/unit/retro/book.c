/* SPDX-License-Identifier: EUPL-1.2 */
#include "retro/book.h"

#include "test.h"

static struct sigma_digest digest_of(unsigned number)
{
    struct sigma_digest digest = {{0}};
    digest.bytes[0] = (uint8_t)(number * 37);
    digest.bytes[15] = (uint8_t)number;
    return digest;
}

static void fill(struct retro_book *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct sigma_digest digest = digest_of(i);
        struct retro_rule *r = retro_book_add(b, &digest);
        REQUIRE(r);
        r->state = (enum retro_state)(i % 3);
        r->told = i % 2;
        r->matches = i;
        r->last = -(nsec)i;
        r->looked = INT64_MAX;
    }
    b->pass = (struct retro_pass){
        .on = true, .from = -5, .to = 7, .next = UINT64_MAX, .latest = INT64_MIN};
}

static int reread(const struct retro_book *from, struct retro_book *ret)
{
    struct buf text;
    struct diag diag;
    buf_init(&text, RETRO_BOOK_MAX);
    retro_book_write(from, &text);
    *ret = (struct retro_book){0};
    int error = retro_book_read(ret, buf_slice(&text), &diag);
    buf_done(&text);
    return error;
}

TEST(what_is_written_is_read)
{
    struct retro_book a = {0}, b;
    fill(&a, 200);
    REQUIRE(reread(&a, &b) == 0);
    REQUIRE(b.n == 200);
    CHECK(memcmp(&a.pass, &b.pass, sizeof a.pass) == 0);
    for (unsigned i = 0; i < 200; i++) {
        struct sigma_digest digest = digest_of(i);
        const struct retro_rule *r = retro_book_find(&b, &digest);
        REQUIRE(r);
        CHECK_INT(r->state, i % 3);
        CHECK_INT(r->told, i % 2);
        CHECK_INT(r->matches, i);
        CHECK_INT(r->last, -(nsec)i);
        CHECK(r->looked == INT64_MAX);
    }
    retro_book_done(&a);
    retro_book_done(&b);
}

TEST(an_empty_book_is_one)
{
    struct retro_book a = {0}, b;
    REQUIRE(reread(&a, &b) == 0);
    CHECK_INT(b.n, 0);
    CHECK(!b.pass.on);
}

static bool is_even(void *ctx, const struct sigma_digest *digest)
{
    (void)ctx;
    return digest->bytes[15] % 2 == 0;
}

TEST(others_are_forgotten)
{
    struct retro_book b = {0};
    fill(&b, 100);
    retro_book_keep(&b, is_even, NULL);
    CHECK_INT(b.n, 50);
    for (unsigned i = 0; i < 100; i++) {
        struct sigma_digest digest = digest_of(i);
        CHECK((retro_book_find(&b, &digest) != NULL) == (i % 2 == 0));
    }
    retro_book_done(&b);
}

/* Wherever it is cut, and whichever byte is another one. */
TEST(a_damaged_book_is_told)
{
    struct retro_book a = {0}, b = {0};
    struct buf text;
    struct diag diag;
    fill(&a, 5);
    buf_init(&text, RETRO_BOOK_MAX);
    retro_book_write(&a, &text);
    for (size_t i = 0; i < text.len; i++) {
        CHECK_INT(retro_book_read(&b, slice_until(buf_slice(&text), i), &diag), ERR_CORRUPT);
        retro_book_done(&b);
        text.ptr[i] = (char)(text.ptr[i] ^ 1);
        CHECK_INT(retro_book_read(&b, buf_slice(&text), &diag), ERR_CORRUPT);
        retro_book_done(&b);
        text.ptr[i] = (char)(text.ptr[i] ^ 1);
    }
    CHECK_INT(retro_book_read(&b, buf_slice(&text), &diag), 0);
    retro_book_done(&b);
    retro_book_done(&a);
    buf_done(&text);
}
