/* SPDX-License-Identifier: EUPL-1.2 */
/* What the inputs of the room share. */
#ifndef VAKA_COLLECT_CORE_H
#define VAKA_COLLECT_CORE_H

#include "collect/outbox.h"

enum { CORE_SHARE = 128 * 1024 }; /* bytes of one connection or file in one turn, read and taken */

struct core {
    struct loop *loop;
    struct clock clock;
    struct collect_out out;
    struct ledger ledger;
    struct outbox *outbox;
    uint64_t seed;
    uint64_t connections_ever;
    uint32_t connections, connections_max;
    size_t claimant_max; /* bytes of one sender that may wait for acks */
    const struct tokens *tokens;
    size_t bodies, bodies_max; /* bytes of HTTP bodies that are not whole */
};

/*
 * Writes who it is to `text` (cleared first) and finds its row. An identity or a name that is too
 * long for a source makes it ERR_LIMIT.
 */
int core_source(struct core *core, const struct record_source *source, struct buf *text,
                struct ledger_row **ret) MUST_USE;
/* A row with its defaults filled in. */
struct listener core_listener(const struct listener *row);

#endif
