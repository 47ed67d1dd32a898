/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Providers of messages that are functions, under a clock that stands still until everybody waits.
 * dial.c is not linked: its functions are those below.
 */
#ifndef VAKA_TESTS_NOTIFY_HOUSE_H
#define VAKA_TESTS_NOTIFY_HOUSE_H

#include "notify/senders.h"

#include <stdio.h>
#include <sys/stat.h>

#include "notify/internal.h"
#include "test.h"

/* What is the test's own, and does not fail: tests/torture. */
#ifndef HOUSE_SPARE
#define HOUSE_SPARE()
#define HOUSE_GO_ON()
#endif

enum { CALLS_MAX = 128, LOG_MAX = 16 * 1024 };
#define NOON (INT64_C(1795694400) * NSEC_PER_SEC)

struct pending {
    struct dial_call *call; /* NULL: free */
    char url[256];
    char body[1024];
    bool post;
};

struct house {
    struct clock_settable time;
    struct loop *loop;
    struct senders *senders;
    struct buf log; /* what was told, a line each */
    unsigned begun, answers;
};
static struct house *house;
static struct pending pending[CALLS_MAX]; /* of the only one */

/* ---- what stands for dial.c -------------------------------------------------------------- */

int dial_new(const struct dial_options *options, struct dial **ret)
{
    (void)options;
    *ret = NULL;
    return 0;
}

void dial_free(struct dial *h)
{
    (void)h;
}

int dial_look_up(struct dial *h, const char *host, uint16_t port)
{
    (void)h;
    (void)port;
    return strcmp(host, "unknown.example") == 0 ? ERR_NOT_FOUND : 0;
}

int dial_move(struct dial *h, const char *host, uint16_t port, struct slice addresses)
{
    (void)h, (void)host, (void)port, (void)addresses;
    return 0;
}

int dial_pin(struct dial *h, const char *host, uint16_t port, const char *address)
{
    (void)h;
    (void)host;
    (void)port;
    (void)address;
    return 0;
}

int dial_call_init(struct dial_call *c, struct dial *h, size_t body_max)
{
    (void)body_max;
    *c = (struct dial_call){.dial = h};
    return 0;
}

void dial_call_cancel(struct dial_call *c)
{
    for (size_t i = 0; i < CALLS_MAX; i++)
        if (pending[i].call == c) pending[i].call = NULL;
    c->busy = false;
}

void dial_call_done(struct dial_call *c)
{
    dial_call_cancel(c);
}

void dial_call_release(struct dial_call *c)
{
    CHECK(!c->busy);
}

int dial_call_begin(struct dial_call *c, const struct dial_request *request)
{
    struct pending *p = pending;
    CHECK(!c->busy);
    while (p->call) p++;
    *p = (struct pending){.call = c, .post = request->post || request->mail};
    (void)snprintf(p->url, sizeof p->url, "%s", request->url);
    (void)snprintf(p->body, sizeof p->body, "%.*s", SLICE_FMT(request->body));
    c->busy = true;
    house->begun++;
    return 0;
}

/* The oldest that waits and whose address has the text in it. */
static inline struct pending *find(const char *text)
{
    for (size_t i = 0; i < CALLS_MAX; i++)
        if (pending[i].call && strstr(pending[i].url, text)) return &pending[i];
    return NULL;
}

static inline void answer(const char *text, const struct dial_answer *a)
{
    struct pending *p = find(text);
    REQUIRE(p != NULL);
    struct dial_call *c = p->call;
    p->call = NULL;
    c->busy = false;
    c->done(c->ctx, a);
}

static inline void take_well(const char *text, const char *body)
{
    answer(text, &(struct dial_answer){.status = 200, .body = slice_of(body)});
}

/* ---- the house --------------------------------------------------------------------------- */

static inline void on_sent(void *ctx, unsigned asker, uint64_t attempt, enum notify_outcome outcome,
                           struct slice reference, struct slice detail)
{
    struct house *h = ctx;
    (void)detail;
    HOUSE_SPARE();
    buf_printf(&h->log, "%u:%llu %s %.*s\n", asker, (unsigned long long)attempt,
               notify_outcome_name(outcome), SLICE_FMT(reference));
    HOUSE_GO_ON();
}

static inline void on_answered(void *ctx, enum notify_channel channel, struct slice provider,
                               struct slice reference, struct slice from, struct slice text)
{
    struct house *h = ctx;
    h->answers++;
    HOUSE_SPARE();
    buf_printf(&h->log, "%s %.*s %.*s %.*s: %.*s\n", notify_channel_name(channel),
               SLICE_FMT(provider), SLICE_FMT(reference), SLICE_FMT(from), SLICE_FMT(text));
    HOUSE_GO_ON();
}

/* An error of senders_new(); end() in every case. */
static inline int open_house(struct house *h)
{
    static char lines[3][300];
    static const char *items[3] = {lines[0], lines[1], lines[2]};
    HOUSE_SPARE();
    *h = (struct house){.time = {.realtime = NOON, .monotonic = 1}};
    house = h;
    memset(pending, 0, sizeof pending);
    buf_init(&h->log, LOG_MAX);
    test_write("secret", "s3cret\n");
    test_write("callback", "c4llback-0123456789\n");
    CHECK(chmod(test_path("secret"), 0600) == 0 && chmod(test_path("callback"), 0600) == 0);
    (void)snprintf(lines[0], sizeof lines[0],
                   "46elks name=sms user=u from=Vaka voice=+46700000000 secret=%s callback=%s",
                   test_path("secret"), test_path("callback"));
    (void)snprintf(lines[1], sizeof lines[1], "ntfy name=push url=https://push.example");
    (void)snprintf(lines[2], sizeof lines[2], "ntfy name=lost url=https://unknown.example");
    struct clock clock = clock_of(&h->time);
    h->loop = loop_new(&(struct loop_options){.clock = clock, .max_watches = 8, .max_timers = 8});
    REQUIRE(h->loop);
    HOUSE_GO_ON();
    struct diag diag = {0};
    const struct senders_options options = {
        .loop = h->loop,
        .clock = clock,
        .providers = items,
        .n_providers = 3,
        .address = "https://vaka.example",
        .out = {.ctx = h, .sent = on_sent, .answered = on_answered}};
    return senders_new(&options, &h->senders, &diag);
}

static inline void begin(struct house *h)
{
    REQUIRE(open_house(h) == 0);
}

static inline void end(struct house *h)
{
    senders_free(h->senders);
    loop_free(h->loop);
    buf_done(&h->log);
}

static inline struct notify_message sms(uint64_t attempt)
{
    return (struct notify_message){.attempt = attempt,
                                   .channel = NOTIFY_SMS,
                                   .expires = NOON / NSEC_PER_SEC + 600,
                                   .provider = SLICE("sms"),
                                   .address = SLICE("+46701234567"),
                                   .body = SLICE("text")};
}

static inline void ask_for(struct house *h, uint64_t attempt)
{
    const struct notify_message m = sms(attempt);
    senders_send(h->senders, 1, &m);
}

static inline void logs(struct house *h, const char *expected)
{
    CHECK_SLICE(buf_slice(&h->log), expected);
    buf_clear(&h->log);
}

static inline void on_late(void *ctx)
{
    struct house *h = ctx;
    loop_stop(h->loop, 0);
}

static inline void pass(struct house *h, nsec duration)
{
    struct loop_timer timer = {.due = on_late, .ctx = h};
    REQUIRE(loop_timer_set(h->loop, &timer, duration, 0) == 0);
    REQUIRE(loop_run(h->loop) == 0);
}

#endif
