/* SPDX-License-Identifier: EUPL-1.2 */
/* Lists on disk, and as rules. */
#include "indicator/keep.h"

#include "indicator/rules.h"
#include "test.h"

static const nsec now = 1790000000 * NSEC_PER_SEC; /* 2026-09-21T14:13:20Z */

static struct indicators_origin origin(nsec when)
{
    return (struct indicators_origin){
        .from = SLICE("feed.csv"), .who = SLICE("anna"), .level = LEVEL_MEDIUM, .now = when};
}

static void read_list(const char *text, struct indicators *ret)
{
    const struct indicators_options options = {.file = "f", .now = now};
    struct diag diag;
    REQUIRE(indicators_read(slice_of(text), &options, ret, &diag) == 0);
}

/* Whether it is new. */
static bool keep(struct library *l, const char *text, nsec when, struct library_name *ret)
{
    struct indicators in;
    struct diag diag = {0};
    bool fresh = false;
    const struct indicators_origin from = origin(when);
    read_list(text, &in);
    int error = indicators_keep(l, "feed", &in, &from, ret, &fresh, &diag);
    if (error) test_fail(__FILE__, __LINE__, "%s", diag.message);
    indicators_done(&in);
    return fresh;
}

static void open_library(struct library *l, const char *folder)
{
    struct diag diag;
    REQUIRE(library_open(l, test_path(folder), true, &diag) == 0);
}

TEST(a_list_is_kept_replaced_and_removed)
{
    struct library l;
    struct library_name version, again;
    struct indicators_kept kept;
    struct diag diag;
    const struct indicators_origin from = origin(now);
    open_library(&l, "kept");
    CHECK(keep(&l, "value,expires\n198.51.100.7,\n198.51.100.8,2026-09-30\n", now, &version));
    CHECK(slice_starts_with(slice_of(version.text), SLICE("20260921T141320Z-")));
    REQUIRE(indicators_load(&l, "feed", now, &kept, &diag) == 0);
    CHECK_INT(kept.in.n, 2);
    CHECK_INT(kept.level, LEVEL_MEDIUM);
    indicators_done(&kept.in);
    /* The same again is no new version; what ended is not loaded. */
    CHECK(!keep(&l, "value,expires\n198.51.100.7,\n198.51.100.8,2026-09-30\n", now + 9, &again));
    CHECK(strcmp(version.text, again.text) == 0);
    REQUIRE(indicators_load(&l, "feed", now + 30 * 86400 * NSEC_PER_SEC, &kept, &diag) == 0);
    CHECK_INT(kept.in.n, 1);
    CHECK_INT(kept.in.ended, 1);
    indicators_done(&kept.in);
    CHECK(keep(&l, "198.51.100.9\n", now + NSEC_PER_SEC, &again));
    REQUIRE(indicators_load(&l, "feed", now, &kept, &diag) == 0);
    CHECK(strcmp(kept.version.text, again.text) == 0);
    indicators_done(&kept.in);
    REQUIRE(indicators_remove(&l, "feed", &from, &diag) == 0);
    CHECK(indicators_load(&l, "feed", now, &kept, &diag) == ERR_NOT_FOUND);
    CHECK(indicators_remove(&l, "feed", &from, &diag) == ERR_NOT_FOUND);
    library_close(&l);
}

TEST(the_last_versions_are_kept)
{
    struct library l;
    struct library_name version;
    struct library_list versions;
    struct diag diag;
    open_library(&l, "many");
    for (unsigned i = 0; i < INDICATORS_VERSIONS + 3; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "198.51.100.%u\n", i);
        CHECK(keep(&l, text, now + i * NSEC_PER_SEC, &version));
    }
    REQUIRE(library_versions(&l, "feed", &versions, &diag) == 0);
    CHECK_INT(versions.n, INDICATORS_VERSIONS);
    CHECK(strcmp(versions.items[versions.n - 1].text, version.text) == 0);
    library_list_done(&versions);
    library_close(&l);
}

TEST(only_so_many_lists_are_in_force)
{
    struct library l;
    struct library_name version;
    struct indicators in;
    struct diag diag = {0};
    bool fresh;
    const struct indicators_origin from = origin(now);
    open_library(&l, "full");
    read_list("198.51.100.7\n", &in);
    for (unsigned i = 0; i <= INDICATORS_LISTS_MAX; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "l%u", i);
        int error = indicators_keep(&l, name, &in, &from, &version, &fresh, &diag);
        CHECK_INT(error, i < INDICATORS_LISTS_MAX ? 0 : ERR_LIMIT);
    }
    REQUIRE(indicators_remove(&l, "l0", &from, &diag) == 0);
    CHECK(indicators_keep(&l, "another", &in, &from, &version, &fresh, &diag) == 0);
    indicators_done(&in);
    library_close(&l);
}

TEST(a_list_that_was_changed_is_not_taken)
{
    struct library l;
    struct library_name version;
    struct indicators_kept kept;
    struct diag diag;
    char name[256];
    open_library(&l, "changed");
    CHECK(keep(&l, "198.51.100.7\n", now, &version));
    (void)snprintf(name, sizeof name, "changed/feed/%s/list.csv", version.text);
    test_write(name, "value\n198.51.100.8\n");
    CHECK(indicators_load(&l, "feed", now, &kept, &diag) == ERR_CORRUPT);
    library_close(&l);
}

static const char fields_text[] = "address: [source.ip, destination.ip]\ndomain: [a]\nurl: [a]\n"
                                  "hash: [a]\nemail: [a]\n";

TEST(a_list_is_a_rule_for_each_kind)
{
    struct indicators in;
    struct indicator_fields fields;
    struct diag diag;
    struct sigma_set *set = sigma_set_new();
    REQUIRE(set != NULL);
    read_list("value,expires\n198.51.100.7,\nevil.example,2026-09-30T10:01:00Z\n", &in);
    REQUIRE(indicator_fields_read(&set->arena, "f", slice_of(fields_text), &fields, &diag) == 0);
    const struct indicator_list list = {"feed", "v1", LEVEL_HIGH, &in};
    REQUIRE(indicator_rules_add(set, &fields, &list) == 0);
    REQUIRE(sigma_set_finish(set) == 0);
    REQUIRE(set->n_rules == 2);
    const struct sigma_rule *rule = set->rules[0];
    CHECK_SLICE(rule->doc->title, "Indicator of the list feed (addresses)");
    CHECK_INT(rule->doc->id.len, 36);
    CHECK_INT(rule->doc->level, LEVEL_HIGH);
    CHECK_INT(rule->expr->n_children, 2);
    CHECK(!slice_eq(rule->doc->id, set->rules[1]->doc->id));
    CHECK(set->ends == INT64_C(1790763300) * NSEC_PER_SEC); /* 10:15, the quarter above */
    sigma_set_free(set);
    indicators_done(&in);
}

TEST(fields_of_every_kind_are_needed)
{
    struct arena arena;
    struct indicator_fields fields;
    struct diag diag;
    arena_init(&arena, 65536);
    CHECK(indicator_fields_read(&arena, "f", SLICE("address: [a]\n"), &fields, &diag) ==
          ERR_INVALID);
    CHECK(slice_find(slice_of(diag.message), SLICE("domain")) != SIZE_MAX);
    CHECK(indicator_fields_read(&arena, "f", SLICE("address: a\n"), &fields, &diag) == ERR_INVALID);
    CHECK_INT(diag.line, 1);
    CHECK_INT(diag.column, 10);
    arena_done(&arena);
}
