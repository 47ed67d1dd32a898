/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * 46elks is asked what became of messages and calls and what was answered, while some are followed:
 * its lists, the newest first ("SMS history", "Call history"), so that one request tells of all.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/form.h"
#include "base/hash.h"
#include "base/json_read.h"
#include "dial/dial.h"
#include "notify/internal.h"

enum { PAGE = 100, PAGES_MAX = 5, POLL_URL_MAX = 2048, REPLY_MAX = 8 * 1024 };
#define SOON (2 * NSEC_PER_SEC) /* behind the first that is followed */

struct poll {
    struct line *line;
    struct dial_call call;
    struct loop_timer timer;
    struct buf url, next;
    enum notify_channel channel; /* that is asked about; NOTIFY_NO_CHANNEL: nothing is */
    unsigned pages;
    size_t left; /* followed ones of the channel that were in no page yet */
};

/* Messages arrive in seconds, answers in minutes. */
static nsec interval(nsec youngest)
{
    if (youngest < 60 * NSEC_PER_SEC) return 3 * NSEC_PER_SEC;
    return youngest < 600 * NSEC_PER_SEC ? 10 * NSEC_PER_SEC : 60 * NSEC_PER_SEC;
}

/* Lets go of what is over; how many of the channel are followed, and how old the youngest is. */
static size_t count(struct poll *p, enum notify_channel channel, nsec *ret_youngest)
{
    struct senders *s = p->line->senders;
    struct memory *m = senders_memory(s);
    nsec now = senders_now(s);
    int64_t time = senders_realtime(s) / NSEC_PER_SEC;
    size_t n = 0;
    for (struct known *k = NULL; (k = memory_next(m, p->line, k));) {
        if (now - k->since > NOTIFY_FOLLOW_MAX || time > k->expires) k->following = false;
        if (!k->following || k->channel != channel) continue;
        if (now - k->since < *ret_youngest) *ret_youngest = now - k->since;
        n++;
    }
    return n;
}

static void rest(struct poll *p)
{
    nsec youngest = NOTIFY_FOLLOW_MAX;
    struct loop *loop = senders_loop(p->line->senders);
    size_t n = count(p, NOTIFY_SMS, &youngest) + count(p, NOTIFY_VOICE, &youngest);
    p->channel = NOTIFY_NO_CHANNEL;
    if (n && loop_timer_set(loop, &p->timer, interval(youngest), 0) != 0)
        line_fails(p->line, "out of memory");
}

static void ask(struct poll *p)
{
    const struct notify_provider *provider = p->line->provider;
    const struct dial_request request = {.url = p->url.ptr,
                                         .user = provider->user,
                                         .secret = p->line->secret.ptr,
                                         .timeout = provider->timeout};
    if (!buf_failed(&p->url) && dial_call_begin(&p->call, &request) == 0) return;
    line_fails(p->line, "out of memory");
    rest(p);
}

/* The first page about the channel, or about the one behind it. */
static void begin(struct poll *p, enum notify_channel channel)
{
    for (; channel <= NOTIFY_VOICE; channel++) {
        nsec youngest = 0;
        p->left = count(p, channel, &youngest);
        if (!p->left) continue;
        p->channel = channel;
        p->pages = 1;
        buf_clear(&p->url);
        buf_printf(&p->url, "%s/a1/%s?limit=%d", p->line->provider->url,
                   channel == NOTIFY_SMS ? "sms" : "calls", PAGE);
        buf_putc(&p->url, '\0');
        ask(p);
        return;
    }
    rest(p);
}

/* ---- what it says ------------------------------------------------------------------------ */

/* What finds no memory is found again at the next time. */
static void take_answer(struct poll *p, const struct elks_item *item)
{
    struct buf from, text;
    buf_init(&from, NOTIFY_ADDRESS_MAX);
    buf_init(&text, REPLY_MAX);
    struct slice message = slice_make(item->message.ptr - 1, item->message.len + 2);
    struct slice sender = slice_make(item->from.ptr - 1, item->from.len + 2);
    bool said = item->message.len && item->from.len && json_string_text(message, &text) &&
                json_string_text(sender, &from);
    if (said && (buf_failed(&text) || buf_failed(&from)))
        line_fails(p->line, error_text(buf_failed(&text) ? buf_error(&text) : buf_error(&from)));
    else if (said)
        senders_answer(p->line, NOTIFY_SMS, item->id, buf_slice(&from), buf_slice(&text));
    buf_done(&from);
    buf_done(&text);
}

static void take_item(struct poll *p, const struct elks_item *item)
{
    struct senders *s = p->line->senders;
    struct slice state = p->channel == NOTIFY_SMS ? item->status : item->state;
    struct verdict v = {.outcome = elks_outcome(p->channel, state)};
    if (p->channel == NOTIFY_SMS && slice_eq(item->direction, SLICE("incoming"))) {
        take_answer(p, item);
        return;
    }
    struct known *k = memory_find_reference(senders_memory(s), p->line, p->channel, item->id);
    if (!k) return;
    if (k->following && p->left) p->left--;
    if (item->digits.len) senders_answer(p->line, NOTIFY_VOICE, item->id, SLICE_NONE, item->digits);
    if (!v.outcome) return;
    judge_quote(v.detail, 0, state);
    senders_hear(s, k, &v);
}

static bool take_page(struct poll *p, struct slice body, struct slice *ret_next)
{
    struct slice items, name, object;
    struct elks_item item;
    struct json_parts it;
    unsigned n = 0;
    if (!elks_list_read(body, &items, ret_next)) return false;
    json_parts_init(&it, items);
    while (n++ < 2 * PAGE && json_parts_next(&it, &name, &object))
        if (elks_item_read(object, &item)) take_item(p, &item);
    return true;
}

/* Further back, when something that is followed was not there. */
static bool go_back(struct poll *p, struct slice next)
{
    buf_clear(&p->next);
    if (!p->left || p->pages >= PAGES_MAX || !json_string_text(next, &p->next) || !p->next.len)
        return false;
    p->pages++;
    buf_clear(&p->url);
    buf_printf(&p->url, "%s/a1/%s?limit=%d&start=", p->line->provider->url,
               p->channel == NOTIFY_SMS ? "sms" : "calls", PAGE);
    form_put_escaped(&p->url, buf_slice(&p->next));
    buf_putc(&p->url, '\0');
    ask(p);
    return true;
}

static void on_done(void *ctx, const struct dial_answer *a)
{
    struct poll *p = ctx;
    struct slice next = SLICE_NONE;
    struct verdict v = {0};
    judge_http(a, &v);
    bool good = v.outcome == NOTIFY_ACCEPTED;
    if (good) line_is_well(p->line);
    if (!good) line_fails(p->line, v.detail);
    else if (!take_page(p, a->body, &next)) line_fails(p->line, "its answer is no list");
    if (good && go_back(p, next)) return;
    begin(p, p->channel + 1);
}

static void on_due(void *ctx)
{
    struct poll *p = ctx;
    begin(p, NOTIFY_SMS);
}

void poll_wake(struct poll *p)
{
    if (p->channel != NOTIFY_NO_CHANNEL) return;
    if (loop_timer_set(senders_loop(p->line->senders), &p->timer, SOON, 0) != 0)
        line_fails(p->line, "out of memory");
}

int poll_new(struct line *l, struct dial *dial, struct poll **ret)
{
    struct poll *p = calloc(1, sizeof *p);
    if (!p) return ERR_NOMEM;
    p->line = l;
    p->timer = (struct loop_timer){.due = on_due, .ctx = p};
    buf_init(&p->url, POLL_URL_MAX);
    buf_init(&p->next, POLL_URL_MAX);
    int error = dial_call_init(&p->call, dial, ANSWER_BODY_MAX);
    p->call.done = on_done;
    p->call.ctx = p;
    if (error) poll_free(p);
    else *ret = p;
    return error;
}

void poll_free(struct poll *p)
{
    if (!p) return;
    loop_timer_stop(senders_loop(p->line->senders), &p->timer);
    dial_call_done(&p->call);
    buf_done(&p->url);
    buf_done(&p->next);
    free(p);
}
