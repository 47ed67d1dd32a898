/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The process that pages: oncall/oncall.h with a file, a clock and others to talk to. It depends on
 * nobody to go on: what it has taken is in its own file, and its own timer wakes it.
 */
#include <sys/random.h>

#include "base/file.h"
#include "base/json_write.h"
#include "calendar/calendar.h"
#include "canary/canary.h"
#include "oncall/oncall.h"
#include "serve/role.h"
#include "state/db.h"

enum { ANSWER_MAX = 4 * 1024 * 1024, OWED_MAX = 16 * 1024 * 1024 };
#define TRY_DISK_EVERY (10 * NSEC_PER_SEC)
/* A timer does not hear that the machine's clock was set, or that the machine was asleep. */
#define LOOK_EVERY (10 * NSEC_PER_SEC)

struct oncall_ctx {
    struct db *db;
    struct oncall *oncall;
    struct loop_timer due;
    struct buf answer;
    struct loop_timer disk; /* while the file cannot be written */
    struct buf owed;        /* what triage is told when it is in the file */
    uint64_t taken, acts;
};

static struct oncall_time now(const struct role *r)
{
    return (struct oncall_time){.real = clock_realtime(&r->clock),
                                .monotonic = clock_monotonic(&r->clock)};
}

/* What is in memory may know more than the file: the next process goes on with that. */
static void give_up(struct role *r, int error)
{
    struct oncall_ctx *c = r->ctx;
    role_alarm(r, "page-not-kept", slice_of(db_trouble(c->db)));
    role_end(r, error);
}

/* ---- without a disk ---------------------------------------------------------------------- */

/* What was taken meanwhile is in the file now, and triage may forget it. */
static void try_disk(void *ctx)
{
    struct role *r = ctx;
    struct oncall_ctx *c = r->ctx;
    struct link *triage = role_link(r, ROLE_TRIAGE);
    if (!db_is_detached(c->db) || db_attach(c->db) != 0) return;
    loop_timer_stop(r->loop, &c->disk);
    role_alarm(r, "page-kept-again", SLICE("the file of pages can be written again"));
    if (link_is_open(triage)) {
        buf_put(link_out(triage), buf_slice(&c->owed));
        link_flush(triage);
    }
    buf_clear(&c->owed);
}

static int go_on_in_memory(struct role *r)
{
    struct oncall_ctx *c = r->ctx;
    role_alarm(r, "page-not-kept", slice_of(db_trouble(c->db)));
    int error = db_detach(c->db);
    if (error) return error;
    return loop_timer_set(r->loop, &c->disk, TRY_DISK_EVERY, TRY_DISK_EVERY);
}

/* Whether to call it once more: a file that cannot be written must not keep anybody from being
 * woken. */
static bool again(struct role *r, int error)
{
    const struct oncall_ctx *c = r->ctx;
    const bool disk = error == ERR_LIMIT || error == ERR_IO;
    return disk && !db_is_detached(c->db) && go_on_in_memory(r) == 0;
}

/* ---- when -------------------------------------------------------------------------------- */

static void arm(struct role *r)
{
    struct oncall_ctx *c = r->ctx;
    nsec wait = oncall_next(c->oncall, now(r));
    if (wait > LOOK_EVERY) wait = LOOK_EVERY;
    if (wait < 0) loop_timer_stop(r->loop, &c->due);
    else if (loop_timer_set(r->loop, &c->due, wait, 0) != 0) give_up(r, ERR_LIMIT);
}

/* Behind each call: what it led to, and when to wake up. */
static void settle(struct role *r, int error)
{
    if (error) give_up(r, error);
    else arm(r);
}

static void on_due(void *ctx)
{
    struct role *r = ctx;
    struct oncall_ctx *c = r->ctx;
    int error;
    do error = oncall_pass(c->oncall, now(r));
    while (again(r, error));
    settle(r, error);
}

/* ---- out --------------------------------------------------------------------------------- */

static void on_send(void *ctx, const struct oncall_send *m)
{
    struct link *link = role_link(ctx, ROLE_NOTIFY);
    if (!link_is_open(link)) return;
    say_send_write(link_out(link), &(struct say_send){.attempt = m->attempt,
                                                      .page = m->page,
                                                      .channel = (uint8_t)m->channel,
                                                      .marks = (uint8_t)m->marks,
                                                      .expires = m->expires,
                                                      .latest = m->latest,
                                                      .made = m->made,
                                                      .provider = m->provider,
                                                      .address = m->address,
                                                      .subject = m->subject,
                                                      .body = m->body,
                                                      .spoken_sv = m->spoken_sv,
                                                      .spoken_en = m->spoken_en,
                                                      .link = m->link,
                                                      .code = m->code});
    link_flush(link);
}

static void on_follow(void *ctx, const struct oncall_follow *m)
{
    struct link *link = role_link(ctx, ROLE_NOTIFY);
    if (!link_is_open(link)) return;
    say_follow_write(link_out(link), &(struct say_follow){.attempt = m->attempt,
                                                          .channel = (uint8_t)m->channel,
                                                          .expires = m->expires,
                                                          .provider = m->provider,
                                                          .reference = m->reference});
    link_flush(link);
}

static void on_paged(void *ctx, const struct oncall_paged *m)
{
    struct link *link = role_link(ctx, ROLE_TRIAGE);
    if (!link_is_open(link)) return;
    say_paged_write(link_out(link), &(struct say_paged){.id = m->id,
                                                        .tenant = m->tenant,
                                                        .incident = m->incident,
                                                        .what = (uint8_t)m->what,
                                                        .time = m->time,
                                                        .who = m->who});
    link_flush(link);
}

static void on_alarm(void *ctx, const char *event, struct slice text)
{
    role_alarm(ctx, event, text);
}

static void on_random(void *ctx, void *out, size_t n)
{
    ssize_t got = getrandom(out, n, 0);
    (void)ctx;
    ASSERT(got == (ssize_t)n);
}

/* ---- in ---------------------------------------------------------------------------------- */

/* It was kept: whoever handed it over may forget it. */
static void answer_taken(struct role *r, enum serve_role peer, uint64_t id)
{
    struct oncall_ctx *c = r->ctx;
    struct link *link = role_link(r, peer);
    c->taken++;
    if (db_is_detached(c->db)) {
        if (peer == ROLE_TRIAGE) say_taken_page_write(&c->owed, &(struct say_taken_page){.id = id});
        return;
    }
    say_taken_page_write(link_out(link), &(struct say_taken_page){.id = id});
    link_flush(link);
}

static int take_page(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct oncall_ctx *c = r->ctx;
    struct say_page m;
    if (say_page_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    const struct oncall_page page = {.canary = peer == ROLE_CANARY,
                                     .id = m.id,
                                     .tenant = m.tenant,
                                     .incident = m.incident,
                                     .level = m.level,
                                     .why = m.why,
                                     .marks = m.marks,
                                     .first_activity = m.first_activity,
                                     .detected = m.detected,
                                     .service = m.service,
                                     .title = m.title};
    int error;
    do error = oncall_take_page(c->oncall, &page, now(r));
    while (again(r, error));
    if (error == 0) answer_taken(r, peer, m.id);
    settle(r, error);
    return 0;
}

static int take_settled(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct oncall_ctx *c = r->ctx;
    struct say_settled m;
    if (say_settled_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    const struct oncall_settled settled = {.canary = peer == ROLE_CANARY,
                                           .id = m.id,
                                           .tenant = m.tenant,
                                           .incident = m.incident,
                                           .how = m.how,
                                           .into = m.into,
                                           .who = m.who};
    int error;
    do error = oncall_take_settled(c->oncall, &settled, now(r));
    while (again(r, error));
    if (error == 0) answer_taken(r, peer, m.id);
    settle(r, error);
    return 0;
}

static int take_probe(struct role *r, const struct frame *frame)
{
    struct oncall_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_CANARY);
    struct say_probe m;
    struct oncall_canary canary = {0};
    if (say_probe_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    int error = oncall_ask_canary(c->oncall, m.number, &canary);
    say_seen_write(link_out(link),
                   &(struct say_seen){.number = m.number,
                                      .sights = (canary.attempted ? CANARY_ATTEMPTED : 0u) |
                                                (canary.unset ? CANARY_UNSET : 0u) |
                                                (canary.loud ? CANARY_LOUD : 0u),
                                      .when = clock_realtime(&r->clock),
                                      .wrong = error ? slice_of(error_text(error)) : SLICE_NONE});
    link_flush(link);
    return 0;
}

static int take_noted(struct role *r, const struct frame *frame)
{
    struct oncall_ctx *c = r->ctx;
    struct say_noted m;
    if (say_noted_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    int error;
    do error = oncall_take_noted(c->oncall, m.id, now(r));
    while (again(r, error));
    settle(r, error);
    return 0;
}

static int take_act(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct oncall_ctx *c = r->ctx;
    struct link *link = role_link(r, peer);
    struct say_act m;
    unsigned status = 0;
    if (say_act_read(frame->payload, &m) != 0 || m.actor.len > ONCALL_ACTOR_MAX) return ERR_CORRUPT;
    const struct oncall_request request = {
        .actor = m.actor, .tenant = m.tenant, .kind = m.kind, .body = m.body};
    buf_clear(&c->answer);
    int error;
    do error = oncall_act(c->oncall, &request, now(r), &c->answer, &status);
    while (again(r, error));
    if (error == 0) {
        c->acts++;
        say_acted_write(link_out(link), &(struct say_acted){.client = m.client,
                                                            .status = (uint8_t)status,
                                                            .body = buf_slice(&c->answer)});
        link_flush(link);
    }
    settle(r, error);
    return 0;
}

static int take_sent(struct role *r, const struct frame *frame)
{
    struct oncall_ctx *c = r->ctx;
    struct say_sent m;
    if (say_sent_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    const struct oncall_sent sent = {
        .attempt = m.attempt, .outcome = m.outcome, .reference = m.reference, .detail = m.detail};
    int error;
    do error = oncall_take_sent(c->oncall, &sent, now(r));
    while (again(r, error));
    settle(r, error);
    return 0;
}

static int take_answered(struct role *r, const struct frame *frame)
{
    struct oncall_ctx *c = r->ctx;
    struct say_answered m;
    if (say_answered_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    const struct oncall_answered answered = {.channel = m.channel,
                                             .provider = m.provider,
                                             .reference = m.reference,
                                             .from = m.from,
                                             .text = m.text};
    int error;
    do error = oncall_take_answered(c->oncall, &answered, now(r));
    while (again(r, error));
    settle(r, error);
    return 0;
}

static int take_providers(struct role *r, const struct frame *frame)
{
    struct oncall_ctx *c = r->ctx;
    struct say_providers m;
    if (say_providers_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    int error;
    do error = oncall_take_providers(c->oncall, m.list, now(r));
    while (again(r, error));
    if (error == ERR_SYNTAX) return ERR_CORRUPT;
    settle(r, error);
    return 0;
}

static int take_from_notify(struct role *r, const struct frame *frame)
{
    if (frame->type == SAY_SENT) return take_sent(r, frame);
    if (frame->type == SAY_ANSWERED) return take_answered(r, frame);
    return frame->type == SAY_PROVIDERS ? take_providers(r, frame) : ERR_CORRUPT;
}

static int oncall_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    const bool from_watch = peer == ROLE_TRIAGE || peer == ROLE_CANARY;
    if (peer == ROLE_NOTIFY) return take_from_notify(r, frame);
    if (peer == ROLE_TRIAGE && frame->type == SAY_NOTED) return take_noted(r, frame);
    if (peer == ROLE_CANARY && frame->type == SAY_PROBE) return take_probe(r, frame);
    if (from_watch && frame->type == SAY_PAGE) return take_page(r, peer, frame);
    if (from_watch && frame->type == SAY_SETTLED) return take_settled(r, peer, frame);
    const bool front = peer == ROLE_CONTROL || peer == ROLE_WEB;
    return front && frame->type == SAY_ACT ? take_act(r, peer, frame) : ERR_CORRUPT;
}

/* ---- who is there ------------------------------------------------------------------------ */

static void set_there(struct role *r, enum serve_role peer, bool there)
{
    struct oncall_ctx *c = r->ctx;
    int error = 0;
    if (peer == ROLE_TRIAGE && !there) buf_clear(&c->owed);
    do {
        if (peer == ROLE_TRIAGE) error = oncall_triage(c->oncall, there);
        if (peer == ROLE_NOTIFY) error = oncall_senders(c->oncall, there, now(r));
    } while (again(r, error));
    settle(r, error);
}

static void oncall_peer(struct role *r, enum serve_role peer)
{
    set_there(r, peer, true);
}

static void oncall_lost(struct role *r, enum serve_role peer)
{
    set_there(r, peer, false);
}

/* ---- the role ---------------------------------------------------------------------------- */

static int oncall_prepare(struct role *r, struct diag *diag)
{
    struct oncall_ctx *c = r->ctx;
    const char *address = r->config.web_address.n ? r->config.web_address.items[0] : "";
    struct buf holidays;
    struct oncall_out out = {.ctx = r,
                             .send = on_send,
                             .follow = on_follow,
                             .paged = on_paged,
                             .alarm = on_alarm,
                             .random = on_random,
                             .address = slice_of(address)};
    oncall_limits_read(&r->config, &out.limits);
    const char *folder = role_make_folder(r, "oncall", diag);
    const char *path = arena_printf(&r->config.arena, "%s/oncall.db", folder ? folder : "");
    if (!folder || !path) return ERR_ACCESS;
    role_keep_folder(r, folder);
    /* SQLite asks for randomness here, and a new plan may name another zone. */
    role_keep_path(r, "/dev/urandom");
    role_keep_path(r, "/usr/share/zoneinfo");
    buf_init(&c->answer, ANSWER_MAX);
    buf_init(&c->owed, OWED_MAX);
    c->due = (struct loop_timer){.due = on_due, .ctx = r};
    c->disk = (struct loop_timer){.due = try_disk, .ctx = r};
    int error = db_open(path, oncall_migrations, ONCALL_VERSION, &c->db, diag);
    if (error) return error;
    buf_init(&holidays, CALENDAR_FILE_MAX);
    if (r->config.oncall_holidays.n)
        error = file_read(r->config.oncall_holidays.items[0], &holidays, diag);
    out.holidays = buf_slice(&holidays);
    if (error == 0) {
        diag->message[0] = '\0';
        do error = oncall_open(c->db, &out, now(r), &c->oncall, diag);
        while (again(r, error));
    }
    buf_done(&holidays);
    if (error && !diag->message[0])
        error = diag_set(diag, error, path, 0, 0, "%s", error_text(error));
    return error;
}

static int oncall_start(struct role *r)
{
    arm(r);
    return 0;
}

static void oncall_role_status(struct role *r, struct buf *out)
{
    struct oncall_ctx *c = r->ctx;
    json_write_member_u64(out, "taken", c->taken);
    json_write_member_u64(out, "acts", c->acts);
    json_write_key(out, "in_memory");
    buf_puts(out, db_is_detached(c->db) ? "true" : "false");
    int error = oncall_status(c->oncall, now(r), out);
    if (error) give_up(r, error);
}

static void oncall_stop(struct role *r)
{
    struct oncall_ctx *c = r->ctx;
    oncall_close(c->oncall);
    db_close(c->db);
    role_end(r, 0);
}

const struct role_ops role_oncall = {
    .ctx_size = sizeof(struct oncall_ctx),
    .prepare = oncall_prepare,
    .start = oncall_start,
    .peer = oncall_peer,
    .lost = oncall_lost,
    .frame = oncall_frame,
    .status = oncall_role_status,
    .stop = oncall_stop,
};
