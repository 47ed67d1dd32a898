/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Who sent how much, and what became of it. A row is a source: what record_source_write() writes
 * about it. At any time, for records and for requests (bodies of HTTP, flow datagrams) alike:
 *
 *     received = stored + lost, of all reasons + pending
 *
 * The number of rows is bounded: senders that find no row share one, OTHERS. A row that was made
 * stays, so that its figures only grow.
 */
#ifndef VAKA_COLLECT_LEDGER_H
#define VAKA_COLLECT_LEDGER_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "collect/fair.h"

/* name, text, what it means */
#define LEDGER_LOSSES(X)                                                                           \
    X(KERNEL, "kernel")         /* UDP: the socket's buffer was full */                            \
    X(BUSY, "busy")             /* too much waited for the store */                                \
    X(RATE, "rate")             /* above the limit of the source */                                \
    X(SHARE, "share")           /* above its share while matching does not keep up */              \
    X(STORE, "store")           /* refused by the store, or by what unpacks */                     \
    X(MEMORY, "memory")         /* no memory */                                                    \
    X(FORM, "form")             /* not what the listener speaks */                                 \
    X(SIZE, "size")             /* a body or a datagram above the limit */                         \
    X(CREDENTIAL, "credential") /* no credential, or one without the right */                      \
    X(TIME, "time")             /* came too slowly, or broke off */

enum ledger_loss {
#define X(name, text) LEDGER_##name,
    LEDGER_LOSSES(X)
#undef X
        LEDGER_LOSS_COUNT,
};

struct ledger_sums {
    uint64_t received, stored, pending;
    uint64_t lost[LEDGER_LOSS_COUNT];
};

/* Tokens of a bucket: `per_second` come, at most as many wait. */
struct ledger_bucket {
    uint64_t left;
    nsec filled; /* monotonic; 0: never */
};

struct ledger_row {
    struct slice source; /* the ledger's */
    struct ledger_sums records, requests;
    uint64_t bytes;       /* received */
    uint64_t cut;         /* records that were longer than the limit */
    uint64_t odd;         /* records with something odd about their framing */
    uint64_t broken;      /* connections that ended because of a mistake of the sender */
    uint64_t refused;     /* connections above a limit */
    uint64_t connections; /* ever */
    uint32_t open;        /* connections now */
    nsec seen;            /* realtime, of the last byte; 0: never */
    struct ledger_bucket bucket;
    struct fair_share share;
    size_t unacked;  /* the outbox's: bytes of its records that wait */
    uint64_t flight; /* the outbox's: the batch it has a claim in … */
    void *claim;     /* … and which */
    uint64_t hash;
};

struct ledger {
    struct ledger_row *rows; /* 0 is OTHERS */
    uint32_t n, max;
    uint32_t *slots; /* row numbers, 0: empty */
    uint32_t mask;
    uint64_t seed;
};

/* max: rows, OTHERS among them; at least 2. */
int ledger_init(struct ledger *l, uint32_t max, uint64_t seed) MUST_USE;
void ledger_done(struct ledger *l);

/* The row of a source; it stays where it is. OTHERS when there is no room, or no memory. */
struct ledger_row *ledger_row_of(struct ledger *l, struct slice source);

/* Takes `n` tokens, or as many as there are when less; false when it took none of them. 0
 * per_second: no limit. */
bool ledger_take(struct ledger_bucket *b, uint64_t per_second, uint64_t n, nsec monotonic);

const char *ledger_loss_name(unsigned loss);

/* Rows are made for listeners, too, before anybody sends; what the kernel dropped is in theirs. */
static inline bool ledger_row_is_active(const struct ledger_row *row)
{
    return row->seen > 0 || row->connections > 0 || row->records.received > 0 ||
           row->requests.received > 0;
}

#endif
