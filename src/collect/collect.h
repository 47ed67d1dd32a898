/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * From sockets and files to raw records: framing, transport security and who sent what; nothing
 * that a record says is looked at. One process, one thread, on the caller's loop.
 *
 * What comes out are batches (event/record.h) for the store, and containers: bodies that must be
 * unpacked before they are records. Each has a token, and each is answered once:
 *
 *     out.batch(token, …)      ─►  collect_acked(token) or collect_refused(token)
 *     out.container(token, …)  ─►  collect_answer(token, status, …)
 *
 * Batches are answered in the order of their tokens. Until the answer nothing is acknowledged to a
 * sender, and the bytes count against `unacked_max`: above it what can wait (TCP, files) is not
 * read any more and goes on in turn, HTTP is refused with 503, and UDP is dropped and counted. So
 * whoever takes the batches needs room for unacked_max bytes and one batch, and never has to say
 * "later".
 *
 * The same is done to a source that sends more than its share while matching does not keep up; the
 * others notice nothing (fair.h, collect_paced()).
 *
 * A sender without acks (syslog) loses what is refused: that is counted as lost. The others are
 * disconnected and send again.
 */
#ifndef VAKA_COLLECT_COLLECT_H
#define VAKA_COLLECT_COLLECT_H

#include "base/clock.h"
#include "base/error.h"
#include "base/loop.h"
#include "collect/ledger.h"
#include "collect/listen.h"
#include "event/container.h"

struct collect;
struct follow_row;
struct journal_row;
struct tokens;

/*
 * Called from within the loop; what is passed is borrowed for the call. The answer comes later,
 * never from within the call.
 */
struct collect_out {
    void *ctx;
    /* An error counts as refused at once. */
    int (*batch)(void *ctx, uint64_t token, struct slice batch);
    int (*container)(void *ctx, uint64_t token, const struct container *container);
    /* Somebody with the right to asks for /metrics: collect_answer() as for a container. NULL: 404.
     */
    int (*metrics)(void *ctx, uint64_t token);
    /*
     * How far the row `name` (follow.h, journal.h) has come, to be kept and handed in again at the
     * next start; told at the end of each round of the loop in which the store's acks moved it. An
     * older one only means that records come twice, as the same deliveries. May be NULL.
     */
    void (*state)(void *ctx, struct slice name, struct slice state);
    /* The answer to collect_relay(): all records of that batch are durable, or some are not and
     * will not be. */
    void (*relayed)(void *ctx, uint64_t id, bool stored);
};

struct collect_options {
    struct loop *loop; /* borrowed; watches: listeners + connections + 8, timers: 8 a listener */
    struct clock clock;
    struct collect_out out;
    uint64_t seed;               /* random: nobody outside may know it */
    size_t unacked_max;          /* bytes; at least 2 * BATCH_MAX */
    uint32_t sources_max;        /* rows of the ledger */
    uint32_t connections_max;    /* of stream listeners, all together */
    const struct tokens *tokens; /* borrowed; NULL: HTTP knows nobody */
    size_t bodies_max;           /* bytes of HTTP bodies that are not whole yet, all together */
};

/* ERR_NOMEM. Takes no time and no descriptors. */
int collect_new(const struct collect_options *options, struct collect **ret) MUST_USE;
/* Closes everything; what was not answered is forgotten. May be NULL. */
void collect_free(struct collect *c);

/*
 * Begins to serve a listener. `row` is copied but for its texts and its TLS context, which stay the
 * caller's until collect_free(). row->fd (see listen.h) is taken when it succeeds. ERR_INVALID: a
 * row that makes no sense; ERR_LIMIT, ERR_NOMEM, ERR_IO.
 */
int collect_listen(struct collect *c, const struct listener *row) MUST_USE;

/*
 * A connection to the listener without a socket of that input and name, as if it had been accepted.
 * Takes fd, also on failure: ERR_NOT_FOUND, ERR_LIMIT (it has as many as it takes).
 */
int collect_connect(struct collect *c, enum listen_input input, struct slice name, int fd) MUST_USE;

/* Follows files, see follow.h; reads the local journal, see journal.h. The same errors. */
int collect_follow(struct collect *c, const struct follow_row *row) MUST_USE;
int collect_journal(struct collect *c, const struct journal_row *row) MUST_USE;

/*
 * The TLS contexts of rows were renewed, and `tokens` (borrowed; the ones before are not needed any
 * more) are who may send: connections that come have the new ones, those that are there go on.
 * ERR_NOMEM, ERR_IO: some listeners go on with the certificate they had.
 */
int collect_renew(struct collect *c, const struct tokens *tokens) MUST_USE;
/* No listener accepts or reads any more; what is in flight can still be answered. */
void collect_stop(struct collect *c);
/* Bytes that wait for an answer. */
size_t collect_unacked(const struct collect *c);

/* ERR_NOT_FOUND: no such batch waits, or not as the next one. */
int collect_acked(struct collect *c, uint64_t token) MUST_USE;
int collect_refused(struct collect *c, uint64_t token) MUST_USE;

/* What the sender of a container is told, over HTTP; copied. */
struct collect_reply {
    unsigned status;     /* below 300 the container is stored */
    struct slice type;   /* of the body */
    struct slice header; /* one more header line, "Name: value", or empty */
    struct slice body;
    uint64_t bytes; /* of the records that were in the container; 0: not known */
};
/*
 * A batch that another process has made, copied; `id` is the caller's, its records become
 * `tenant`'s and must have come by `input`. It waits while its source may not send, and is answered
 * by out.relayed(), later. ERR_LIMIT: too many wait; ERR_NOMEM; what batch_open() says of one that
 * is not valid.
 */
int collect_relay(struct collect *c, uint64_t id, uint32_t tenant, struct slice input,
                  struct slice batch) MUST_USE;
/* Who made them is gone: nothing is answered, and what was not sent to the store is dropped. */
void collect_relay_forget(struct collect *c);

/* A container whose sender is gone is answered all the same. ERR_NOT_FOUND: no such one waits. */
int collect_answer(struct collect *c, uint64_t token, const struct collect_reply *reply) MUST_USE;

/* How matching keeps up with what is stored; without it nobody is held back for others. */
void collect_paced(struct collect *c, const struct fair_pace *pace);
/* Bytes a second that each source may send because it does not; 0: as many as it likes. */
uint64_t collect_level(const struct collect *c);

/* Who sent how much, and what became of it. */
const struct ledger *collect_ledger(const struct collect *c);

#endif
