/* SPDX-License-Identifier: EUPL-1.2 */
#include "library/exception.h"

#include "detect/sigma/set.h"
#include "library/attack.h"
#include "test.h"

#define RULE                                                                                       \
    "title: \"It's a rule\"\nid: 00000000-0000-4000-8000-00000000000a\n"                           \
    "logsource: {product: windows, category: process_creation}\n"                                  \
    "detection: {s: {F: x}, condition: s}\n"

static const struct sigma_doc doc = {
    .title = {"It's a rule", 11},
    .id = {"00000000-0000-4000-8000-00000000000a", 36},
    .logsource = {.product = {"windows", 7}, .category = {"process_creation", 16}},
};
static const char id[] = "00000000-0000-4000-8000-0000000000ee";

static struct exception exception_of(const char *const *when, uint32_t n)
{
    return (struct exception){.rule = &doc,
                              .when = when,
                              .n_when = n,
                              .reason = SLICE("it's a scanner"),
                              .who = SLICE("anna"),
                              .now = 1764000000 * NSEC_PER_SEC};
}

TEST(what_is_written_is_the_filter_that_was_meant)
{
    static const char *const when[] = {
        "Image|endswith: \\it's.exe",
        "ParentImage: C:\\a: b.exe",
        "Image|endswith: \\two.exe",
        "EventID: 4688",
        "User: null",
    };
    struct exception e = exception_of(when, 5);
    struct buf out;
    struct diag diag = {0};
    e.until = "2026-12-31";
    buf_init(&out, EXCEPTION_FILE_MAX);
    REQUIRE(exception_write(&out, &e, id, &diag) == 0);
    struct sigma_set *set = sigma_set_new();
    REQUIRE(set && sigma_set_add_text(set, "rule", SLICE(RULE), NULL) == 0);
    REQUIRE(sigma_set_add_text(set, "exception", buf_slice(&out), NULL) == 0);
    REQUIRE(sigma_set_finish(set) == 0);
    CHECK_INT(set->n_refusals, 0);
    REQUIRE(set->n_filters == 1);
    const struct sigma_doc *f = set->filters[0].doc;
    CHECK_INT(set->filters[0].n_rules, 1);
    CHECK_SLICE(f->id, id);
    CHECK_SLICE(f->title, "It's a rule");
    CHECK_SLICE(f->description, "it's a scanner");
    CHECK_SLICE(f->author, "anna");
    CHECK(f->filter.until == 1798761600 * NSEC_PER_SEC);
    REQUIRE(f->detection.n_searches == 1 && f->detection.searches[0].n_maps == 1);
    const struct sigma_map *map = &f->detection.searches[0].maps[0];
    REQUIRE(map->n_items == 4);
    CHECK_SLICE(map->items[0].field, "Image");
    REQUIRE(map->items[0].n_values == 2);
    CHECK_SLICE(map->items[0].values[0].text, "\\it's.exe");
    CHECK_SLICE(map->items[0].values[1].text, "\\two.exe");
    CHECK_SLICE(map->items[1].values[0].text, "C:\\a: b.exe");
    CHECK_INT(map->items[2].values[0].type, YAML_NUMBER);
    CHECK_INT(map->items[3].values[0].type, YAML_NULL);
    sigma_set_free(set);
    buf_done(&out);
}

static void refused(const struct exception *e, const char *message, int line)
{
    struct buf out;
    struct diag diag = {0};
    buf_init(&out, EXCEPTION_FILE_MAX);
    if (exception_write(&out, e, id, &diag) != ERR_INVALID || !strstr(diag.message, message))
        test_fail(__FILE__, line, "%s", diag.message);
    buf_done(&out);
}
#define REFUSED(message) refused(&e, message, __LINE__)

TEST(what_could_mean_something_else_is_refused)
{
    static const char *const good[] = {"F: x"}, *const bad[] = {"F=x"}, *const line[] = {"F: a\nb"},
                             *const empty[] = {"F: "};
    struct exception e = exception_of(good, 0);
    REFUSED("1 to 64 conditions are needed");
    e = exception_of(bad, 1);
    REFUSED("'F=x' is not `field: value`");
    e = exception_of(line, 1);
    REFUSED("is not `field: value`");
    e = exception_of(empty, 1);
    REFUSED("is not `field: value`");
    e = exception_of(good, 1);
    e.reason = SLICE("");
    REFUSED("the reason or the name is empty");
    e = exception_of(good, 1);
    e.who = SLICE("a\x1b[m");
    REFUSED("has control characters");
    e = exception_of(good, 1);
    e.until = "2025-11-23";
    REFUSED("'2025-11-23' is no time to come");
    struct sigma_doc correlation = doc;
    correlation.kind = SIGMA_CORRELATION;
    e = exception_of(good, 1);
    e.rule = &correlation;
    REFUSED("exceptions are for the rules it refers to");
}

TEST(an_exception_may_end_today)
{
    static const char *const when[] = {"F: x"};
    struct exception e = exception_of(when, 1);
    struct buf out;
    struct diag diag = {0};
    e.until = "2025-11-24"; /* now is its afternoon */
    buf_init(&out, EXCEPTION_FILE_MAX);
    CHECK_INT(exception_write(&out, &e, id, &diag), 0);
    buf_done(&out);
}

TEST(ids_are_random_and_of_version_4)
{
    char a[EXCEPTION_ID + 1], b[EXCEPTION_ID + 1];
    REQUIRE(exception_id_make(a) == 0 && exception_id_make(b) == 0);
    CHECK_INT(strlen(a), 36);
    CHECK(a[14] == '4' && strchr("89ab", a[19]) && a[8] == '-' && a[23] == '-');
    CHECK(strcmp(a, b) != 0);
}

TEST(tags_name_techniques)
{
    static const char *const none[] = {"attack.execution", "attack.t105", "attack.t1059.1",
                                       "car.t1059",        "attack.",     "attack.t1059.0011",
                                       "attack.t10590"};
    char technique[ATTACK_ID_MAX + 1];
    struct attack_technique t;
    CHECK(attack_of_tag(SLICE("attack.t1003"), technique) && strcmp(technique, "T1003") == 0);
    CHECK(attack_of_tag(SLICE("Attack.T1003.001"), technique) &&
          strcmp(technique, "T1003.001") == 0);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        CHECK(!attack_of_tag(slice_of(none[i]), technique));
    REQUIRE(attack_find(SLICE("T1003.001"), &t));
    CHECK_SLICE(t.name, "OS Credential Dumping: LSASS Memory");
    CHECK_SLICE(t.tactics, "Credential Access");
    CHECK(!attack_find(SLICE("T0000"), &t) && !attack_find(SLICE("TA0001"), &t));
    uint32_t n = 0;
    for (size_t at = 0; attack_next(&at, &t); n++) CHECK(t.id.len >= 5 && t.name.len > 0);
    CHECK(n > 300);
}
