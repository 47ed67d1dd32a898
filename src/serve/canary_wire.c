/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/canary.h"
#include "witness/answer.h"

enum { OUT_MAX = 8 * 1024 * 1024, IN_MAX = 64 * 1024, PIECE = 4096 };

static void end(struct wire *w)
{
    wire_close(w);
    w->moved(w->ctx, true);
}

/* Bytes; 0: none now; ERR_STOPPED. */
static ssize_t receive(struct wire *w)
{
    char piece[PIECE];
    ssize_t n = recv(w->watch.fd, piece, sizeof piece, MSG_DONTWAIT);
    if (n < 0) return errno == EAGAIN || errno == EINTR ? 0 : ERR_STOPPED;
    if (n == 0) return ERR_STOPPED;
    buf_put(&w->in, slice_make(piece, (size_t)n));
    return buf_failed(&w->in) ? ERR_STOPPED : n;
}

static void on_ready(void *ctx, unsigned what)
{
    struct wire *w = ctx;
    if (what & LOOP_WRITE) wire_flush(w);
    if (!wire_is_open(w)) return;
    ssize_t n = receive(w);
    if (n < 0) end(w);
    else if (n > 0) w->moved(w->ctx, false);
}

void wire_init(struct wire *w, struct role *r, void (*moved)(void *ctx, bool ended), void *ctx)
{
    *w = (struct wire){.role = r, .moved = moved, .ctx = ctx};
    w->watch = (struct loop_watch){.fd = -1, .ready = on_ready, .ctx = w};
    buf_init(&w->out, OUT_MAX);
    buf_init(&w->in, IN_MAX);
}

void wire_close(struct wire *w)
{
    if (!wire_is_open(w)) return;
    loop_watch_remove(w->role->loop, &w->watch);
    (void)close(w->watch.fd);
    w->watch.fd = -1;
}

int wire_open(struct wire *w, enum listen_input input, unsigned mark)
{
    struct link *link = role_link(w->role, ROLE_COLLECT);
    int fds[2];
    wire_close(w);
    buf_clear(&w->in);
    buf_clear(&w->out);
    if (!link_is_open(link) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
        return ERR_LIMIT;
    w->watch.fd = fds[0];
    int error = loop_watch_add(w->role->loop, &w->watch, LOOP_READ);
    if (error) (void)close(fds[1]);
    else error = link_pass(link, fds[1]);
    if (error) {
        wire_close(w);
        return ERR_LIMIT;
    }
    say_connect_write(link_out(link),
                      &(struct say_connect){.input = (uint8_t)input, .mark = (uint8_t)mark});
    link_flush(link);
    return 0;
}

void wire_flush(struct wire *w)
{
    while (wire_is_open(w) && w->out.len > 0) {
        ssize_t n = send(w->watch.fd, w->out.ptr, w->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0) break;
        buf_consume(&w->out, (size_t)n);
    }
    /* One that has failed is told by the loop. */
    if (wire_is_open(w) &&
        loop_watch_want(w->role->loop, &w->watch, LOOP_READ | (w->out.len ? LOOP_WRITE : 0)) != 0)
        wire_close(w);
}

void wire_put_body(struct wire *w, struct slice body)
{
    buf_printf(&w->out,
               "POST /api/ingest HTTP/1.1\r\nHost: vaka\r\nContent-Type: application/x-ndjson\r\n"
               "Content-Length: %zu\r\nConnection: close\r\n\r\n",
               body.len);
    buf_put(&w->out, body);
}

unsigned wire_answer(const struct wire *w, bool ended)
{
    struct answer answer;
    return answer_read(buf_slice(&w->in), ended, &answer) == 1 ? answer.status : 0;
}
