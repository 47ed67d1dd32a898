/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * New and changed rules, run over what is stored (retro/pass.h). A process that is forked from this
 * one reads the rules, which no process in its sandbox could, and does the work; this one stays to
 * be asked, holds it up while matching is behind, and hands what was found to triage. New rules
 * begin with a new pair of both: what was begun is in the book.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_write.h"
#include "base/time.h"
#include "proc/process.h"
#include "proc/worker.h"
#include "retro/pass.h"
#include "serve/role.h"

enum {
    ALERT_MAX = 256 * 1024,
    LOOK_EVERY = 50,   /* ms: at how matching keeps up */
    BEHIND_FROM = 100, /* ms that a record waits to be matched */
    BEHIND_FOR = 1000, /* ms that it holds off, behind the last word of that */
    AGAIN_AFTER = 60,  /* s, when it could not go on */
    TITLE_MAX = 512,
};

struct retro_ctx {
    pid_t pid; /* of who does the work; 0: nobody */
    struct link link;
    struct retro_page *page;
    const char *folder, *store;
    int null_fd;
    nsec now;          /* when the rules were read */
    nsec behind_until; /* monotonic: it waits */
    struct loop_timer look, again;
    struct buf told; /* an alert that triage has not confirmed, as a frame */
    uint64_t alerts, waits;
    bool failed, closed; /* closed: its end is looked for */
};

/* ---- who does the work ------------------------------------------------------------------- */

struct worker_side {
    struct role *role;
    struct channel *channel;
    struct buf out, line;
};

static int send_frame(struct worker_side *w)
{
    int error = buf_error(&w->out);
    if (error == 0) error = channel_send(w->channel, buf_slice(&w->out), -1);
    buf_clear(&w->out);
    return error;
}

static int send_alarm(struct worker_side *w, const char *event, const char *text)
{
    say_alarm_write(&w->out, &(struct say_alarm){.event = slice_of(event), .text = slice_of(text)});
    return send_frame(w);
}

static int wait_until_heard(struct worker_side *w)
{
    struct frame frame;
    int got;
    while ((got = channel_next(w->channel, &frame)) == 0) {
        int error = channel_fill(w->channel);
        if (error) return error;
    }
    return got > 0 && frame.type == SAY_HEARD ? 0 : ERR_CORRUPT;
}

static void put_time(struct buf *out, const char *key, nsec time)
{
    json_write_key(out, key);
    buf_putc(out, '"');
    time_write_rfc3339(out, time);
    buf_putc(out, '"');
}

static void put_match(struct buf *out, const char *field, struct slice value)
{
    buf_puts(out, out->ptr[out->len - 1] == '[' ? "{" : ",{");
    json_write_member_string(out, "field", slice_of(field));
    json_write_member_string(out, "value", value);
    buf_puts(out, ",\"pattern\":\"\"}");
}

static void put_match_time(struct buf *out, const char *field, nsec time)
{
    struct buf text;
    buf_init(&text, 64);
    time_write_rfc3339(&text, time);
    put_match(out, field, buf_slice(&text));
    buf_done(&text);
}

static void put_match_count(struct buf *out, const char *field, uint64_t count)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)count);
    put_match(out, field, slice_make(text, (size_t)n));
}

/* As an alert of a record is written. */
static void write_line(struct buf *out, const struct sigma_doc *doc, struct slice title,
                       const struct retro_rule *rule)
{
    buf_clear(out);
    buf_putc(out, '{');
    put_time(out, "time", rule->looked);
    buf_puts(out, ",\"rule\":{");
    json_write_member_string(out, "id", SLICE("vaka.retro"));
    json_write_member_string(out, "title", title);
    json_write_member_string(out, "level", slice_of(sigma_level_name(doc->level)));
    buf_puts(out, ",\"tags\":[],\"file\":null},\"host\":null");
    put_time(out, "received", rule->looked);
    buf_puts(out, ",\"source\":null,\"matched\":[");
    put_match(out, "rule", doc->id.len ? doc->id : doc->title);
    put_match_count(out, "matches", rule->matches);
    put_match_time(out, "first", rule->first);
    put_match_time(out, "last", rule->last);
    put_match_count(out, "alerts", rule->alerts);
    put_match_time(out, "from", rule->from);
    put_match_time(out, "to", rule->to);
    buf_puts(out, "],\"event\":null}\n");
}

/* Returns when triage has it in the database. */
static int on_found(void *ctx, const struct sigma_doc *doc, const struct retro_rule *rule)
{
    struct worker_side *w = ctx;
    struct buf title, entity;
    buf_init(&title, TITLE_MAX + 64);
    buf_init(&entity, 64);
    sigma_digest_write(&entity, &rule->digest);
    buf_puts(&title, "In the past: ");
    buf_put(&title, slice_until(doc->title, TITLE_MAX));
    write_line(&w->line, doc, buf_slice(&title), rule);
    say_alert_write(&w->out, &(struct say_alert){.count = 1,
                                                 .level = (uint8_t)doc->level,
                                                 .time = rule->looked,
                                                 .received = rule->looked,
                                                 .rule = SLICE("vaka.retro"),
                                                 .title = buf_slice(&title),
                                                 .entity = buf_slice(&entity),
                                                 .line = buf_slice(&w->line)});
    buf_done(&title);
    buf_done(&entity);
    int error = buf_error(&w->line);
    if (error == 0) error = send_frame(w);
    return error ? error : wait_until_heard(w);
}

static int confine(void *ctx)
{
    const struct worker_side *w = ctx;
    const struct retro_ctx *c = w->role->ctx;
    const struct sandbox_files files = {
        .paths = &c->store, .n_paths = 1, .folders = &c->folder, .n_folders = 1};
    return w->role->sandboxed ? sandbox_enter(SANDBOX_REVIEWER, &files, NULL) : 0;
}

/* It ends with who started it, also where the kernel does not see to that. */
static int on_tick(void *ctx)
{
    const struct worker_side *w = ctx;
    struct pollfd parent = {.fd = w->channel->fd};
    return poll(&parent, 1, 0) > 0 ? ERR_STOPPED : 0;
}

/* A book that cannot be read is kept beside the new one. */
static int open_book(struct worker_side *w, int folder, struct retro_book *ret, struct diag *diag)
{
    const struct retro_ctx *c = w->role->ctx;
    char path[PATH_MAX], text[sizeof diag->message + 128];
    int n = snprintf(path, sizeof path, "%s/" RETRO_BOOK, c->folder);
    if (n < 0 || (size_t)n >= sizeof path) return ERR_LIMIT;
    int error = retro_book_load(ret, path, diag);
    if (error == 0) return 0;
    retro_book_done(ret);
    if (error == ERR_NOT_FOUND) return 0;
    if (error != ERR_CORRUPT && error != ERR_LIMIT) return error;
    (void)snprintf(text, sizeof text,
                   "%s: it is kept as " RETRO_BOOK ".damaged, and every rule is looked at again",
                   diag->message);
    if (renameat(folder, RETRO_BOOK, folder, RETRO_BOOK ".damaged") != 0) return ERR_IO;
    return send_alarm(w, "retro-book-damaged", text);
}

static int look_back(struct worker_side *w, struct diag *diag)
{
    const struct retro_ctx *c = w->role->ctx;
    struct retro_book book = {0};
    int folder = open(c->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* /dev/null is in place of standard output. */
    const struct retro_options options = {.config = &w->role->config,
                                          .store = c->store,
                                          .folder = folder,
                                          .book = &book,
                                          .page = c->page,
                                          .clock = &w->role->clock,
                                          .now = c->now,
                                          .null_fd = STDOUT_FILENO,
                                          .ctx = w,
                                          .confine = confine,
                                          .tick = on_tick,
                                          .found = on_found};
    if (folder < 0)
        return diag_set(diag, ERR_ACCESS, NULL, 0, 0, "%s: %s", c->folder, strerror(errno));
    /* Who was here before may still be about to end. */
    int error = flock(folder, LOCK_EX) == 0 ? open_book(w, folder, &book, diag) : ERR_IO;
    if (error == 0) error = retro_run(&options, diag);
    retro_book_done(&book);
    return error;
}

static int run_worker(void *ctx, struct channel *channel)
{
    struct worker_side w = {.role = ctx, .channel = channel};
    struct diag diag = {0};
    process_give_way();
    buf_init(&w.out, SAY_MAX);
    buf_init(&w.line, ALERT_MAX);
    int error = look_back(&w, &diag);
    if (error == 0) return 0;
    (void)send_alarm(&w, "retro-failed", diag.message[0] ? diag.message : error_text(error));
    return 1;
}

/* ---- from it, and to triage -------------------------------------------------------------- */

/* The alert that waits, to a triage that may be another one than before. */
static void pass_alert(struct role *r)
{
    struct retro_ctx *c = r->ctx;
    struct link *triage = role_link(r, ROLE_TRIAGE);
    if (!link_is_open(triage) || c->told.len == 0) return;
    buf_put(link_out(triage), buf_slice(&c->told));
    link_flush(triage);
}

static int worker_frame(void *ctx, const struct frame *frame)
{
    struct role *r = ctx;
    struct retro_ctx *c = r->ctx;
    struct say_alarm alarm;
    struct say_alert alert;
    if (frame->type == SAY_ALARM && say_alarm_read(frame->payload, &alarm) == 0) {
        role_alarm(
            r, slice_eq(alarm.event, SLICE("retro-failed")) ? "retro-failed" : "retro-book-damaged",
            alarm.text);
        return 0;
    }
    if (frame->type != SAY_ALERT || c->told.len || say_alert_read(frame->payload, &alert) != 0)
        return ERR_CORRUPT;
    say_alert_write(&c->told, &alert);
    if (buf_failed(&c->told)) return ERR_LIMIT;
    pass_alert(r);
    return 0;
}

/* It is done, or begins anew later with all of this. */
static void worker_ended(struct role *r, int status)
{
    struct retro_ctx *c = r->ctx;
    char how[80];
    c->pid = 0;
    loop_timer_stop(r->loop, &c->look);
    if (__atomic_load_n(&c->page->doing, __ATOMIC_ACQUIRE) == RETRO_DONE) return;
    c->failed = true;
    worker_describe(status, how, sizeof how);
    if (!WIFEXITED(status)) role_alarm(r, "retro-failed", slice_of(how));
    if (loop_timer_set(r->loop, &c->again, AGAIN_AFTER * NSEC_PER_SEC, 0) != 0)
        role_end(r, ERR_LIMIT);
}

/* Its end is not waited for: without a processor to spare it may take long even to be killed. */
static void worker_closed(void *ctx, int why)
{
    struct role *r = ctx;
    struct retro_ctx *c = r->ctx;
    (void)why;
    (void)kill(c->pid, SIGKILL);
    c->closed = true;
}

/* Who begins anew reads the rules anew. */
static void begin_anew(void *ctx)
{
    role_end(ctx, 0);
}

static int retro_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct retro_ctx *c = r->ctx;
    struct say_pace pace;
    if (peer == ROLE_STORE && frame->type == SAY_PACE) {
        if (say_pace_read(frame->payload, &pace) != 0) return ERR_CORRUPT;
        if (pace.age >= BEHIND_FROM * NSEC_PER_MSEC)
            c->behind_until = clock_monotonic(&r->clock) + BEHIND_FOR * NSEC_PER_MSEC;
        return 0;
    }
    if (peer != ROLE_TRIAGE || frame->type != SAY_HEARD || c->told.len == 0) return ERR_CORRUPT;
    buf_clear(&c->told);
    c->alerts++;
    if (!link_is_open(&c->link)) return 0;
    say_heard_write(link_out(&c->link), &(struct say_heard){});
    link_flush(&c->link);
    return 0;
}

static void retro_peer(struct role *r, enum serve_role peer)
{
    if (peer == ROLE_TRIAGE) pass_alert(r);
}

/* ---- its share, and its end --------------------------------------------------------------- */

static void look_at_pace(void *ctx)
{
    struct role *r = ctx;
    struct retro_ctx *c = r->ctx;
    int status;
    if (c->closed && waitpid(c->pid, &status, WNOHANG) == c->pid) {
        worker_ended(r, status);
        return;
    }
    bool behind = clock_monotonic(&r->clock) < c->behind_until;
    uint32_t share = behind ? 0 : (uint32_t)r->config.retro_share * 10;
    c->waits += behind && c->pid && c->page->share != 0;
    __atomic_store_n(&c->page->share, share, __ATOMIC_RELAXED);
}

/* ---- the role ---------------------------------------------------------------------------- */

static int start_worker(struct role *r)
{
    struct retro_ctx *c = r->ctx;
    static const struct link_events events = {.frame = worker_frame, .closed = worker_closed};
    int fd;
    link_init(&c->link, r->loop, &events, r);
    int error = worker_fork(&(struct worker_spec){.run = run_worker,
                                                  .ctx = r,
                                                  .unconfined = true,
                                                  .max_payload = SAY_MAX,
                                                  .null_fd = c->null_fd},
                            &c->pid, &fd);
    return error ? error : link_open(&c->link, fd, SAY_MAX, ROLE_OUT_MAX);
}

static int retro_prepare(struct role *r, struct diag *diag)
{
    struct retro_ctx *c = r->ctx;
    buf_init(&c->told, SAY_MAX);
    c->look = (struct loop_timer){.due = look_at_pace, .ctx = r};
    c->again = (struct loop_timer){.due = begin_anew, .ctx = r};
    c->page =
        mmap(NULL, sizeof *c->page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    c->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (c->page == MAP_FAILED || c->null_fd < 0) return ERR_LIMIT;
    c->page->doing = RETRO_DONE;
    if (r->config.retro_days == 0) return 0;
    c->page->doing = RETRO_READS_RULES;
    c->folder = role_make_folder(r, RETRO_FOLDER, diag);
    c->store = role_store_folder(r, diag);
    if (!c->folder || !c->store) return ERR_ACCESS;
    c->now = clock_realtime(&r->clock);
    look_at_pace(r);
    return start_worker(r);
}

static int retro_start(struct role *r)
{
    struct retro_ctx *c = r->ctx;
    nsec every = LOOK_EVERY * NSEC_PER_MSEC;
    return c->pid ? loop_timer_set(r->loop, &c->look, every, every) : 0;
}

static const char *state_of(const struct role *r)
{
    const struct retro_ctx *c = r->ctx;
    static const char *const words[] = {"reading", "running", "telling", "idle"};
    uint32_t doing = __atomic_load_n(&c->page->doing, __ATOMIC_RELAXED);
    if (r->config.retro_days == 0) return "off";
    if (c->failed) return "failed";
    if (doing == RETRO_RUNS && c->page->share == 0) return "waiting";
    return words[doing <= RETRO_DONE ? doing : RETRO_DONE];
}

static uint64_t shown(const uint64_t *place)
{
    return __atomic_load_n(place, __ATOMIC_RELAXED);
}

static void put_seconds(struct buf *out, const char *key, nsec time)
{
    json_write_member_u64(out, key, time > 0 ? (uint64_t)(time / NSEC_PER_SEC) : 0);
}

static void retro_status(struct role *r, struct buf *out)
{
    const struct retro_ctx *c = r->ctx;
    const struct retro_page *p = c->page;
    uint64_t bytes = shown(&p->bytes), total = shown(&p->bytes_total);
    json_write_member_string(out, "state", slice_of(state_of(r)));
    json_write_member_u64(out, "days", r->config.retro_days);
    json_write_member_u64(out, "share_percent", r->config.retro_share);
    json_write_member_u64(out, "rules", p->rules);
    json_write_member_u64(out, "rules_found", p->found);
    json_write_member_u64(out, "done_percent", total ? bytes * 100 / total : 100);
    json_write_member_u64(out, "bytes", bytes);
    json_write_member_u64(out, "bytes_all", total);
    json_write_member_u64(out, "blocks_read", shown(&p->read));
    json_write_member_u64(out, "blocks_passed", shown(&p->passed));
    json_write_member_u64(out, "records", shown(&p->records));
    json_write_member_u64(out, "matches", shown(&p->matches));
    json_write_member_u64(out, "damaged", shown(&p->damaged));
    json_write_member_u64(out, "cpu_ms", (uint64_t)(p->cpu / NSEC_PER_MSEC));
    json_write_member_u64(out, "waits", c->waits);
    json_write_member_u64(out, "told", c->alerts);
    put_seconds(out, "from", p->from);
    put_seconds(out, "to", p->to);
}

static void retro_stop(struct role *r)
{
    const struct retro_ctx *c = r->ctx;
    /* As above; who comes next waits for its lock. */
    if (c->pid) (void)kill(c->pid, SIGKILL);
    role_end(r, 0);
}

const struct role_ops role_retro = {
    .ctx_size = sizeof(struct retro_ctx),
    .prepare = retro_prepare,
    .start = retro_start,
    .peer = retro_peer,
    .frame = retro_frame,
    .status = retro_status,
    .stop = retro_stop,
};
