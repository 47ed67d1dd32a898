/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/supervisor.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/log.h"
#include "base/loop.h"
#include "notify/senders.h"
#include "proc/link.h"
#include "proc/process.h"
#include "proc/worker.h"
#include "pull/pool.h"
#include "serve/credentials.h"
#include "serve/listeners.h"
#include "serve/message.h"
#include "serve/roles.h"

enum {
    OUT_MAX = 4 * 1024 * 1024,
    CONFIG_TEXT_MAX = 2 * 1024 * 1024,
    BACKLOG = 64,
    TROUBLES_MAX = 256 * 1024,
};

/* A process that ends at once waits before it is started again: twice as long each time, until it
 * has run for a while. */
#define WAIT_LEAST (100 * NSEC_PER_MSEC)
#define WAIT_MOST  (10 * NSEC_PER_SEC)
/* … but who tells people is missed at once. */
#define WAIT_MOST_OF_PAGING NSEC_PER_SEC
#define RAN_LONG            (60 * NSEC_PER_SEC)
/* One that does not end when it is told to is killed. */
#define END_WITHIN (10 * NSEC_PER_SEC)

struct child {
    struct supervisor *s;
    enum serve_role role;
    pid_t pid; /* 0: none */
    struct link link;
    nsec started, wait; /* monotonic; how long it waits the next time */
    nsec heard;         /* monotonic: when it said something last */
    struct loop_timer again, kill;
    uint32_t starts;
    bool ready, retired;
};

struct supervisor {
    const struct supervisor_options *options;
    struct loop *loop;
    struct child slots[ROLE_COUNT + 1];
    struct child *children[ROLE_COUNT]; /* who has the role now */
    struct child *spare;                /* read new rules, and takes the role of the old one then */
    bool again;                         /* rules were changed while they were being read */
    struct buf config, origins;         /* as they are told to processes */
    struct buf troubles;                /* messages for triage, until it is there again */
    uint64_t instance;
    nsec started; /* monotonic */
    int control_fd;
    struct {
        enum listen_input input;
        char *name;
        int fd;
    } listeners[LISTENERS_MAX];
    size_t n_listeners;
    bool stopping, told_ready;
    bool pulls; /* the settings in `config` name sources in the cloud */
    struct loop_timer watchdog;
    unsigned stop_at; /* how far ending in order has come */
    struct diag *diag;
};

/* The order in which processes end: nothing new comes in, then what came is finished. */
static const enum serve_role stop_order[ROLE_COUNT] = {
    ROLE_CANARY,  ROLE_WEB,    ROLE_LIBRARY, ROLE_SEARCH, ROLE_RETRO,  ROLE_INDEX,  ROLE_PULL,
    ROLE_COLLECT, ROLE_UNWRAP, ROLE_STORE,   ROLE_DETECT, ROLE_TRIAGE, ROLE_SEAL,   ROLE_SIGN,
    ROLE_WITNESS, ROLE_OIDC,   ROLE_ACCOUNT, ROLE_ONCALL, ROLE_NOTIFY, ROLE_CONTROL};

static const char *const environment[] = {"JOURNAL_STREAM", "CREDENTIALS_DIRECTORY", "ASAN_OPTIONS",
                                          "UBSAN_OPTIONS",  "LSAN_OPTIONS",          NULL};

static struct slice name_of(const struct child *c)
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

static int connect_peers(struct supervisor *s, struct child *c)
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

static int give(struct child *c, uint8_t kind, struct slice name, int fd)
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

static int child_start(struct supervisor *s, struct child *c)
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
        error = give(c, GIVE_CONTROL_SOCKET, SLICE("control"), s->control_fd);
    for (size_t i = 0; i < s->n_listeners && error == 0; i++)
        if (c->role == listener_role(s->listeners[i].input))
            error = give(c, (uint8_t)(GIVE_LISTENER + s->listeners[i].input),
                         slice_of(s->listeners[i].name), s->listeners[i].fd);
    log_write(LOG_ROLE_STARTED, LOG_TEXT("role", name_of(c)), LOG_NUMBER("pid", c->pid));
    return error;
}

static int child_go(struct child *c)
{
    say_go_write(link_out(&c->link), &(struct say_go){});
    link_flush(&c->link);
    return 0;
}

static void start_again(void *ctx);

/* Later: at once when it ran for long, else after a pause that grows. */
static void plan_start(struct supervisor *s, struct child *c)
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
    if (error == 0) error = connect_peers(s, c);
    if (error == 0) error = child_go(c);
    if (error && !c->pid) plan_start(s, c);
    else if (error) (void)kill(c->pid, SIGKILL);
}

/* ---- ending ------------------------------------------------------------------------------ */

static void kill_child(void *ctx)
{
    struct child *c = ctx;
    if (c->pid) (void)kill(c->pid, SIGKILL);
}

static void child_stop(struct supervisor *s, struct child *c)
{
    if (link_is_open(&c->link)) {
        say_stop_write(link_out(&c->link), &(struct say_stop){});
        link_flush(&c->link);
    }
    if (loop_timer_set(s->loop, &c->kill, END_WITHIN, 0) != 0) kill_child(c);
}

static void stop_next(struct supervisor *s)
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

static void begin_stop(struct supervisor *s)
{
    if (s->stopping) return;
    s->stopping = true;
    service_tell(s->options->service, SLICE("STOPPING=1"));
    kill_child(s->spare);
    stop_next(s);
}

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

static void tell_reloading(struct supervisor *s)
{
    char text[64];
    int n = snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
                     clock_monotonic(&s->options->clock) / 1000);
    service_tell(s->options->service, slice_make(text, (size_t)n));
}

/* Ready, or ready again: a reload has come to its end, whichever that was. */
static void tell_running(struct supervisor *s)
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
        log_write(LOG_ROLE_SILENT, LOG_TEXT("role", name_of(s->children[i])),
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

/* ---- new rules --------------------------------------------------------------------------- */

static int set_config(struct supervisor *s, const struct config *config)
{
    buf_clear(&s->config);
    s->pulls = config->cloud_sources.n > 0;
    config_write_values(&s->config, config);
    buf_clear(&s->origins);
    config_write_origins(&s->origins, config);
    int error = buf_error(&s->config);
    return error ? error : buf_error(&s->origins);
}

/* What a reload brings into force: rules by a new process, credentials by the one that has them. */
static bool is_reloaded(enum config_key key)
{
    static const enum config_key keys[] = {
        CONFIG_RULES,          CONFIG_TAXONOMY,
        CONFIG_PLACEHOLDERS,   CONFIG_CORRELATION_STATE,
        CONFIG_DETECT_ENGINES, CONFIG_TLS_CERTIFICATE,
        CONFIG_TLS_KEY,        CONFIG_TLS_CLIENTS,
        CONFIG_LISTEN_TOKENS,  CONFIG_CLOUD_SOURCES,
        CONFIG_CLOUD_TRUST,    CONFIG_CLOUD_PROXY,
        CONFIG_RETRO_DAYS,     CONFIG_RETRO_SHARE,
        CONFIG_PRODUCTS,       CONFIG_INDEX_SHARE,
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i] == key) return true;
    return false;
}

static bool is_same(const struct config *a, const struct config *b, enum config_key key)
{
    struct buf x, y;
    buf_init(&x, CONFIG_TEXT_MAX);
    buf_init(&y, CONFIG_TEXT_MAX);
    config_write_value(&x, a, key);
    config_write_value(&y, b, key);
    bool same = slice_eq(buf_slice(&x), buf_slice(&y));
    buf_done(&x);
    buf_done(&y);
    return same;
}

/* Settings that are others than at the start and stay without effect until the next one. */
static void tell_unchanged(struct supervisor *s, const struct config *config, struct buf *out)
{
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) {
        if (is_reloaded(key) || is_same(s->options->config, config, key)) continue;
        if (out->len) buf_puts(out, ", ");
        buf_puts(out, config_settings[key].key);
    }
    if (out->len) log_write(LOG_RELOAD_INCOMPLETE, LOG_TEXT("settings", buf_slice(out)));
}

static void tell_control(struct supervisor *s, uint8_t status, struct slice text)
{
    struct child *control = s->children[ROLE_CONTROL];
    if (!link_is_open(&control->link) || link_room(&control->link) < text.len + 1024) return;
    say_reloaded_write(link_out(&control->link),
                       &(struct say_reloaded){.status = status, .text = text});
    link_flush(&control->link);
}

/* Files that were replaced are not within the reach of the process that has the sockets. */
static int reload_credentials(struct supervisor *s, const struct config *config, struct diag *diag)
{
    struct child *collect = s->children[ROLE_COLLECT];
    struct credential_files files;
    if (!link_is_open(&collect->link) || !collect->ready) return 0;
    int error = credentials_open(config, &files, diag);
    if (error) return error;
    for (unsigned i = 0; i < CREDENTIAL_FILES && error == 0; i++)
        if (files.fds[i] >= 0)
            error = give(collect, (uint8_t)(GIVE_CREDENTIAL + i), SLICE(""), files.fds[i]);
    credentials_close(&files);
    say_reload_write(link_out(&collect->link), &(struct say_reload){});
    link_flush(&collect->link);
    return error;
}

/*
 * A second process reads the rules while the first goes on. When it cannot, nothing has changed;
 * when it has, it takes the role, and begins where the other had come to. Without `config` the
 * settings stay those that were read last.
 */
static int reload_rules(struct supervisor *s, const struct config *config)
{
    if (s->spare->pid) return ERR_LIMIT;
    int error = config ? set_config(s, config) : 0;
    if (error == 0) error = child_start(s, s->spare);
    if (error == 0) error = child_go(s->spare);
    if (error) kill_child(s->spare);
    return error;
}

static int check_cloud(const struct config *config, struct diag *diag)
{
    const struct pool_options options = {
        .sources = config->cloud_sources.items,
        .n_sources = config->cloud_sources.n,
        .proxy = config->cloud_proxy.n ? config->cloud_proxy.items[0] : NULL,
    };
    return pool_check(&options, diag);
}

static int check_notify(const struct config *config, struct diag *diag)
{
    const struct senders_options options = {
        .providers = config->notify_providers.items,
        .n_providers = config->notify_providers.n,
        .proxy = config->notify_proxy.n ? config->notify_proxy.items[0] : NULL,
        .address = config->web_address.n ? config->web_address.items[0] : NULL,
    };
    return senders_check(&options, diag);
}

/* What it has to read anew is outside of its reach by now: it ends, and begins anew where it is. */
static void renew(struct supervisor *s, enum serve_role role)
{
    struct child *c = s->children[role];
    if (!s->stopping && c->pid) child_stop(s, c);
}

static void reload(struct supervisor *s)
{
    struct config config;
    struct diag diag = {0};
    struct buf restart;
    if (s->stopping) return;
    bool pulled = s->pulls;
    tell_reloading(s);
    buf_init(&restart, CONFIG_TEXT_MAX);
    int error = s->options->read_config(s->options->ctx, &config);
    if (error) (void)diag_set(&diag, error, NULL, 0, 0, "the settings cannot be read");
    if (error == 0) error = check_cloud(&config, &diag);
    if (error == 0) error = check_notify(&config, &diag);
    if (error == 0) error = reload_credentials(s, &config, &diag);
    if (error == 0) error = reload_rules(s, &config);
    if (error == 0 && (pulled || s->pulls)) renew(s, ROLE_PULL);
    if (error == 0) renew(s, ROLE_NOTIFY);
    if (error == 0) renew(s, ROLE_WEB);
    if (error == 0) renew(s, ROLE_SEARCH);
    if (error == 0) renew(s, ROLE_LIBRARY);
    if (error == 0) tell_unchanged(s, &config, &restart);
    if (error && !diag.message[0])
        (void)diag_set(&diag, error, NULL, 0, 0, "%s",
                       s->spare->pid ? "rules are being read already" : error_text(error));
    if (error) log_write(LOG_RELOAD_FAILED, LOG_TEXT("how", slice_of(diag.message)));
    tell_control(s, error != 0, error ? slice_of(diag.message) : buf_slice(&restart));
    buf_done(&restart);
    config_done(&config);
    if (!s->spare->pid) tell_running(s);
}

/* What people changed over the API: rules that are being read may not have it yet. */
static void reload_changed(struct supervisor *s)
{
    s->again = s->spare->pid != 0;
    if (!s->again) reload(s);
}

/* What was changed while rules were being read, when they have been. */
static void reload_again(struct supervisor *s)
{
    if (s->again && !s->stopping) reload_changed(s);
}

/* Something in the rules has ended by itself. While a reload is on its way it finds that, too. */
static int renew_rules(struct supervisor *s)
{
    if (s->stopping || s->spare->pid) return 0;
    int error = reload_rules(s, NULL);
    if (error) log_write(LOG_RELOAD_FAILED, LOG_TEXT("how", slice_of(error_text(error))));
    return 0;
}

/* It reads products and taxonomy before its sandbox: with the new ones records may say other
 * things.
 */
static void renew_index(struct supervisor *s)
{
    struct child *index = s->children[ROLE_INDEX];
    if (index->pid) child_stop(s, index);
}

static void adopt_spare(struct supervisor *s)
{
    struct child *old = s->children[ROLE_DETECT];
    s->children[ROLE_DETECT] = s->spare;
    s->spare = old;
    if (connect_peers(s, s->children[ROLE_DETECT]) != 0) kill_child(s->children[ROLE_DETECT]);
    link_flush(&s->children[ROLE_DETECT]->link);
    renew_index(s);
    log_write(LOG_RULES_RELOADED, LOG_NUMBER("pid", s->children[ROLE_DETECT]->pid));
    renew(s, ROLE_RETRO);
    tell_running(s);
}

/* ---- what children say ------------------------------------------------------------------- */

static void tell_ready(struct supervisor *s)
{
    for (unsigned i = 0; i < ROLE_COUNT; i++)
        if (!s->children[i]->ready) return;
    if (s->told_ready) return;
    s->told_ready = true;
    log_write(LOG_SERVE_READY, LOG_NUMBER("pid", getpid()));
    tell_running(s);
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
    else adopt_spare(s);
    reload_again(s);
}

static void send_report(struct child *to, unsigned about, uint64_t round, struct slice text)
{
    if (!link_is_open(&to->link) || link_room(&to->link) < text.len + 4096) return;
    say_report_write(link_out(&to->link),
                     &(struct say_report){.role = (uint8_t)about, .round = round, .text = text});
    link_flush(&to->link);
}

/* What every report begins with; open for more. */
static void begin_report(struct supervisor *s, struct buf *out, pid_t pid, uint32_t starts,
                         nsec started)
{
    nsec up = clock_monotonic(&s->options->clock) - started;
    buf_putc(out, '{');
    json_write_key(out, "pid");
    json_write_i64(out, pid);
    json_write_key(out, "starts");
    json_write_u64(out, starts);
    json_write_key(out, "up_s");
    json_write_i64(out, up / NSEC_PER_SEC);
}

/* About this process and its machine. */
static void tell_own(struct supervisor *s, uint64_t round)
{
    struct buf text;
    buf_init(&text, 1024);
    begin_report(s, &text, getpid(), 1, s->started);
    json_write_key(&text, "clock");
    json_write_string(&text, slice_of(service_clock_state()));
    buf_putc(&text, '}');
    if (!buf_failed(&text)) {
        send_report(s->children[ROLE_CONTROL], ROLE_SUPERVISOR, round, buf_slice(&text));
        send_report(s->children[ROLE_COLLECT], ROLE_SUPERVISOR, round, buf_slice(&text));
        send_report(s->children[ROLE_WEB], ROLE_SUPERVISOR, round, buf_slice(&text));
    }
    buf_done(&text);
}

static void ask_all(struct supervisor *s, uint64_t round)
{
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        struct link *link = &s->children[i]->link;
        if (!link_is_open(link)) continue;
        say_tell_write(link_out(link), &(struct say_tell){.round = round});
        link_flush(link);
    }
    tell_own(s, round);
}

/* What a process says about itself goes to who is asked about it; collect knows its own. */
static int pass_status(struct supervisor *s, const struct child *from, const struct frame *frame)
{
    struct say_status m;
    if (say_status_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    if (m.text.len < 2 || m.text.ptr[0] != '{') return ERR_CORRUPT;
    struct buf text;
    buf_init(&text, m.text.len + 256);
    begin_report(s, &text, from->pid, from->starts, from->started);
    size_t own = text.len;
    if (m.text.len > 2) buf_putc(&text, ',');
    buf_put(&text, slice_from(m.text, 1));
    if (!buf_failed(&text)) {
        send_report(s->children[ROLE_CONTROL], from->role, m.round, buf_slice(&text));
        send_report(s->children[ROLE_WEB], from->role, m.round, buf_slice(&text));
    }
    if (from->role == ROLE_COLLECT) {
        text.len = own;
        buf_putc(&text, '}');
    }
    if (!buf_failed(&text))
        send_report(s->children[ROLE_COLLECT], from->role, m.round, buf_slice(&text));
    buf_done(&text);
    if (from->role == ROLE_CONTROL && m.round == 0) tell_own(s, 0);
    return 0;
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
        return pass_status(s, c, frame);
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
        kill_child(s->children[broke.role]);
        return 0;
    case SAY_REFRESH:
        if (c->role != ROLE_CONTROL || say_refresh_read(frame->payload, &refresh) != 0)
            return ERR_CORRUPT;
        ask_all(s, refresh.round);
        return 0;
    case SAY_COMMAND:
        if (say_command_read(frame->payload, &command) != 0) return ERR_CORRUPT;
        if (c->role == ROLE_DETECT && command.command == COMMAND_RULES) return renew_rules(s);
        if (c->role == ROLE_LIBRARY && command.command == COMMAND_RELOAD) {
            reload_changed(s);
            return 0;
        }
        if (c->role != ROLE_CONTROL) return ERR_CORRUPT;
        if (command.command == COMMAND_RELOAD) reload(s);
        else if (command.command == COMMAND_STOP) begin_stop(s);
        else if (command.command == COMMAND_KEYS) renew(s, ROLE_SIGN);
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
    if (c->pid && !c->s->stopping && !c->retired) kill_child(c);
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
    log_write(LOG_ROLE_ENDED, LOG_TEXT("role", name_of(c)), LOG_NUMBER("pid", c->pid),
              LOG_TEXT("how", slice_of(how)));
    link_close(&c->link);
    loop_timer_stop(s->loop, &c->kill);
    c->pid = 0;
    c->ready = c->retired = false;
    if (s->stopping) {
        stop_next(s);
    } else if (c == s->spare) {
        log_write(LOG_RELOAD_FAILED, LOG_TEXT("how", slice_of(how)));
        tell_trouble(s, c, SLICE("reload-failed"), slice_of(how));
        tell_running(s);
    } else if (was_retired) {
        adopt_spare(s);
    } else if (early && !s->told_ready) {
        if (!s->diag->message[0])
            (void)diag_set(s->diag, ERR_INVALID, NULL, 0, 0, "%s: %s", serve_role_name(c->role),
                           how);
        loop_stop(s->loop, ERR_INVALID);
    } else {
        /* Who ends in order was told to, or begins anew to look something up. */
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            tell_trouble(s, c, SLICE("process-ended"), slice_of(how));
        plan_start(s, c);
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
    else if (number == SIGHUP) reload(s);
    else begin_stop(s);
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

static int start_all(struct supervisor *s)
{
    int error = 0;
    for (unsigned i = 0; i < ROLE_COUNT && error == 0; i++) error = child_start(s, s->children[i]);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs && error == 0; i++)
        error = connect_pair(s->children[pairs[i].a], s->children[pairs[i].b]);
    for (unsigned i = 0; i < ROLE_COUNT && error == 0; i++) error = child_go(s->children[i]);
    return error;
}

/* Something kept it from running: nobody stays behind. */
static void end_all(struct supervisor *s)
{
    for (unsigned i = 0; i <= ROLE_COUNT; i++) {
        struct child *c = &s->slots[i];
        loop_timer_stop(s->loop, &c->again);
        loop_timer_stop(s->loop, &c->kill);
        link_close(&c->link);
        if (!c->pid) continue;
        kill_child(c);
        while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
}

static void init(struct supervisor *s)
{
    static const struct link_events events = {.frame = child_frame, .closed = child_closed};
    buf_init(&s->config, CONFIG_TEXT_MAX);
    buf_init(&s->origins, CONFIG_TEXT_MAX);
    buf_init(&s->troubles, TROUBLES_MAX);
    for (unsigned i = 0; i <= ROLE_COUNT; i++) {
        struct child *c = &s->slots[i];
        c->s = s;
        c->role = i < ROLE_COUNT ? i : ROLE_DETECT;
        c->again = (struct loop_timer){.due = start_again, .ctx = c};
        c->kill = (struct loop_timer){.due = kill_child, .ctx = c};
        link_init(&c->link, s->loop, &events, c);
        if (i < ROLE_COUNT) s->children[i] = c;
        else s->spare = c;
    }
}

static int run(struct supervisor *s)
{
    static const int signals[] = {SIGCHLD, SIGHUP, SIGTERM, SIGINT, 0};
    int error = set_config(s, s->options->config);
    if (error == 0) error = loop_signals(s->loop, signals, on_signal, s);
    if (error == 0) error = start_watchdog(s);
    if (error == 0) error = start_all(s);
    if (error == 0) error = loop_run(s->loop);
    loop_timer_stop(s->loop, &s->watchdog);
    end_all(s);
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
