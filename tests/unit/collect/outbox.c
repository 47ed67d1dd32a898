/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/outbox.h"

#include "test.h"

/* A house that keeps what it gets and answers when the test says so. */
struct house {
    struct loop *loop;
    struct outbox *outbox;
    struct ledger ledger;
    uint64_t tokens[64], containers[64];
    uint32_t n, n_containers, records;
    int answer; /* to the next batch or container */
};

static int on_batch(void *ctx, uint64_t token, struct slice bytes)
{
    struct house *h = ctx;
    struct batch batch;
    CHECK_INT(batch_open(bytes, &batch), 0);
    if (h->answer) return h->answer;
    h->records += batch.n;
    h->tokens[h->n++ % 64] = token;
    return 0;
}

static int on_container(void *ctx, uint64_t token, const struct container *container)
{
    struct house *h = ctx;
    (void)container;
    if (h->answer) return h->answer;
    h->containers[h->n_containers++ % 64] = token;
    return 0;
}

static void house_init(struct house *h)
{
    const struct loop_options lo = {clock_system(), 8, 8};
    *h = (struct house){.loop = loop_new(&lo)};
    REQUIRE(h->loop != NULL);
    const struct collect_options o = {
        .loop = h->loop,
        .clock = lo.clock,
        .out = {.ctx = h, .batch = on_batch, .container = on_container},
        .unacked_max = 2 * (size_t)BATCH_MAX};
    REQUIRE(outbox_new(&o, &h->outbox) == 0);
    REQUIRE(ledger_init(&h->ledger, 16, 1) == 0);
}

static void house_done(struct house *h)
{
    outbox_free(h->outbox);
    ledger_done(&h->ledger);
    loop_free(h->loop);
}

static void stop(void *ctx)
{
    loop_stop(ctx, 0);
}

/* One round of the loop. */
static void turn(struct house *h)
{
    struct loop_deferred d = {.call = stop, .ctx = h->loop};
    loop_defer(h->loop, &d);
    CHECK_INT(loop_run(h->loop), 0);
}

struct sender {
    struct claimant claimant;
    uint64_t acked, last, refused;
    struct outbox *leaves; /* forgets itself when told */
};

static void on_acked(void *ctx, uint64_t n, uint64_t last)
{
    struct sender *s = ctx;
    s->acked += n;
    s->last = last;
    if (s->leaves) outbox_forget(s->leaves, &s->claimant);
}

static void on_refused(void *ctx)
{
    struct sender *s = ctx;
    s->refused++;
}

static struct sender sender_of(void)
{
    return (struct sender){.claimant = {.acked = on_acked, .refused = on_refused}};
}

static int add(struct house *h, uint32_t tenant, const char *source, struct sender *s,
               uint64_t ordinal, size_t len)
{
    static char bytes[RECORD_MAX];
    struct ledger_row *row = ledger_row_of(&h->ledger, slice_of(source));
    const struct record record = {.raw = slice_make(bytes, len),
                                  .source = slice_of(source),
                                  .ordinal = ordinal,
                                  .format = RECORD_SYSLOG};
    if (s) s->claimant.ctx = s;
    return outbox_add(h->outbox, tenant, &record, row, s ? &s->claimant : NULL);
}

static void check_sums(struct house *h, const char *source, uint64_t stored, uint64_t pending,
                       uint64_t lost)
{
    const struct ledger_sums *sums = &ledger_row_of(&h->ledger, slice_of(source))->records;
    uint64_t all = 0;
    for (unsigned i = 0; i < LEDGER_LOSS_COUNT; i++) all += sums->lost[i];
    CHECK_INT(sums->stored, stored);
    CHECK_INT(sums->pending, pending);
    CHECK_INT(all, lost);
    CHECK_INT(sums->received, stored + pending + lost);
}

TEST(outbox_tells_each_sender_of_his_own)
{
    struct house h;
    struct sender a = sender_of(), b = sender_of();
    house_init(&h);
    for (uint64_t i = 1; i <= 5; i++) {
        CHECK_INT(add(&h, 1, "a", &a, i, 10), 0);
        CHECK_INT(add(&h, 1, "b", &b, 100 + i, 10), 0);
        CHECK_INT(add(&h, 1, "c", NULL, 0, 10), 0);
    }
    CHECK_INT(h.n, 0);
    turn(&h);
    CHECK_INT(h.n, 1);
    CHECK_INT(h.records, 15);
    CHECK_INT(add(&h, 1, "a", &a, 6, 10), 0);
    turn(&h);
    CHECK_INT(h.n, 2);
    check_sums(&h, "a", 0, 6, 0);
    CHECK_INT(a.acked, 0);
    CHECK_INT(outbox_batch_answered(h.outbox, h.tokens[1], true), ERR_NOT_FOUND);
    CHECK_INT(outbox_batch_answered(h.outbox, h.tokens[0], true), 0);
    CHECK_INT(a.acked, 5);
    CHECK_INT(a.last, 5);
    CHECK_INT(b.acked, 5);
    CHECK_INT(b.last, 105);
    check_sums(&h, "a", 5, 1, 0);
    check_sums(&h, "c", 5, 0, 0);
    CHECK_INT(outbox_batch_answered(h.outbox, h.tokens[1], false), 0);
    CHECK_INT(a.acked, 5);
    CHECK_INT(a.refused, 1);
    check_sums(&h, "a", 5, 0, 1);
    CHECK_INT(outbox_batch_answered(h.outbox, h.tokens[1], true), ERR_NOT_FOUND);
    CHECK_INT(outbox_unacked(h.outbox), 0);
    CHECK_INT(a.claimant.unacked, 0);
    house_done(&h);
}

TEST(outbox_keeps_tenants_apart)
{
    struct house h;
    house_init(&h);
    CHECK_INT(add(&h, 1, "a", NULL, 0, 10), 0);
    CHECK_INT(add(&h, 2, "a", NULL, 0, 10), 0);
    turn(&h);
    CHECK_INT(h.n, 2);
    for (int i = 0; i < 2; i++) CHECK_INT(outbox_batch_answered(h.outbox, h.tokens[i], true), 0);
    check_sums(&h, "a", 2, 0, 0);
    house_done(&h);
}

TEST(outbox_does_not_tell_who_has_left)
{
    struct house h;
    struct sender a = sender_of(), b = sender_of();
    house_init(&h);
    CHECK_INT(add(&h, 1, "a", &a, 1, 10), 0);
    CHECK_INT(add(&h, 1, "b", &b, 1, 10), 0);
    CHECK_INT(add(&h, 1, "a", &a, 2, 10), 0);
    CHECK_INT(add(&h, 1, "b", &b, 2, 10), 0);
    turn(&h);
    outbox_forget(h.outbox, &a.claimant);
    b.leaves = h.outbox;
    CHECK_INT(outbox_batch_answered(h.outbox, h.tokens[0], true), 0);
    CHECK_INT(a.acked, 0);
    CHECK_INT(b.acked, 1);
    check_sums(&h, "a", 2, 0, 0);
    check_sums(&h, "b", 2, 0, 0);
    house_done(&h);
}

struct stander {
    struct in_line in_line;
    struct house *house;
    struct ledger_row *row;
    char name;
    char *log;
};

static void on_resume(void *ctx)
{
    struct stander *s = ctx;
    size_t n = strlen(s->log);
    s->log[n] = s->name;
    s->log[n + 1] = 0;
    CHECK_INT(add(s->house, 1, "a", NULL, 0, RECORD_MAX), 0);
    if (n < 20) outbox_stand_in_line(s->house->outbox, &s->in_line, s->row);
}

/* Whoever waits gets one turn after the other, and nobody while the gate is closed. */
TEST(outbox_serves_the_line_in_turn)
{
    struct house h;
    char log[64] = "";
    struct stander all[3];
    house_init(&h);
    while (outbox_is_open(h.outbox)) CHECK_INT(add(&h, 1, "a", NULL, 0, RECORD_MAX), 0);
    for (int i = 0; i < 3; i++) {
        all[i] = (struct stander){.in_line = {.resume = on_resume, .ctx = &all[i]},
                                  .house = &h,
                                  .row = ledger_row_of(&h.ledger, SLICE("a")),
                                  .name = (char)('a' + i),
                                  .log = log};
        outbox_stand_in_line(h.outbox, &all[i].in_line, all[i].row);
    }
    turn(&h);
    CHECK_SLICE(slice_of(log), "");
    for (uint32_t next = 0; strlen(log) < 20; next++) {
        if (next == h.n) turn(&h);
        REQUIRE(next < h.n);
        CHECK_INT(outbox_batch_answered(h.outbox, h.tokens[next % 64], true), 0);
        turn(&h);
        CHECK(outbox_unacked(h.outbox) <= 2 * (size_t)BATCH_MAX + 2 * RECORD_MAX);
    }
    CHECK(slice_starts_with(slice_of(log), SLICE("abcabcabcabcabcabcab")));
    for (int i = 0; i < 3; i++) outbox_leave_line(h.outbox, &all[i].in_line);
    house_done(&h);
}

TEST(outbox_counts_what_nobody_took)
{
    struct house h;
    struct sender a = sender_of();
    house_init(&h);
    CHECK_INT(add(&h, 1, "a", &a, 1, 10), 0);
    turn(&h);
    h.answer = ERR_IO;
    CHECK_INT(add(&h, 1, "a", &a, 2, 10), 0);
    turn(&h);
    turn(&h);
    /* The one before it still waits, so that the sender hears in order. */
    CHECK_INT(a.refused, 0);
    CHECK_INT(outbox_batch_answered(h.outbox, h.tokens[0], true), 0);
    CHECK_INT(a.acked, 1);
    CHECK_INT(a.refused, 1);
    check_sums(&h, "a", 1, 0, 1);
    CHECK_INT(add(&h, 1, "a", &a, 3, 10), 0);
    turn(&h);
    turn(&h);
    CHECK_INT(a.refused, 2);
    check_sums(&h, "a", 1, 0, 2);
    CHECK_INT(outbox_unacked(h.outbox), 0);
    house_done(&h);
}

TEST(outbox_refuses_a_record_above_the_limits)
{
    struct house h;
    house_init(&h);
    struct ledger_row *row = ledger_row_of(&h.ledger, SLICE("a"));
    const struct record record = {.raw = SLICE("x"), .format = RECORD_FORMAT_COUNT};
    CHECK_INT(outbox_add(h.outbox, 1, &record, row, NULL), ERR_INVALID);
    check_sums(&h, "a", 0, 0, 1);
    turn(&h);
    CHECK_INT(h.n, 0);
    house_done(&h);
}

struct asker {
    struct waiting waiting;
    unsigned status, times;
};

static void on_answered(void *ctx, const struct collect_reply *reply)
{
    struct asker *a = ctx;
    a->status = reply->status;
    a->times++;
    CHECK_SLICE(reply->type, "text/plain");
    CHECK_SLICE(reply->header, "X: y");
    CHECK_SLICE(reply->body, "fine");
}

TEST(outbox_answers_containers_in_any_order)
{
    struct house h;
    struct asker a = {.waiting = {.answered = on_answered, .ctx = &a}}, b = a;
    b.waiting.ctx = &b;
    house_init(&h);
    struct ledger_row *row = ledger_row_of(&h.ledger, SLICE("a"));
    const struct container container = {.body = SLICE("{}")};
    CHECK_INT(outbox_put(h.outbox, &container, row, &a.waiting), 0);
    CHECK_INT(outbox_put(h.outbox, &container, row, &b.waiting), 0);
    CHECK_INT(outbox_put(h.outbox, &container, row, NULL), 0);
    CHECK_INT(row->requests.pending, 3);
    struct collect_reply reply = {200, SLICE("text/plain"), SLICE("X: y"), SLICE("fine"), 1000};
    CHECK_INT(outbox_container_answered(h.outbox, h.containers[1], &reply), 0);
    CHECK_INT(b.status, 200);
    /* Its sender has sent what was in it. */
    CHECK_INT(row->share.asked, 2 + 2 + 1000);
    CHECK_INT(a.times, 0);
    outbox_forget_waiting(h.outbox, &a.waiting);
    reply.status = 503;
    reply.bytes = 0;
    for (int i = 0; i < 3; i += 2)
        CHECK_INT(outbox_container_answered(h.outbox, h.containers[i], &reply), 0);
    CHECK_INT(a.times, 0);
    CHECK_INT(row->requests.stored, 1);
    CHECK_INT(row->requests.lost[LEDGER_STORE], 2);
    CHECK_INT(outbox_unacked(h.outbox), 0);
    CHECK_INT(outbox_container_answered(h.outbox, h.containers[0], &reply), ERR_NOT_FOUND);
    h.answer = ERR_IO;
    CHECK_INT(outbox_put(h.outbox, &container, row, &a.waiting), ERR_IO);
    CHECK_INT(row->requests.lost[LEDGER_STORE], 3);
    CHECK_INT(outbox_unacked(h.outbox), 0);
    house_done(&h);
}
