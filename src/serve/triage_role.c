/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The process that has the database. What engines tell waits until the advance behind it, and is
 * then written in one transaction with how far everything was matched; who follows sees an alert
 * when it is durable.
 */
#include <sys/random.h>

#include "base/json_write.h"
#include "base/time.h"
#include "canary/canary.h"
#include "desk/desk.h"
#include "desk/handover.h"
#include "detect/sigma/doc.h"
#include "ruleset/ruleset.h"
#include "serve/engine.h"
#include "serve/role.h"
#include "serve/source_watch.h"
#include "serve/watchers.h"
#include "state/state.h"

enum {
    HELD_MAX = 64 * 1024 * 1024, /* bytes of alerts behind the last advance */
    COMMIT_ALERTS = 5,           /* ms behind the first alert of a transaction */
    COMMIT_ADVANCE = 1000,       /* ms when there is nothing but records without alerts */
    ACTED_MAX = 8 * 1024 * 1024, /* bytes of an incident that is told */
    ROWS_AT_ONCE = 256,
    TUPLES_MAX = 200 * 1000, /* that correlations are told again after a start */
};

struct triage_ctx {
    struct state *state;
    struct desk *desk;
    struct source_watch sources;
    struct buf held; /* alerts and what was heard as frames, behind the last advance */
    uint64_t next, committed;
    bool open, has_alerts; /* a transaction */
    struct loop_timer commit;
    struct watchers watchers;
    nsec correlated, horizon;
    bool has_tuples;
    uint64_t told_tuple; /* to detect: the last one; UINT64_MAX: begin was said */
    uint64_t handed;     /* the last handover that oncall was told of */
    uint64_t canary_handed, canary_kept, canary_new; /* probes: the last one that was handed over;
                                                        that is durable; in the transaction */
    struct buf noted;                                /* what it is told when it is durable */
    uint64_t added, counted, commits, acts;
    struct buf acted;
};

static void give_up(struct role *r, const char *what, int error)
{
    struct triage_ctx *c = r->ctx;
    state_rollback(c->state);
    c->open = false;
    role_alarm(r, what, slice_of(error_text(error)));
    role_end(r, error);
}

/* A transaction, unless there is one. */
static int begin(struct triage_ctx *c)
{
    int error = c->open ? 0 : state_begin(c->state);
    c->open = c->open || error == 0;
    return error;
}

/* ---- who pages --------------------------------------------------------------------------- */

static bool tell_handover(void *ctx, const struct desk_handover *h)
{
    struct role *r = ctx;
    struct triage_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_ONCALL);
    if (link_room(link) < h->title.len + h->service.len + h->who.len + 4096) return false;
    if (h->how)
        say_settled_write(link_out(link), &(struct say_settled){.id = h->id,
                                                                .tenant = h->tenant,
                                                                .incident = h->incident,
                                                                .how = (uint8_t)h->how,
                                                                .into = h->into,
                                                                .who = h->who});
    else
        say_page_write(link_out(link), &(struct say_page){.id = h->id,
                                                          .tenant = h->tenant,
                                                          .incident = h->incident,
                                                          .level = (uint8_t)h->level,
                                                          .why = (uint8_t)h->why,
                                                          .marks = (uint8_t)h->marks,
                                                          .first_activity = h->first_activity,
                                                          .detected = h->detected,
                                                          .service = h->service,
                                                          .title = h->title});
    c->handed = h->id;
    if (h->marks & HANDOVER_CANARY) c->canary_handed = h->incident;
    return true;
}

/* What is durable and was not told yet, as far as there is room; the rest when there is. */
static void tell_oncall(struct role *r)
{
    struct triage_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_ONCALL);
    if (!link_is_open(link) || c->open) return;
    int error = desk_handovers(c->desk, c->handed, tell_handover, r);
    if (error == 0 && c->noted.len) {
        buf_put(link_out(link), buf_slice(&c->noted));
        buf_clear(&c->noted);
    }
    link_flush(link);
    if (error) give_up(r, "state-failed", error);
}

/* ---- what was found ---------------------------------------------------------------------- */

static int keep_alert(struct role *r, const struct state_alert *alert)
{
    struct triage_ctx *c = r->ctx;
    bool is_new = false;
    int error =
        desk_add_alert(c->desk, alert, r->config.triage_alike, clock_realtime(&r->clock), &is_new);
    c->added += is_new;
    c->counted += alert->count;
    c->has_alerts = true;
    return error;
}

/* What the canary's records led to is handed over, and raises no alarm. */
static int keep_canary(struct role *r, const struct say_alert *m)
{
    struct triage_ctx *c = r->ctx;
    uint64_t number;
    if (!slice_eq(m->rule, SLICE(RULESET_CANARY_BOTH)) || !slice_to_u64(m->entity, &number))
        return 0;
    c->has_alerts = true;
    c->canary_new = number;
    return desk_hand_canary(c->desk, number, clock_realtime(&r->clock));
}

static int add_alert(struct role *r, const struct say_alert *m)
{
    if (m->marks & RECORD_MARK_CANARY) return keep_canary(r, m);
    const struct state_alert alert = {.seq = m->seq,
                                      .last_seq = m->last_seq,
                                      .count = m->count,
                                      .level = m->level,
                                      .time = m->time,
                                      .received = m->received,
                                      .last_received = m->received,
                                      .marks = m->marks,
                                      .rule = m->rule,
                                      .title = m->title,
                                      .host = m->host,
                                      .entity = m->entity,
                                      .line = m->line};
    return keep_alert(r, &alert);
}

static int add_tuple(struct triage_ctx *c, const struct say_kept *m)
{
    c->has_tuples = true;
    return state_add_tuple(
        c->state, &(struct state_tuple){
                      .rule = m->rule, .names = m->names, .time = m->time, .body = m->body});
}

/* Everything that was held, into the transaction. */
static int apply_held(struct role *r)
{
    struct triage_ctx *c = r->ctx;
    struct slice rest = buf_slice(&c->held);
    struct frame frame;
    int error = 0, got;
    while (error == 0 && (got = frame_next(rest, SAY_MAX, &frame)) > 0) {
        struct say_alert alert;
        struct say_kept kept;
        struct say_sighted sighted;
        if (frame.type == SAY_ALERT) {
            error = say_alert_read(frame.payload, &alert);
            if (error == 0) error = add_alert(r, &alert);
        } else if (frame.type == SAY_SIGHTED) {
            error = say_sighted_read(frame.payload, &sighted);
            if (error == 0) source_watch_hear(&c->sources, &sighted);
        } else {
            error = say_kept_read(frame.payload, &kept);
            if (error == 0) error = add_tuple(c, &kept);
        }
        rest = slice_from(rest, frame.size);
    }
    buf_clear(&c->held);
    return error;
}

static void commit(struct role *r)
{
    struct triage_ctx *c = r->ctx;
    struct link *store = role_link(r, ROLE_STORE);
    loop_timer_stop(r->loop, &c->commit);
    if (!c->open) return;
    int error = state_set_matched(c->state, c->next);
    if (error == 0) error = state_set_correlated(c->state, c->correlated);
    if (error == 0 && c->has_tuples) error = state_forget_tuples(c->state, c->horizon, TUPLES_MAX);
    if (error == 0) error = state_commit(c->state);
    if (error == 0) error = state_last_alert(c->state, &c->watchers.last_alert);
    if (error) {
        give_up(r, "state-failed", error);
        return;
    }
    if (c->canary_new) c->canary_kept = c->canary_new;
    c->canary_new = 0;
    bool news = c->has_alerts;
    c->open = c->has_alerts = c->has_tuples = false;
    c->committed = c->next;
    c->commits++;
    if (link_is_open(store)) {
        say_matched_write(link_out(store), &(struct say_matched){.next = c->committed});
        link_flush(store);
    }
    tell_oncall(r);
    if (news) watchers_tell(&c->watchers, r);
}

static void commit_due(void *ctx)
{
    commit(ctx);
}

static int take_alert(struct role *r, const struct frame *frame)
{
    struct triage_ctx *c = r->ctx;
    struct say_alert m;
    if (say_alert_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    say_alert_write(&c->held, &m);
    return buf_error(&c->held);
}

static int take_kept(struct role *r, const struct frame *frame)
{
    struct triage_ctx *c = r->ctx;
    struct say_kept m;
    if (say_kept_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    say_kept_write(&c->held, &m);
    return buf_error(&c->held);
}

/* At once: what an engine ended at must not end the next one. */
static int take_quarantine(struct role *r, const struct frame *frame)
{
    struct triage_ctx *c = r->ctx;
    struct say_quarantine m;
    if (say_quarantine_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    int error = begin(c);
    if (error == 0) error = state_add_quarantined(c->state, m.seq, ENGINE_SKIPPED_MAX);
    if (error) give_up(r, "state-failed", error);
    else commit(r);
    return 0;
}

static int take_sighted(struct role *r, const struct frame *frame)
{
    struct triage_ctx *c = r->ctx;
    struct say_sighted m;
    if (say_sighted_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    say_sighted_write(&c->held, &m);
    return buf_error(&c->held);
}

static int take_advance(struct role *r, const struct frame *frame)
{
    struct triage_ctx *c = r->ctx;
    struct say_advance m;
    if (say_advance_read(frame->payload, &m) != 0 || m.next < c->next) return ERR_CORRUPT;
    bool had_alerts = c->has_alerts;
    if (m.next == c->next && c->held.len == 0) return 0;
    bool begun = !c->open;
    int error = begin(c);
    if (error == 0) error = apply_held(r);
    if (error) {
        give_up(r, "state-failed", error);
        return 0;
    }
    c->next = m.next;
    if (m.correlated > c->correlated) c->correlated = m.correlated;
    if (m.horizon > c->horizon) c->horizon = m.horizon;
    bool urgent = c->has_alerts && !had_alerts;
    if (!begun && !urgent) return 0;
    nsec wait = (urgent ? COMMIT_ALERTS : COMMIT_ADVANCE) * NSEC_PER_MSEC;
    return loop_timer_set(r->loop, &c->commit, wait, 0);
}

/* ---- Vaka itself ------------------------------------------------------------------------- */

/* {"time":null,"rule":{…},…,"event":{"process":…,"message":…}}, as an alert of a record is written.
 */
static void write_trouble(struct buf *out, const struct say_trouble *m, struct slice rule, nsec now)
{
    buf_puts(out, "{\"time\":\"");
    time_write_rfc3339(out, now);
    buf_puts(out, "\",\"rule\":{\"id\":");
    json_write_string(out, rule);
    buf_puts(out, ",\"title\":\"Vaka itself\",\"level\":\"high\",\"tags\":[],\"file\":null},"
                  "\"host\":null,\"received\":\"");
    time_write_rfc3339(out, now);
    buf_puts(out, "\",\"source\":null,\"matched\":[{\"field\":\"process\",\"value\":");
    json_write_string(out, slice_of(serve_role_name(m->role)));
    buf_puts(out, ",\"pattern\":\"\"},{\"field\":\"event\",\"value\":");
    json_write_string(out, m->event);
    buf_puts(out, ",\"pattern\":\"\"},{\"field\":\"message\",\"value\":");
    json_write_string(out, m->text);
    buf_puts(out, ",\"pattern\":\"\"}],\"event\":null}\n");
}

/* At once, and who told it hears when it is durable. */
static void keep_own(struct role *r, const struct say_alert *alert, struct link *from)
{
    struct triage_ctx *c = r->ctx;
    int error = begin(c);
    if (error == 0) error = add_alert(r, alert);
    if (error) {
        give_up(r, "state-failed", error);
        return;
    }
    commit(r);
    if (r->stopping || c->open || !link_is_open(from)) return;
    say_heard_write(link_out(from), &(struct say_heard){});
    link_flush(from);
}

/* An alert like others, so that whoever watches for alerts hears of it. */
static int take_trouble(struct role *r, const struct frame *frame)
{
    struct triage_ctx *c = r->ctx;
    struct say_trouble m;
    struct buf line, rule;
    nsec now = clock_realtime(&r->clock);
    if (say_trouble_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    buf_init(&line, 64 * 1024 + 6 * m.text.len);
    buf_init(&rule, 1024);
    buf_puts(&rule, "vaka.");
    buf_put(&rule, slice_until(m.event, 200));
    write_trouble(&line, &m, buf_slice(&rule), now);
    const struct say_alert alert = {.seq = c->next,
                                    .last_seq = c->next,
                                    .count = 1,
                                    .level = LEVEL_HIGH,
                                    .time = now,
                                    .received = now,
                                    .rule = buf_slice(&rule),
                                    .title = SLICE("Vaka itself"),
                                    .entity = slice_of(serve_role_name(m.role)),
                                    .line = buf_slice(&line)};
    keep_own(r, &alert, &r->supervisor);
    buf_done(&line);
    buf_done(&rule);
    return 0;
}

/* What a rule would have found in the past. */
static int take_retro(struct role *r, const struct frame *frame)
{
    const struct triage_ctx *c = r->ctx;
    struct say_alert m;
    if (say_alert_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    m.seq = m.last_seq = c->next;
    keep_own(r, &m, role_link(r, ROLE_RETRO));
    return 0;
}

/* ---- sources ----------------------------------------------------------------------------- */

/* Time has passed: what is found about sources, and what was learned, into the database. */
static int take_watched(struct role *r, const struct frame *frame)
{
    struct triage_ctx *c = r->ctx;
    struct say_watched m;
    struct state_alert alert;
    if (say_watched_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    source_watch_pass(&c->sources, m.time);
    bool news = source_watch_next(&c->sources, &alert);
    if (!news && !source_watch_wants_save(&c->sources)) return 0;
    int error = begin(c);
    for (; news && error == 0; news = source_watch_next(&c->sources, &alert)) {
        alert.seq = alert.last_seq = c->next;
        error = keep_alert(r, &alert);
    }
    if (error == 0) error = source_watch_save(&c->sources, c->state, false);
    if (error) give_up(r, "state-failed", error);
    else commit(r);
    return 0;
}

/* ---- what people do ---------------------------------------------------------------------- */

/* Who did it hears of it when it is durable; with what was told meanwhile. */
static int take_act(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct triage_ctx *c = r->ctx;
    struct say_act m;
    enum desk_status status = DESK_DONE;
    if (say_act_read(frame->payload, &m) != 0 || m.actor.len > DESK_ACTOR_MAX ||
        m.once.len > DESK_ONCE_MAX || m.asked.len > DESK_ONCE_MAX)
        return ERR_CORRUPT;
    const struct desk_request request = {.actor = m.actor,
                                         .tenant = m.tenant,
                                         .kind = m.kind,
                                         .body = m.body,
                                         .now = clock_realtime(&r->clock),
                                         .once = m.once,
                                         .asked = m.asked};
    buf_clear(&c->acted);
    int error = begin(c);
    if (error == 0) error = desk_act(c->desk, &request, &c->acted, &status);
    if (error) {
        give_up(r, "state-failed", error);
        return 0;
    }
    commit(r);
    struct link *link = role_link(r, peer);
    if (r->stopping || c->open) return 0;
    c->acts += status == DESK_DONE;
    if (!link_is_open(link)) return 0;
    say_acted_write(link_out(link), &(struct say_acted){.client = m.client,
                                                        .status = (uint8_t)status,
                                                        .body = buf_slice(&c->acted)});
    link_flush(link);
    return 0;
}

static int take_probe(struct role *r, const struct frame *frame)
{
    struct triage_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_CANARY);
    struct say_probe m;
    if (frame->type != SAY_PROBE || say_probe_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    const struct say_seen seen = {.number = m.number,
                                  .sights = (c->canary_kept == m.number ? CANARY_KEPT : 0u) |
                                            (c->canary_handed == m.number ? CANARY_HANDED : 0u),
                                  .when = clock_realtime(&r->clock)};
    say_seen_write(link_out(link), &seen);
    link_flush(link);
    return 0;
}

/* ---- what becomes of pages --------------------------------------------------------------- */

/* What oncall said goes into the next transaction; within `wait`. */
static int apply(struct role *r, int error, nsec wait)
{
    struct triage_ctx *c = r->ctx;
    if (error) {
        give_up(r, "state-failed", error);
        return 0;
    }
    return loop_timer_set(r->loop, &c->commit, wait, 0);
}

static int take_taken(struct role *r, const struct frame *frame)
{
    struct triage_ctx *c = r->ctx;
    struct say_taken_page m;
    if (say_taken_page_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    bool was_open = c->open;
    int error = begin(c);
    if (error == 0) error = desk_handed_over(c->desk, m.id);
    return was_open && error == 0 ? 0 : apply(r, error, COMMIT_ADVANCE * NSEC_PER_MSEC);
}

static int take_paged(struct role *r, const struct frame *frame)
{
    struct triage_ctx *c = r->ctx;
    struct say_paged m;
    if (say_paged_read(frame->payload, &m) != 0 || m.who.len > DESK_ACTOR_MAX) return ERR_CORRUPT;
    const struct desk_paged paged = {.id = m.id,
                                     .tenant = m.tenant,
                                     .incident = m.incident,
                                     .what = m.what,
                                     .time = m.time,
                                     .who = m.who};
    int error = begin(c);
    if (error == 0) error = desk_take_paged(c->desk, &paged, clock_realtime(&r->clock));
    say_noted_write(&c->noted, &(struct say_noted){.id = m.id});
    if (error == 0) error = buf_error(&c->noted);
    return apply(r, error, COMMIT_ALERTS * NSEC_PER_MSEC);
}

static int take_from_oncall(struct role *r, const struct frame *frame)
{
    if (frame->type == SAY_TAKEN_PAGE) return take_taken(r, frame);
    return frame->type == SAY_PAGED ? take_paged(r, frame) : ERR_CORRUPT;
}

static int triage_command(struct role *r, const struct frame *frame)
{
    return frame->type == SAY_TROUBLE ? take_trouble(r, frame) : ERR_CORRUPT;
}

static int triage_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct triage_ctx *c = r->ctx;
    if (peer == ROLE_DETECT && frame->type == SAY_ALERT) return take_alert(r, frame);
    if (peer == ROLE_DETECT && frame->type == SAY_KEPT) return take_kept(r, frame);
    if (peer == ROLE_DETECT && frame->type == SAY_ADVANCE) return take_advance(r, frame);
    if (peer == ROLE_DETECT && frame->type == SAY_QUARANTINE) return take_quarantine(r, frame);
    if (peer == ROLE_DETECT && frame->type == SAY_SIGHTED) return take_sighted(r, frame);
    if (peer == ROLE_DETECT && frame->type == SAY_WATCHED) return take_watched(r, frame);
    if (peer == ROLE_DETECT && frame->type == SAY_RESET) {
        buf_clear(&c->held);
        return 0;
    }
    if (peer == ROLE_RETRO && frame->type == SAY_ALERT) return take_retro(r, frame);
    if (peer == ROLE_ONCALL) return take_from_oncall(r, frame);
    if (peer == ROLE_CANARY) return take_probe(r, frame);
    bool front = peer == ROLE_CONTROL || peer == ROLE_WEB;
    if (front && frame->type == SAY_WATCH) return watchers_take(&c->watchers, r, peer, frame);
    if (front && frame->type == SAY_UNWATCH) return watchers_leave(&c->watchers, peer, frame);
    if (front && frame->type == SAY_ACT) return take_act(r, peer, frame);
    return ERR_CORRUPT;
}

/* ---- the role ---------------------------------------------------------------------------- */

struct recounting {
    struct role *role;
    bool full; /* there was no room for the next one */
};

static bool tell_tuple(void *ctx, const struct state_tuple *t)
{
    struct recounting *re = ctx;
    struct triage_ctx *c = re->role->ctx;
    struct link *link = role_link(re->role, ROLE_DETECT);
    re->full = link_room(link) < t->body.len + t->rule.len + 1024;
    if (re->full) return false;
    say_kept_write(
        link_out(link),
        &(struct say_kept){.rule = t->rule, .names = t->names, .time = t->time, .body = t->body});
    c->told_tuple = t->id;
    return true;
}

/* What correlations knew, as far as there is room; the rest follows when there is. */
static void tell_detect(struct role *r)
{
    struct triage_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_DETECT);
    struct recounting re = {.role = r};
    uint64_t before;
    if (c->told_tuple == UINT64_MAX || !link_is_open(link)) return;
    do {
        before = c->told_tuple;
        int error = state_tuples(c->state, before, ROWS_AT_ONCE, tell_tuple, &re);
        if (error) {
            give_up(r, "state-failed", error);
            return;
        }
        link_flush(link);
        if (re.full || !link_is_open(link)) return;
    } while (c->told_tuple > before);
    c->told_tuple = UINT64_MAX;
    say_begin_write(link_out(link),
                    &(struct say_begin){.next = c->next, .correlated = c->correlated});
    link_flush(link);
}

static void tell_quarantined(struct role *r)
{
    struct triage_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_DETECT);
    uint64_t records[ENGINE_SKIPPED_MAX];
    uint32_t n = 0;
    int error = state_quarantined(c->state, records, ENGINE_SKIPPED_MAX, &n);
    for (uint32_t i = 0; i < n; i++)
        say_quarantine_write(link_out(link), &(struct say_quarantine){.seq = records[i]});
    if (error) give_up(r, "state-failed", error);
}

static void triage_peer(struct role *r, enum serve_role peer)
{
    struct triage_ctx *c = r->ctx;
    struct link *link = role_link(r, peer);
    if (peer == ROLE_DETECT) {
        commit(r);
        c->told_tuple = 0;
        tell_quarantined(r);
        tell_detect(r);
    } else if (peer == ROLE_ONCALL) {
        /* A new one may not have what the one before had not answered. */
        commit(r);
        c->handed = 0;
        buf_clear(&c->noted);
        tell_oncall(r);
    } else if (peer == ROLE_STORE) {
        say_matched_write(link_out(link), &(struct say_matched){.next = c->committed});
        link_flush(link);
    }
}

static void triage_lost(struct role *r, enum serve_role peer)
{
    struct triage_ctx *c = r->ctx;
    if (peer == ROLE_DETECT) buf_clear(&c->held);
    watchers_lost(&c->watchers, peer);
}

static void triage_room(struct role *r, enum serve_role peer)
{
    struct triage_ctx *c = r->ctx;
    if (peer == ROLE_CONTROL || peer == ROLE_WEB) watchers_tell(&c->watchers, r);
    if (peer == ROLE_DETECT) tell_detect(r);
    if (peer == ROLE_ONCALL) tell_oncall(r);
}

static int open_models(struct role *r, struct diag *diag)
{
    struct triage_ctx *c = r->ctx;
    uint64_t seeds[2];
    nsec now = clock_realtime(&r->clock);
    if (getrandom(seeds, sizeof seeds, 0) != sizeof seeds) return ERR_IO;
    int error = desk_open(c->state, seeds[0], now, &c->desk);
    if (error)
        return diag_set(diag, error, NULL, 0, 0, "incidents cannot be read: %s", error_text(error));
    return source_watch_open(&c->sources, &r->config, c->state, seeds[1], now, diag);
}

static int triage_prepare(struct role *r, struct diag *diag)
{
    struct triage_ctx *c = r->ctx;
    const char *folder = role_make_folder(r, "state", diag);
    const char *path = arena_printf(&r->config.arena, "%s/vaka.db", folder ? folder : "");
    if (!folder || !path) return ERR_ACCESS;
    role_keep_folder(r, folder);
    /* SQLite asks for randomness here, and for pages of a database that may need recovery. */
    role_keep_path(r, "/dev/urandom");
    buf_init(&c->held, HELD_MAX);
    buf_init(&c->acted, ACTED_MAX);
    buf_init(&c->noted, HELD_MAX);
    c->commit = (struct loop_timer){.due = commit_due, .ctx = r};
    int error = state_open(path, &c->state, diag);
    c->watchers.state = c->state;
    if (error == 0) error = state_matched(c->state, &c->committed);
    if (error == 0) error = state_correlated(c->state, &c->correlated);
    if (error == 0) error = open_models(r, diag);
    if (error == 0) error = state_last_alert(c->state, &c->watchers.last_alert);
    c->told_tuple = UINT64_MAX;
    c->next = c->committed;
    return error;
}

static void triage_status(struct role *r, struct buf *out)
{
    struct triage_ctx *c = r->ctx;
    json_write_member_u64(out, "matched", c->committed);
    json_write_member_u64(out, "alerts_added", c->added);
    json_write_member_u64(out, "alerts_counted", c->counted);
    json_write_member_u64(out, "commits", c->commits);
    json_write_member_u64(out, "acts", c->acts);
    source_watch_status(&c->sources, out);
}

static void triage_stop(struct role *r)
{
    struct triage_ctx *c = r->ctx;
    int error = begin(c);
    if (error == 0) error = source_watch_save(&c->sources, c->state, true);
    if (error) state_rollback(c->state);
    else commit(r);
    source_watch_close(&c->sources);
    desk_close(c->desk);
    state_close(c->state);
    role_end(r, 0);
}

const struct role_ops role_triage = {
    .ctx_size = sizeof(struct triage_ctx),
    .prepare = triage_prepare,
    .peer = triage_peer,
    .lost = triage_lost,
    .room = triage_room,
    .frame = triage_frame,
    .command = triage_command,
    .status = triage_status,
    .stop = triage_stop,
};
