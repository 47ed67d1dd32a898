/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Batches that another process of ours has made of what it fetched: their records go the way of all
 * others, so that they count in the ledger of their source and wait when it has had its share.
 */
#ifndef VAKA_COLLECT_RELAY_H
#define VAKA_COLLECT_RELAY_H

#include "collect/core.h"

enum { RELAY_BATCHES_MAX = 64 }; /* that are not answered */

struct relay;

/* NULL when out of memory. */
struct relay *relay_new(struct core *core);
void relay_free(struct relay *r);
/* See collect_relay(), collect_relay_forget(). */
int relay_take(struct relay *r, uint64_t id, uint32_t tenant, struct slice input,
               struct slice batch) MUST_USE;
void relay_forget(struct relay *r);

#endif
