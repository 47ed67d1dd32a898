/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One connection by which records are sent, and what its receiver says of them. What it counts as
 * sent was handed to the kernel whole; as acked, what the receiver said is safe.
 */
#ifndef VAKA_LOAD_LANE_H
#define VAKA_LOAD_LANE_H

#include "mix.h"
#include "plants.h"

/* What a receiver answers at once: a record, a window, a request. */
struct unit {
    uint64_t end; /* bytes sent when it is whole */
    uint64_t id;
    uint32_t records;
    uint32_t plant; /* number + 1; 0: none */
    nsec due;       /* when it should have gone out: the wait for its ack counts from there */
};

struct lane;

struct lane_kind {
    const char *name;
    enum mix_form form;
    bool own_records;     /* makes its records itself */
    int socket;           /* SOCK_STREAM, SOCK_DGRAM */
    bool batches;         /* records are gathered for one unit */
    uint32_t batch_max;   /* records of one unit; 0: any */
    bool acked;           /* units end with an answer; else when they were sent */
    bool resends;         /* `request` when it was refused, or not answered */
    uint32_t outstanding; /* units that may wait */
    /* To be said first; may be NULL. */
    void (*open)(struct lane *l);
    /* One record, to `out`; of kinds that gather, to `gathered`. */
    void (*put)(struct lane *l, struct slice record);
    /* What was gathered, to `out`; NULL when kind does not gather. */
    void (*pack)(struct lane *l);
    /* One answer at the start of `in`: 1, or 0 when it is not whole, or an error. */
    int (*answer)(struct lane *l, struct slice in, size_t *ret_used, nsec now);
};

extern const struct lane_kind lane_kinds[];
extern const size_t lane_kinds_n;

struct lane_options {
    const struct lane_kind *kind;
    uint16_t port; /* of 127.0.0.1 */
    uint32_t share;
    uint32_t batch; /* records that are gathered at most … */
    nsec linger;    /* … and for how long */
    const char *token;
    struct mix *mix;
    struct plants *plants;
};

struct lane {
    struct lane_options options;
    int fd;
    struct buf out, in, gathered, request;
    size_t out_done;
    uint64_t handed; /* bytes of `out`, ever */
    struct unit *units;
    uint32_t first, n_units, n_sent; /* n_sent: the first of them went out whole */
    uint32_t n_gathered;
    nsec gathered_since, retry_at;
    nsec first_due, last_due; /* of what was gathered; of the record at hand */
    uint64_t next_id;
    uint64_t made, bytes, requests, acked, refused, resent; /* requests: units of gathered ones */
    struct histogram acks;
    nsec warm_at; /* what was due before does not count in it */
};

/* ERR_IO: nobody listens there; ERR_NOMEM. */
int lane_open(const struct lane_options *options, struct lane **ret) MUST_USE;
void lane_close(struct lane *l);

/* Whether it takes a record now. */
bool lane_ready(const struct lane *l);
/* Takes one that should have gone out at `due`; `plant` as in a unit. ERR_IO. */
int lane_add(struct lane *l, struct slice record, uint32_t plant, nsec due, nsec now) MUST_USE;
/* Sends and reads what is possible; `all`: also what would be gathered further. An error: the
 * connection broke, or the receiver said something that cannot be. */
int lane_pump(struct lane *l, bool all, nsec now) MUST_USE;
/* Everything went out, and was answered. */
bool lane_idle(const struct lane *l);
/* Whether it waits for room. */
bool lane_waits(const struct lane *l);
/* Says that nothing more comes. */
void lane_end(struct lane *l);
/* Reads until the receiver closes, too: true when it has, or when there is no connection. */
bool lane_ended(struct lane *l);

/* ---- for kinds ---- */

/* The bytes appended to `out` since the last unit are one. */
void lane_add_unit(struct lane *l, uint64_t id, uint32_t records, uint32_t plant);
/* The oldest unit was answered. */
void lane_take_unit(struct lane *l, nsec now);
/* NULL: none waits. */
struct unit *lane_oldest(struct lane *l);
/* The request was refused for now: it goes out again a little later. */
void lane_send_again(struct lane *l, nsec now);

#endif
