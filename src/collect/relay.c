/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/relay.h"

/* A batch whose records are not all safe. */
struct relayed {
    struct relay *relay;
    struct relayed *next;
    uint64_t id;
    uint32_t tenant;
    struct batch batch;
    struct batch_iter it;
    struct record record; /* the next one; raw.ptr NULL: there is none */
    uint64_t waiting;     /* records that were added and not answered */
    struct claimant claimant;
    struct in_line in_line;
    struct loop_deferred again;
    char bytes[];
};

struct relay {
    struct core *core;
    struct relayed *first;
    uint32_t n;
};

struct relay *relay_new(struct core *core)
{
    struct relay *r = calloc(1, sizeof *r);
    if (r) r->core = core;
    return r;
}

static void drop(struct relayed *b)
{
    struct relay *r = b->relay;
    struct relayed **at = &r->first;
    while (*at != b) at = &(*at)->next;
    *at = b->next;
    r->n--;
    loop_defer_cancel(r->core->loop, &b->again);
    outbox_leave_line(r->core->outbox, &b->in_line);
    outbox_forget(r->core->outbox, &b->claimant);
    free(b);
}

static void answer(struct relayed *b, bool stored)
{
    const struct collect_out *out = &b->relay->core->out;
    uint64_t id = b->id;
    drop(b);
    out->relayed(out->ctx, id, stored);
}

static void next_record(struct relayed *b)
{
    if (!batch_iter_next(&b->it, &b->record)) b->record.raw.ptr = NULL;
}

/* Some records, as many as may be sent in one turn. */
static void on_turn(void *ctx)
{
    struct relayed *b = ctx;
    struct core *core = b->relay->core;
    size_t done = 0;
    while (b->record.raw.ptr) {
        struct ledger_row *row = ledger_row_of(&core->ledger, b->record.source);
        if (!outbox_takes(core->outbox, row)) {
            outbox_stand_in_line(core->outbox, &b->in_line, row);
            return;
        }
        if (done >= CORE_SHARE) {
            loop_defer(core->loop, &b->again);
            return;
        }
        if (outbox_add(core->outbox, b->tenant, &b->record, row, &b->claimant) != 0) {
            answer(b, false);
            return;
        }
        b->waiting++;
        done += b->record.raw.len + OUTBOX_RECORD_OVERHEAD;
        next_record(b);
    }
}

static void on_acked(void *ctx, uint64_t n, uint64_t last)
{
    struct relayed *b = ctx;
    (void)last;
    b->waiting -= n;
    if (b->waiting == 0 && !b->record.raw.ptr) answer(b, true);
}

static void on_refused(void *ctx)
{
    answer(ctx, false);
}

/* Nobody hands in records under the name of others. */
static bool comes_by(const struct batch *batch, struct slice input)
{
    struct batch_iter it;
    struct record record;
    const char *known = NULL;
    batch_iter_init(&it, batch);
    while (batch_iter_next(&it, &record)) {
        struct record_source from;
        if (known && record.source.ptr == known) continue;
        record_source_read(record.source, &from);
        if (!slice_eq(from.input, input)) return false;
        known = record.source.ptr;
    }
    return true;
}

int relay_take(struct relay *r, uint64_t id, uint32_t tenant, struct slice input,
               struct slice batch)
{
    if (r->n == RELAY_BATCHES_MAX) return ERR_LIMIT;
    struct relayed *b = calloc(1, sizeof *b + batch.len);
    if (!b) return ERR_NOMEM;
    memcpy(b->bytes, batch.ptr, batch.len);
    int error = batch_open(slice_make(b->bytes, batch.len), &b->batch);
    if (error == 0 && !comes_by(&b->batch, input)) error = ERR_CORRUPT;
    if (error) {
        free(b);
        return error;
    }
    b->relay = r;
    b->id = id;
    b->tenant = tenant;
    b->claimant = (struct claimant){.acked = on_acked, .refused = on_refused, .ctx = b};
    b->in_line = (struct in_line){.resume = on_turn, .ctx = b};
    b->again = (struct loop_deferred){.call = on_turn, .ctx = b};
    batch_iter_init(&b->it, &b->batch);
    next_record(b);
    b->next = r->first;
    r->first = b;
    r->n++;
    loop_defer(r->core->loop, &b->again);
    return 0;
}

void relay_forget(struct relay *r)
{
    struct relayed *next;
    for (struct relayed *b = r->first; b; b = next) {
        next = b->next;
        drop(b);
    }
}

void relay_free(struct relay *r)
{
    if (!r) return;
    relay_forget(r);
    free(r);
}
