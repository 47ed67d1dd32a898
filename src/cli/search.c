/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka search: what the stored records say. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/hint.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/apart.h"
#include "cli/audited.h"
#include "cli/load.h"
#include "cli/search_output.h"
#include "cli/search_rule.h"
#include "cli/settings.h"
#include "hunt/progress.h"
#include "index/ask.h"
#include "proc/process.h"
#include "search/counting.h"
#include "search/saved.h"
#include "search/search.h"

enum {
    DAMAGES_SHOWN = 20,
    FIELDS_HINTED = 4,
    NAME_COLUMNS = 24, /* of those that are saved */
};
#define YEAR (366 * INT64_C(86400) * NSEC_PER_SEC)

struct search_context {
    struct settings settings;
    const char *from, *to, *store, *save, *saved, *purpose, *save_rule, *title;
    enum sigma_level level;
    enum search_format format;
    bool explain, utc, list, as_rule;
};

static const struct cli_option options[] = {
    {0, "from", "TIME",
     "Only records that were received at or after this time: 2026-12-23, \"2026-12-23 21:47\", or "
     "-90s, -15m, -24h, -7d, -2w before now.",
     OPTION_TEXT(struct search_context, from)},
    {0, "to", "TIME", "Only records that were received before this time; a date is its end.",
     OPTION_TEXT(struct search_context, to)},
    {'f', "format", "table|json|csv",
     "A table for people, one JSON object a line, or CSV. Times are in the zone of health.zone, or "
     "else of the machine; in JSON and CSV in UTC.",
     OPTION_CHOICE(struct search_context, format)},
    {0, "explain", NULL, "Tell how the query is understood, and do not search.",
     OPTION_FLAG(struct search_context, explain)},
    {0, "utc", NULL, "Take and show times in UTC.", OPTION_FLAG(struct search_context, utc)},
    {0, "store", "FOLDER",
     "Search the records of this tenant's folder instead of those that vaka serve keeps.",
     OPTION_TEXT(struct search_context, store)},
    {0, "save", "NAME", "Keep the query under this name as well.",
     OPTION_TEXT(struct search_context, save)},
    {0, "saved", "NAME",
     "Search what was kept under this name; more of a query may follow, such as '| head 3'.",
     OPTION_TEXT(struct search_context, saved)},
    {0, "list", NULL, "List what was kept.", OPTION_FLAG(struct search_context, list)},
    {0, "as-rule", NULL,
     "Print the filter as a Sigma rule that holds for the same events, and do not search.",
     OPTION_FLAG(struct search_context, as_rule)},
    {0, "save-rule", "FILE", "Write that rule into a new file.",
     OPTION_TEXT(struct search_context, save_rule)},
    {0, "level", OPTION_LEVELS, "The rule's level. Default: medium.",
     OPTION_LEVEL(struct search_context, level)},
    {0, "title", "TEXT", "The rule's title. Default: the filter.",
     OPTION_TEXT(struct search_context, title)},
    {'j', "jobs", "N", "Read records with N processes.",
     OPTION_SETTING(struct search_context, CONFIG_SEARCH_JOBS)},
    OPTION_PURPOSE(struct search_context),
    OPTION_SETTINGS(struct search_context),
};

/* Everything that a search needs. */
struct work {
    const struct search_context *said;
    struct config config;
    struct clock clock;
    struct zone zone;
    struct when when;
    struct ruleset rules;
    struct slice text; /* the query as it was written */
    struct query query;
    struct sigma_rule rule;
    const char *store;
    struct audited audited;
    nsec from, to;
    struct search_output output;
    struct progress progress;
    int interrupts; /* a descriptor that tells of ^C; -1: none */
    bool interrupted;
    uint64_t damages, left;
    uint64_t unindexed; /* the segment whose index was told to be damaged last, plus one */
};

/* ---- what is asked ----------------------------------------------------------------------- */

static int read_zone(struct work *w)
{
    const char *name = w->config.health_zone.n ? w->config.health_zone.items[0] : getenv("TZ");
    struct diag diag;
    w->when = (struct when){.now = clock_realtime(&w->clock)};
    if (w->said->utc) return 0;
    int error = zone_read(&w->zone, name && *name ? name : NULL, w->when.now - 2 * YEAR, &diag);
    if (error) {
        cli_say("%s", diag.message);
        return EXIT_USAGE;
    }
    w->when.zone = &w->zone;
    return 0;
}

static int read_time(const struct work *w, const char *option, const char *text, bool end_of_day,
                     nsec *ret)
{
    if (!text || when_parse(slice_of(text), &w->when, end_of_day, ret)) return 0;
    return cli_usage("--%s: '%s' is not a point in time (2026-12-23, \"2026-12-23 21:47\", -7d)",
                     option, text);
}

static int read_times(struct work *w)
{
    w->from = INT64_MIN;
    w->to = INT64_MAX;
    int status = read_time(w, "from", w->said->from, false, &w->from);
    if (status == 0) status = read_time(w, "to", w->said->to, true, &w->to);
    if (status == 0 && w->from >= w->to) status = cli_usage("--from is not before --to");
    return status;
}

/*
 * The query: what was kept, if that is asked for, and behind it the words of the command line with
 * blanks between.
 */
static int join_query(struct work *w, const struct invocation *in, struct slice *ret)
{
    struct buf text;
    struct diag diag;
    char folder[PATH_MAX];
    int error = w->said->saved ? saved_folder(w->config.serve_folder.items[0], folder, &diag) : 0;
    buf_init(&text, QUERY_TEXT_MAX + 2);
    if (w->said->saved && error == 0) error = saved_read(folder, w->said->saved, &text, &diag);
    for (size_t i = 0; i < in->n_operands; i++) {
        if (text.len) buf_putc(&text, ' ');
        buf_puts(&text, in->operands[i]);
    }
    *ret = arena_dup(&w->config.arena, buf_slice(&text));
    bool good = !buf_failed(&text) && ret->ptr;
    buf_done(&text);
    if (error) {
        cli_say("%s", diag.message);
        return EXIT_USAGE;
    }
    return good ? 0 : cli_usage("the query is too long");
}

static int save(const struct work *w, struct slice text)
{
    const char *above = w->config.serve_folder.items[0];
    struct diag diag;
    char folder[PATH_MAX];
    if (!w->said->save) return 0;
    int error = saved_folder(above, folder, &diag);
    if (error == 0) error = saved_make_folder(above, &diag);
    if (error == 0) error = saved_write(folder, w->said->save, text, &diag);
    if (error) cli_say("%s", diag.message);
    return error ? EXIT_UNREADABLE : 0;
}

static void put_saved(void *ctx, const char *name, struct slice query)
{
    struct buf *out = ctx;
    text_put_padded(out, slice_of(name), NAME_COLUMNS);
    buf_putc(out, ' ');
    (void)text_put_visible(out, query, QUERY_TEXT_MAX);
    buf_putc(out, '\n');
}

static int list(const struct work *w)
{
    struct buf out;
    struct diag diag;
    char folder[PATH_MAX];
    buf_init(&out, 64 << 20);
    int error = saved_folder(w->config.serve_folder.items[0], folder, &diag);
    if (error == 0) error = saved_each(folder, put_saved, &out, &diag);
    if (error) cli_say("%s", diag.message);
    else if (out.len) (void)fwrite(out.ptr, 1, out.len, stdout);
    buf_done(&out);
    return error ? EXIT_UNREADABLE : EXIT_RAN;
}

static void tell_mistake(struct slice text, const struct diag *diag)
{
    struct buf out;
    buf_init(&out, 16 * 1024);
    cli_say("%s", diag->message);
    query_show_place(&out, text, diag);
    (void)fwrite(out.ptr, 1, out.len, stderr);
    buf_done(&out);
}

/* The filter is the only rule. */
static int read_text(struct work *w, struct slice text)
{
    const struct query_options o = {.when = w->when, .whole = w->said->format == SEARCH_JSON};
    struct diag diag;
    int turn = scan_wait_turn(w->store);
    int error = ruleset_load_without_rules(&w->rules, &w->config, &diag);
    if (turn >= 0) (void)close(turn);
    if (error) {
        if (diag.line) cli_diag(&diag, "");
        else cli_say("%s", diag.message);
        return EXIT_USAGE;
    }
    error = query_read(&w->rules.set->arena, text, &o, &w->query, &diag);
    if (error) {
        tell_mistake(text, &diag);
        return EXIT_USAGE;
    }
    w->rule.expr = w->query.filter;
    if (sigma_set_add_rule(w->rules.set, &w->rule) == 0) return 0;
    cli_say("%s", error_text(ERR_NOMEM));
    return EXIT_UNREADABLE;
}

static int prepare(struct work *w, const struct invocation *in)
{
    const struct invocation folder = {.command = in->command};
    int status = settings_store(&w->said->settings, &folder, &w->config, &w->store);
    if (status) return status;
    cli_work_apart(&w->config);
    if (w->said->store) w->store = w->said->store;
    if (w->said->list) return 0;
    if (w->said->save && !saved_is_name(w->said->save))
        return cli_usage("--save: '%s' is no name: letters, digits, - _ .", w->said->save);
    if (in->n_operands == 0 && !w->said->saved)
        return cli_usage("search needs a query, such as 'user.name: anna'");
    status = join_query(w, in, &w->text);
    if (status == 0) status = read_zone(w);
    if (status == 0) status = read_times(w);
    if (status == 0) status = read_text(w, w->text);
    return status ? status : save(w, w->text);
}

/* ---- searching --------------------------------------------------------------------------- */

static int on_row(void *ctx, const struct cell *cells, uint32_t n)
{
    struct work *w = ctx;
    progress_clear(&w->progress);
    return search_output_row(&w->output, cells, n);
}

static void on_damage(void *ctx, enum scan_damage_kind kind, uint64_t seq)
{
    struct work *w = ctx;
    struct buf text;
    progress_clear(&w->progress);
    if (kind == SCAN_BESIDE_DAMAGED && w->unindexed == seq + 1) return;
    if (kind == SCAN_BESIDE_DAMAGED) w->unindexed = seq + 1;
    else if (w->damages++ >= DAMAGES_SHOWN) return;
    buf_init(&text, 256);
    scan_write_damage(&text, kind, seq);
    cli_say("%.*s", SLICE_FMT(buf_slice(&text)));
    buf_done(&text);
}

static void show_progress(struct work *w, const struct search_progress *p)
{
    const struct progress_blocks shown = {.bytes_done = p->scan.bytes,
                                          .bytes_total = p->scan.bytes_total,
                                          .read = p->scan.read,
                                          .passed = p->scan.early + p->scan.filtered,
                                          .records = p->records,
                                          .found = p->matches};
    progress_show_blocks(&w->progress, &shown, clock_monotonic(&w->clock));
}

static bool on_tick(void *ctx, const struct search_progress *p)
{
    struct work *w = ctx;
    struct signalfd_siginfo info;
    while (w->interrupts >= 0 && read(w->interrupts, &info, sizeof info) == sizeof info)
        w->interrupted = true;
    if (w->output.n_waiting) progress_clear(&w->progress);
    if (search_output_flush(&w->output) != 0) return false;
    show_progress(w, p);
    return !w->interrupted;
}

/* ^C and SIGTERM end the search and not the process. */
static void watch_interrupts(struct work *w)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    w->interrupts = sigprocmask(SIG_BLOCK, &set, NULL) == 0
                        ? signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)
                        : -1;
}

static void begin_progress(struct work *w)
{
    struct winsize size = {.ws_col = 0};
    bool terminal = isatty(STDERR_FILENO) && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0;
    progress_init(&w->progress, terminal ? STDERR_FILENO : -1, size.ws_col,
                  clock_monotonic(&w->clock));
}

static void tell_cut(const struct rows_cut *cut)
{
    if (cut->groups)
        cli_say("search.memory is spent: %" PRIu64 " events are in no group", cut->groups);
    if (cut->values)
        cli_say("search.memory is spent: distinct values and percentiles lack %" PRIu64 " values",
                cut->values);
    if (cut->sorted)
        cli_say("search.memory is spent: the last %" PRIu64 " rows of the order are left out",
                cut->sorted);
    if (cut->repeats)
        cli_say("search.memory is spent: of %" PRIu64 " rows it is not known whether they repeat",
                cut->repeats);
}

/* How far it came, as a time: everything younger was searched. */
static void tell_end(const struct work *w, const struct search_result *r)
{
    const struct scan_progress *s = &r->progress.scan;
    double part = s->bytes_total ? (double)s->bytes / (double)s->bytes_total : 1;
    if (r->end == SEARCH_TIME)
        cli_say("search.time is over: this is what was found in the newest %.0f %% of the records",
                part * 100);
    if (r->end == SEARCH_ENDED)
        cli_say("ended: this is what was found in the newest %.0f %% of the records", part * 100);
    if (w->damages > DAMAGES_SHOWN)
        cli_say("%" PRIu64 " more places are damaged", w->damages - DAMAGES_SHOWN);
}

/* A name that no product knows, when it is like one that some do. */
static void hint_at_field(const struct work *w, struct slice field)
{
    char shown[HINT_SHOW_SIZE], text[HINT_SIZE];
    struct hint hint;
    struct slice name;
    if (sigma_field_has_stars(field)) return;
    hint_init(&hint, field);
    for (uint32_t i = 0; products_field_name(w->rules.products, i, &name); i++) {
        if (slice_eq(name, field)) return;
        if (name.len && name.ptr[0] != '_') hint_offer(&hint, name);
    }
    if (hint.best.len)
        cli_say("no product has a field `%s`%s", hint_show(shown, field), hint_text(&hint, text));
}

/* Of the first fields that the filter asks for. */
static void hint_at_fields(const struct work *w, const struct sigma_expr *e, unsigned *left)
{
    if (e->kind == EXPR_ATOM && e->atom->field.len && *left) {
        --*left;
        hint_at_field(w, e->atom->field);
    }
    for (uint32_t i = 0; i < e->n_children && *left; i++) hint_at_fields(w, e->child[i], left);
}

static void tell_sum(const struct work *w, const struct search_result *r)
{
    const struct search_progress *p = &r->progress;
    struct buf line;
    if (w->said->format != SEARCH_TABLE) return;
    buf_init(&line, 512);
    buf_printf(&line, "%" PRIu64 " row%s", w->output.rows, w->output.rows == 1 ? "" : "s");
    if (r->end == SEARCH_WHOLE)
        buf_printf(&line, ": %" PRIu64 " found in %" PRIu64 " records", p->matches, p->records);
    if (p->undecodable) buf_printf(&line, ", %" PRIu64 " that cannot be read", p->undecodable);
    buf_printf(&line, "; %" PRIu64 " blocks read, %" PRIu64 " passed over; %.1f s\n", p->scan.read,
               p->scan.early + p->scan.filtered, (double)p->elapsed / (double)NSEC_PER_SEC);
    if (p->unindexed)
        buf_printf(&line, "%" PRIu64 " blocks have no index that is current (vaka store index)\n",
                   p->unindexed);
    (void)fwrite(line.ptr, 1, line.len, stderr);
    buf_done(&line);
}

static int conclude(struct work *w, int error, const struct search_result *r,
                    const struct diag *diag)
{
    progress_clear(&w->progress);
    if (error == 0) error = search_output_finish(&w->output);
    if (error) {
        cli_say("%s", diag->message[0] ? diag->message : error_text(error));
        return EXIT_UNREADABLE;
    }
    tell_cut(&r->cut);
    tell_end(w, r);
    tell_sum(w, r);
    unsigned left = FIELDS_HINTED;
    if (r->end == SEARCH_WHOLE && r->progress.matches == 0)
        hint_at_fields(w, w->query.filter, &left);
    if (r->end == SEARCH_ENDED) return EXIT_INTERRUPTED;
    const struct rows_cut *cut = &r->cut;
    bool whole = r->end != SEARCH_TIME && w->damages == 0 &&
                 !(cut->groups || cut->values || cut->sorted || cut->repeats);
    return whole ? EXIT_RAN : EXIT_UNREADABLE;
}

/* Whoever reads the answer may close the pipe: the audit log is told before that ends the process.
 */
static void hold_broken_pipe(int how)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGPIPE);
    (void)sigprocmask(how, &set, NULL);
}

static bool is_pipe_broken(void)
{
    sigset_t set;
    return sigpending(&set) == 0 && sigismember(&set, SIGPIPE) == 1;
}

static const char *how_it_ended(int error, enum search_end end)
{
    static const char *const ends[] = {[SEARCH_WHOLE] = "whole",
                                       [SEARCH_ENOUGH] = "enough",
                                       [SEARCH_TIME] = "search.time",
                                       [SEARCH_ENDED] = "interrupted"};
    if (is_pipe_broken()) return ends[SEARCH_ENDED];
    return error ? "failed" : ends[end];
}

static int search(struct work *w)
{
    struct search_result result = {0};
    struct diag diag = {0};
    const struct audited_look look = {.what = "search",
                                      .store = w->store,
                                      .query = w->text,
                                      .purpose = w->said->purpose,
                                      .from = w->from,
                                      .to = w->to};
    if (audited_begin(&w->audited, &w->config, &look, &diag) != 0) {
        cli_say("%s", diag.message);
        return EXIT_UNREADABLE;
    }
    watch_interrupts(w);
    hold_broken_pipe(SIG_BLOCK);
    begin_progress(w);
    search_output_init(&w->output, stdout, w->said->format, &w->query, w->when.zone);
    int error = search_run(&(struct search_options){.rules = &w->rules,
                                                    .query = &w->query,
                                                    .zone = w->when.zone,
                                                    .store = w->store,
                                                    .from = w->from,
                                                    .to = w->to,
                                                    .jobs = w->config.search_jobs
                                                                ? (uint32_t)w->config.search_jobs
                                                                : process_processors(SCAN_JOBS_MAX),
                                                    .clock = &w->clock,
                                                    .silence = w->config.detect_silence,
                                                    .time = w->config.search_time,
                                                    .memory = w->config.search_memory,
                                                    .ctx = w,
                                                    .row = on_row,
                                                    .damage = on_damage,
                                                    .tick = on_tick},
                           &result, &diag);
    audited_end(&w->audited, how_it_ended(error, result.end),
                error ? w->output.rows : result.progress.matches);
    hold_broken_pipe(SIG_UNBLOCK);
    int status = conclude(w, error, &result, &diag);
    search_output_done(&w->output);
    if (w->interrupts >= 0) (void)close(w->interrupts);
    return status;
}

/* ---- explaining -------------------------------------------------------------------------- */

/* What a record is asked first, before it is taken apart. */
static int show_needles(const struct work *w, struct buf *out)
{
    struct needles needles;
    int error = search_needles(&w->rules, &w->query, &needles);
    if (error) return error;
    buf_puts(out, needles.n ? "only records are taken apart that have"
                            : "all records are taken apart\n");
    for (uint32_t i = 0; i < needles.n; i++)
        buf_printf(out, "%s \"%.*s\"", i ? " or" : "", SLICE_FMT(needles.at[i]));
    if (needles.n) buf_puts(out, " in their bytes, or may say it otherwise\n");
    return 0;
}

/* What a block is asked first, before it is read. */
static int show_asks(const struct work *w, struct buf *out)
{
    const struct query *q = &w->query;
    if (counting_is_enough(q)) {
        buf_puts(out, "blocks whose index is current are not read");
        if (q->n_columns) buf_printf(out, ", if it keeps %.*s", SLICE_FMT(q->columns[0].name));
        buf_putc(out, '\n');
        return 0;
    }
    struct index_asks *asks = index_asks_new(q->filter);
    if (!asks) return ERR_NOMEM;
    if (index_asks_nothing(asks)) {
        buf_puts(out, "all blocks are read: the filter needs no whole word\n");
    } else {
        buf_puts(out, "blocks are passed over whose index is current and does not have\n");
        index_asks_show(asks, out);
    }
    index_asks_free(asks);
    return 0;
}

static int explain(const struct work *w)
{
    struct buf out, shown;
    buf_init(&out, 16 << 20);
    buf_init(&shown, 64 << 20);
    buf_puts(&out, "received  ");
    if (w->from == INT64_MIN) buf_puts(&out, "at any time");
    else search_put_time(&out, w->from, w->when.zone);
    buf_puts(&out, " to ");
    if (w->to == INT64_MAX) buf_puts(&out, "now");
    else search_put_time(&out, w->to, w->when.zone);
    buf_puts(&out, "\n\n");
    query_show_filter(&out, w->query.filter);
    buf_putc(&out, '\n');
    query_show_pipes(&out, &w->query);
    buf_putc(&out, '\n');
    int error = show_asks(w, &out);
    if (error == 0) error = show_needles(w, &out);
    text_put_lines(&shown, buf_slice(&out));
    bool failed = error || buf_failed(&out) || buf_failed(&shown);
    if (!failed) (void)fwrite(shown.ptr, 1, shown.len, stdout);
    buf_done(&out);
    buf_done(&shown);
    return failed ? EXIT_UNREADABLE : EXIT_RAN;
}

/* ---- as a rule --------------------------------------------------------------------------- */

static int as_rule(const struct work *w)
{
    const struct search_rule_options o = {.title = w->said->title,
                                          .level = w->said->level,
                                          .file = w->said->save_rule,
                                          .now = w->when.now};
    struct diag diag = {0};
    int error = search_rule_write(&w->query, &o, &diag);
    if (error == 0) return EXIT_RAN;
    if (diag.line) tell_mistake(w->text, &diag);
    else cli_say("%s", diag.message[0] ? diag.message : error_text(error));
    return error == ERR_IO ? EXIT_UNREADABLE : EXIT_USAGE;
}

static int search_command(const struct invocation *in)
{
    struct work *w = calloc(1, sizeof *w);
    if (!w) {
        cli_say("out of memory");
        return EXIT_UNREADABLE;
    }
    w->said = in->ctx;
    w->clock = clock_system();
    w->interrupts = -1;
    int status = prepare(w, in);
    if (status == 0 && w->said->list) status = list(w);
    else if (status == 0)
        status = w->said->explain                         ? explain(w)
                 : w->said->as_rule || w->said->save_rule ? as_rule(w)
                                                          : search(w);
    if (w->rules.set) ruleset_done(&w->rules);
    config_done(&w->config);
    free(w);
    return status;
}

const struct command command_search = {
    .name = "search",
    .operands = "[QUERY...]",
    .summary = "ask the stored records",
    .description =
        "Searches the records that vaka serve keeps, the newest first: a filter in Kibana's KQL, "
        "and pipes that say what becomes of what it finds.\n\n"
        "vaka search 'user.name: anna* and not source.ip: 10.0.0.0/8'\n\n"
        "vaka search 'event.outcome: failure | count by user.name | head 5' --from -7d\n\n"
        "The filter: f: value, f: \"some words\", f: a*, f: *, f: (a or b), f > 5, f: 10.0.0.0/8, "
        "words alone, and, or, not. The pipes: count [by f,g], top [n] f, rare [n] f, stats "
        "count, distinct(f), sum(f), avg(f), min(f), max(f), p95(f) [by g], timechart 5m [by f], "
        "table f,g, sort [-]f, head [n], dedup f. docs/search.md tells all of it.\n\n"
        "A block that is damaged is named and passed over; the exit status is 1 then, and when "
        "search.time or search.memory did not suffice. ^C ends a search and shows what it found.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .ctx_size = sizeof(struct search_context),
    .run = search_command,
};
