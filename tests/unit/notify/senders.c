/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Providers that are functions, under a clock that stands still until everybody waits. dial.c is
 * not linked: its functions are those below.
 */
#include "notify/senders.h"

#include <stdio.h>
#include <sys/stat.h>

#include "notify/internal.h"
#include "test.h"

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
static struct pending *find(const char *text)
{
    for (size_t i = 0; i < CALLS_MAX; i++)
        if (pending[i].call && strstr(pending[i].url, text)) return &pending[i];
    return NULL;
}

static void answer(const char *text, const struct dial_answer *a)
{
    struct pending *p = find(text);
    REQUIRE(p != NULL);
    struct dial_call *c = p->call;
    p->call = NULL;
    c->busy = false;
    c->done(c->ctx, a);
}

static void take_well(const char *text, const char *body)
{
    answer(text, &(struct dial_answer){.status = 200, .body = slice_of(body)});
}

/* ---- the house --------------------------------------------------------------------------- */

static void on_sent(void *ctx, unsigned asker, uint64_t attempt, enum notify_outcome outcome,
                    struct slice reference, struct slice detail)
{
    struct house *h = ctx;
    (void)detail;
    buf_printf(&h->log, "%u:%llu %s %.*s\n", asker, (unsigned long long)attempt,
               notify_outcome_name(outcome), SLICE_FMT(reference));
}

static void on_answered(void *ctx, enum notify_channel channel, struct slice provider,
                        struct slice reference, struct slice from, struct slice text)
{
    struct house *h = ctx;
    h->answers++;
    buf_printf(&h->log, "%s %.*s %.*s %.*s: %.*s\n", notify_channel_name(channel),
               SLICE_FMT(provider), SLICE_FMT(reference), SLICE_FMT(from), SLICE_FMT(text));
}

static void begin(struct house *h)
{
    static char lines[3][300];
    static const char *items[3] = {lines[0], lines[1], lines[2]};
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
    struct diag diag = {0};
    const struct senders_options options = {
        .loop = h->loop,
        .clock = clock,
        .providers = items,
        .n_providers = 3,
        .address = "https://vaka.example",
        .out = {.ctx = h, .sent = on_sent, .answered = on_answered}};
    int error = senders_new(&options, &h->senders, &diag);
    if (error) printf("# %s\n", diag.message);
    REQUIRE(error == 0);
}

static void end(struct house *h)
{
    senders_free(h->senders);
    loop_free(h->loop);
    buf_done(&h->log);
}

static struct notify_message sms(uint64_t attempt)
{
    return (struct notify_message){.attempt = attempt,
                                   .channel = NOTIFY_SMS,
                                   .expires = NOON / NSEC_PER_SEC + 600,
                                   .provider = SLICE("sms"),
                                   .address = SLICE("+46701234567"),
                                   .body = SLICE("text")};
}

static void ask_for(struct house *h, uint64_t attempt)
{
    const struct notify_message m = sms(attempt);
    senders_send(h->senders, 1, &m);
}

static void logs(struct house *h, const char *expected)
{
    CHECK_SLICE(buf_slice(&h->log), expected);
    buf_clear(&h->log);
}

static void on_late(void *ctx)
{
    struct house *h = ctx;
    loop_stop(h->loop, 0);
}

static void pass(struct house *h, nsec duration)
{
    struct loop_timer timer = {.due = on_late, .ctx = h};
    REQUIRE(loop_timer_set(h->loop, &timer, duration, 0) == 0);
    REQUIRE(loop_run(h->loop) == 0);
}

/* ---- tests ------------------------------------------------------------------------------- */

TEST(an_attempt_is_made_once_however_often_it_is_asked_for)
{
    struct house h;
    begin(&h);
    ask_for(&h, 7);
    ask_for(&h, 7);
    CHECK_INT(h.begun, 1);
    logs(&h, "");
    take_well("/a1/sms", "{\"id\":\"s1\"}");
    logs(&h, "1:7 accepted s1\n");
    ask_for(&h, 7);
    CHECK_INT(h.begun, 1);
    logs(&h, "1:7 accepted s1\n");
    /* Another who asks has numbers of his own, and another text is another attempt. */
    struct notify_message m = sms(7);
    senders_send(h.senders, 2, &m);
    CHECK_INT(h.begun, 2);
    m.body = SLICE("another");
    senders_send(h.senders, 1, &m);
    CHECK_INT(h.begun, 3);
    end(&h);
}

TEST(one_that_hangs_keeps_nobody_else_waiting)
{
    struct house h;
    begin(&h);
    for (uint64_t i = 1; i <= LINE_CALLS + LINE_WAITING; i++) ask_for(&h, i);
    CHECK_INT(h.begun, LINE_CALLS);
    logs(&h, "");
    ask_for(&h, 9999);
    logs(&h, "1:9999 retry \n");
    struct notify_message m = sms(5000);
    m.provider = SLICE("push");
    m.channel = NOTIFY_PUSH;
    m.address = SLICE("topic");
    senders_send(h.senders, 1, &m);
    CHECK_INT(h.begun, LINE_CALLS + 1);
    take_well("push.example", "{\"id\":\"p\"}");
    logs(&h, "1:5000 accepted p\n");
    CHECK_INT(senders_busy(h.senders), LINE_CALLS + LINE_WAITING);
    answer("/a1/sms", &(struct dial_answer){.why = "no answer in time"});
    logs(&h, "1:1 retry \n");
    CHECK_INT(h.begun, LINE_CALLS + 2);
    end(&h);
}

TEST(what_has_waited_too_long_is_not_sent)
{
    struct house h;
    begin(&h);
    for (uint64_t i = 1; i <= LINE_CALLS + 2; i++) ask_for(&h, i);
    h.time.realtime += 700 * NSEC_PER_SEC;
    answer("/a1/sms", &(struct dial_answer){.why = "x", .sent = true});
    logs(&h, "1:1 unknown \n1:5 refused \n1:6 refused \n");
    CHECK_INT(h.begun, LINE_CALLS);
    end(&h);
}

TEST(what_cannot_be_sent_is_refused_at_once)
{
    struct house h;
    begin(&h);
    struct notify_message m = sms(1);
    m.provider = SLICE("nobody");
    senders_send(h.senders, 1, &m);
    m = sms(2);
    m.channel = NOTIFY_MAIL;
    senders_send(h.senders, 1, &m);
    m = sms(3);
    m.address = SLICE("0701234567");
    senders_send(h.senders, 1, &m);
    m = sms(4);
    m.channel = 99;
    senders_send(h.senders, 1, &m);
    logs(&h, "1:1 refused \n1:2 refused \n1:3 refused \n1:4 refused \n");
    CHECK_INT(h.begun, 0);
    end(&h);
}

TEST(delivery_and_replies_are_found_by_asking)
{
    struct house h;
    begin(&h);
    ask_for(&h, 7);
    take_well("/a1/sms", "{\"id\":\"s1\"}");
    logs(&h, "1:7 accepted s1\n");
    pass(&h, 3 * NSEC_PER_SEC);
    REQUIRE(find("/a1/sms?limit=100") && !find("/a1/sms?limit=100")->post);
    take_well("/a1/sms?limit=100", "{\"data\":[{\"id\":\"r1\",\"direction\":\"incoming\",\"from\":"
                                   "\"+4670\",\"message\":\"E K\\u0037\"},"
                                   "{\"id\":\"s1\",\"status\":\"delivered\"}]}");
    logs(&h, "sms sms r1 +4670: E K7\n1:7 delivered s1\n");
    /* The same again tells nothing, and answers are waited for until it expires. */
    pass(&h, 4 * NSEC_PER_SEC);
    take_well("/a1/sms?limit=100", "{\"data\":[{\"id\":\"r1\",\"direction\":\"incoming\",\"from\":"
                                   "\"+4670\",\"message\":\"E K7\"},"
                                   "{\"id\":\"s1\",\"status\":\"delivered\"}]}");
    logs(&h, "");
    /* Who was not there hears it again. */
    senders_repeat(h.senders);
    logs(&h, "sms sms r1 +4670: E K7\n");
    h.time.realtime += 700 * NSEC_PER_SEC;
    pass(&h, 30 * 60 * NSEC_PER_SEC);
    CHECK(!find("limit=100"));
    end(&h);
}

TEST(further_pages_are_asked_for_what_is_followed)
{
    struct house h;
    begin(&h);
    senders_follow(h.senders, 1, 7, NOTIFY_SMS, SLICE("sms"), SLICE("s1"),
                   NOON / NSEC_PER_SEC + 600);
    pass(&h, 3 * NSEC_PER_SEC);
    take_well("limit=100",
              "{\"data\":[{\"id\":\"s9\",\"status\":\"sent\"}],\"next\":\"2026-11-26T12\"}");
    REQUIRE(find("start=2026-11-26T12"));
    take_well("start=",
              "{\"data\":[{\"id\":\"s1\",\"status\":\"failed\"}],\"next\":\"2026-11-25\"}");
    CHECK(!find("start="));
    logs(&h, "1:7 refused s1\n");
    end(&h);
}

static unsigned tell(struct house *h, const char *secret, const char *body)
{
    struct buf out;
    buf_init(&out, 1024);
    unsigned status =
        senders_told(h->senders, SLICE("sms"), slice_of(secret), slice_of(body), &out);
    buf_done(&out);
    return status;
}

TEST(callbacks_prove_themselves_and_tell_once)
{
    struct house h;
    begin(&h);
    ask_for(&h, 7);
    REQUIRE(strstr(find("/a1/sms")->body, "whendelivered=https%3A%2F%2Fvaka.example%2Fapi%2Fv1%2F"
                                          "callbacks%2Fsms%2Fc4llback-0123456789"));
    take_well("/a1/sms", "{\"id\":\"s1\"}");
    logs(&h, "1:7 accepted s1\n");
    CHECK_INT(tell(&h, "c4llbacj-0123456789", "id=s1&status=delivered"), 404);
    CHECK_INT(tell(&h, "", "id=s1&status=delivered"), 404);
    CHECK_INT(tell(&h, "c4llback-0123456789", "id=s1&status=sent"), 204);
    logs(&h, "");
    CHECK_INT(tell(&h, "c4llback-0123456789", "id=s1&status=delivered"), 204);
    CHECK_INT(tell(&h, "c4llback-0123456789", "id=s1&status=delivered"), 204);
    logs(&h, "1:7 delivered s1\n");
    for (int i = 0; i < 2; i++)
        CHECK_INT(tell(&h, "c4llback-0123456789",
                       "direction=incoming&id=r1&from=%2B46&message=K7+%C3%A5"),
                  204);
    logs(&h, "sms sms r1 +46: K7 å\n");
    CHECK_INT(tell(&h, "c4llback-0123456789", "callid=c1&result=1"), 200);
    CHECK_INT(tell(&h, "c4llback-0123456789", "callid=c1&result=failed&why=noinput"), 200);
    logs(&h, "voice sms c1 : 1\n");
    CHECK_INT(tell(&h, "c4llback-0123456789", "nothing"), 400);
    end(&h);
}

TEST(a_key_that_comes_before_its_call_waits_for_it)
{
    struct house h;
    begin(&h);
    struct notify_message m = sms(7);
    m.channel = NOTIFY_VOICE;
    senders_send(h.senders, 1, &m);
    CHECK_INT(tell(&h, "c4llback-0123456789", "callid=c1&result=1"), 200);
    CHECK_INT(tell(&h, "c4llback-0123456789", "callid=c2&result=2"), 200);
    logs(&h, "");
    take_well("/a1/calls", "{\"id\":\"c1\"}");
    /* The other is of a call that an earlier process made. */
    logs(&h, "1:7 accepted c1\nvoice sms c1 : 1\nvoice sms c2 : 2\n");
    end(&h);
}

TEST(a_provider_says_how_it_is)
{
    struct house h;
    struct buf out;
    begin(&h);
    buf_init(&out, 16 * 1024);
    senders_write(h.senders, &out);
    CHECK(strstr(out.ptr, "\"name\":\"lost\"") && strstr(out.ptr, "\"state\":\"unknown host\""));
    CHECK(strstr(out.ptr, "\"channels\":[\"sms\",\"voice\"]"));
    CHECK(!senders_are_lost(h.senders));
    pass(&h, 200 * NSEC_PER_SEC);
    CHECK(senders_are_lost(h.senders));
    ask_for(&h, 1);
    answer("/a1/sms", &(struct dial_answer){.status = 503, .body = SLICE("later")});
    buf_clear(&out);
    senders_write(h.senders, &out);
    buf_putc(&out, '\0');
    CHECK(strstr(out.ptr, "\"state\":\"failing\"") &&
          strstr(out.ptr, "\"failure\":\"503: later\""));
    buf_done(&out);
    end(&h);
}
