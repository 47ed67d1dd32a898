/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What was received and is not safe yet: batches that are being filled, one a tenant, batches and
 * containers that wait for their answer, and the way of the answer back to who waits for it.
 *
 * Batches are sent at the end of each round of the loop, or when they are full. The gate is closed
 * while `unacked_max` bytes wait; who finds it closed stands in line and is called in turn. So does
 * who has sent more than his share (fair.h).
 */
#ifndef VAKA_COLLECT_OUTBOX_H
#define VAKA_COLLECT_OUTBOX_H

#include "collect/collect.h"
#include "collect/fair.h"
#include "event/record.h"

enum {
    OUTBOX_TENANTS_MAX = 256,
    OUTBOX_FLIGHTS_MAX = 4096,      /* batches that wait for their answer; a power of two */
    OUTBOX_CONTAINERS_MAX = 8192,   /* the same, of containers; a power of two */
    OUTBOX_CLAIMS_MAX = 512 * 1024, /* runs of records of one sender in batches */
    OUTBOX_RECORD_OVERHEAD = BATCH_ROW + 8,
    OUTBOX_CONTAINER_OVERHEAD = 1024,
};

struct claim;

/* Somebody who wants to know of his records: a connection, a followed file. */
struct claimant {
    /* The n oldest of his records that were not told of are safe, `last` is the ordinal of the
     * newest of them. May release the claimant itself. */
    void (*acked)(void *ctx, uint64_t n, uint64_t last);
    /* They will never be. The same. */
    void (*refused)(void *ctx);
    void *ctx;
    size_t unacked;             /* bytes of his that wait */
    struct claim *first, *last; /* the outbox's */
};

/* Somebody who waits for the answer to a container. */
struct waiting {
    void (*answered)(void *ctx, const struct collect_reply *reply);
    void *ctx;
    uint64_t token; /* the outbox's; 0: he does not wait */
};

/* Somebody who stands in line: at the gate, or until his source may send again. */
struct in_line {
    void (*resume)(void *ctx);
    void *ctx;
    struct in_line *next, *prev; /* the outbox's */
    struct line *line;           /* the outbox's; NULL: he stands in none */
};

struct outbox;

int outbox_new(const struct collect_options *options, struct outbox **ret) MUST_USE;
void outbox_free(struct outbox *o);

/*
 * A record into the batch of its tenant; it is copied. Counts it as received by `row`, and as lost
 * when it fails. record->source is the row's own text, or any other when the row is OTHERS.
 * `claimant` may be NULL. ERR_NOMEM, ERR_LIMIT, ERR_INVALID: see batch_writer_add().
 */
int outbox_add(struct outbox *o, uint32_t tenant, const struct record *record,
               struct ledger_row *row, struct claimant *claimant) MUST_USE;
/* His records are not told of any more. */
void outbox_forget(struct outbox *o, struct claimant *claimant);

/*
 * A container; counted as a request that `row` received, and as lost when it fails. `waiting` may
 * be NULL. ERR_LIMIT: too many wait.
 */
int outbox_put(struct outbox *o, const struct container *container, struct ledger_row *row,
               struct waiting *waiting) MUST_USE;
/* Asks for the metrics. ERR_UNSUPPORTED: nobody knows them; ERR_LIMIT. */
int outbox_ask(struct outbox *o, struct waiting *waiting) MUST_USE;
void outbox_forget_waiting(struct outbox *o, struct waiting *waiting);

bool outbox_is_open(const struct outbox *o);
/* Whether that source may send: the gate is open, and it has something left of its share. */
bool outbox_takes(const struct outbox *o, struct ledger_row *row);
/* The same of a source that nothing holds up, and that loses what is not taken: it may not fill the
 * room of all others either. `bytes` is what it wants to send; false: they are counted as lost. */
bool outbox_admits(const struct outbox *o, struct ledger_row *row, struct ledger_sums *sums,
                   size_t bytes);
size_t outbox_unacked(const struct outbox *o);
/* To the end of the line, with records of that source; nothing when he stands in one already. */
void outbox_stand_in_line(struct outbox *o, struct in_line *who, struct ledger_row *row);
void outbox_leave_line(struct outbox *o, struct in_line *who);

/* See collect.h. */
void outbox_paced(struct outbox *o, struct ledger *ledger, const struct fair_pace *pace);
uint64_t outbox_level(const struct outbox *o);
int outbox_batch_answered(struct outbox *o, uint64_t token, bool stored) MUST_USE;
int outbox_container_answered(struct outbox *o, uint64_t token,
                              const struct collect_reply *reply) MUST_USE;

#endif
