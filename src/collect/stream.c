/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/ip.h"
#include "collect/callers.h"
#include "collect/framing.h"
#include "collect/lumberjack.h"
#include "collect/relp.h"
#include "collect/tls.h"

enum {
    SOURCE_MAX = 8192,
    OUT_MAX = 1024 * 1024, /* acks that a sender does not read */
    PENDING_MAX = 128 * 1024,
    READ_PIECE = 16 * 1024,
    ACCEPTS = 16,
};
static const nsec handshake_time = 15 * NSEC_PER_SEC;
static const nsec keep_alive_time = 5 * NSEC_PER_SEC;

/* What a listener of this kind speaks. */
static const struct {
    const struct protocol_ops *ops;
    enum record_format format;
} speaks[LISTEN_INPUT_COUNT] = {
    [LISTEN_SYSLOG_TCP] = {&framing_protocol, RECORD_SYSLOG},
    [LISTEN_SYSLOG_TLS] = {&framing_protocol, RECORD_SYSLOG},
    [LISTEN_RELP] = {&relp_protocol, RECORD_SYSLOG},
    [LISTEN_RELP_TLS] = {&relp_protocol, RECORD_SYSLOG},
    [LISTEN_LUMBERJACK] = {&lumberjack_protocol, RECORD_BEATS},
    [LISTEN_LUMBERJACK_TLS] = {&lumberjack_protocol, RECORD_BEATS},
};

/* Why a connection is not read. */
enum pause {
    PAUSE_NONE,
    PAUSE_GATE,  /* stands in line */
    PAUSE_OWN,   /* until its own records are safe */
    PAUSE_RATE,  /* until the next tick */
    PAUSE_SHARE, /* until the next round */
    PAUSE_END,   /* for ever: only acks go out */
};

struct conn {
    struct stream *stream;
    struct conn *next, **link; /* link: what points at it */
    struct loop_watch watch;
    struct tls *tls;
    bool handshake; /* is not over */
    int tls_want;   /* what TLS waits for besides: TLS_WANT_… */
    enum pause pause;
    bool closing; /* when everything is sent */
    struct buf in, out;
    void *protocol;
    struct claimant claimant;
    struct in_line in_line;
    struct loop_deferred again;
    struct buf source, delivery;
    struct ledger_row *row;
    uint8_t flags;
    char address[IP_TEXT_MAX];
    nsec since, seen, kept_alive; /* monotonic */
};

struct stream {
    struct core *core;
    struct listener row;
    size_t claimant_max; /* bytes of one connection that may wait */
    const struct protocol_ops *ops;
    struct loop_watch watch;
    struct conn *first;
    struct callers callers; /* their addresses */
    uint32_t n;
    bool resting; /* no descriptors left, until the next tick */
};

static nsec now_of(const struct conn *c)
{
    return clock_monotonic(&c->stream->core->clock);
}

/* ---- the end of a connection ------------------------------------------------------------- */

static void conn_free(struct conn *c)
{
    struct stream *s = c->stream;
    loop_watch_remove(s->core->loop, &c->watch);
    loop_defer_cancel(s->core->loop, &c->again);
    outbox_leave_line(s->core->outbox, &c->in_line);
    outbox_forget(s->core->outbox, &c->claimant);
    *c->link = c->next;
    if (c->next) c->next->link = c->link;
    callers_remove(&s->callers, c->address);
    s->n--;
    s->core->connections--;
    if (c->row) c->row->open--;
    tls_free(c->tls);
    (void)close(c->watch.fd);
    s->ops->done(c->protocol);
    free(c->protocol);
    buf_done(&c->in);
    buf_done(&c->out);
    buf_done(&c->source);
    buf_done(&c->delivery);
    free(c);
}

static void conn_break(struct conn *c)
{
    if (c->row) c->row->broken++;
    conn_free(c);
}

/* ---- sending ----------------------------------------------------------------------------- */

static ssize_t send_some(struct conn *c)
{
    if (c->tls) {
        c->tls_want = 0;
        return tls_write(c->tls, buf_slice(&c->out), &c->tls_want);
    }
    ssize_t n = send(c->watch.fd, c->out.ptr, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    return n >= 0 ? n : errno == EAGAIN || errno == EINTR ? 0 : ERR_IO;
}

/* False: it is over. */
static bool flush(struct conn *c)
{
    if (buf_failed(&c->out)) return false;
    while (c->out.len > 0) {
        ssize_t n = send_some(c);
        if (n < 0) return false;
        if (n == 0) break;
        buf_consume(&c->out, (size_t)n);
    }
    return true;
}

/* What it waits for now. False: the loop does not take it. */
static bool want(struct conn *c)
{
    unsigned wanted = 0;
    if (c->handshake) wanted = c->tls_want == TLS_WANT_WRITE ? LOOP_WRITE : LOOP_READ;
    else {
        if (c->pause == PAUSE_NONE) wanted |= LOOP_READ;
        if (c->out.len > 0 || c->tls_want == TLS_WANT_WRITE) wanted |= LOOP_WRITE;
    }
    return loop_watch_want(c->stream->core->loop, &c->watch, wanted) == 0;
}

/* Sends, and ends the connection when there is nothing more to do; else waits for what is next. */
static void go_on(struct conn *c)
{
    if (!c->handshake && !flush(c)) conn_free(c);
    else if (c->closing && c->out.len == 0) conn_free(c);
    else if (!want(c)) conn_free(c);
}

/* ---- reading ----------------------------------------------------------------------------- */

/* The reason not to go on, if there is one. */
static enum pause may_read(struct conn *c)
{
    struct stream *s = c->stream;
    if (c->pause == PAUSE_END) return PAUSE_END;
    if (c->claimant.unacked >= s->claimant_max) return PAUSE_OWN;
    if (!s->row.through && !outbox_takes(s->core->outbox, c->row)) return PAUSE_GATE;
    if (!ledger_take(&c->row->bucket, s->row.bytes_per_second, 0, now_of(c))) return PAUSE_RATE;
    return PAUSE_NONE;
}

static void pause_reading(struct conn *c, enum pause why)
{
    c->pause = why;
    if (why == PAUSE_GATE) outbox_stand_in_line(c->stream->core->outbox, &c->in_line, c->row);
    if (why == PAUSE_SHARE) loop_defer(c->stream->core->loop, &c->again);
}

static int add_record(struct conn *c, const struct piece *piece, nsec realtime)
{
    struct stream *s = c->stream;
    const struct record record = {.raw = piece->raw,
                                  .source = buf_slice(&c->source),
                                  .delivery = buf_slice(&c->delivery),
                                  .received = realtime,
                                  .ordinal = piece->ordinal,
                                  .format = (uint8_t)speaks[s->row.input].format,
                                  .flags = (uint8_t)(piece->flags | c->flags)};
    if (piece->reason) c->row->odd++;
    (void)ledger_take(&c->row->bucket, s->row.bytes_per_second, piece->raw.len, now_of(c));
    return outbox_add(s->core->outbox, s->row.tenant, &record, c->row, &c->claimant);
}

/*
 * Takes records from what was read: 0 when there is none any more, 1 when it had its share or has
 * to pause (c->pause), or an error of the protocol.
 */
static int take_records(struct conn *c, size_t *share)
{
    const struct protocol_ops *ops = c->stream->ops;
    nsec realtime = clock_realtime(&c->stream->core->clock);
    struct slice rest = buf_slice(&c->in);
    size_t used = 0;
    struct piece piece;
    enum pause why = PAUSE_NONE;
    int r = 0;
    while (!why) {
        r = ops->next(c->protocol, rest, &c->out, &used, &piece);
        if (r < 0) break;
        rest = slice_from(rest, used);
        if (r == 0) break;
        /* A record that a sender waits for and that is in no batch: he has to send it again. */
        r = add_record(c, &piece, realtime);
        if (r < 0 && ops->acked) break;
        *share = piece.raw.len < *share ? *share - piece.raw.len : 0;
        why = may_read(c);
        if (!why && *share == 0) why = PAUSE_SHARE;
    }
    buf_consume(&c->in, c->in.len - rest.len);
    if (why) pause_reading(c, why);
    return why ? 1 : r;
}

/* Bytes read; 0: none now; ERR_STOPPED: the end; other errors. */
static ssize_t receive(struct conn *c)
{
    size_t room = c->in.max - c->in.len;
    char *to = buf_reserve(&c->in, room < READ_PIECE ? room : READ_PIECE);
    if (!to) return ERR_NOMEM;
    ASSERT(room > 0); /* a protocol makes progress with a full buffer */
    if (room > READ_PIECE) room = READ_PIECE;
    ssize_t n;
    if (c->tls) {
        c->tls_want = 0;
        n = tls_read(c->tls, to, room, &c->tls_want);
    } else {
        n = recv(c->watch.fd, to, room, MSG_DONTWAIT);
        n = n > 0 ? n : n == 0 ? ERR_STOPPED : errno == EAGAIN || errno == EINTR ? 0 : ERR_IO;
    }
    if (n > 0) {
        c->in.len += (size_t)n;
        c->seen = now_of(c);
    }
    return n;
}

/* The sender has said all: what is left is taken, acks still go out. */
static void end_of_input(struct conn *c)
{
    struct piece piece;
    if (c->stream->ops->finish(c->protocol, buf_slice(&c->in), &piece) == 1) {
        int error = add_record(c, &piece, clock_realtime(&c->stream->core->clock));
        (void)error; /* counted there; nobody waits for it */
    }
    buf_clear(&c->in);
    c->pause = PAUSE_END;
    if (!c->stream->ops->acked || c->claimant.unacked == 0) c->closing = true;
}

static void read_turn(struct conn *c)
{
    size_t share = CORE_SHARE;
    int r = 0;
    ssize_t n = 0;
    c->pause = PAUSE_NONE;
    enum pause why = may_read(c);
    if (why) {
        pause_reading(c, why);
        go_on(c);
        return;
    }
    do {
        r = take_records(c, &share);
        if (r) break;
        n = receive(c);
        if (n > 0) share = (size_t)n < share ? share - (size_t)n : 0;
    } while (n > 0 && share > 0);
    if (r == 0 && n > 0) pause_reading(c, PAUSE_SHARE);
    if (r == ERR_STOPPED || n == ERR_STOPPED || n == ERR_IO) {
        end_of_input(c);
    } else if (r < 0 || n < 0) {
        /* What the protocol has to say about it still goes out. */
        c->row->broken++;
        c->pause = PAUSE_END;
        c->closing = true;
    }
    go_on(c);
}

/* ---- acks -------------------------------------------------------------------------------- */

static void on_acked(void *ctx, uint64_t n, uint64_t last)
{
    struct conn *c = ctx;
    (void)last;
    if (c->stream->ops->acked) c->stream->ops->acked(c->protocol, n, &c->out);
    if (c->pause == PAUSE_OWN && c->claimant.unacked < c->stream->claimant_max / 2)
        pause_reading(c, PAUSE_SHARE);
    if (c->pause == PAUSE_END && c->claimant.unacked == 0) c->closing = true;
    go_on(c);
}

static void on_refused(void *ctx)
{
    struct conn *c = ctx;
    if (c->stream->ops->acked) conn_free(c);
    else on_acked(ctx, 0, 0);
}

/* ---- beginning --------------------------------------------------------------------------- */

/* Who it is, once that is known. */
static int introduce(struct conn *c, struct slice identity)
{
    struct stream *s = c->stream;
    const struct record_source source = {.input = slice_of(listen_input_name(s->row.input)),
                                         .listener = s->row.name,
                                         .identity = identity,
                                         .address = slice_of(c->address)};
    struct ledger_row *row = NULL;
    int error = core_source(s->core, &source, &c->source, &row);
    if (error) return error;
    c->row = row;
    row->connections++;
    row->open++;
    if (s->ops->acked)
        buf_printf(&c->delivery, "%016llx",
                   (unsigned long long)hash_mix(s->core->seed ^ (uint64_t)c->since,
                                                s->core->connections_ever));
    return 0;
}

static void shake_hands(struct conn *c)
{
    struct buf identity;
    int r = tls_handshake(c->tls);
    c->tls_want = r > 0 ? r : 0;
    if (r > 0) {
        go_on(c);
        return;
    }
    c->handshake = false;
    buf_init(&identity, SOURCE_MAX / 4);
    if (r == 0) r = tls_identity(tls_session(c->tls), &identity);
    if (r == 0) c->flags = RECORD_AUTHENTICATED;
    bool known = r == 0 || r == ERR_NOT_FOUND;
    int error = introduce(c, known ? buf_slice(&identity) : SLICE_NONE);
    buf_done(&identity);
    if (error || !known) conn_break(c);
    else read_turn(c);
}

static void on_ready(void *ctx, unsigned what)
{
    struct conn *c = ctx;
    if (c->handshake) shake_hands(c);
    else if (c->pause == PAUSE_NONE && (what & (LOOP_READ | LOOP_HANGUP) || c->tls_want))
        read_turn(c);
    else if (what & LOOP_HANGUP && c->pause == PAUSE_END) conn_free(c);
    else go_on(c);
}

static void on_turn(void *ctx)
{
    read_turn(ctx);
}

static struct conn *conn_new(struct stream *s, int fd, const char address[IP_TEXT_MAX])
{
    struct conn *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    const struct protocol_limits limits = {s->row.record_max, PENDING_MAX};
    c->stream = s;
    c->protocol = calloc(1, s->ops->size);
    if (!c->protocol || (s->row.tls && tls_new(s->row.tls, fd, &c->tls) != 0)) {
        free(c->protocol);
        free(c);
        return NULL;
    }
    s->ops->init(c->protocol, &limits);
    buf_init(&c->in, protocol_input(s->row.record_max) + READ_PIECE);
    buf_init(&c->out, OUT_MAX);
    buf_init(&c->source, SOURCE_MAX);
    buf_init(&c->delivery, 32);
    c->watch = (struct loop_watch){.fd = fd, .ready = on_ready, .ctx = c};
    c->claimant = (struct claimant){.acked = on_acked, .refused = on_refused, .ctx = c};
    c->in_line = (struct in_line){.resume = on_turn, .ctx = c};
    c->again = (struct loop_deferred){.call = on_turn, .ctx = c};
    c->handshake = c->tls != NULL;
    c->since = c->seen = c->kept_alive = now_of(c);
    c->next = s->first;
    c->link = &s->first;
    if (c->next) c->next->link = &c->next;
    s->first = c;
    memcpy(c->address, address, sizeof c->address);
    callers_add(&s->callers, address);
    s->n++;
    s->core->connections++;
    s->core->connections_ever++;
    return c;
}

static bool has_room(const struct stream *s, const char *address)
{
    return s->n < s->row.connections_max && s->core->connections < s->core->connections_max &&
           callers_count(&s->callers, address) < s->row.per_address_max;
}

static void refuse(struct stream *s, const char *address)
{
    struct buf text;
    struct ledger_row *row;
    const struct record_source source = {.input = slice_of(listen_input_name(s->row.input)),
                                         .listener = s->row.name,
                                         .address = slice_of(address)};
    buf_init(&text, SOURCE_MAX);
    if (core_source(s->core, &source, &text, &row) == 0) row->refused++;
    buf_done(&text);
}

static int welcome(struct stream *s, int fd, const struct sockaddr *from)
{
    char address[IP_TEXT_MAX] = {0};
    ip_write(from, address);
    struct conn *c = has_room(s, address) ? conn_new(s, fd, address) : NULL;
    if (!c) {
        refuse(s, address);
        (void)close(fd);
        return ERR_LIMIT;
    }
    int error = loop_watch_add(s->core->loop, &c->watch, 0);
    if (error == 0 && !c->handshake) error = introduce(c, SLICE_NONE);
    if (error) conn_free(c);
    else if (c->handshake) shake_hands(c);
    else read_turn(c);
    return error;
}

static void accept_one(struct stream *s, int fd, const struct sockaddr *from)
{
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int error = welcome(s, fd, from);
    (void)error; /* who knocks learns nothing but that it is closed */
}

int stream_take(struct stream *s, int fd)
{
    return welcome(s, fd, NULL);
}

bool stream_has_name(const struct stream *s, enum listen_input input, struct slice name)
{
    return s->row.input == input && slice_eq(s->row.name, name);
}

static void on_knock(void *ctx, unsigned what)
{
    struct stream *s = ctx;
    (void)what;
    for (int i = 0; i < ACCEPTS; i++) {
        struct sockaddr_storage from = {0};
        socklen_t len = sizeof from;
        int fd = accept4(s->watch.fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            accept_one(s, fd, (const struct sockaddr *)&from);
            continue;
        }
        /* Without descriptors it stays ready, and the loop would do nothing else. */
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
            s->resting = loop_watch_want(s->core->loop, &s->watch, 0) == 0;
        if (errno != ECONNABORTED && errno != EINTR) break;
    }
}

/* ---- the listener ------------------------------------------------------------------------ */

/* True: the connection is gone. */
static bool tick_conn(struct conn *c, nsec now)
{
    bool idle = c->pause == PAUSE_NONE || c->pause == PAUSE_END;
    if (c->handshake ? now - c->since > handshake_time
                     : idle && now - c->seen > c->stream->row.idle) {
        conn_free(c);
        return true;
    }
    if (c->handshake) return false;
    const struct protocol_ops *ops = c->stream->ops;
    if (ops->keep_alive && c->claimant.unacked > 0 && now - c->kept_alive >= keep_alive_time) {
        c->kept_alive = now;
        ops->keep_alive(c->protocol, &c->out);
    }
    if (c->pause == PAUSE_RATE) pause_reading(c, PAUSE_SHARE);
    return false;
}

void stream_tick(struct stream *s)
{
    struct conn *next;
    for (struct conn *c = s->first; c; c = next) {
        next = c->next;
        if (!tick_conn(c, now_of(c)) && !c->handshake) go_on(c);
    }
    if (s->resting && loop_watch_want(s->core->loop, &s->watch, LOOP_READ) == 0) s->resting = false;
}

int stream_new(struct core *core, const struct listener *row, struct stream **ret)
{
    struct stream *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    s->core = core;
    s->row = core_listener(row);
    /* So that no protocol ever has more records pending than it takes. */
    const size_t most = (size_t)PENDING_MAX * OUTBOX_RECORD_OVERHEAD;
    s->claimant_max = core->claimant_max < most ? core->claimant_max : most;
    s->ops = speaks[row->input].ops;
    ASSERT(s->ops != NULL);
    s->watch = (struct loop_watch){.fd = row->fd, .ready = on_knock, .ctx = s};
    int error = callers_init(&s->callers, s->row.connections_max);
    if (error == 0 && row->fd >= 0) error = loop_watch_add(core->loop, &s->watch, LOOP_READ);
    if (error) {
        callers_done(&s->callers);
        free(s);
        return error;
    }
    *ret = s;
    return 0;
}

void stream_stop(struct stream *s)
{
    struct conn *next;
    loop_watch_remove(s->core->loop, &s->watch);
    for (struct conn *c = s->first; c; c = next) {
        next = c->next;
        outbox_leave_line(s->core->outbox, &c->in_line);
        loop_defer_cancel(s->core->loop, &c->again);
        c->pause = PAUSE_END;
        c->closing = c->closing || c->claimant.unacked == 0;
        if (c->handshake) conn_free(c);
        else go_on(c);
    }
}

void stream_free(struct stream *s)
{
    struct conn *next;
    if (!s) return;
    for (struct conn *c = s->first; c; c = next) {
        next = c->next;
        conn_free(c);
    }
    loop_watch_remove(s->core->loop, &s->watch);
    if (s->watch.fd >= 0) (void)close(s->watch.fd);
    callers_done(&s->callers);
    free(s);
}
