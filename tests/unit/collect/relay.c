/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/relay.h"

#include "collect/collect.h"
#include "test.h"

enum { TOLD_MAX = 128 };

/* A house that keeps what it gets and answers when the test says so. */
struct house {
    struct loop *loop;
    struct clock_settable time;
    struct collect *collect;
    uint64_t tokens[TOLD_MAX], told[TOLD_MAX];
    bool stored[TOLD_MAX];
    uint32_t n_tokens, n_told, records;
};

static int on_batch(void *ctx, uint64_t token, struct slice bytes)
{
    struct house *h = ctx;
    struct batch batch;
    CHECK_INT(batch_open(bytes, &batch), 0);
    h->records += batch.n;
    h->tokens[h->n_tokens++ % TOLD_MAX] = token;
    return 0;
}

static void on_relayed(void *ctx, uint64_t id, bool stored)
{
    struct house *h = ctx;
    h->stored[h->n_told % TOLD_MAX] = stored;
    h->told[h->n_told++ % TOLD_MAX] = id;
}

static void house_init(struct house *h)
{
    *h = (struct house){.time = {.realtime = NSEC_PER_SEC, .monotonic = NSEC_PER_SEC}};
    const struct clock clock = clock_of(&h->time);
    h->loop = loop_new(&(struct loop_options){clock, 8, 8});
    REQUIRE(h->loop != NULL);
    REQUIRE(
        collect_new(
            &(struct collect_options){.loop = h->loop,
                                      .clock = clock,
                                      .out = {.ctx = h, .batch = on_batch, .relayed = on_relayed},
                                      .unacked_max = 2 * (size_t)BATCH_MAX,
                                      .sources_max = 16,
                                      .bodies_max = 1},
            &h->collect) == 0);
}

static void house_done(struct house *h)
{
    collect_free(h->collect);
    loop_free(h->loop);
}

static void stop(void *ctx)
{
    loop_stop(ctx, 0);
}

/* Some rounds of the loop. */
static void turn(struct house *h)
{
    for (int i = 0; i < 200; i++) {
        struct loop_deferred d = {.call = stop, .ctx = h->loop};
        loop_defer(h->loop, &d);
        CHECK_INT(loop_run(h->loop), 0);
    }
}

static const char *by; /* the input that is said, unless it is the source's */

static int relay(struct house *h, uint64_t id, const char *source, uint32_t n, size_t len)
{
    static char bytes[RECORD_MAX];
    struct batch_writer w;
    struct buf out;
    batch_writer_init(&w, 0, BATCH_MAX);
    buf_init(&out, BATCH_MAX);
    for (uint32_t i = 0; i < n; i++) {
        const struct record record = {.raw = slice_make(bytes, len),
                                      .source = slice_of(source),
                                      .delivery = SLICE("d"),
                                      .ordinal = i,
                                      .format = RECORD_JSON};
        REQUIRE(batch_writer_add(&w, &record) == 0);
    }
    batch_writer_finish(&w, &out);
    int error = collect_relay(h->collect, id, 0, slice_of(by ? by : source), buf_slice(&out));
    batch_writer_done(&w);
    buf_done(&out);
    return error;
}

static const struct ledger_sums *sums_of(const struct house *h, const char *source)
{
    const struct ledger *l = collect_ledger(h->collect);
    for (uint32_t i = 0; i < l->n; i++)
        if (slice_eq(l->rows[i].source, slice_of(source))) return &l->rows[i].records;
    REQUIRE(false); /* the source has a row */
    return NULL;
}

TEST(a_batch_is_answered_when_all_of_it_is_stored)
{
    struct house h;
    house_init(&h);
    CHECK_INT(relay(&h, 7, "a", 3, 10), 0);
    CHECK_INT(h.n_tokens, 0);
    turn(&h);
    CHECK_INT(h.records, 3);
    CHECK_INT(sums_of(&h, "a")->pending, 3);
    CHECK_INT(h.n_told, 0);
    CHECK_INT(collect_acked(h.collect, h.tokens[0]), 0);
    CHECK_INT(h.n_told, 1);
    CHECK_INT(h.told[0], 7);
    CHECK(h.stored[0]);
    CHECK_INT(sums_of(&h, "a")->stored, 3);
    CHECK_INT(sums_of(&h, "a")->received, 3);
    house_done(&h);
}

TEST(a_batch_that_is_refused_in_part_is_told_once)
{
    struct house h;
    house_init(&h);
    /* More than goes in one turn: more than one batch of the store's. */
    CHECK_INT(relay(&h, 1, "a", 3, RECORD_MAX), 0);
    CHECK_INT(relay(&h, 2, "b", 1, RECORD_MAX), 0);
    turn(&h);
    REQUIRE(h.n_tokens >= 2);
    CHECK_INT(collect_refused(h.collect, h.tokens[0]), 0);
    for (uint32_t i = 1; i < h.n_tokens; i++) CHECK_INT(collect_acked(h.collect, h.tokens[i]), 0);
    turn(&h);
    uint32_t of[3] = {0};
    for (uint32_t i = 0; i < h.n_told; i++) of[h.told[i]]++;
    CHECK_INT(of[1], 1);
    CHECK_INT(of[2], 1);
    CHECK_INT(sums_of(&h, "a")->received,
              sums_of(&h, "a")->stored + sums_of(&h, "a")->lost[LEDGER_STORE]);
    CHECK(sums_of(&h, "a")->lost[LEDGER_STORE] > 0);
    house_done(&h);
}

/* Above unacked_max nothing is read any more: a batch waits, and is not lost. */
TEST(what_does_not_fit_waits)
{
    struct house h;
    house_init(&h);
    for (uint64_t id = 0; id < 16; id++) CHECK_INT(relay(&h, id, "a", 1, RECORD_MAX), 0);
    turn(&h);
    uint32_t before = h.records;
    CHECK(before < 16);
    for (uint32_t i = 0; i < h.n_tokens; i++) {
        CHECK_INT(collect_acked(h.collect, h.tokens[i]), 0);
        turn(&h);
    }
    CHECK_INT(h.records, 16);
    CHECK_INT(h.n_told, 16);
    CHECK_INT(sums_of(&h, "a")->stored, 16);
    house_done(&h);
}

TEST(who_is_gone_is_not_answered)
{
    struct house h;
    house_init(&h);
    CHECK_INT(relay(&h, 1, "a", 1, 10), 0);
    turn(&h);
    CHECK_INT(relay(&h, 2, "b", 1, 10), 0);
    collect_relay_forget(h.collect);
    turn(&h);
    CHECK_INT(h.n_tokens, 1);
    CHECK_INT(collect_acked(h.collect, h.tokens[0]), 0);
    CHECK_INT(h.n_told, 0);
    CHECK_INT(sums_of(&h, "a")->stored, 1);
    house_done(&h);
}

TEST(what_is_no_batch_is_refused)
{
    struct house h;
    house_init(&h);
    CHECK(collect_relay(h.collect, 1, 0, SLICE("a"), SLICE("no batch")) < 0);
    by = "b";
    CHECK_INT(relay(&h, 1, "a", 1, 1), ERR_CORRUPT);
    by = NULL;
    for (uint64_t id = 0; id < RELAY_BATCHES_MAX; id++) CHECK_INT(relay(&h, id, "a", 1, 1), 0);
    CHECK_INT(relay(&h, 99, "a", 1, 1), ERR_LIMIT);
    house_done(&h);
}
