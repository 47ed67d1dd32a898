/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka rules noise */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/text.h"
#include "base/time.h"
#include "base/when.h"
#include "cli/apart.h"
#include "cli/audited.h"
#include "cli/rules_report.h"
#include "hunt/progress.h"
#include "proc/process.h"
#include "scan/scan.h"

enum { VALUES_SHOWN = 3, SUMMARY_RULES = 5, DAYS_DEFAULT = 7 };
#define DAY (86400 * NSEC_PER_SEC)

struct noise_context {
    struct settings settings;
    const char *from, *to, *purpose;
    uint64_t jobs, top;
    bool json;
};

/* ---- running ----------------------------------------------------------------------------- */

static uint64_t count_matches(const struct rules_report *r)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < r->rules.set->n_rules; i++) n += r->tally.rules[i].matches;
    return n;
}

struct showing {
    struct progress progress;
    struct clock clock;
    const struct tally *tally;
};

static int on_tick(void *ctx, const struct scan_progress *progress)
{
    struct showing *s = ctx;
    progress_show(&s->progress,
                  &(struct progress_numbers){.bytes_done = progress->bytes,
                                             .bytes_total = progress->bytes_total,
                                             .events = s->tally->events,
                                             .alerts = tally_matches(s->tally)},
                  clock_monotonic(&s->clock));
    return 0;
}

int rules_report_run(struct rules_work *w, const struct rules_report_options *options,
                     struct rules_report *r, struct diag *diag)
{
    struct showing showing = {.clock = clock_system(), .tally = &r->tally};
    struct winsize size = {.ws_col = 0};
    struct audited audited = {.on = false};
    char store[PATH_MAX];
    int n = snprintf(store, sizeof store, "%s/store/0", w->config.serve_folder.items[0]);
    if (n < 0 || (size_t)n >= sizeof store)
        return diag_set(diag, ERR_LIMIT, NULL, 0, 0, "serve.folder is too long");
    const struct audited_look look = {.what = "rules noise",
                                      .store = store,
                                      .query = options->query,
                                      .purpose = options->purpose,
                                      .user = w->who,
                                      .from = options->from,
                                      .to = options->to};
    int error = options->sources_only ? 0 : audited_begin(&audited, &w->config, &look, diag);
    if (error) return error;
    bool terminal = isatty(STDERR_FILENO) && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0;
    progress_init(&showing.progress, terminal ? STDERR_FILENO : -1, size.ws_col,
                  clock_monotonic(&showing.clock));
    cli_work_apart(&w->config);
    error = tally_init(&r->tally, r->rules.set, w->config.triage_alike);
    if (error == 0)
        error = noise_run(&(struct noise_options){.rules = &r->rules,
                                                  .store = store,
                                                  .from = options->from,
                                                  .to = options->to,
                                                  .alike = w->config.triage_alike,
                                                  .jobs = options->jobs
                                                              ? options->jobs
                                                              : process_processors(SCAN_JOBS_MAX),
                                                  .clock = &showing.clock,
                                                  .silence = w->config.detect_silence,
                                                  .sources_only = options->sources_only,
                                                  .sample = options->sample,
                                                  .ctx = &showing,
                                                  .tick = on_tick},
                          &r->tally, diag);
    progress_clear(&showing.progress);
    audited_end(&audited, error ? "failed" : "whole", error ? 0 : count_matches(r));
    return error;
}

void rules_report_done(struct rules_report *r)
{
    tally_done(&r->tally);
    ruleset_done(&r->rules);
}

/* ---- telling ----------------------------------------------------------------------------- */

static int by_alerts(const void *a, const void *b)
{
    const struct tally_rule *x = *(struct tally_rule *const *)a,
                            *y = *(struct tally_rule *const *)b;
    if (x->alerts != y->alerts) return x->alerts > y->alerts ? -1 : 1;
    return x->matches > y->matches ? -1 : x->matches < y->matches;
}

/* The rules that fired, the noisiest first. NULL: out of memory. */
static const struct tally_rule **fired(const struct tally *t, uint32_t *ret_n)
{
    const struct tally_rule **list = calloc(t->n + 1u, sizeof(struct tally_rule *));
    uint32_t n = 0;
    for (uint32_t i = 0; list && i < t->n; i++)
        if (t->rules[i].matches) list[n++] = &t->rules[i];
    if (n) qsort(list, n, sizeof(struct tally_rule *), by_alerts);
    *ret_n = n;
    return list;
}

struct totals {
    uint64_t alerts, matches;
    uint32_t fired, idle, without_data;
};

static struct totals add_up(const struct tally *t)
{
    struct totals sum = {0};
    for (uint32_t i = 0; i < t->n; i++) {
        const struct tally_rule *r = &t->rules[i];
        sum.alerts += r->alerts;
        sum.matches += r->matches;
        if (r->matches) sum.fired++;
        else if (r->has_data) sum.idle++;
        else sum.without_data++;
    }
    return sum;
}

static void put_values(struct buf *out, const struct tally_rule *r)
{
    for (uint32_t i = 0; i < r->n_values && i < VALUES_SHOWN; i++) {
        buf_puts(out, i ? "  " : "          ");
        (void)text_put_visible(out, r->values[i].field, 40);
        buf_putc(out, '=');
        (void)text_put_visible(out, r->values[i].value, 60);
        buf_printf(out, " (%" PRIu64 ")", r->values[i].count);
    }
    if (r->n_values) buf_putc(out, '\n');
}

static const char table_head[] =
    "   alerts  per day   matches  hosts  users  level         title\n";

static void put_fired(struct buf *out, const struct tally_rule *r, double days)
{
    buf_printf(out, "%9" PRIu64 " %8.1f %9" PRIu64 " %6" PRIu64 " %6" PRIu64 "  ", r->alerts,
               (double)r->alerts / days, r->matches, r->hosts, r->users);
    text_put_padded(out, slice_of(sigma_level_name(r->doc->level)), 13);
    buf_putc(out, ' ');
    (void)text_put_visible(out, r->doc->title, 120);
    buf_puts(out, "\n          ");
    (void)text_put_visible(out, r->doc->id, 64);
    for (uint32_t i = 0; i < r->n_examples; i++)
        buf_printf(out, "%s%" PRIu64, i ? ", " : "  records ", r->examples[i]);
    buf_putc(out, '\n');
    put_values(out, r);
}

static void put_looked_at(struct buf *out, const struct tally *t)
{
    if (t->first > t->last) {
        buf_puts(out, "no record was stored in that time\n");
        return;
    }
    buf_printf(out, "looked at %" PRIu64 " records from ", t->records);
    time_write_rfc3339(out, t->first);
    buf_puts(out, " to ");
    time_write_rfc3339(out, t->last);
    buf_printf(out, ": %" PRIu64 " events, %" PRIu64 " of unknown kind, %" PRIu64 " undecodable\n",
               t->events, t->unknown, t->undecodable);
    if (t->damaged || t->unreadable)
        buf_printf(out,
                   "left out: %" PRIu64 " damaged places, %" PRIu64
                   " parts over which a process ended\n",
                   t->damaged, t->unreadable);
    if (t->approximate)
        buf_puts(out, "a limit was met: alerts may be fewer, hosts and users more\n");
}

static void put_totals(struct buf *out, const struct tally *t)
{
    const struct totals sum = add_up(t);
    buf_printf(out,
               "about %.1f alerts a day by %" PRIu32 " rules (%" PRIu64 " matches); %" PRIu32
               " rules have data and found nothing, %" PRIu32 " need data that is not there\n",
               (double)sum.alerts / tally_days(t), sum.fired, sum.matches, sum.idle,
               sum.without_data);
    put_looked_at(out, t);
}

static bool lacks_data(const struct tally_rule *r)
{
    return !r->has_data && !r->matches && r->rule;
}

static bool same_source(const struct sigma_logsource *a, const struct sigma_logsource *b)
{
    return slice_eq(a->product, b->product) && slice_eq(a->category, b->category) &&
           slice_eq(a->service, b->service);
}

/* A log source that rules ask for and that nothing stored is of. */
struct missing {
    const struct sigma_logsource *source;
    uint32_t n;
};

static int by_rules(const void *a, const void *b)
{
    const struct missing *x = a, *y = b;
    return x->n > y->n ? -1 : x->n < y->n;
}

static int put_missing(struct buf *out, const struct tally *t)
{
    struct missing *list = calloc(t->n + 1u, sizeof *list);
    uint32_t n = 0;
    if (!list) return ERR_NOMEM;
    for (uint32_t i = 0; i < t->n; i++) {
        const struct sigma_logsource *ls = &t->rules[i].doc->logsource;
        if (!lacks_data(&t->rules[i])) continue;
        uint32_t at = 0;
        while (at < n && !same_source(list[at].source, ls)) at++;
        list[at].source = ls;
        list[at].n++;
        n += at == n;
    }
    if (n) qsort(list, n, sizeof *list, by_rules);
    for (uint32_t i = 0; i < n; i++) {
        buf_printf(out, "no data for %" PRIu32 " rule%s: ", list[i].n, list[i].n == 1 ? "" : "s");
        rules_put_logsource(out, list[i].source);
        buf_putc(out, '\n');
    }
    free(list);
    return 0;
}

static int put_table(struct rules_work *w, const struct tally *t, uint64_t top)
{
    uint32_t n;
    const struct tally_rule **list = fired(t, &n);
    if (!list) return ERR_NOMEM;
    if (n) buf_puts(&w->out, table_head);
    for (uint32_t i = 0; i < n && (top == 0 || i < top); i++)
        put_fired(&w->out, list[i], tally_days(t));
    free(list);
    int error = put_missing(&w->out, t);
    put_totals(&w->out, t);
    return error;
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void put_doc_json(struct buf *out, const struct tally_rule *r)
{
    const struct sigma_doc *doc = r->doc;
    json_write_member_string(out, "id", doc->id);
    json_write_member_string(out, "title", doc->title);
    json_write_member_string(out, "level", slice_of(sigma_level_name(doc->level)));
    json_write_member_string(out, "product", doc->logsource.product);
    json_write_member_string(out, "category", doc->logsource.category);
    json_write_member_string(out, "service", doc->logsource.service);
}

static void put_fired_json(struct buf *out, const struct tally_rule *r, double days)
{
    buf_putc(out, '{');
    put_doc_json(out, r);
    json_write_member_u64(out, "alerts", r->alerts);
    json_write_key(out, "per_day");
    buf_printf(out, "%.3f", (double)r->alerts / days);
    json_write_member_u64(out, "matches", r->matches);
    json_write_member_u64(out, "hosts", r->hosts);
    json_write_member_u64(out, "users", r->users);
    json_write_key(out, "records");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < r->n_examples; i++)
        buf_printf(out, "%s%" PRIu64, i ? "," : "", r->examples[i]);
    buf_putc(out, ']');
    json_write_key(out, "values");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < r->n_values; i++) {
        buf_puts(out, i ? ",{" : "{");
        json_write_member_string(out, "field", r->values[i].field);
        json_write_member_string(out, "value", r->values[i].value);
        json_write_member_u64(out, "about", r->values[i].count);
        buf_putc(out, '}');
    }
    buf_puts(out, "]}");
}

static void put_lists_json(struct buf *out, const struct tally *t)
{
    bool first = true;
    json_write_key(out, "no_data");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < t->n; i++) {
        if (t->rules[i].has_data || t->rules[i].matches) continue;
        buf_puts(out, first ? "{" : ",{");
        put_doc_json(out, &t->rules[i]);
        buf_putc(out, '}');
        first = false;
    }
    buf_putc(out, ']');
    json_write_key(out, "sources");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < t->n_sources; i++) {
        buf_puts(out, i ? ",{" : "{");
        json_write_member_string(out, "product", t->sources[i].product);
        json_write_member_string(out, "category", t->sources[i].category);
        json_write_member_string(out, "service", t->sources[i].service);
        json_write_member_u64(out, "events", t->sources[i].events);
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}

static void put_time_json(struct buf *out, const char *key, const struct tally *t, nsec time)
{
    json_write_key(out, key);
    buf_puts(out, t->first > t->last ? "null" : "\"");
    if (t->first > t->last) return;
    time_write_rfc3339(out, time);
    buf_putc(out, '"');
}

static int put_json(struct rules_work *w, const struct tally *t)
{
    struct buf *out = &w->out;
    const struct totals sum = add_up(t);
    uint32_t n;
    const struct tally_rule **list = fired(t, &n);
    if (!list) return ERR_NOMEM;
    buf_putc(out, '{');
    json_write_member_u64(out, "rules", t->n);
    json_write_member_u64(out, "records", t->records);
    json_write_member_u64(out, "events", t->events);
    json_write_member_u64(out, "unknown", t->unknown);
    json_write_member_u64(out, "undecodable", t->undecodable);
    json_write_member_u64(out, "damaged", t->damaged);
    json_write_member_u64(out, "unreadable", t->unreadable);
    put_time_json(out, "from", t, t->first);
    put_time_json(out, "to", t, t->last);
    json_write_key(out, "days");
    buf_printf(out, "%.3f", tally_days(t));
    json_write_member_u64(out, "alerts", sum.alerts);
    json_write_key(out, "per_day");
    buf_printf(out, "%.3f", (double)sum.alerts / tally_days(t));
    json_write_member_u64(out, "matches", sum.matches);
    json_write_key(out, "approximate");
    buf_puts(out, t->approximate ? "true" : "false");
    json_write_key(out, "fired");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < n; i++) {
        if (i) buf_putc(out, ',');
        put_fired_json(out, list[i], tally_days(t));
    }
    buf_putc(out, ']');
    put_lists_json(out, t);
    buf_putc(out, '}');
    free(list);
    return 0;
}

/* ---- the commands ------------------------------------------------------------------------ */

static bool is_set(const struct rules_work *w, const char *name)
{
    struct library_list versions;
    struct library_name checked;
    struct diag diag;
    bool any = library_name_read(slice_of(name), &checked) &&
               library_versions(&w->library, name, &versions, &diag) == 0;
    if (!any) return false;
    any = versions.n > 0;
    library_list_done(&versions);
    return any;
}

/* NAME [VERSION], a folder, or what is in force. */
static int load(struct rules_work *w, const char *first, const char *second, struct ruleset *ret,
                struct diag *diag)
{
    struct library_name version;
    char path[PATH_MAX + 4 * LIBRARY_NAME_MAX];
    if (!first) return ruleset_load_watch(ret, &w->config, w->now, diag);
    bool folder = !second && !is_set(w, first) && access(first, F_OK) == 0;
    const char *paths[] = {folder ? first : path};
    if (!folder) {
        struct library_version v;
        int error = rules_version_read(w, first, second, &v, diag);
        if (error) return error;
        version = v.version;
        library_version_done(&v);
        (void)snprintf(path, sizeof path, "%s/%s/%s/on", w->path, first, version.text);
    }
    return ruleset_load_trial(ret, &w->config, w->now, paths, 1, diag);
}

static int put_summary(struct rules_work *w, const struct tally *t)
{
    uint32_t n;
    const struct tally_rule **list = fired(t, &n);
    if (!list) return ERR_NOMEM;
    if (n) buf_puts(&w->out, table_head);
    for (uint32_t i = 0; i < n && i < SUMMARY_RULES; i++)
        put_fired(&w->out, list[i], tally_days(t));
    put_totals(&w->out, t);
    free(list);
    return 0;
}

int rules_report_summary(struct rules_work *w, const char *set, const char *version, unsigned days,
                         bool json, struct diag *diag)
{
    const struct rules_report_options options = {
        .from = w->now - days * DAY, .to = INT64_MAX, .query = slice_of(set)};
    struct rules_report report = {0};
    int error = load(w, set, version, &report.rules, diag);
    if (error) return error;
    error = rules_report_run(w, &options, &report, diag);
    /* Where nothing was ever stored there is nothing to tell. */
    bool nothing = error == ERR_NOT_FOUND;
    if (json) json_write_key(&w->out, "report");
    if (nothing) buf_puts(&w->out, json ? "null" : "there are no records to try it on\n");
    else if (error == 0) error = json ? put_json(w, &report.tally) : put_summary(w, &report.tally);
    rules_report_done(&report);
    return nothing ? 0 : error;
}

static int set_times(const struct noise_context *c, nsec now, struct rules_report_options *ret)
{
    const struct when when = {.now = now};
    ret->from = now - DAYS_DEFAULT * DAY;
    ret->to = INT64_MAX;
    if (c->from && !when_parse(slice_of(c->from), &when, false, &ret->from))
        return cli_usage("--from: '%s' is not a point in time", c->from);
    if (c->to && !when_parse(slice_of(c->to), &when, true, &ret->to))
        return cli_usage("--to: '%s' is not a point in time", c->to);
    if (ret->from >= ret->to) return cli_usage("--from is not before --to");
    ret->jobs = (uint32_t)c->jobs;
    ret->purpose = c->purpose;
    return 0;
}

static int report(struct rules_work *w, const struct noise_context *c, const struct invocation *in,
                  const struct rules_report_options *options, struct diag *diag)
{
    struct rules_report r = {0};
    int error = load(w, in->n_operands > 0 ? in->operands[0] : NULL,
                     in->n_operands > 1 ? in->operands[1] : NULL, &r.rules, diag);
    if (error) return error;
    error = rules_report_run(w, options, &r, diag);
    if (error == 0) error = c->json ? put_json(w, &r.tally) : put_table(w, &r.tally, c->top);
    if (c->json) buf_putc(&w->out, '\n');
    rules_report_done(&r);
    return error;
}

static int noise_main(const struct invocation *in)
{
    const struct noise_context *c = in->ctx;
    struct rules_report_options options = {0};
    struct rules_work work;
    struct diag diag = {0};
    if (in->n_operands > 2) return cli_usage("rules noise takes a set and a version, or a folder");
    /* A folder may be whoever's who tries it. */
    bool folder = in->n_operands == 1 && strchr(in->operands[0], '/');
    int status = folder ? rules_work_init(&work, &c->settings, false)
                        : rules_work_enter(&work, &c->settings, false);
    if (status == 0) status = set_times(c, work.now, &options);
    if (in->n_operands) options.query = slice_of(in->operands[0]);
    if (status == 0) {
        int error = report(&work, c, in, &options, &diag);
        if (error) status = rules_work_failed(&diag, error);
    }
    rules_print(&work.out);
    rules_work_done(&work);
    return status;
}

static const struct cli_option noise_options[] = {
    {0, "from", "T",
     "Only records that were received at or after T: 2026-12-23, 2026-12-23T21:47:00+01:00, or "
     "before now as in -7d, -12h. Default: -7d.",
     OPTION_TEXT(struct noise_context, from)},
    {0, "to", "T", "Only records that were received before T.",
     OPTION_TEXT(struct noise_context, to)},
    {0, "top", "N", "Show the N noisiest rules. Default: all that fired.",
     OPTION_NUMBER(struct noise_context, top, 1, UINT64_MAX)},
    {'j', "jobs", "N", "Read with N processes. Default: one for every processor.",
     OPTION_NUMBER(struct noise_context, jobs, 1, SCAN_JOBS_MAX)},
    {'f', "format", "table|json", "A table, or one JSON object.",
     OPTION_CHOICE(struct noise_context, json)},
    OPTION_PURPOSE(struct noise_context),
    OPTION_SETTINGS(struct noise_context),
};

const struct command command_rules_noise = {
    .name = "rules noise",
    .operands = "[NAME [VERSION]|FOLDER]",
    .summary = "tell what rules would have found in the stored records",
    .description =
        "Runs the rules of an imported set, of a folder, or those in force, with the exceptions, "
        "on "
        "the records that vaka serve has stored, which goes on meanwhile. For every rule that "
        "fires: "
        "alerts (matches about the same computer, user and address within triage.alike are one), "
        "alerts per day, matches, different hosts and users, sequence numbers of records that "
        "begin "
        "alerts, and the values it fired on most. Then the log sources that rules ask for and that "
        "nothing stored is of. Days are those between the first and the last record, at least one; "
        "counts of values are about.\n\n"
        "Exit status: 0 it ran; 1 it did not; 2 the command line could not be understood.",
    .options = noise_options,
    .n_options = sizeof noise_options / sizeof *noise_options,
    .ctx_size = sizeof(struct noise_context),
    .run = noise_main,
};
