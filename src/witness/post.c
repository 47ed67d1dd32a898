/* SPDX-License-Identifier: EUPL-1.2 */
#include "witness/post.h"

#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

#include "witness/answer.h"

enum { PIECE = 4 * 1024 };

/* ---- ending ------------------------------------------------------------------------------ */

static void close_all(struct post *p)
{
    loop_watch_remove(p->loop, &p->watch);
    loop_timer_stop(p->loop, &p->timer);
    loop_defer_cancel(p->loop, &p->late);
    if (p->session) gnutls_deinit(p->session);
    p->session = NULL;
    if (p->fd >= 0) (void)close(p->fd);
    p->fd = -1;
    p->why = NULL;
}

static void fail(struct post *p, const char *why)
{
    close_all(p);
    p->done(p->ctx, 0, SLICE_NONE, why);
}

static void fail_later(struct post *p, const char *why)
{
    close_all(p);
    p->why = why;
    loop_defer(p->loop, &p->late);
}

static void on_late(void *ctx)
{
    struct post *p = ctx;
    fail(p, p->why);
}

static void on_timer(void *ctx)
{
    fail(ctx, "no answer in time");
}

/* ---- turns ------------------------------------------------------------------------------- */

/* What GnuTLS waits for; an error is told. */
static void want(struct post *p)
{
    unsigned wanted = gnutls_record_get_direction(p->session) ? LOOP_WRITE : LOOP_READ;
    if (loop_watch_want(p->loop, &p->watch, wanted) != 0) fail(p, "the event loop is full");
}

static bool again(ssize_t r)
{
    return r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED;
}

/* Each: true to go on at once with the next state. */
static bool finish_connect(struct post *p)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error) {
        fail(p, error == ECONNREFUSED ? "connection refused" : "cannot be reached");
        return false;
    }
    p->state = POST_HANDSHAKE;
    return true;
}

static bool shake_hands(struct post *p)
{
    int r;
    do {
        r = gnutls_handshake(p->session);
    } while (r < 0 && !again(r) && !gnutls_error_is_fatal(r));
    if (r >= 0) {
        p->state = POST_SEND;
        return true;
    }
    if (again(r)) want(p);
    else
        fail(p, r == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR
                    ? "its certificate is not one that is trusted for its name"
                    : "TLS failed");
    return false;
}

static bool send_some(struct post *p)
{
    while (p->sent < p->out.len) {
        ssize_t r = gnutls_record_send(p->session, p->out.ptr + p->sent, p->out.len - p->sent);
        if (again(r)) {
            want(p);
            return false;
        }
        if (r <= 0) {
            fail(p, "it ended the connection");
            return false;
        }
        p->sent += (size_t)r;
    }
    p->state = POST_RECEIVE;
    return true;
}

/* Whether more has to come. done() may begin the next one: nothing is touched behind it. */
static bool take_answer(struct post *p, bool ended)
{
    struct answer a;
    int got = buf_failed(&p->in) ? ERR_LIMIT : answer_read(buf_slice(&p->in), ended, &a);
    if (got == 0) return true;
    if (got < 0) {
        fail(p, got == ERR_LIMIT       ? "its answer is too large"
                : got == ERR_TRUNCATED ? "it ended the connection"
                                       : "its answer is not understood");
        return false;
    }
    close_all(p);
    p->done(p->ctx, a.status, a.body, NULL);
    return false;
}

static bool receive(struct post *p)
{
    char piece[PIECE];
    ssize_t r = gnutls_record_recv(p->session, piece, sizeof piece);
    if (again(r)) {
        want(p);
        return false;
    }
    if (r > 0) buf_put(&p->in, slice_make(piece, (size_t)r));
    if (r >= 0 || r == GNUTLS_E_PREMATURE_TERMINATION) return take_answer(p, r <= 0);
    if (!gnutls_error_is_fatal((int)r)) return true;
    fail(p, "the connection broke");
    return false;
}

static void on_ready(void *ctx, unsigned what)
{
    static bool (*const turns[])(struct post * p) = {
        [POST_CONNECT] = finish_connect,
        [POST_HANDSHAKE] = shake_hands,
        [POST_SEND] = send_some,
        [POST_RECEIVE] = receive,
    };
    struct post *p = ctx;
    (void)what;
    while (turns[p->state](p)) {
    }
}

/* ---- beginning --------------------------------------------------------------------------- */

static bool start_session(struct post *p)
{
    const struct post_target *t = p->target;
    struct sockaddr_in6 number;
    if (gnutls_init(&p->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0) {
        p->session = NULL;
        return false;
    }
    gnutls_transport_set_int(p->session, p->fd);
    gnutls_handshake_set_timeout(p->session, GNUTLS_INDEFINITE_TIMEOUT); /* ours is the timer */
    gnutls_session_set_verify_cert(p->session, t->host, 0);
    /* Numbers are no names: RFC 6066, 3. */
    bool name =
        inet_pton(AF_INET, t->host, &number) != 1 && inet_pton(AF_INET6, t->host, &number) != 1;
    if (name && gnutls_server_name_set(p->session, GNUTLS_NAME_DNS, t->host, strlen(t->host)) < 0)
        return false;
    return gnutls_set_default_priority(p->session) >= 0 &&
           gnutls_credentials_set(p->session, GNUTLS_CRD_CERTIFICATE, t->trust) >= 0;
}

static void write_request(struct post *p, struct slice body)
{
    const struct post_target *t = p->target;
    buf_clear(&p->in);
    buf_clear(&p->out);
    p->sent = 0;
    buf_printf(&p->out, "POST %s HTTP/1.1\r\nHost: %s\r\n", t->path, t->authority);
    if (t->token) buf_printf(&p->out, "Authorization: Bearer %s\r\n", t->token);
    buf_printf(&p->out,
               "Content-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
               body.len);
    buf_put(&p->out, body);
}

void post_begin(struct post *p, struct slice body)
{
    const struct post_target *t = p->target;
    ASSERT(!post_is_busy(p));
    write_request(p, body);
    p->state = POST_CONNECT;
    if (t->address_len == 0 || buf_failed(&p->out)) {
        fail_later(p, t->address_len ? "the request is too large" : "its name has no address");
        return;
    }
    p->fd = socket(t->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    p->watch.fd = p->fd;
    bool good = p->fd >= 0 && start_session(p) &&
                (connect(p->fd, (const struct sockaddr *)&t->address, t->address_len) == 0 ||
                 errno == EINPROGRESS) &&
                loop_watch_add(p->loop, &p->watch, LOOP_WRITE) == 0 &&
                loop_timer_set(p->loop, &p->timer, POST_TIME, 0) == 0;
    if (!good) fail_later(p, "cannot be reached");
}

void post_init(struct post *p, struct loop *loop, const struct post_target *target, size_t out_max,
               size_t in_max)
{
    p->loop = loop;
    p->target = target;
    p->fd = -1;
    p->session = NULL;
    p->why = NULL;
    p->watch = (struct loop_watch){.fd = -1, .ready = on_ready, .ctx = p};
    p->timer = (struct loop_timer){.due = on_timer, .ctx = p};
    p->late = (struct loop_deferred){.call = on_late, .ctx = p};
    buf_init(&p->out, out_max);
    buf_init(&p->in, in_max);
}

bool post_is_busy(const struct post *p)
{
    return p->fd >= 0 || p->why;
}

void post_cancel(struct post *p)
{
    close_all(p);
}
