/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/watchdog_server.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/folder.h"
#include "base/log.h"
#include "base/loop.h"
#include "collect/listen.h"
#include "collect/tls.h"
#include "httpd/httpd.h"
#include "notify/provider.h"
#include "notify/senders.h"
#include "proc/sandbox.h"
#include "serve/listeners.h"
#include "serve/signing_key.h"
#include "serve/watchdog_server.h"
#include "watchdog/guard.h"

enum {
    CONNECTIONS_MAX = 64,
    PER_ADDRESS_MAX = 16,
    CONNECTION_MEMORY = 32 * 1024,
    SILENCE_MAX = 30, /* s: of a connection */
    PEM_MAX = 1024 * 1024,
    CONTACTS_MAX = 16,
    TRIES_MAX = 6, /* of one message to one contact */
    WATCHES_MAX = 1024,
    PORTS_MAX = 2 * NOTIFY_PROVIDERS_MAX,
    /* Numbers are written down so many ahead: a start goes on behind those that were not used. */
    AHEAD = 1000,
};
#define TICK  NSEC_PER_SEC
#define AGAIN (10 * NSEC_PER_SEC)

struct contact {
    enum notify_channel channel;
    char provider[NOTIFY_NAME_MAX], address[NOTIFY_ADDRESS_MAX + 1];
    uint64_t attempt; /* of the message at hand; 0: it has that one, or there is none */
    unsigned tries;
    nsec next; /* monotonic: to be tried again; 0: somebody is at it */
};

struct watchdog_server {
    const struct watchdog_server_options *options;
    struct loop *loop;
    int folder, socket;
    struct checkpoint_signer signer;
    struct checkpoint_key vaka;
    struct tls_context *tls;
    struct httpd httpd;
    struct senders *senders;
    struct guard guard;
    struct contact contacts[CONTACTS_MAX];
    size_t n_contacts;
    uint64_t number, reserved; /* of its own heartbeats */
    uint64_t last_attempt;
    struct loop_timer tick;
    struct buf out, text, spoken_sv, spoken_en;
    uint16_t ports[PORTS_MAX];
    size_t n_ports;
};

struct request {
    struct buf body;
};

/* ---- what is written down ---------------------------------------------------------------- */

static int keep(struct watchdog_server *s, const char *name, uint64_t number)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%" PRIu64 "\n", number);
    return folder_replace(s->folder, name, slice_make(text, (size_t)n)) == 0 ? 0 : ERR_IO;
}

static uint64_t kept(const struct watchdog_server *s, const char *name)
{
    char text[32];
    uint64_t number = 0;
    int fd = openat(s->folder, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text);
    if (fd >= 0) (void)close(fd);
    return n > 0 && slice_to_u64(slice_trim(slice_make(text, (size_t)n)), &number) ? number : 0;
}

/* ---- telling people ---------------------------------------------------------------------- */

static void write_message(struct watchdog_server *s, bool english, struct buf *out)
{
    const struct guard *g = &s->guard;
    const nsec silent = (clock_monotonic(&s->options->clock) - g->heard) / NSEC_PER_SEC;
    switch (g->state) {
    case GUARD_WELL:
        buf_puts(out, english ? "The watch is awake again." : "vakan är vaken igen.");
        return;
    case GUARD_SILENT:
        buf_printf(out,
                   english ? "The watch has been silent for %" PRId64 " s."
                           : "vakan är tyst sedan %" PRId64 " s. Gör först: se efter på servern.",
                   silent);
        return;
    case GUARD_BROKEN:
        if (english) buf_puts(out, "The watch cannot page.");
        else
            buf_printf(out, "vakan kan inte larma, %s är trasigt: %s.", g->beat.broken,
                       g->beat.why);
        return;
    case GUARD_LOUD:
        buf_puts(out,
                 english ? "Nobody has acknowledged a page." : "ingen har kvitterat ett larm.");
        return;
    }
}

/* What is read has both languages, what is heard the one of the voice. */
static void write_texts(struct watchdog_server *s)
{
    struct buf *const spoken[] = {&s->spoken_sv, &s->spoken_en};
    for (unsigned english = 0; english < 2; english++) {
        buf_clear(spoken[english]);
        buf_printf(spoken[english], "Vaka %s: ", s->vaka.name);
        write_message(s, english, spoken[english]);
    }
    buf_clear(&s->text);
    buf_put(&s->text, buf_slice(&s->spoken_sv));
    buf_putc(&s->text, ' ');
    write_message(s, true, &s->text);
}

static void send_to(struct watchdog_server *s, struct contact *c)
{
    nsec now = clock_realtime(&s->options->clock);
    c->attempt = ++s->last_attempt;
    c->next = 0;
    c->tries++;
    senders_send(s->senders, (unsigned)(c - s->contacts),
                 &(struct notify_message){.attempt = c->attempt,
                                          .channel = c->channel,
                                          .expires = now / NSEC_PER_SEC + 600,
                                          .provider = slice_of(c->provider),
                                          .address = slice_of(c->address),
                                          .subject = SLICE("Vaka"),
                                          .body = buf_slice(&s->text),
                                          .spoken_sv = buf_slice(&s->spoken_sv),
                                          .spoken_en = buf_slice(&s->spoken_en)});
}

/* All contacts at once: who has to be told by a watchdog is not told by anybody else. */
static void tell_all(struct watchdog_server *s)
{
    log_write(LOG_WATCHDOG_STATE, LOG_TEXT("state", slice_of(guard_state_name(s->guard.state))),
              LOG_NUMBER("number", s->guard.number));
    write_texts(s);
    for (size_t i = 0; i < s->n_contacts; i++) {
        s->contacts[i].tries = 0;
        send_to(s, &s->contacts[i]);
    }
}

static void on_sent(void *ctx, unsigned asker, uint64_t attempt, enum notify_outcome outcome,
                    struct slice reference, struct slice detail)
{
    struct watchdog_server *s = ctx;
    struct contact *c = &s->contacts[asker];
    bool taken = outcome == NOTIFY_ACCEPTED || outcome == NOTIFY_DELIVERED;
    (void)reference;
    log_write(LOG_WATCHDOG_SENT, LOG_TEXT("provider", slice_of(c->provider)),
              LOG_TEXT("outcome", slice_of(notify_outcome_name(outcome))),
              LOG_TEXT("detail", detail));
    if (c->attempt != attempt) return;
    c->attempt = 0;
    if (!taken && c->tries < TRIES_MAX) c->next = clock_monotonic(&s->options->clock) + AGAIN;
}

static void on_answered(void *ctx, enum notify_channel channel, struct slice provider,
                        struct slice reference, struct slice from, struct slice text)
{
    (void)ctx, (void)channel, (void)provider, (void)reference, (void)from, (void)text;
}

static void on_changed(void *ctx)
{
    (void)ctx;
}

static void on_tick(void *ctx)
{
    struct watchdog_server *s = ctx;
    nsec now = clock_monotonic(&s->options->clock);
    httpd_run(&s->httpd);
    if (guard_pass(&s->guard, now)) tell_all(s);
    for (size_t i = 0; i < s->n_contacts; i++)
        if (s->contacts[i].next && now >= s->contacts[i].next) send_to(s, &s->contacts[i]);
}

/* ---- heartbeats -------------------------------------------------------------------------- */

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, struct slice body)
{
    /* MHD copies it. */
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.len, (void *)(uintptr_t)body.ptr, MHD_RESPMEM_MUST_COPY);
    if (!response) return MHD_NO;
    enum MHD_Result result =
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
    if (result == MHD_YES) result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status)
{
    return answer(connection, status, SLICE("refused\n"));
}

/* Its own number is never said twice, whatever the end of this process was. */
static int next_number(struct watchdog_server *s)
{
    if (s->number + 1 >= s->reserved) {
        int error = keep(s, "sent", s->reserved + AHEAD);
        if (error) return error;
        s->reserved += AHEAD;
    }
    s->number++;
    return 0;
}

static int write_answer(struct watchdog_server *s, uint64_t answers)
{
    int error = next_number(s);
    if (error) return error;
    const struct heartbeat beat = {
        .number = s->number,
        .answers = answers,
        .time = (uint64_t)(clock_realtime(&s->options->clock) / NSEC_PER_SEC),
        .broken = "nothing"};
    buf_clear(&s->out);
    heartbeat_write(&s->out, &beat, &s->signer, &s->vaka);
    return buf_error(&s->out);
}

static enum MHD_Result hear(struct watchdog_server *s, struct MHD_Connection *connection,
                            struct slice body)
{
    struct heartbeat beat;
    nsec now = clock_monotonic(&s->options->clock);
    if (heartbeat_read(body, &s->vaka, &s->signer.key, &beat) != 0) {
        s->guard.refused++;
        log_write(LOG_WATCHDOG_REFUSED, LOG_TEXT("why", SLICE("it is not signed as it must be")));
        return refuse(connection, MHD_HTTP_FORBIDDEN);
    }
    if (!guard_hear(&s->guard, &beat, now)) {
        log_write(LOG_WATCHDOG_REFUSED, LOG_TEXT("why", SLICE("it was there before")));
        return refuse(connection, MHD_HTTP_CONFLICT);
    }
    int error = keep(s, "heard", s->guard.number);
    if (error == 0) error = write_answer(s, beat.number);
    if (guard_pass(&s->guard, now)) tell_all(s);
    return error ? refuse(connection, MHD_HTTP_INTERNAL_SERVER_ERROR)
                 : answer(connection, MHD_HTTP_OK, buf_slice(&s->out));
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *size, void **con_cls)
{
    struct request *r = *con_cls;
    (void)version;
    if (!r) {
        if (strcmp(path, "/heartbeat") != 0 || strcmp(method, MHD_HTTP_METHOD_POST) != 0)
            return refuse(connection, MHD_HTTP_NOT_FOUND);
        r = calloc(1, sizeof *r);
        if (!r) return MHD_NO;
        buf_init(&r->body, HEARTBEAT_MAX);
        *con_cls = r;
        return MHD_YES;
    }
    if (*size == 0)
        return buf_failed(&r->body) ? refuse(connection, MHD_HTTP_CONTENT_TOO_LARGE)
                                    : hear(ctx, connection, buf_slice(&r->body));
    buf_put(&r->body, slice_make(bytes, *size));
    *size = 0;
    return MHD_YES;
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode why)
{
    struct request *r = *con_cls;
    (void)ctx;
    (void)connection;
    (void)why;
    if (r) buf_done(&r->body);
    free(r);
    *con_cls = NULL;
}

static void on_signal(void *ctx, int number)
{
    struct watchdog_server *s = ctx;
    (void)number;
    loop_stop(s->loop, 0);
}

static int start(struct watchdog_server *s)
{
    const struct MHD_OptionItem more[] = {
        {MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, NULL},
        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, PER_ADDRESS_MAX, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, SILENCE_MAX, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, s},
        {MHD_OPTION_END, 0, NULL},
    };
    const struct httpd_options options = {.loop = s->loop,
                                          .socket = s->socket,
                                          .tls = {.certificate = tls_context_certificate(s->tls),
                                                  .key = tls_context_key(s->tls),
                                                  .priorities = tls_priorities()},
                                          .request = on_request,
                                          .ctx = s,
                                          .more = more};
    int error = httpd_start(&s->httpd, &options);
    s->tick = (struct loop_timer){.due = on_tick, .ctx = s};
    return error ? error : loop_timer_set(s->loop, &s->tick, TICK, TICK);
}

/* ---- what it needs ----------------------------------------------------------------------- */

static int open_folder(struct watchdog_server *s, struct diag *diag)
{
    const char *path = s->options->config->watchdog_folder.items[0];
    int error = folder_make(path, FOLDER_OWN, diag);
    if (error) return error;
    s->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->folder < 0)
        return diag_set(diag, ERR_ACCESS, NULL, 0, 0, "%s: %s", path, strerror(errno));
    if (flock(s->folder, LOCK_EX | LOCK_NB) != 0)
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s: a watchdog runs there already", path);
    s->number = s->reserved = kept(s, "sent");
    return 0;
}

static int read_vaka(struct watchdog_server *s, struct diag *diag)
{
    const struct config_list *key = &s->options->config->watchdog_key;
    if (key->n && checkpoint_key_read(slice_trim(slice_of(key->items[0])), &s->vaka) == 0 &&
        s->vaka.type == CHECKPOINT_LOG)
        return 0;
    return diag_set(diag, ERR_INVALID, NULL, 0, 0,
                    "watchdog.key has to be the public key of the watch: vaka watchdog init, on "
                    "its machine, prints it");
}

/* "sms elks +46701234567" */
static int read_contact(struct watchdog_server *s, const char *text, struct diag *diag)
{
    struct slice rest = slice_of(text), channel = slice_next_word(&rest),
                 provider = slice_next_word(&rest), address = slice_trim(rest);
    struct contact *c = &s->contacts[s->n_contacts];
    c->channel = notify_channel_read(channel);
    if (c->channel == NOTIFY_NO_CHANNEL || !slice_copy(provider, c->provider, sizeof c->provider) ||
        !provider.len || !slice_copy(address, c->address, sizeof c->address))
        return diag_set(diag, ERR_SYNTAX, NULL, 0, 0,
                        "watchdog.contacts: %s: a channel, a provider of notify.providers and an "
                        "address are expected",
                        text);
    s->n_contacts++;
    return 0;
}

static int read_contacts(struct watchdog_server *s, struct diag *diag)
{
    const struct config_list *list = &s->options->config->watchdog_contacts;
    int error = list->n ? 0
                        : diag_set(diag, ERR_INVALID, NULL, 0, 0,
                                   "watchdog.contacts names nobody who could be told");
    for (uint32_t i = 0; i < list->n && error == 0; i++)
        error = read_contact(s, list->items[i], diag);
    return error;
}

static int read_pem(const struct config_list *path, struct buf *out, struct diag *diag)
{
    buf_init(out, PEM_MAX);
    return path->n ? file_read(path->items[0], out, diag) : 0;
}

static int make_tls(struct watchdog_server *s, struct diag *diag)
{
    const struct config *config = s->options->config;
    struct buf certificate, key;
    int error = read_pem(&config->tls_certificate, &certificate, diag),
        other = read_pem(&config->tls_key, &key, diag);
    if (error == 0) error = other;
    if (error == 0) {
        error = tls_context_new(buf_slice(&certificate), buf_slice(&key), SLICE_NONE,
                                TLS_CLIENT_IGNORED, &s->tls);
        if (error)
            (void)diag_set(diag, error, NULL, 0, 0,
                           "tls.certificate and tls.key are missing, cannot be read, or do not "
                           "belong together");
    }
    if (key.ptr) explicit_bzero(key.ptr, key.len);
    buf_done(&certificate);
    buf_done(&key);
    return error;
}

static int open_senders(struct watchdog_server *s, struct diag *diag)
{
    const struct config *config = s->options->config;
    const struct senders_options options = {
        .loop = s->loop,
        .clock = s->options->clock,
        .providers = config->notify_providers.items,
        .n_providers = config->notify_providers.n,
        .trust = config->notify_trust.n ? config->notify_trust.items[0] : NULL,
        .proxy = config->notify_proxy.n ? config->notify_proxy.items[0] : NULL,
        .out = {.ctx = s, .sent = on_sent, .answered = on_answered, .changed = on_changed}};
    return senders_new(&options, &s->senders, diag);
}

static int open_socket(struct watchdog_server *s, struct diag *diag)
{
    const struct config_list *list = &s->options->config->watchdog_listen;
    struct slice address;
    uint16_t port;
    if (list->n == 0 || !listeners_parse(slice_of(list->items[0]), &address, &port))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0,
                        "watchdog.listen has to be an address with a port, such as [::]:8444");
    int error = listen_open(LISTEN_HTTP, address, port, 0, &s->socket);
    return error ? diag_set(diag, error, NULL, 0, 0, "watchdog.listen: %s: %s", list->items[0],
                            error_text(error))
                 : 0;
}

static void keep_port(void *ctx, uint16_t port)
{
    struct watchdog_server *s = ctx;
    if (s->n_ports < PORTS_MAX) s->ports[s->n_ports++] = port;
}

static int enter_sandbox(struct watchdog_server *s, struct diag *diag)
{
    const char *folder = s->options->config->watchdog_folder.items[0];
    const char *trust = senders_trust(s->senders);
    enum sandbox_level level = SANDBOX_NONE;
    senders_ports(s->senders, keep_port, s);
    const struct sandbox_files files = {.folders = &folder,
                                        .n_folders = 1,
                                        .paths = &trust,
                                        .n_paths = 1,
                                        .ports = s->ports,
                                        .n_ports = s->n_ports};
    int error = s->options->sandboxed ? sandbox_enter(SANDBOX_WATCHDOG, &files, &level) : 0;
    if (error) return diag_set(diag, error, NULL, 0, 0, "the kernel refused the sandbox");
    log_write(LOG_SANDBOX_ENTERED, LOG_TEXT("role", SLICE("watchdog")),
              LOG_TEXT("level", slice_of(sandbox_level_name(level))));
    return 0;
}

static int open_key(const struct config *config, bool watchdog, struct checkpoint_signer *ret,
                    struct diag *diag)
{
    char space[192], folder[CONFIG_PATH_MAX + 16];
    const struct config_list none = {0};
    (void)snprintf(folder, sizeof folder, "%s%s",
                   watchdog ? config->watchdog_folder.items[0] : config->serve_folder.items[0],
                   watchdog ? "" : "/keys");
    return signing_key_open(
        folder, "heartbeat", CHECKPOINT_LOG,
        signing_key_name(&none, watchdog ? "/watchdog" : "/vaka", space, sizeof space), ret, diag);
}

static int prepare(struct watchdog_server *s, struct diag *diag)
{
    const struct config *config = s->options->config;
    const struct guard_options guard = {.silence = config->watchdog_silence,
                                        .repeat = config->watchdog_repeat};
    int error = open_folder(s, diag);
    if (error == 0) error = open_key(config, true, &s->signer, diag);
    if (error == 0) error = read_vaka(s, diag);
    if (error == 0) error = read_contacts(s, diag);
    if (error == 0) error = make_tls(s, diag);
    if (error == 0) error = open_senders(s, diag);
    if (error == 0) error = open_socket(s, diag);
    if (error) return error;
    guard_init(&s->guard, &guard, kept(s, "heard"), clock_monotonic(&s->options->clock));
    /* Before the sandbox: MHD makes descriptors of its own. */
    error = start(s);
    return error ? error : enter_sandbox(s, diag);
}

static void tell_ready(struct watchdog_server *s)
{
    struct buf key;
    buf_init(&key, CHECKPOINT_KEY_TEXT);
    checkpoint_key_write(&key, &s->signer.key);
    if (s->options->ready) s->options->ready(s->options->ctx, buf_slice(&key));
    buf_done(&key);
}

static void done(struct watchdog_server *s)
{
    loop_timer_stop(s->loop, &s->tick);
    if (s->httpd.daemon) httpd_stop(&s->httpd);
    else if (s->socket >= 0) (void)close(s->socket);
    senders_free(s->senders);
    checkpoint_signer_done(&s->signer);
    tls_context_free(s->tls);
    buf_done(&s->out);
    buf_done(&s->text);
    buf_done(&s->spoken_sv);
    buf_done(&s->spoken_en);
    if (s->folder >= 0) (void)close(s->folder);
    loop_free(s->loop);
}

int watchdog_server_run(const struct watchdog_server_options *options, struct diag *diag)
{
    static const int signals[] = {SIGTERM, SIGINT, 0};
    diag->message[0] = '\0';
    struct watchdog_server *s = calloc(1, sizeof *s);
    if (!s) return diag_set(diag, ERR_NOMEM, NULL, 0, 0, "%s", error_text(ERR_NOMEM));
    s->options = options;
    s->folder = s->socket = -1;
    buf_init(&s->out, HEARTBEAT_MAX + CHECKPOINT_KEY_TEXT);
    buf_init(&s->text, NOTIFY_TEXT_MAX);
    buf_init(&s->spoken_sv, NOTIFY_TEXT_MAX);
    buf_init(&s->spoken_en, NOTIFY_TEXT_MAX);
    s->loop = loop_new(&(struct loop_options){
        .clock = options->clock, .max_watches = WATCHES_MAX, .max_timers = WATCHES_MAX});
    int error = s->loop ? loop_signals(s->loop, signals, on_signal, s) : ERR_NOMEM;
    if (error == 0) error = prepare(s, diag);
    if (error == 0) {
        tell_ready(s);
        error = loop_run(s->loop);
    }
    if (error && !diag->message[0])
        (void)diag_set(diag, error, NULL, 0, 0, "%s", error_text(error));
    if (s->loop) done(s);
    free(s);
    return error;
}

int watchdog_make_key(const struct config *config, struct buf *out, struct diag *diag)
{
    struct checkpoint_signer signer;
    int error = config->watchdog_listen.n
                    ? 0
                    : folder_make(config->serve_folder.items[0], FOLDER_OWN, diag);
    if (error == 0) error = open_key(config, config->watchdog_listen.n > 0, &signer, diag);
    if (error) return error;
    checkpoint_key_write(out, &signer.key);
    checkpoint_signer_done(&signer);
    return 0;
}
