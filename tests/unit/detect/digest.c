/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/sigma/digest.h"

#include "test.h"

#define RULE(title, more, condition)                                                               \
    "title: " title "\nid: 11111111-2222-4333-8444-555555555555\nname: a\n" more                   \
    "logsource: {product: p}\ndetection: {s: {F: x}, t: {F|contains: y}, condition: " condition    \
    "}\n"
#define NEXT "---\n"
#define CORR(more)                                                                                 \
    "title: K\nid: 21111111-2222-4333-8444-555555555555\ncorrelation:\n    type: event_count\n"    \
    "    rules: [a]\n    group-by: [U]\n" more

static struct sigma_set *load(const char *text)
{
    struct sigma_set *set = sigma_set_new();
    REQUIRE(set && sigma_set_add_text(set, "r", slice_of(text), NULL) == 0);
    REQUIRE(sigma_set_finish(set) == 0 && set->n_refusals == 0);
    return set;
}

/* Of the last document of each. */
static bool is_same(const char *a, const char *b)
{
    const char *const texts[] = {a, b};
    struct sigma_digest digests[2];
    for (int i = 0; i < 2; i++) {
        struct sigma_set *set = load(texts[i]);
        if (set->n_correlations) sigma_digest_correlation(set, set->correlations[0], &digests[i]);
        else sigma_digest_rule(set->rules[0], &digests[i]);
        sigma_set_free(set);
    }
    return memcmp(&digests[0], &digests[1], sizeof *digests) == 0;
}

TEST(what_a_rule_is_called_changes_nothing)
{
    CHECK(is_same(RULE("A", "level: low\n", "s and t"), RULE("B", "level: high\n", "s and t")));
    CHECK(is_same(RULE("A", "# a comment\n", "s and t"), RULE("A", "", "(s and t)")));
}

TEST(what_it_holds_for_does)
{
    CHECK(!is_same(RULE("A", "", "s and t"), RULE("A", "", "s or t")));
    CHECK(!is_same(RULE("A", "", "s and t"), RULE("A", "", "s and not t")));
    CHECK(!is_same(RULE("A", "", "s"), RULE("A", "", "t")));
    CHECK(!is_same(RULE("A", "", "s"), RULE("A", "", "s") NEXT
                   "title: F\nlogsource: {product: p}\nfilter:\n    rules: [a]\n    f: {U: z}\n"
                   "    condition: not f\n"));
}

TEST(a_correlation_is_what_it_counts_and_how)
{
    const char *four = RULE("A", "", "s") NEXT CORR("    timespan: 1m\n    condition: {gte: 4}\n");
    CHECK(is_same(four,
                  RULE("B", "", "s") NEXT CORR("    timespan: 60s\n    condition: {gte: 4}\n")));
    CHECK(!is_same(four,
                   RULE("A", "", "t") NEXT CORR("    timespan: 1m\n    condition: {gte: 4}\n")));
    CHECK(!is_same(four,
                   RULE("A", "", "s") NEXT CORR("    timespan: 2m\n    condition: {gte: 4}\n")));
    CHECK(!is_same(four,
                   RULE("A", "", "s") NEXT CORR("    timespan: 1m\n    condition: {gte: 5}\n")));
    CHECK(
        !is_same(four, RULE("A", "", "s") NEXT CORR("    timespan: 1m\n    condition: {gt: 4}\n")));
}

/* Of a rule that looks for these values of one kind. */
static struct sigma_digest of_list(enum listed_kind kind, const char *const *values, uint32_t n)
{
    struct listed *list = listed_new(kind);
    bool known;
    REQUIRE(list != NULL);
    for (uint32_t i = 0; i < n; i++)
        REQUIRE(listed_add(list, &(struct listed_value){.value = slice_of(values[i])}, &known) ==
                0);
    const struct sigma_atom atom = {.op = ATOM_LISTED, .field = SLICE("f"), .listed = list};
    const struct sigma_expr expr = {.kind = EXPR_ATOM, .atom = &atom};
    const struct sigma_doc doc = {.id = SLICE("list")};
    struct sigma_digest digest;
    sigma_digest_rule(&(struct sigma_rule){.doc = &doc, .expr = &expr}, &digest);
    listed_free(list);
    return digest;
}

TEST(a_list_is_what_is_in_it)
{
    static const char *const values[] = {"a.example", "b.example", "c.example"};
    struct sigma_digest two = of_list(LISTED_DOMAIN, values, 2);
    struct sigma_digest again = of_list(LISTED_DOMAIN, values, 2);
    struct sigma_digest others = of_list(LISTED_DOMAIN, values + 1, 2);
    struct sigma_digest kind = of_list(LISTED_EMAIL, values, 2);
    CHECK(memcmp(&two, &again, sizeof two) == 0);
    CHECK(memcmp(&two, &others, sizeof two) != 0);
    CHECK(memcmp(&two, &kind, sizeof two) != 0);
}
