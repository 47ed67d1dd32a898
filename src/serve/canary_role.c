/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The process that proves that the watch is awake (docs/design/0013). It sends records of its own
 * the way of all others, asks each stage what it saw, and says aloud which one is broken.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/json_write.h"
#include "base/time.h"
#include "desk/handover.h"
#include "detect/sigma/doc.h"
#include "serve/canary.h"

enum {
    STATE_MAX = 128 * 1024,
    RECORD_BYTES = 512,
};
#define TICK (250 * NSEC_PER_MSEC)

struct canary_ctx {
    struct canary canary;
    struct beat beat;
    struct drill drill;
    struct buf answer;
    bool loud; /* a page, as oncall said last */
    struct wire record, body;
    struct relp_sender relp;
    struct loop_timer tick;
    struct bookmark bookmark;
    struct buf state;
    uint64_t unsaved; /* times the state could not be written */
    struct outage {
        uint64_t number; /* that oncall is to hear of, or heard of; 0: none */
        bool taken, over, over_taken;
        bool said; /* on the channel that there is now; what is not taken then is said again */
    } outage;
};

/* Who is asked what he saw. */
static const struct {
    enum serve_role role;
    enum canary_witness who;
} asked[] = {
    {ROLE_DETECT, CANARY_BY_DETECT},
    {ROLE_TRIAGE, CANARY_BY_TRIAGE},
    {ROLE_ONCALL, CANARY_BY_ONCALL},
    {ROLE_NOTIFY, CANARY_BY_NOTIFY},
};

static void judge(struct role *r);

/* ---- what the records are ---------------------------------------------------------------- */

static void put_time(struct role *r, struct buf *out)
{
    time_write_rfc3339(out, clock_realtime(&r->clock));
}

/* {"vaka":{"canary":"12","way":"body"}} */
static void put_number(const struct canary_ctx *c, const char *way, struct buf *out)
{
    buf_printf(out, "{\"vaka\":{\"canary\":\"%" PRIu64 "\",\"way\":\"%s\"}}", c->canary.number,
               way);
}

static void send_record(struct role *r)
{
    struct canary_ctx *c = r->ctx;
    struct buf record;
    if (wire_open(&c->record, LISTEN_RELP, RECORD_MARK_CANARY) != 0) return;
    buf_init(&record, RECORD_BYTES);
    buf_puts(&record, "<110>1 ");
    put_time(r, &record);
    buf_puts(&record, " vaka vaka-canary - - - ");
    put_number(c, "record", &record);
    relp_sender_open(&c->relp, &c->record.out);
    relp_sender_record(&c->relp, buf_slice(&record), &c->record.out);
    buf_done(&record);
    wire_flush(&c->record);
}

static void send_body(struct role *r)
{
    struct canary_ctx *c = r->ctx;
    struct buf body;
    if (wire_open(&c->body, LISTEN_HTTP, RECORD_MARK_CANARY) != 0) return;
    buf_init(&body, RECORD_BYTES);
    put_number(c, "body", &body);
    buf_putc(&body, '\n');
    wire_put_body(&c->body, buf_slice(&body));
    buf_done(&body);
    wire_flush(&c->body);
}

/* ---- what was seen ----------------------------------------------------------------------- */

static bool has_seen(const struct canary_ctx *c, uint32_t sight)
{
    return (c->canary.sights & sight) != 0;
}

static void record_moved(void *ctx, bool ended)
{
    struct role *r = ctx;
    struct canary_ctx *c = r->ctx;
    int error = relp_sender_read(&c->relp, &c->record.in);
    uint32_t sights = (c->relp.answered > 0 ? CANARY_OPENED : 0u) |
                      (relp_sender_stored(&c->relp) > 0 ? CANARY_STORED : 0u);
    canary_saw(&c->canary, c->canary.number, CANARY_BY_ITSELF, sights, SLICE_NONE);
    if (!ended && (error || (sights & CANARY_STORED))) wire_close(&c->record);
    judge(r);
}

static void body_moved(void *ctx, bool ended)
{
    struct role *r = ctx;
    struct canary_ctx *c = r->ctx;
    unsigned status = wire_answer(&c->body, ended);
    if (status == 200)
        canary_saw(&c->canary, c->canary.number, CANARY_BY_ITSELF, CANARY_UNWRAPPED, SLICE_NONE);
    if (status && !ended) wire_close(&c->body);
    judge(r);
}

/* ---- pages -------------------------------------------------------------------------------- */

/*
 * Somebody is paged for what is broken up to triage: behind that there is nobody who could, and it
 * is the watchdog that hears of it. The end of it is told to who was told of its beginning.
 */
static void put_title(const struct canary *k, struct buf *out)
{
    char text[CANARY_TEXT_MAX + 160];
    buf_putc(out, '{');
    (void)snprintf(text, sizeof text, "Vakan är inte vaken: %s är trasigt",
                   canary_stage_name(k->broken));
    json_write_member_string(out, "sv", slice_of(text));
    (void)snprintf(text, sizeof text, "The watch is not awake: %s is broken (%.*s)",
                   canary_stage_name(k->broken), SLICE_FMT(canary_why(k, k->broken)));
    json_write_member_string(out, "en", slice_of(text));
    buf_putc(out, '}');
}

static void say_outage(struct role *r)
{
    const struct canary_ctx *c = r->ctx;
    const struct outage *o = &c->outage;
    struct link *link = role_link(r, ROLE_ONCALL);
    struct buf title;
    if (o->over) {
        say_settled_write(link_out(link), &(struct say_settled){.id = o->number + 1,
                                                                .how = HANDOVER_CLOSED,
                                                                .into = o->number,
                                                                .who = SLICE("vaka")});
        return;
    }
    buf_init(&title, 4096);
    put_title(&c->canary, &title);
    say_page_write(link_out(link), &(struct say_page){.id = o->number,
                                                      .incident = o->number,
                                                      .level = LEVEL_CRITICAL,
                                                      .why = HANDOVER_NEW,
                                                      .first_activity = c->canary.since,
                                                      .detected = c->canary.since,
                                                      .service = SLICE("vaka"),
                                                      .title = buf_slice(&title)});
    buf_done(&title);
}

static void page(struct role *r)
{
    struct canary_ctx *c = r->ctx;
    const struct canary *k = &c->canary;
    struct outage *o = &c->outage;
    struct link *link = role_link(r, ROLE_ONCALL);
    if (k->outage && k->broken <= CANARY_TRIAGE && o->number != k->outage)
        *o = (struct outage){.number = k->outage};
    bool ended = o->number && !o->over && k->outage != o->number;
    if (ended && !o->taken && !o->said) o->number = 0; /* nobody was told */
    if (ended && o->taken) {
        o->over = true;
        o->said = false;
    }
    bool done = o->number == 0 || (o->over ? o->over_taken : o->taken);
    if (done || o->said || !link_is_open(link)) return;
    say_outage(r);
    link_flush(link);
    o->said = true;
}

static int take_taken(struct role *r, const struct frame *frame)
{
    struct canary_ctx *c = r->ctx;
    struct say_taken_page m;
    if (say_taken_page_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    if (m.id == c->outage.number) c->outage.taken = true;
    if (m.id == c->outage.number + 1) c->outage.over_taken = true;
    page(r);
    return 0;
}

static void canary_peer(struct role *r, enum serve_role peer)
{
    struct canary_ctx *c = r->ctx;
    if (peer != ROLE_ONCALL) return;
    c->outage.said = false;
    page(r);
}

static int take_seen(struct role *r, enum canary_witness who, const struct frame *frame)
{
    struct canary_ctx *c = r->ctx;
    struct say_seen m;
    if (frame->type != SAY_SEEN || say_seen_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    canary_saw(&c->canary, m.number, who, m.sights, m.wrong);
    if (who == CANARY_BY_ONCALL) c->loud = (m.sights & CANARY_LOUD) != 0;
    judge(r);
    return 0;
}

static int take_act(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct canary_ctx *c = r->ctx;
    struct link *link = role_link(r, peer);
    struct say_act m;
    if (say_act_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    buf_clear(&c->answer);
    unsigned status = drill_act(&c->drill, m.kind, m.actor, m.body, &c->answer);
    say_acted_write(link_out(link), &(struct say_acted){.client = m.client,
                                                        .status = (uint8_t)status,
                                                        .body = buf_slice(&c->answer)});
    link_flush(link);
    return 0;
}

static int canary_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    bool front = peer == ROLE_CONTROL || peer == ROLE_WEB;
    if (front && frame->type == SAY_ACT) return take_act(r, peer, frame);
    if (peer == ROLE_ONCALL && frame->type == SAY_TAKEN_PAGE) return take_taken(r, frame);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        if (asked[i].role == peer) return take_seen(r, asked[i].who, frame);
    return ERR_CORRUPT;
}

static void ask_all(struct role *r)
{
    const struct canary_ctx *c = r->ctx;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct link *link = role_link(r, asked[i].role);
        /* Who does not read has not answered what he was asked before. */
        if (!link_is_open(link) || link_waiting(link) > 0) continue;
        say_probe_write(link_out(link), &(struct say_probe){.number = c->canary.number});
        link_flush(link);
    }
}

/* ---- what is said of it ------------------------------------------------------------------ */

static void count_unsaved(struct role *r, int error)
{
    struct canary_ctx *c = r->ctx;
    if (error && c->unsaved++ == 0)
        role_alarm(r, "bookmark-failed",
                   SLICE("what the canary found cannot be kept: after a restart of vaka serve it "
                         "is not known"));
}

static void save(struct role *r, bool sync)
{
    struct canary_ctx *c = r->ctx;
    buf_clear(&c->state);
    canary_write(&c->state, &c->canary);
    int error = buf_error(&c->state);
    if (error == 0) error = bookmark_put(&c->bookmark, buf_slice(&c->state));
    if (error == 0 && sync) error = bookmark_sync(&c->bookmark);
    count_unsaved(r, error);
}

static void announce(struct role *r)
{
    const struct canary_ctx *c = r->ctx;
    const struct canary *k = &c->canary;
    struct buf text;
    char event[64];
    if (k->broken == CANARY_NOTHING) {
        log_write(LOG_CANARY_WELL, LOG_NUMBER("number", k->number));
        return;
    }
    buf_init(&text, 2 * (size_t)CANARY_TEXT_MAX);
    buf_printf(&text, "%s: ", canary_stage_name(k->broken));
    buf_put(&text, canary_why(k, k->broken));
    /* Of each stage by itself: what is alike is one alert. */
    (void)snprintf(event, sizeof event, "canary-broken-%s", canary_stage_name(k->broken));
    role_alarm(r, event, buf_slice(&text));
    buf_done(&text);
}

static void judge(struct role *r)
{
    struct canary_ctx *c = r->ctx;
    if (!c->canary.running) return;
    bool changed = canary_judge(&c->canary, clock_monotonic(&r->clock), clock_realtime(&r->clock));
    if (c->canary.running) return;
    wire_close(&c->record);
    wire_close(&c->body);
    save(r, changed);
    if (changed) announce(r);
    page(r);
}

/* ---- turns ------------------------------------------------------------------------------- */

static void on_tick(void *ctx)
{
    struct role *r = ctx;
    struct canary_ctx *c = r->ctx;
    nsec now = clock_monotonic(&r->clock);
    beat_tick(&c->beat, &c->canary, c->loud);
    drill_tick(&c->drill);
    if (r->config.canary_every == 0) return;
    if (canary_is_due(&c->canary, now))
        (void)canary_begin(&c->canary, now, clock_realtime(&r->clock));
    if (!c->canary.running) return;
    if (!has_seen(c, CANARY_STORED) && !wire_is_open(&c->record)) send_record(r);
    if (!has_seen(c, CANARY_UNWRAPPED) && !wire_is_open(&c->body)) send_body(r);
    ask_all(r);
    judge(r);
}

/* ---- the role ---------------------------------------------------------------------------- */

static int read_state(struct role *r, struct diag *diag)
{
    struct canary_ctx *c = r->ctx;
    const char *folder = role_make_folder(r, "canary", diag);
    const char *path = arena_printf(&r->config.arena, "%s/state", folder ? folder : "");
    if (!folder || !path) return ERR_ACCESS;
    int error = bookmark_open(&c->bookmark, path, &c->state, diag);
    if (error || c->state.len == 0) return error;
    error = canary_read(&c->canary, buf_slice(&c->state), clock_realtime(&r->clock));
    return error ? diag_set(diag, error, NULL, 0, 0, "%s is not what the canary wrote", path) : 0;
}

static int canary_prepare(struct role *r, struct diag *diag)
{
    struct canary_ctx *c = r->ctx;
    /* Numbers grow over everything that is forgotten. */
    uint64_t number = (uint64_t)(clock_realtime(&r->clock) / NSEC_PER_SEC);
    canary_init(&c->canary,
                &(struct canary_options){.every = r->config.canary_every,
                                         .within = r->config.canary_within},
                number);
    buf_init(&c->state, STATE_MAX);
    buf_init(&c->answer, STATE_MAX);
    wire_init(&c->record, r, record_moved, r);
    wire_init(&c->body, r, body_moved, r);
    c->tick = (struct loop_timer){.due = on_tick, .ctx = r};
    int error = read_state(r, diag);
    if (error == 0) error = drill_prepare(&c->drill, r, diag);
    return error ? error : beat_prepare(&c->beat, r, diag);
}

static int canary_start(struct role *r)
{
    struct canary_ctx *c = r->ctx;
    return loop_timer_set(r->loop, &c->tick, TICK, TICK);
}

static void put_seconds(struct buf *out, const char *name, nsec time)
{
    json_write_member_u64(out, name, (uint64_t)(time / NSEC_PER_SEC));
}

static void put_proven(const struct canary *k, struct buf *out)
{
    json_write_key(out, "proven");
    buf_putc(out, '{');
    for (unsigned i = 0; i < CANARY_STAGE_COUNT; i++)
        put_seconds(out, canary_stage_name(i), k->proven[i]);
    buf_putc(out, '}');
}

static void put_changes(const struct canary *k, struct buf *out)
{
    json_write_key(out, "changes");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < k->n_changes; i++) {
        if (i) buf_putc(out, ',');
        buf_putc(out, '{');
        put_seconds(out, "at", k->changes[i].at);
        json_write_member_string(out, "broken", slice_of(canary_stage_name(k->changes[i].stage)));
        json_write_member_string(out, "why", slice_of(k->changes[i].text));
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}

static void canary_status(struct role *r, struct buf *out)
{
    const struct canary_ctx *c = r->ctx;
    const struct canary *k = &c->canary;
    put_seconds(out, "now", clock_realtime(&r->clock));
    put_seconds(out, "every", k->options.every);
    put_seconds(out, "within", k->options.within);
    json_write_member_string(out, "broken", slice_of(canary_stage_name(k->broken)));
    put_seconds(out, "since", k->since);
    json_write_member_string(
        out, "why", k->n_changes ? slice_of(k->changes[k->n_changes - 1].text) : SLICE_NONE);
    json_write_member_u64(out, "unset", k->unset);
    json_write_member_u64(out, "passed", k->passed);
    json_write_member_u64(out, "failed", k->failed);
    json_write_member_u64(out, "took_ms", (uint64_t)(k->took / NSEC_PER_MSEC));
    put_proven(k, out);
    put_changes(k, out);
    beat_status(&c->beat, out);
    drill_status(&c->drill, out);
}

static void canary_stop(struct role *r)
{
    struct canary_ctx *c = r->ctx;
    wire_close(&c->record);
    wire_close(&c->body);
    beat_stop(&c->beat);
    drill_stop(&c->drill);
    save(r, true);
    role_end(r, 0);
}

const struct role_ops role_canary = {
    .ctx_size = sizeof(struct canary_ctx),
    .prepare = canary_prepare,
    .start = canary_start,
    .peer = canary_peer,
    .frame = canary_frame,
    .status = canary_status,
    .stop = canary_stop,
};
