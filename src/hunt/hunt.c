/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/hunt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "hunt/chain.h"
#include "hunt/collector.h"
#include "hunt/output.h"
#include "hunt/progress.h"
#include "hunt/stored.h"
#include "hunt/table.h"

struct hunt {
    const struct hunt_options *options;
    struct hunt_result *result;
    struct source_list sources;
    struct output *output;
    struct chain *chain; /* NULL: no correlations */
    struct progress progress;
    struct buf
        last_bad; /* the source that was told of last: one that has more to tell counts once */
    uint64_t unindexed; /* the segment whose index was told of last, and 1 */
    int out_fd;
    bool out_terminal;
    int null_fd;
    struct loop *loop;
    nsec started;
};

/* ---- messages to the person -------------------------------------------------------------- */

static void say(struct hunt *h, struct slice source, const char *what)
{
    struct buf line;
    buf_init(&line, 128 * 1024);
    buf_puts(&line, "vaka: ");
    if (source.len) {
        (void)text_put_visible(&line, source, 4096);
        buf_puts(&line, ": ");
    }
    (void)text_put_visible(&line, slice_of(what), 1024);
    buf_putc(&line, '\n');
    progress_clear(&h->progress);
    if (!buf_failed(&line)) (void)fwrite(line.ptr, 1, line.len, stderr);
    buf_done(&line);
}

static void tell_unreadable(struct hunt *h, struct slice source, const char *why)
{
    bool again = slice_eq(buf_slice(&h->last_bad), source) && h->result->unreadable > 0;
    if (!again) h->result->unreadable++;
    buf_clear(&h->last_bad);
    buf_put(&h->last_bad, source);
    if (h->result->unreadable <= HUNT_NAMED_MAX) say(h, source, why);
}

static void on_unreadable_path(void *ctx, const char *path, const char *why)
{
    tell_unreadable(ctx, slice_of(path), why);
}

static void on_bad(void *ctx, const struct message_bad *m, uint64_t record)
{
    struct hunt *h = ctx;
    struct buf why;
    buf_init(&why, 4096);
    if (m->records > 0) {
        h->result->bad_records += m->records;
        buf_printf(&why, "%llu record%s could not be read (the first%s",
                   (unsigned long long)m->records, m->records == 1 ? "" : "s",
                   m->records == 1 ? " and only one" : "");
        if (record) buf_printf(&why, ", number %llu", (unsigned long long)record);
        buf_printf(&why, ", near byte %llu): ", (unsigned long long)m->offset);
    }
    buf_put(&why, slice_until(m->reason, 1024));
    buf_putc(&why, '\0');
    if (!buf_failed(&why)) tell_unreadable(h, m->source, why.ptr);
    buf_done(&why);
}

/* ---- findings ---------------------------------------------------------------------------- */

static void on_alert(void *ctx, const struct message_alert *m, uint64_t record)
{
    struct hunt *h = ctx;
    output_alert(h->output, m, record);
    /* Lines go to the same terminal as the bar. */
    if (h->out_terminal) progress_clear(&h->progress);
}

static void on_tuple(void *ctx, const struct message_tuple *m, uint64_t record)
{
    struct hunt *h = ctx;
    if (h->chain) chain_add(h->chain, m, record);
}

static void on_firing(void *ctx, const struct correlator_firing *firing,
                      const struct line_ref *refs)
{
    struct hunt *h = ctx;
    /* Stored records have one source: a reference is the number of the record. */
    if (firing->rule->doc->level >= h->options->min_level)
        output_correlation(h->output, firing, h->options->store ? NULL : refs);
}

static void on_refused(void *ctx, const struct sigma_corr_rule *rule, const char *why)
{
    struct hunt *h = ctx;
    h->result->refused_correlations++;
    say(h, rule->doc->title, why);
}

static int flush_output(struct hunt *h)
{
    output_flush(h->output);
    return output_error(h->output) ? ERR_IO : 0;
}

static int on_tick(void *ctx, const struct collector_totals *totals)
{
    struct hunt *h = ctx;
    int error = flush_output(h);
    progress_show(&h->progress,
                  &(struct progress_numbers){.bytes_done = totals->position,
                                             .bytes_total = h->sources.bytes,
                                             .events = totals->events,
                                             .alerts = output_alerts(h->output)},
                  clock_monotonic(h->options->clock));
    return error;
}

/* ---- stored records ---------------------------------------------------------------------- */

static void on_damage(void *ctx, enum scan_damage_kind kind, uint64_t seq)
{
    struct hunt *h = ctx;
    struct buf why;
    if (kind == SCAN_BESIDE_DAMAGED && h->unindexed == seq + 1) return;
    if (kind == SCAN_BESIDE_DAMAGED) h->unindexed = seq + 1;
    else if (++h->result->unreadable > HUNT_NAMED_MAX) return;
    buf_init(&why, 1024);
    scan_write_damage(&why, kind, seq);
    buf_putc(&why, '\0');
    say(h, SLICE_NONE, why.ptr);
    buf_done(&why);
}

static int on_stored_tick(void *ctx, const struct stored_totals *totals)
{
    struct hunt *h = ctx;
    const struct scan_progress *scan = &totals->scan;
    int error = flush_output(h);
    progress_show_blocks(&h->progress,
                         &(struct progress_blocks){.bytes_done = scan->bytes,
                                                   .bytes_total = scan->bytes_total,
                                                   .read = scan->read,
                                                   .passed = scan->early + scan->filtered,
                                                   .records = totals->records,
                                                   .found = output_alerts(h->output)},
                         clock_monotonic(h->options->clock));
    return error;
}

/* ---- before and after -------------------------------------------------------------------- */

static unsigned terminal_width(int fd)
{
    struct winsize size;
    uint64_t columns = 0;
    const char *said = getenv("COLUMNS");
    if (fd >= 0 && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) columns = size.ws_col;
    else if (!said || !slice_to_u64(slice_of(said), &columns)) columns = TABLE_WIDTH_DEFAULT;
    if (columns < TABLE_WIDTH_MIN) columns = TABLE_WIDTH_MIN;
    if (columns > TABLE_WIDTH_MAX) columns = TABLE_WIDTH_MAX;
    return (unsigned)columns;
}

static bool is_dumb(void)
{
    const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
    return !term || strcmp(term, "dumb") == 0 || (no && *no);
}

static int open_output(struct hunt *h)
{
    const struct hunt_options *o = h->options;
    h->out_fd = 1;
    if (o->out_path) {
        h->out_fd = open(o->out_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (h->out_fd < 0) {
            say(h, slice_of(o->out_path), strerror(errno));
            return ERR_IO;
        }
    }
    h->out_terminal = isatty(h->out_fd) == 1;
    h->output = output_new(
        &(struct output_options){.format = o->format,
                                 .fd = h->out_fd,
                                 .terminal = h->out_terminal,
                                 .colour = h->out_terminal && !is_dumb(),
                                 .utc = o->utc,
                                 .width = terminal_width(h->out_terminal ? h->out_fd : -1),
                                 .set = o->set,
                                 .taxonomy = o->rules->taxonomy});
    return h->output ? 0 : ERR_NOMEM;
}

static void on_interrupt(void *ctx, int number)
{
    struct hunt *h = ctx;
    (void)number;
    loop_stop(h->loop, ERR_STOPPED);
}

static int open_loop(struct hunt *h)
{
    static const int interrupts[] = {SIGINT, SIGTERM, 0};
    h->loop = loop_new(&(struct loop_options){
        .clock = *h->options->clock, .max_watches = h->options->jobs, .max_timers = 1});
    return h->loop ? loop_signals(h->loop, interrupts, on_interrupt, h) : ERR_NOMEM;
}

static int open_chain(struct hunt *h)
{
    uint64_t seed;
    if (h->options->set->n_correlations == 0) return 0;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) return ERR_IO;
    h->chain = chain_new(h->options->set,
                         &(struct chain_options){.seed = seed,
                                                 .state_max = h->options->correlation_state,
                                                 .sort_max = h->options->correlation_sort},
                         h, on_firing, on_refused);
    return h->chain ? 0 : ERR_NOMEM;
}

/* Everything that needs more than the sandbox allows. */
static int prepare(struct hunt *h)
{
    const struct hunt_options *o = h->options;
    progress_init(&h->progress, !o->quiet && isatty(2) == 1 && !is_dumb() ? 2 : -1,
                  terminal_width(2), h->started);
    source_list_init(&h->sources, h, on_unreadable_path);
    tzset();
    h->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    int result = h->null_fd < 0 ? ERR_IO : open_output(h);
    if (result == 0) result = open_loop(h);
    if (result == 0) result = open_chain(h);
    for (size_t i = 0; result == 0 && !o->store && i < o->n_paths; i++)
        result = source_list_add(&h->sources, o->paths[i]);
    if (result == ERR_LIMIT) say(h, SLICE_NONE, "too many files");
    return result;
}

static bool confine(struct hunt *h)
{
    const struct hunt_options *o = h->options;
    const struct sandbox_files files = {.paths = o->store ? &o->store : o->paths,
                                        .n_paths = o->store ? 1 : o->n_paths};
    bool confined = sandbox_enter(SANDBOX_HUNTER, &files, &h->result->sandbox) == 0;
    const struct slice level = slice_of(sandbox_level_name(h->result->sandbox));
    log_write(confined ? LOG_SANDBOX_ENTERED : LOG_SANDBOX_MISSING, LOG_TEXT("sandbox", level));
    if (confined) return true;
    say(h, SLICE_NONE, "warning: the kernel offers no sandbox; files are decoded without one");
    return false;
}

static int end_of_collecting(struct hunt *h, int result, const char *why)
{
    h->result->interrupted = result == ERR_STOPPED;
    if (result == ERR_STOPPED) return 0;
    if (result && !output_error(h->output)) say(h, SLICE_NONE, why);
    return result;
}

static int collect_stored(struct hunt *h)
{
    const struct hunt_options *o = h->options;
    const struct matching_begin matching = {.rules = o->rules,
                                            .correlator =
                                                h->chain ? chain_correlator(h->chain) : NULL,
                                            .any_logsource = o->any_logsource};
    const struct stored_spec spec = {.clock = o->clock,
                                     .store = o->store,
                                     .from = o->from == TIME_NONE ? INT64_MIN : o->from,
                                     .to = o->to == TIME_NONE ? INT64_MAX : o->to,
                                     .jobs = o->jobs,
                                     .silence = o->silence,
                                     .null_fd = h->null_fd,
                                     .matching = matching,
                                     .format = o->format,
                                     .min_level = o->min_level,
                                     .loop = h->loop,
                                     .ctx = h,
                                     .alert = on_alert,
                                     .tuple = on_tuple,
                                     .damage = on_damage,
                                     .tick = on_stored_tick};
    struct stored_totals totals;
    struct diag diag;
    int result = stored_run(&spec, &totals, &diag);
    struct hunt_result *r = h->result;
    r->events = totals.events;
    r->bytes = totals.scan.bytes;
    r->unknown = totals.unknown;
    r->bad_records = totals.undecodable;
    r->unread = totals.scan.unread;
    return end_of_collecting(h, result, diag.message);
}

static int collect(struct hunt *h, bool confined)
{
    const struct hunt_options *o = h->options;
    struct reader_context reader = {.clock = o->clock,
                                    .engine = o->engine,
                                    .correlator = h->chain ? chain_correlator(h->chain) : NULL,
                                    .format = o->format,
                                    .n_rules = o->set->n_rules,
                                    .min_level = o->min_level,
                                    .from = o->from,
                                    .to = o->to};
    const struct collector_spec spec = {.clock = o->clock,
                                        .sources = &h->sources,
                                        .reader = &reader,
                                        .jobs = o->jobs,
                                        .silence = o->silence,
                                        .n_rules = o->set->n_rules,
                                        .unconfined = !confined,
                                        .null_fd = h->null_fd,
                                        .loop = h->loop,
                                        .ctx = h,
                                        .alert = on_alert,
                                        .tuple = on_tuple,
                                        .bad = on_bad,
                                        .tick = on_tick};
    struct collector_totals totals = {0};
    int result = collector_run(&spec, &totals);
    struct hunt_result *r = h->result;
    r->events = totals.events;
    r->bytes = totals.bytes;
    r->untimed = totals.untimed;
    r->unknown = totals.unknown;
    r->sources = totals.sources;
    r->crashes = totals.crashes;
    r->rss_decoder = totals.peak_rss;
    return end_of_collecting(h, result, error_text(result));
}

static int conclude(struct hunt *h)
{
    struct hunt_result *r = h->result;
    if (h->chain) {
        struct correlator_stats stats;
        chain_finish(h->chain);
        chain_get_stats(h->chain, &stats);
        r->late_tuples = stats.skipped_late;
        r->dropped_groups = stats.evicted;
        if (chain_spills(h->chain) || chain_lost(h->chain) || stats.evicted || stats.truncated) {
            say(h, SLICE_NONE,
                "warning: correlation reached its memory limit; "
                "its counts may be too low");
            log_write(LOG_CORRELATION_LIMIT, LOG_NUMBER("spills", chain_spills(h->chain)),
                      LOG_NUMBER("groups_dropped", stats.evicted),
                      LOG_NUMBER("truncated", stats.truncated), LOG_NUMBER("bytes", stats.bytes));
        }
    }
    progress_clear(&h->progress);
    output_finish(h->output, r->events);
    if (r->unreadable > HUNT_NAMED_MAX)
        (void)fprintf(stderr, "vaka: … and %llu more that could not be read\n",
                      (unsigned long long)(r->unreadable - HUNT_NAMED_MAX));
    r->alerts = output_alerts(h->output);
    r->highest = output_highest(h->output);
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) r->rss = (uint64_t)usage.ru_maxrss * 1024;
    r->seconds = (double)(clock_monotonic(h->options->clock) - h->started) / (double)NSEC_PER_SEC;
    log_write(LOG_HUNT_ENDED, LOG_NUMBER("events", r->events), LOG_NUMBER("bytes", r->bytes),
              LOG_NUMBER("alerts", r->alerts), LOG_NUMBER("unreadable", r->unreadable),
              LOG_NUMBER("crashes", r->crashes), LOG_NUMBER("rss_kib", r->rss / 1024),
              LOG_NUMBER("rss_worker_kib", r->rss_decoder / 1024));
    if (!output_error(h->output)) return 0;
    const char *path = h->options->out_path;
    say(h, slice_of(path ? path : "standard output"), strerror(output_error(h->output)));
    return ERR_IO;
}

int hunt_run(const struct hunt_options *options, struct hunt_result *ret)
{
    *ret = (struct hunt_result){0};
    struct hunt h = {.options = options,
                     .result = ret,
                     .out_fd = -1,
                     .null_fd = -1,
                     .started = clock_monotonic(options->clock)};
    h.progress.fd = -1;
    buf_init(&h.last_bad, MESSAGE_UNIT_MAX);
    int result = prepare(&h);
    if (result == 0) {
        bool confined = confine(&h);
        result = options->store ? collect_stored(&h) : collect(&h, confined);
        int end = conclude(&h);
        if (result == 0) result = end;
    } else if (result == ERR_NOMEM) {
        say(&h, SLICE_NONE, error_text(result));
    }
    source_list_done(&h.sources);
    output_free(h.output);
    chain_free(h.chain);
    buf_done(&h.last_bad);
    if (h.out_fd > 1) (void)close(h.out_fd);
    if (h.null_fd >= 0) (void)close(h.null_fd);
    loop_free(h.loop);
    return result;
}
