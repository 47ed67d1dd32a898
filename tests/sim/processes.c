/* SPDX-License-Identifier: EUPL-1.2 */
/* Triage and oncall as serve/triage_role.c and serve/oncall_role.c have them, without their loops.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/time.h"
#include "detect/sigma/doc.h"
#include "notify/notify.h"
#include "state/db.h"
#include "state/state.h"
#include "usual_limits.h"
#include "world.h"

const char sim_plan[] =
    "zone: Europe/Stockholm\n"
    "digest: never\n"
    "proof: p1 10:00\n"
    "people:\n"
    "  - {id: p0, name: Anna, contacts: [{channel: sms, address: '+46700000000'},"
    " {channel: voice, address: '+46700000000', after: 2m}]}\n"
    "  - {id: p1, name: Bo, contacts: [{channel: sms, address: '+46700000001'},"
    " {channel: mail, address: p1@example.se}]}\n"
    "  - {id: p2, name: Cia, contacts: [{channel: mail, address: p2@example.se},"
    " {channel: sms, address: '+46700000002', after: 3m}]}\n"
    "  - {id: p3, name: Dan, contacts: [{channel: sms, address: '+46700000003'}]}\n"
    "  - {id: p4, name: Eva}\n"
    "teams:\n"
    "  - {id: soc, rotations: [{order: [p0, p1, p2], since: 2023-01-02}]}\n"
    "  - {id: night, cover: oncall, rotations: [{order: [p1, p0], since: 2023-01-02, hours: "
    "oncall}]}\n"
    "  - {id: empty, rotations: [{order: [p3], since: 2040-01-02}]}\n"
    "policies:\n"
    "  - {id: a, steps: [{targets: [{oncall: soc}], wait: 5m}, {targets: [{person: p3}], wait: "
    "5m}],"
    " repeat: 1, fallback: [{person: p1}]}\n"
    "  - {id: b, steps: [{targets: [{oncall: empty}], wait: 5m}, {targets: [{person: p4}], wait: "
    "5m},"
    " {targets: [{oncall: soc}, {oncall: night}], wait: 10m}]}\n"
    "  - {id: c, everyone_must_ack: true, steps: [{targets: [{person: p0}, {person: p3}], wait: "
    "8m}]}\n"
    "rules:\n"
    "  - {level: critical, hours: oncall, page: b}\n"
    "  - {level: critical, page: c}\n"
    "  - {level: high, page: a}\n"
    "  - {level: medium, hours: oncall, wait_until: '07:00', page: a}\n"
    "  - {level: medium, page: a}\n"
    "  - {never: true}\n";

/* ---- ends -------------------------------------------------------------------------------- */

static void enter(struct world *w, enum process p)
{
    fault_arm(w->calm ? 0 : w->statements[p]);
}

/* Behind a call: what is left of its life. False: it has ended in it. */
static bool leave(struct world *w, enum process p, int error)
{
    const bool ended = !w->calm && fault_left() == 0;
    if (!w->calm) w->statements[p] = fault_left();
    fault_arm(0);
    if (ended) process_end(w, p);
    else if (error) wrong(w, "process %d failed: %s", (int)p, error_text(error));
    return !ended;
}

static uint64_t life(struct world *w)
{
    return 1 + (chance(w, 20) ? pick(w, 60) : pick(w, 6000));
}

void process_end(struct world *w, enum process p)
{
    if (!w->up[p]) return;
    w->up[p] = false;
    w->epoch[p]++;
    w->f.ends++;
    if (p == TRIAGE) {
        state_rollback(w->state);
        desk_close(w->desk);
        w->desk = NULL;
        if (w->up[ONCALL]) {
            int error = oncall_triage(w->oncall, false);
            if (error) wrong(w, "%s", error_text(error));
        }
    } else if (p == ONCALL) {
        db_rollback(w->db);
        oncall_close(w->oncall);
        w->oncall = NULL;
    } else if (w->up[ONCALL]) {
        enter(w, ONCALL);
        int error = oncall_senders(w->oncall, false, time_now(w));
        (void)leave(w, ONCALL, error);
    }
    push(w, chance(w, 5) ? (nsec)pick(w, 600) * SECOND : (nsec)pick(w, 2000) * NSEC_PER_MSEC,
         EVENT_START)
        ->x = (unsigned)p;
}

/* ---- triage ------------------------------------------------------------------------------ */

static struct event *to_oncall(struct world *w, enum event_kind kind)
{
    struct event *e = push(w, (nsec)pick(w, 3) * NSEC_PER_MSEC, kind);
    e->from = w->epoch[TRIAGE];
    e->to = w->epoch[ONCALL];
    return e;
}

static bool tell_handover(void *ctx, const struct desk_handover *h)
{
    struct world *w = ctx;
    struct event *e = to_oncall(w, h->how ? EVENT_SETTLED : EVENT_HANDOVER);
    e->a = h->id;
    e->b = h->incident;
    e->tenant = h->tenant;
    e->x = h->how ? h->how : h->level;
    e->y = h->how ? (unsigned)h->into : h->why;
    e->time = h->detected;
    (void)snprintf(e->text, sizeof e->text, "%.*s", SLICE_FMT(h->how ? h->who : h->service));
    w->handed = h->id;
    return true;
}

static void tell_oncall(struct world *w)
{
    if (!w->up[TRIAGE] || !w->up[ONCALL]) return;
    enter(w, TRIAGE);
    (void)leave(w, TRIAGE, desk_handovers(w->desk, w->handed, tell_handover, w));
}

static int add_alert(struct world *w, const struct event *e)
{
    char line[1024], time[40], rule[24], user[24];
    struct buf text = {.ptr = time, .cap = sizeof time, .max = sizeof time};
    bool is_new;
    const nsec now = real_now(w);
    time_write_rfc3339(&text, now);
    (void)snprintf(rule, sizeof rule, "rule-%llu", (unsigned long long)e->a);
    (void)snprintf(user, sizeof user, "u%llu", (unsigned long long)e->b);
    int n = snprintf(line, sizeof line,
                     "{\"time\":\"%.*s\",\"rule\":{\"id\":\"%s\",\"title\":\"%s\",\"level\":\"%s\","
                     "\"tags\":[]},\"host\":null,\"entities\":{\"user.name\":[\"%s\"]},"
                     "\"event\":{}}\n",
                     (int)text.len, text.ptr, rule, rule, sigma_level_name((enum sigma_level)e->x),
                     user);
    const struct state_alert alert = {.seq = w->seq,
                                      .last_seq = w->seq,
                                      .count = 1,
                                      .level = e->x,
                                      .time = now,
                                      .received = now,
                                      .last_received = now,
                                      .rule = slice_of(rule),
                                      .title = slice_of(rule),
                                      .entity = slice_of(user),
                                      .line = slice_make(line, (size_t)n)};
    int error = state_begin(w->state);
    if (error == 0) error = desk_add_alert(w->desk, &alert, HOUR, now, &is_new);
    if (error == 0) error = state_set_matched(w->state, w->seq + 1);
    return error ? error : state_commit(w->state);
}

/* Detect says it again until it is matched: the position is committed with it. */
void triage_alert(struct world *w, const struct event *e)
{
    struct event again = *e;
    uint64_t matched = 0;
    bool lives = false;
    if (w->up[TRIAGE]) {
        enter(w, TRIAGE);
        lives = leave(w, TRIAGE, add_alert(w, e));
    }
    if (!lives && (state_matched(w->state, &matched) != 0 || matched <= w->seq)) {
        struct event *later = push(w, SECOND, EVENT_ALERT);
        const nsec at = later->at;
        const uint64_t order = later->order;
        *later = again;
        later->at = at;
        later->order = order;
        return;
    }
    w->seq++;
    if (again.y) {
        struct event *next = push(w, (nsec)pick(w, 20) * SECOND, EVENT_ALERT);
        next->a = again.a + (chance(w, 30) ? 1 + pick(w, 3) : 0);
        next->b = again.b;
        next->x = chance(w, 15) ? 2 + (unsigned)pick(w, 4) : again.x;
        next->y = again.y - 1;
    }
    tell_oncall(w);
}

void triage_taken(struct world *w, const struct event *e)
{
    enter(w, TRIAGE);
    int error = state_begin(w->state);
    if (error == 0) error = desk_handed_over(w->desk, e->a);
    if (error == 0) error = state_commit(w->state);
    (void)leave(w, TRIAGE, error);
}

void triage_paged(struct world *w, const struct event *e)
{
    const struct desk_paged m = {.id = e->a,
                                 .tenant = e->tenant,
                                 .incident = e->b,
                                 .what = e->x,
                                 .time = e->time,
                                 .who = slice_of(e->text)};
    const uint64_t id = e->a;
    enter(w, TRIAGE);
    int error = state_begin(w->state);
    if (error == 0) error = desk_take_paged(w->desk, &m, real_now(w));
    if (error == 0) error = state_commit(w->state);
    if (leave(w, TRIAGE, error)) to_oncall(w, EVENT_NOTED)->a = id;
}

bool triage_act(struct world *w, const char *kind, const char *body)
{
    enum desk_status status = DESK_DONE;
    struct buf out;
    if (!w->up[TRIAGE]) return false;
    buf_init(&out, 1024 * 1024);
    const struct desk_request request = {.actor = SLICE("worker"),
                                         .kind = slice_of(kind),
                                         .body = slice_of(body),
                                         .now = real_now(w)};
    enter(w, TRIAGE);
    int error = state_begin(w->state);
    if (error == 0) error = desk_act(w->desk, &request, &out, &status);
    if (error == 0) error = state_commit(w->state);
    bool lives = leave(w, TRIAGE, error);
    buf_done(&out);
    tell_oncall(w);
    return lives && status == DESK_DONE;
}

/* ---- oncall ------------------------------------------------------------------------------ */

/* What is no page is not looked at: it need not come, and nobody answers it. */
static void on_send(void *ctx, const struct oncall_send *m)
{
    if (m->page) gateway_take(ctx, m);
}

static void on_follow(void *ctx, const struct oncall_follow *m)
{
    (void)ctx;
    (void)m;
}

static void on_paged(void *ctx, const struct oncall_paged *m)
{
    struct world *w = ctx;
    struct event *e = push(w, (nsec)pick(w, 3) * NSEC_PER_MSEC, EVENT_PAGED);
    e->from = w->epoch[ONCALL];
    e->to = w->epoch[TRIAGE];
    e->a = m->id;
    e->b = m->incident;
    e->tenant = m->tenant;
    e->x = m->what;
    e->time = m->time;
    (void)snprintf(e->text, sizeof e->text, "%.*s", SLICE_FMT(m->who));
}

static void on_alarm(void *ctx, const char *event, struct slice text)
{
    struct world *w = ctx;
    (void)text;
    w->f.loud += strcmp(event, "page-loud") == 0;
}

static void on_random(void *ctx, void *out, size_t n)
{
    for (size_t i = 0; i < n; i++) ((uint8_t *)out)[i] = (uint8_t)pick(ctx, 256);
}

/* When it wants to be called. */
static void arm(struct world *w)
{
    if (!w->up[ONCALL]) return;
    nsec wait = oncall_next(w->oncall, time_now(w));
    w->wake++;
    if (wait >= 0) push(w, wait, EVENT_WAKE)->a = w->wake;
}

static bool end_call(struct world *w, int error)
{
    bool lives = leave(w, ONCALL, error);
    arm(w);
    return lives;
}

void oncall_wake(struct world *w, const struct event *e)
{
    if (!w->up[ONCALL] || e->a != w->wake) return;
    enter(w, ONCALL);
    (void)end_call(w, oncall_pass(w->oncall, time_now(w)));
}

void oncall_handover(struct world *w, const struct event *e, bool settled)
{
    int error;
    const uint64_t id = e->a;
    const struct oncall_settled over = {.id = e->a,
                                        .tenant = e->tenant,
                                        .incident = e->b,
                                        .how = e->x,
                                        .into = e->y,
                                        .who = slice_of(e->text)};
    const struct oncall_page page = {.id = e->a,
                                     .tenant = e->tenant,
                                     .incident = e->b,
                                     .level = e->x,
                                     .why = e->y,
                                     .first_activity = e->time,
                                     .detected = e->time,
                                     .service = slice_of(e->text),
                                     .title = SLICE("{}")};
    enter(w, ONCALL);
    if (settled) error = oncall_take_settled(w->oncall, &over, time_now(w));
    else error = oncall_take_page(w->oncall, &page, time_now(w));
    if (!end_call(w, error)) return;
    struct event *taken = push(w, (nsec)pick(w, 3) * NSEC_PER_MSEC, EVENT_TAKEN);
    taken->from = w->epoch[ONCALL];
    taken->to = w->epoch[TRIAGE];
    taken->a = id;
}

void oncall_noted_by(struct world *w, const struct event *e)
{
    enter(w, ONCALL);
    (void)end_call(w, oncall_take_noted(w->oncall, e->a, time_now(w)));
}

void oncall_heard(struct world *w, const struct event *e)
{
    char reference[24];
    (void)snprintf(reference, sizeof reference, "r%llu", (unsigned long long)e->a);
    const struct oncall_sent m = {
        .attempt = e->a, .outcome = e->x, .reference = slice_of(reference)};
    const uint64_t attempt = e->a;
    const bool taken = e->x == NOTIFY_ACCEPTED || e->x == NOTIFY_DELIVERED;
    enter(w, ONCALL);
    const bool lives = end_call(w, oncall_take_sent(w->oncall, &m, time_now(w)));
    /* A refusal may be durable even when nobody is there any more to say so. */
    if (!taken) w->made[attempt].told_at = 0;
    else if (lives) w->made[attempt].told_at = w->mono;
}

void oncall_reply(struct world *w, const struct event *e)
{
    const struct oncall_answered m = {.channel = e->x,
                                      .provider = SLICE("one"),
                                      .reference = slice_of(e->more),
                                      .from = SLICE("+46"),
                                      .text = slice_of(e->text)};
    enter(w, ONCALL);
    (void)end_call(w, oncall_take_answered(w->oncall, &m, time_now(w)));
}

bool oncall_do(struct world *w, const char *actor, const char *kind, const char *body)
{
    unsigned status = 0;
    struct buf out;
    if (!w->up[ONCALL]) return false;
    buf_init(&out, 4 * 1024 * 1024);
    const struct oncall_request request = {
        .actor = slice_of(actor), .kind = slice_of(kind), .body = slice_of(body)};
    enter(w, ONCALL);
    bool lives = end_call(w, oncall_act(w->oncall, &request, time_now(w), &out, &status));
    if (lives && status && strcmp(kind, "plan") == 0)
        wrong(w, "the plan: %.*s", (int)(out.len < 300 ? out.len : 300), out.ptr);
    buf_done(&out);
    return lives && status == 0;
}

/* ---- starts ------------------------------------------------------------------------------ */

static const char providers[] = "[{\"name\":\"one\",\"channels\":[\"sms\",\"voice\"]},"
                                "{\"name\":\"two\",\"channels\":[\"sms\"]},"
                                "{\"name\":\"own\",\"channels\":[\"mail\"],\"own\":true}]";

static void connect_senders(struct world *w)
{
    if (!w->up[ONCALL] || !w->up[NOTIFY]) return;
    enter(w, ONCALL);
    int error = oncall_senders(w->oncall, true, time_now(w));
    if (error == 0) error = oncall_take_providers(w->oncall, slice_of(providers), time_now(w));
    (void)end_call(w, error);
}

static void connect_triage(struct world *w)
{
    if (!w->up[TRIAGE] || !w->up[ONCALL]) return;
    enter(w, ONCALL);
    if (!end_call(w, oncall_triage(w->oncall, true))) return;
    w->handed = 0;
    tell_oncall(w);
}

static int open_oncall(struct world *w)
{
    struct diag diag = {0};
    struct oncall_out out = {.ctx = w,
                             .send = on_send,
                             .follow = on_follow,
                             .paged = on_paged,
                             .alarm = on_alarm,
                             .random = on_random,
                             .limits = usual_limits(),
                             .address = SLICE("https://v.se")};
    return oncall_open(w->db, &out, time_now(w), &w->oncall, &diag);
}

void process_start(struct world *w, enum process p)
{
    int error = 0;
    if (w->up[p]) return;
    w->up[p] = true;
    if (p != NOTIFY) w->statements[p] = life(w);
    fault_arm(0);
    if (p == TRIAGE) error = desk_open(w->state, 7, real_now(w), &w->desk);
    if (p == ONCALL) error = open_oncall(w);
    if (error) {
        w->up[p] = false;
        wrong(w, "process %d does not start: %s", (int)p, error_text(error));
        return;
    }
    if (p == ONCALL) arm(w);
    if (p != TRIAGE) connect_senders(w);
    if (p != NOTIFY) connect_triage(w);
}
