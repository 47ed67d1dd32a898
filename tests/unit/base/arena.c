/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/arena.h"

#include "test.h"

TEST(arena_aligns_and_separates)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    char *p = arena_alloc(&a, 1), *q = arena_alloc(&a, 0), *r = arena_alloc(&a, 17);
    REQUIRE(p && q && r);
    CHECK_INT((uintptr_t)p % 16, 0);
    CHECK_INT((uintptr_t)r % 16, 0);
    CHECK(r != p);
    char *z = arena_zalloc(&a, 100, 3);
    REQUIRE(z);
    for (int i = 0; i < 300; i++) CHECK(z[i] == 0);
    arena_done(&a);
}

TEST(arena_overflow_is_sticky_until_reset)
{
    struct arena a;
    arena_init(&a, 100000);
    CHECK(arena_alloc(&a, 90000) != NULL);
    CHECK(arena_alloc(&a, 20000) == NULL);
    CHECK(arena_failed(&a));
    CHECK(arena_alloc(&a, 1) == NULL);
    arena_reset(&a);
    CHECK(!arena_failed(&a));
    CHECK(arena_alloc(&a, 80000) != NULL);
    CHECK(arena_zalloc(&a, SIZE_MAX / 2, 3) == NULL);
    arena_reset(&a);
    CHECK(arena_alloc(&a, SIZE_MAX) == NULL);
    CHECK(arena_failed(&a));
    arena_done(&a);
}

TEST(arena_steady_state_does_not_allocate)
{
    struct arena a;
    arena_init(&a, 4 << 20);
    uint64_t mallocs = 0;
    for (int round = 0; round < 50; round++) {
        arena_reset(&a);
        for (int i = 1; i < 200; i++) REQUIRE(arena_alloc(&a, (size_t)i * 64) != NULL);
        if (round == 0) mallocs = arena_mallocs(&a);
    }
    CHECK(mallocs > 1);
    CHECK_INT(arena_mallocs(&a), mallocs);
    arena_done(&a);
}

TEST(arena_dup_and_printf)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    struct slice s = arena_dup(&a, SLICE("a\0b"));
    CHECK_INT(s.len, 3);
    CHECK(s.ptr[3] == '\0' && s.ptr[2] == 'b');
    CHECK_INT(arena_dup(&a, SLICE_NONE).len, 0);
    const char *t = arena_printf(&a, "%d-%s", 42, "x");
    REQUIRE(t);
    CHECK_SLICE(slice_of(t), "42-x");
    arena_done(&a);
}
