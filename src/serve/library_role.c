/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What people at the API change of rules, lists of indicators and searches. This process has those
 * folders of serve.folder and nothing else; it read the rules in force when it began, and begins
 * anew when they are read again, which it asks for after each change. What takes long (thousands of
 * rules are read) a child does, one at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "indicator/rules.h"
#include "proc/worker.h"
#include "search/saved.h"
#include "serve/librarian.h"
#include "serve/role.h"

enum { TEXTS_MAX = 256 * 1024 * 1024, RELOAD_AFTER = 200 /* ms */ };

struct library_ctx {
    struct librarian librarian;
    struct buf answer;
    struct loop_timer reload;
    struct link child;
    pid_t pid;       /* of the child; 0: there is none */
    uint64_t client; /* that it works for */
    uint64_t changes, refused;
};

static const struct sigma_doc *doc_at(const struct sigma_set *set, uint32_t i)
{
    return i < set->n_rules ? set->rules[i]->doc : set->correlations[i - set->n_rules]->doc;
}

/* The number of the rule with that id or title in force; UINT32_MAX: there is none. */
static uint32_t find_rule(const struct sigma_set *set, struct slice id)
{
    uint32_t n = set->n_rules + set->n_correlations;
    for (uint32_t i = 0; i < n; i++) {
        const struct sigma_doc *doc = doc_at(set, i);
        if (slice_eq_nocase(doc->id, id) || slice_eq(doc->title, id)) return i;
    }
    return UINT32_MAX;
}

static struct slice text_at(const struct librarian *c, uint32_t i)
{
    size_t begin = i ? c->ends[i - 1] : 0;
    return slice_make(c->texts.ptr + begin, c->ends[i] - begin);
}

/* ---- exceptions -------------------------------------------------------------------------- */

/* Texts of a list, NUL-terminated, in the body's arena. */
static uint32_t read_when(struct library_deed *d, const char *ret[EXCEPTION_WHEN_MAX])
{
    struct json_parts parts;
    struct slice key, part, list = body_list(&d->deed.body, "when");
    struct buf text;
    uint32_t n = 0;
    buf_init(&text, EXCEPTION_TEXT_MAX);
    json_parts_init(&parts, list);
    while (list.len && json_parts_next(&parts, &key, &part)) {
        buf_clear(&text);
        bool good = n < EXCEPTION_WHEN_MAX && json_string_text(part, &text) && text.len &&
                    !buf_failed(&text) && slice_find_byte(buf_slice(&text), '\0') == SIZE_MAX;
        const char *copy =
            good ? arena_printf(&d->deed.body.texts, "%.*s", SLICE_FMT(buf_slice(&text))) : NULL;
        if (!copy) {
            body_wrong(&d->deed.body, "when", "up to %d texts, such as 'Image|endswith: \\x.exe'",
                       EXCEPTION_WHEN_MAX);
            break;
        }
        ret[n++] = copy;
    }
    buf_done(&text);
    if (n == 0 && !d->deed.body.member)
        body_wrong(&d->deed.body, "when", "what is not to fire is to be said");
    return n;
}

int library_do_except(struct library_deed *d)
{
    const struct librarian *c = d->librarian;
    const char *when[EXCEPTION_WHEN_MAX];
    char id[EXCEPTION_ID + 1];
    struct slice rule = body_text(&d->deed.body, "rule", 256, true);
    struct slice reason = body_text(&d->deed.body, "reason", EXCEPTION_TEXT_MAX, true);
    struct slice until = body_text(&d->deed.body, "until", 64, false);
    struct exception e = {
        .when = when, .reason = reason, .who = d->change.who, .now = d->change.now};
    e.n_when = read_when(d, when);
    if (until.len) e.until = arena_printf(&d->deed.body.texts, "%.*s", SLICE_FMT(until));
    if (!body_end(&d->deed.body)) return 0;
    uint32_t i = find_rule(c->rules.set, rule);
    if (i == UINT32_MAX) {
        deed_refuse(&d->deed, DESK_INVALID, "rule", "there is no such rule in force");
        return 0;
    }
    e.rule = doc_at(c->rules.set, i);
    int error = library_except(&d->library, &e, text_at(c, i), &d->change, id, &d->deed.diag);
    if (error) return deed_take_error(&d->deed, "when", error);
    json_write_member_string(d->deed.answer, "id", slice_of(id));
    d->changed = true;
    return 0;
}

int library_do_unexcept(struct library_deed *d)
{
    struct slice id = body_text(&d->deed.body, "exception", EXCEPTION_ID, true);
    if (!body_end(&d->deed.body)) return 0;
    const char *text = arena_printf(&d->deed.body.texts, "%.*s", SLICE_FMT(id));
    if (!text) return ERR_NOMEM;
    int error = library_lift(&d->library, text, &d->change, &d->deed.diag);
    d->changed = error == 0;
    return deed_take_error(&d->deed, "exception", error);
}

/* ---- rules ------------------------------------------------------------------------------- */

/* Of a file of one's own. */
static bool is_own(const struct librarian *c, const struct sigma_doc *doc)
{
    struct slice file = slice_of(doc->file ? doc->file : ""), path = slice_of(c->path);
    return slice_starts_with(file, path) &&
           slice_starts_with(slice_from(file, path.len), SLICE("/" LIBRARY_OWN "/"));
}

/* What is in force from elsewhere cannot be had twice. */
static bool is_taken(const struct librarian *c, struct slice id)
{
    uint32_t i = find_rule(c->rules.set, id);
    return i != UINT32_MAX && !is_own(c, doc_at(c->rules.set, i));
}

int library_do_save(struct library_deed *d)
{
    const struct librarian *c = d->librarian;
    char id[OWN_ID + 1];
    struct slice text = body_text(&d->deed.body, "text", 64 * 1024, true);
    struct slice wanted = body_text(&d->deed.body, "id", OWN_ID, false);
    if (!body_end(&d->deed.body)) return 0;
    int error = library_own_id(text, &d->change, id, &d->deed.diag);
    if (error) return deed_take_error(&d->deed, "text", error);
    if (wanted.len && !slice_eq_nocase(wanted, slice_of(id))) {
        deed_refuse(&d->deed, DESK_INVALID, "text", "its `id` is another");
    } else if (is_taken(c, slice_of(id))) {
        deed_refuse(&d->deed, DESK_CONFLICT, "text",
                    "a rule of another origin has this `id`: give it its own");
    } else {
        error = library_own_save(&d->library, text, &d->change, id, &d->deed.diag);
        if (error) return deed_take_error(&d->deed, "text", error);
        json_write_member_string(d->deed.answer, "id", slice_of(id));
        d->changed = true;
    }
    return 0;
}

int library_do_drop(struct library_deed *d)
{
    struct slice id = body_text(&d->deed.body, "id", 128, true);
    if (!body_end(&d->deed.body)) return 0;
    int error = library_own_drop(&d->library, id, &d->change, &d->deed.diag);
    d->changed = error == 0;
    return deed_take_error(&d->deed, "id", error);
}

int library_do_versions(struct library_deed *d)
{
    struct slice id = body_text(&d->deed.body, "id", 128, true);
    if (!body_end(&d->deed.body)) return 0;
    json_write_key(d->deed.answer, "versions");
    return library_own_versions(&d->library, id, d->deed.answer, &d->deed.diag);
}

int library_do_version(struct library_deed *d)
{
    struct buf text;
    struct slice id = body_text(&d->deed.body, "id", 128, true);
    struct slice version = body_text(&d->deed.body, "version", 32, true);
    if (!body_end(&d->deed.body)) return 0;
    buf_init(&text, YAML_FILE_MAX);
    int error = library_own_version(&d->library, id, version, &text, &d->deed.diag);
    if (error == 0) json_write_member_string(d->deed.answer, "text", buf_slice(&text));
    buf_done(&text);
    if (error != ERR_INVALID && error != ERR_NOT_FOUND) return error;
    deed_refuse(&d->deed, DESK_NOT_FOUND, "version", "there is no such version");
    return 0;
}

/* ---- what is asked ----------------------------------------------------------------------- */

enum where { RULES, LISTS, SEARCHES };

static const struct kind {
    const char *name;
    library_deed_fn *run;
    enum where where;
    bool changes, long_work;
} kinds[] = {
    {"except", library_do_except, RULES, true, false},
    {"lift", library_do_unexcept, RULES, true, false},
    {"save", library_do_save, RULES, true, false},
    {"drop", library_do_drop, RULES, true, false},
    {"versions", library_do_versions, RULES, false, false},
    {"version", library_do_version, RULES, false, false},
    {"sets", library_do_sets, RULES, false, false},
    {"difference", library_do_difference, RULES, false, true},
    {"use", library_do_use, RULES, true, true},
    {"import", library_do_import, RULES, true, true},
    {"switch", library_do_switch, RULES, true, true},
    {"list", library_do_list, LISTS, false, true},
    {"list-put", library_do_list_put, LISTS, true, true},
    {"list-add", library_do_list_add, LISTS, true, true},
    {"list-cut", library_do_list_cut, LISTS, true, true},
    {"list-drop", library_do_list_drop, LISTS, true, false},
    {"searches", library_do_searches, SEARCHES, false, false},
    {"search-put", library_do_search_put, SEARCHES, true, false},
    {"search-drop", library_do_search_drop, SEARCHES, true, false},
};

static const struct kind *find_kind(struct slice name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (slice_eq(name, slice_of(kinds[i].name))) return &kinds[i];
    return NULL;
}

static int run_in_folder(const struct kind *kind, struct library_deed *d)
{
    const char *path = kind->where == LISTS ? d->librarian->lists : d->librarian->path;
    if (kind->where == SEARCHES) return kind->run(d);
    int error = library_open(&d->library, path, kind->changes, &d->deed.diag);
    if (error) return error;
    error = kind->run(d);
    library_close(&d->library);
    return error;
}

/* What became of an act. */
struct outcome {
    bool done, changed; /* changed: what is matched is another */
    char alarm[sizeof((struct diag *)0)->message];
};

/* Appends the answer to out. */
static void work(struct role *r, const struct kind *kind, const struct say_act *m, struct buf *out,
                 struct outcome *ret)
{
    struct library_ctx *c = r->ctx;
    struct library_deed d = {.librarian = &c->librarian,
                             .change = {.who = slice_until(m->actor, LIBRARY_WHO_MAX),
                                        .now = clock_realtime(&r->clock),
                                        .placeholders = c->librarian.rules.placeholders}};
    *ret = (struct outcome){0};
    deed_begin(&d.deed, m, &c->answer);
    int error = 0;
    if (kind) error = run_in_folder(kind, &d);
    else deed_refuse(&d.deed, DESK_UNKNOWN, "", "there is no such act");
    if (error == 0) error = body_error(&d.deed.body);
    if (error) {
        (void)snprintf(ret->alarm, sizeof ret->alarm, "%s",
                       d.deed.diag.message[0] ? d.deed.diag.message : error_text(error));
        deed_fail(&d.deed);
    }
    ret->done = deed_end(&d.deed, out);
    ret->changed = ret->done && d.changed;
}

static void take_outcome(struct role *r, const struct outcome *o)
{
    struct library_ctx *c = r->ctx;
    c->changes += o->changed;
    c->refused += !o->done;
    if (o->alarm[0]) role_alarm(r, "library-failed", slice_of(o->alarm));
    if (o->changed && loop_timer_set(r->loop, &c->reload, RELOAD_AFTER * NSEC_PER_MSEC, 0) != 0)
        role_end(r, ERR_NOMEM);
}

/* ---- long work --------------------------------------------------------------------------- */

struct job {
    struct role *role;
    const struct kind *kind;
    const struct say_act *act;
};

/* In the child: the answer, and what is to be done of it. */
static int job_run(void *ctx, struct channel *channel)
{
    const struct job *job = ctx;
    struct outcome o;
    struct buf out;
    buf_init(&out, 2 * (size_t)SAY_MAX);
    work(job->role, job->kind, job->act, &out, &o);
    say_finished_write(&out, &(struct say_finished){.id = job->act->client,
                                                    .status = o.done,
                                                    .found = o.changed,
                                                    .text = slice_of(o.alarm)});
    int error = buf_error(&out);
    return error || channel_send(channel, buf_slice(&out), -1) != 0;
}

static void answer_busy(struct role *r, uint64_t client, struct slice why)
{
    struct link *link = role_link(r, ROLE_WEB);
    struct deed d;
    const struct say_act act = {.client = client, .body = SLICE("{}")};
    struct library_ctx *c = r->ctx;
    if (!link_is_open(link)) return;
    deed_begin(&d, &act, &c->answer);
    deed_refuse(&d, DESK_BUSY, "", why.ptr);
    (void)deed_end(&d, link_out(link));
    link_flush(link);
}

static void end_job(struct role *r)
{
    struct library_ctx *c = r->ctx;
    link_close(&c->child);
    (void)kill(c->pid, SIGKILL);
    while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    c->pid = 0;
}

static int job_frame(void *ctx, const struct frame *frame)
{
    struct role *r = ctx;
    struct library_ctx *c = r->ctx;
    struct link *web = role_link(r, ROLE_WEB);
    struct say_acted acted;
    struct say_finished finished;
    struct outcome o = {0};
    if (frame->type == SAY_ACTED && say_acted_read(frame->payload, &acted) == 0) {
        if (c->client && link_is_open(web)) say_acted_write(link_out(web), &acted);
        if (c->client && link_is_open(web)) link_flush(web);
        c->client = 0;
        return 0;
    }
    if (frame->type != SAY_FINISHED || say_finished_read(frame->payload, &finished) != 0)
        return ERR_CORRUPT;
    o.done = finished.status != 0;
    o.changed = finished.found != 0;
    (void)slice_copy(finished.text, o.alarm, sizeof o.alarm);
    end_job(r);
    take_outcome(r, &o);
    return 0;
}

static void job_closed(void *ctx, int why)
{
    struct role *r = ctx;
    struct library_ctx *c = r->ctx;
    (void)why;
    if (!c->pid) return;
    end_job(r);
    role_alarm(r, "library-failed", SLICE("the process that worked on the library ended"));
    if (c->client) answer_busy(r, c->client, SLICE("the process that did it ended"));
    c->client = 0;
}

static const struct link_events job_events = {.frame = job_frame, .closed = job_closed};

static void start_job(struct role *r, const struct kind *kind, const struct say_act *m)
{
    struct library_ctx *c = r->ctx;
    struct job job = {.role = r, .kind = kind, .act = m};
    int fd;
    if (c->pid) {
        answer_busy(r, m->client, SLICE("something else is done to the library"));
        return;
    }
    int error = worker_fork(&(struct worker_spec){.run = job_run,
                                                  .ctx = &job,
                                                  .unconfined = true,
                                                  .max_payload = SAY_MAX,
                                                  .null_fd = c->librarian.null_fd},
                            &c->pid, &fd);
    if (error == 0) error = link_open(&c->child, fd, SAY_MAX, ROLE_OUT_MAX);
    if (error == 0) {
        c->client = m->client;
        return;
    }
    if (c->pid) end_job(r);
    answer_busy(r, m->client, SLICE("there is no process for it"));
}

static int library_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct link *link = role_link(r, peer);
    struct say_act m;
    struct outcome o;
    if (peer != ROLE_WEB || frame->type != SAY_ACT || say_act_read(frame->payload, &m) != 0)
        return ERR_CORRUPT;
    const struct kind *kind = find_kind(m.kind);
    if (kind && kind->long_work) {
        start_job(r, kind, &m);
        return 0;
    }
    work(r, kind, &m, link_out(link), &o);
    link_flush(link);
    take_outcome(r, &o);
    return 0;
}

/* Numbers of its calls are another's from now on. */
static void library_lost(struct role *r, enum serve_role peer)
{
    struct library_ctx *c = r->ctx;
    if (peer == ROLE_WEB) c->client = 0;
}

/* Those who match read the rules again, and so does this process, by beginning anew. */
static void on_reload(void *ctx)
{
    struct role *r = ctx;
    say_command_write(link_out(&r->supervisor), &(struct say_command){.command = COMMAND_RELOAD});
    link_flush(&r->supervisor);
}

/* ---- the role ---------------------------------------------------------------------------- */

static int read_texts(struct librarian *c)
{
    const struct sigma_set *set = c->rules.set;
    uint32_t n = set->n_rules + set->n_correlations;
    c->ends = calloc(n + 1u, sizeof *c->ends);
    if (!c->ends) return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        const struct sigma_doc *doc = doc_at(set, i);
        size_t begin = c->texts.len;
        bool file = doc->file && !indicator_rules_has(doc);
        if (file && file_read(doc->file, &c->texts, NULL) != 0) c->texts.len = begin;
        c->ends[i] = c->texts.len;
    }
    return buf_error(&c->texts);
}

/* The folder of that name, made and kept. */
static bool keep_folder(struct role *r, const char *name, struct diag *diag)
{
    const char *path = role_make_folder(r, name, diag);
    if (path) role_keep_folder(r, path);
    return path != NULL;
}

static int make_folders(struct role *r, struct librarian *c, struct diag *diag)
{
    static const char *const folders[] = {RULESET_RULES "/" LIBRARY_EXCEPTIONS,
                                          RULESET_RULES "/" LIBRARY_OWN};
    if (!keep_folder(r, RULESET_RULES, diag) || !keep_folder(r, RULESET_INDICATORS, diag) ||
        !keep_folder(r, SAVED_FOLDER, diag))
        return ERR_ACCESS;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (!role_make_folder(r, folders[i], diag)) return ERR_ACCESS;
    int error = ruleset_folder_path(&r->config, RULESET_RULES, c->path, diag);
    if (error == 0) error = ruleset_folder_path(&r->config, RULESET_INDICATORS, c->lists, diag);
    if (error == 0) error = ruleset_folder_path(&r->config, SAVED_FOLDER, c->searches, diag);
    c->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (error == 0 && c->null_fd < 0)
        error = diag_set(diag, ERR_ACCESS, NULL, 0, 0, "/dev/null: %s", strerror(errno));
    return error;
}

static int library_prepare(struct role *r, struct diag *diag)
{
    struct library_ctx *c = r->ctx;
    struct librarian *l = &c->librarian;
    buf_init(&l->texts, TEXTS_MAX);
    buf_init(&c->answer, LIBRARIAN_ANSWER_MAX);
    link_init(&c->child, r->loop, &job_events, r);
    c->reload = (struct loop_timer){.due = on_reload, .ctx = r};
    if (!r->config.listen_web.n) return 0;
    int error = make_folders(r, l, diag);
    if (error == 0)
        error = ruleset_load_watch(&l->rules, &r->config, clock_realtime(&r->clock), diag);
    return error ? error : read_texts(l);
}

static void library_status(struct role *r, struct buf *out)
{
    const struct library_ctx *c = r->ctx;
    json_write_member_u64(out, "changes", c->changes);
    json_write_member_u64(out, "refused", c->refused);
}

/* What a child has half done is as if it had not begun. */
static void library_stop(struct role *r)
{
    const struct library_ctx *c = r->ctx;
    if (c->pid) end_job(r);
    role_end(r, 0);
}

const struct role_ops role_library = {
    .ctx_size = sizeof(struct library_ctx),
    .prepare = library_prepare,
    .frame = library_frame,
    .lost = library_lost,
    .status = library_status,
    .stop = library_stop,
};
