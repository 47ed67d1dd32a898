/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/api.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/ip.h"
#include "web/ack.h"
#include "web/call.h"

enum { STOPPED_AFTER = 60 }; /* s: for which another process is waited for */

/* ---- connections ------------------------------------------------------------------------- */

static void on_connection(void *ctx, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct api *w = ctx;
    if (what != MHD_CONNECTION_NOTIFY_STARTED) httpd_conn_end(&w->conns, *socket_context);
    else
        (void)httpd_conn_begin(&w->conns, connection, socket_context, sizeof(struct api_conn),
                               clock_monotonic(&w->options.clock));
}

/* ---- requests ---------------------------------------------------------------------------- */

static void *on_uri(void *ctx, const char *uri, struct MHD_Connection *connection)
{
    struct api_conn *conn = httpd_conn_of(connection);
    struct api_call *c = conn ? api_call_new(ctx, connection, uri) : NULL;
    if (!c) return NULL;
    c->conn = conn;
    conn->call = c;
    return c;
}

static bool has_body(const struct api_call *c)
{
    struct slice length = api_request_header(c, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return (length.len > 0 && !slice_eq(length, SLICE("0"))) ||
           api_request_header(c, MHD_HTTP_HEADER_TRANSFER_ENCODING).len > 0;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *size, void **con_cls)
{
    struct api_call *c = *con_cls;
    (void)ctx;
    (void)connection;
    (void)path;
    (void)version;
    if (!c || c->gone) return MHD_NO;
    if (c->state == CALL_HEAD) {
        api_call_head(c, method);
        /* Said now, it ends the connection, because the body is not read. */
        return c->state == CALL_ANSWERED && has_body(c) ? api_call_answer(c) : MHD_YES;
    }
    if (*size > 0) {
        api_call_take(c, slice_make(bytes, *size));
        *size = 0;
        return MHD_YES;
    }
    if (c->state == CALL_BODY) api_call_run(c);
    return c->state == CALL_ANSWERED ? api_call_answer(c) : MHD_YES;
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode why)
{
    struct api *w = ctx;
    struct api_call *c = *con_cls;
    (void)connection;
    (void)why;
    if (!c) return;
    c->conn->call = NULL;
    c->conn->head.since = clock_monotonic(&w->options.clock);
    api_call_free(c);
    *con_cls = NULL;
}

/* ---- time -------------------------------------------------------------------------------- */

/* MHD does not look at a connection that is suspended. */
static bool has_gone(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
           info.tcpi_state != TCP_ESTABLISHED;
}

/* Whether it may go on as it is. */
static bool is_fine(const struct api_conn *conn, nsec now)
{
    const struct api_call *c = conn->call;
    if (!c) return now - conn->head.since <= API_HEAD_TIME;
    switch (c->state) {
    case CALL_HEAD:
        return now - c->begun <= API_HEAD_TIME;
    case CALL_BODY:
        return now - c->begun <= API_BODY_TIME;
    case CALL_WAITING:
        return now - c->begun <= STOPPED_AFTER * NSEC_PER_SEC && !has_gone(conn->head.fd);
    case CALL_STREAMING:
        return !has_gone(conn->head.fd);
    default:
        return now - c->begun <= STOPPED_AFTER * NSEC_PER_SEC;
    }
}

static void on_tick(void *ctx)
{
    struct api *w = ctx;
    nsec now = clock_monotonic(&w->options.clock);
    for (struct httpd_conn *head = w->conns.first; head; head = head->next) {
        struct api_conn *conn = (struct api_conn *)head;
        if (!is_fine(conn, now)) {
            if (conn->call) api_call_give_up(conn->call);
            /* MHD finds it closed and takes it down. */
            (void)shutdown(conn->head.fd, SHUT_RDWR);
        } else if (conn->call) {
            api_call_tick(conn->call, now);
        }
    }
    httpd_run(&w->httpd);
}

/* ---- from outside ------------------------------------------------------------------------ */

static int start(struct api *w)
{
    const struct MHD_OptionItem more[] = {
        {MHD_OPTION_CONNECTION_LIMIT, API_CONNECTIONS_MAX, NULL},
        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, API_PER_ADDRESS_MAX, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, API_CONNECTION_MEMORY, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_uri, w},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, w},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, w},
        {MHD_OPTION_END, 0, NULL},
    };
    const struct httpd_options options = {.loop = w->options.loop,
                                          .socket = w->options.socket,
                                          .tls = {.certificate = w->options.certificate,
                                                  .key = w->options.key,
                                                  .priorities = w->options.priorities},
                                          .request = on_request,
                                          .ctx = w,
                                          .more = more};
    return httpd_start(&w->httpd, &options);
}

int api_new(const struct api_options *options, struct api **ret)
{
    struct api *w = calloc(1, sizeof *w);
    if (!w) return ERR_NOMEM;
    w->options = *options;
    w->by_address = (struct api_rate){.seed = options->seed, .per_second = options->rate};
    w->by_user = (struct api_rate){.seed = ~options->seed, .per_second = options->rate};
    w->once.seed = options->seed;
    buf_init(&w->providers, API_PROVIDERS_MAX);
    ack_write_policy(w->ack_policy);
    w->tick = (struct loop_timer){.due = on_tick, .ctx = w};
    int error = api_rules_init(&w->rules, options->rules);
    if (error == 0) error = start(w);
    if (error == 0) error = loop_timer_set(options->loop, &w->tick, NSEC_PER_SEC, NSEC_PER_SEC);
    if (error) {
        httpd_stop(&w->httpd);
        api_rules_done(&w->rules);
        free(w);
        return error;
    }
    *ret = w;
    return 0;
}

void api_claimed(struct api *w, uint64_t call, const struct api_principal *principal)
{
    struct api_call *c = api_call_find(w, call, WAIT_CLAIM);
    if (c) api_call_claimed(c, principal);
    else if ((c = api_call_find(w, call, WAIT_LOGIN))) api_logged_in(c, principal);
}

void api_managed(struct api *w, uint64_t call, unsigned status, struct slice body)
{
    struct api_call *c = api_call_find(w, call, WAIT_ACCOUNT);
    if (c) api_account_answered(c, status, body);
}

/* What was done is in the database: those who listen are to hear of it. */
void api_acted(struct api *w, uint64_t call, unsigned status, struct slice body)
{
    struct api_call *c = api_call_find(w, call, WAIT_ACT);
    if (c) api_acted_on(c, status, body);
    api_news_came(w);
}

void api_answered(struct api *w, uint64_t call, unsigned status, struct slice body)
{
    struct api_call *answered = api_call_find(w, call, WAIT_ANSWER);
    struct api_call *acted = api_call_find(w, call, WAIT_ONCALL);
    if (answered) ack_answered(answered, status, body);
    if (acted) api_acted_on(acted, status, body);
}

void api_called(struct api *w, uint64_t call, unsigned status, struct slice body)
{
    struct api_call *c = api_call_find(w, call, WAIT_TOLD);
    if (c) api_callback_answered(c, status, body);
}

void api_providers_are(struct api *w, struct slice list)
{
    buf_clear(&w->providers);
    buf_put(&w->providers, list);
    if (buf_failed(&w->providers)) buf_clear(&w->providers);
}

static void refuse_waiting(struct api *w, enum api_wait waits)
{
    for (struct api_call *c = w->calls; c; c = c->next)
        if (c->waits == waits) api_refuse_for(c, API_PROBLEM_BUSY, 1);
}

void api_oncall_lost(struct api *w)
{
    refuse_waiting(w, WAIT_ANSWER);
    refuse_waiting(w, WAIT_ONCALL);
}

void api_notify_lost(struct api *w)
{
    refuse_waiting(w, WAIT_TOLD);
}

void api_deeds_lost(struct api *w, enum api_deed_to to)
{
    for (struct api_call *c = w->calls; c; c = c->next)
        if (c->waits == WAIT_ACT && c->deed == to) api_refuse_for(c, API_PROBLEM_BUSY, 1);
}

static struct api_call *find_search(struct api *w, uint64_t call)
{
    for (struct api_call *c = w->calls; c; c = c->next)
        if (c->id == call && c->searches) return c;
    return NULL;
}

void api_found(struct api *w, uint64_t call, struct slice lines)
{
    struct api_call *c = find_search(w, call);
    if (c) api_search_found(c, lines);
}

void api_finished(struct api *w, uint64_t call, unsigned status, struct slice text)
{
    struct api_call *c = find_search(w, call);
    if (c) api_search_finished(c, status, text);
}

void api_looked(struct api *w, uint64_t call, bool written)
{
    struct api_call *c = api_call_find(w, call, WAIT_LOOK);
    if (c && written) api_alert_looked(c);
    else if (c) api_refuse_busy(c, API_PROBLEM_BUSY, "nothing is read without the audit log");
}

static bool is_account(enum api_wait waits)
{
    return waits == WAIT_CLAIM || waits == WAIT_LOGIN || waits == WAIT_ACCOUNT;
}

void api_accounts_lost(struct api *w)
{
    for (struct api_call *c = w->calls; c; c = c->next)
        if (is_account(c->waits)) api_refuse_for(c, API_PROBLEM_BUSY, 1);
    api_veils_lost(w);
}

void api_searches_lost(struct api *w)
{
    for (struct api_call *c = w->calls; c; c = c->next) {
        if (c->waits == WAIT_LOOK) api_refuse_for(c, API_PROBLEM_BUSY, 1);
        else if (c->searches) api_search_finished(c, 503, SLICE("the search ended early"));
    }
}

void api_news_came(struct api *w)
{
    for (struct api_call *c = w->calls; c; c = c->next) api_stream_wake(c);
}

void api_figures(const struct api *w, struct api_figures *ret)
{
    *ret = (struct api_figures){.requests = w->requests,
                                .refused = w->refused,
                                .connections = w->conns.n,
                                .listeners = w->n_listeners};
}
