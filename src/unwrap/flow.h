/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Datagrams of NetFlow v5, v9 and IPFIX → flow records that are whole in themselves.
 *
 * Templates belong to who exports (the container's source and tenant) and its observation domain;
 * they are kept up to bounds of count, bytes and age, the ones longest unused go first. Sets whose
 * template has not come wait for it within bounds of bytes and time.
 */
#ifndef VAKA_UNWRAP_FLOW_H
#define VAKA_UNWRAP_FLOW_H

#include "unwrap/unwrap.h"

struct flows;
struct job;

/* NULL when out of memory. */
struct flows *flows_new(const struct unwrap_options *options);
void flows_free(struct flows *f);
int flows_unwrap(struct flows *f, struct job *j) MUST_USE;
void flows_stats(const struct flows *f, struct unwrap_flow_stats *ret);

#endif
