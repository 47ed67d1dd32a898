/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "proc/process.h"
#include "serve/supervisor_state.h"

enum { OUT_MAX = 4 * 1024 * 1024 };

/* A process that ends at once waits before it is started again: twice as long each time, until it
 * has run for a while. */
#define WAIT_LEAST (100 * NSEC_PER_MSEC)
#define WAIT_MOST  (10 * NSEC_PER_SEC)
/* … but who tells people is missed at once. */
#define WAIT_MOST_OF_PAGING NSEC_PER_SEC
#define RAN_LONG            (60 * NSEC_PER_SEC)
/* One that does not end when it is told to is killed. */
#define END_WITHIN (10 * NSEC_PER_SEC)

/* The order in which processes end: nothing new comes in, then what came is finished. */
static const enum serve_role stop_order[ROLE_COUNT] = {
    ROLE_CANARY,  ROLE_WEB,    ROLE_LIBRARY, ROLE_SEARCH, ROLE_RETRO,  ROLE_INDEX,  ROLE_PULL,
    ROLE_COLLECT, ROLE_UNWRAP, ROLE_STORE,   ROLE_DETECT, ROLE_TRIAGE, ROLE_SEAL,   ROLE_SIGN,
    ROLE_WITNESS, ROLE_OIDC,   ROLE_ACCOUNT, ROLE_ONCALL, ROLE_NOTIFY, ROLE_CONTROL};

static const char *const environment[] = {"JOURNAL_STREAM", "CREDENTIALS_DIRECTORY", "ASAN_OPTIONS",
                                          "UBSAN_OPTIONS",  "LSAN_OPTIONS",          NULL};

struct slice child_name(const struct child *c)
{
    return slice_of(serve_role_name(c->role));
}

/* ---- channels between processes ---------------------------------------------------------- */

static int send_peer(struct child *to, enum serve_role role, int fd)
{
    if (!link_is_open(&to->link)) {
        (void)close(fd);
        return 0;
    }
    int error = link_pass(&to->link, fd);
    if (error) return error;
    say_peer_write(link_out(&to->link), &(struct say_peer){.role = (uint8_t)role});
    return 0;
}

/* A new channel between two processes; nothing when one of them is not there. */
static int connect_pair(struct child *a, struct child *b)
{
    int fds[2];
    if (!link_is_open(&a->link) || !link_is_open(&b->link)) return 0;
    int error = channel_pair(fds);
    if (error) return error;
    error = send_peer(a, b->role, fds[0]);
    if (error) {
        (void)close(fds[1]);
        return error;
    }
    return send_peer(b, a->role, fds[1]);
}

static const struct {
    enum serve_role a, b;
} pairs[] = {
#define X(left, right) {ROLE_##left, ROLE_##right},
    SERVE_PEERS(X)
#undef X
};

int child_connect(struct supervisor *s, struct child *c)
{
    int error = 0;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs && error == 0; i++) {
        bool left = pairs[i].a == c->role;
        if (!left && pairs[i].b != c->role) continue;
        struct child *other = s->children[left ? pairs[i].b : pairs[i].a];
        error = connect_pair(c, other);
        if (error == 0) link_flush(&other->link);
    }
    return error;
}

/* ---- starting ---------------------------------------------------------------------------- */

int child_give(struct child *c, uint8_t kind, struct slice name, int fd)
{
    int copy = dup(fd);
    if (copy < 0) return ERR_LIMIT;
    int error = link_pass(&c->link, copy);
    if (error == 0)
        say_give_write(link_out(&c->link), &(struct say_give){.kind = kind, .name = name});
    return error;
}

/* Who accepts on it. */
static enum serve_role listener_role(enum listen_input input)
{
    return input == LISTEN_WEB ? ROLE_WEB : ROLE_COLLECT;
}

int child_start(struct supervisor *s, struct child *c)
{
    const char *argv[] = {"vaka", "--role", serve_role_name(c->role), NULL};
    int fd;
    int error = process_start(argv, environment, &c->pid, &fd);
    if (error) return error;
    c->started = clock_monotonic(&s->options->clock);
    c->starts++;
    c->ready = false;
    error = link_open(&c->link, fd, SAY_MAX, OUT_MAX);
    if (error) return error;
    say_start_write(link_out(&c->link), &(struct say_start){.instance = s->instance,
                                                            .sandboxed = s->options->sandboxed,
                                                            .config = buf_slice(&s->config),
                                                            .origins = buf_slice(&s->origins)});
    if (c->role == ROLE_CONTROL)
        error = child_give(c, GIVE_CONTROL_SOCKET, SLICE("control"), s->control_fd);
    for (size_t i = 0; i < s->n_listeners && error == 0; i++)
        if (c->role == listener_role(s->listeners[i].input))
            error = child_give(c, (uint8_t)(GIVE_LISTENER + s->listeners[i].input),
                               slice_of(s->listeners[i].name), s->listeners[i].fd);
    log_write(LOG_ROLE_STARTED, LOG_TEXT("role", child_name(c)), LOG_NUMBER("pid", c->pid));
    return error;
}

int child_go(struct child *c)
{
    say_go_write(link_out(&c->link), &(struct say_go){});
    link_flush(&c->link);
    return 0;
}

static void start_again(void *ctx);

void child_plan_start(struct supervisor *s, struct child *c)
{
    if (clock_monotonic(&s->options->clock) - c->started >= RAN_LONG || c->wait == 0)
        c->wait = WAIT_LEAST;
    const bool pages = c->role == ROLE_ONCALL || c->role == ROLE_NOTIFY;
    const nsec most = pages ? WAIT_MOST_OF_PAGING : WAIT_MOST;
    nsec wait = c->wait;
    c->wait = c->wait * 2 > most ? most : c->wait * 2;
    if (loop_timer_set(s->loop, &c->again, wait, 0) != 0) loop_stop(s->loop, ERR_LIMIT);
}

static void start_again(void *ctx)
{
    struct child *c = ctx;
    struct supervisor *s = c->s;
    int error = child_start(s, c);
    if (error == 0) error = child_connect(s, c);
    if (error == 0) error = child_go(c);
    if (error && !c->pid) child_plan_start(s, c);
    else if (error) (void)kill(c->pid, SIGKILL);
}

/* ---- ending ------------------------------------------------------------------------------ */

void child_kill(void *ctx)
{
    struct child *c = ctx;
    if (c->pid) (void)kill(c->pid, SIGKILL);
}

void child_stop(struct supervisor *s, struct child *c)
{
    if (link_is_open(&c->link)) {
        say_stop_write(link_out(&c->link), &(struct say_stop){});
        link_flush(&c->link);
    }
    if (loop_timer_set(s->loop, &c->kill, END_WITHIN, 0) != 0) child_kill(c);
}

void children_stop_next(struct supervisor *s)
{
    while (s->stop_at < ROLE_COUNT) {
        struct child *c = s->children[stop_order[s->stop_at]];
        loop_timer_stop(s->loop, &c->again);
        if (c->pid) {
            child_stop(s, c);
            return;
        }
        s->stop_at++;
    }
    loop_stop(s->loop, 0);
}

void children_stop(struct supervisor *s)
{
    if (s->stopping) return;
    s->stopping = true;
    service_tell(s->options->service, SLICE("STOPPING=1"));
    child_kill(s->spare);
    children_stop_next(s);
}

void children_init(struct supervisor *s, const struct link_events *events)
{
    for (unsigned i = 0; i <= ROLE_COUNT; i++) {
        struct child *c = &s->slots[i];
        c->s = s;
        c->role = i < ROLE_COUNT ? i : ROLE_DETECT;
        c->again = (struct loop_timer){.due = start_again, .ctx = c};
        c->kill = (struct loop_timer){.due = child_kill, .ctx = c};
        link_init(&c->link, s->loop, events, c);
        if (i < ROLE_COUNT) s->children[i] = c;
        else s->spare = c;
    }
}

int children_start(struct supervisor *s)
{
    int error = 0;
    for (unsigned i = 0; i < ROLE_COUNT && error == 0; i++) error = child_start(s, s->children[i]);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs && error == 0; i++)
        error = connect_pair(s->children[pairs[i].a], s->children[pairs[i].b]);
    for (unsigned i = 0; i < ROLE_COUNT && error == 0; i++) error = child_go(s->children[i]);
    return error;
}

void children_end(struct supervisor *s)
{
    for (unsigned i = 0; i <= ROLE_COUNT; i++) {
        struct child *c = &s->slots[i];
        loop_timer_stop(s->loop, &c->again);
        loop_timer_stop(s->loop, &c->kill);
        link_close(&c->link);
        if (!c->pid) continue;
        child_kill(c);
        while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
}
