/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Batches on their way to the store: kept until it has answered, and sent again when it was
 * replaced meanwhile, so that its end costs nothing that came from senders who send only once.
 */
#ifndef VAKA_SERVE_INFLIGHT_H
#define VAKA_SERVE_INFLIGHT_H

#include "proc/link.h"

struct inflight_batch;

struct inflight {
    struct inflight_batch *first, *last; /* in the order they were sent */
    size_t bytes;
};

/*
 * Keeps a copy and sends it, when the link is open; `tag` is given back with the answer. The caller
 * bounds the bytes, and ids grow. ERR_NOMEM: nothing was sent.
 */
int inflight_send(struct inflight *q, struct link *store, uint64_t id, uint64_t tag,
                  struct slice batch) MUST_USE;
/* The store has answered: it is forgotten, *ret_tag is its tag. False: it is not the oldest. */
bool inflight_answered(struct inflight *q, uint64_t id, uint64_t *ret_tag);
/* Everything again, to a new store. */
void inflight_resend(struct inflight *q, struct link *store);

#endif
