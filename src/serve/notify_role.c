/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The process that tells people: it has the network and the secrets of providers, and nothing else.
 * Who is to be told what, others decide; what it knows of attempts ends with it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/json_write.h"
#include "notify/provider.h"
#include "notify/senders.h"
#include "serve/probe.h"
#include "serve/role.h"

enum { STOP_WITHIN = 5, LIST_MAX = 64 * 1024 }; /* s: for what is under way */
#define TICK NSEC_PER_SEC

/* One provider that was asked what it would do, for a probe of the canary. */
struct asked {
    uint64_t attempt, number; /* 0: free */
    bool answered, well;
    char provider[NOTIFY_NAME_MAX];
};
enum { ASKED_MAX = CANARY_NOTES * NOTIFY_PROVIDERS_MAX };

struct notify_ctx {
    struct senders *senders;
    struct canary_notes canary;
    struct asked asked[ASKED_MAX];
    unsigned next_asked; /* the one that is written over */
    struct buf list, answer;
    bool changed;     /* how providers are, and nobody was told */
    uint64_t dropped; /* what another process had no room for */
    struct loop_timer tick, stop;
    nsec stop_at;
};

/* ---- to others --------------------------------------------------------------------------- */

static bool has_room(struct role *r, struct link *link, size_t bytes)
{
    struct notify_ctx *c = r->ctx;
    if (link_is_open(link) && link_room(link) >= bytes + 1024) return true;
    c->dropped++;
    return false;
}

/* ---- the canary's ------------------------------------------------------------------------ */

static void note_asked(struct role *r, const struct say_send *m)
{
    struct notify_ctx *c = r->ctx;
    uint64_t number;
    if (!(m->marks & NOTIFY_DRY) || !slice_to_u64(m->code, &number) || number == 0) return;
    struct asked *a = &c->asked[c->next_asked];
    for (unsigned i = 0; i < ASKED_MAX; i++)
        if (c->asked[i].attempt == m->attempt) a = &c->asked[i];
    if (a == &c->asked[c->next_asked]) c->next_asked = (c->next_asked + 1) % ASKED_MAX;
    *a = (struct asked){.attempt = m->attempt, .number = number};
    (void)snprintf(a->provider, sizeof a->provider, "%.*s",
                   (int)(m->provider.len < sizeof a->provider ? m->provider.len : 0),
                   m->provider.ptr);
    canary_notes_see(&c->canary, number, CANARY_ASKED, clock_realtime(&r->clock));
}

/* Whether all that were asked for that probe would send it. */
static bool all_would(const struct notify_ctx *c, uint64_t number)
{
    for (unsigned i = 0; i < ASKED_MAX; i++)
        if (c->asked[i].number == number && !(c->asked[i].answered && c->asked[i].well))
            return false;
    return true;
}

static void note_answer(struct role *r, uint64_t attempt, enum notify_outcome outcome,
                        struct slice detail)
{
    struct notify_ctx *c = r->ctx;
    for (unsigned i = 0; i < ASKED_MAX; i++) {
        struct asked *a = &c->asked[i];
        if (!a->number || a->attempt != attempt) continue;
        struct canary_note *note = canary_notes_of(&c->canary, a->number);
        a->answered = true;
        a->well = outcome == NOTIFY_ACCEPTED || outcome == NOTIFY_DELIVERED;
        if (!a->well)
            (void)snprintf(note->wrong, sizeof note->wrong, "%s: %.*s", a->provider,
                           (int)(detail.len < CANARY_TEXT_MAX ? detail.len : CANARY_TEXT_MAX),
                           detail.len ? detail.ptr : "");
        if (all_would(c, a->number))
            canary_notes_see(&c->canary, a->number, CANARY_WOULD_SEND, clock_realtime(&r->clock));
    }
}

/* Who asked is told; what he does not hear he asks for again. */
static void on_sent(void *ctx, unsigned asker, uint64_t attempt, enum notify_outcome outcome,
                    struct slice reference, struct slice detail)
{
    struct role *r = ctx;
    struct link *link = role_link(r, asker);
    note_answer(r, attempt, outcome, detail);
    if (!has_room(r, link, reference.len + detail.len)) return;
    say_sent_write(link_out(link), &(struct say_sent){.attempt = attempt,
                                                      .outcome = (uint8_t)outcome,
                                                      .reference = reference,
                                                      .detail = detail});
    link_flush(link);
}

static void on_answered(void *ctx, enum notify_channel channel, struct slice provider,
                        struct slice reference, struct slice from, struct slice text)
{
    struct role *r = ctx;
    struct link *link = role_link(r, ROLE_ONCALL);
    if (!has_room(r, link, provider.len + reference.len + from.len + text.len)) return;
    say_answered_write(link_out(link), &(struct say_answered){.channel = (uint8_t)channel,
                                                              .provider = provider,
                                                              .reference = reference,
                                                              .from = from,
                                                              .text = text});
    link_flush(link);
}

static void tell_providers(struct role *r, enum serve_role peer)
{
    struct notify_ctx *c = r->ctx;
    struct link *link = role_link(r, peer);
    buf_clear(&c->list);
    senders_write(c->senders, &c->list);
    if (buf_failed(&c->list) || !has_room(r, link, c->list.len)) return;
    say_providers_write(link_out(link), &(struct say_providers){.list = buf_slice(&c->list)});
    link_flush(link);
}

static void on_changed(void *ctx)
{
    struct role *r = ctx;
    struct notify_ctx *c = r->ctx;
    c->changed = true;
}

/* ---- from others ------------------------------------------------------------------------- */

static int take_send(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct notify_ctx *c = r->ctx;
    struct say_send m;
    if (say_send_read(frame->payload, &m) != 0 || m.attempt == 0) return ERR_CORRUPT;
    note_asked(r, &m);
    senders_send(c->senders, peer,
                 &(struct notify_message){.attempt = m.attempt,
                                          .page = m.page,
                                          .channel = m.channel,
                                          .marks = m.marks,
                                          .expires = m.expires,
                                          .latest = m.latest,
                                          .made = m.made,
                                          .provider = m.provider,
                                          .address = m.address,
                                          .subject = m.subject,
                                          .body = m.body,
                                          .spoken_sv = m.spoken_sv,
                                          .spoken_en = m.spoken_en,
                                          .link = m.link,
                                          .code = m.code});
    return 0;
}

static int take_follow(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct notify_ctx *c = r->ctx;
    struct say_follow m;
    if (say_follow_read(frame->payload, &m) != 0 || m.attempt == 0) return ERR_CORRUPT;
    senders_follow(c->senders, peer, m.attempt, m.channel, m.provider, m.reference, m.expires);
    return 0;
}

/* A provider that finds nobody who takes its word says it again later. */
static int take_callback(struct role *r, const struct frame *frame)
{
    struct notify_ctx *c = r->ctx;
    struct link *web = role_link(r, ROLE_WEB);
    struct say_callback m;
    if (say_callback_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    buf_clear(&c->answer);
    unsigned status = 503;
    if (link_is_open(role_link(r, ROLE_ONCALL)))
        status = senders_told(c->senders, m.provider, m.secret, m.body, &c->answer);
    if (!has_room(r, web, c->answer.len)) return 0;
    say_called_write(
        link_out(web),
        &(struct say_called){.id = m.id, .status = status, .body = buf_slice(&c->answer)});
    link_flush(web);
    return 0;
}

static int notify_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    const struct notify_ctx *c = r->ctx;
    if (peer == ROLE_WEB)
        return frame->type == SAY_CALLBACK ? take_callback(r, frame) : ERR_CORRUPT;
    if (frame->type == SAY_SEND) return take_send(r, peer, frame);
    if (peer == ROLE_CANARY) return probe_take(r, frame, &c->canary);
    return frame->type == SAY_FOLLOW ? take_follow(r, peer, frame) : ERR_CORRUPT;
}

static void notify_peer(struct role *r, enum serve_role peer)
{
    struct notify_ctx *c = r->ctx;
    if (peer == ROLE_ONCALL || peer == ROLE_WEB) tell_providers(r, peer);
    if (peer == ROLE_ONCALL) senders_repeat(c->senders);
}

/* ---- the role ---------------------------------------------------------------------------- */

static void keep_port(void *ctx, uint16_t port)
{
    role_keep_port(ctx, port);
}

/* By a new process there is a new one. */
static void on_lost(void *ctx)
{
    role_end(ctx, ERR_STOPPED);
}

static const char *first(const struct config_list *list)
{
    return list->n ? list->items[0] : NULL;
}

static int notify_prepare(struct role *r, struct diag *diag)
{
    struct notify_ctx *c = r->ctx;
    const struct config *config = &r->config;
    const struct senders_options options = {
        .loop = r->loop,
        .clock = r->clock,
        .providers = config->notify_providers.items,
        .n_providers = config->notify_providers.n,
        .trust = first(&config->notify_trust),
        .proxy = first(&config->notify_proxy),
        .address = first(&config->web_address),
        .lasting = true,
        .confined = r->sandboxed,
        .out = {.ctx = r,
                .sent = on_sent,
                .answered = on_answered,
                .changed = on_changed,
                .lost = on_lost},
    };
    buf_init(&c->list, LIST_MAX);
    buf_init(&c->answer, LIST_MAX);
    /* Resolvers fail in attacks as well: whoever has an address of his own is not to wait for them.
     */
    (void)setenv("RES_OPTIONS", "timeout:1 attempts:1", 1);
    int error = senders_new(&options, &c->senders, diag);
    if (error || !config->notify_providers.n) return error;
    role_keep_path(r, senders_trust(c->senders));
    senders_ports(c->senders, keep_port, r);
    return 0;
}

static void on_tick(void *ctx)
{
    struct role *r = ctx;
    struct notify_ctx *c = r->ctx;
    if (!c->changed) return;
    c->changed = false;
    tell_providers(r, ROLE_ONCALL);
    tell_providers(r, ROLE_WEB);
}

static int notify_start(struct role *r)
{
    struct notify_ctx *c = r->ctx;
    c->tick = (struct loop_timer){.due = on_tick, .ctx = r};
    return loop_timer_set(r->loop, &c->tick, TICK, TICK);
}

static void notify_status(struct role *r, struct buf *out)
{
    const struct notify_ctx *c = r->ctx;
    struct senders_figures f;
    senders_figures(c->senders, &f);
    json_write_member_u64(out, "attempts", f.attempts);
    json_write_member_u64(out, "accepted", f.accepted);
    json_write_member_u64(out, "delivered", f.delivered);
    json_write_member_u64(out, "retry", f.retry);
    json_write_member_u64(out, "refused", f.refused);
    json_write_member_u64(out, "unknown", f.unknown);
    json_write_member_u64(out, "repeats", f.repeats);
    json_write_member_u64(out, "answers", f.answers);
    json_write_member_u64(out, "callbacks", f.callbacks);
    json_write_member_u64(out, "busy", senders_busy(c->senders));
    json_write_member_u64(out, "dropped", c->dropped);
    json_write_key(out, "providers");
    senders_write(c->senders, out);
}

static void stop_when_done(void *ctx)
{
    struct role *r = ctx;
    struct notify_ctx *c = r->ctx;
    if (senders_busy(c->senders) && clock_monotonic(&r->clock) < c->stop_at) return;
    role_end(r, 0);
}

static void notify_stop(struct role *r)
{
    struct notify_ctx *c = r->ctx;
    c->stop = (struct loop_timer){.due = stop_when_done, .ctx = r};
    c->stop_at = clock_monotonic(&r->clock) + STOP_WITHIN * NSEC_PER_SEC;
    if (loop_timer_set(r->loop, &c->stop, 0, NSEC_PER_MSEC * 10) != 0) role_end(r, 0);
}

const struct role_ops role_notify = {
    .ctx_size = sizeof(struct notify_ctx),
    .prepare = notify_prepare,
    .start = notify_start,
    .peer = notify_peer,
    .frame = notify_frame,
    .status = notify_status,
    .stop = notify_stop,
};
