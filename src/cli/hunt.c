/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka hunt */
#include "hunt/hunt.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/log.h"
#include "base/when.h"
#include "cli/apart.h"
#include "cli/audited.h"
#include "cli/cli.h"
#include "cli/hunt_stored.h"
#include "cli/indicators.h"
#include "cli/load.h"
#include "cli/settings.h"
#include "hunt/collector.h"
#include "proc/process.h"
#include "scan/scan.h"

enum { O_INDICATORS = OPTION_LONG };

struct hunt_context {
    struct settings settings;
    struct config config;
    enum sigma_level fail_on;
    const char *from, *to, *output, *purpose, *indicators[INDICATORS_LISTS_MAX];
    uint32_t n_indicators;
    bool any_logsource, stats, store;
};

static const struct cli_option hunt_options[] = {
    {0, "store", NULL,
     "Hunt in the records that vaka serve keeps, also while it runs, or in the tenant's folder "
     "that "
     "is named instead of a PATH. --from and --to are about when they were received.",
     OPTION_FLAG(struct hunt_context, store)},
    OPTION_PURPOSE(struct hunt_context),
    {'r', "rules", "PATH",
     "Use the Sigma rules in PATH, a file or a folder; may be repeated. Without it, the rules that "
     "come with Vaka; with --store those in force, with their exceptions.",
     OPTION_SETTING(struct hunt_context, CONFIG_RULES)},
    {O_INDICATORS, "indicators", "FILE",
     "Look for the indicators in FILE (addresses, names, URLs, hashes: see 'vaka indicators import "
     "--help'), and for nothing else unless rules are named with -r as well; may be repeated.",
     OPTION_CALL},
    {0, "any-logsource", NULL,
     "Apply every rule to every event, with the field names as the event has them: no log source "
     "is told apart, no field is mapped.",
     OPTION_FLAG(struct hunt_context, any_logsource)},
    {'f', "format", "table|json|csv", "What to print; table is what you get when you say nothing.",
     OPTION_SETTING(struct hunt_context, CONFIG_HUNT_FORMAT)},
    {'l', "level", "all|" OPTION_LEVELS, "Show only alerts of this level and above.",
     OPTION_SETTING(struct hunt_context, CONFIG_HUNT_LEVEL)},
    {'j', "jobs", "N",
     "Read with N processes, 1 to 64; auto, or without it: one for every processor.",
     OPTION_SETTING(struct hunt_context, CONFIG_HUNT_JOBS)},
    {0, "from", "T",
     "Only events at or after T: 2026-12-23, 2026-12-23T21:47:00+01:00, or "
     "before now as in -7d, -12h, -30m. Events that tell no time are kept.",
     OPTION_TEXT(struct hunt_context, from)},
    {0, "to", "T", "Only events at or before T.", OPTION_TEXT(struct hunt_context, to)},
    {'o', "output", "FILE", "Write to FILE instead of standard output.",
     OPTION_TEXT(struct hunt_context, output)},
    {0, "stats", NULL, "Print one JSON object with the figures of the run on standard error.",
     OPTION_FLAG(struct hunt_context, stats)},
    {0, "fail-on", OPTION_LEVELS,
     "Exit with status 3 when there is an alert of this level or above.",
     OPTION_LEVEL(struct hunt_context, fail_on)},
    {0, "utc", NULL, "Show the table's times in UTC instead of local time.",
     OPTION_SETS(struct hunt_context, CONFIG_HUNT_UTC, "true")},
    {'v', "verbose", NULL,
     "Tell on standard error what happens inside: one line of key=value for every process, file "
     "and limit.",
     OPTION_SETS(struct hunt_context, CONFIG_LOG_LEVEL, "info")},
    OPTION_SETTINGS(struct hunt_context),
    OPTION_PLACEHOLDERS(struct hunt_context),
    OPTION_TAXONOMY(struct hunt_context),
};

/* Whether they are named here; else they are what is in force, or Vaka's own. */
static bool names_rules(const struct hunt_context *c)
{
    return settings_says(&c->settings, CONFIG_RULES);
}

/* --indicators */
static int hunt_option(void *ctx, int letter, const char *value)
{
    struct hunt_context *c = ctx;
    (void)letter;
    if (c->n_indicators == INDICATORS_LISTS_MAX)
        return cli_usage("more than %d files of indicators", INDICATORS_LISTS_MAX);
    c->indicators[c->n_indicators++] = value;
    return 0;
}

/* The words of the settings are those of the program, in the same order. */
_Static_assert(HUNT_TABLE == 0 && HUNT_JSON == 1 && HUNT_CSV == 2, "hunt.format");
_Static_assert(LEVEL_NONE == 0 && LEVEL_INFORMATIONAL == 1 && LEVEL_CRITICAL == 5, "hunt.level");

static void log_settings(const struct config *config, const char *file)
{
    struct buf value, origin;
    if (file) log_write(LOG_CONFIG_READ, LOG_TEXT("file", slice_of(file)));
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) {
        if (!config->origin[key].name) continue;
        buf_init(&value, 64 * 1024);
        buf_init(&origin, 64 * 1024);
        config_write_value(&value, config, key);
        config_write_origin(&origin, config, key);
        log_write(LOG_SETTING, LOG_TEXT("key", slice_of(config_settings[key].key)),
                  LOG_TEXT("value", buf_slice(&value)), LOG_TEXT("from", buf_slice(&origin)));
        buf_done(&value);
        buf_done(&origin);
    }
}

static int set_time(const char *text, nsec now, bool end_of_day, nsec *ret)
{
    *ret = TIME_NONE;
    if (!text) return 0;
    return when_parse(slice_of(text), &(struct when){.now = now}, end_of_day, ret)
               ? 0
               : cli_usage("'%s' is not a point in time (2026-12-23, 2026-12-23T21:47:00Z, -7d)",
                           text);
}

static void put_real(struct buf *out, const char *key, double value)
{
    json_write_key(out, key);
    buf_printf(out, "%.3f", value);
}

/* The first eight keys are promised; more may come after them. */
static void print_stats(const struct hunt_result *r, const struct ruleset *load,
                        double load_seconds, uint32_t jobs)
{
    struct buf out;
    const double mib = 1024.0 * 1024.0;
    uint64_t rss = r->rss > r->rss_decoder ? r->rss : r->rss_decoder;
    buf_init(&out, 4096);
    buf_putc(&out, '{');
    json_write_member_u64(&out, "events", r->events);
    json_write_member_u64(&out, "bytes", r->bytes);
    put_real(&out, "seconds", r->seconds);
    json_write_member_u64(&out, "alerts", r->alerts);
    json_write_member_u64(&out, "rules_loaded",
                          load->set->n_rules + load->set->n_correlations - r->refused_correlations);
    json_write_member_u64(&out, "rules_refused",
                          ruleset_refused(load->set) + r->refused_correlations);
    json_write_member_u64(&out, "unreadable", r->unreadable);
    put_real(&out, "rss_mb", (double)rss / mib);
    put_real(&out, "rss_parent_mb", (double)r->rss / mib);
    put_real(&out, "rss_decoder_mb", (double)r->rss_decoder / mib);
    put_real(&out, "load_seconds", load_seconds);
    json_write_member_u64(&out, "jobs", jobs);
    json_write_member_u64(&out, "sources", r->sources);
    json_write_member_u64(&out, "bad_records", r->bad_records);
    json_write_member_u64(&out, "without_time", r->untimed);
    json_write_member_u64(&out, "unknown_source", r->unknown);
    json_write_member_u64(&out, "passed_over", r->unread);
    json_write_member_u64(&out, "crashes", r->crashes);
    json_write_member_u64(&out, "correlation_late", r->late_tuples);
    json_write_member_u64(&out, "correlation_dropped", r->dropped_groups);
    json_write_key(&out, "sandbox");
    json_write_string(&out, slice_of(sandbox_level_name(r->sandbox)));
    buf_puts(&out, "}\n");
    (void)fwrite(out.ptr, 1, out.len, stderr);
    buf_done(&out);
}

static int exit_status(const struct hunt_context *c, const struct hunt_result *r)
{
    if (r->interrupted) return EXIT_INTERRUPTED;
    if (c->fail_on != LEVEL_NONE && r->alerts > 0 && r->highest >= c->fail_on) return EXIT_FOUND;
    return r->unreadable ? EXIT_UNREADABLE : EXIT_RAN;
}

/* Rules are loaded: what is left is the hunt itself. */
static int hunt_with(const struct hunt_context *c, struct ruleset *load,
                     struct hunt_options *options, nsec begin)
{
    const uint32_t n_rules = load->set->n_rules + load->set->n_correlations;
    const uint32_t refused = ruleset_refused(load->set);
    if (refused)
        cli_say("%" PRIu32 " of %" PRIu32 " rules were refused; 'vaka rules check' tells why",
                refused, refused + n_rules);
    if (n_rules == 0) {
        cli_say("there is no rule to hunt with");
        return EXIT_USAGE;
    }
    options->set = load->set;
    options->rules = load;
    options->any_logsource = c->any_logsource;
    struct matcher matcher;
    if (matcher_init(&matcher, load, &(struct engine_options){.any_logsource = c->any_logsource})) {
        cli_say("out of memory");
        return EXIT_UNREADABLE;
    }
    options->engine = matcher.engine;
    nsec loading = clock_monotonic(options->clock) - begin;
    log_write(LOG_RULES_LOADED, LOG_NUMBER("rules", load->set->n_rules),
              LOG_NUMBER("correlations", load->set->n_correlations),
              LOG_NUMBER("filters", load->set->n_filters), LOG_NUMBER("refused", refused),
              LOG_NUMBER("files", load->set->n_files), LOG_NUMBER("ms", loading / NSEC_PER_MSEC));
    struct hunt_result result = {0};
    const struct hunt_question question = {.config = &c->config,
                                           .rules = names_rules(c) ? c->config.rules.items : NULL,
                                           .n_rules = names_rules(c) ? c->config.rules.n : 0,
                                           .indicators = c->indicators,
                                           .n_indicators = c->n_indicators,
                                           .purpose = c->purpose};
    int error =
        c->store ? hunt_stored_run(&question, options, &result) : hunt_run(options, &result);
    if (c->stats) print_stats(&result, load, (double)loading / (double)NSEC_PER_SEC, options->jobs);
    matcher_done(&matcher);
    return error ? EXIT_UNREADABLE : exit_status(c, &result);
}

static int load(const struct hunt_context *c, const struct clock *clock, struct ruleset *ret)
{
    struct diag diag;
    bool in_force = c->store && !names_rules(c);
    if (c->n_indicators == 0)
        return in_force ? load_watch(ret, &c->config) : load_rules(ret, &c->config);
    int error = ruleset_load_indicators(ret, &c->config, names_rules(c), clock_realtime(clock),
                                        c->indicators, c->n_indicators, &diag);
    if (error) {
        cli_diag(&diag, "");
        return error;
    }
    for (uint32_t i = 0; i < ret->n_lists; i++) indicators_tell(&ret->lists[i]);
    return 0;
}

/* With the log in place. */
static int hunt_logged(struct hunt_context *c, struct hunt_options *options, const char *file)
{
    struct ruleset rules;
    nsec begin = clock_monotonic(options->clock);
    log_settings(&c->config, file);
    if (load(c, options->clock, &rules)) return EXIT_USAGE;
    int status = hunt_with(c, &rules, options, begin);
    ruleset_done(&rules);
    return status;
}

static int set_store(struct config *config, const struct invocation *in,
                     struct hunt_options *options)
{
    options->store = in->n_operands ? in->operands[0] : NULL;
    cli_work_apart(config);
    return options->store ? 0 : settings_kept(config, &options->store);
}

static int hunt_configured(struct hunt_context *c, const struct invocation *in, const char *file)
{
    struct config *config = &c->config;
    const struct clock clock = clock_system();
    const nsec now = clock_realtime(&clock);
    struct hunt_options options = {
        .clock = &clock,
        .format = (enum hunt_format)config->hunt_format,
        .min_level = (enum sigma_level)config->hunt_level,
        .utc = config->hunt_utc,
        .jobs = config->hunt_jobs ? (uint32_t)config->hunt_jobs
                                  : process_processors(COLLECTOR_JOBS_MAX),
        .silence = config->hunt_silence,
        .correlation_state = config->correlation_state,
        .correlation_sort = config->correlation_sort,
        .paths = (const char *const *)in->operands,
        .n_paths = in->n_operands,
        .out_path = c->output,
        .quiet = settings_log_level(config) != LOG_LEVEL_OFF,
    };
    int status = set_time(c->from, now, false, &options.from);
    if (status == 0) status = set_time(c->to, now, true, &options.to);
    if (status == 0 && c->store) status = set_store(config, in, &options);
    if (status) return status;
    if (c->from && c->to && options.from > options.to)
        return cli_usage("--from %s is after --to %s", c->from, c->to);
    struct log log;
    settings_log(&log, &clock, config);
    status = hunt_logged(c, &options, file);
    log_finish(&log);
    log_install(NULL);
    return status;
}

static int hunt_main(const struct invocation *in)
{
    struct hunt_context *c = in->ctx;
    const char *file;
    if (in->n_operands == 0 && !c->store)
        return cli_usage("what to hunt in? Name a file, a folder, or -, or say --store");
    if (c->purpose && !c->store) return cli_usage("--purpose is about --store");
    if (in->n_operands > 1 && c->store) return cli_usage("hunt --store takes one folder");
    int status = settings_load(&c->settings, &c->config, &file);
    if (status == 0) status = hunt_configured(c, in, file);
    config_done(&c->config);
    return status;
}

const struct command command_hunt = {
    .name = "hunt",
    .operands = "[PATH...]",
    .summary = "find attacks in log files, or in what is stored",
    .description =
        "Reads log files and prints what Sigma rules find in them. A PATH is a file, a folder (and "
        "everything in it) or - for standard input. What a file is, is seen from its content: "
        "EVTX, JSON in many shapes, syslog, auditd, Zeek, W3C (IIS), CSV; also inside gzip, "
        "zstd, xz, zip and tar, nested once. Text of no known format, a README beside the logs "
        "as well, is read too: each line is an event with its text in message and no known log "
        "source, so that keywords and rules for any source find what it says; --stats counts "
        "such events in unknown_source. What is not text is named and passed over.\n\n"
        "With --store it hunts in the records that vaka serve keeps instead, those included that "
        "came a moment ago:\n\n"
        "vaka hunt --store --from -30d -r new-rules\n\n"
        "Exit status: 0 it ran; 1 some input could not be read (it is named, the rest was done); "
        "2 the command line or the rules could not be understood, or there is no rule; 3 see "
        "--fail-on.",
    .options = hunt_options,
    .n_options = sizeof hunt_options / sizeof *hunt_options,
    .ctx_size = sizeof(struct hunt_context),
    .option = hunt_option,
    .run = hunt_main,
};
