/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the process that pages is told of incidents, and what it tells: a row of the database until
 * it has said that it has it, written in the transaction that makes it so. Only what is new, worse
 * or open again is handed over: an incident that just gets more alerts was told of already. What
 * Vaka has to say about pages themselves is never made a page.
 *
 * All within a transaction of state/state.h; its errors.
 */
#ifndef VAKA_DESK_HANDOVER_H
#define VAKA_DESK_HANDOVER_H

#include "desk/desk.h"

/* Of what is in no incident: beside the marks of alerts. */
enum { HANDOVER_CANARY = 2 };
/* The numbers of all below are told to other processes. */
enum handover_why { HANDOVER_NEW = 1, HANDOVER_RAISED, HANDOVER_REOPENED, HANDOVER_ASKED };
enum handover_how {
    HANDOVER_NOT_SETTLED,
    HANDOVER_ACKED, /* somebody has it */
    HANDOVER_CLOSED,
    HANDOVER_MERGED, /* it is part of another */
};
enum paged_what {
    PAGED_NOTIFIED = 1, /* a provider has taken a message that tells of it */
    PAGED_ACKED,        /* somebody has it */
    PAGED_ESCALATED,    /* nobody had it in time, or somebody asked for more */
    PAGED_EXHAUSTED,    /* everybody was told and nobody has it: the page is loud */
    PAGED_END,
};

/* Texts are of the row that is told. */
struct desk_handover {
    uint64_t id; /* grows */
    uint32_t tenant;
    uint64_t incident;
    unsigned how; /* HANDOVER_NOT_SETTLED: it is to be paged for; else it needs nobody */
    unsigned level, why, marks;
    nsec first_activity, detected;
    struct slice service, title; /* title: {"sv":…,"en":…} */
    uint64_t into;
    struct slice who;
};

/* Those with an id above `after`, in order, until `each` returns false. */
int desk_handovers(struct desk *d, uint64_t after,
                   bool (*each)(void *ctx, const struct desk_handover *h), void *ctx) MUST_USE;
/* It has it. */
int desk_handed_over(struct desk *d, uint64_t id) MUST_USE;
/* A probe of the canary, by its number; of those only the newest is kept. */
int desk_hand_canary(struct desk *d, uint64_t number, nsec now) MUST_USE;

struct desk_paged {
    uint64_t id; /* the same one may come again, and changes nothing then */
    uint32_t tenant;
    uint64_t incident;
    unsigned what;
    nsec time;
    struct slice who;
};
/* Into the log and the times of the incident, which are never overwritten. */
int desk_take_paged(struct desk *d, const struct desk_paged *m, nsec now) MUST_USE;

#endif
