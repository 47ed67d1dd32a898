/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/role.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/folder.h"
#include "proc/process.h"

enum { STATUS_EVERY = 1, STATUS_MAX = 1024 * 1024, SUPERVISOR_OUT_MAX = 4 * 1024 * 1024 };

static const struct role_ops *const all_ops[ROLE_COUNT] = {
    [ROLE_STORE] = &role_store,     [ROLE_TRIAGE] = &role_triage,   [ROLE_DETECT] = &role_detect,
    [ROLE_UNWRAP] = &role_unwrap,   [ROLE_COLLECT] = &role_collect, [ROLE_CONTROL] = &role_control,
    [ROLE_SEAL] = &role_seal,       [ROLE_SIGN] = &role_sign,       [ROLE_WITNESS] = &role_witness,
    [ROLE_PULL] = &role_pull,       [ROLE_INDEX] = &role_index,     [ROLE_RETRO] = &role_retro,
    [ROLE_ACCOUNT] = &role_account, [ROLE_OIDC] = &role_oidc,       [ROLE_WEB] = &role_web,
    [ROLE_SEARCH] = &role_search,   [ROLE_ONCALL] = &role_oncall,   [ROLE_NOTIFY] = &role_notify,
    [ROLE_CANARY] = &role_canary,   [ROLE_LIBRARY] = &role_library,
};

static const enum sandbox_role sandboxes[ROLE_COUNT] = {
#define X(id, name, sandbox) [ROLE_##id] = sandbox,
    SERVE_ROLES(X)
#undef X
};

void role_keep_path(struct role *r, const char *path)
{
    ASSERT(r->files.n_paths < ROLE_PATHS_MAX);
    r->paths[r->files.n_paths++] = path;
}

void role_keep_folder(struct role *r, const char *folder)
{
    ASSERT(r->files.n_folders < ROLE_PATHS_MAX);
    r->folders[r->files.n_folders++] = folder;
}

void role_keep_port(struct role *r, uint16_t port)
{
    for (size_t i = 0; i < r->files.n_ports; i++)
        if (r->ports[i] == port) return;
    ASSERT(r->files.n_ports < ROLE_PORTS_MAX);
    r->ports[r->files.n_ports++] = port;
}

const char *role_make_folder(struct role *r, const char *name, struct diag *diag)
{
    const char *top = r->config.serve_folder.items[0];
    const char *path = arena_printf(&r->config.arena, "%s/%s", top, name);
    if (!path || folder_make(top, FOLDER_OWN, diag) != 0) return NULL;
    return folder_make(path, FOLDER_OWN, diag) == 0 ? path : NULL;
}

const char *role_store_folder(struct role *r, struct diag *diag)
{
    return role_make_folder(r, "store", diag) ? role_make_folder(r, "store/0", diag) : NULL;
}

void role_end(struct role *r, int result)
{
    loop_stop(r->loop, result);
}

/* ---- to the supervisor ------------------------------------------------------------------- */

void role_alarm(struct role *r, const char *event, struct slice text)
{
    log_write(LOG_ROLE_ALARM, LOG_TEXT("role", slice_of(serve_role_name(r->role))),
              LOG_TEXT("alarm", slice_of(event)), LOG_TEXT("text", text));
    if (!link_is_open(&r->supervisor) || link_room(&r->supervisor) < text.len + 1024) return;
    say_alarm_write(link_out(&r->supervisor),
                    &(struct say_alarm){.event = slice_of(event), .text = text});
    link_flush(&r->supervisor);
}

static void send_status(struct role *r, uint64_t round)
{
    buf_clear(&r->text);
    buf_putc(&r->text, '{');
    r->ops->status(r, &r->text);
    buf_putc(&r->text, '}');
    if (buf_failed(&r->text) || link_room(&r->supervisor) < r->text.len + 1024) return;
    say_status_write(link_out(&r->supervisor),
                     &(struct say_status){.round = round, .text = buf_slice(&r->text)});
    link_flush(&r->supervisor);
}

static void status_due(void *ctx)
{
    send_status(ctx, 0);
}

/* One that does not run yet has nothing to say. */
static int take_tell(struct role *r, const struct frame *frame)
{
    struct say_tell m;
    if (say_tell_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    if (r->running) send_status(r, m.round);
    return 0;
}

/* ---- peers ------------------------------------------------------------------------------- */

static int peer_frame(void *ctx, const struct frame *frame)
{
    struct role_peer *p = ctx;
    int error = p->role->ops->frame(p->role, p->id, frame);
    if (error)
        log_write(LOG_MESSAGE_REFUSED, LOG_TEXT("role", slice_of(serve_role_name(p->role->role))),
                  LOG_TEXT("peer", slice_of(serve_role_name(p->id))),
                  LOG_TEXT("message", slice_of(say_name(frame->type))),
                  LOG_TEXT("why", slice_of(error_text(error))));
    return error;
}

static void peer_closed(void *ctx, int why)
{
    struct role_peer *p = ctx;
    struct role *r = p->role;
    if (why != ERR_STOPPED)
        log_write(LOG_PEER_BROKE, LOG_TEXT("role", slice_of(serve_role_name(r->role))),
                  LOG_TEXT("peer", slice_of(serve_role_name(p->id))),
                  LOG_TEXT("why", slice_of(error_text(why))));
    if (why != ERR_STOPPED && link_is_open(&r->supervisor)) {
        say_broke_write(link_out(&r->supervisor), &(struct say_broke){.role = (uint8_t)p->id});
        link_flush(&r->supervisor);
    }
    if (r->ops->lost) r->ops->lost(r, p->id);
}

static void peer_room(void *ctx)
{
    struct role_peer *p = ctx;
    if (p->role->ops->room) p->role->ops->room(p->role, p->id);
}

static const struct link_events peer_events = {
    .frame = peer_frame, .closed = peer_closed, .room = peer_room};

static int take_peer(struct role *r, const struct frame *frame)
{
    struct say_peer m;
    int fd = link_take_fd(&r->supervisor);
    if (say_peer_read(frame->payload, &m) != 0 || fd < 0 || m.role >= ROLE_COUNT)
        return ERR_CORRUPT;
    struct link *link = role_link(r, m.role);
    if (link_is_open(link)) {
        link_close(link);
        if (r->running && r->ops->lost) r->ops->lost(r, m.role);
    }
    if (link_open(link, fd, SAY_MAX, ROLE_OUT_MAX) != 0) return ERR_LIMIT;
    if (r->running && r->ops->peer) r->ops->peer(r, m.role);
    return 0;
}

/* ---- from the supervisor ----------------------------------------------------------------- */

static int fail(struct role *r, const struct diag *diag, int error)
{
    struct slice text = slice_of(diag->message[0] ? diag->message : error_text(error));
    role_alarm(r, "role-failed", text);
    role_end(r, error);
    return 0;
}

static int take_start(struct role *r, const struct frame *frame)
{
    struct say_start m;
    struct diag diag;
    if (say_start_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    r->instance = m.instance;
    r->sandboxed = m.sandboxed != 0;
    int error = config_read(&r->config, "", m.config, &diag);
    if (error) return fail(r, &diag, error);
    error = config_read_origins(&r->config, m.origins);
    if (error) return error;
    log_set_level(&r->log,
                  (enum log_level[]){LOG_LEVEL_OFF, LOG_LEVEL_ERROR, LOG_LEVEL_WARNING,
                                     LOG_LEVEL_INFO, LOG_LEVEL_DEBUG}[r->config.log_level]);
    return 0;
}

static int take_give(struct role *r, const struct frame *frame)
{
    struct say_give m;
    int fd = link_take_fd(&r->supervisor);
    if (say_give_read(frame->payload, &m) != 0 || fd < 0 || !r->ops->given) return ERR_CORRUPT;
    return r->ops->given(r, &m, fd);
}

static int enter_sandbox(struct role *r)
{
    enum sandbox_level level = SANDBOX_NONE;
    r->files.paths = r->paths;
    r->files.folders = r->folders;
    r->files.ports = r->ports;
    int error = r->sandboxed ? sandbox_enter(sandboxes[r->role], &r->files, &level) : 0;
    if (error == 0)
        log_write(LOG_SANDBOX_ENTERED, LOG_TEXT("role", slice_of(serve_role_name(r->role))),
                  LOG_TEXT("level", slice_of(sandbox_level_name(level))));
    return error;
}

static int take_go(struct role *r)
{
    struct diag diag = {0};
    int error = r->ops->prepare ? r->ops->prepare(r, &diag) : 0;
    if (error == 0) {
        error = enter_sandbox(r);
        if (error) (void)diag_set(&diag, error, NULL, 0, 0, "the kernel refused the sandbox");
    }
    if (error == 0) error = r->ops->start ? r->ops->start(r) : 0;
    if (error == 0)
        error = loop_timer_set(r->loop, &r->status_timer, STATUS_EVERY * NSEC_PER_SEC,
                               STATUS_EVERY * NSEC_PER_SEC);
    if (error) return fail(r, &diag, error);
    r->running = true;
    say_ready_write(link_out(&r->supervisor), &(struct say_ready){});
    link_flush(&r->supervisor);
    for (unsigned i = 0; i < ROLE_COUNT; i++)
        if (link_is_open(&r->peers[i].link) && r->ops->peer) r->ops->peer(r, i);
    return 0;
}

static int take_stop(struct role *r)
{
    r->stopping = true;
    if (r->running && r->ops->stop) r->ops->stop(r);
    else role_end(r, 0);
    return 0;
}

static int supervisor_frame(void *ctx, const struct frame *frame)
{
    struct role *r = ctx;
    /* What it has is being closed: nothing more is taken up. */
    if (r->stopping) return 0;
    switch (frame->type) {
    case SAY_START:
        return take_start(r, frame);
    case SAY_GIVE:
        return take_give(r, frame);
    case SAY_PEER:
        return take_peer(r, frame);
    case SAY_GO:
        return r->running ? ERR_CORRUPT : take_go(r);
    case SAY_TELL:
        return take_tell(r, frame);
    case SAY_STOP:
        return take_stop(r);
    default:
        return r->running && r->ops->command ? r->ops->command(r, frame) : ERR_CORRUPT;
    }
}

static void supervisor_closed(void *ctx, int why)
{
    struct role *r = ctx;
    role_end(r, why == ERR_STOPPED ? 0 : why);
}

/* ---- the process ------------------------------------------------------------------------- */

static int run(struct role *r)
{
    static const struct link_events events = {.frame = supervisor_frame,
                                              .closed = supervisor_closed};
    link_init(&r->supervisor, r->loop, &events, r);
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        r->peers[i].role = r;
        r->peers[i].id = i;
        link_init(&r->peers[i].link, r->loop, &peer_events, &r->peers[i]);
    }
    int result = link_open(&r->supervisor, PROCESS_FD, SAY_MAX, SUPERVISOR_OUT_MAX);
    if (result == 0) result = loop_run(r->loop);
    return result;
}

int role_run(enum serve_role role)
{
    struct role *r = calloc(1, sizeof *r);
    if (!r) return 1;
    r->role = role;
    r->ops = all_ops[role];
    r->ctx = calloc(1, r->ops->ctx_size + 1);
    r->clock = clock_system();
    r->status_timer = (struct loop_timer){.due = status_due, .ctx = r};
    r->loop = loop_new(&(struct loop_options){
        .clock = r->clock, .max_watches = ROLE_WATCHES_MAX, .max_timers = ROLE_TIMERS_MAX});
    buf_init(&r->text, STATUS_MAX);
    config_init(&r->config);
    log_init(&r->log, &(struct log_options){
                          .clock = r->clock,
                          .level = LOG_LEVEL_WARNING,
                          .fd = STDERR_FILENO,
                          .journal = log_is_journal(STDERR_FILENO, getenv("JOURNAL_STREAM"))});
    log_install(&r->log);
    (void)signal(SIGPIPE, SIG_IGN);
    /* Signals to the whole group are the supervisor's to answer: it ends the roles in order. */
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    /* Libraries that look for the machine's time zone would open a file each time. */
    (void)setenv("TZ", "UTC0", 1);
    tzset();
    int result = r->ctx && r->loop ? run(r) : ERR_NOMEM;
    log_finish(&r->log);
    /* The kernel takes the rest back at once; a role frees nothing that it used until the end. */
    _exit(result == 0 ? 0 : 1);
}
