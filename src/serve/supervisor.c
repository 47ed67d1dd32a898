/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "proc/worker.h"
#include "serve/supervisor_state.h"

enum {
    BACKLOG = 64,
    TROUBLES_MAX = 256 * 1024,
};

/* ---- Vaka itself ------------------------------------------------------------------------- */

/*
 * What people should hear of becomes an alert. It waits here until triage has said that it is in
 * the database; what there is no room for is in the log.
 */
static void tell_trouble(struct supervisor *s, const struct child *from, struct slice event,
                         struct slice text)
{
    struct child *triage = s->children[ROLE_TRIAGE];
    const struct say_trouble m = {.role = (uint8_t)from->role, .event = event, .text = text};
    size_t begin = s->troubles.len;
    if (s->stopping || s->troubles.max - begin < text.len + 4096) return;
    say_trouble_write(&s->troubles, &m);
    if (!triage->ready || !link_is_open(&triage->link)) return;
    buf_put(link_out(&triage->link), slice_from(buf_slice(&s->troubles), begin));
    link_flush(&triage->link);
}

/* To a triage that has just begun. */
static void tell_all_troubles(struct supervisor *s)
{
    struct child *triage = s->children[ROLE_TRIAGE];
    buf_put(link_out(&triage->link), buf_slice(&s->troubles));
    link_flush(&triage->link);
}

static int trouble_was_heard(struct supervisor *s, const struct child *from)
{
    struct frame frame;
    if (from->role != ROLE_TRIAGE || frame_next(buf_slice(&s->troubles), SAY_MAX, &frame) <= 0)
        return ERR_CORRUPT;
    buf_consume(&s->troubles, frame.size);
    return 0;
}

/* ---- to the service manager -------------------------------------------------------------- */

void supervisor_tell_running(struct supervisor *s)
{
    service_tell(s->options->service, SLICE("READY=1"));
}

/* All processes have to be heard of: the machinery that waits for one of them is no sign of life.
 */
static void feed_watchdog(void *ctx)
{
    struct supervisor *s = ctx;
    nsec least = clock_monotonic(&s->options->clock) - s->options->service->watchdog / 2;
    bool all = true;
    /* Before it is ready and while it stops, processes may well have nothing to say. */
    if (!s->told_ready || s->stopping) return;
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        if (s->children[i]->heard >= least) continue;
        all = false;
        log_write(LOG_ROLE_SILENT, LOG_TEXT("role", child_name(s->children[i])),
                  LOG_NUMBER("pid", s->children[i]->pid));
    }
    if (all) service_tell(s->options->service, SLICE("WATCHDOG=1"));
}

static int start_watchdog(struct supervisor *s)
{
    nsec every = s->options->service->watchdog / 4;
    s->watchdog = (struct loop_timer){.due = feed_watchdog, .ctx = s};
    return every ? loop_timer_set(s->loop, &s->watchdog, every, every) : 0;
}

/* ---- what children say ------------------------------------------------------------------- */

static void tell_ready(struct supervisor *s)
{
    for (unsigned i = 0; i < ROLE_COUNT; i++)
        if (!s->children[i]->ready) return;
    if (s->told_ready) return;
    s->told_ready = true;
    log_write(LOG_SERVE_READY, LOG_NUMBER("pid", getpid()));
    supervisor_tell_running(s);
    if (s->options->ready) s->options->ready(s->options->ctx);
}

static void child_is_ready(struct supervisor *s, struct child *c)
{
    c->ready = true;
    if (c != s->spare) {
        tell_ready(s);
        if (c->role == ROLE_TRIAGE) tell_all_troubles(s);
        return;
    }
    struct child *old = s->children[ROLE_DETECT];
    loop_timer_stop(s->loop, &old->again);
    old->retired = true;
    if (old->pid) child_stop(s, old);
    else reload_adopt_spare(s);
    reload_again(s);
}

static int child_frame(void *ctx, const struct frame *frame)
{
    struct child *c = ctx;
    struct supervisor *s = c->s;
    struct say_alarm alarm;
    struct say_command command;
    struct say_broke broke;
    struct say_refresh refresh;
    c->heard = clock_monotonic(&s->options->clock);
    switch (frame->type) {
    case SAY_READY:
        child_is_ready(s, c);
        return 0;
    case SAY_STATUS:
        return reports_pass(s, c, frame);
    case SAY_ALARM:
        if (say_alarm_read(frame->payload, &alarm) != 0) return ERR_CORRUPT;
        /* It was logged where it happened; what keeps serve from starting is told to who waits. */
        tell_trouble(s, c, alarm.event, alarm.text);
        if (!s->told_ready && slice_eq(alarm.event, SLICE("role-failed")))
            (void)diag_set(s->diag, ERR_INVALID, NULL, 0, 0, "%s: %.*s", serve_role_name(c->role),
                           SLICE_FMT(alarm.text));
        return 0;
    case SAY_HEARD:
        return trouble_was_heard(s, c);
    case SAY_BROKE:
        if (say_broke_read(frame->payload, &broke) != 0 || broke.role >= ROLE_COUNT)
            return ERR_CORRUPT;
        child_kill(s->children[broke.role]);
        return 0;
    case SAY_REFRESH:
        if (c->role != ROLE_CONTROL || say_refresh_read(frame->payload, &refresh) != 0)
            return ERR_CORRUPT;
        reports_ask(s, refresh.round);
        return 0;
    case SAY_COMMAND:
        if (say_command_read(frame->payload, &command) != 0) return ERR_CORRUPT;
        if (c->role == ROLE_DETECT && command.command == COMMAND_RULES)
            return reload_renew_rules(s);
        if (c->role == ROLE_LIBRARY && command.command == COMMAND_RELOAD) {
            reload_changed(s);
            return 0;
        }
        if (c->role != ROLE_CONTROL) return ERR_CORRUPT;
        if (command.command == COMMAND_RELOAD) reload_all(s);
        else if (command.command == COMMAND_STOP) children_stop(s);
        else if (command.command == COMMAND_KEYS) reload_renew(s, ROLE_SIGN);
        return 0;
    default:
        return ERR_CORRUPT;
    }
}

/* Without its supervisor's channel a process ends; one that does not is killed. */
static void child_closed(void *ctx, int why)
{
    struct child *c = ctx;
    (void)why;
    if (c->pid && !c->s->stopping && !c->retired) child_kill(c);
}

/* ---- children that ended ----------------------------------------------------------------- */

static struct child *child_of(struct supervisor *s, pid_t pid)
{
    for (unsigned i = 0; i <= ROLE_COUNT; i++)
        if (s->slots[i].pid == pid) return &s->slots[i];
    return NULL;
}

static void child_ended(struct supervisor *s, struct child *c, int status)
{
    char how[80];
    bool early = !c->ready, was_retired = c->retired;
    worker_describe(status, how, sizeof how);
    log_write(LOG_ROLE_ENDED, LOG_TEXT("role", child_name(c)), LOG_NUMBER("pid", c->pid),
              LOG_TEXT("how", slice_of(how)));
    link_close(&c->link);
    loop_timer_stop(s->loop, &c->kill);
    c->pid = 0;
    c->ready = c->retired = false;
    if (s->stopping) {
        children_stop_next(s);
    } else if (c == s->spare) {
        log_write(LOG_RELOAD_FAILED, LOG_TEXT("how", slice_of(how)));
        tell_trouble(s, c, SLICE("reload-failed"), slice_of(how));
        supervisor_tell_running(s);
    } else if (was_retired) {
        reload_adopt_spare(s);
    } else if (early && !s->told_ready) {
        if (!s->diag->message[0])
            (void)diag_set(s->diag, ERR_INVALID, NULL, 0, 0, "%s: %s", serve_role_name(c->role),
                           how);
        loop_stop(s->loop, ERR_INVALID);
    } else {
        /* Who ends in order was told to, or begins anew to look something up. */
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            tell_trouble(s, c, SLICE("process-ended"), slice_of(how));
        child_plan_start(s, c);
    }
}

static void reap(struct supervisor *s)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        struct child *c = child_of(s, pid);
        if (c) child_ended(s, c, status);
        if (c) reload_again(s);
    }
}

static void on_signal(void *ctx, int number)
{
    struct supervisor *s = ctx;
    if (number == SIGCHLD) reap(s);
    else if (number == SIGHUP) reload_all(s);
    else children_stop(s);
}

/* ---- from the beginning ------------------------------------------------------------------ */

/* The socket of the local command line; one that nobody listens on is taken over. */
static int open_control(const char *path, struct diag *diag)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof at.sun_path)
        return diag_set(diag, ERR_LIMIT, NULL, 0, 0, "%s: longer than %zu bytes", path,
                        sizeof at.sun_path - 1);
    memcpy(at.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return diag_set(diag, ERR_LIMIT, NULL, 0, 0, "socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0) {
        (void)close(fd);
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s: Vaka runs there already", path);
    }
    (void)unlink(path);
    mode_t before = umask(0117);
    int result = bind(fd, (struct sockaddr *)&at, sizeof at);
    if (result == 0) result = listen(fd, BACKLOG);
    (void)umask(before);
    if (result == 0) return fd;
    (void)diag_set(diag, ERR_IO, NULL, 0, 0, "%s: %s", path, strerror(errno));
    (void)close(fd);
    return ERR_IO;
}

/* Sockets stay the supervisor's too: what the kernel has taken in survives the end of collect. */
static int keep_listener(void *ctx, enum listen_input input, struct slice name, int fd)
{
    struct supervisor *s = ctx;
    ASSERT(s->n_listeners < LISTENERS_MAX);
    char *copy = strndup(name.ptr, name.len);
    if (!copy) return ERR_NOMEM;
    s->listeners[s->n_listeners].input = input;
    s->listeners[s->n_listeners].name = copy;
    s->listeners[s->n_listeners++].fd = fd;
    return 0;
}

/* What was passed and no setting names gets records that nobody reads. */
static void tell_unused(const struct service *service)
{
    for (unsigned i = 0; i < service->n_fds; i++)
        if (service->fds[i].fd >= 0)
            log_write(LOG_SOCKET_UNUSED, LOG_TEXT("name", slice_of(service->fds[i].name)));
}

static void close_listeners(struct supervisor *s)
{
    while (s->n_listeners > 0) {
        (void)close(s->listeners[--s->n_listeners].fd);
        free(s->listeners[s->n_listeners].name);
    }
}

static void init(struct supervisor *s)
{
    static const struct link_events events = {.frame = child_frame, .closed = child_closed};
    buf_init(&s->config, SUPERVISOR_TEXT_MAX);
    buf_init(&s->origins, SUPERVISOR_TEXT_MAX);
    buf_init(&s->troubles, TROUBLES_MAX);
    children_init(s, &events);
}

static int run(struct supervisor *s)
{
    static const int signals[] = {SIGCHLD, SIGHUP, SIGTERM, SIGINT, 0};
    int error = reload_set_config(s, s->options->config);
    if (error == 0) error = loop_signals(s->loop, signals, on_signal, s);
    if (error == 0) error = start_watchdog(s);
    if (error == 0) error = children_start(s);
    if (error == 0) error = loop_run(s->loop);
    loop_timer_stop(s->loop, &s->watchdog);
    children_end(s);
    return error;
}

int supervisor_run(const struct supervisor_options *options, struct diag *diag)
{
    struct supervisor *s = calloc(1, sizeof *s);
    diag->message[0] = '\0';
    if (!s) return diag_set(diag, ERR_NOMEM, NULL, 0, 0, "out of memory");
    s->options = options;
    s->diag = diag;
    s->instance = (uint64_t)clock_realtime(&options->clock);
    s->started = clock_monotonic(&options->clock);
    s->loop = loop_new(&(struct loop_options){
        .clock = options->clock, .max_watches = 4 * ROLE_COUNT, .max_timers = 4 * ROLE_COUNT});
    int error = s->loop ? 0 : ERR_NOMEM;
    const char *path = options->config->serve_socket.items[0];
    s->control_fd = error ? -1 : open_control(path, diag);
    if (s->control_fd < 0) error = s->control_fd;
    else error = listeners_open(options->config, options->service, keep_listener, s, diag);
    if (error == 0) tell_unused(options->service);
    if (error == 0) {
        init(s);
        error = run(s);
    }
    if (s->control_fd >= 0) {
        (void)unlink(path);
        (void)close(s->control_fd);
    }
    close_listeners(s);
    if (error && !diag->message[0])
        (void)diag_set(diag, error, NULL, 0, 0, "%s", error_text(error));
    buf_done(&s->config);
    buf_done(&s->origins);
    buf_done(&s->troubles);
    loop_free(s->loop);
    free(s);
    log_write(LOG_SERVE_ENDED, LOG_NUMBER("error", error));
    return error;
}
