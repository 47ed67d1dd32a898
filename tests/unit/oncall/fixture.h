/* SPDX-License-Identifier: EUPL-1.2 */
/* Pages on a database of their own, with a clock, a plan and providers that are made up. */
#ifndef VAKA_TESTS_ONCALL_FIXTURE_H
#define VAKA_TESTS_ONCALL_FIXTURE_H

#include <stdio.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/time.h"
#include "detect/sigma/doc.h"
#include "notify/notify.h"
#include "notify/sms.h"
#include "oncall/oncall.h"
#include "oncall/read.h"
#include "roster/roster.h"
#include "state/db.h"
#include "test.h"
#include "usual_limits.h"

#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define NIGHT  INT64_C(1798062420000000000) /* 2026-12-23T21:47:00Z, a Wednesday */
#define PROVIDERS                                                                                  \
    "[{\"name\":\"elks\",\"channels\":[\"sms\",\"voice\"]},"                                       \
    "{\"name\":\"other\",\"channels\":[\"sms\"]},"                                                 \
    "{\"name\":\"own\",\"channels\":[\"mail\"],\"own\":true}]"

static const char plan[] =
    "zone: Europe/Stockholm\n"
    "digest: never\n"
    "people:\n"
    "  - {id: anna, user: anna.a, name: Anna, contacts: [{channel: sms, address: '+46700000001'},"
    " {channel: voice, address: '+46700000001', after: 2m}]}\n"
    "  - {id: bo, user: bo.b, name: Bo, contacts: [{channel: sms, address: '+46700000002'}]}\n"
    "  - {id: cia, name: Cia, language: en, contacts: [{channel: mail, address: cia@example.se}]}\n"
    "  - {id: mute, name: Mute}\n"
    "teams:\n"
    "  - {id: soc, rotations: [{order: [anna], since: 2026-01-05}]}\n"
    "  - {id: none, rotations: [{order: [bo], since: 2030-01-07}]}\n"
    "policies:\n"
    "  - {id: night, steps: [{targets: [{oncall: soc}], wait: 5m}, {targets: [{person: bo}],"
    " wait: 5m}], fallback: [{person: cia}]}\n"
    "  - {id: empty, steps: [{targets: [{oncall: none}], wait: 5m}, {targets: [{person: mute}],"
    " wait: 5m}, {targets: [{person: bo}], wait: 5m}]}\n"
    "  - {id: both, everyone_must_ack: true, steps: [{targets: [{person: anna}, {person: bo}],"
    " wait: 5m}]}\n"
    "rules:\n"
    "  - {services: [skola], page: empty}\n"
    "  - {services: [alla], page: both}\n"
    "  - {level: high, page: night}\n"
    "  - {level: medium, hours: oncall, wait_until: '07:00', page: night}\n"
    "  - {never: true}\n";

enum { SENT_MAX = 4096 };

struct watch {
    struct db *db;
    struct oncall *oncall;
    struct oncall_time t;
    struct oncall_limits limits;
    uint64_t handovers;
    struct {
        uint64_t attempt, page;
        unsigned channel, marks;
        char provider[16], address[40], code[9], body[600];
    } sent[SENT_MAX];
    size_t n_sent;
    char paged[8192]; /* "1 notified Anna, …" */
    char alarms[1024];
    uint64_t random;
    const char *path;
    struct buf out;
    unsigned status;
};

static inline void copy_text(char *to, size_t size, struct slice from)
{
    if (!slice_copy(slice_until(from, size - 1), to, size)) to[0] = '\0';
}

static inline void on_send(void *ctx, const struct oncall_send *m)
{
    struct watch *w = ctx;
    REQUIRE(w->n_sent < SENT_MAX);
    w->sent[w->n_sent].attempt = m->attempt;
    w->sent[w->n_sent].page = m->page;
    w->sent[w->n_sent].channel = m->channel;
    w->sent[w->n_sent].marks = m->marks;
    copy_text(w->sent[w->n_sent].provider, sizeof w->sent->provider, m->provider);
    copy_text(w->sent[w->n_sent].address, sizeof w->sent->address, m->address);
    copy_text(w->sent[w->n_sent].code, sizeof w->sent->code, m->code);
    copy_text(w->sent[w->n_sent].body, sizeof w->sent->body, m->body);
    w->n_sent++;
}

static inline void on_follow(void *ctx, const struct oncall_follow *m)
{
    (void)ctx;
    CHECK(m->attempt > 0);
}

static inline void on_paged(void *ctx, const struct oncall_paged *m)
{
    static const char *const what[] = {"?", "notified", "acked", "escalated", "exhausted"};
    struct watch *w = ctx;
    size_t len = strlen(w->paged);
    (void)snprintf(w->paged + len, sizeof w->paged - len, "%s%llu %s %.*s", len ? ", " : "",
                   (unsigned long long)m->incident, what[m->what], SLICE_FMT(m->who));
}

static inline void on_alarm(void *ctx, const char *event, struct slice text)
{
    struct watch *w = ctx;
    size_t len = strlen(w->alarms);
    (void)text;
    (void)snprintf(w->alarms + len, sizeof w->alarms - len, "%s%s", len ? " " : "", event);
}

static inline void on_random(void *ctx, void *out, size_t n)
{
    struct watch *w = ctx;
    for (size_t i = 0; i < n; i++) {
        w->random = w->random * 6364136223846793005U + 1442695040888963407U;
        ((uint8_t *)out)[i] = (uint8_t)(w->random >> 56);
    }
}

static inline void open_room(struct watch *w)
{
    struct diag diag = {0};
    struct oncall_out out = {.ctx = w,
                             .send = on_send,
                             .follow = on_follow,
                             .paged = on_paged,
                             .alarm = on_alarm,
                             .random = on_random,
                             .limits = w->limits,
                             .address = SLICE("https://v.se")};
    REQUIRE(db_open(w->path, oncall_migrations, ONCALL_VERSION, &w->db, &diag) == 0);
    REQUIRE(oncall_open(w->db, &out, w->t, &w->oncall, &diag) == 0);
}

static inline void close_room(struct watch *w)
{
    oncall_close(w->oncall);
    db_close(w->db);
}

static inline void connect_all(struct watch *w)
{
    CHECK_INT(oncall_triage(w->oncall, true), 0);
    CHECK_INT(oncall_senders(w->oncall, true, w->t), 0);
    CHECK_INT(oncall_take_providers(w->oncall, SLICE(PROVIDERS), w->t), 0);
}

/* After an end of the process: nothing but the file is there. */
static inline void start_again(struct watch *w)
{
    close_room(w);
    open_room(w);
    connect_all(w);
}

static inline bool act(struct watch *w, const char *actor, const char *kind, const char *body)
{
    const struct oncall_request request = {
        .actor = slice_of(actor), .kind = slice_of(kind), .body = slice_of(body)};
    buf_clear(&w->out);
    CHECK_INT(oncall_act(w->oncall, &request, w->t, &w->out, &w->status), 0);
    return w->status == 0;
}

static inline void load_plan(struct watch *w, const char *text)
{
    struct buf body;
    buf_init(&body, 64 * 1024);
    buf_puts(&body, "{\"text\":");
    json_write_string(&body, slice_of(text));
    buf_puts(&body, ",\"force\":true,\"why\":\"a test\"}");
    buf_putc(&body, '\0');
    CHECK(act(w, "root", "plan", body.ptr));
    if (w->status) printf("# %.*s\n", SLICE_FMT(buf_slice(&w->out)));
    buf_done(&body);
}

static inline struct watch *begin_watch(const char *name)
{
    struct watch *w = calloc(1, sizeof *w);
    REQUIRE(w != NULL);
    w->path = test_path(name);
    w->t = (struct oncall_time){.real = NIGHT, .monotonic = 1000};
    w->limits = usual_limits();
    buf_init(&w->out, 1024 * 1024);
    open_room(w);
    connect_all(w);
    load_plan(w, plan);
    return w;
}

static inline void end_watch(struct watch *w)
{
    close_room(w);
    buf_done(&w->out);
    free(w);
}

/* Time passes, and what is due is done when it is. */
static inline void pass(struct watch *w, nsec duration)
{
    const nsec end = w->t.monotonic + duration;
    for (;;) {
        CHECK_INT(oncall_pass(w->oncall, w->t), 0);
        nsec wait = oncall_next(w->oncall, w->t);
        if (wait < 0 || w->t.monotonic + wait > end) wait = end - w->t.monotonic;
        if (wait <= 0 && w->t.monotonic >= end) return;
        w->t.real += wait;
        w->t.monotonic += wait;
    }
}

static inline void hand_of(struct watch *w, uint32_t tenant, uint64_t incident, unsigned level,
                           const char *service, enum handover_why why)
{
    const struct oncall_page m = {.id = ++w->handovers,
                                  .tenant = tenant,
                                  .incident = incident,
                                  .level = level,
                                  .why = why,
                                  .detected = w->t.real,
                                  .service = slice_of(service),
                                  .title = SLICE("{\"sv\":\"titel\",\"en\":\"title\"}")};
    CHECK_INT(oncall_take_page(w->oncall, &m, w->t), 0);
}

static inline void hand(struct watch *w, uint64_t incident, unsigned level, const char *service,
                        enum handover_why why)
{
    hand_of(w, 0, incident, level, service, why);
}

static inline void became(struct watch *w, size_t sent, enum notify_outcome outcome)
{
    char reference[32];
    REQUIRE(sent < w->n_sent);
    (void)snprintf(reference, sizeof reference, "ref-%llu",
                   (unsigned long long)w->sent[sent].attempt);
    const struct oncall_sent m = {
        .attempt = w->sent[sent].attempt, .outcome = outcome, .reference = slice_of(reference)};
    CHECK_INT(oncall_take_sent(w->oncall, &m, w->t), 0);
}

static inline void settle(struct watch *w, uint64_t incident, enum handover_how how, uint64_t into)
{
    const struct oncall_settled m = {.id = ++w->handovers,
                                     .incident = incident,
                                     .how = how,
                                     .into = into,
                                     .who = SLICE("anna.a")};
    CHECK_INT(oncall_take_settled(w->oncall, &m, w->t), 0);
}

/* What is sent since, as "sms elks +46700000001", and is forgotten. */
static inline const char *sent(struct watch *w)
{
    static char text[8192];
    text[0] = '\0';
    for (size_t i = 0; i < w->n_sent; i++) {
        size_t len = strlen(text);
        (void)snprintf(text + len, sizeof text - len, "%s%s %s %s", i ? ", " : "",
                       notify_channel_name(w->sent[i].channel), w->sent[i].provider,
                       w->sent[i].address);
    }
    w->n_sent = 0;
    return text;
}

/* "open", "loud", "acknowledged", "over" of the newest page, and how many there are. */
static inline const char *page_state(struct watch *w, uint64_t id)
{
    static char text[32];
    const struct oncall_view view = {.db = w->db};
    struct slice value = SLICE("\"none\"");
    bool found = false;
    buf_clear(&w->out);
    CHECK_INT(oncall_write_page(&view, id, &w->out, &found), 0);
    if (found) CHECK(json_find_member(buf_slice(&w->out), "state", NULL, &value));
    (void)json_string_inside(value, &value);
    copy_text(text, sizeof text, value);
    return text;
}

#define CHECK_SENT(watch, want)     CHECK_SLICE(slice_of(sent(watch)), want)
#define CHECK_PAGE(watch, id, want) CHECK_SLICE(slice_of(page_state(watch, id)), want)

#endif
