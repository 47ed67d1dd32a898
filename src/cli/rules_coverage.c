/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka rules coverage */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/rules_report.h"
#include "ruleset/coverage.h"
#include "state/state.h"

enum { SAMPLE = 256 };

enum coverage_format { COVERAGE_TABLE, COVERAGE_JSON, COVERAGE_NAVIGATOR };

struct coverage_context {
    struct settings settings;
    enum coverage_format format;
    bool gaps, all;
};

struct gathered {
    struct rules_work *work;
    struct rules_report report;
    struct coverage coverage;
    struct coverage_rule *known; /* by number in the tally */
    bool store, state;           /* there is one */
};

/* ---- what there is ----------------------------------------------------------------------- */

static bool take_seen(void *ctx, const struct state_rule *row)
{
    struct gathered *c = ctx;
    for (uint32_t i = 0; i < c->report.tally.n; i++) {
        const struct sigma_doc *doc = c->report.tally.rules[i].doc;
        if (!slice_eq(doc->id.len ? doc->id : doc->title, row->rule)) continue;
        c->known[i].alerts = row->alerts;
        c->known[i].last = row->last;
    }
    return true;
}

static int read_alerts(struct gathered *c, struct diag *diag)
{
    struct state_snapshot *s;
    uint64_t next;
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/state/vaka.db", c->work->config.serve_folder.items[0]);
    if (n < 0 || (size_t)n >= sizeof path) return ERR_LIMIT;
    if (access(path, F_OK) != 0) return 0;
    int error = state_snapshot_open(path, &s, &next, diag);
    if (error) return error;
    error = state_snapshot_rules(s, take_seen, c, diag);
    state_snapshot_close(s);
    c->state = error == 0;
    return error;
}

static int read_records(struct gathered *c, const struct coverage_context *said, struct diag *diag)
{
    const struct rules_report_options options = {
        .from = INT64_MIN, .to = INT64_MAX, .sources_only = true, .sample = said->all ? 0 : SAMPLE};
    int error = rules_report_run(c->work, &options, &c->report, diag);
    c->store = error == 0;
    return error == ERR_NOT_FOUND ? 0 : error;
}

static int gather(struct gathered *c, const struct coverage_context *said, struct diag *diag)
{
    int error = ruleset_load_watch(&c->report.rules, &c->work->config, c->work->now, diag);
    if (error) return error;
    error = read_records(c, said, diag);
    c->known = calloc(c->report.tally.n + 1u, sizeof *c->known);
    if (error == 0 && !c->known) error = ERR_NOMEM;
    if (error == 0) error = read_alerts(c, diag);
    if (error) return error;
    for (uint32_t i = 0; i < c->report.tally.n; i++)
        c->known[i].has_data = c->report.tally.rules[i].has_data;
    return coverage_make(&c->coverage, &c->report.rules, c->known);
}

/* ---- telling ----------------------------------------------------------------------------- */

static void put_summary(struct buf *out, const struct gathered *c)
{
    uint32_t rules = 0, stored = 0, tested = 0, seen = 0;
    for (uint32_t i = 0; i < c->coverage.n; i++) {
        const struct coverage_technique *t = &c->coverage.techniques[i];
        rules += t->rules > 0;
        stored += t->data == COVERAGE_STORED;
        tested += t->tested > 0;
        seen += t->alerts > 0;
    }
    buf_printf(out,
               "%" PRIu32 " of %" PRIu32 " techniques have a rule; of those %" PRIu32
               " have data stored, %" PRIu32 " a test, %" PRIu32 " were seen\n",
               rules, c->coverage.n, stored, tested, seen);
    if (!c->store) buf_puts(out, "there are no stored records: what is stored is not known\n");
    else
        buf_printf(out, "what is stored was told of %" PRIu64 " records\n",
                   c->report.tally.records);
    if (!c->state) buf_puts(out, "there is no database of alerts: what was seen is not known\n");
}

static void put_table(struct gathered *c, bool gaps)
{
    struct buf *out = &c->work->out;
    buf_puts(out, "technique  data    rules  tested    seen  name\n");
    for (uint32_t i = 0; i < c->coverage.n; i++) {
        const struct coverage_technique *t = &c->coverage.techniques[i];
        if (t->rules == 0 && !gaps) continue;
        buf_printf(out, "%-10s %-6s %6" PRIu32 " %7" PRIu32 " %7" PRIu64 "  ", t->id,
                   t->rules ? coverage_data_name(t->data) : "-", t->rules, t->tested, t->alerts);
        (void)text_put_visible(out, t->name, 100);
        buf_putc(out, '\n');
    }
    put_summary(out, c);
}

static void put_json(struct gathered *c)
{
    struct buf *out = &c->work->out;
    for (uint32_t i = 0; i < c->coverage.n; i++) {
        const struct coverage_technique *t = &c->coverage.techniques[i];
        buf_putc(out, '{');
        json_write_member_string(out, "technique", slice_of(t->id));
        json_write_member_string(out, "name", t->name);
        json_write_member_string(out, "tactics", t->tactics);
        json_write_member_string(out, "data", slice_of(coverage_data_name(t->data)));
        coverage_write_rules(&c->coverage, t, out);
        json_write_member_u64(out, "tested", t->tested);
        json_write_member_u64(out, "seen", t->alerts);
        json_write_key(out, "last_seen");
        buf_puts(out, t->last ? "\"" : "null");
        if (t->last) time_write_rfc3339(out, t->last);
        buf_puts(out, t->last ? "\"}\n" : "}\n");
    }
}

/*
 * What a technique is worth in the layer: a rule 1, with data that is stored 2, and with a test 3,
 * and 4 when there was an alert.
 */
enum { SCORE_MAX = 4 };
static const char *const score_labels[] = {"a rule, no data stored", "a rule and its data",
                                           "a rule, its data and a test", "there were alerts"};
static const char *const score_colours[] = {"#f4a6a6", "#f7e08a", "#a8d98a", "#5aa9e6"};

static unsigned score(const struct coverage_technique *t)
{
    if (t->alerts) return 4;
    if (t->data == COVERAGE_STORED) return t->tested ? 3 : 2;
    return 1;
}

static void put_technique_layer(struct buf *out, const struct coverage_technique *t, bool first)
{
    buf_puts(out, first ? "{" : ",{");
    json_write_member_string(out, "techniqueID", slice_of(t->id));
    json_write_member_u64(out, "score", score(t));
    json_write_key(out, "comment");
    buf_printf(out, "\"data %s, %" PRIu32 " rules, %" PRIu32 " tested, %" PRIu64 " alerts\"",
               coverage_data_name(t->data), t->rules, t->tested, t->alerts);
    json_write_key(out, "enabled");
    buf_puts(out, "true}");
}

/* ATT&CK Navigator's layers/spec/v4.5/layerformat.md */
static void put_layer(struct gathered *c)
{
    struct buf *out = &c->work->out;
    bool first = true;
    buf_puts(out, "{\"name\":\"Vaka\",\"versions\":{\"navigator\":\"4.9.0\",\"layer\":\"4.5\"},"
                  "\"domain\":\"enterprise-attack\","
                  "\"description\":\"What the rules in force cover, as vaka rules coverage tells\","
                  "\"techniques\":[");
    for (uint32_t i = 0; i < c->coverage.n; i++) {
        if (c->coverage.techniques[i].rules == 0) continue;
        put_technique_layer(out, &c->coverage.techniques[i], first);
        first = false;
    }
    buf_puts(out, "],\"gradient\":{\"colors\":[");
    for (unsigned i = 0; i < SCORE_MAX; i++)
        buf_printf(out, "%s\"%s\"", i ? "," : "", score_colours[i]);
    buf_printf(out, "],\"minValue\":1,\"maxValue\":%d},\"legendItems\":[", SCORE_MAX);
    for (unsigned i = 0; i < SCORE_MAX; i++)
        buf_printf(out, "%s{\"label\":\"%s\",\"color\":\"%s\"}", i ? "," : "", score_labels[i],
                   score_colours[i]);
    buf_puts(out, "]}\n");
}

static int coverage_run(const struct invocation *in)
{
    const struct coverage_context *said = in->ctx;
    struct rules_work work;
    struct gathered c = {.work = &work};
    struct diag diag = {0};
    if (in->n_operands) return cli_usage("rules coverage takes no operands");
    int status = rules_work_enter(&work, &said->settings, false);
    if (status == 0) {
        int error = gather(&c, said, &diag);
        if (error) status = rules_work_failed(&diag, error);
        else if (said->format == COVERAGE_JSON) put_json(&c);
        else if (said->format == COVERAGE_NAVIGATOR) put_layer(&c);
        else put_table(&c, said->gaps);
        rules_report_done(&c.report);
    }
    coverage_done(&c.coverage);
    free(c.known);
    rules_print(&work.out);
    rules_work_done(&work);
    return status;
}

static const struct cli_option coverage_options[] = {
    {'f', "format", "table|json|navigator",
     "A table, one JSON object a line, or a layer for MITRE's ATT&CK Navigator (format 4.5).",
     OPTION_CHOICE(struct coverage_context, format)},
    {0, "gaps", NULL, "Show techniques, too, that no rule is for.",
     OPTION_FLAG(struct coverage_context, gaps)},
    {0, "all", NULL,
     "Look at every stored record; else at some of every sixteenth block, in which rare kinds of "
     "log may be overlooked.",
     OPTION_FLAG(struct coverage_context, all)},
    OPTION_SETTINGS(struct coverage_context),
};

const struct command command_rules_coverage = {
    .name = "rules coverage",
    .operands = "",
    .summary = "tell which ATT&CK techniques the rules in force would show",
    .description =
        "For every technique of MITRE ATT&CK that a rule in force is tagged with: whether the data "
        "that one of its rules needs is stored, is of a kind that is only known, or there is none; "
        "how many rules there are, how many of them carry an event that fires them, and how many "
        "alerts they have led to. Not all techniques are known by name: taxonomy/attack.tsv.",
    .options = coverage_options,
    .n_options = sizeof coverage_options / sizeof *coverage_options,
    .ctx_size = sizeof(struct coverage_context),
    .run = coverage_run,
};
