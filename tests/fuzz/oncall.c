/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Any bytes as what people do to pages, as their answers, and as what is said of providers. A line
 * is the name of an act and, behind a blank, its body; "reply" and a text; "providers" and a list.
 * The answer is JSON, and every open page has its deadline.
 */
#include "oncall/oncall.h"
#include "../unit/usual_limits.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "notify/notify.h"
#include "state/db.h"
#include "target.h"

static const char plan[] =
    "people: [{id: a, contacts: [{channel: sms, address: '+46700000001'}]}]\n"
    "policies: [{id: p, steps: [{targets: [{person: a}]}]}]\n";
static const struct oncall_time start = {.real = INT64_C(1798062420000000000), .monotonic = 1};

static void on_send(void *ctx, const struct oncall_send *m)
{
    (void)ctx;
    HOLDS(m->attempt > 0);
}

static void on_follow(void *ctx, const struct oncall_follow *m)
{
    (void)ctx;
    (void)m;
}

static void on_paged(void *ctx, const struct oncall_paged *m)
{
    (void)ctx;
    (void)m;
}

static void on_alarm(void *ctx, const char *event, struct slice text)
{
    (void)ctx;
    (void)event;
    (void)text;
}

static void on_random(void *ctx, void *out, size_t n)
{
    uint8_t *next = ctx;
    memset(out, (*next)++, n);
}

static void act(struct oncall *o, struct slice kind, struct slice body, struct buf *out)
{
    unsigned status;
    const struct oncall_request request = {.actor = SLICE("a"), .kind = kind, .body = body};
    buf_clear(out);
    HOLDS(oncall_act(o, &request, start, out, &status) == 0);
    HOLDS(json_is_object(buf_slice(out)));
}

static void load_plan(struct oncall *o, struct buf *out)
{
    struct buf body;
    buf_init(&body, 4096);
    buf_puts(&body, "{\"text\":");
    json_write_string(&body, slice_of(plan));
    buf_puts(&body, ",\"force\":true,\"why\":\"x\"}");
    act(o, SLICE("plan"), buf_slice(&body), out);
    buf_done(&body);
}

static void take_line(struct oncall *o, struct slice line, struct buf *out)
{
    struct slice kind, rest;
    (void)slice_split(line, ' ', &kind, &rest);
    if (slice_eq(kind, SLICE("providers"))) {
        int error = oncall_take_providers(o, rest, start);
        HOLDS(error == 0 || error == ERR_SYNTAX);
    } else if (slice_eq(kind, SLICE("reply"))) {
        const struct oncall_answered m = {
            .channel = NOTIFY_SMS, .provider = SLICE("x"), .reference = rest, .text = rest};
        HOLDS(oncall_take_answered(o, &m, start) == 0);
    } else {
        act(o, kind, rest, out);
    }
}

static void check(struct db *db)
{
    int64_t wrong = 1;
    HOLDS(db_get(db,
                 "SELECT count(*) FROM page p WHERE p.ended IS NULL AND NOT EXISTS (SELECT 1 FROM"
                 " deadline d WHERE d.kind = 1 AND d.id = p.id)",
                 DB_ALONE, &wrong) == 0);
    HOLDS(wrong == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_make(data, size), line;
    struct db *db;
    struct oncall *o;
    struct buf out;
    struct diag diag = {.line = 0};
    uint8_t next = 7;
    struct oncall_out calls = {.ctx = &next,
                               .send = on_send,
                               .follow = on_follow,
                               .paged = on_paged,
                               .alarm = on_alarm,
                               .random = on_random,
                               .limits = usual_limits()};
    HOLDS(db_open(":memory:", oncall_migrations, ONCALL_VERSION, &db, &diag) == 0);
    HOLDS(oncall_open(db, &calls, start, &o, &diag) == 0);
    buf_init(&out, 4 * 1024 * 1024);
    load_plan(o, &out);
    HOLDS(oncall_senders(o, true, start) == 0);
    HOLDS(oncall_take_providers(o, SLICE("[{\"name\":\"x\",\"channels\":[\"sms\"]}]"), start) == 0);
    const struct oncall_page page = {.id = 1, .incident = 1, .level = 4, .why = 1};
    HOLDS(oncall_take_page(o, &page, start) == 0);
    for (int i = 0; i < 16 && rest.len > 0; i++) {
        (void)slice_split(rest, '\n', &line, &rest);
        take_line(o, line, &out);
    }
    check(db);
    oncall_close(o);
    db_close(db);
    buf_done(&out);
    return 0;
}
