/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/chain.h"

#include <stdlib.h>

#include "test.h"

static const char rules[] = "title: One\nname: one\nlogsource:\n    product: windows\ndetection:\n"
                            "    s:\n        F: x\n    condition: s\n---\n"
                            "title: Many\ncorrelation:\n    type: event_count\n    rules: one\n"
                            "    group-by: User\n    timespan: 10s\n    condition: {gte: 3}\n";

struct world {
    struct sigma_set *set;
    struct chain *chain;
    char text[2000]; /* "count source:record source:record …\n" a firing */
    size_t len;
};

static void on_firing(void *ctx, const struct correlator_firing *f, const struct line_ref *refs)
{
    struct world *w = ctx;
    char line[512];
    int n = snprintf(line, sizeof line, "%g", f->count);
    for (uint32_t i = 0; i < f->n_refs; i++)
        n += snprintf(line + n, sizeof line - (size_t)n, " %.*s:%llu", SLICE_FMT(refs[i].source),
                      (unsigned long long)refs[i].record);
    if (w->len + (size_t)n + 2 > sizeof w->text) return;
    w->len += (size_t)snprintf(w->text + w->len, sizeof w->text - w->len, "%s\n", line);
}

static void on_refused(void *ctx, const struct sigma_corr_rule *rule, const char *why)
{
    (void)ctx;
    (void)rule;
    test_fail(__FILE__, __LINE__, "refused: %s", why);
}

enum { SORT_MAX = 64 * 1024 * 1024 };
static const struct chain_options memory = {
    .seed = 1, .state_max = 64 * 1024 * 1024, .sort_max = SORT_MAX};

static void world_init(struct world *w)
{
    *w = (struct world){.set = sigma_set_new()};
    REQUIRE(w->set);
    REQUIRE(sigma_set_add_text(w->set, "r.yml", slice_of(rules), NULL) == 0);
    REQUIRE(sigma_set_finish(w->set) == 0 && w->set->n_correlations == 1);
    w->chain = chain_new(w->set, &memory, w, on_firing, on_refused);
    REQUIRE(w->chain);
}

static void world_done(struct world *w)
{
    chain_free(w->chain);
    sigma_set_free(w->set);
}

static void add(struct world *w, int64_t seconds, struct slice user, const char *source,
                uint64_t record)
{
    struct buf body;
    buf_init(&body, 64 * 1024);
    correlator_tuple_write(
        &body, &(struct correlator_tuple){
                   .rule = 0, .time = seconds * NSEC_PER_SEC, .values = &user, .n_values = 1});
    const struct message_tuple m = {.source = slice_of(source), .body = buf_slice(&body)};
    chain_add(w->chain, &m, record);
    buf_done(&body);
}

/* Files are read one after the other; what happened is in another order. */
TEST(matches_are_taken_in_order_of_time_not_of_files)
{
    struct world w;
    world_init(&w);
    add(&w, 100, SLICE("a"), "one.log", 1);
    add(&w, 104, SLICE("a"), "one.log", 2);
    add(&w, 102, SLICE("a"), "two.log", 1);
    add(&w, 200, SLICE("a"), "two.log", 2);
    add(&w, 103, SLICE("b"), "two.log", 3);
    CHECK_INT(w.len, 0);
    chain_finish(w.chain);
    CHECK_SLICE(slice_of(w.text), "3 one.log:1 two.log:1 one.log:2\n");
    CHECK_INT(chain_spills(w.chain), 0);
    CHECK_INT(chain_lost(w.chain), 0);
    world_done(&w);
}

TEST(a_tuple_that_is_damaged_is_dropped)
{
    struct world w;
    struct correlator_stats stats;
    world_init(&w);
    const struct message_tuple bad = {.source = SLICE("x"), .body = SLICE("\0\0\0\0short")};
    chain_add(w.chain, &bad, 1);
    chain_finish(w.chain);
    chain_get_stats(w.chain, &stats);
    CHECK_INT(stats.tuples, 0);
    CHECK_INT(w.len, 0);
    world_done(&w);
}

TEST(an_empty_chain_ends)
{
    struct world w;
    world_init(&w);
    chain_finish(w.chain);
    CHECK_INT(w.len, 0);
    world_done(&w);
}

/* A record's number may be anything: it must never run into the number of its source. */
TEST(large_record_numbers_do_not_name_another_source)
{
    struct world w;
    world_init(&w);
    for (int i = 0; i < 3; i++) add(&w, i, SLICE("a"), "s", UINT64_MAX - (uint64_t)i);
    chain_finish(w.chain);
    CHECK_SLICE(slice_of(w.text), "3 s:1099511627775 s:1099511627775 s:1099511627775\n");
    world_done(&w);
}

TEST(beyond_its_memory_the_older_half_goes_early)
{
    static char user[CORRELATOR_VALUE_MAX];
    struct world w;
    struct correlator_stats stats;
    world_init(&w);
    memset(user, 'u', sizeof user);
    /* Newest first, so that the half that goes is the one that came last. */
    const int n = SORT_MAX / CORRELATOR_VALUE_MAX + 10;
    for (int i = 0; i < n; i++) {
        /* All groups differ, but for the three oldest. */
        int m = snprintf(user, 16, "%d", i < n - 3 ? i : n);
        user[m] = 'u';
        add(&w, n - i, slice_make(user, sizeof user), "s", (uint64_t)i);
    }
    CHECK(chain_spills(w.chain) >= 1);
    chain_finish(w.chain);
    chain_get_stats(w.chain, &stats);
    CHECK_INT(stats.tuples, n);
    CHECK_INT(chain_lost(w.chain), 0);
    world_done(&w);
}
