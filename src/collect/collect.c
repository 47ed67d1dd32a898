/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/collect.h"

#include <unistd.h>

#include "collect/core.h"
#include "collect/datagram.h"
#include "collect/follow.h"
#include "collect/http.h"
#include "collect/journal.h"
#include "collect/relay.h"
#include "collect/stream.h"

enum { NAME_MAX_BYTES = 256 };

/* One of them, by the row it was made of. */
struct input {
    struct input *next;
    struct datagram *datagram;
    struct stream *stream;
    struct http *http;
    struct follow *follow;
    struct journal *journal;
};

struct collect {
    struct core core;
    struct collect_options options;
    struct input *inputs;
    struct relay *relay;
    struct loop_timer tick;
};

static void input_free(struct input *i)
{
    datagram_free(i->datagram);
    stream_free(i->stream);
    http_free(i->http);
    follow_free(i->follow);
    journal_free(i->journal);
    free(i);
}

/* Those whose place was taken, when their last connection has ended. */
static void drop_over(struct collect *c)
{
    struct input **at = &c->inputs;
    while (*at) {
        struct input *i = *at;
        if (!i->http || !http_is_over(i->http)) {
            at = &i->next;
            continue;
        }
        *at = i->next;
        input_free(i);
    }
}

static void on_tick(void *ctx)
{
    struct collect *c = ctx;
    for (struct input *i = c->inputs; i; i = i->next) {
        if (i->datagram) datagram_tick(i->datagram);
        if (i->stream) stream_tick(i->stream);
        if (i->http) http_tick(i->http);
        if (i->follow) follow_tick(i->follow);
        if (i->journal) journal_tick(i->journal);
    }
    drop_over(c);
}

int collect_new(const struct collect_options *options, struct collect **ret)
{
    struct collect *c = calloc(1, sizeof *c);
    if (!c) return ERR_NOMEM;
    c->options = *options;
    c->core = (struct core){.loop = options->loop,
                            .clock = options->clock,
                            .out = options->out,
                            .seed = options->seed,
                            .connections_max = options->connections_max,
                            .claimant_max = options->unacked_max / 8,
                            .tokens = options->tokens,
                            .bodies_max = options->bodies_max};
    c->tick = (struct loop_timer){.due = on_tick, .ctx = c};
    int error = ledger_init(&c->core.ledger, options->sources_max, options->seed);
    if (!error) error = outbox_new(options, &c->core.outbox);
    if (!error && !(c->relay = relay_new(&c->core))) error = ERR_NOMEM;
    if (!error) error = loop_timer_set(options->loop, &c->tick, NSEC_PER_SEC, NSEC_PER_SEC);
    if (error) {
        collect_free(c);
        return error;
    }
    *ret = c;
    return 0;
}

void collect_free(struct collect *c)
{
    struct input *next;
    if (!c) return;
    loop_timer_stop(c->options.loop, &c->tick);
    for (struct input *i = c->inputs; i; i = next) {
        next = i->next;
        input_free(i);
    }
    relay_free(c->relay);
    outbox_free(c->core.outbox);
    ledger_done(&c->core.ledger);
    free(c);
}

static struct input *input_new(struct collect *c)
{
    struct input *i = calloc(1, sizeof *i);
    if (!i) return NULL;
    i->next = c->inputs;
    c->inputs = i;
    return i;
}

/* Takes back the input that was made last. */
static void input_drop(struct collect *c)
{
    struct input *i = c->inputs;
    c->inputs = i->next;
    input_free(i);
}

static bool row_makes_sense(const struct listener *row)
{
    if ((unsigned)row->input >= LISTEN_INPUT_COUNT || row->input == LISTEN_WEB) return false;
    enum listen_tls wrong = row->tls ? LISTEN_TLS_NEVER : LISTEN_TLS_ALWAYS;
    if (row->fd < 0 && !listen_is_stream(row->input)) return false;
    return row->name.len > 0 && row->name.len <= NAME_MAX_BYTES && row->record_max <= RECORD_MAX &&
           listen_tls(row->input) != wrong;
}

int collect_listen(struct collect *c, const struct listener *row)
{
    if (!row_makes_sense(row)) return ERR_INVALID;
    struct input *i = input_new(c);
    if (!i) return ERR_NOMEM;
    int error = row->input == LISTEN_HTTP      ? http_new(&c->core, row, &i->http)
                : listen_is_stream(row->input) ? stream_new(&c->core, row, &i->stream)
                                               : datagram_new(&c->core, row, &i->datagram);
    if (error) input_drop(c);
    return error;
}

int collect_connect(struct collect *c, enum listen_input input, struct slice name, int fd)
{
    for (struct input *i = c->inputs; i; i = i->next) {
        if (i->stream && stream_has_name(i->stream, input, name)) return stream_take(i->stream, fd);
        if (i->http && input == LISTEN_HTTP && http_row(i->http) &&
            slice_eq(http_row(i->http)->name, name))
            return http_take(i->http, fd);
    }
    (void)close(fd);
    return ERR_NOT_FOUND;
}

int collect_follow(struct collect *c, const struct follow_row *row)
{
    if (row->name.len == 0 || row->name.len > NAME_MAX_BYTES) return ERR_INVALID;
    struct input *i = input_new(c);
    if (!i) return ERR_NOMEM;
    int error = follow_new(&c->core, row, &i->follow);
    if (error) input_drop(c);
    return error;
}

int collect_journal(struct collect *c, const struct journal_row *row)
{
    if (row->name.len == 0 || row->name.len > NAME_MAX_BYTES) return ERR_INVALID;
    struct input *i = input_new(c);
    if (!i) return ERR_NOMEM;
    int error = journal_new(&c->core, row, &i->journal);
    if (error) input_drop(c);
    return error;
}

/* libmicrohttpd has its certificate from its start: another one takes over the socket. */
static int renew_http(struct collect *c, struct input *old)
{
    const struct listener *row = http_row(old->http);
    if (!row || !row->tls) return 0;
    struct input *i = input_new(c);
    if (!i) return ERR_NOMEM;
    int error = http_new(&c->core, row, &i->http);
    if (error) input_drop(c);
    else http_retire(old->http);
    return error;
}

int collect_renew(struct collect *c, const struct tokens *tokens)
{
    int error = 0;
    c->core.tokens = tokens;
    /* New ones are put in front of the list. */
    for (struct input *i = c->inputs; i && error == 0; i = i->next)
        if (i->http) error = renew_http(c, i);
    return error;
}

void collect_stop(struct collect *c)
{
    for (struct input *i = c->inputs; i; i = i->next) {
        if (i->datagram) datagram_stop(i->datagram);
        if (i->stream) stream_stop(i->stream);
        if (i->http) http_stop(i->http);
        if (i->follow) follow_stop(i->follow);
        if (i->journal) journal_stop(i->journal);
    }
}

size_t collect_unacked(const struct collect *c)
{
    return outbox_unacked(c->core.outbox);
}

void collect_paced(struct collect *c, const struct fair_pace *pace)
{
    outbox_paced(c->core.outbox, &c->core.ledger, pace);
}

uint64_t collect_level(const struct collect *c)
{
    return outbox_level(c->core.outbox);
}

int collect_acked(struct collect *c, uint64_t token)
{
    return outbox_batch_answered(c->core.outbox, token, true);
}

int collect_refused(struct collect *c, uint64_t token)
{
    return outbox_batch_answered(c->core.outbox, token, false);
}

int collect_relay(struct collect *c, uint64_t id, uint32_t tenant, struct slice input,
                  struct slice batch)
{
    return relay_take(c->relay, id, tenant, input, batch);
}

void collect_relay_forget(struct collect *c)
{
    relay_forget(c->relay);
}

int collect_answer(struct collect *c, uint64_t token, const struct collect_reply *reply)
{
    return outbox_container_answered(c->core.outbox, token, reply);
}

const struct ledger *collect_ledger(const struct collect *c)
{
    return &c->core.ledger;
}
