/* SPDX-License-Identifier: EUPL-1.2 */
#include "event/keys.h"

#include <stdlib.h>

#include "test.h"

static key_id by_parts(struct keys *k, const char *a, const char *b, const char *c)
{
    key_id id = keys_intern(k, KEY_ROOT, slice_of(a));
    if (b) id = keys_intern(k, id, slice_of(b));
    if (c) id = keys_intern(k, id, slice_of(c));
    return id;
}

TEST(keys_flat_and_nested_are_the_same)
{
    struct keys *k = keys_new();
    key_id abc = by_parts(k, "a", "b", "c");
    CHECK_INT(keys_intern_path(k, SLICE("a.b.c")), abc);
    CHECK_INT(by_parts(k, "a.b", "c", NULL), abc);
    CHECK_INT(by_parts(k, "a", "b.c", NULL), abc);
    CHECK_INT(keys_find(k, SLICE("a.b.c")), abc);
    CHECK_SLICE(keys_name(k, abc), "a.b.c");
    /* The other order: first flat. */
    key_id xyz = keys_intern_path(k, SLICE("x.y.z"));
    CHECK_INT(by_parts(k, "x", "y", "z"), xyz);
    CHECK_SLICE(keys_name(k, keys_parent(k, xyz)), "x.y");
    CHECK_SLICE(keys_name(k, keys_parent(k, keys_parent(k, xyz))), "x");
    CHECK_INT(keys_parent(k, keys_find(k, SLICE("x"))), KEY_ROOT);
    keys_free(k);
}

TEST(keys_are_distinct_and_bytewise)
{
    struct keys *k = keys_new();
    key_id a = keys_intern_path(k, SLICE("Image")), b = keys_intern_path(k, SLICE("image"));
    CHECK(a != b);
    CHECK(keys_intern_path(k, SLICE("Image\0")) != a);
    CHECK_INT(keys_intern_path(k, SLICE("Image")), a);
    CHECK(keys_find(k, SLICE("nothing")) == KEY_NONE);
    CHECK(keys_find(k, SLICE("imag")) == KEY_NONE);
    CHECK_INT(keys_intern_path(k, SLICE("")), KEY_ROOT);
    CHECK_INT(keys_find(k, SLICE("")), KEY_ROOT);
    /* An empty name inside an object is a name. */
    key_id e = keys_intern(k, a, SLICE(""));
    CHECK_SLICE(keys_name(k, e), "Image.");
    CHECK_INT(keys_intern(k, a, SLICE_NONE), e);
    keys_free(k);
}

TEST(keys_hold_through_growth_and_repeats)
{
    struct keys *k = keys_new();
    enum { N = 40000 };
    key_id *ids = calloc(N, sizeof *ids);
    REQUIRE(ids);
    key_id parent = keys_intern_path(k, SLICE("parent"));
    char text[32];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++) {
            int n = snprintf(text, sizeof text, "n%d", i);
            key_id id = keys_intern(k, i % 2 ? parent : KEY_ROOT, slice_make(text, (size_t)n));
            if (round == 0) ids[i] = id;
            if (ids[i] != id) CHECK_INT(id, ids[i]);
            struct slice name = keys_name(k, id);
            if (!slice_ends_with(name, slice_make(text, (size_t)n))) CHECK(false);
        }
    }
    CHECK_INT(keys_count(k), N + 2);
    CHECK(!keys_full(k));
    free(ids);
    keys_free(k);
}

TEST(keys_long_paths_are_cut_but_distinct)
{
    struct keys *k = keys_new();
    char name[3000];
    memset(name, 'x', sizeof name);
    key_id a = keys_intern_path(k, slice_make(name, 2000));
    key_id b = keys_intern_path(k, slice_make(name, 2001));
    name[1500] = 'y';
    key_id c = keys_intern_path(k, slice_make(name, 2000));
    CHECK(a != b && a != c && b != c);
    CHECK_INT(keys_intern_path(k, slice_make(name, 2000)), c);
    CHECK_INT(keys_find(k, slice_make(name, 2000)), c);
    CHECK_INT(keys_name(k, a).len, KEY_NAME_MAX);
    /* Exactly the limit is kept whole. */
    key_id d = keys_intern_path(k, slice_make(name, KEY_NAME_MAX));
    CHECK(slice_eq(keys_name(k, d), slice_make(name, KEY_NAME_MAX)));
    /* By parts and flat, wherever the cut falls. */
    for (size_t split = 990; split < 1060; split++) {
        name[split] = '.';
        key_id flat = keys_intern_path(k, slice_make(name, 1100));
        key_id parent = keys_intern_path(k, slice_make(name, split));
        key_id parts = keys_intern(k, parent, slice_make(name + split + 1, 1100 - split - 1));
        if (flat != parts) test_fail(__FILE__, __LINE__, "split at %zu", split);
        name[split] = 'x';
    }
    keys_free(k);
}

TEST(keys_are_bounded_in_number)
{
    struct keys *k = keys_new();
    char text[32];
    bool was_full = false;
    uint32_t full_at = 0;
    for (int i = 0; i < KEYS_MAX + KEYS_SLACK + 1000; i++) {
        int n = snprintf(text, sizeof text, "%x", i);
        (void)keys_intern_path(k, slice_make(text, (size_t)n));
        if (keys_full(k) && !was_full) {
            was_full = true;
            full_at = keys_count(k);
        }
    }
    CHECK_INT(full_at, KEYS_MAX);
    CHECK_INT(keys_count(k), KEYS_MAX + KEYS_SLACK);
    CHECK_INT(keys_intern_path(k, SLICE("one too many")), KEY_ROOT);
    key_id known = keys_intern_path(k, SLICE("2"));
    CHECK_SLICE(keys_name(k, known), "2");
    uint32_t generation = keys_generation(k);
    keys_clear(k);
    CHECK(keys_generation(k) != generation);
    CHECK_INT(keys_count(k), 1);
    CHECK(!keys_full(k));
    CHECK(keys_find(k, SLICE("2")) == KEY_NONE);
    CHECK_INT(keys_intern_path(k, SLICE("fresh")), 1);
    keys_free(k);
}

TEST(keys_are_bounded_in_bytes)
{
    struct keys *k = keys_new();
    char text[1000];
    memset(text, 'k', sizeof text);
    int added = 0;
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(text, 8, "%06x", i);
        added += keys_intern_path(k, slice_make(text, sizeof text)) != KEY_ROOT;
    }
    CHECK(keys_full(k));
    CHECK(added > 1900 && added < 2100); /* 2 MiB */
    /* Dots without end: every prefix would be a path. */
    keys_clear(k);
    memset(text, '.', sizeof text);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(text, 8, "%05x.", i);
        (void)keys_intern_path(k, slice_make(text, sizeof text));
    }
    CHECK(keys_full(k));
    keys_free(k);
}

/* Each is asked for behind each other one, so that whatever was expected next is wrong as well. */
TEST(keys_in_any_order_are_the_same)
{
    static const char *const names[] = {"a", "b", "a.b", "b.a", "a.a.b", "ab", ""};
    enum { N = sizeof names / sizeof *names };
    struct keys *k = keys_new();
    REQUIRE(k);
    for (int round = 0; round < 3; round++) {
        key_id parents[] = {KEY_ROOT, keys_intern_path(k, SLICE("a")),
                            keys_intern_path(k, SLICE("a.b"))};
        for (uint32_t i = 0; i < 3 * N * 3 * N; i++) {
            char path[64];
            uint32_t at = i % 2 ? i / (3 * N) : i % (3 * N);
            struct slice parent = keys_name(k, parents[at % 3]), name = slice_of(names[at / 3]);
            key_id id = keys_intern(k, parents[at % 3], name);
            if (name.len == 0) continue;
            (void)snprintf(path, sizeof path, "%.*s%s%s", SLICE_FMT(parent), parent.len ? "." : "",
                           names[at / 3]);
            CHECK_SLICE(keys_name(k, id), path);
            CHECK_INT(keys_find(k, slice_of(path)), id);
        }
        keys_clear(k);
    }
    keys_free(k);
}
