/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/http.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collect/callers.h"
#include "collect/request.h"
#include "collect/tls.h"

enum { CONNECTION_MEMORY = 64 * 1024 };

struct http_conn {
    struct http *http;
    struct http_conn *next, *prev;
    int fd; /* MHD's */
    char address[LISTEN_ADDRESS_MAX];
    nsec since; /* monotonic: its beginning, or the end of the last request */
    struct request *request;
};

struct http {
    struct core *core;
    struct listener row;
    struct MHD_Daemon *daemon;
    struct loop_watch watch;
    struct loop_timer timer;
    struct loop_deferred again;
    struct http_conn *first;
    struct callers callers; /* their addresses */
    uint32_t n;
    bool stopped, retired;
};

/* ---- turns of MHD ------------------------------------------------------------------------ */

static void run(struct http *h)
{
    MHD_UNSIGNED_LONG_LONG ms;
    if (MHD_run(h->daemon) != MHD_YES) return;
    if (MHD_get_timeout(h->daemon, &ms) != MHD_YES) {
        loop_timer_stop(h->core->loop, &h->timer);
    } else if (ms == 0) {
        loop_defer(h->core->loop, &h->again);
    } else {
        nsec after = ms > 1000 ? NSEC_PER_SEC : (nsec)ms * NSEC_PER_MSEC;
        /* Without a timer the tick does it. */
        int error = loop_timer_set(h->core->loop, &h->timer, after, 0);
        (void)error;
    }
}

static void on_ready(void *ctx, unsigned what)
{
    (void)what;
    run(ctx);
}

static void on_turn(void *ctx)
{
    run(ctx);
}

void http_resume(struct http_conn *conn)
{
    loop_defer(conn->http->core->loop, &conn->http->again);
}

const char *http_address(const struct http_conn *conn)
{
    return conn->address;
}

/* ---- connections ------------------------------------------------------------------------- */

static void address_of(const struct sockaddr *from, char ret[LISTEN_ADDRESS_MAX])
{
    struct sockaddr_storage all = {0};
    size_t len = from && from->sa_family == AF_INET    ? sizeof(struct sockaddr_in)
                 : from && from->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                       : 0;
    if (len) memcpy(&all, from, len);
    listen_address_text(&all, ret);
}

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
    char address[LISTEN_ADDRESS_MAX];
    (void)len;
    address_of(from, address);
    if (h->n < h->row.connections_max &&
        callers_count(&h->callers, address) < h->row.per_address_max)
        return MHD_YES;
    count_refused(h, address);
    return MHD_NO;
}

static void connected(struct http *h, struct MHD_Connection *connection, void **socket_context)
{
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *from =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct http_conn *c = calloc(1, sizeof *c);
    *socket_context = c;
    if (!c) return; /* its first request will be closed */
    c->http = h;
    c->fd = fd ? fd->connect_fd : -1;
    c->since = clock_monotonic(&h->core->clock);
    address_of(from ? from->client_addr : NULL, c->address);
    c->next = h->first;
    if (h->first) h->first->prev = c;
    h->first = c;
    callers_add(&h->callers, c->address);
    h->n++;
}

static void disconnected(struct http *h, struct http_conn *c)
{
    if (!c) return;
    if (c->prev) c->prev->next = c->next;
    else h->first = c->next;
    if (c->next) c->next->prev = c->prev;
    callers_remove(&h->callers, c->address);
    h->n--;
    free(c);
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
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
        struct http_conn *c = info ? info->socket_context : NULL;
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
    r->conn->since = clock_monotonic(&r->core->clock);
    request_free(r);
    *con_cls = NULL;
}

/* ---- the listener ------------------------------------------------------------------------ */

void http_tick(struct http *h)
{
    nsec now = clock_monotonic(&h->core->clock);
    for (struct http_conn *c = h->first; c; c = c->next) {
        bool fine = c->request ? request_tick(c->request, now) : now - c->since <= HTTP_HEAD_TIME;
        /* MHD finds it closed and takes it down. */
        if (!fine) (void)shutdown(c->fd, SHUT_RDWR);
    }
    if (!h->stopped || h->retired) run(h);
}

static struct MHD_Daemon *start(struct http *h)
{
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (h->row.tls ? MHD_USE_TLS : 0u);
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL},
        {MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL},
    };
    if (h->row.tls) {
        const char *authorities = tls_context_authorities(h->row.tls);
        tls[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0,
                                         (void *)(uintptr_t)tls_context_key(h->row.tls)};
        tls[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
                                         (void *)(uintptr_t)tls_context_certificate(h->row.tls)};
        tls[2] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0,
                                         (void *)(uintptr_t)tls_priorities()};
        if (authorities)
            tls[3] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0,
                                             (void *)(uintptr_t)authorities};
    }
    return MHD_start_daemon(
        flags, 0, may_connect, h, on_request, h, MHD_OPTION_LISTEN_SOCKET, h->row.fd,
        MHD_OPTION_CONNECTION_LIMIT, h->row.connections_max + 1, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

int http_new(struct core *core, const struct listener *row, struct http **ret)
{
    struct http *h = calloc(1, sizeof *h);
    if (!h) return ERR_NOMEM;
    h->core = core;
    h->row = core_listener(row);
    h->again = (struct loop_deferred){.call = on_turn, .ctx = h};
    h->timer = (struct loop_timer){.due = on_turn, .ctx = h};
    if (callers_init(&h->callers, h->row.connections_max + 1) != 0) {
        free(h);
        return ERR_NOMEM;
    }
    h->daemon = start(h);
    const union MHD_DaemonInfo *info =
        h->daemon ? MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    int error = info ? 0 : ERR_IO;
    h->watch = (struct loop_watch){.fd = info ? info->epoll_fd : -1, .ready = on_ready, .ctx = h};
    if (!error) error = loop_watch_add(core->loop, &h->watch, LOOP_READ);
    if (error) {
        /* The socket stays the caller's. */
        if (h->daemon) (void)MHD_quiesce_daemon(h->daemon);
        if (h->daemon) MHD_stop_daemon(h->daemon);
        callers_done(&h->callers);
        free(h);
        return error;
    }
    *ret = h;
    return 0;
}

void http_stop(struct http *h)
{
    if (h->stopped) return;
    h->stopped = true;
    (void)MHD_quiesce_daemon(h->daemon);
    (void)close(h->row.fd);
}

void http_retire(struct http *h)
{
    if (h->stopped) return;
    h->stopped = h->retired = true;
    (void)MHD_quiesce_daemon(h->daemon);
}

bool http_is_over(const struct http *h)
{
    return h->retired && h->n == 0;
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
    for (struct http_conn *c = h->first; c; c = c->next)
        if (c->request) request_give_up(c->request);
    loop_watch_remove(h->core->loop, &h->watch);
    MHD_stop_daemon(h->daemon);
    loop_timer_stop(h->core->loop, &h->timer);
    loop_defer_cancel(h->core->loop, &h->again);
    callers_done(&h->callers);
    free(h);
}
