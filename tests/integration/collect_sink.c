/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The collecting room without a house around it: what it hands on is written to standard output, a
 * JSON object a line, and answered as the options say. For tests only; its certificates are files.
 *
 *     collect-sink [OPTION…] LISTENER…
 *         LISTENER  input,name,address,port[,certificate,key[,authorities,request|require]]
 *         --hold           answers nothing until SIGUSR1 comes, then everything
 *         --refuse         refuses everything
 *         --unacked BYTES  --sources N  --record-max BYTES  --rate BYTES  --per-address N
 *         --receive-buffer BYTES  --token TOKEN,IDENTITY,TENANT,RIGHT…
 *         --anyone RIGHT  --body-max BYTES
 *
 *         file,name,pattern and journal,name,folder are listeners, too; --state is what they told
 *         last, --new-only skips what is there
 *
 * SIGTERM ends it; its last line is the ledger.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json_write.h"
#include "collect/collect.h"
#include "collect/follow.h"
#include "collect/journal.h"
#include "collect/tls.h"
#include "collect/token.h"
#include "event/record.h"

enum { HELD_MAX = 8192, LISTENERS_MAX = 32, FILE_MAX = 1024 * 1024 };

struct held {
    uint64_t token;
    bool batch;
};

struct sink {
    struct loop *loop;
    struct collect *collect;
    struct collect_options options;
    struct listener limits; /* what the options say of all listeners */
    uint32_t receive_buffer;
    bool hold, refuse, new_only;
    struct slice state;
    struct held held[HELD_MAX];
    uint32_t n_held;
    struct loop_deferred answering;
    struct buf line;
    struct tokens *tokens;
    struct tls_context *contexts[LISTENERS_MAX];
    uint32_t n_contexts;
};

static __attribute__((noreturn)) void fail(const char *why)
{
    (void)fprintf(stderr, "collect-sink: %s\n", why);
    exit(2);
}

/* ---- what comes out ---------------------------------------------------------------------- */

static void put_text(struct buf *b, const char *key, struct slice s)
{
    json_write_key(b, key);
    json_write_string(b, s);
}

static void put_number(struct buf *b, const char *key, uint64_t n)
{
    json_write_key(b, key);
    json_write_u64(b, n);
}

static void put_line(struct sink *k)
{
    buf_puts(&k->line, "}\n");
    if (buf_failed(&k->line)) fail("a line is too long");
    (void)fwrite(k->line.ptr, 1, k->line.len, stdout);
    buf_clear(&k->line);
}

static void hold(struct sink *k, uint64_t token, bool batch)
{
    if (k->n_held == HELD_MAX) fail("too much is held");
    k->held[k->n_held++] = (struct held){token, batch};
    if (!k->hold) loop_defer(k->loop, &k->answering);
    else (void)fflush(stdout);
}

static void answer_all(void *ctx)
{
    struct sink *k = ctx;
    uint32_t n = k->n_held;
    k->n_held = 0;
    (void)fflush(stdout); /* "durable" */
    for (uint32_t i = 0; i < n; i++) {
        uint64_t token = k->held[i].token;
        const struct collect_reply reply = {.status = k->refuse ? 503 : 200,
                                            .type = SLICE("application/json"),
                                            .header = SLICE("X-Sink: it is"),
                                            .body = SLICE("{}")};
        int error = !k->held[i].batch ? collect_answer(k->collect, token, &reply)
                    : k->refuse       ? collect_refused(k->collect, token)
                                      : collect_acked(k->collect, token);
        if (error) fail("an answer was not taken");
    }
}

static int on_batch(void *ctx, uint64_t token, struct slice bytes)
{
    struct sink *k = ctx;
    struct batch batch;
    struct batch_iter it;
    struct record r;
    if (batch_open(bytes, &batch) != 0) fail("a batch is not valid");
    batch_iter_init(&it, &batch);
    while (batch_iter_next(&it, &r)) {
        buf_putc(&k->line, '{');
        put_text(&k->line, "raw", r.raw);
        put_text(&k->line, "source", r.source);
        put_text(&k->line, "delivery", r.delivery);
        put_text(&k->line, "format", slice_of(record_format_name(r.format)));
        put_number(&k->line, "ordinal", r.ordinal);
        put_number(&k->line, "flags", r.flags);
        put_number(&k->line, "tenant", batch.tenant);
        put_line(k);
    }
    hold(k, token, true);
    return 0;
}

static void on_state(void *ctx, struct slice name, struct slice state)
{
    struct sink *k = ctx;
    buf_putc(&k->line, '{');
    put_text(&k->line, "state", state);
    put_text(&k->line, "of", name);
    put_line(k);
    (void)fflush(stdout);
}

static int on_metrics(void *ctx, uint64_t token)
{
    hold(ctx, token, false);
    return 0;
}

static int on_container(void *ctx, uint64_t token, const struct container *c)
{
    struct sink *k = ctx;
    buf_putc(&k->line, '{');
    put_text(&k->line, "kind", slice_of(container_kind_name(c->kind)));
    put_text(&k->line, "source", c->source);
    put_text(&k->line, "delivery", c->delivery);
    put_text(&k->line, "target", c->target);
    put_text(&k->line, "query", c->query);
    put_text(&k->line, "type", c->content_type);
    put_text(&k->line, "encoding", c->content_encoding);
    put_text(&k->line, "body", c->body);
    put_number(&k->line, "length", c->body.len);
    put_number(&k->line, "authenticated", (c->flags & RECORD_AUTHENTICATED) != 0);
    put_number(&k->line, "tenant", c->tenant);
    put_line(k);
    hold(k, token, false);
    return 0;
}

static void put_sums(struct buf *b, const char *key, const struct ledger_sums *sums)
{
    json_write_key(b, key);
    buf_putc(b, '{');
    put_number(b, "received", sums->received);
    put_number(b, "stored", sums->stored);
    put_number(b, "pending", sums->pending);
    for (unsigned i = 0; i < LEDGER_LOSS_COUNT; i++)
        if (sums->lost[i]) put_number(b, ledger_loss_name(i), sums->lost[i]);
    buf_putc(b, '}');
}

static void put_ledger(struct sink *k)
{
    const struct ledger *l = collect_ledger(k->collect);
    for (uint32_t i = 0; i < l->n; i++) {
        const struct ledger_row *row = &l->rows[i];
        buf_putc(&k->line, '{');
        put_text(&k->line, "ledger", row->source);
        put_sums(&k->line, "records", &row->records);
        put_sums(&k->line, "requests", &row->requests);
        put_number(&k->line, "bytes", row->bytes);
        put_number(&k->line, "cut", row->cut);
        put_number(&k->line, "odd", row->odd);
        put_number(&k->line, "broken", row->broken);
        put_number(&k->line, "refused", row->refused);
        put_number(&k->line, "connections", row->connections);
        put_number(&k->line, "open", row->open);
        put_line(k);
    }
    (void)fflush(stdout);
}

static void on_signal(void *ctx, int number)
{
    struct sink *k = ctx;
    if (number == SIGTERM) {
        loop_stop(k->loop, 0);
        return;
    }
    k->hold = false;
    loop_defer(k->loop, &k->answering);
}

/* ---- the command line -------------------------------------------------------------------- */

static struct slice read_file(struct slice path)
{
    char name[4096];
    if (path.len >= sizeof name) fail("a path is too long");
    memcpy(name, path.ptr, path.len);
    name[path.len] = 0;
    char *bytes = malloc(FILE_MAX);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 && bytes ? read(fd, bytes, FILE_MAX) : -1;
    if (n < 0) fail("a file cannot be read");
    (void)close(fd);
    return slice_make(bytes, (size_t)n);
}

static struct slice next_part(struct slice *rest)
{
    struct slice head;
    (void)slice_split(*rest, ',', &head, rest);
    return head;
}

static void read_tls(struct sink *k, struct slice rest, struct listener *row)
{
    struct slice certificate = read_file(next_part(&rest)), key = read_file(next_part(&rest));
    struct slice authorities = next_part(&rest), how = next_part(&rest);
    enum tls_client client = slice_eq(how, SLICE("require"))   ? TLS_CLIENT_REQUIRED
                             : slice_eq(how, SLICE("request")) ? TLS_CLIENT_REQUESTED
                                                               : TLS_CLIENT_IGNORED;
    if (authorities.len) authorities = read_file(authorities);
    struct tls_context **context = &k->contexts[k->n_contexts++];
    if (tls_context_new(certificate, key, authorities, client, context) != 0)
        fail("a certificate is not taken");
    row->tls = *context;
    free((void *)(uintptr_t)certificate.ptr);
    free((void *)(uintptr_t)key.ptr);
    free((void *)(uintptr_t)authorities.ptr);
}

static void tell_port(const struct listener *row)
{
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    if (getsockname(row->fd, (struct sockaddr *)&at, &len) != 0) fail("a socket has no name");
    (void)printf("{\"listening\":\"%.*s\",\"port\":%u}\n", SLICE_FMT(row->name),
                 ntohs(at.sin_port));
    (void)fflush(stdout);
}

/* Of what is no socket. False: it is one. */
static bool read_files(struct sink *k, struct slice text)
{
    char folder[4096];
    struct slice rest = text, input = next_part(&rest), name = next_part(&rest);
    int error;
    if (slice_eq(input, SLICE("file"))) {
        const struct follow_row row = {.name = name,
                                       .pattern = rest,
                                       .record_max = k->limits.record_max,
                                       .state = k->state,
                                       .skip_existing = k->new_only};
        error = collect_follow(k->collect, &row);
    } else if (slice_eq(input, SLICE("journal"))) {
        (void)snprintf(folder, sizeof folder, "%.*s", SLICE_FMT(rest));
        const struct journal_row row = {
            .name = name, .folder = folder, .state = k->state, .skip_existing = k->new_only};
        error = collect_journal(k->collect, &row);
    } else {
        return false;
    }
    if (error) fail("files are not taken");
    return true;
}

static void listen_to(struct sink *k, struct slice text)
{
    struct slice rest = text, input = next_part(&rest);
    struct listener row = k->limits;
    uint64_t port;
    if (read_files(k, text)) return;
    row.tenant = 3;
    row.certificate = TOKEN_JOURNAL | TOKEN_INGEST;
    row.name = next_part(&rest);
    struct slice address = next_part(&rest);
    if (!slice_to_u64(next_part(&rest), &port) || port > UINT16_MAX) fail("not a port");
    while (row.input < LISTEN_INPUT_COUNT &&
           !slice_eq(input, slice_of(listen_input_name(row.input))))
        row.input++;
    if (row.input == LISTEN_INPUT_COUNT) fail("not an input");
    if (k->n_contexts == LISTENERS_MAX) fail("too many listeners");
    if (rest.len) read_tls(k, rest, &row);
    if (listen_open(row.input, address, (uint16_t)port, k->receive_buffer, &row.fd) != 0)
        fail("a socket cannot be opened");
    if (collect_listen(k->collect, &row) != 0) fail("a listener is not taken");
    tell_port(&row);
}

static uint64_t number(const char *text)
{
    uint64_t n;
    if (!text || !slice_to_u64(slice_of(text), &n)) fail("not a number");
    return n;
}

/* TOKEN,IDENTITY,TENANT,RIGHT… */
static void add_token(struct sink *k, const char *text)
{
    struct slice rest = slice_of(text), secret = next_part(&rest);
    struct token token = {.identity = next_part(&rest)};
    uint64_t tenant;
    if (!slice_to_u64(next_part(&rest), &tenant)) fail("not a tenant");
    token.tenant = (uint32_t)tenant;
    while (rest.len) token.rights |= token_right_of(next_part(&rest));
    if (tokens_add(k->tokens, secret, &token) != 0) fail("a token is not taken");
}

/* The arguments an option takes; 0: it is none. */
static int read_option(struct sink *k, char **argv)
{
    struct slice option = slice_of(argv[0]);
    if (slice_eq(option, SLICE("--hold"))) k->hold = true;
    else if (slice_eq(option, SLICE("--refuse"))) k->refuse = true;
    else if (slice_eq(option, SLICE("--new-only"))) k->new_only = true;
    else if (slice_eq(option, SLICE("--state"))) k->state = slice_of(argv[1]);
    else if (slice_eq(option, SLICE("--unacked"))) k->options.unacked_max = number(argv[1]);
    else if (slice_eq(option, SLICE("--sources")))
        k->options.sources_max = (uint32_t)number(argv[1]);
    else if (slice_eq(option, SLICE("--record-max")))
        k->limits.record_max = (uint32_t)number(argv[1]);
    else if (slice_eq(option, SLICE("--rate"))) k->limits.bytes_per_second = number(argv[1]);
    else if (slice_eq(option, SLICE("--per-address")))
        k->limits.per_address_max = (uint32_t)number(argv[1]);
    else if (slice_eq(option, SLICE("--receive-buffer")))
        k->receive_buffer = (uint32_t)number(argv[1]);
    else if (slice_eq(option, SLICE("--token"))) add_token(k, argv[1] ? argv[1] : "");
    else if (slice_eq(option, SLICE("--anyone")))
        k->limits.anyone = token_right_of(slice_of(argv[1]));
    else if (slice_eq(option, SLICE("--body-max"))) k->limits.body_max = number(argv[1]);
    else return 0;
    return slice_eq(option, SLICE("--hold")) || slice_eq(option, SLICE("--refuse")) ||
                   slice_eq(option, SLICE("--new-only"))
               ? 1
               : 2;
}

static void start(struct sink *k)
{
    static const int signals[] = {SIGTERM, SIGUSR1, 0};
    const struct loop_options options = {clock_system(), 4096, 64};
    k->loop = loop_new(&options);
    if (!k->loop || loop_signals(k->loop, signals, on_signal, k) != 0) fail("no loop");
    k->options.loop = k->loop;
    k->options.clock = options.clock;
    k->answering = (struct loop_deferred){.call = answer_all, .ctx = k};
    buf_init(&k->line, (size_t)256 * 1024 * 1024);
    if (collect_new(&k->options, &k->collect) != 0) fail("no memory");
}

int main(int argc, char **argv)
{
    static struct sink k = {.options = {.seed = 7,
                                        .unacked_max = (size_t)64 * 1024 * 1024,
                                        .sources_max = 1024,
                                        .connections_max = 1024,
                                        .bodies_max = (size_t)64 * 1024 * 1024}};
    int i = 1, n;
    k.options.out = (struct collect_out){.ctx = &k,
                                         .batch = on_batch,
                                         .container = on_container,
                                         .metrics = on_metrics,
                                         .state = on_state};
    k.tokens = tokens_new();
    if (!k.tokens) fail("no memory");
    k.options.tokens = k.tokens;
    while (i < argc && (n = read_option(&k, argv + i)) > 0) i += n;
    start(&k);
    for (; i < argc; i++) listen_to(&k, slice_of(argv[i]));
    if (loop_run(k.loop) != 0) fail("the loop ended");
    put_ledger(&k);
    collect_free(k.collect);
    loop_defer_cancel(k.loop, &k.answering);
    loop_free(k.loop);
    for (uint32_t c = 0; c < k.n_contexts; c++) tls_context_free(k.contexts[c]);
    tokens_free(k.tokens);
    buf_done(&k.line);
    return 0;
}
