/* SPDX-License-Identifier: EUPL-1.2 */
#include "noise/tally.h"

#include "test.h"

#define MINUTE (60 * NSEC_PER_SEC)
#define RULES                                                                                      \
    "title: A\nname: a\nlogsource: {product: p}\ndetection: {s: {F: x}, condition: s}\n"           \
    "---\ntitle: K\nlevel: high\ncorrelation:\n    type: event_count\n    rules: [a]\n"            \
    "    group-by: [U]\n    timespan: 1m\n    condition: {gte: 2}\n    generate: true\n"

static struct sigma_set *load(void)
{
    struct sigma_set *set = sigma_set_new();
    REQUIRE(set && sigma_set_add_text(set, "r", SLICE(RULES), NULL) == 0);
    REQUIRE(sigma_set_finish(set) == 0 && set->n_rules == 1 && set->n_correlations == 1);
    return set;
}

static int take(struct tally *t, const struct buf *message)
{
    struct frame frame;
    REQUIRE(frame_next(buf_slice(message), NOISE_PAYLOAD_MAX, &frame) == 1);
    return tally_take(t, &frame);
}

static void run(struct tally *t, uint64_t entity, nsec first, nsec last, uint64_t count)
{
    struct buf out;
    buf_init(&out, 4096);
    noise_run_write(&out, &(struct noise_run){.entity = entity,
                                              .host = entity,
                                              .user = entity % 2,
                                              .first = first,
                                              .last = last,
                                              .count = count,
                                              .seq = (uint64_t)first});
    REQUIRE(take(t, &out) == 0);
    buf_done(&out);
}

TEST(matches_close_to_each_other_are_one_alert)
{
    struct sigma_set *set = load();
    struct tally t;
    REQUIRE(tally_init(&t, set, 5 * MINUTE) == 0);
    run(&t, 1, 0, 0, 1);
    run(&t, 1, 5 * MINUTE, 7 * MINUTE, 3);   /* no more than 5 minutes behind */
    run(&t, 2, 6 * MINUTE, 6 * MINUTE, 1);   /* somebody else */
    run(&t, 1, 12 * MINUTE, 12 * MINUTE, 1); /* 5 minutes behind the end of the run */
    run(&t, 1, 12 * MINUTE + 5 * MINUTE + 1, 18 * MINUTE, 2);
    tally_finish(&t);
    CHECK_INT(t.rules[0].alerts, 3);
    CHECK_INT(t.rules[0].matches, 8);
    CHECK_INT(t.rules[0].hosts, 2);
    CHECK_INT(t.rules[0].users, 1);
    REQUIRE(t.rules[0].n_examples == 3);
    CHECK(t.rules[0].examples[0] == 0 && t.rules[0].examples[1] == (uint64_t)(6 * MINUTE));
    CHECK(!t.approximate);
    tally_done(&t);
    sigma_set_free(set);
}

TEST(values_that_are_frequent_stay_when_there_are_too_many)
{
    struct sigma_set *set = load();
    struct tally t;
    struct buf out;
    REQUIRE(tally_init(&t, set, 0) == 0);
    buf_init(&out, 4096);
    for (uint64_t i = 0; i < 1000; i++) {
        char rare[32];
        (void)snprintf(rare, sizeof rare, "rare %llu", (unsigned long long)i);
        for (int k = 0; k < 2; k++) {
            buf_clear(&out);
            noise_value_write(&out,
                              &(struct noise_value){.count = k ? 10 : 1,
                                                    .field = SLICE("F"),
                                                    .value = k ? SLICE("often") : slice_of(rare)});
            REQUIRE(take(&t, &out) == 0);
        }
    }
    tally_finish(&t);
    CHECK_INT(t.rules[0].n_values, TALLY_VALUES);
    CHECK_SLICE(t.rules[0].values[0].value, "often");
    CHECK_INT(t.rules[0].values[0].count, 10000);
    buf_done(&out);
    tally_done(&t);
    sigma_set_free(set);
}

static void known_tuple(struct tally *t, uint64_t seq, nsec time, const char *user)
{
    struct buf body, out;
    const struct slice value = slice_of(user);
    buf_init(&body, 4096);
    buf_init(&out, 8192);
    correlator_tuple_write(
        &body, &(struct correlator_tuple){.time = time, .ref = 7, .values = &value, .n_values = 1});
    noise_tuple_write(&out, &(struct noise_tuple){.seq = seq, .body = buf_slice(&body)});
    REQUIRE(take(t, &out) == 0);
    buf_done(&body);
    buf_done(&out);
}

static void tuple(struct tally *t, nsec time, const char *user)
{
    known_tuple(t, 1, time, user);
}

TEST(correlations_are_counted_and_have_data_when_their_rules_have)
{
    struct sigma_set *set = load();
    struct tally t;
    struct buf out;
    REQUIRE(tally_init(&t, set, 0) == 0);
    tuple(&t, 1, "anna");
    tuple(&t, 2, "anna");
    tuple(&t, 3, "bo");
    buf_init(&out, 4096);
    noise_data_write(&out, &(struct noise_data){.bits = SLICE("\1")});
    REQUIRE(take(&t, &out) == 0);
    tally_finish(&t);
    CHECK_INT(t.rules[1].alerts, 1);
    CHECK_INT(t.rules[1].matches, 1);
    CHECK(t.rules[0].has_data && t.rules[1].has_data);
    buf_done(&out);
    tally_done(&t);
    sigma_set_free(set);
}

/* As if nothing had ended behind record 10 * MINUTE. */
TEST(what_was_counted_before_is_remembered_and_not_counted)
{
    struct sigma_set *set = load();
    struct tally t;
    REQUIRE(tally_init(&t, set, 5 * MINUTE) == 0);
    t.known = (uint64_t)(10 * MINUTE);
    run(&t, 1, 6 * MINUTE, 8 * MINUTE, 3);
    run(&t, 1, 11 * MINUTE, 12 * MINUTE, 2); /* goes on with what was counted */
    run(&t, 2, 12 * MINUTE, 13 * MINUTE, 4);
    /* The first fires in a window that ends before; the second in one that was still open. */
    known_tuple(&t, 1, 0, "a");
    known_tuple(&t, 2, 1, "a");
    known_tuple(&t, 3, 5 * MINUTE, "a");
    known_tuple(&t, 4, 5 * MINUTE + 1, "a");
    known_tuple(&t, t.known, 20 * MINUTE, "a");
    tally_finish(&t);
    CHECK_INT(t.rules[0].matches, 6);
    CHECK_INT(t.rules[0].alerts, 1);
    CHECK_INT(t.rules[0].hosts, 1);
    CHECK(t.rules[0].first == 11 * MINUTE && t.rules[0].last == 13 * MINUTE);
    CHECK_INT(t.rules[1].matches, 1);
    CHECK(t.rules[1].first == 5 * MINUTE + 1);
    tally_done(&t);
    sigma_set_free(set);
}

TEST(messages_that_are_none_are_refused)
{
    struct sigma_set *set = load();
    struct tally t;
    struct buf out;
    REQUIRE(tally_init(&t, set, 0) == 0);
    buf_init(&out, 4096);
    noise_run_write(&out, &(struct noise_run){.rule = 1, .count = 1});
    CHECK_INT(take(&t, &out), ERR_CORRUPT);
    buf_clear(&out);
    noise_data_write(&out, &(struct noise_data){.bits = SLICE_NONE});
    CHECK_INT(take(&t, &out), ERR_CORRUPT);
    buf_clear(&out);
    noise_tuple_write(&out, &(struct noise_tuple){.body = SLICE("x")});
    CHECK_INT(take(&t, &out), ERR_CORRUPT);
    buf_clear(&out);
    scan_unit_write(&out, &(struct scan_unit){.from = 1});
    CHECK_INT(take(&t, &out), ERR_CORRUPT);
    buf_done(&out);
    tally_done(&t);
    sigma_set_free(set);
}

TEST(days_are_at_least_one)
{
    struct tally t = {.first = INT64_MAX, .last = INT64_MIN};
    CHECK(tally_days(&t) == 1);
    t.first = 0;
    t.last = 3600 * NSEC_PER_SEC;
    CHECK(tally_days(&t) == 1);
    t.last = 36 * 3600 * NSEC_PER_SEC;
    CHECK(tally_days(&t) == 1.5);
}
