/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Drills: a recorded attack goes the way of all records, by connections that mark what it leads to
 * as an exercise. One at a time, by hand or every drill.every.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/body.h"
#include "base/file.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/log.h"
#include "canary/drill.h"
#include "desk/desk.h"
#include "serve/canary.h"

enum {
    BODY_BYTES_MAX = 1024 * 1024, /* of lines that are posted at once */
    STATE_MAX = 64 * 1024,
    TRIES_MAX = 60, /* of one body */
    SPEED_MOST = 100000,
};

static struct drill_run *last_run(struct drill *d)
{
    return d->n_runs ? &d->runs[d->n_runs - 1] : NULL;
}

/* ---- what is kept ------------------------------------------------------------------------ */

static void put_run(struct buf *out, const struct drill_run *run)
{
    buf_putc(out, '{');
    json_write_member_u64(out, "id", run->id);
    json_write_member_string(out, "scenario", slice_of(run->scenario));
    json_write_member_string(out, "by", slice_of(run->by));
    json_write_member_u64(out, "speed", run->speed);
    json_write_member_u64(out, "begun", (uint64_t)run->begun);
    json_write_member_u64(out, "ended", (uint64_t)run->ended);
    json_write_member_u64(out, "records", run->records);
    json_write_member_u64(out, "sent", run->sent);
    json_write_member_u64(out, "left_out", run->left_out);
    json_write_member_string(out, "why", slice_of(run->why));
    buf_putc(out, '}');
}

static void put_runs(struct buf *out, const struct drill *d)
{
    buf_putc(out, '[');
    for (uint32_t i = 0; i < d->n_runs; i++) {
        if (i) buf_putc(out, ',');
        put_run(out, &d->runs[i]);
    }
    buf_putc(out, ']');
}

/* Behind a start: the plan, and since when the first one is waited for, as well as the runs. */
static void save(struct drill *d)
{
    struct buf text;
    buf_init(&text, STATE_MAX);
    buf_putc(&text, '{');
    json_write_member_u64(&text, "planned", (uint64_t)d->planned);
    json_write_member_string(&text, "planned_scenario", slice_of(d->planned_scenario));
    json_write_member_string(&text, "planned_by", slice_of(d->planned_by));
    json_write_member_u64(&text, "planned_speed", d->planned_speed);
    json_write_member_u64(&text, "waiting_since", (uint64_t)d->waiting_since);
    json_write_key(&text, "runs");
    put_runs(&text, d);
    buf_putc(&text, '}');
    int error = bookmark_put(&d->bookmark, buf_slice(&text));
    if (error == 0) error = bookmark_sync(&d->bookmark);
    if (error) role_alarm(d->role, "bookmark-failed", SLICE("what a drill came to is not kept"));
    buf_done(&text);
}

static void copy_text(struct slice object, const char *name, char *ret, size_t size)
{
    (void)slice_copy(json_member_text(object, name), ret, size);
}

/* One that did not come to its end ended with its process. */
static void read_runs(struct drill *d, struct slice text)
{
    struct slice runs, name, value;
    struct json_parts it;
    if (!json_find_member(text, "runs", NULL, &runs) || runs.ptr[0] != '[') return;
    json_parts_init(&it, runs);
    while (d->n_runs < DRILL_RUNS_MAX && json_parts_next(&it, &name, &value)) {
        struct drill_run *run = &d->runs[d->n_runs++];
        *run = (struct drill_run){.id = json_member_u64(value, "id"),
                                  .speed = (uint32_t)json_member_u64(value, "speed"),
                                  .begun = (nsec)json_member_u64(value, "begun"),
                                  .ended = (nsec)json_member_u64(value, "ended"),
                                  .records = (uint32_t)json_member_u64(value, "records"),
                                  .sent = (uint32_t)json_member_u64(value, "sent"),
                                  .left_out = (uint32_t)json_member_u64(value, "left_out")};
        copy_text(value, "scenario", run->scenario, sizeof run->scenario);
        copy_text(value, "by", run->by, sizeof run->by);
        copy_text(value, "why", run->why, sizeof run->why);
        if (run->ended) continue;
        run->ended = clock_realtime(&d->role->clock);
        (void)snprintf(run->why, sizeof run->why, "vaka serve was stopped");
    }
}

static void read_state(struct drill *d, struct slice text)
{
    d->planned = (nsec)json_member_u64(text, "planned");
    d->planned_speed = (uint32_t)json_member_u64(text, "planned_speed");
    d->waiting_since = (nsec)json_member_u64(text, "waiting_since");
    copy_text(text, "planned_scenario", d->planned_scenario, sizeof d->planned_scenario);
    copy_text(text, "planned_by", d->planned_by, sizeof d->planned_by);
    read_runs(d, text);
}

/* ---- beginning and ending ---------------------------------------------------------------- */

static void end(struct drill *d, const char *why)
{
    struct drill_run *run = last_run(d);
    run->ended = clock_realtime(&d->role->clock);
    (void)snprintf(run->why, sizeof run->why, "%s", why);
    wire_close(&d->lines);
    wire_close(&d->bodies);
    scenario_done(&d->scenario);
    d->running = false;
    log_write(LOG_DRILL_ENDED, LOG_NUMBER("id", run->id), LOG_NUMBER("sent", run->sent),
              LOG_TEXT("why", slice_of(why)));
    save(d);
}

static int load_file(struct drill *d, const char *scenario, const char *name)
{
    char path[2 * CONFIG_PATH_MAX];
    struct diag diag = {0};
    (void)snprintf(path, sizeof path, "%s/%s/%s", d->folder, scenario, name);
    buf_clear(&d->file);
    int error = file_read(path, &d->file, &diag);
    return error ? error : scenario_add(&d->scenario, slice_of(name), buf_slice(&d->file));
}

static int load(struct drill *d, const char *name)
{
    int error = scenario_init(&d->scenario);
    if (error) return error;
    for (size_t i = 0; i < d->n_files && error == 0; i++)
        if (strcmp(d->files[i].scenario, name) == 0) error = load_file(d, name, d->files[i].name);
    if (error == 0) error = scenario_finish(&d->scenario);
    if (error) scenario_done(&d->scenario);
    return error;
}

/* What is planned. */
static int begin(struct drill *d)
{
    int error = load(d, d->planned_scenario);
    if (error) return error;
    if (d->n_runs == DRILL_RUNS_MAX) memmove(d->runs, d->runs + 1, --d->n_runs * sizeof *d->runs);
    nsec now = clock_realtime(&d->role->clock);
    struct drill_run *run = &d->runs[d->n_runs++];
    *run = (struct drill_run){.id = (uint64_t)(now / NSEC_PER_SEC),
                              .begun = now,
                              .speed = d->planned_speed,
                              .records = d->scenario.n,
                              .left_out = d->scenario.left_out};
    memcpy(run->scenario, d->planned_scenario, sizeof run->scenario);
    memcpy(run->by, d->planned_by, sizeof run->by);
    log_write(LOG_DRILL_BEGUN, LOG_NUMBER("id", run->id),
              LOG_TEXT("scenario", slice_of(run->scenario)), LOG_TEXT("by", slice_of(run->by)));
    d->began = clock_monotonic(&d->role->clock);
    d->next = d->stored = 0;
    d->tries = 0;
    buf_clear(&d->waiting);
    buf_clear(&d->posted);
    d->running = true;
    save(d);
    return 0;
}

/* ---- sending ----------------------------------------------------------------------------- */

/* Acknowledged lines are not sent again; what was not when a connection ends is. */
static void lines_moved(void *ctx, bool ended)
{
    struct drill *d = ctx;
    int error = relp_sender_read(&d->relp, &d->lines.in);
    uint32_t stored = relp_sender_stored(&d->relp);
    if (!d->running) return;
    last_run(d)->sent += stored - d->stored;
    d->stored = stored;
    if (ended || error) {
        last_run(d)->lost += d->relp.sent > 1 ? d->relp.sent - 1 - stored : 0;
        wire_close(&d->lines);
    }
}

static void bodies_moved(void *ctx, bool ended)
{
    struct drill *d = ctx;
    unsigned status = wire_answer(&d->bodies, ended);
    if (!d->running || (!status && !ended)) return;
    if (status == 200) {
        last_run(d)->sent += d->n_posted;
        buf_clear(&d->posted);
        d->tries = 0;
    }
    wire_close(&d->bodies);
}

static bool send_line(struct drill *d, struct slice line)
{
    if (!wire_is_open(&d->lines)) {
        if (wire_open(&d->lines, LISTEN_RELP, RECORD_MARK_EXERCISE) != 0) return false;
        relp_sender_open(&d->relp, &d->lines.out);
        d->stored = 0;
    }
    if (d->lines.out.len > BODY_BYTES_MAX) return false;
    relp_sender_record(&d->relp, line, &d->lines.out);
    return true;
}

static bool hold_body(struct drill *d, struct slice line)
{
    if (d->waiting.len + line.len + 1 > BODY_BYTES_MAX && d->waiting.len) return false;
    buf_put(&d->waiting, line);
    buf_putc(&d->waiting, '\n');
    d->n_waiting++;
    return !buf_failed(&d->waiting);
}

static void send_due(struct drill *d)
{
    nsec passed = clock_monotonic(&d->role->clock) - d->began;
    uint32_t speed = last_run(d)->speed;
    while (d->next < d->scenario.n && scenario_due(&d->scenario, d->next, speed) <= passed) {
        const struct scenario_record *r = &d->scenario.records[d->next];
        if (!(r->body ? hold_body(d, r->line) : send_line(d, r->line))) break;
        d->next++;
    }
    wire_flush(&d->lines);
}

static void post(struct drill *d)
{
    if (wire_is_open(&d->bodies)) return;
    if (d->posted.len == 0 && d->waiting.len) {
        buf_put(&d->posted, buf_slice(&d->waiting));
        d->n_posted = d->n_waiting;
        buf_clear(&d->waiting);
        d->n_waiting = 0;
    }
    if (d->posted.len == 0) return;
    if (d->tries++ == TRIES_MAX) {
        end(d, "its records were not taken");
        return;
    }
    if (wire_open(&d->bodies, LISTEN_HTTP, RECORD_MARK_EXERCISE) != 0) return;
    wire_put_body(&d->bodies, buf_slice(&d->posted));
    wire_flush(&d->bodies);
}

static bool is_done(const struct drill *d)
{
    bool lines = !wire_is_open(&d->lines) || d->relp.answered == d->relp.sent;
    return d->next == d->scenario.n && !d->posted.len && !d->waiting.len && lines;
}

/* ---- when -------------------------------------------------------------------------------- */

static void plan(struct drill *d, nsec at, const char *scenario, uint64_t speed, struct slice by)
{
    d->planned = at;
    d->planned_speed = (uint32_t)(speed ? speed : (uint64_t)d->role->config.drill_speed);
    (void)snprintf(d->planned_scenario, sizeof d->planned_scenario, "%s", scenario);
    (void)slice_copy(slice_until(by, DRILL_BY_MAX - 1), d->planned_by, sizeof d->planned_by);
}

/* The one of drill.every, counted from the last one, whoever began it. */
static void plan_next(struct drill *d)
{
    const struct config *config = &d->role->config;
    nsec now = clock_realtime(&d->role->clock);
    const struct drill_run *run = last_run(d);
    if (!config->drill_every || d->planned || config->drill_scenario.n == 0) return;
    if (!run && d->waiting_since == 0) {
        d->waiting_since = now;
        save(d);
    }
    if (drill_is_due(config->drill_every, run ? run->begun : d->waiting_since, now))
        plan(d, now, config->drill_scenario.items[0], 0, SLICE("drill.every"));
}

void drill_tick(struct drill *d)
{
    if (!d->running) plan_next(d);
    if (!d->running && d->planned && clock_realtime(&d->role->clock) >= d->planned) {
        int error = begin(d);
        d->planned = 0;
        save(d);
        if (error) role_alarm(d->role, "drill-failed", slice_of(error_text(error)));
    }
    if (!d->running) return;
    send_due(d);
    post(d);
    if (d->running && is_done(d)) end(d, last_run(d)->lost ? "some records were lost" : "");
}

/* ---- what is told ------------------------------------------------------------------------- */

static void put_scenarios(const struct drill *d, struct buf *out)
{
    const char *before = "";
    json_write_key(out, "scenarios");
    buf_putc(out, '[');
    for (size_t i = 0; i < d->n_files; i++) {
        if (strcmp(d->files[i].scenario, before) == 0) continue;
        if (before[0]) buf_putc(out, ',');
        before = d->files[i].scenario;
        json_write_string(out, slice_of(before));
    }
    buf_putc(out, ']');
}

static void put_drills(const struct drill *d, struct buf *out)
{
    buf_putc(out, '{');
    json_write_member_string(out, "folder", slice_of(d->folder ? d->folder : ""));
    put_scenarios(d, out);
    json_write_key(out, "running");
    buf_puts(out, d->running ? "true" : "false");
    json_write_member_u64(out, "planned", (uint64_t)d->planned);
    json_write_member_string(out, "planned_scenario",
                             d->planned ? slice_of(d->planned_scenario) : SLICE_NONE);
    json_write_key(out, "runs");
    put_runs(out, d);
    buf_putc(out, '}');
}

void drill_status(const struct drill *d, struct buf *out)
{
    json_write_key(out, "drills");
    put_drills(d, out);
}

/* As who asks over the API reads it. */
static void put_answer(const struct drill *d, struct buf *out)
{
    struct buf said;
    buf_init(&said, STATE_MAX);
    put_drills(d, &said);
    json_write_key(out, "drills");
    drills_write(out, buf_slice(&said));
    buf_done(&said);
}

/* ---- what people do ---------------------------------------------------------------------- */

static bool is_known(const struct drill *d, const char *name)
{
    for (size_t i = 0; i < d->n_files; i++)
        if (strcmp(d->files[i].scenario, name) == 0) return true;
    return false;
}

static unsigned plan_run(struct drill *d, struct slice actor, struct body *b)
{
    nsec now = clock_realtime(&d->role->clock);
    char name[DRILL_NAME_MAX] = "";
    struct slice scenario = body_text(b, "scenario", DRILL_NAME_MAX - 1, true);
    uint64_t speed = body_number(b, "speed", false);
    nsec at = body_has(b, "at") ? body_time_to_come(b, "at", now) : now;
    (void)slice_copy(scenario, name, sizeof name);
    if (speed > SPEED_MOST) body_wrong(b, "speed", "it is above %d", SPEED_MOST);
    if (!b->member && !is_known(d, name))
        body_wrong(b, "scenario", "%s has no recording of that name", d->folder);
    if (!body_end(b)) return DESK_INVALID;
    if (d->running) {
        body_wrong(b, "scenario", "a drill runs already");
        return DESK_CONFLICT;
    }
    plan(d, at, name, speed, actor);
    if (at == now) drill_tick(d);
    else save(d);
    return DESK_DONE;
}

static unsigned stop_run(struct drill *d, struct body *b)
{
    if (!body_end(b)) return DESK_INVALID;
    d->planned = 0;
    if (d->running) end(d, "it was stopped");
    else save(d);
    return DESK_DONE;
}

unsigned drill_act(struct drill *d, struct slice kind, struct slice actor, struct slice text,
                   struct buf *out)
{
    struct body b;
    body_init(&b, text);
    unsigned status = slice_eq(kind, SLICE("drill_run"))    ? plan_run(d, actor, &b)
                      : slice_eq(kind, SLICE("drill_stop")) ? stop_run(d, &b)
                                                            : DESK_UNKNOWN;
    buf_putc(out, '{');
    if (status == DESK_DONE) {
        put_answer(d, out);
    } else {
        json_write_member_string(out, "member", slice_of(b.member ? b.member : ""));
        json_write_member_string(out, "message", slice_of(b.message));
    }
    buf_putc(out, '}');
    body_done(&b);
    return status;
}

/* ---- what it needs ----------------------------------------------------------------------- */

/* Recordings are listed before the sandbox, which lists nothing. */
static int list_scenario(struct drill *d, const char *scenario)
{
    const char *path = arena_printf(&d->role->config.arena, "%s/%s", d->folder, scenario);
    DIR *folder = path ? opendir(path) : NULL;
    if (!folder) return path ? 0 : ERR_NOMEM;
    for (struct dirent *e; (e = readdir(folder)) != NULL && d->n_files < DRILL_FILES_MAX;) {
        struct drill_file *f = &d->files[d->n_files];
        if (e->d_name[0] == '.' || strlen(e->d_name) >= sizeof f->name) continue;
        (void)snprintf(f->scenario, sizeof f->scenario, "%s", scenario);
        (void)snprintf(f->name, sizeof f->name, "%s", e->d_name);
        d->n_files++;
    }
    (void)closedir(folder);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct drill_file *x = a, *y = b;
    int order = strcmp(x->scenario, y->scenario);
    return order ? order : strcmp(x->name, y->name);
}

static int list_all(struct drill *d)
{
    DIR *folder = opendir(d->folder);
    int error = 0;
    if (!folder) return 0;
    for (struct dirent *e; error == 0 && (e = readdir(folder)) != NULL;)
        if (e->d_name[0] != '.' && strlen(e->d_name) < DRILL_NAME_MAX)
            error = list_scenario(d, e->d_name);
    (void)closedir(folder);
    qsort(d->files, d->n_files, sizeof *d->files, by_name);
    return error;
}

int drill_prepare(struct drill *d, struct role *r, struct diag *diag)
{
    const char *folder = role_make_folder(r, "canary", diag);
    const char *path = arena_printf(&r->config.arena, "%s/drills", folder ? folder : "");
    if (!folder || !path) return ERR_ACCESS;
    d->role = r;
    d->folder = r->config.drill_folder.items[0];
    buf_init(&d->file, SCENARIO_FILE_MAX);
    buf_init(&d->waiting, 2 * (size_t)BODY_BYTES_MAX);
    buf_init(&d->posted, 2 * (size_t)BODY_BYTES_MAX);
    wire_init(&d->lines, r, lines_moved, d);
    wire_init(&d->bodies, r, bodies_moved, d);
    int error = bookmark_open(&d->bookmark, path, &d->file, diag);
    if (error) return error;
    read_state(d, buf_slice(&d->file));
    error = list_all(d);
    if (d->n_files) role_keep_path(r, d->folder);
    return error;
}

void drill_stop(struct drill *d)
{
    if (d->running) end(d, "vaka serve was stopped");
}
