/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/engine/literals.h"

#include <stdlib.h>

#include "test.h"

enum { N = 400, NEEDLES = N };

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

/* Few letters, so that literals overlap and contain each other. */
static size_t random_text(uint64_t *seed, char *out, size_t max, uint32_t letters)
{
    size_t n = next_random(seed) % (max + 1);
    for (size_t i = 0; i < n; i++) out[i] = (char)('a' + next_random(seed) % letters);
    return n;
}

static bool holds(const struct literal_spec *s, struct slice text)
{
    switch (s->anchor) {
    case ANCHOR_WHOLE:
        return slice_eq(text, s->text);
    case ANCHOR_START:
        return slice_starts_with(text, s->text);
    case ANCHOR_END:
        return slice_ends_with(text, s->text);
    case ANCHOR_INSIDE:
        return slice_find(text, s->text) != SIZE_MAX;
    }
    return false;
}

/* ANCHOR_INSIDE is the last: with it as the first there are too many for one pass. */
static void compare_once(uint64_t *seed, uint32_t first_anchor, uint32_t letters,
                         size_t max_literal, size_t max_text)
{
    static char store[N][64];
    static struct literal_spec specs[N];
    for (uint32_t i = 0; i < N; i++) {
        enum anchor anchor = (enum anchor)(first_anchor + next_random(seed) % (4 - first_anchor));
        size_t n = random_text(seed, store[i], max_literal, letters);
        if (n == 0 && anchor != ANCHOR_WHOLE) store[i][n++] = 'a';
        specs[i] = (struct literal_spec){.text = {store[i], n}, .anchor = anchor, .needle = i};
    }
    struct literal_set *set = literal_set_new(specs, N);
    REQUIRE(set != NULL);
    static uint32_t stamp[NEEDLES], out[NEEDLES];
    memset(stamp, 0, sizeof stamp);
    for (uint32_t now = 1; now <= 200; now++) {
        char text[256 + LITERAL_SLACK] = {0};
        size_t len = random_text(seed, text, max_text, letters);
        struct literal_hits hits = {stamp, now, out, 0};
        literal_set_scan(set, text, len, &hits);
        uint32_t want = 0;
        for (uint32_t i = 0; i < N; i++) {
            bool should = holds(&specs[i], slice_make(text, len));
            want += should;
            if (should != (stamp[i] == now))
                test_fail(__FILE__, __LINE__, "literal '%.*s' anchor %d in '%.*s': %d",
                          SLICE_FMT(specs[i].text), (int)specs[i].anchor, (int)len, text, should);
        }
        CHECK_INT(hits.n, want);
        CHECK(want == 0 || len >= literal_set_shortest(set));
    }
    literal_set_free(set);
}

TEST(finds_exactly_what_is_there)
{
    uint64_t seed = 1;
    for (int round = 0; round < 30; round++) {
        compare_once(&seed, 0, 2, 5, 40);
        compare_once(&seed, 0, 3, 20, 200);
        compare_once(&seed, 0, 26, 8, 60);
        compare_once(&seed, ANCHOR_INSIDE, 4, 20, 200);
        compare_once(&seed, ANCHOR_INSIDE, 26, 8, 60);
    }
}

TEST(an_empty_literal_is_only_the_empty_value)
{
    struct literal_spec spec = {.text = SLICE(""), .anchor = ANCHOR_WHOLE, .needle = 0};
    struct literal_set *set = literal_set_new(&spec, 1);
    uint32_t stamp = 0, out;
    char text[LITERAL_SLACK + 1] = "x";
    struct literal_hits hits = {&stamp, 1, &out, 0};
    literal_set_scan(set, text, 1, &hits);
    CHECK_INT(hits.n, 0);
    literal_set_scan(set, text, 0, &hits);
    CHECK_INT(hits.n, 1);
    literal_set_free(set);
}

TEST(a_glob_decides_after_its_literal)
{
    /* a*b?c: the literal is found first, the whole pattern decides */
    const struct glob_piece glob[] = {{GLOB_LITERAL, SLICE("a")},
                                      {GLOB_ANY, SLICE_NONE},
                                      {GLOB_LITERAL, SLICE("b")},
                                      {GLOB_ONE, SLICE_NONE},
                                      {GLOB_LITERAL, SLICE("c")}};
    struct literal_spec spec = {
        .text = SLICE("c"), .anchor = ANCHOR_END, .needle = 0, .glob = glob, .n_glob = 5};
    struct literal_set *set = literal_set_new(&spec, 1);
    uint32_t stamp = 0, out;
    struct literal_hits hits = {&stamp, 1, &out, 0};
    char no[64] = "a--bc", yes[64] = "a--bxc";
    literal_set_scan(set, no, 5, &hits);
    CHECK_INT(hits.n, 0);
    literal_set_scan(set, yes, 6, &hits);
    CHECK_INT(hits.n, 1);
    literal_set_free(set);
}
