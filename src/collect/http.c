/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/http.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ip.h"
#include "collect/callers.h"
#include "collect/request.h"
#include "collect/tls.h"
#include "httpd/conn.h"
#include "httpd/httpd.h"

enum { CONNECTION_MEMORY = 64 * 1024 };

struct http_conn {
    struct httpd_conn head;
    struct http *http;
    struct request *request;
};

struct http {
    struct core *core;
    struct listener row;
    struct httpd httpd;
    struct httpd_conns conns;
    struct callers callers; /* their addresses */
    bool stopped, retired;
};

void http_resume(struct http_conn *conn)
{
    httpd_run_soon(&conn->http->httpd);
}

const char *http_address(const struct http_conn *conn)
{
    return conn->head.address;
}

/* ---- connections ------------------------------------------------------------------------- */

static void count_refused(struct http *h, const char *address)
{
    struct buf text;
    struct ledger_row *row;
    const struct record_source source = {.input = slice_of(listen_input_name(h->row.input)),
                                         .listener = h->row.name,
                                         .address = slice_of(address)};
    buf_init(&text, 4096);
    if (core_source(h->core, &source, &text, &row) == 0) row->refused++;
    buf_done(&text);
}

static enum MHD_Result may_connect(void *ctx, const struct sockaddr *from, socklen_t len)
{
    struct http *h = ctx;
    char address[IP_TEXT_MAX];
    (void)len;
    ip_write(from, address);
    if (h->conns.n < h->row.connections_max &&
        callers_count(&h->callers, address) < h->row.per_address_max)
        return MHD_YES;
    count_refused(h, address);
    return MHD_NO;
}

static void connected(struct http *h, struct MHD_Connection *connection, void **socket_context)
{
    struct http_conn *c = httpd_conn_begin(&h->conns, connection, socket_context, sizeof *c,
                                           clock_monotonic(&h->core->clock));
    if (!c) return;
    c->http = h;
    callers_add(&h->callers, c->head.address);
}

static void disconnected(struct http *h, struct http_conn *c)
{
    if (!c) return;
    callers_remove(&h->callers, c->head.address);
    httpd_conn_end(&h->conns, &c->head);
}

static void on_connection(void *ctx, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED) connected(ctx, connection, socket_context);
    else disconnected(ctx, *socket_context);
}

/* ---- requests ---------------------------------------------------------------------------- */

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *size, void **con_cls)
{
    struct http *h = ctx;
    struct request *r = *con_cls;
    (void)version;
    if (!r) {
        struct http_conn *c = httpd_conn_of(connection);
        if (!c) return MHD_NO;
        r = request_new(h->core, &h->row, c, connection, method, path);
        *con_cls = c->request = r;
        if (!r) return MHD_NO;
        /* Said now, it ends the connection, because the body is not read. */
        return r->state == REQUEST_ANSWERED && request_has_body(r) ? request_answer(r) : MHD_YES;
    }
    if (*size > 0) {
        request_take(r, bytes, size);
        return MHD_YES;
    }
    if (r->state == REQUEST_BODY) request_end(r);
    return r->state == REQUEST_ANSWERED ? request_answer(r) : MHD_YES;
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode why)
{
    struct request *r = *con_cls;
    (void)ctx;
    (void)connection;
    (void)why;
    if (!r) return;
    r->conn->request = NULL;
    r->conn->head.since = clock_monotonic(&r->core->clock);
    request_free(r);
    *con_cls = NULL;
}

/* ---- the listener ------------------------------------------------------------------------ */

void http_tick(struct http *h)
{
    nsec now = clock_monotonic(&h->core->clock);
    for (struct httpd_conn *head = h->conns.first; head; head = head->next) {
        struct request *r = ((struct http_conn *)head)->request;
        bool fine = r ? request_tick(r, now) : now - head->since <= HTTP_HEAD_TIME;
        /* MHD finds it closed and takes it down. */
        if (!fine) (void)shutdown(head->fd, SHUT_RDWR);
    }
    if (!h->stopped || h->retired) httpd_run(&h->httpd);
}

static int start(struct http *h)
{
    const struct tls_context *tls = h->row.tls;
    const struct MHD_OptionItem more[] = {
        {MHD_OPTION_CONNECTION_LIMIT, h->row.connections_max + 1, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, h},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, h},
        {MHD_OPTION_END, 0, NULL},
    };
    struct httpd_options options = {.loop = h->core->loop,
                                    .socket = h->row.fd,
                                    .accept = may_connect,
                                    .request = on_request,
                                    .ctx = h,
                                    .more = more};
    if (tls)
        options.tls = (struct httpd_tls){.certificate = tls_context_certificate(tls),
                                         .key = tls_context_key(tls),
                                         .priorities = tls_priorities(),
                                         .authorities = tls_context_authorities(tls)};
    return httpd_start(&h->httpd, &options);
}

int http_new(struct core *core, const struct listener *row, struct http **ret)
{
    struct http *h = calloc(1, sizeof *h);
    if (!h) return ERR_NOMEM;
    h->core = core;
    h->row = core_listener(row);
    if (callers_init(&h->callers, h->row.connections_max + 1) != 0) {
        free(h);
        return ERR_NOMEM;
    }
    int error = start(h);
    if (error) {
        callers_done(&h->callers);
        free(h);
        return error;
    }
    *ret = h;
    return 0;
}

int http_take(struct http *h, int fd)
{
    /* The daemon asks who it is, and closes one that it does not take. */
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    return httpd_take(&h->httpd, fd, &nobody, sizeof nobody);
}

void http_stop(struct http *h)
{
    if (h->stopped) return;
    h->stopped = true;
    if (h->row.fd < 0) return;
    httpd_quiesce(&h->httpd);
    (void)close(h->row.fd);
}

void http_retire(struct http *h)
{
    if (h->stopped) return;
    h->stopped = h->retired = true;
    httpd_quiesce(&h->httpd);
}

bool http_is_over(const struct http *h)
{
    return h->retired && h->conns.n == 0;
}

const struct listener *http_row(const struct http *h)
{
    return h->stopped ? NULL : &h->row;
}

void http_free(struct http *h)
{
    if (!h) return;
    http_stop(h);
    /* MHD does not stop with connections that are suspended. */
    for (struct httpd_conn *head = h->conns.first; head; head = head->next) {
        struct request *r = ((struct http_conn *)head)->request;
        if (r) request_give_up(r);
    }
    httpd_stop(&h->httpd);
    callers_done(&h->callers);
    free(h);
}
