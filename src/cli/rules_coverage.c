/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka rules coverage */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/rules_report.h"
#include "library/attack.h"
#include "state/state.h"

enum { TECHNIQUES_MAX = 4096, SAMPLE = 256 };

enum coverage_format { COVERAGE_TABLE, COVERAGE_JSON, COVERAGE_NAVIGATOR };

struct coverage_context {
    struct settings settings;
    enum coverage_format format;
    bool gaps, all;
};

/* ---- techniques -------------------------------------------------------------------------- */

/* Whether there is what a rule looks at; the higher is the better. */
enum data { DATA_NONE, DATA_KNOWN, DATA_STORED };
static const char *const data_names[] = {"none", "known", "stored"};

struct technique {
    char id[ATTACK_ID_MAX + 1];
    struct slice name, tactics; /* empty: not in the list */
    enum data data;
    uint32_t rules, tested;
    uint64_t alerts;
    nsec last; /* 0: there was no alert */
};

struct coverage {
    struct rules_work *work;
    struct rules_report report;
    struct technique *techniques;
    uint32_t n;
    bool store, state; /* there is one */
    struct {
        uint64_t alerts;
        nsec last;
    } * seen; /* by number in the tally */
};

static struct technique *find(struct coverage *c, const char *id)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (strcmp(c->techniques[i].id, id) == 0) return &c->techniques[i];
    if (c->n == TECHNIQUES_MAX) return NULL;
    struct technique *t = &c->techniques[c->n++];
    struct attack_technique known;
    (void)snprintf(t->id, sizeof t->id, "%s", id);
    if (attack_find(slice_of(id), &known)) {
        t->name = known.name;
        t->tactics = known.tactics;
    }
    return t;
}

static enum data data_of(const struct coverage *c, const struct tally_rule *r)
{
    if (r->has_data) return DATA_STORED;
    if (r->rule) return rules_can_fire(c->report.rules.taxonomy, r->rule) ? DATA_KNOWN : DATA_NONE;
    /* A correlation: of one of its rules, which are tallied before it. */
    const struct sigma_set *set = c->report.rules.set;
    const struct sigma_corr_rule *corr =
        set->correlations[r - c->report.tally.rules - set->n_rules];
    enum data best = DATA_NONE;
    for (uint32_t i = 0; i < corr->corr->n_rules; i++) {
        if (corr->refs[i].is_corr) continue;
        const struct tally_rule *other = &c->report.tally.rules[corr->refs[i].index];
        if (data_of(c, other) > best) best = data_of(c, other);
    }
    return best;
}

static bool is_tested(const struct sigma_doc *doc)
{
    for (uint32_t i = 0; i < doc->n_tests; i++)
        if (doc->tests[i].fires) return true;
    return false;
}

static void add_rule(struct coverage *c, uint32_t number)
{
    const struct tally_rule *r = &c->report.tally.rules[number];
    const enum data data = data_of(c, r);
    for (uint32_t i = 0; i < r->doc->n_tags; i++) {
        char id[ATTACK_ID_MAX + 1];
        struct technique *t = attack_of_tag(r->doc->tags[i], id) ? find(c, id) : NULL;
        if (!t) continue;
        t->rules++;
        t->tested += is_tested(r->doc);
        if (data > t->data) t->data = data;
        t->alerts += c->seen[number].alerts;
        if (c->seen[number].last > t->last) t->last = c->seen[number].last;
    }
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct technique *)a)->id, ((const struct technique *)b)->id);
}

/* ---- what there is ----------------------------------------------------------------------- */

static bool take_seen(void *ctx, const struct state_rule *row)
{
    struct coverage *c = ctx;
    for (uint32_t i = 0; i < c->report.tally.n; i++) {
        const struct sigma_doc *doc = c->report.tally.rules[i].doc;
        if (!slice_eq(doc->id.len ? doc->id : doc->title, row->rule)) continue;
        c->seen[i].alerts = row->alerts;
        c->seen[i].last = row->last;
    }
    return true;
}

static int read_alerts(struct coverage *c, struct diag *diag)
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

static int read_records(struct coverage *c, const struct coverage_context *said, struct diag *diag)
{
    const struct rules_report_options options = {
        .from = INT64_MIN, .to = INT64_MAX, .sources_only = true, .sample = said->all ? 0 : SAMPLE};
    int error = rules_report_run(c->work, &options, &c->report, diag);
    c->store = error == 0;
    return error == ERR_NOT_FOUND ? 0 : error;
}

static int gather(struct coverage *c, const struct coverage_context *said, struct diag *diag)
{
    int error = ruleset_load_watch(&c->report.rules, &c->work->config, c->work->now, diag);
    if (error) return error;
    error = read_records(c, said, diag);
    c->techniques = calloc(TECHNIQUES_MAX, sizeof *c->techniques);
    c->seen = calloc(c->report.tally.n + 1u, sizeof *c->seen);
    if (error == 0 && (!c->techniques || !c->seen)) error = ERR_NOMEM;
    if (error == 0) error = read_alerts(c, diag);
    if (error) return error;
    for (uint32_t i = 0; i < c->report.tally.n; i++) add_rule(c, i);
    struct attack_technique known;
    for (size_t at = 0; attack_next(&at, &known);) {
        char id[ATTACK_ID_MAX + 1];
        (void)snprintf(id, sizeof id, "%.*s", (int)slice_until(known.id, ATTACK_ID_MAX).len,
                       known.id.ptr);
        (void)find(c, id);
    }
    if (c->n) qsort(c->techniques, c->n, sizeof *c->techniques, by_id);
    return 0;
}

/* ---- telling ----------------------------------------------------------------------------- */

static void put_summary(struct buf *out, const struct coverage *c)
{
    uint32_t rules = 0, stored = 0, tested = 0, seen = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        const struct technique *t = &c->techniques[i];
        rules += t->rules > 0;
        stored += t->data == DATA_STORED;
        tested += t->tested > 0;
        seen += t->alerts > 0;
    }
    buf_printf(out,
               "%" PRIu32 " of %" PRIu32 " techniques have a rule; of those %" PRIu32
               " have data stored, %" PRIu32 " a test, %" PRIu32 " were seen\n",
               rules, c->n, stored, tested, seen);
    if (!c->store) buf_puts(out, "there are no stored records: what is stored is not known\n");
    else
        buf_printf(out, "what is stored was told of %" PRIu64 " records\n",
                   c->report.tally.records);
    if (!c->state) buf_puts(out, "there is no database of alerts: what was seen is not known\n");
}

static void put_table(struct coverage *c, bool gaps)
{
    struct buf *out = &c->work->out;
    buf_puts(out, "technique  data    rules  tested    seen  name\n");
    for (uint32_t i = 0; i < c->n; i++) {
        const struct technique *t = &c->techniques[i];
        if (t->rules == 0 && !gaps) continue;
        buf_printf(out, "%-10s %-6s %6" PRIu32 " %7" PRIu32 " %7" PRIu64 "  ", t->id,
                   t->rules ? data_names[t->data] : "-", t->rules, t->tested, t->alerts);
        (void)text_put_visible(out, t->name, 100);
        buf_putc(out, '\n');
    }
    put_summary(out, c);
}

static void put_rules_json(struct buf *out, const struct coverage *c, const char *technique)
{
    bool first = true;
    json_write_key(out, "rules");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < c->report.tally.n; i++) {
        const struct sigma_doc *doc = c->report.tally.rules[i].doc;
        char id[ATTACK_ID_MAX + 1];
        bool mine = false;
        for (uint32_t k = 0; k < doc->n_tags; k++)
            mine |= attack_of_tag(doc->tags[k], id) && strcmp(id, technique) == 0;
        if (!mine) continue;
        if (!first) buf_putc(out, ',');
        json_write_string(out, doc->id.len ? doc->id : doc->title);
        first = false;
    }
    buf_putc(out, ']');
}

static void put_json(struct coverage *c)
{
    struct buf *out = &c->work->out;
    for (uint32_t i = 0; i < c->n; i++) {
        const struct technique *t = &c->techniques[i];
        buf_putc(out, '{');
        json_write_member_string(out, "technique", slice_of(t->id));
        json_write_member_string(out, "name", t->name);
        json_write_member_string(out, "tactics", t->tactics);
        json_write_member_string(out, "data", slice_of(data_names[t->data]));
        put_rules_json(out, c, t->id);
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

static unsigned score(const struct technique *t)
{
    if (t->alerts) return 4;
    if (t->data == DATA_STORED) return t->tested ? 3 : 2;
    return 1;
}

static void put_technique_layer(struct buf *out, const struct technique *t, bool first)
{
    buf_puts(out, first ? "{" : ",{");
    json_write_member_string(out, "techniqueID", slice_of(t->id));
    json_write_member_u64(out, "score", score(t));
    json_write_key(out, "comment");
    buf_printf(out, "\"data %s, %" PRIu32 " rules, %" PRIu32 " tested, %" PRIu64 " alerts\"",
               data_names[t->data], t->rules, t->tested, t->alerts);
    json_write_key(out, "enabled");
    buf_puts(out, "true}");
}

/* ATT&CK Navigator's layers/spec/v4.5/layerformat.md */
static void put_layer(struct coverage *c)
{
    struct buf *out = &c->work->out;
    bool first = true;
    buf_puts(out, "{\"name\":\"Vaka\",\"versions\":{\"navigator\":\"4.9.0\",\"layer\":\"4.5\"},"
                  "\"domain\":\"enterprise-attack\","
                  "\"description\":\"What the rules in force cover, as vaka rules coverage tells\","
                  "\"techniques\":[");
    for (uint32_t i = 0; i < c->n; i++) {
        if (c->techniques[i].rules == 0) continue;
        put_technique_layer(out, &c->techniques[i], first);
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
    struct coverage c = {.work = &work};
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
    free(c.techniques);
    free(c.seen);
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
