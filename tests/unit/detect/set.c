/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/sigma/set.h"

#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
#include "wording/wording.h"

#define ID_A      "929a690e-bef0-4204-a928-ef5e620d6fcc"
#define ID_B      "6f3e2987-db24-4c78-a860-b4f4095a7095"
#define DETECTION "detection:\n    s:\n        F: x\n    condition: s\n"
/* A rule; `keys` are whole lines. */
#define RULE(title, keys) "title: " title "\n" keys "logsource:\n    product: windows\n" DETECTION
#define NEXT              "---\n"
/* A correlation of the rules named; their list stands in line 5 behind the title's. */
#define CORR(title, keys, rules)                                                                   \
    "title: " title "\n" keys "correlation:\n    type: event_count\n    timespan: 5m\n"            \
    "    condition: {gte: 2}\n    rules: " rules "\n"
#define FILTER(title, rules, condition)                                                            \
    "title: " title "\nlogsource:\n    product: windows\nfilter:\n    rules: " rules               \
    "\n    f:\n        User: a\n    g:\n        User: b\n    condition: " condition "\n"

static struct sigma_set *load_text(const char *text)
{
    struct sigma_set *set = sigma_set_new();
    REQUIRE(set);
    REQUIRE(sigma_set_add_text(set, "r.yml", slice_of(text), NULL) == 0);
    REQUIRE(sigma_set_finish(set) == 0);
    return set;
}

static bool has_swedish(const char *message)
{
    struct buf swedish;
    buf_init(&swedish, 4096);
    bool has = wording_swedish(&swedish, slice_of(message));
    buf_done(&swedish);
    return has;
}

static bool has_refusal(const struct sigma_set *set, uint32_t line, uint32_t column,
                        const char *message, bool warning)
{
    for (uint32_t i = 0; i < set->n_refusals; i++) {
        const struct sigma_refusal *r = &set->refusals[i];
        if (r->diag.line == line && r->diag.column == column && r->warning == warning &&
            strstr(r->diag.message, message))
            return has_swedish(r->diag.message);
    }
    return false;
}

static void list_refusals(const struct sigma_set *set)
{
    for (uint32_t i = 0; i < set->n_refusals; i++)
        printf("# %s:%u:%u: %s%s\n", set->refusals[i].diag.file, set->refusals[i].diag.line,
               set->refusals[i].diag.column, set->refusals[i].warning ? "warning: " : "",
               set->refusals[i].diag.message);
}

#define CHECK_COUNTS(set, rules, correlations, refusals)                                           \
    do {                                                                                           \
        CHECK_INT((set)->n_rules, rules);                                                          \
        CHECK_INT((set)->n_correlations, correlations);                                            \
        CHECK_INT((set)->n_refusals, refusals);                                                    \
    } while (0)
#define CHECK_REFUSAL(set, line, column, message)                                                  \
    (has_refusal(set, line, column, message, false)                                                \
         ? (void)0                                                                                 \
         : (test_fail(__FILE__, __LINE__, "no refusal %u:%u %s", (unsigned)(line),                 \
                      (unsigned)(column), message),                                                \
            list_refusals(set)))
#define CHECK_WARNING(set, line, column, message)                                                  \
    (has_refusal(set, line, column, message, true)                                                 \
         ? (void)0                                                                                 \
         : (test_fail(__FILE__, __LINE__, "no warning %u:%u %s", (unsigned)(line),                 \
                      (unsigned)(column), message),                                                \
            list_refusals(set)))

TEST(a_bad_document_hides_no_other)
{
    struct sigma_set *set =
        load_text(RULE("One", "") NEXT RULE("Bad", "level: hgh\n") NEXT RULE("Two", ""));
    CHECK_COUNTS(set, 2, 0, 1);
    CHECK_SLICE(set->rules[0]->doc->title, "One");
    CHECK_SLICE(set->rules[1]->doc->title, "Two");
    CHECK_INT(set->rules[1]->index, 1);
    CHECK_REFUSAL(set, 10, 8, "hgh");
    CHECK_SLICE(set->refusals[0].title, "Bad");
    sigma_set_free(set);
}

TEST(an_id_or_a_name_is_taken_once)
{
    struct sigma_set *set = load_text(RULE("One", "id: " ID_A "\nname: one\n") NEXT RULE(
        "Two", "id: 929A690E-BEF0-4204-A928-EF5E"
               "620D6FCC\n") NEXT RULE("Three", "name: one\n") NEXT RULE("Four", "name: One\n"));
    CHECK_COUNTS(set, 2, 0, 2);
    CHECK_REFUSAL(set, 11, 1, "is taken by r.yml:1");
    CHECK_REFUSAL(set, 20, 1, "the name `one` is taken by r.yml:1");
    CHECK_SLICE(set->rules[1]->doc->title, "Four"); /* names have case */
    sigma_set_free(set);
}

/* A rule that was refused leaves its name to the next one. */
TEST(a_refused_rule_takes_no_name)
{
    struct sigma_set *set =
        load_text(RULE("Bad", "name: one\nlevel: hgh\n") NEXT RULE("Good", "name: one\n"));
    CHECK_COUNTS(set, 1, 0, 1);
    CHECK_SLICE(set->rules[0]->doc->title, "Good");
    sigma_set_free(set);
}

TEST(correlations_find_rules_by_id_and_name_also_later_ones)
{
    struct sigma_set *set = load_text(CORR("C", "", "[one, " ID_B "]") NEXT RULE(
        "One", "name: one\n") NEXT RULE("Other", "") NEXT RULE("Two", "id: " ID_B "\n"));
    CHECK_COUNTS(set, 3, 1, 0);
    REQUIRE(set->n_correlations == 1);
    CHECK_INT(set->correlations[0]->refs[0].index, 0);
    CHECK_INT(set->correlations[0]->refs[1].index, 2);
    CHECK(!set->correlations[0]->refs[1].is_corr);
    CHECK(set->rules[0]->needed_by_correlation && set->rules[0]->silent);
    CHECK(!set->rules[1]->needed_by_correlation && !set->rules[1]->silent);
    CHECK(!set->correlations[0]->silent);
    sigma_set_free(set);
}

TEST(one_referrer_that_generates_lets_a_rule_speak)
{
    struct sigma_set *set = load_text(RULE("One", "name: one\n") NEXT CORR("C", "", "one")
                                          NEXT CORR("D", "generate: true\n", "one"));
    CHECK_COUNTS(set, 1, 2, 0);
    CHECK(set->rules[0]->needed_by_correlation && !set->rules[0]->silent);
    sigma_set_free(set);
}

TEST(correlations_are_ordered_by_what_they_refer_to)
{
    struct sigma_set *set =
        load_text(CORR("Top", "", "middle") NEXT CORR("Middle", "name: middle\n", "low")
                      NEXT CORR("Low", "name: low\n", "one") NEXT RULE("One", "name: one\n"));
    CHECK_COUNTS(set, 1, 3, 0);
    REQUIRE(set->n_correlations == 3);
    CHECK_SLICE(set->correlations[0]->doc->title, "Low");
    CHECK_SLICE(set->correlations[1]->doc->title, "Middle");
    CHECK_SLICE(set->correlations[2]->doc->title, "Top");
    for (uint32_t i = 0; i < 3; i++) CHECK_INT(set->correlations[i]->index, i);
    CHECK(set->correlations[2]->refs[0].is_corr);
    CHECK_INT(set->correlations[2]->refs[0].index, 1);
    CHECK(set->correlations[0]->silent && set->correlations[1]->silent);
    CHECK(!set->correlations[2]->silent);
    sigma_set_free(set);
}

/* One that refers to two comes behind both. */
TEST(a_correlation_waits_for_all_it_refers_to)
{
    struct sigma_set *set = load_text(CORR("Top", "", "[a, b]") NEXT CORR(
        "A", "name: a\n", "one") NEXT CORR("B", "name: b\n", "a") NEXT RULE("One", "name: one\n"));
    CHECK_COUNTS(set, 1, 3, 0);
    REQUIRE(set->n_correlations == 3);
    CHECK_SLICE(set->correlations[0]->doc->title, "A");
    CHECK_SLICE(set->correlations[1]->doc->title, "B");
    CHECK_SLICE(set->correlations[2]->doc->title, "Top");
    CHECK_INT(set->correlations[2]->refs[0].index, 0);
    CHECK_INT(set->correlations[2]->refs[1].index, 1);
    sigma_set_free(set);
}

TEST(circles_are_refused_and_what_leans_on_them)
{
    struct sigma_set *set =
        load_text(CORR("Self", "name: self\n", "self") NEXT CORR("A", "name: a\n", "b")
                      NEXT CORR("B", "name: b\n", "a") NEXT CORR("Leans", "", "a")
                          NEXT RULE("One", "name: one\n") NEXT CORR("Fine", "", "one"));
    CHECK_COUNTS(set, 1, 1, 4);
    CHECK_REFUSAL(set, 7, 12, "the correlation refers to itself (`self`)");
    CHECK_REFUSAL(set, 15, 12, "in a circle through `b`");
    CHECK_REFUSAL(set, 23, 12, "in a circle through `a`");
    CHECK_REFUSAL(set, 30, 12, "refers to the correlation `a`, which was refused");
    sigma_set_free(set);
}

TEST(references_that_lead_nowhere_are_refused)
{
    struct sigma_set *set =
        load_text(RULE("One", "name: whoami_used\nid: " ID_A "\n") NEXT CORR("C", "", "whoami_usd")
                      NEXT CORR("D", "", "refused") NEXT RULE("R", "name: refused\nlevel: hgh\n")
                          NEXT CORR("E", "", "[whoami_used, " ID_A "]") NEXT CORR("F", "", "gone")
                              NEXT CORR("G", "name: g\n", "gone") NEXT CORR("H", "", "g"));
    CHECK_COUNTS(set, 1, 0, 7);
    CHECK_REFUSAL(set, 16, 12, "`whoami_usd`, which is not loaded; did you mean `whoami_used`?");
    CHECK_REFUSAL(set, 23, 12, "the rule `refused`, which was refused");
    CHECK_REFUSAL(set, 40, 26, "is the same rule as one listed before");
    CHECK_REFUSAL(set, 47, 12, "`gone`, which is not loaded");
    CHECK_REFUSAL(set, 62, 12, "the correlation `g`, which was refused");
    sigma_set_free(set);
}

static const struct sigma_expr *filtered(const struct sigma_set *set)
{
    const struct sigma_expr *e = set->rules[0]->expr;
    return e->kind == EXPR_AND && e->n_children == 2 && e->child[1]->label.len ? e->child[1] : NULL;
}

TEST(a_filter_is_read_as_it_is_meant)
{
    static const struct {
        const char *condition;
        enum expr_kind kind; /* EXPR_NOT: suppresses */
    } cases[] = {
        {"f", EXPR_NOT},
        {"f and g", EXPR_NOT},
        {"f or g", EXPR_NOT},
        {"1 of them", EXPR_NOT},
        {"not not f", EXPR_AND},
        {"not f", EXPR_AND},
        {"not f and not g", EXPR_AND},
        {"not (f or not g)", EXPR_AND},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        (void)snprintf(text, sizeof text, RULE("One", "name: one\n") NEXT FILTER("Fi", "one", "%s"),
                       cases[i].condition);
        struct sigma_set *set = load_text(text);
        const struct sigma_expr *part = filtered(set);
        CHECK_INT(set->n_filters, 1);
        CHECK_INT(set->n_refusals, 0);
        if (!part || part->kind != cases[i].kind)
            test_fail(__FILE__, __LINE__, "%s is taken the other way", cases[i].condition);
        else CHECK_SLICE(part->label, "Fi");
        sigma_set_free(set);
    }
}

TEST(a_filter_with_both_senses_is_refused_and_takes_nothing_away)
{
    struct sigma_set *set =
        load_text(RULE("One", "name: one\n") NEXT FILTER("Fi", "one", "f and not g"));
    CHECK_COUNTS(set, 1, 0, 1);
    CHECK_INT(set->n_filters, 0);
    CHECK(filtered(set) == NULL);
    CHECK_REFUSAL(set, 19, 16, "mixes searches with and without `not`");
    sigma_set_free(set);
}

TEST(a_filter_reaches_what_it_names_within_its_log_source)
{
    struct sigma_set *set = load_text(
        RULE("One", "name: one\n") NEXT
        "title: Linux\nname: linux\nlogsource:\n    product: linux\n" DETECTION NEXT FILTER(
            "Fi", "[one, linux, gone, corr, bad, other]", "f") NEXT CORR("C", "name: corr\n", "one")
            NEXT RULE("Bad", "name: bad\nlevel: hgh\n") NEXT
        "title: O\nname: other\nlogsource:\n    product: windows\nfilter:\n    rules: one\n"
        "    f: x\n    condition: f\n");
    CHECK_INT(set->n_rules, 2);
    CHECK_INT(set->n_filters, 2);
    CHECK(filtered(set) != NULL);
    CHECK_INT(set->rules[1]->expr->kind, EXPR_ATOM);
    CHECK_WARNING(set, 23, 18, "does not apply to the rule `linux`: its log source is another");
    CHECK_WARNING(set, 23, 25, "names the rule `gone`, which is not loaded");
    CHECK_WARNING(set, 23, 31, "names `corr`, which is a correlation; filters apply to rules");
    CHECK_WARNING(set, 23, 37, "names the rule `bad`, which was refused");
    CHECK_WARNING(set, 23, 42, "names `other`, which is a filter");
    sigma_set_free(set);
}

/* The set as it is at that moment, in seconds. */
static struct sigma_set *load_at(const char *text, nsec now)
{
    const struct sigma_set_options options = {.now = now * NSEC_PER_SEC};
    struct sigma_set *set = sigma_set_new();
    REQUIRE(set);
    REQUIRE(sigma_set_add_text(set, "r.yml", slice_of(text), &options) == 0);
    REQUIRE(sigma_set_finish(set) == 0);
    return set;
}

TEST(a_filter_holds_until_the_end_of_the_day_it_names)
{
    const nsec midnight = 1798761600; /* 2027-01-01T00:00:00Z */
    const char *text = RULE("R", "id: " ID_A "\n")
        NEXT FILTER("F", "[" ID_A "]", "f") "vaka:\n    until: 2026-12-31\n" NEXT FILTER(
            "G", "[" ID_A "]", "g") "vaka:\n    until: '2027-02-01T00:00:00Z'\n";
    struct sigma_set *set = load_at(text, midnight - 1);
    CHECK_INT(set->n_filters, 2);
    CHECK(set->ends == midnight * NSEC_PER_SEC);
    CHECK_COUNTS(set, 1, 0, 0);
    sigma_set_free(set);

    set = load_at(text, midnight);
    CHECK_INT(set->n_filters, 1);
    CHECK_SLICE(set->filters[0].doc->title, "G");
    CHECK_INT(set->filters[0].n_rules, 1);
    CHECK(set->ends == (midnight + 31 * 86400) * NSEC_PER_SEC);
    CHECK_WARNING(set, 10, 1, "the filter has ended");
    CHECK_COUNTS(set, 1, 0, 1);
    sigma_set_free(set);

    set = load_text(text);
    CHECK_INT(set->n_filters, 2);
    sigma_set_free(set);
    set = load_text(FILTER("F", "any", "f") "vaka:\n    until: soon\n");
    CHECK_REFUSAL(set, 12, 12, "`until` is no point in time");
    sigma_set_free(set);
}

TEST(a_filter_for_any_rule_reaches_those_of_its_log_source)
{
    struct sigma_set *set = load_text(
        RULE("One", "") NEXT
        "title: Linux\nlogsource:\n    product: linux\n" DETECTION NEXT FILTER("Fi", "any", "f"));
    CHECK_COUNTS(set, 2, 0, 0);
    CHECK(filtered(set) != NULL);
    CHECK_INT(set->rules[1]->expr->kind, EXPR_ATOM);
    sigma_set_free(set);
}

TEST(the_digest_is_of_contents_in_order)
{
    struct sigma_set *a = load_text(RULE("One", "")), *b = load_text(RULE("One", "")),
                     *c = load_text(RULE("Two", ""));
    CHECK(memcmp(a->digest, b->digest, sizeof a->digest) == 0);
    CHECK(memcmp(a->digest, c->digest, sizeof a->digest) != 0);
    sigma_set_free(a);
    sigma_set_free(b);
    sigma_set_free(c);
    /* Where one file ends is part of it. */
    a = sigma_set_new();
    b = sigma_set_new();
    REQUIRE(a && b);
    REQUIRE(sigma_set_add_text(a, "x", SLICE("# a"), NULL) == 0);
    REQUIRE(sigma_set_add_text(a, "y", SLICE("# b"), NULL) == 0);
    REQUIRE(sigma_set_add_text(b, "x", SLICE("# a# "), NULL) == 0);
    REQUIRE(sigma_set_add_text(b, "y", SLICE("b"), NULL) == 0);
    REQUIRE(sigma_set_finish(a) == 0 && sigma_set_finish(b) == 0);
    CHECK(memcmp(a->digest, b->digest, sizeof a->digest) != 0);
    sigma_set_free(a);
    sigma_set_free(b);
}

/* --- Files and folders ------------------------------------------------------------------- */

static uint32_t progress_done, progress_total;

static void on_progress(void *ctx, uint32_t done, uint32_t total)
{
    (void)ctx;
    progress_done = done;
    progress_total = total;
}

static struct sigma_set *load_folder(const char *first, const char *second)
{
    struct diag diag;
    struct sigma_set *set = sigma_set_new();
    const struct sigma_set_options options = {.progress = on_progress};
    REQUIRE(set);
    REQUIRE(sigma_set_add_path(set, test_path(first), &options, &diag) == 0);
    if (second) REQUIRE(sigma_set_add_path(set, test_path(second), &options, &diag) == 0);
    REQUIRE(sigma_set_finish(set) == 0);
    return set;
}

TEST(folders_are_walked_in_order_of_name)
{
    test_write("rules/b.yml", RULE("B", ""));
    test_write("rules/a/z.YAML", RULE("A", ""));
    test_write("rules/c.yaml", RULE("C", ""));
    test_write("rules/notes.txt", "not yaml: [");
    test_write("rules/.hidden.yml", RULE("hidden", ""));
    test_write("rules/.git/x.yml", RULE("hidden", ""));
    test_write("rules/regression_data/x.yml", RULE("hidden", ""));
    struct sigma_set *set = load_folder("rules", NULL);
    CHECK_COUNTS(set, 3, 0, 0);
    CHECK_INT(set->n_files, 3);
    REQUIRE(set->n_rules == 3);
    CHECK_SLICE(set->rules[0]->doc->title, "A");
    CHECK_SLICE(set->rules[1]->doc->title, "B");
    CHECK_SLICE(set->rules[2]->doc->title, "C");
    CHECK_INT(progress_done, 3);
    CHECK_INT(progress_total, 3);
    CHECK(slice_ends_with(slice_of(set->rules[0]->doc->file), SLICE("/rules/a/z.YAML")));
    sigma_set_free(set);
}

TEST(a_file_may_have_any_name_and_is_read_once)
{
    test_write("odd/rule.text", RULE("Odd", ""));
    test_write("odd/r.yml", RULE("R", ""));
    struct sigma_set *set = load_folder("odd/rule.text", NULL);
    CHECK_COUNTS(set, 1, 0, 0);
    sigma_set_free(set);
    REQUIRE(link(test_path("odd/r.yml"), test_path("odd/same.yml")) == 0);
    set = load_folder("odd/", "odd/r.yml");
    CHECK_INT(set->n_rules, 1);
    CHECK_INT(set->n_refusals, 2);
    CHECK_WARNING(set, 0, 0, "1 of 2 files had been loaded before and were not loaded again");
    CHECK_WARNING(set, 0, 0, "1 of 1 files had been loaded before");
    sigma_set_free(set);
}

TEST(a_link_back_up_ends_and_a_dead_link_is_named)
{
    test_write("loop/in/r.yml", RULE("R", ""));
    REQUIRE(symlink("..", test_path("loop/in/up")) == 0);
    REQUIRE(symlink("nowhere", test_path("loop/dead.yml")) == 0);
    REQUIRE(symlink("nowhere", test_path("loop/dead.txt")) == 0);
    struct sigma_set *set = load_folder("loop", NULL);
    CHECK_COUNTS(set, 1, 0, 1);
    CHECK_REFUSAL(set, 0, 0, "cannot be read: No such file or directory");
    sigma_set_free(set);
}

TEST(a_folder_called_unsupported_is_refused_rule_by_rule)
{
    test_write("sup/unsupported/r.yml", RULE("R", ""));
    test_write("sup/s.yml", RULE("S", ""));
    struct sigma_set *set = load_folder("sup", NULL);
    CHECK_COUNTS(set, 1, 0, 1);
    CHECK_REFUSAL(set, 1, 1, "in a folder called `unsupported`");
    sigma_set_free(set);
    set = load_folder("sup/unsupported/.", NULL);
    CHECK_COUNTS(set, 0, 0, 1);
    sigma_set_free(set);
}

TEST(a_path_that_is_not_there_is_an_error)
{
    struct diag diag;
    struct sigma_set *set = sigma_set_new();
    REQUIRE(set);
    const char *path = test_path("gone");
    CHECK_INT(sigma_set_add_path(set, path, NULL, &diag), ERR_NOT_FOUND);
    CHECK_SLICE(slice_of(diag.file), path);
    CHECK(strstr(diag.message, "cannot be read: No such file"));
    CHECK_INT(sigma_set_finish(set), 0);
    sigma_set_free(set);
}

TEST(folders_too_deep_are_named)
{
    char path[512] = "deep";
    for (int i = 0; i < 40; i++) (void)snprintf(path + strlen(path), 4, "/d");
    (void)snprintf(path + strlen(path), 8, "/r.yml");
    test_write(path, RULE("Deep", ""));
    test_write("deep/d/top.yml", RULE("Top", ""));
    struct sigma_set *set = load_folder("deep", NULL);
    CHECK_COUNTS(set, 1, 0, 1);
    CHECK_REFUSAL(set, 0, 0, "the folders are nested too deep");
    sigma_set_free(set);
}

TEST(a_file_above_the_limit_is_refused)
{
    static char text[YAML_FILE_MAX + 2];
    memset(text, '#', sizeof text - 1);
    memcpy(text, RULE("Big", ""), sizeof RULE("Big", "") - 1);
    test_write("big/r.yml", text);
    test_write("big/s.yml", RULE("S", ""));
    struct sigma_set *set = load_folder("big", NULL);
    CHECK_COUNTS(set, 1, 0, 1);
    CHECK_SLICE(set->rules[0]->doc->title, "S");
    sigma_set_free(set);
}

TEST(some_of_a_set_come_with_what_they_refer_to)
{
    struct sigma_set *set =
        load_text(RULE("Out", "name: out\n") NEXT RULE("Low", "name: low\n")
                      NEXT RULE("In", "name: in\n") NEXT CORR("Middle", "name: middle\n", "[low]")
                          NEXT CORR("Other", "", "[out]") NEXT CORR("Top", "", "[middle]"));
    bool wanted[6] = {false};
    REQUIRE(set->n_rules == 3 && set->n_correlations == 3);
    for (uint32_t i = 0; i < 3; i++) {
        wanted[i] = slice_eq(set->rules[i]->doc->title, SLICE("In"));
        wanted[3 + i] = slice_eq(set->correlations[i]->doc->title, SLICE("Top"));
    }
    struct sigma_set *some = sigma_set_choose(set, wanted);
    REQUIRE(some && some->n_rules == 2 && some->n_correlations == 2);
    CHECK_SLICE(some->rules[0]->doc->title, "Low");
    CHECK_SLICE(some->rules[1]->doc->title, "In");
    const struct sigma_corr_rule *middle = some->correlations[0], *top = some->correlations[1];
    CHECK_SLICE(middle->doc->title, "Middle");
    CHECK(middle->refs[0].index == 0 && !middle->refs[0].is_corr);
    CHECK(top->refs[0].index == 0 && top->refs[0].is_corr);
    for (uint32_t i = 0; i < 2; i++)
        CHECK(some->rules[i]->index == i && some->correlations[i]->index == i);
    sigma_set_free(some);
    sigma_set_free(set);
}
