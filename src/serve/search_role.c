/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The process that reads the records for who asks the API, and writes down who did (audit/audit.h):
 * before anything is read, a line of it is durable. Each search is a process that is forked from
 * this one, a few at a time; it stands still while who asked does not take what was found, and ends
 * with him.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/audit.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/time.h"
#include "base/zone.h"
#include "proc/worker.h"
#include "serve/role.h"
#include "serve/searcher.h"

enum {
    SEARCHES_MAX = 4,
    PER_USER_MAX = 2,
    UNTAKEN_MAX = 1024 * 1024, /* bytes that were found and not taken */
    VERIFIED_MAX = 32 * 1024,
    NAME_SHOWN = 128,
};
#define VERIFIED_FILE "last.json"
#define YEAR          (366 * INT64_C(86400) * NSEC_PER_SEC)

struct searching {
    struct role *role;
    uint64_t id; /* web's; 0: free */
    uint64_t user;
    unsigned what; /* FIND_RECORDS … */
    char name[NAME_SHOWN + 1];
    pid_t pid;
    struct link link;
    uint64_t untaken;
    struct audit audit;
    bool finished;
};

struct search_ctx {
    struct searching searches[SEARCHES_MAX];
    struct ruleset in_force, rules; /* the second without rules, and of the first */
    struct zone zone;
    bool has_zone;
    const char *store, *audit, *library;
    struct buf verified; /* the last result of a verification, an object; empty: there is none */
    int verify_fd;       /* the folder that it is kept in */
    int null_fd;
    uint32_t uid;
    uint64_t begun, refused, ended, looked;
};

/* ---- who looked -------------------------------------------------------------------------- */

struct look {
    const char *what;
    struct slice user, query, purpose;
    nsec from, to;
};

static int write_down(struct role *r, const struct look *look, struct audit *ret)
{
    const struct search_ctx *c = r->ctx;
    struct diag diag = {0};
    const struct audit_entry entry = {.what = look->what,
                                      .uid = c->uid,
                                      .user = look->user,
                                      .query = look->query,
                                      .purpose = look->purpose,
                                      .now = clock_realtime(&r->clock),
                                      .from = look->from,
                                      .to = look->to};
    int error = audit_begin(r->config.serve_folder.items[0], &entry, ret, &diag);
    if (error) role_alarm(r, "audit-failed", slice_of(diag.message));
    return error;
}

static void write_end(struct role *r, const struct audit *audit, const char *how, uint64_t found)
{
    struct diag diag = {0};
    if (audit_end(audit, clock_realtime(&r->clock), how, found, &diag) != 0)
        role_alarm(r, "audit-failed", slice_of(diag.message));
}

/* ---- to web ------------------------------------------------------------------------------ */

static void tell_finished(struct role *r, uint64_t id, unsigned status, uint64_t found,
                          struct slice text)
{
    struct link *link = role_link(r, ROLE_WEB);
    if (!link_is_open(link)) return;
    say_finished_write(
        link_out(link),
        &(struct say_finished){.id = id, .status = status, .found = found, .text = text});
    link_flush(link);
}

static void refuse(struct role *r, uint64_t id, unsigned status, const char *why)
{
    struct search_ctx *c = r->ctx;
    c->refused++;
    tell_finished(r, id, status, 0, slice_of(why));
}

/* ---- searches ---------------------------------------------------------------------------- */

static struct searching *find(struct search_ctx *c, uint64_t id)
{
    for (size_t i = 0; i < SEARCHES_MAX; i++)
        if (c->searches[i].id == id) return &c->searches[i];
    return NULL;
}

/* It is over, with who does it. */
static void end(struct searching *s, const char *how, uint64_t found)
{
    struct role *r = s->role;
    struct search_ctx *c = r->ctx;
    link_close(&s->link);
    (void)kill(s->pid, SIGKILL);
    (void)waitpid(s->pid, NULL, 0);
    write_end(r, &s->audit, how, found);
    s->id = 0;
    c->ended++;
}

static int pass_found(struct searching *s, const struct frame *frame)
{
    struct link *web = role_link(s->role, ROLE_WEB);
    struct say_found m;
    if (say_found_read(frame->payload, &m) != 0 || m.id != s->id) return ERR_CORRUPT;
    if (!link_is_open(web)) return ERR_STOPPED;
    say_found_write(link_out(web), &m);
    link_flush(web);
    s->untaken += m.lines.len;
    link_pause(&s->link, s->untaken > (uint64_t)UNTAKEN_MAX);
    return 0;
}

/* {"end":{"how":"whole","verdict":…}}: what is in it, with when and by whom, is the last result. */
static void keep_verified(const struct searching *s, struct slice text)
{
    struct role *r = s->role;
    struct search_ctx *c = r->ctx;
    struct slice end;
    if (!json_find_member(slice_trim(text), "end", NULL, &end) || end.len < 2) return;
    buf_clear(&c->verified);
    buf_puts(&c->verified, "{\"at\":\"");
    time_write_rfc3339(&c->verified, clock_realtime(&r->clock));
    buf_puts(&c->verified, "\"");
    json_write_member_string(&c->verified, "by", slice_of(s->name));
    buf_putc(&c->verified, ',');
    buf_put(&c->verified, slice_from(end, 1));
    if (folder_replace(c->verify_fd, VERIFIED_FILE, buf_slice(&c->verified)) != 0)
        role_alarm(r, "verified-not-kept", slice_of(strerror(errno)));
}

static int child_frame(void *ctx, const struct frame *frame)
{
    struct searching *s = ctx;
    struct say_finished m;
    if (frame->type == SAY_FOUND) return pass_found(s, frame);
    if (frame->type != SAY_FINISHED || say_finished_read(frame->payload, &m) != 0 || m.id != s->id)
        return ERR_CORRUPT;
    tell_finished(s->role, s->id, m.status, m.found, m.text);
    if (s->what == FIND_VERIFY && m.status == 200) keep_verified(s, m.text);
    s->finished = true;
    end(s, m.status == 200 ? "whole" : "refused", m.found);
    return 0;
}

static void child_closed(void *ctx, int why)
{
    struct searching *s = ctx;
    (void)why;
    if (!s->id) return;
    tell_finished(s->role, s->id, 503, 0, SLICE("the search ended early"));
    end(s, "failed", 0);
}

static const struct link_events child_events = {.frame = child_frame, .closed = child_closed};

static int start(struct searching *s, const struct say_find *m)
{
    struct role *r = s->role;
    struct search_ctx *c = r->ctx;
    int fd;
    struct searcher searcher = {.id = m->id,
                                .rules = &c->rules,
                                .in_force = &c->in_force,
                                .config = &r->config,
                                .clock = &r->clock,
                                .zone = c->has_zone ? &c->zone : NULL,
                                .what = m->what,
                                .store = c->store,
                                .audit = c->audit,
                                .library = c->library,
                                .query = m->query,
                                .name = m->name,
                                .purpose = m->purpose,
                                .from = m->from,
                                .to = m->to,
                                .sandboxed = r->sandboxed};
    int error = worker_fork(&(struct worker_spec){.run = searcher_run,
                                                  .ctx = &searcher,
                                                  .unconfined = true,
                                                  .max_payload = SAY_MAX,
                                                  .null_fd = c->null_fd},
                            &s->pid, &fd);
    if (error) return error;
    error = link_open(&s->link, fd, SAY_MAX, ROLE_OUT_MAX);
    if (error == 0) return 0;
    (void)kill(s->pid, SIGKILL);
    (void)waitpid(s->pid, NULL, 0);
    return error;
}

static bool has_room(const struct search_ctx *c, uint64_t user)
{
    unsigned all = 0, own = 0;
    for (size_t i = 0; i < SEARCHES_MAX; i++) {
        all += c->searches[i].id != 0;
        own += c->searches[i].id != 0 && c->searches[i].user == user;
    }
    return all < SEARCHES_MAX && own < PER_USER_MAX;
}

static int take_find(struct role *r, const struct frame *frame)
{
    struct search_ctx *c = r->ctx;
    struct say_find m;
    if (say_find_read(frame->payload, &m) != 0 || m.id == 0 || find(c, m.id) ||
        m.what >= FIND_COUNT)
        return ERR_CORRUPT;
    /* The audit log has no tenants: it is whose the records are. */
    if (m.tenant != 0) {
        refuse(r, m.id, 404, "there are no records of this tenant");
        return 0;
    }
    if (!has_room(c, m.user)) {
        refuse(r, m.id, 429, "as many searches as may run at once do");
        return 0;
    }
    struct searching *s = find(c, 0);
    static const char *const words[FIND_COUNT] = {
        [FIND_RECORDS] = "search",     [FIND_AUDIT] = "audit",
        [FIND_TRIAL] = "rules try",    [FIND_CHECK] = "rules check",
        [FIND_DRAFT] = "rules draft",  [FIND_RECORD] = "record",
        [FIND_VERIFY] = "verify",      [FIND_EVIDENCE] = "export evidence",
        [FIND_VERSION] = "rules noise"};
    bool in_force = m.what == FIND_TRIAL && m.query.len == 0;
    const struct look look = {.what = words[in_force ? FIND_VERSION : m.what],
                              .user = m.name,
                              .query = m.said.len ? m.said : m.query,
                              .purpose = m.purpose,
                              .from = m.from,
                              .to = m.to};
    if (write_down(r, &look, &s->audit) != 0) {
        refuse(r, m.id, 503, "without its line in the audit log nothing is read");
        return 0;
    }
    s->id = m.id;
    s->user = m.user;
    s->what = m.what;
    (void)snprintf(s->name, sizeof s->name, "%.*s", SLICE_FMT(slice_until(m.name, NAME_SHOWN)));
    s->untaken = 0;
    s->finished = false;
    c->begun++;
    if (start(s, &m) == 0) return 0;
    write_end(r, &s->audit, "failed", 0);
    s->id = 0;
    refuse(r, m.id, 503, "there is no process for it");
    return 0;
}

static int take_taken(struct role *r, const struct frame *frame)
{
    struct say_taken m;
    if (say_taken_read(frame->payload, &m) != 0 || m.id == 0) return ERR_CORRUPT;
    struct searching *s = find(r->ctx, m.id);
    if (!s) return 0;
    if (m.bytes > s->untaken) return ERR_CORRUPT;
    s->untaken -= m.bytes;
    link_pause(&s->link, s->untaken > (uint64_t)UNTAKEN_MAX);
    return 0;
}

static int take_cease(struct role *r, const struct frame *frame)
{
    struct say_cease m;
    if (say_cease_read(frame->payload, &m) != 0 || m.id == 0) return ERR_CORRUPT;
    struct searching *s = find(r->ctx, m.id);
    if (s) end(s, "interrupted", 0);
    return 0;
}

/* ---- looks ------------------------------------------------------------------------------- */

/* What is looked at is in the database that web reads: it is one thing, and was there. */
static int take_look(struct role *r, const struct frame *frame)
{
    struct search_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_WEB);
    struct say_look m;
    struct audit audit;
    if (say_look_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    const struct look look = {.what = "alert",
                              .user = m.name,
                              .query = m.query,
                              .purpose = m.purpose,
                              .from = INT64_MIN,
                              .to = INT64_MAX};
    int error = write_down(r, &look, &audit);
    if (error == 0) write_end(r, &audit, "whole", 1);
    c->looked += error == 0;
    say_looked_write(link_out(link), &(struct say_looked){.id = m.id, .written = error == 0});
    link_flush(link);
    return 0;
}

static int search_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    if (peer != ROLE_WEB) return ERR_CORRUPT;
    if (frame->type == SAY_FIND) return take_find(r, frame);
    if (frame->type == SAY_TAKEN) return take_taken(r, frame);
    if (frame->type == SAY_CEASE) return take_cease(r, frame);
    if (frame->type == SAY_LOOK) return take_look(r, frame);
    return ERR_CORRUPT;
}

/* ---- the role ---------------------------------------------------------------------------- */

static void end_all(struct role *r)
{
    struct search_ctx *c = r->ctx;
    for (size_t i = 0; i < SEARCHES_MAX; i++)
        if (c->searches[i].id) end(&c->searches[i], "interrupted", 0);
}

static void search_lost(struct role *r, enum serve_role peer)
{
    if (peer == ROLE_WEB) end_all(r);
}

static int read_zone(struct role *r, struct diag *diag)
{
    struct search_ctx *c = r->ctx;
    if (!r->config.health_zone.n) return 0;
    c->has_zone = true;
    return zone_read(&c->zone, r->config.health_zone.items[0], clock_realtime(&r->clock) - 2 * YEAR,
                     diag);
}

/* One that is damaged is none. */
static int read_verified(struct role *r, struct diag *diag)
{
    struct search_ctx *c = r->ctx;
    const char *folder = role_make_folder(r, "verify", diag);
    if (!folder) return ERR_ACCESS;
    role_keep_folder(r, folder);
    buf_init(&c->verified, VERIFIED_MAX);
    c->verify_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c->verify_fd < 0)
        return diag_set(diag, ERR_ACCESS, NULL, 0, 0, "%s: %s", folder, strerror(errno));
    int file = openat(c->verify_fd, VERIFIED_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int error = file < 0 ? ERR_NOT_FOUND : file_read_fd(file, VERIFIED_FILE, &c->verified, diag);
    if (file >= 0) (void)close(file);
    if (error || !json_is_object(slice_trim(buf_slice(&c->verified)))) buf_clear(&c->verified);
    return 0;
}

static int search_prepare(struct role *r, struct diag *diag)
{
    struct search_ctx *c = r->ctx;
    for (size_t i = 0; i < SEARCHES_MAX; i++) {
        c->searches[i].role = r;
        link_init(&c->searches[i].link, r->loop, &child_events, &c->searches[i]);
    }
    c->uid = getuid();
    if (!r->config.listen_web.n) return 0;
    c->store = role_store_folder(r, diag);
    c->audit = role_make_folder(r, "audit", diag);
    c->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    c->library = role_make_folder(r, RULESET_RULES, diag);
    if (!c->store || !c->audit || !c->library || c->null_fd < 0) return ERR_ACCESS;
    role_keep_path(r, c->store);
    role_keep_path(r, c->library);
    role_keep_folder(r, c->audit);
    int error = read_verified(r, diag);
    if (error == 0) error = read_zone(r, diag);
    if (error == 0)
        error = ruleset_load_watch(&c->in_force, &r->config, clock_realtime(&r->clock), diag);
    return error ? error : ruleset_borrow(&c->rules, &c->in_force);
}

static void search_status(struct role *r, struct buf *out)
{
    const struct search_ctx *c = r->ctx;
    uint64_t running = 0;
    for (size_t i = 0; i < SEARCHES_MAX; i++) running += c->searches[i].id != 0;
    json_write_member_u64(out, "running", running);
    json_write_member_u64(out, "begun", c->begun);
    json_write_member_u64(out, "refused", c->refused);
    json_write_member_u64(out, "ended", c->ended);
    json_write_member_u64(out, "looked", c->looked);
    if (c->verified.len == 0) return;
    json_write_key(out, "verified");
    buf_put(out, slice_trim(buf_slice(&c->verified)));
}

static void search_stop(struct role *r)
{
    end_all(r);
    role_end(r, 0);
}

const struct role_ops role_search = {
    .ctx_size = sizeof(struct search_ctx),
    .prepare = search_prepare,
    .lost = search_lost,
    .frame = search_frame,
    .status = search_status,
    .stop = search_stop,
};
