/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/outbox.h"

enum { CLAIMS_BLOCK = 1024, HELD_FOR = 10 /* ms */ };

/* A run of records of one sender in one batch. */
struct claim {
    struct ledger_row *row;
    struct claimant *claimant; /* NULL: nobody waits, or not any more */
    struct claim *next;        /* of the batch, or of the free ones */
    struct claim *next_of_claimant;
    uint64_t last; /* ordinal of the newest record */
    uint32_t n;
    size_t bytes;
};

struct flight {
    struct claim *first, *last;
    size_t bytes;
    bool failed; /* nobody took it: there will be no answer */
};

struct container_flight {
    uint64_t token;         /* 0: free */
    struct ledger_row *row; /* NULL: a question */
    struct waiting *waiting;
    size_t body;  /* bytes of it */
    size_t bytes; /* that count as waiting */
};

/* The batch of a tenant that is being filled. */
struct filling {
    struct batch_writer writer;
    struct flight flight;
    uint64_t number; /* of this batch among all that were ever begun */
};

struct claims_block {
    struct claims_block *next;
    struct claim claims[CLAIMS_BLOCK];
};

struct line {
    struct in_line *head, *tail;
    uint32_t n;
};

struct outbox {
    struct collect_out out;
    struct loop *loop;
    struct clock clock;
    struct fair fair;
    size_t unacked, unacked_max;

    struct filling *tenants[OUTBOX_TENANTS_MAX];
    uint32_t n_tenants;
    uint64_t begun;
    struct buf bytes; /* the batch that is sent */
    struct loop_deferred sending, failing;
    bool calling; /* inside of a call of `out` */

    struct flight flights[OUTBOX_FLIGHTS_MAX]; /* token % size; tokens first … next-1 wait */
    uint64_t first, next;
    struct container_flight containers[OUTBOX_CONTAINERS_MAX];
    uint64_t next_container;
    uint32_t n_containers;

    struct claims_block *blocks;
    struct claim *free_claims;
    uint32_t n_claims;

    struct line gate, held; /* who waits for the gate, and for more of his share */
    struct loop_deferred serving;
    struct loop_timer holding;
};

/* ---- the gate ---------------------------------------------------------------------------- */

bool outbox_is_open(const struct outbox *o)
{
    return o->unacked < o->unacked_max && o->next - o->first < OUTBOX_FLIGHTS_MAX / 2 &&
           o->n_containers < OUTBOX_CONTAINERS_MAX / 4;
}

size_t outbox_unacked(const struct outbox *o)
{
    return o->unacked;
}

bool outbox_takes(const struct outbox *o, struct ledger_row *row)
{
    return outbox_is_open(o) && fair_takes(&o->fair, row, clock_monotonic(&o->clock));
}

bool outbox_admits(const struct outbox *o, struct ledger_row *row, struct ledger_sums *sums,
                   size_t bytes)
{
    bool open = outbox_is_open(o) && row->unacked < o->unacked_max / 4 * 3;
    if (open && outbox_takes(o, row)) return true;
    sums->received++;
    sums->lost[open ? LEDGER_SHARE : LEDGER_BUSY]++;
    row->bytes += bytes;
    fair_charge(&o->fair, row, bytes, false);
    return false;
}

static void line_join(struct line *line, struct in_line *who)
{
    who->line = line;
    who->next = NULL;
    who->prev = line->tail;
    if (line->tail) line->tail->next = who;
    else line->head = who;
    line->tail = who;
    line->n++;
}

void outbox_leave_line(struct outbox *o, struct in_line *who)
{
    struct line *line = who->line;
    (void)o;
    if (!line) return;
    if (who->prev) who->prev->next = who->next;
    else line->head = who->next;
    if (who->next) who->next->prev = who->prev;
    else line->tail = who->prev;
    who->line = NULL;
    line->n--;
}

void outbox_stand_in_line(struct outbox *o, struct in_line *who, struct ledger_row *row)
{
    if (who->line) return;
    if (outbox_is_open(o) && !outbox_takes(o, row)) {
        line_join(&o->held, who);
        /* Without a timer the next pace does it. */
        if (o->held.n == 1)
            (void)!loop_timer_set(o->loop, &o->holding, HELD_FOR * NSEC_PER_MSEC, 0);
        return;
    }
    line_join(&o->gate, who);
    if (outbox_is_open(o)) loop_defer(o->loop, &o->serving);
}

/* Everybody has one turn in a round at most; who comes back stands at the end. */
static void serve_line(struct outbox *o, struct line *line)
{
    for (uint32_t turns = line->n; turns > 0 && line->head && outbox_is_open(o); turns--) {
        struct in_line *who = line->head;
        outbox_leave_line(o, who);
        who->resume(who->ctx);
    }
}

static void serve_gate(void *ctx)
{
    struct outbox *o = ctx;
    serve_line(o, &o->gate);
    if (o->gate.head && outbox_is_open(o)) loop_defer(o->loop, &o->serving);
}

static void serve_held(void *ctx)
{
    struct outbox *o = ctx;
    serve_line(o, &o->held);
    if (o->held.head) (void)!loop_timer_set(o->loop, &o->holding, HELD_FOR * NSEC_PER_MSEC, 0);
}

void outbox_paced(struct outbox *o, struct ledger *ledger, const struct fair_pace *pace)
{
    fair_tell(&o->fair, ledger, pace, clock_monotonic(&o->clock));
    if (o->held.head) serve_held(o);
}

uint64_t outbox_level(const struct outbox *o)
{
    return o->fair.level;
}

static void release(struct outbox *o, size_t bytes)
{
    ASSERT(bytes <= o->unacked);
    o->unacked -= bytes;
    if (o->gate.head && outbox_is_open(o)) loop_defer(o->loop, &o->serving);
}

/* ---- claims ------------------------------------------------------------------------------ */

static struct claim *claim_new(struct outbox *o)
{
    if (!o->free_claims) {
        if (o->n_claims >= OUTBOX_CLAIMS_MAX) return NULL;
        struct claims_block *block = calloc(1, sizeof *block);
        if (!block) return NULL;
        block->next = o->blocks;
        o->blocks = block;
        o->n_claims += CLAIMS_BLOCK;
        for (uint32_t i = 0; i < CLAIMS_BLOCK; i++) {
            block->claims[i].next = o->free_claims;
            o->free_claims = &block->claims[i];
        }
    }
    struct claim *claim = o->free_claims;
    o->free_claims = claim->next;
    *claim = (struct claim){0};
    return claim;
}

static void claim_free(struct outbox *o, struct claim *claim)
{
    claim->next = o->free_claims;
    o->free_claims = claim;
}

/*
 * The claim that the next record of this sender belongs to. Someone who waits for acks has his
 * claims in the order of his records; rows of the others have at most one a batch.
 */
static struct claim *claim_of(struct outbox *o, struct filling *f, struct ledger_row *row,
                              struct claimant *claimant)
{
    struct claim *last = f->flight.last;
    if (last && last->row == row && last->claimant == claimant) return last;
    if (!claimant && row->flight == f->number) return row->claim;
    struct claim *claim = claim_new(o);
    if (!claim) return NULL;
    claim->row = row;
    claim->claimant = claimant;
    if (last) last->next = claim;
    else f->flight.first = claim;
    f->flight.last = claim;
    if (claimant) {
        if (claimant->last) claimant->last->next_of_claimant = claim;
        else claimant->first = claim;
        claimant->last = claim;
    } else {
        row->flight = f->number;
        row->claim = claim;
    }
    return claim;
}

void outbox_forget(struct outbox *o, struct claimant *claimant)
{
    (void)o;
    for (struct claim *c = claimant->first; c; c = c->next_of_claimant) c->claimant = NULL;
    claimant->first = claimant->last = NULL;
    claimant->unacked = 0;
}

/* Claims of a claimant are settled in their order: this one is his first. */
static void tell(struct claim *claim, bool stored)
{
    struct claimant *who = claim->claimant;
    if (!who) return;
    ASSERT(who->first == claim);
    who->first = claim->next_of_claimant;
    if (!who->first) who->last = NULL;
    who->unacked -= claim->bytes;
    if (claim->n == 0) return;
    if (stored) who->acked(who->ctx, claim->n, claim->last);
    else who->refused(who->ctx);
}

static void settle(struct outbox *o, struct flight *flight, bool stored)
{
    struct claim *next;
    for (struct claim *claim = flight->first; claim; claim = next) {
        struct ledger_sums *sums = &claim->row->records;
        sums->pending -= claim->n;
        claim->row->unacked -= claim->bytes;
        if (stored) sums->stored += claim->n;
        else sums->lost[LEDGER_STORE] += claim->n;
        tell(claim, stored);
        next = claim->next;
        claim_free(o, claim);
    }
    size_t bytes = flight->bytes;
    *flight = (struct flight){0};
    release(o, bytes);
}

/* ---- batches ----------------------------------------------------------------------------- */

static void send_batch(struct outbox *o, struct filling *f)
{
    if (f->writer.n == 0) return;
    uint64_t token = o->next++;
    struct flight *flight = &o->flights[token % OUTBOX_FLIGHTS_MAX];
    ASSERT(token - o->first < OUTBOX_FLIGHTS_MAX);
    *flight = f->flight;
    f->flight = (struct flight){0};
    f->number = ++o->begun;
    buf_clear(&o->bytes);
    batch_writer_finish(&f->writer, &o->bytes);
    o->calling = true;
    if (buf_failed(&o->bytes) || o->out.batch(o->out.ctx, token, buf_slice(&o->bytes)) != 0) {
        /* Who waits is told when nobody is in the middle of adding something. */
        flight->failed = true;
        loop_defer(o->loop, &o->failing);
    }
    o->calling = false;
}

static void send_all(void *ctx)
{
    struct outbox *o = ctx;
    for (uint32_t i = 0; i < o->n_tenants; i++) send_batch(o, o->tenants[i]);
}

static void settle_first(struct outbox *o, bool stored)
{
    struct flight flight = o->flights[o->first % OUTBOX_FLIGHTS_MAX];
    o->flights[o->first % OUTBOX_FLIGHTS_MAX] = (struct flight){0};
    o->first++;
    settle(o, &flight, stored);
}

static void settle_failed(void *ctx)
{
    struct outbox *o = ctx;
    while (o->first != o->next && o->flights[o->first % OUTBOX_FLIGHTS_MAX].failed)
        settle_first(o, false);
}

int outbox_batch_answered(struct outbox *o, uint64_t token, bool stored)
{
    ASSERT(!o->calling);
    settle_failed(o);
    if (o->first == o->next || o->first != token) return ERR_NOT_FOUND;
    settle_first(o, stored);
    settle_failed(o);
    return 0;
}

static struct filling *filling_of(struct outbox *o, uint32_t tenant)
{
    for (uint32_t i = 0; i < o->n_tenants; i++)
        if (o->tenants[i]->writer.tenant == tenant) return o->tenants[i];
    struct filling *f = o->n_tenants < OUTBOX_TENANTS_MAX ? calloc(1, sizeof *f) : NULL;
    if (!f) return NULL;
    batch_writer_init(&f->writer, tenant, BATCH_MAX);
    f->number = ++o->begun;
    o->tenants[o->n_tenants++] = f;
    return f;
}

/* The claim is found first: a record in the batch and in no claim would never be settled. */
static int add(struct outbox *o, struct filling *f, const struct record *record,
               struct ledger_row *row, struct claimant *claimant)
{
    struct claim *claim = claim_of(o, f, row, claimant);
    if (!claim) return ERR_NOMEM;
    int error = batch_writer_add(&f->writer, record);
    if (error) return error;
    size_t bytes = record->raw.len + OUTBOX_RECORD_OVERHEAD;
    claim->n++;
    claim->last = record->ordinal;
    claim->bytes += bytes;
    row->unacked += bytes;
    if (claimant) claimant->unacked += bytes;
    f->flight.bytes += bytes;
    o->unacked += bytes;
    return 0;
}

int outbox_add(struct outbox *o, uint32_t tenant, const struct record *record,
               struct ledger_row *row, struct claimant *claimant)
{
    row->records.received++;
    row->bytes += record->raw.len;
    fair_charge(&o->fair, row, record->raw.len, true);
    row->seen = record->received;
    if (record->flags & RECORD_CUT) row->cut++;
    struct filling *f = filling_of(o, tenant);
    int error = f ? 0 : ERR_LIMIT;
    if (!error && o->next - o->first >= OUTBOX_FLIGHTS_MAX - OUTBOX_TENANTS_MAX) error = ERR_LIMIT;
    if (!error) error = add(o, f, record, row, claimant);
    if (error == ERR_LIMIT && f && f->writer.n > 0) {
        send_batch(o, f);
        error = add(o, f, record, row, claimant);
    }
    if (error) {
        row->records.lost[error == ERR_NOMEM ? LEDGER_MEMORY : LEDGER_BUSY]++;
        return error;
    }
    row->records.pending++;
    loop_defer(o->loop, &o->sending);
    return 0;
}

/* ---- containers -------------------------------------------------------------------------- */

static struct container_flight *container_slot(struct outbox *o)
{
    if (o->n_containers >= OUTBOX_CONTAINERS_MAX / 2) return NULL;
    struct container_flight *slot;
    do {
        slot = &o->containers[++o->next_container % OUTBOX_CONTAINERS_MAX];
    } while (slot->token);
    return slot;
}

static void occupy(struct outbox *o, struct container_flight *slot, struct ledger_row *row,
                   struct waiting *waiting, size_t body)
{
    size_t bytes = row ? body + OUTBOX_CONTAINER_OVERHEAD : 0;
    *slot = (struct container_flight){
        .token = o->next_container, .row = row, .waiting = waiting, .body = body, .bytes = bytes};
    if (waiting) waiting->token = slot->token;
    o->n_containers++;
    o->unacked += bytes;
}

static void vacate(struct outbox *o, struct container_flight *slot)
{
    size_t bytes = slot->bytes;
    *slot = (struct container_flight){0};
    o->n_containers--;
    release(o, bytes);
}

int outbox_put(struct outbox *o, const struct container *container, struct ledger_row *row,
               struct waiting *waiting)
{
    struct container_flight *slot = container_slot(o);
    row->requests.received++;
    row->bytes += container->body.len;
    fair_charge(&o->fair, row, container->body.len, true);
    row->seen = container->received;
    if (!slot) {
        row->requests.lost[LEDGER_BUSY]++;
        return ERR_LIMIT;
    }
    occupy(o, slot, row, waiting, container->body.len);
    o->calling = true;
    int error = o->out.container(o->out.ctx, slot->token, container);
    o->calling = false;
    if (error) {
        row->requests.lost[LEDGER_STORE]++;
        if (waiting) waiting->token = 0;
        vacate(o, slot);
        return error;
    }
    row->requests.pending++;
    return 0;
}

int outbox_ask(struct outbox *o, struct waiting *waiting)
{
    struct container_flight *slot = container_slot(o);
    if (!o->out.metrics) return ERR_UNSUPPORTED;
    if (!slot) return ERR_LIMIT;
    occupy(o, slot, NULL, waiting, 0);
    o->calling = true;
    int error = o->out.metrics(o->out.ctx, slot->token);
    o->calling = false;
    if (!error) return 0;
    waiting->token = 0;
    vacate(o, slot);
    return error;
}

static struct container_flight *container_of(struct outbox *o, uint64_t token)
{
    struct container_flight *slot = &o->containers[token % OUTBOX_CONTAINERS_MAX];
    return token && slot->token == token ? slot : NULL;
}

void outbox_forget_waiting(struct outbox *o, struct waiting *waiting)
{
    struct container_flight *slot = container_of(o, waiting->token);
    if (slot && slot->waiting == waiting) slot->waiting = NULL;
    waiting->token = 0;
}

int outbox_container_answered(struct outbox *o, uint64_t token, const struct collect_reply *reply)
{
    struct container_flight *slot = container_of(o, token);
    ASSERT(!o->calling);
    if (!slot) return ERR_NOT_FOUND;
    struct waiting *waiting = slot->waiting;
    if (slot->row) {
        struct ledger_sums *sums = &slot->row->requests;
        /* What was packed is matched unpacked. */
        if (reply->bytes > slot->body)
            fair_charge(&o->fair, slot->row, reply->bytes - slot->body, true);
        sums->pending--;
        if (reply->status < 300) sums->stored++;
        else sums->lost[LEDGER_STORE]++;
    }
    vacate(o, slot);
    if (waiting) {
        waiting->token = 0;
        waiting->answered(waiting->ctx, reply);
    }
    return 0;
}

/* ---- the whole --------------------------------------------------------------------------- */

int outbox_new(const struct collect_options *options, struct outbox **ret)
{
    struct outbox *o = calloc(1, sizeof *o);
    ASSERT(options->unacked_max >= 2 * (size_t)BATCH_MAX);
    if (!o) return ERR_NOMEM;
    o->out = options->out;
    o->loop = options->loop;
    o->clock = options->clock;
    fair_init(&o->fair);
    o->unacked_max = options->unacked_max;
    o->first = o->next = 1;
    o->sending = (struct loop_deferred){.call = send_all, .ctx = o};
    o->serving = (struct loop_deferred){.call = serve_gate, .ctx = o};
    o->holding = (struct loop_timer){.due = serve_held, .ctx = o};
    o->failing = (struct loop_deferred){.call = settle_failed, .ctx = o};
    buf_init(&o->bytes, BATCH_MAX);
    *ret = o;
    return 0;
}

void outbox_free(struct outbox *o)
{
    struct claims_block *next;
    if (!o) return;
    ASSERT(!o->gate.head && !o->held.head);
    loop_timer_stop(o->loop, &o->holding);
    loop_defer_cancel(o->loop, &o->sending);
    loop_defer_cancel(o->loop, &o->serving);
    loop_defer_cancel(o->loop, &o->failing);
    for (uint32_t i = 0; i < o->n_tenants; i++) {
        batch_writer_done(&o->tenants[i]->writer);
        free(o->tenants[i]);
    }
    for (struct claims_block *block = o->blocks; block; block = next) {
        next = block->next;
        free(block);
    }
    buf_done(&o->bytes);
    free(o);
}
