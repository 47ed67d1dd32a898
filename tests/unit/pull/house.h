/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A source against a cloud that is a function, under a clock that stands still until everybody
 * waits: hours pass in a moment. dial.c is not linked: its functions are those below.
 */
#ifndef VAKA_TESTS_PULL_HOUSE_H
#define VAKA_TESTS_PULL_HOUSE_H

#include "pull/puller.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "test.h"

/* What is the test's own, and does not fail: tests/torture. */
#ifndef HOUSE_SPARE
#define HOUSE_SPARE()
#define HOUSE_GO_ON()
#endif

#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
/* 2026-11-26T12:00:00Z */
#define NOON (INT64_C(1795694400) * NSEC_PER_SEC)

enum { TEXT_MAX = 4 * 1024 * 1024 };

struct house {
    struct clock_settable time;
    struct loop *loop;
    struct pull_source source;
    struct puller puller;
    struct loop_deferred answering;
    struct loop_timer ending;  /* never due: something to wait for */
    struct buf url, body, log; /* log: "GET path?query" a line, with the time before it */
    struct dial_answer answer;
    /* What is asked for → this->answer; the body is in `body`. */
    void (*cloud)(struct house *h, struct slice url);
    unsigned requests, tokens, pages, others;
    nsec end; /* monotonic */
    bool storing, refuses;
    unsigned batches, records, moved;
    struct buf alarms; /* events, a blank behind each */
    char kept[64][64];
};

static struct house *house; /* the only one: dial.c's functions know no other */

/* ---- what stands for dial.c --------------------------------------------------------------- */

int dial_call_init(struct dial_call *c, struct dial *w, size_t body_max)
{
    (void)w;
    *c = (struct dial_call){.busy = false};
    buf_init(&c->body, body_max);
    buf_init(&c->next, DIAL_NEXT_MAX);
    return 0;
}

void dial_call_done(struct dial_call *c)
{
    buf_done(&c->body);
    buf_done(&c->next);
}

void dial_call_cancel(struct dial_call *c)
{
    c->busy = false;
    loop_defer_cancel(house->loop, &house->answering);
}

void dial_call_release(struct dial_call *c)
{
    CHECK(!c->busy);
}

int dial_call_begin(struct dial_call *c, const struct dial_request *request)
{
    CHECK(!c->busy);
    c->busy = true;
    HOUSE_SPARE();
    buf_clear(&house->url);
    buf_puts(&house->url, request->url);
    HOUSE_GO_ON();
    house->requests++;
    loop_defer(house->loop, &house->answering);
    return 0;
}

static inline void answer_now(void *ctx)
{
    struct house *h = ctx;
    struct dial_call *c = &h->puller.call;
    struct slice url = buf_slice(&h->url);
    HOUSE_SPARE();
    buf_clear(&h->body);
    h->answer = (struct dial_answer){.status = 200};
    if (slice_find(url, SLICE("/oauth2/")) != SIZE_MAX) {
        h->tokens++;
        buf_puts(&h->body, "{\"access_token\":\"t\",\"expires_in\":3600}");
    } else {
        buf_printf(&h->log, "%lld %.*s\n", (long long)((h->time.realtime - NOON) / NSEC_PER_SEC),
                   SLICE_FMT(url));
    }
    h->cloud(h, url);
    buf_clear(&c->body);
    buf_put(&c->body, buf_slice(&h->body));
    h->answer.body = buf_slice(&c->body);
    c->busy = false;
    HOUSE_GO_ON();
    c->done(c->ctx, &h->answer);
}

/* ---- the house --------------------------------------------------------------------------- */

static inline int on_batch(void *ctx, struct puller *p, struct slice bytes)
{
    struct house *h = ctx;
    struct batch batch;
    struct batch_iter it;
    struct record record;
    (void)p;
    if (h->refuses) return ERR_LIMIT;
    REQUIRE(batch_open(bytes, &batch) == 0);
    batch_iter_init(&it, &batch);
    while (batch_iter_next(&it, &record)) {
        char *kept = h->kept[h->records++ % 64];
        (void)snprintf(kept, 64, "%.*s#%llu", SLICE_FMT(slice_until(record.delivery, 40)),
                       (unsigned long long)record.ordinal);
    }
    h->batches++;
    h->storing = true;
    return 0;
}

static inline void on_moved(void *ctx, struct puller *p, unsigned feed)
{
    struct house *h = ctx;
    (void)p;
    (void)feed;
    h->moved++;
}

static inline void on_alarm(void *ctx, struct puller *p, const char *event, struct slice text)
{
    struct house *h = ctx;
    (void)p;
    CHECK(text.len > 0);
    HOUSE_SPARE();
    buf_printf(&h->alarms, "%s ", event);
    HOUSE_GO_ON();
}

/* The clock goes on when nothing is left to do: what is out is answered first. */
static inline void skip(void *ctx, nsec until)
{
    struct house *h = ctx;
    if (h->storing) {
        h->storing = false;
        puller_stored(&h->puller, true);
    } else if (until > h->end) {
        loop_stop(h->loop, 0);
    } else if (until > h->time.monotonic) {
        clock_pass(&h->time, until - h->time.monotonic);
    }
}

static inline nsec realtime(void *ctx)
{
    return ((struct house *)ctx)->time.realtime;
}

static inline nsec monotonic(void *ctx)
{
    return ((struct house *)ctx)->time.monotonic;
}

static inline int house_init(struct house *h, const char *source,
                             void (*cloud)(struct house *h, struct slice url))
{
    *h = (struct house){.time = {.realtime = NOON, .monotonic = HOUR}, .cloud = cloud};
    const struct clock clock = {realtime, monotonic, skip, h};
    house = h;
    h->loop = loop_new(&(struct loop_options){clock, 8, 8});
    h->answering = (struct loop_deferred){.call = answer_now, .ctx = h};
    int error = h->loop ? pull_source_read(slice_of(source), &h->source, NULL) : ERR_NOMEM;
    buf_init(&h->url, 16 * 1024);
    buf_init(&h->body, TEXT_MAX);
    buf_init(&h->log, TEXT_MAX);
    buf_init(&h->alarms, TEXT_MAX);
    const struct puller_options options = {
        .loop = h->loop,
        .clock = clock,
        .source = &h->source,
        .secret = SLICE("secret"),
        .out = {.ctx = h, .batch = on_batch, .moved = on_moved, .alarm = on_alarm},
        .seed = 7,
    };
    return error ? error : puller_init(&h->puller, &options);
}

static inline void house_done(struct house *h)
{
    if (h->puller.options.loop) puller_done(&h->puller);
    loop_free(h->loop);
    buf_done(&h->url);
    buf_done(&h->body);
    buf_done(&h->log);
    buf_done(&h->alarms);
    house = NULL;
}

static inline void never(void *ctx)
{
    (void)ctx;
    test_fail(__FILE__, __LINE__, "the clock stops before");
}

static inline void run(struct house *h, nsec time)
{
    h->end = h->time.monotonic + time;
    h->ending = (struct loop_timer){.due = never};
    REQUIRE(loop_timer_set(h->loop, &h->ending, time + 1, 0) == 0);
    puller_start(&h->puller);
    CHECK_INT(loop_run(h->loop), 0);
    loop_timer_stop(h->loop, &h->ending);
    /* To its end, whether anybody has something to do then or not. */
    if (h->time.monotonic < h->end) clock_pass(&h->time, h->end - h->time.monotonic);
}

#endif
