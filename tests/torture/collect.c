/* SPDX-License-Identifier: EUPL-1.2 */
/* From the bytes of a stream to batches and acks, while memory runs out. */
#include "collect/export.h"
#include "collect/framing.h"
#include "collect/lumberjack.h"
#include "collect/outbox.h"
#include "collect/relp.h"
#include "collect/token.h"
#include "torture.h"

struct stream {
    const struct protocol_ops *ops;
    struct slice bytes;
};

/* One connection and the house behind it. */
struct house {
    struct loop *loop;
    struct outbox *outbox;
    struct ledger ledger;
    union {
        struct framing framing;
        struct relp relp;
        struct lumberjack lumberjack;
        struct export export;
    } protocol;
    const struct protocol_ops *ops;
    struct claimant claimant;
    struct buf *out;
    uint64_t token;
    int error;
};

static int on_batch(void *ctx, uint64_t token, struct slice bytes)
{
    struct house *h = ctx;
    struct batch batch;
    struct batch_iter it;
    struct record r;
    h->token = token;
    if (batch_open(bytes, &batch) != 0) return ERR_CORRUPT;
    batch_iter_init(&it, &batch);
    while (batch_iter_next(&it, &r)) {
        buf_put(h->out, r.raw);
        buf_putc(h->out, '\n');
    }
    return 0;
}

static void on_acked(void *ctx, uint64_t n, uint64_t last)
{
    struct house *h = ctx;
    (void)last;
    if (h->ops->acked) h->ops->acked(&h->protocol, n, h->out);
}

static void on_refused(void *ctx)
{
    struct house *h = ctx;
    h->error = ERR_STOPPED;
}

static void stop(void *ctx)
{
    loop_stop(ctx, 0);
}

static int turn(struct house *h)
{
    struct loop_deferred d = {.call = stop, .ctx = h->loop};
    loop_defer(h->loop, &d);
    int error = loop_run(h->loop);
    uint64_t token = h->token;
    h->token = 0;
    if (!error && token) error = outbox_batch_answered(h->outbox, token, true);
    return error ? error : h->error;
}

static int take_all(struct house *h, struct slice in)
{
    struct piece piece;
    size_t used;
    int r;
    struct ledger_row *row = ledger_row_of(&h->ledger, SLICE("torture\t\t\t"));
    while ((r = h->ops->next(&h->protocol, in, h->out, &used, &piece)) == 1) {
        const struct record record = {.raw = piece.raw, .source = SLICE("torture\t\t\t")};
        r = outbox_add(h->outbox, 1, &record, row, &h->claimant);
        if (r < 0) break;
        in = slice_from(in, used);
    }
    if (r < 0) return r;
    /* What nobody took is told a round later. */
    r = turn(h);
    return r ? r : turn(h);
}

static int run_stream(void *ctx, struct buf *out)
{
    const struct stream *stream = ctx;
    static const struct protocol_limits limits = {4096, 1000};
    struct house h = {.ops = stream->ops, .out = out};
    struct clock_settable time = {NSEC_PER_SEC, NSEC_PER_SEC};
    const struct loop_options lo = {clock_of(&time), 4, 4};
    h.loop = loop_new(&lo);
    if (!h.loop) return ERR_NOMEM;
    const struct collect_options options = {.loop = h.loop,
                                            .clock = lo.clock,
                                            .out = {.ctx = &h, .batch = on_batch},
                                            .unacked_max = 2 * (size_t)BATCH_MAX};
    h.claimant = (struct claimant){.acked = on_acked, .refused = on_refused, .ctx = &h};
    int error = ledger_init(&h.ledger, 8, 1);
    if (!error) error = outbox_new(&options, &h.outbox);
    if (!error) {
        h.ops->init(&h.protocol, &limits);
        error = take_all(&h, stream->bytes);
        h.ops->done(&h.protocol);
        outbox_forget(h.outbox, &h.claimant);
    }
    outbox_free(h.outbox);
    ledger_done(&h.ledger);
    loop_free(h.loop);
    return error;
}

static void torture_stream(const struct protocol_ops *ops, struct slice bytes)
{
    struct stream stream = {ops, bytes};
    torture_run(&(struct torture){.run = run_stream, .ctx = &stream});
}

TEST(framing)
{
    torture_stream(&framing_protocol, SLICE("<34>one\n7 <34>two<34>three\n"));
}

TEST(relp)
{
    static char session[16 * 1024];
    size_t n = (size_t)snprintf(session, sizeof session, "1 open 0\n");
    for (int i = 2; i < 300; i++)
        n += (size_t)snprintf(session + n, sizeof session - n, "%d syslog 5 <34>x\n", i);
    torture_stream(&relp_protocol, slice_make(session, n));
}

TEST(lumberjack)
{
    static const char packed[] =
        "2W\0\0\0\2"
        "2J\0\0\0\1\0\0\0\2{}"
        "2C\0\0\0\x11"
        "\x78\xda\x33\xf2\x62\x60\x60\x60\x02\xe1\xea\x5a\x00\x07\x19\x01\x79";
    torture_stream(&lumberjack_protocol, slice_make(packed, sizeof packed - 1));
}

TEST(export)
{
    torture_stream(&export_protocol, SLICE("A=1\nB=2\n\nA=3\n\n"));
}

static int add_tokens(void *ctx, struct buf *out)
{
    struct tokens *t = tokens_new();
    char secret[32];
    int error = t ? 0 : ERR_NOMEM;
    (void)ctx;
    for (uint32_t i = 0; i < 40 && !error; i++) {
        const struct token token = {SLICE("somebody"), i, TOKEN_OTLP};
        (void)snprintf(secret, sizeof secret, "a-long-secret-%u", i + 100);
        error = tokens_add(t, slice_of(secret), &token);
        const struct token *found = error ? NULL : tokens_find(t, slice_of(secret));
        if (found) buf_printf(out, "%u", found->tenant);
    }
    tokens_free(t);
    return error;
}

TEST(tokens)
{
    torture_run(&(struct torture){.run = add_tokens});
}
