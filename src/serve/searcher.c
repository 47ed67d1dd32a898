/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/searcher.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "audit/audit.h"
#include "base/json_write.h"
#include "base/text.h"
#include "base/time.h"
#include "library/exception.h"
#include "library/version.h"
#include "proc/process.h"
#include "proc/sandbox.h"
#include "query/rule.h"
#include "search/search.h"
#include "serve/searcher_work.h"
#include "serve/trial.h"
#include "wording/wording.h"

enum { SEND_FROM = 16 * 1024, LINES_MAX = 64 * 1024 * 1024, PROGRESS_EVERY = 1 /* s */ };

/* ---- what is told ------------------------------------------------------------------------ */

/* Lines longer than a frame are told in pieces: who reads them puts them together. */
int searcher_pass(struct searcher_work *w, struct slice rest)
{
    int error = 0;
    while (error == 0 && rest.len > 0) {
        struct slice piece = slice_until(rest, 1024 * 1024);
        buf_clear(&w->frame);
        say_found_write(&w->frame, &(struct say_found){.id = w->s->id, .lines = piece});
        error = channel_send(w->channel, buf_slice(&w->frame), -1);
        rest = slice_from(rest, piece.len);
    }
    if (error) w->error = error;
    return error;
}

int searcher_send(struct searcher_work *w)
{
    int error = buf_error(&w->lines);
    if (error) w->error = error;
    else error = searcher_pass(w, buf_slice(&w->lines));
    buf_clear(&w->lines);
    return error;
}

int searcher_end(struct searcher_work *w, unsigned status, uint64_t found, struct slice text)
{
    buf_clear(&w->frame);
    say_finished_write(
        &w->frame,
        &(struct say_finished){.id = w->s->id, .status = status, .found = found, .text = text});
    return channel_send(w->channel, buf_slice(&w->frame), -1);
}

static void put_columns(struct searcher_work *w)
{
    buf_puts(&w->lines, "{\"columns\":[");
    for (uint32_t i = 0; i < w->query.n_names; i++) {
        if (i) buf_putc(&w->lines, ',');
        json_write_string(&w->lines, w->query.names[i]);
    }
    buf_puts(&w->lines, "]}\n");
}

static void put_progress(struct searcher_work *w, const struct search_progress *p)
{
    struct buf *out = &w->lines;
    buf_puts(out, "{\"progress\":{");
    json_write_member_u64(out, "bytes", p->scan.bytes);
    json_write_member_u64(out, "bytes_total", p->scan.bytes_total);
    json_write_member_u64(out, "records", p->records);
    json_write_member_u64(out, "matches", p->matches);
    buf_puts(out, "}}\n");
}

/* ---- the search -------------------------------------------------------------------------- */

static int on_row(void *ctx, const struct cell *cells, uint32_t n)
{
    struct searcher_work *w = ctx;
    buf_puts(&w->lines, "{\"row\":");
    cells_write_json(&w->lines, w->query.names, cells, n);
    if (buf_failed(&w->lines)) return ERR_LIMIT;
    w->lines.len--;
    buf_puts(&w->lines, "}\n");
    return w->lines.len < SEND_FROM ? 0 : searcher_send(w);
}

static void on_damage(void *ctx, enum scan_damage_kind kind, uint64_t seq)
{
    struct searcher_work *w = ctx;
    struct buf text;
    if (w->damages++ >= 20) return;
    buf_init(&text, 256);
    scan_write_damage(&text, kind, seq);
    buf_puts(&w->lines, "{\"damage\":");
    json_write_string(&w->lines, buf_slice(&text));
    buf_puts(&w->lines, "}\n");
    buf_done(&text);
}

/* What was found goes out; it ends with who asked for it. */
static bool on_tick(void *ctx, const struct search_progress *p)
{
    struct searcher_work *w = ctx;
    struct pollfd parent = {.fd = w->channel->fd};
    nsec now = clock_monotonic(w->s->clock);
    if (now - w->told >= PROGRESS_EVERY * NSEC_PER_SEC) {
        put_progress(w, p);
        w->told = now;
    }
    return searcher_send(w) == 0 && poll(&parent, 1, 0) == 0;
}

static uint32_t processors(const struct config *config)
{
    return config->search_jobs ? (uint32_t)config->search_jobs : process_processors(SCAN_JOBS_MAX);
}

static int confine(const struct searcher *s)
{
    const char *paths[] = {s->what == FIND_AUDIT ? s->audit : s->store, s->library};
    const struct sandbox_files files = {.paths = paths, .n_paths = s->what == FIND_VERSION ? 2 : 1};
    return s->sandboxed ? sandbox_enter(SANDBOX_REVIEWER, &files, NULL) : 0;
}

static void put_end(struct buf *out, const struct searcher_work *w, int error,
                    const struct search_result *r, const struct diag *diag)
{
    static const char *const ends[] = {[SEARCH_WHOLE] = "whole",
                                       [SEARCH_ENOUGH] = "enough",
                                       [SEARCH_TIME] = "time",
                                       [SEARCH_ENDED] = "ended"};
    const struct search_progress *p = &r->progress;
    const struct rows_cut *cut = &r->cut;
    buf_puts(out, "{\"end\":{");
    json_write_member_string(out, "how", slice_of(error ? "failed" : ends[r->end]));
    if (error) {
        struct slice why = slice_of(diag->message[0] ? diag->message : error_text(error));
        json_write_member_string(out, "detail", why);
        wording_write_member(out, "detail_sv", why);
    }
    json_write_member_u64(out, "records", p->records);
    json_write_member_u64(out, "matches", p->matches);
    json_write_member_u64(out, "undecodable", p->undecodable);
    json_write_member_u64(out, "damaged", w->damages);
    json_write_member_u64(out, "cut", cut->groups + cut->values + cut->sorted + cut->repeats);
    buf_puts(out, "}}\n");
}

static int search(struct searcher_work *w)
{
    const struct searcher *s = w->s;
    struct search_result result = {0};
    struct diag diag = {0};
    struct buf end;
    const struct search_options options = {.rules = s->rules,
                                           .query = &w->query,
                                           .zone = s->zone,
                                           .store = s->store,
                                           .from = s->from,
                                           .to = s->to,
                                           .jobs = processors(s->config),
                                           .clock = s->clock,
                                           .silence = s->config->detect_silence,
                                           .time = s->config->search_time,
                                           .memory = s->config->search_memory,
                                           /* In place of standard output. */
                                           .null_fd = STDOUT_FILENO,
                                           .ctx = w,
                                           .row = on_row,
                                           .damage = on_damage,
                                           .tick = on_tick};
    put_columns(w);
    int error = searcher_send(w);
    if (error == 0) error = search_run(&options, &result, &diag);
    if (w->error) return w->error;
    buf_init(&end, 4096);
    put_end(&end, w, error, &result, &diag);
    error = searcher_send(w);
    if (error == 0) error = searcher_end(w, 200, result.progress.matches, buf_slice(&end));
    buf_done(&end);
    return error;
}

/* The filter is the only rule. */
static int read_query(struct searcher_work *w, struct diag *diag)
{
    const struct searcher *s = w->s;
    const struct query_options options = {
        .when = {.now = clock_realtime(s->clock), .zone = s->zone}, .whole = true};
    int error = query_read(&s->rules->set->arena, s->query, &options, &w->query, diag);
    if (error) return error;
    w->rule.expr = w->query.filter;
    return sigma_set_add_rule(s->rules->set, &w->rule);
}

static int send_refusal(struct searcher_work *w, const struct diag *diag)
{
    char text[sizeof diag->message + 64];
    (void)snprintf(text, sizeof text, "line %u, column %u: %s", diag->line, diag->column,
                   diag->message);
    return searcher_end(w, 400, 0, slice_of(diag->line ? text : diag->message));
}

/* ---- the audit log ----------------------------------------------------------------------- */

static int on_entry(void *ctx, struct slice line, struct slice end)
{
    struct searcher_work *w = ctx;
    buf_puts(&w->lines, "{\"entry\":");
    audit_write_json(&w->lines, line, end);
    if (buf_failed(&w->lines)) return ERR_LIMIT;
    w->lines.len--;
    buf_puts(&w->lines, "}\n");
    w->entries++;
    return w->lines.len < SEND_FROM ? 0 : searcher_send(w);
}

static int review(struct searcher_work *w)
{
    const struct searcher *s = w->s;
    struct diag diag = {0};
    struct buf end;
    uint64_t damaged = 0;
    int error =
        audit_read(s->config->serve_folder.items[0], s->from, s->to, w, on_entry, &damaged, &diag);
    if (w->error) return w->error;
    buf_init(&end, 4096);
    buf_puts(&end, "{\"end\":{");
    json_write_member_string(&end, "how", slice_of(error ? "failed" : "whole"));
    if (error) json_write_member_string(&end, "detail", slice_of(diag.message));
    json_write_member_u64(&end, "damaged", damaged);
    buf_puts(&end, "}}\n");
    error = searcher_send(w);
    if (error == 0) error = searcher_end(w, 200, w->entries, buf_slice(&end));
    buf_done(&end);
    return error;
}

/* ---- rules that somebody writes ---------------------------------------------------------- */

/* Without progress it is no part of a scan, and may be the end, behind which nothing comes. */
static int on_trial_lines(void *ctx, struct buf *out, const struct scan_progress *p)
{
    struct searcher_work *w = ctx;
    buf_put(&w->lines, buf_slice(out));
    buf_clear(out);
    bool goes_on = p ? on_tick(w, &(struct search_progress){.scan = *p}) : searcher_send(w) == 0;
    return goes_on ? 0 : ERR_STOPPED;
}

/* The text that is asked for, the rules in the folder `path`, or without either those in force. */
static int try(struct searcher_work *w, const char *path)
{
    const struct searcher *s = w->s;
    const struct trial t = {.rules = s->rules,
                            .config = s->config,
                            .clock = s->clock,
                            .text = path ? SLICE_NONE : s->query,
                            .in_force = path || s->query.len ? NULL : s->in_force,
                            .path = path,
                            .store = s->what == FIND_CHECK ? NULL : s->store,
                            .from = s->from,
                            .to = s->to,
                            .jobs = processors(s->config),
                            .null_fd = STDOUT_FILENO,
                            .ctx = w,
                            .lines = on_trial_lines};
    w->told = clock_monotonic(s->clock);
    int error = trial_run(&t);
    return error ? error : searcher_end(w, 200, 0, SLICE_NONE);
}

/* ---- rules that others made -------------------------------------------------------------- */

/* The version is read as a whole: one that is damaged is tried on nothing. */
static int find_version(const struct searcher *s, char ret[static PATH_MAX], struct diag *diag)
{
    struct library library;
    struct library_version v;
    struct slice set, version;
    char names[2][LIBRARY_NAME_MAX + 1];
    bool one = !slice_split(s->query, ' ', &set, &version);
    if (!slice_copy(set, names[0], sizeof names[0]) ||
        (!one && !slice_copy(version, names[1], sizeof names[1])))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "no set or version is called so");
    int error = library_open(&library, s->library, false, diag);
    if (error) return error;
    error = library_version_read(&library, s->rules->placeholders, names[0], one ? NULL : names[1],
                                 &v, diag);
    library_close(&library);
    if (error) return error;
    int n = snprintf(ret, PATH_MAX, "%s/%s/%s/on", s->library, v.set.text, v.version.text);
    library_version_done(&v);
    return n > 0 && n < PATH_MAX ? 0 : ERR_LIMIT;
}

static int try_version(struct searcher_work *w)
{
    char path[PATH_MAX];
    struct diag diag = {0};
    int error = find_version(w->s, path, &diag);
    if (error == 0) return try(w, path);
    return searcher_end(w, error == ERR_NOT_FOUND || error == ERR_INVALID ? 404 : 503, 0,
                        slice_of(diag.message[0] ? diag.message : error_text(error)));
}

/* ---- a rule of a search ------------------------------------------------------------------ */

enum { DRAFT_MAX = 1024 * 1024, TITLE_MAX = 100 };

static int write_draft(struct searcher_work *w, struct buf *title, struct buf *date,
                       struct buf *ret, struct diag *diag)
{
    char id[EXCEPTION_ID + 1];
    (void)text_put_visible(title, slice_trim(w->query.filter_text), TITLE_MAX);
    time_write_rfc3339(date, clock_realtime(w->s->clock));
    int error = exception_id_make(id);
    return error ? error
                 : query_write_rule(ret, &w->query,
                                    &(struct query_rule_options){
                                        .title = buf_slice(title),
                                        .id = slice_of(id),
                                        .date = slice_until(buf_slice(date), strlen("2026-12-24")),
                                        .level = LEVEL_MEDIUM},
                                    diag);
}

static int draft(struct searcher_work *w, struct diag *diag)
{
    struct buf title, date, text;
    buf_init(&title, 4096);
    buf_init(&date, 64);
    buf_init(&text, DRAFT_MAX);
    int error = write_draft(w, &title, &date, &text, diag);
    if (error == 0) {
        buf_puts(&w->lines, "{\"draft\":{");
        json_write_member_string(&w->lines, "text", buf_slice(&text));
        buf_puts(&w->lines, "}}\n{\"end\":{\"how\":\"whole\"}}\n");
        error = searcher_send(w);
        if (error == 0) error = searcher_end(w, 200, 0, SLICE_NONE);
    } else {
        error = send_refusal(w, diag);
    }
    buf_done(&text);
    buf_done(&date);
    buf_done(&title);
    return error;
}

int searcher_run(void *ctx, struct channel *channel)
{
    struct searcher_work *w = calloc(1, sizeof *w);
    struct diag diag = {0};
    if (!w) return 1;
    w->s = ctx;
    w->channel = channel;
    buf_init(&w->lines, LINES_MAX);
    buf_init(&w->frame, SAY_MAX);
    if (confine(w->s) != 0) return 1;
    process_give_way();
    if (w->s->what == FIND_AUDIT) return review(w) != 0;
    if (w->s->what == FIND_RECORD) return searcher_record(w) != 0;
    if (w->s->what == FIND_VERIFY) return searcher_verify(w) != 0;
    if (w->s->what == FIND_EVIDENCE) return searcher_evidence(w) != 0;
    if (w->s->what == FIND_VERSION) return try_version(w) != 0;
    if (w->s->what == FIND_TRIAL || w->s->what == FIND_CHECK) return try(w, NULL) != 0;
    if (read_query(w, &diag) != 0) return send_refusal(w, &diag) != 0;
    return (w->s->what == FIND_DRAFT ? draft(w, &diag) : search(w)) != 0;
}
