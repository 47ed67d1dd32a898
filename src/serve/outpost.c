/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/outpost.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/folder.h"
#include "base/log.h"
#include "collect/listen.h"
#include "serve/listeners.h"

enum {
    CONNECTIONS_MAX = 64,
    PER_ADDRESS_MAX = 16,
    CONNECTION_MEMORY = 32 * 1024,
    SILENCE_MAX = 30, /* s: of a connection */
    PEM_MAX = 1024 * 1024,
};
/* Connections that say nothing are found by it, and systemd hears that this lives. */
#define TICK NSEC_PER_SEC

struct request {
    struct buf body;
};

/* ---- requests ---------------------------------------------------------------------------- */

enum MHD_Result outpost_answer(struct MHD_Connection *connection, unsigned status, const char *type,
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

enum MHD_Result outpost_refuse(struct MHD_Connection *connection, unsigned status)
{
    return outpost_answer(connection, status, "text/plain", SLICE("refused\n"));
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *size, void **con_cls)
{
    const struct outpost *o = ctx;
    struct request *r = *con_cls;
    (void)version;
    if (!r) {
        unsigned status = o->options.head(o->options.ctx, connection, method, path);
        if (status) return outpost_refuse(connection, status);
        r = calloc(1, sizeof *r);
        if (!r) return MHD_NO;
        buf_init(&r->body, o->options.body_max);
        *con_cls = r;
        return MHD_YES;
    }
    if (*size == 0)
        return buf_failed(&r->body)
                   ? outpost_refuse(connection, MHD_HTTP_CONTENT_TOO_LARGE)
                   : o->options.body(o->options.ctx, connection, buf_slice(&r->body));
    buf_put(&r->body, slice_make(bytes, *size));
    *size = 0;
    return MHD_YES;
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode why)
{
    struct request *r = *con_cls;
    (void)ctx, (void)connection, (void)why;
    if (r) buf_done(&r->body);
    free(r);
    *con_cls = NULL;
}

/* ---- certificate, socket, daemon --------------------------------------------------------- */

static int read_pem(const struct config_list *path, struct buf *out, struct diag *diag)
{
    buf_init(out, PEM_MAX);
    return path && path->n ? file_read(path->items[0], out, diag) : 0;
}

static int make_tls(struct outpost *o, struct diag *diag)
{
    const struct config *config = o->options.given->config;
    struct buf certificate, key, clients;
    int error = read_pem(&config->tls_certificate, &certificate, diag);
    int other = read_pem(&config->tls_key, &key, diag),
        third = read_pem(o->options.clients, &clients, diag);
    if (error == 0) error = other ? other : third;
    if (error == 0) {
        error = tls_context_new(buf_slice(&certificate), buf_slice(&key), buf_slice(&clients),
                                clients.len ? TLS_CLIENT_REQUESTED : TLS_CLIENT_IGNORED, &o->tls);
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

static int open_socket(struct outpost *o, struct diag *diag)
{
    const struct config_list *list = o->options.listen;
    struct slice address;
    uint16_t port;
    if (list->n == 0 || !listeners_parse(slice_of(list->items[0]), &address, &port))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0,
                        "%s.listen has to be an address with a port, such as [::]:8443",
                        o->options.name);
    int error = listen_open(LISTEN_HTTP, address, port, 0, &o->socket);
    return error ? diag_set(diag, error, NULL, 0, 0, "%s.listen: %s: %s", o->options.name,
                            list->items[0], error_text(error))
                 : 0;
}

static void on_tick(void *ctx)
{
    struct outpost *o = ctx;
    httpd_run(&o->httpd);
    if (o->options.tick) o->options.tick(o->options.ctx);
    if (o->options.given->service->watchdog)
        service_tell(o->options.given->service, SLICE("WATCHDOG=1"));
}

static int start(struct outpost *o)
{
    const struct MHD_OptionItem more[] = {
        {MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, NULL},
        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, PER_ADDRESS_MAX, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, SILENCE_MAX, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, o},
        {MHD_OPTION_END, 0, NULL},
    };
    const struct httpd_options options = {.loop = o->loop,
                                          .socket = o->socket,
                                          .tls = {.certificate = tls_context_certificate(o->tls),
                                                  .key = tls_context_key(o->tls),
                                                  .priorities = tls_priorities(),
                                                  .authorities = tls_context_authorities(o->tls)},
                                          .request = on_request,
                                          .ctx = o,
                                          .more = more};
    int error = httpd_start(&o->httpd, &options);
    o->tick = (struct loop_timer){.due = on_tick, .ctx = o};
    return error ? error : loop_timer_set(o->loop, &o->tick, TICK, TICK);
}

int outpost_listen(struct outpost *o, struct diag *diag)
{
    int error = make_tls(o, diag);
    if (error == 0) error = open_socket(o, diag);
    return error ? error : start(o);
}

/* ---- its life ---------------------------------------------------------------------------- */

/* One process has the folder: what is read and what is written belong together. */
static int open_folder(struct outpost *o, struct diag *diag)
{
    const char *path = o->options.folder;
    int error = folder_make(path, FOLDER_OWN, diag);
    if (error) return error;
    o->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (o->folder < 0)
        return diag_set(diag, ERR_ACCESS, NULL, 0, 0, "%s: %s", path, strerror(errno));
    if (flock(o->folder, LOCK_EX | LOCK_NB) != 0)
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s: a %s runs there already", path,
                        o->options.name);
    return 0;
}

static void on_signal(void *ctx, int number)
{
    struct outpost *o = ctx;
    (void)number;
    service_tell(o->options.given->service, SLICE("STOPPING=1"));
    loop_stop(o->loop, 0);
}

int outpost_open(struct outpost *o, const struct outpost_options *options, struct diag *diag)
{
    static const int signals[] = {SIGTERM, SIGINT, 0};
    *o = (struct outpost){.options = *options, .folder = -1, .socket = -1};
    o->loop = loop_new(&(struct loop_options){.clock = options->given->clock,
                                              .max_watches = options->watches_max,
                                              .max_timers = options->watches_max});
    int error = o->loop ? loop_signals(o->loop, signals, on_signal, o) : ERR_NOMEM;
    return error ? error : open_folder(o, diag);
}

int outpost_confine(struct outpost *o, enum sandbox_role role, const struct sandbox_files *files,
                    struct diag *diag)
{
    enum sandbox_level level = SANDBOX_NONE;
    int error = o->options.given->sandboxed ? sandbox_enter(role, files, &level) : 0;
    if (error) return diag_set(diag, error, NULL, 0, 0, "the kernel refused the sandbox");
    log_write(LOG_SANDBOX_ENTERED, LOG_TEXT("role", slice_of(o->options.name)),
              LOG_TEXT("level", slice_of(sandbox_level_name(level))));
    return 0;
}

int outpost_run(struct outpost *o, struct slice key)
{
    const struct outpost_given *given = o->options.given;
    if (given->ready) given->ready(given->ctx, key);
    service_tell(given->service, SLICE("READY=1"));
    return loop_run(o->loop);
}

void outpost_done(struct outpost *o)
{
    if (o->loop) loop_timer_stop(o->loop, &o->tick);
    if (o->httpd.daemon) httpd_stop(&o->httpd);
    else if (o->socket >= 0) (void)close(o->socket);
    tls_context_free(o->tls);
    if (o->folder >= 0) (void)close(o->folder);
    loop_free(o->loop);
}
