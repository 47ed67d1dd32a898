/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/inflight.h"

#include <stdlib.h>

#include "serve/message.h"

struct inflight_batch {
    struct inflight_batch *next;
    uint64_t id, tag;
    size_t len;
    char bytes[];
};

static void send_one(const struct inflight_batch *b, struct link *store)
{
    if (!link_is_open(store)) return;
    say_batch_write(link_out(store),
                    &(struct say_batch){.id = b->id, .batch = slice_make(b->bytes, b->len)});
}

int inflight_send(struct inflight *q, struct link *store, uint64_t id, uint64_t tag,
                  struct slice batch)
{
    struct inflight_batch *b = malloc(sizeof *b + batch.len);
    if (!b) return ERR_NOMEM;
    ASSERT(!q->last || id > q->last->id);
    *b = (struct inflight_batch){.id = id, .tag = tag, .len = batch.len};
    memcpy(b->bytes, batch.ptr, batch.len);
    if (q->last) q->last->next = b;
    else q->first = b;
    q->last = b;
    q->bytes += batch.len;
    send_one(b, store);
    link_flush(store);
    return 0;
}

bool inflight_answered(struct inflight *q, uint64_t id, uint64_t *ret_tag)
{
    struct inflight_batch *b = q->first;
    if (!b || b->id != id) return false;
    *ret_tag = b->tag;
    q->first = b->next;
    if (!q->first) q->last = NULL;
    q->bytes -= b->len;
    free(b);
    return true;
}

void inflight_resend(struct inflight *q, struct link *store)
{
    for (const struct inflight_batch *b = q->first; b; b = b->next) send_one(b, store);
    link_flush(store);
}
