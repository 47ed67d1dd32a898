/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/witness_server.h"

#include <errno.h>
#include <fcntl.h>
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
#include "collect/token.h"
#include "httpd/httpd.h"
#include "proc/sandbox.h"
#include "serve/listeners.h"
#include "serve/signing_key.h"
#include "serve/tokens.h"
#include "witness/witness.h"

enum {
    CONNECTIONS_MAX = 64,
    PER_ADDRESS_MAX = 16,
    CONNECTION_MEMORY = 32 * 1024,
    SILENCE_MAX = 30, /* s: of a connection */
    PEM_MAX = 1024 * 1024,
    IDENTITY_MAX = 1024,
    LOGS_MAX = 1024, /* keys of logs */
};
/* Connections that say nothing are found by it. */
#define TICK NSEC_PER_SEC

struct server {
    const struct witness_server_options *options;
    struct loop *loop;
    int folder, socket;
    struct store_io io;
    struct checkpoint_signer signer;
    struct checkpoint_key *logs;
    size_t n_logs;
    struct witness witness;
    struct tokens *tokens;
    struct tls_context *tls;
    struct httpd httpd;
    struct loop_timer tick;
    struct buf out;
};

struct request {
    struct buf body;
};

/* ---- requests ---------------------------------------------------------------------------- */

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
                              struct slice body)
{
    /* MHD copies it. */
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.len, (void *)(uintptr_t)body.ptr, MHD_RESPMEM_MUST_COPY);
    if (!response) return MHD_NO;
    enum MHD_Result result = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (result == MHD_YES) result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status)
{
    return answer(connection, status, "text/plain", SLICE("refused\n"));
}

static bool has_certificate(struct MHD_Connection *connection)
{
    struct buf identity;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (!info || !info->tls_session) return false;
    buf_init(&identity, 2 * (size_t)IDENTITY_MAX);
    bool known = tls_identity(info->tls_session, &identity) == 0;
    buf_done(&identity);
    return known;
}

static bool has_token(const struct server *s, struct MHD_Connection *connection)
{
    char scratch[TOKEN_MAX];
    struct slice secret;
    const char *value =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    if (!value || token_read_header(slice_of(value), scratch, &secret) != 0) return false;
    const struct token *token = tokens_find(s->tokens, secret);
    explicit_bzero(scratch, sizeof scratch);
    return token && (token->rights & TOKEN_WITNESS);
}

/* From the head alone: 0, or the status of the refusal. */
static unsigned check_head(const struct server *s, struct MHD_Connection *connection,
                           const char *method, const char *path)
{
    bool trusted = tls_context_authorities(s->tls) && has_certificate(connection);
    if (!trusted && !has_token(s, connection)) return MHD_HTTP_UNAUTHORIZED;
    if (strcmp(path, "/add-checkpoint") != 0) return MHD_HTTP_NOT_FOUND;
    return strcmp(method, MHD_HTTP_METHOD_POST) == 0 ? 0 : MHD_HTTP_METHOD_NOT_ALLOWED;
}

static void tell(const struct witness_answer *a)
{
    enum log_event event = a->forked                     ? LOG_WITNESS_FORK
                           : a->status == WITNESS_SIGNED ? LOG_WITNESS_SIGNED
                                                         : LOG_WITNESS_REFUSED;
    log_write(event, LOG_TEXT("origin", slice_of(a->origin)), LOG_NUMBER("status", a->status),
              LOG_NUMBER("size", a->size));
}

static enum MHD_Result decide(struct server *s, struct MHD_Connection *connection,
                              const struct request *r)
{
    struct witness_answer a;
    if (buf_failed(&r->body)) return refuse(connection, MHD_HTTP_CONTENT_TOO_LARGE);
    buf_clear(&s->out);
    uint64_t now = (uint64_t)(clock_realtime(&s->options->clock) / NSEC_PER_SEC);
    witness_add(&s->witness, buf_slice(&r->body), now, &s->out, &a);
    tell(&a);
    if (a.status != WITNESS_SIGNED && a.status != WITNESS_CONFLICT)
        return refuse(connection, a.status);
    return answer(connection, a.status,
                  a.status == WITNESS_SIGNED ? "text/plain" : "text/x.tlog.size",
                  buf_slice(&s->out));
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *size, void **con_cls)
{
    struct server *s = ctx;
    struct request *r = *con_cls;
    (void)version;
    if (!r) {
        unsigned status = check_head(s, connection, method, path);
        if (status) return refuse(connection, status);
        r = calloc(1, sizeof *r);
        if (!r) return MHD_NO;
        buf_init(&r->body, WITNESS_REQUEST_MAX);
        *con_cls = r;
        return MHD_YES;
    }
    if (*size == 0) return decide(s, connection, r);
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

/* ---- the daemon -------------------------------------------------------------------------- */

static void on_tick(void *ctx)
{
    struct server *s = ctx;
    httpd_run(&s->httpd);
}

static void on_signal(void *ctx, int number)
{
    struct server *s = ctx;
    (void)number;
    loop_stop(s->loop, 0);
}

static int start(struct server *s)
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
                                                  .priorities = tls_priorities(),
                                                  .authorities = tls_context_authorities(s->tls)},
                                          .request = on_request,
                                          .ctx = s,
                                          .more = more};
    int error = httpd_start(&s->httpd, &options);
    s->tick = (struct loop_timer){.due = on_tick, .ctx = s};
    return error ? error : loop_timer_set(s->loop, &s->tick, TICK, TICK);
}

/* ---- what it needs ----------------------------------------------------------------------- */

/* One process has the folder: what is read and what is written belong together. */
static int open_folder(struct server *s, struct diag *diag)
{
    const char *path = s->options->config->witness_folder.items[0];
    int error = folder_make(path, FOLDER_OWN, diag);
    if (error) return error;
    s->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->folder < 0)
        return diag_set(diag, ERR_ACCESS, NULL, 0, 0, "%s: %s", path, strerror(errno));
    if (flock(s->folder, LOCK_EX | LOCK_NB) != 0)
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s: a witness runs there already", path);
    s->io = store_io_system(s->folder);
    return 0;
}

static int read_logs(struct server *s, struct diag *diag)
{
    const struct config_list *paths = &s->options->config->witness_logs;
    if (paths->n == 0)
        return diag_set(diag, ERR_INVALID, NULL, 0, 0,
                        "witness.logs names no log whose checkpoints are to be signed");
    s->logs = calloc(LOGS_MAX, sizeof *s->logs);
    if (!s->logs) return ERR_NOMEM;
    for (uint32_t i = 0; i < paths->n; i++) {
        size_t n;
        int error = signing_key_read_public(paths->items[i], CHECKPOINT_LOG, s->logs + s->n_logs,
                                            LOGS_MAX - s->n_logs, &n, diag);
        if (error) return error;
        s->n_logs += n;
    }
    return 0;
}

static int read_pem(const struct config_list *path, struct buf *out, struct diag *diag)
{
    buf_init(out, PEM_MAX);
    return path->n ? file_read(path->items[0], out, diag) : 0;
}

static int make_tls(struct server *s, struct diag *diag)
{
    const struct config *config = s->options->config;
    struct buf certificate, key, clients;
    int error = read_pem(&config->tls_certificate, &certificate, diag);
    int other = read_pem(&config->tls_key, &key, diag),
        third = read_pem(&config->tls_clients, &clients, diag);
    if (error == 0) error = other ? other : third;
    if (error == 0) {
        error = tls_context_new(buf_slice(&certificate), buf_slice(&key), buf_slice(&clients),
                                clients.len ? TLS_CLIENT_REQUESTED : TLS_CLIENT_IGNORED, &s->tls);
        if (error)
            (void)diag_set(diag, error, NULL, 0, 0,
                           "tls.certificate and tls.key are missing, cannot be read, or do not "
                           "belong together");
    }
    if (key.ptr) explicit_bzero(key.ptr, key.len);
    buf_done(&certificate);
    buf_done(&key);
    buf_done(&clients);
    return error;
}

static int read_tokens(struct server *s, struct diag *diag)
{
    const struct config *config = s->options->config;
    s->tokens = tokens_new();
    if (!s->tokens) return ERR_NOMEM;
    if (config->listen_tokens.n)
        return tokens_read_file(config->listen_tokens.items[0], s->tokens, diag);
    return config->tls_clients.n ? 0
                                 : diag_set(diag, ERR_INVALID, NULL, 0, 0,
                                            "who may submit is said by listen.tokens or "
                                            "tls.clients: one of them is needed");
}

static int open_socket(struct server *s, struct diag *diag)
{
    const struct config_list *list = &s->options->config->witness_listen;
    struct slice address;
    uint16_t port;
    if (list->n == 0 || !listeners_parse(slice_of(list->items[0]), &address, &port))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0,
                        "witness.listen has to be an address with a port, such as [::]:8443");
    int error = listen_open(LISTEN_HTTP, address, port, 0, &s->socket);
    return error ? diag_set(diag, error, NULL, 0, 0, "witness.listen: %s: %s", list->items[0],
                            error_text(error))
                 : 0;
}

static int enter_sandbox(struct server *s, struct diag *diag)
{
    const char *folder = s->options->config->witness_folder.items[0];
    enum sandbox_level level = SANDBOX_NONE;
    int error =
        s->options->sandboxed
            ? sandbox_enter(SANDBOX_WITNESS,
                            &(struct sandbox_files){.folders = &folder, .n_folders = 1}, &level)
            : 0;
    if (error) return diag_set(diag, error, NULL, 0, 0, "the kernel refused the sandbox");
    log_write(LOG_SANDBOX_ENTERED, LOG_TEXT("role", SLICE("witness")),
              LOG_TEXT("level", slice_of(sandbox_level_name(level))));
    return 0;
}

static int prepare(struct server *s, struct diag *diag)
{
    const struct config *config = s->options->config;
    char space[192];
    int error = open_folder(s, diag);
    if (error == 0)
        error = signing_key_open(
            config->witness_folder.items[0], "witness", CHECKPOINT_WITNESS,
            signing_key_name(&config->witness_name, "/witness", space, sizeof space), &s->signer,
            diag);
    if (error == 0) error = read_logs(s, diag);
    if (error == 0) error = make_tls(s, diag);
    if (error == 0) error = read_tokens(s, diag);
    if (error == 0) error = open_socket(s, diag);
    /* Before the sandbox: MHD makes descriptors of its own. */
    if (error == 0) error = start(s);
    return error ? error : enter_sandbox(s, diag);
}

static void tell_ready(struct server *s)
{
    struct buf key;
    buf_init(&key, CHECKPOINT_KEY_TEXT);
    checkpoint_key_write(&key, &s->signer.key);
    if (s->options->ready) s->options->ready(s->options->ctx, buf_slice(&key));
    buf_done(&key);
}

static void done(struct server *s)
{
    loop_timer_stop(s->loop, &s->tick);
    if (s->httpd.daemon) httpd_stop(&s->httpd);
    else if (s->socket >= 0) (void)close(s->socket);
    checkpoint_signer_done(&s->signer);
    tls_context_free(s->tls);
    tokens_free(s->tokens);
    free(s->logs);
    buf_done(&s->out);
    if (s->folder >= 0) (void)close(s->folder);
    loop_free(s->loop);
}

int witness_server_run(const struct witness_server_options *options, struct diag *diag)
{
    static const int signals[] = {SIGTERM, SIGINT, 0};
    diag->message[0] = '\0';
    struct server s = {.options = options, .folder = -1, .socket = -1};
    buf_init(&s.out, WITNESS_ANSWER_MAX);
    s.loop = loop_new(
        &(struct loop_options){.clock = options->clock, .max_watches = 8, .max_timers = 8});
    int error = s.loop ? loop_signals(s.loop, signals, on_signal, &s) : ERR_NOMEM;
    if (error == 0) error = prepare(&s, diag);
    if (error == 0) {
        s.witness =
            (struct witness){.io = &s.io, .signer = &s.signer, .logs = s.logs, .n_logs = s.n_logs};
        tell_ready(&s);
        error = loop_run(s.loop);
    }
    if (error && !diag->message[0])
        (void)diag_set(diag, error, NULL, 0, 0, "%s", error_text(error));
    if (s.loop) done(&s);
    return error;
}
