/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/correlate/correlate.h"

#include <stdlib.h>

#include "base/hash.h"
#include "test.h"

/* A set of three rules (logon, fail, scan) and the correlations of the test. */
enum { LOGON, FAIL, SCAN, N_RULES, CORRS_MAX = 4, FIRED_MAX = 64 };

struct world {
    struct sigma_set set;
    struct correlator *c;
    struct sigma_doc docs[N_RULES + CORRS_MAX];
    struct sigma_rule rules[N_RULES], *rule_list[N_RULES];
    struct sigma_corr_rule corrs[CORRS_MAX], *corr_list[CORRS_MAX];
    size_t max_bytes;
    bool at_once;
    struct fired {
        uint32_t index;
        nsec time, first, last;
        double count;
        bool approximate;
        char group[64];
        uint64_t refs[CORRELATOR_REFS_MAX];
        uint32_t n_refs;
    } fired[FIRED_MAX];
    uint32_t n_fired;
    char refused[100];
};

static void on_firing(void *ctx, const struct correlator_firing *f)
{
    struct world *w = ctx;
    if (w->n_fired++ >= FIRED_MAX) return;
    struct fired *to = &w->fired[w->n_fired - 1];
    *to = (struct fired){.index = f->rule->index,
                         .time = f->time,
                         .first = f->first,
                         .last = f->last,
                         .count = f->count,
                         .approximate = f->approximate};
    size_t len = 0;
    for (uint32_t i = 0; i < f->n_group; i++)
        len += (size_t)snprintf(to->group + len, sizeof to->group - len, "%s%.*s=%.*s",
                                i ? "," : "", SLICE_FMT(f->names[i]), SLICE_FMT(f->values[i])) %
               (sizeof to->group - len);
    to->n_refs = f->n_refs;
    if (f->n_refs) memcpy(to->refs, f->refs, f->n_refs * sizeof *f->refs);
}

static void on_refused(void *ctx, const struct sigma_corr_rule *rule, const char *why)
{
    struct world *w = ctx;
    snprintf(w->refused, sizeof w->refused, "%u: %s", rule->index, why);
}

static const struct sigma_value LOGON_ONLY[] = {{.text = {"logon", 5}}};
static struct sigma_corr_ref REF_LOGON[] = {{LOGON, false}};
static const struct sigma_value FAIL_LOGON[] = {{.text = {"fail", 4}}, {.text = {"logon", 5}}};
static struct sigma_corr_ref REF_FAIL_LOGON[] = {{FAIL, false}, {LOGON, false}};
static const struct slice USER[] = {{"User", 4}};
static const struct slice BYTES[] = {{"Bytes", 5}};

static void add(struct world *w, const struct sigma_correlation *corr, struct sigma_corr_ref *refs)
{
    uint32_t i = w->set.n_correlations++;
    struct sigma_doc *doc = &w->docs[N_RULES + i];
    static const char *const names[] = {"corr_a", "corr_b", "corr_c", "corr_d"};
    doc->name = slice_of(names[i]);
    w->corrs[i] = (struct sigma_corr_rule){.doc = doc, .corr = corr, .index = i, .refs = refs};
    w->corr_list[i] = &w->corrs[i];
}

static struct world *start(void)
{
    static struct world w;
    w = (struct world){0};
    static const char *const names[] = {"logon", "fail", "scan"};
    for (uint32_t i = 0; i < N_RULES; i++) {
        w.docs[i].name = slice_of(names[i]);
        w.rules[i] = (struct sigma_rule){.doc = &w.docs[i], .index = i};
        w.rule_list[i] = &w.rules[i];
    }
    w.set.rules = w.rule_list;
    w.set.n_rules = N_RULES;
    w.set.correlations = w.corr_list;
    return &w;
}

static void go(struct world *w)
{
    struct correlator_options options = {
        .seed = 7, .max_bytes = w->max_bytes, .at_once = w->at_once};
    struct correlator_out out = {.ctx = w, .firing = on_firing, .refused = on_refused};
    w->c = correlator_new(&w->set, &options, &out);
    REQUIRE(w->c);
}

/* One event; a and b are the first two wanted values, NULL: missing. */
static void push(struct world *w, uint32_t rule, nsec seconds, uint64_t ref, const char *a,
                 const char *b)
{
    struct correlator_wants wants;
    correlator_wants(w->c, rule, &wants);
    struct slice values[4] = {a ? slice_of(a) : SLICE_NONE, b ? slice_of(b) : SLICE_NONE};
    struct correlator_tuple t = {rule, seconds * NSEC_PER_SEC, ref, values, wants.n_fields};
    CHECK_INT(correlator_push(w->c, &t), 0);
}

static struct correlator_stats stats_of(const struct world *w)
{
    struct correlator_stats s;
    correlator_get_stats(w->c, &s);
    return s;
}

static void finish(struct world *w)
{
    correlator_finish(w->c);
    correlator_free(w->c);
    w->c = NULL;
}

#define CHECK_FIRED(w, i, want_index, want_time, want_count)                                       \
    do {                                                                                           \
        REQUIRE((w)->n_fired > (i));                                                               \
        CHECK_INT((w)->fired[i].index, want_index);                                                \
        CHECK_INT((w)->fired[i].time / NSEC_PER_SEC, want_time);                                   \
        CHECK_INT((w)->fired[i].count, want_count);                                                \
    } while (0)

static struct sigma_correlation counting(enum sigma_corr_type type, enum sigma_cmp cmp, double v)
{
    return (struct sigma_correlation){.type = type,
                                      .rules = LOGON_ONLY,
                                      .n_rules = 1,
                                      .group_by = USER,
                                      .n_group_by = 1,
                                      .timespan = 10 * NSEC_PER_SEC,
                                      .bound = {{cmp, v}},
                                      .n_bounds = 1,
                                      .fields = BYTES,
                                      .n_fields = 1,
                                      .percentile = 50};
}

TEST(event_count_fires_once_per_timespan_with_the_whole_count)
{
    struct world *w = start();
    struct sigma_correlation corr = counting(CORR_EVENT_COUNT, CMP_GTE, 3);
    add(w, &corr, REF_LOGON);
    go(w);
    for (int i = 0; i < 15; i++) push(w, LOGON, i, (uint64_t)i, "anna", NULL);
    push(w, LOGON, 12, 99, "bo", NULL);
    CHECK_INT(w->n_fired, 1); /* the first window, 0..10, is over */
    finish(w);
    CHECK_INT(w->n_fired, 2);
    CHECK_FIRED(w, 0, 0, 2, 11);
    CHECK_INT(w->fired[0].first, 0);
    CHECK_INT(w->fired[0].last / NSEC_PER_SEC, 10);
    CHECK_INT(w->fired[0].n_refs, 10);
    CHECK_INT(w->fired[0].refs[9], 9);
    CHECK_FIRED(w, 1, 0, 13, 4); /* 11..14, of which 11, 12, 13 made it true */
    CHECK_SLICE(slice_of(w->fired[1].group), "User=anna");
}

TEST(window_is_closed_at_both_ends)
{
    struct world *w = start();
    struct sigma_correlation corr = counting(CORR_EVENT_COUNT, CMP_GTE, 2);
    add(w, &corr, REF_LOGON);
    go(w);
    push(w, LOGON, 0, 1, "exact", NULL);
    push(w, LOGON, 0, 1, "late", NULL);
    push(w, LOGON, 10, 1, "exact", NULL);
    push(w, LOGON, 11, 1, "late", NULL);
    finish(w);
    CHECK_INT(w->n_fired, 1);
    CHECK_SLICE(slice_of(w->fired[0].group), "User=exact");
}

TEST(groups_fold_case_and_show_the_first_spelling)
{
    struct world *w = start();
    struct sigma_correlation corr = counting(CORR_EVENT_COUNT, CMP_GTE, 2);
    add(w, &corr, REF_LOGON);
    go(w);
    push(w, LOGON, 0, 1, "Åsa", NULL);
    push(w, LOGON, 1, 2, "åSA", NULL);
    push(w, LOGON, 1, 3, "", NULL);
    push(w, LOGON, 1, 4, NULL, NULL);
    push(w, LOGON, 2, 5, "", NULL);
    CHECK_INT(stats_of(w).skipped_missing_field, 1);
    finish(w);
    CHECK_INT(w->n_fired, 2);
    CHECK_SLICE(slice_of(w->fired[0].group), "User=Åsa");
    CHECK_SLICE(slice_of(w->fired[1].group), "User=");
}

TEST(long_values_group_by_what_takes_part)
{
    struct world *w = start();
    struct sigma_correlation corr = counting(CORR_EVENT_COUNT, CMP_GTE, 2);
    static char a[CORRELATOR_VALUE_MAX + 2], b[CORRELATOR_VALUE_MAX + 2];
    memset(a, 'a', sizeof a - 1);
    memset(b, 'A', sizeof b - 1);
    b[CORRELATOR_VALUE_MAX] = 'x'; /* behind the part that takes part */
    add(w, &corr, REF_LOGON);
    go(w);
    push(w, LOGON, 0, 1, a, NULL);
    push(w, LOGON, 1, 2, b, NULL);
    a[CORRELATOR_VALUE_MAX - 1] = 'y';
    push(w, LOGON, 2, 3, a, NULL);
    finish(w);
    CHECK_INT(w->n_fired, 1);
    CHECK_INT(w->fired[0].count, 2);
}

TEST(lt_and_eq_are_decided_when_the_window_closes)
{
    struct world *w = start();
    struct sigma_correlation lt = counting(CORR_EVENT_COUNT, CMP_LT, 2);
    struct sigma_correlation eq = counting(CORR_EVENT_COUNT, CMP_EQ, 2);
    add(w, &lt, REF_LOGON);
    add(w, &eq, REF_LOGON);
    go(w);
    push(w, LOGON, 0, 1, "one", NULL);
    push(w, LOGON, 0, 2, "two", NULL);
    push(w, LOGON, 10, 3, "two", NULL);
    CHECK_INT(w->n_fired, 0);
    correlator_advance(w->c, 10 * NSEC_PER_SEC); /* the last moment is still inside */
    CHECK_INT(w->n_fired, 0);
    correlator_advance(w->c, 10 * NSEC_PER_SEC + 1);
    CHECK_INT(w->n_fired, 2);
    CHECK_FIRED(w, 0, 0, 10, 1);
    CHECK_FIRED(w, 1, 1, 10, 2);
    CHECK_INT(stats_of(w).groups, 0);
    finish(w);
    CHECK_INT(w->n_fired, 2);
}

TEST(value_count_counts_combinations_of_the_window)
{
    struct world *w = start();
    struct sigma_correlation corr = counting(CORR_VALUE_COUNT, CMP_GT, 2);
    add(w, &corr, REF_LOGON);
    go(w);
    const char *const values[] = {"1", "1", "a", "A", "2", "3"};
    for (int i = 0; i < 6; i++) push(w, LOGON, i, (uint64_t)i, "anna", values[i]);
    push(w, LOGON, 6, 9, "anna", NULL);
    CHECK_INT(stats_of(w).skipped_missing_field, 1);
    finish(w);
    CHECK_INT(w->n_fired, 1);
    CHECK_FIRED(w, 0, 0, 4, 4);
    CHECK_INT(w->fired[0].first / NSEC_PER_SEC, 1); /* the newest "1" */
    CHECK_INT(w->fired[0].refs[0], 1);
}

TEST(sums_ignore_what_is_not_a_number)
{
    struct world *w = start();
    struct sigma_correlation corr = counting(CORR_VALUE_SUM, CMP_GT, 100);
    add(w, &corr, REF_LOGON);
    go(w);
    const char *const values[] = {"60", "many", "0x20", "1e999", "nan", " 40.5 ", "-3"};
    for (int i = 0; i < 7; i++) push(w, LOGON, i, 0, "anna", values[i]);
    CHECK_INT(stats_of(w).non_numeric, 4);
    finish(w);
    CHECK_INT(w->n_fired, 1);
    CHECK_FIRED(w, 0, 0, 5, 97);
}

/* 1e16 swallows 1 in a double; it must come back when the large value is out of date. */
TEST(sums_survive_large_values)
{
    struct world *w = start();
    struct sigma_correlation corr = counting(CORR_VALUE_SUM, CMP_GTE, 3);
    add(w, &corr, REF_LOGON);
    go(w);
    push(w, LOGON, 0, 0, "anna", "-1e16");
    push(w, LOGON, 1, 0, "anna", "1");
    push(w, LOGON, 2, 0, "anna", "1");
    push(w, LOGON, 11, 0, "anna", "1");
    finish(w);
    CHECK_INT(w->n_fired, 1);
    CHECK_FIRED(w, 0, 0, 11, 3);
}

TEST(averages_wait_for_the_window)
{
    struct world *w = start();
    struct sigma_correlation corr = counting(CORR_VALUE_AVG, CMP_GT, 500);
    struct sigma_correlation median = counting(CORR_VALUE_MEDIAN, CMP_LT, 500);
    add(w, &corr, REF_LOGON);
    add(w, &median, REF_LOGON);
    go(w);
    push(w, LOGON, 0, 0, "anna", "900");
    push(w, LOGON, 1, 0, "anna", "50");
    push(w, LOGON, 2, 0, "anna", "100");
    push(w, LOGON, 3, 0, "anna", "80");
    finish(w);
    CHECK_INT(w->n_fired, 1);
    CHECK_FIRED(w, 0, 1, 10, 90);
}

static struct sigma_correlation following(enum sigma_corr_type type)
{
    return (struct sigma_correlation){.type = type,
                                      .rules = FAIL_LOGON,
                                      .n_rules = 2,
                                      .group_by = USER,
                                      .n_group_by = 1,
                                      .timespan = 10 * NSEC_PER_SEC};
}

TEST(ordered_needs_the_order_and_takes_ties)
{
    struct world *w = start();
    struct sigma_correlation any = following(CORR_TEMPORAL);
    struct sigma_correlation ordered = following(CORR_TEMPORAL_ORDERED);
    add(w, &any, REF_FAIL_LOGON);
    add(w, &ordered, REF_FAIL_LOGON);
    go(w);
    push(w, LOGON, 0, 1, "wrong", NULL);
    push(w, FAIL, 1, 2, "wrong", NULL);
    push(w, LOGON, 1, 3, "tie", NULL);
    push(w, FAIL, 1, 4, "tie", NULL);
    finish(w);
    CHECK_INT(w->n_fired, 3);
    CHECK_FIRED(w, 0, 0, 1, 2);
    CHECK_SLICE(slice_of(w->fired[0].group), "User=wrong");
    CHECK_FIRED(w, 1, 0, 1, 2);
    CHECK_FIRED(w, 2, 1, 1, 2);
    CHECK_SLICE(slice_of(w->fired[2].group), "User=tie");
    CHECK_INT(w->fired[2].refs[0], 4);
    CHECK_INT(w->fired[2].refs[1], 3);
}

TEST(ordered_names_the_latest_run)
{
    struct world *w = start();
    struct sigma_correlation ordered = following(CORR_TEMPORAL_ORDERED);
    add(w, &ordered, REF_FAIL_LOGON);
    go(w);
    push(w, FAIL, 0, 1, "anna", NULL);
    push(w, FAIL, 3, 2, "anna", NULL);
    push(w, LOGON, 13, 3, "anna", NULL);
    finish(w);
    CHECK_INT(w->n_fired, 1);
    CHECK_INT(w->fired[0].first / NSEC_PER_SEC, 3);
    CHECK_INT(w->fired[0].n_refs, 2);
    CHECK_INT(w->fired[0].refs[0], 2);
}

TEST(extended_condition_with_not_waits)
{
    struct world *w = start();
    struct sigma_cond fail = {.kind = COND_SEARCH, .search = 0};
    struct sigma_cond logon = {.kind = COND_SEARCH, .search = 1};
    const struct sigma_cond *inner[] = {&logon};
    struct sigma_cond not_logon = {.kind = COND_NOT, .child = inner, .n_children = 1};
    const struct sigma_cond *both[] = {&fail, &not_logon};
    struct sigma_cond cond = {.kind = COND_AND, .child = both, .n_children = 2};
    struct sigma_correlation corr = following(CORR_TEMPORAL);
    corr.condition = &cond;
    add(w, &corr, REF_FAIL_LOGON);
    go(w);
    push(w, FAIL, 0, 1, "gave up", NULL);
    push(w, FAIL, 0, 2, "came in", NULL);
    push(w, LOGON, 10, 3, "came in", NULL);
    finish(w);
    CHECK_INT(w->n_fired, 1);
    CHECK_FIRED(w, 0, 0, 10, 1);
    CHECK_SLICE(slice_of(w->fired[0].group), "User=gave up");
}

/* Three failures, then a logon of the same user: the chain of the specification. */
TEST(chain_of_count_then_logon)
{
    struct world *w = start();
    static const struct sigma_value chained[] = {{.text = {"corr_a", 6}}, {.text = {"logon", 5}}};
    static struct sigma_corr_ref refs[] = {{0, true}, {LOGON, false}};
    static struct sigma_corr_ref fail[] = {{FAIL, false}};
    struct sigma_correlation many = counting(CORR_EVENT_COUNT, CMP_GTE, 3);
    struct sigma_correlation then = following(CORR_TEMPORAL_ORDERED);
    then.rules = chained;
    add(w, &many, fail);
    add(w, &then, refs);
    go(w);
    for (int i = 0; i < 3; i++) push(w, FAIL, i, (uint64_t)i, "anna", NULL);
    push(w, FAIL, 2, 8, "bo", NULL);
    push(w, LOGON, 3, 9, "bo", NULL);
    push(w, LOGON, 12, 10, "Anna", NULL); /* 10 s after the firing, not after the first failure */
    finish(w);
    CHECK_INT(w->n_fired, 2);
    CHECK_FIRED(w, 0, 0, 2, 3);
    CHECK_FIRED(w, 1, 1, 12, 2);
    CHECK_SLICE(slice_of(w->fired[1].group), "User=anna");
    CHECK_INT(w->fired[1].refs[0], 2);
    CHECK_INT(w->fired[1].refs[1], 10);
}

/* On watch: what became true is told then, once for its window, and so is what refers to it. */
TEST(at_once_it_is_told_when_it_becomes_true)
{
    struct world *w = start();
    static const struct sigma_value chained[] = {{.text = {"corr_a", 6}}, {.text = {"logon", 5}}};
    static struct sigma_corr_ref refs[] = {{0, true}, {LOGON, false}};
    static struct sigma_corr_ref fail[] = {{FAIL, false}};
    struct sigma_correlation many = counting(CORR_EVENT_COUNT, CMP_GTE, 3);
    struct sigma_correlation then = following(CORR_TEMPORAL_ORDERED);
    then.rules = chained;
    add(w, &many, fail);
    add(w, &then, refs);
    w->at_once = true;
    go(w);
    for (int i = 0; i < 2; i++) push(w, FAIL, i, (uint64_t)i, "anna", NULL);
    CHECK_INT(w->n_fired, 0);
    push(w, FAIL, 2, 2, "anna", NULL);
    CHECK_INT(w->n_fired, 1);
    CHECK_FIRED(w, 0, 0, 2, 3);
    CHECK_INT(w->fired[0].n_refs, 3);
    for (int i = 3; i < 10; i++) push(w, FAIL, i, (uint64_t)i, "anna", NULL);
    CHECK_INT(w->n_fired, 1); /* of the same window */
    push(w, LOGON, 10, 10, "anna", NULL);
    CHECK_INT(w->n_fired, 2);
    CHECK_FIRED(w, 1, 1, 10, 2);
    for (int i = 11; i < 14; i++) push(w, FAIL, i, (uint64_t)i, "anna", NULL);
    CHECK_INT(w->n_fired, 3);
    CHECK_FIRED(w, 2, 0, 13, 3); /* the next one */
    finish(w);
    CHECK_INT(w->n_fired, 3); /* what is still open was told already */
}

TEST(at_once_counts_values_and_leaves_averages_to_their_window)
{
    struct world *w = start();
    struct sigma_correlation distinct = counting(CORR_VALUE_COUNT, CMP_GTE, 2);
    struct sigma_correlation less = counting(CORR_EVENT_COUNT, CMP_LT, 5);
    distinct.fields = BYTES;
    distinct.n_fields = 1;
    add(w, &distinct, REF_LOGON);
    add(w, &less, REF_LOGON);
    w->at_once = true;
    go(w);
    push(w, LOGON, 0, 0, "anna", "1");
    push(w, LOGON, 1, 1, "anna", "1");
    CHECK_INT(w->n_fired, 0);
    push(w, LOGON, 2, 2, "anna", "2");
    CHECK_INT(w->n_fired, 1);
    CHECK_FIRED(w, 0, 0, 2, 2);
    finish(w);
    CHECK_INT(w->n_fired, 2);
    CHECK_FIRED(w, 1, 1, 10, 3);
}

/* The child groups by host, the parent by user: the user of the event that made the child true. */
TEST(chain_carries_fields_the_child_does_not_group_by)
{
    struct world *w = start();
    static const struct slice host[] = {{"Host", 4}};
    static const struct sigma_value chained[] = {{.text = {"corr_a", 6}}};
    static struct sigma_corr_ref refs[] = {{0, true}};
    struct sigma_correlation quiet = counting(CORR_EVENT_COUNT, CMP_LTE, 2);
    struct sigma_correlation users = counting(CORR_EVENT_COUNT, CMP_GTE, 2);
    quiet.group_by = host;
    users.rules = chained;
    users.timespan = 100 * NSEC_PER_SEC;
    add(w, &quiet, REF_LOGON);
    add(w, &users, refs);
    go(w);
    struct correlator_wants wants;
    correlator_wants(w->c, LOGON, &wants);
    REQUIRE(wants.wanted && wants.n_fields == 2);
    CHECK_SLICE(wants.fields[0], "Host");
    CHECK_SLICE(wants.fields[1], "User");
    push(w, LOGON, 0, 1, "pc1", "bo");
    push(w, LOGON, 1, 2, "pc1", "anna");
    push(w, LOGON, 2, 3, "pc2", "Anna");
    push(w, LOGON, 3, 4, "pc3", NULL);
    finish(w);
    CHECK_INT(w->n_fired, 4);
    CHECK_INT(w->fired[3].index, 1);
    CHECK_INT(w->fired[3].count, 2);
    CHECK_SLICE(slice_of(w->fired[3].group), "User=anna");
}

TEST(aliases_name_a_field_per_rule)
{
    struct world *w = start();
    static const struct sigma_alias_source sources[] = {{{"fail", 4}, {"destination.ip", 14}}};
    static const struct sigma_alias alias = {{"User", 4}, sources, 1};
    struct sigma_correlation corr = following(CORR_TEMPORAL);
    corr.aliases = &alias;
    corr.n_aliases = 1;
    add(w, &corr, REF_FAIL_LOGON);
    go(w);
    struct correlator_wants wants;
    correlator_wants(w->c, FAIL, &wants);
    REQUIRE(wants.n_fields == 1);
    CHECK_SLICE(wants.fields[0], "destination.ip");
    correlator_wants(w->c, LOGON, &wants);
    REQUIRE(wants.n_fields == 1);
    CHECK_SLICE(wants.fields[0], "User");
    correlator_wants(w->c, SCAN, &wants);
    CHECK(!wants.wanted);
    correlator_wants(w->c, 77, &wants);
    CHECK(!wants.wanted);
    push(w, FAIL, 0, 0, "10.0.0.1", NULL);
    push(w, LOGON, 1, 0, "10.0.0.1", NULL);
    finish(w);
    CHECK_INT(w->n_fired, 1);
}

TEST(late_events_count_now_or_not_at_all)
{
    struct world *w = start();
    struct sigma_correlation corr = counting(CORR_EVENT_COUNT, CMP_GTE, 2);
    add(w, &corr, REF_LOGON);
    go(w);
    push(w, LOGON, 100, 0, "anna", NULL);
    push(w, LOGON, 89, 0, "anna", NULL); /* 11 s too late */
    CHECK_INT(stats_of(w).skipped_late, 1);
    push(w, LOGON, 90, 0, "anna", NULL);
    struct correlator_tuple no_time = {LOGON, TIME_NONE, 0, &(struct slice){"anna", 4}, 1};
    CHECK_INT(correlator_push(w->c, &no_time), 0);
    CHECK_INT(stats_of(w).skipped_no_time, 1);
    CHECK_INT(stats_of(w).late, 2);
    finish(w);
    CHECK_INT(w->n_fired, 1);
    CHECK_FIRED(w, 0, 0, 100, 2);
    CHECK_INT(w->fired[0].first / NSEC_PER_SEC, 100);
}

TEST(time_at_its_limits)
{
    struct world *w = start();
    struct sigma_correlation corr = counting(CORR_EVENT_COUNT, CMP_GTE, 2);
    struct sigma_correlation eq = counting(CORR_EVENT_COUNT, CMP_EQ, 2);
    corr.timespan = eq.timespan = INT64_MAX;
    add(w, &corr, REF_LOGON);
    add(w, &eq, REF_LOGON);
    go(w);
    struct slice anna = SLICE("anna");
    struct correlator_tuple t = {LOGON, INT64_MIN + 1, 0, &anna, 1};
    CHECK_INT(correlator_push(w->c, &t), 0);
    t.time = INT64_MAX;
    CHECK_INT(correlator_push(w->c, &t), 0);
    CHECK_INT(correlator_push(w->c, &t), 0);
    finish(w);
    CHECK_INT(w->n_fired, 2);
}

TEST(wrong_tuples_are_refused)
{
    struct world *w = start();
    struct sigma_correlation corr = counting(CORR_EVENT_COUNT, CMP_GTE, 2);
    add(w, &corr, REF_LOGON);
    go(w);
    struct slice values[2] = {SLICE("anna"), SLICE("x")};
    struct correlator_tuple t = {LOGON, 0, 0, values, 2};
    CHECK_INT(correlator_push(w->c, &t), ERR_INVALID);
    t.n_values = 0;
    CHECK_INT(correlator_push(w->c, &t), ERR_INVALID);
    t = (struct correlator_tuple){N_RULES, 0, 0, values, 1};
    CHECK_INT(correlator_push(w->c, &t), ERR_INVALID);
    t = (struct correlator_tuple){SCAN, 0, 0, NULL, 0}; /* not wanted: nothing happens */
    CHECK_INT(correlator_push(w->c, &t), 0);
    CHECK_INT(stats_of(w).tuples, 1);
    finish(w);
}

TEST(refused_correlations_take_their_parents_along)
{
    struct world *w = start();
    static const struct sigma_value chained[] = {{.text = {"corr_a", 6}}};
    static struct sigma_corr_ref refs[] = {{0, true}};
    struct sigma_correlation bad = counting(CORR_VALUE_COUNT, CMP_GTE, 1);
    struct sigma_correlation parent = counting(CORR_EVENT_COUNT, CMP_GTE, 1);
    bad.n_fields = 0;
    parent.rules = chained;
    add(w, &bad, REF_LOGON);
    add(w, &parent, refs);
    go(w);
    CHECK_SLICE(slice_of(w->refused), "1: a correlation it refers to was refused");
    correlator_finish(w->c);
    correlator_free(w->c);
}

/* A flood of groups: memory stays bounded, what fired is reported, the flood is counted. */
TEST(memory_is_bounded_and_evictions_are_counted)
{
    static const enum sigma_corr_type types[] = {CORR_EVENT_COUNT, CORR_VALUE_COUNT, CORR_VALUE_SUM,
                                                 CORR_VALUE_AVG, CORR_VALUE_PERCENTILE};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct world *w = start();
        struct sigma_correlation corr = counting(types[i], CMP_GTE, 2);
        corr.timespan = INT64_C(1000000) * NSEC_PER_SEC;
        w->max_bytes = 256 * 1024;
        add(w, &corr, REF_LOGON);
        go(w);
        push(w, LOGON, 0, 0, "anna", "1");
        push(w, LOGON, 0, 0, "anna", "2");
        char name[32], value[32];
        for (int k = 0; k < 20000; k++) {
            snprintf(name, sizeof name, "user-%d", k);
            snprintf(value, sizeof value, "0.%d", k % 900);
            push(w, LOGON, 1 + k / 100, 0, name, value);
        }
        struct correlator_stats s = stats_of(w);
        CHECK(s.bytes_peak <= 256 * 1024);
        CHECK(s.evicted > 18000);
        bool sliding = types[i] < CORR_VALUE_AVG;
        CHECK_INT(w->n_fired, sliding ? 1 : 0);
        if (sliding) CHECK_SLICE(slice_of(w->fired[0].group), "User=anna");
        correlator_free(w->c);
    }
}

/* One group alone fills the memory: it keeps counting what it can and says so. */
TEST(one_group_that_fills_the_memory_is_marked)
{
    struct world *w = start();
    struct sigma_correlation corr = counting(CORR_VALUE_COUNT, CMP_GTE, 10);
    corr.timespan = INT64_C(1000000) * NSEC_PER_SEC;
    w->max_bytes = CORRELATOR_MEMORY_LEAST;
    add(w, &corr, REF_LOGON);
    go(w);
    char value[32];
    for (int k = 0; k < 5000; k++) {
        snprintf(value, sizeof value, "value-%d", k);
        push(w, LOGON, k, 0, "anna", value);
    }
    CHECK(stats_of(w).bytes_peak <= CORRELATOR_MEMORY_LEAST);
    CHECK(stats_of(w).truncated > 0);
    finish(w);
    CHECK_INT(w->n_fired, 1);
    CHECK(w->fired[0].approximate);
    CHECK(w->fired[0].count > 200 && w->fired[0].count < 5000);
}

/* Out-of-date groups go by themselves. */
TEST(old_groups_are_given_back)
{
    struct world *w = start();
    struct sigma_correlation corr = counting(CORR_EVENT_COUNT, CMP_GTE, 3);
    add(w, &corr, REF_LOGON);
    go(w);
    char name[32];
    for (int k = 0; k < 20000; k++) {
        snprintf(name, sizeof name, "user-%d", k);
        push(w, LOGON, k, 0, name, NULL);
    }
    CHECK(stats_of(w).groups <= 12);
    CHECK_INT(stats_of(w).evicted, 0);
    CHECK(stats_of(w).bytes_peak < 16384);
    finish(w);
}

TEST(samples_beyond_the_limit_are_merged)
{
    struct world *w = start();
    struct sigma_correlation corr = counting(CORR_EVENT_COUNT, CMP_GTE, 200000);
    corr.timespan = INT64_C(1000000) * NSEC_PER_SEC;
    add(w, &corr, REF_LOGON);
    go(w);
    for (int k = 0; k < 199999; k++) push(w, LOGON, k, 0, "anna", NULL);
    CHECK_INT(stats_of(w).firings, 0);
    push(w, LOGON, 200000, 0, "anna", NULL);
    CHECK_INT(stats_of(w).firings, 1);
    finish(w);
    REQUIRE(w->n_fired == 1);
    CHECK(w->fired[0].approximate);
    CHECK_INT(w->fired[0].count, 200000);
}

TEST(percentile_beyond_the_limit_is_near)
{
    struct world *w = start();
    struct sigma_correlation corr = counting(CORR_VALUE_PERCENTILE, CMP_GT, 0);
    corr.percentile = 95;
    corr.timespan = INT64_C(1000000) * NSEC_PER_SEC;
    add(w, &corr, REF_LOGON);
    go(w);
    char value[32];
    for (uint32_t k = 0; k < 300000; k++) {
        snprintf(value, sizeof value, "%u", (unsigned)((k * UINT64_C(7919)) % 100000));
        push(w, LOGON, k, 0, "anna", value);
    }
    finish(w);
    REQUIRE(w->n_fired == 1);
    CHECK(w->fired[0].approximate);
    CHECK(w->fired[0].count > 94000 && w->fired[0].count < 96000);
}

/* The wire */

static void write_sample(struct buf *b)
{
    static char text[CORRELATOR_VALUE_MAX + 100];
    memset(text, 'x', sizeof text);
    struct slice values[] = {SLICE("anna"), SLICE_NONE, SLICE(""), {text, sizeof text}};
    correlator_tuple_write(b, &(struct correlator_tuple){0x01020304, -5, UINT64_MAX, values, 4});
}

TEST(tuple_comes_back)
{
    struct buf b;
    struct slice values[4];
    struct correlator_tuple t;
    buf_init(&b, 65536);
    write_sample(&b);
    REQUIRE(correlator_tuple_read(buf_slice(&b), values, 4, &t) == 0);
    CHECK_INT(t.rule, 0x01020304);
    CHECK_INT(t.time, -5);
    CHECK(t.ref == UINT64_MAX);
    CHECK_INT(t.n_values, 4);
    CHECK_SLICE(t.values[0], "anna");
    CHECK(!t.values[1].ptr && t.values[2].ptr && t.values[2].len == 0);
    CHECK_INT(t.values[3].len, CORRELATOR_VALUE_MAX);
    CHECK_INT(correlator_tuple_read(buf_slice(&b), values, 3, &t), ERR_LIMIT);
    buf_done(&b);
}

TEST(damaged_tuples_are_refused)
{
    struct buf b;
    static struct slice values[CORRELATOR_FIELDS_MAX];
    struct correlator_tuple t;
    buf_init(&b, 65536);
    write_sample(&b);
    for (size_t n = 0; n < b.len; n++) {
        /* A copy of its own, so that a read past its end is seen. */
        char *cut = malloc(n + 1);
        REQUIRE(cut);
        if (n) memcpy(cut, b.ptr, n);
        CHECK_INT(correlator_tuple_read(slice_make(cut, n), values, CORRELATOR_FIELDS_MAX, &t),
                  ERR_TRUNCATED);
        free(cut);
    }
    for (uint64_t i = 0; i < 20000; i++) {
        size_t at = hash_mix(i, 1) % (i % 2 ? b.len : 40);
        char old = b.ptr[at];
        b.ptr[at] = (char)hash_mix(i, 2);
        int e = correlator_tuple_read(buf_slice(&b), values, CORRELATOR_FIELDS_MAX, &t);
        CHECK(e == 0 || e == ERR_TRUNCATED || e == ERR_CORRUPT || e == ERR_LIMIT);
        b.ptr[at] = old;
    }
    buf_putc(&b, 0);
    CHECK_INT(correlator_tuple_read(buf_slice(&b), values, 4, &t), ERR_CORRUPT);
    buf_clear(&b);
    buf_put(&b, SLICE("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\xfe\xff"));
    CHECK_INT(correlator_tuple_read(buf_slice(&b), values, 4, &t), ERR_CORRUPT);
    buf_done(&b);
}
