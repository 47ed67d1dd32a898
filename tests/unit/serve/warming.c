/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/warming.h"

#include "normalise/record_decoder.h"
#include "test.h"

static int match(void *ctx, uint32_t number, struct event *ev)
{
    struct engine_result found;
    (void)number;
    return engine_match(ctx, ev, &found);
}

static void undecodable(void *ctx, uint32_t number, const char *reason)
{
    (void)ctx, (void)number, (void)reason;
}

static uint32_t plans_of(const struct matcher *m)
{
    struct engine_stats stats;
    engine_get_stats(m->engine, &stats);
    return stats.plans;
}

static void meet(struct matcher *m, const char *line)
{
    const struct record record = {.raw = slice_of(line), .format = RECORD_TEXT};
    const struct record_sink sink = {.ctx = m->engine, .event = match, .undecodable = undecodable};
    struct record_decoder *d = record_decoder_new(engine_keys(m->engine));
    REQUIRE(d);
    CHECK_INT(record_decoder_one(d, &record, &sink), 0);
    record_decoder_free(d);
}

static const char *const lines[] = {
    "<86>Nov 26 03:00:00 h1 sshd[12]: Failed password for root from 192.0.2.7 port 22 ssh2",
    "{\"EventID\":4625,\"Channel\":\"Security\",\"TargetUserName\":\"anna\"}",
    "{\"EventID\":1,\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"Image\":\"a.exe\"}",
};

/* One for each of these. */
static const char rule_texts[] =
    "title: a\nlogsource: {product: linux, service: sshd}\n"
    "detection: {keywords: [a], condition: keywords}\n"
    "---\ntitle: b\nlogsource: {product: windows, service: security}\n"
    "detection: {s: {EventID: 1}, condition: s}\n"
    "---\ntitle: c\nlogsource: {product: windows, category: process_creation}\n"
    "detection: {s: {Image: c}, condition: s}\n";

static void load(struct ruleset *r, struct config *config)
{
    struct diag diag;
    test_write("rules.yml", rule_texts);
    const char *path = test_path("rules.yml");
    config_init(config);
    REQUIRE(ruleset_load_trial(r, config, 0, &path, 1, &diag) == 0);
    REQUIRE(r->set->n_rules == 3);
}

/* What comes first is met with the plans there are; without it each of these kinds needs its own.
 */
TEST(warming_leaves_nothing_to_compile)
{
    struct config config;
    struct ruleset rules;
    struct matcher cold, warm;
    load(&rules, &config);
    REQUIRE(matcher_init(&cold, &rules, &(struct engine_options){0}) == 0);
    REQUIRE(matcher_init(&warm, &rules, &(struct engine_options){0}) == 0);
    REQUIRE(warming_run(&warm, rules.products) == 0);
    uint32_t before = plans_of(&warm);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        meet(&cold, lines[i]);
        meet(&warm, lines[i]);
    }
    CHECK_INT(plans_of(&cold), 3);
    CHECK_INT(plans_of(&warm), before);
    matcher_done(&warm);
    matcher_done(&cold);
    ruleset_done(&rules);
    config_done(&config);
}
