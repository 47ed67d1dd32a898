/* SPDX-License-Identifier: EUPL-1.2 */
/* What is durable is let out: messages are written when they go, of what is known then. */
#include <inttypes.h>
#include <stdio.h>

#include "base/json_read.h"
#include "notify/sms.h"
#include "oncall/internal.h"

enum { IDS_SHOWN = 20, IDS_OF_SMS = 6, SMS_SEGMENTS = 2, SMS_CUTS = 2, SPOKEN_MAX = 2048 };

struct outgoing {
    struct oncall_send send;
    struct message message;
    struct buf subject, body, spoken_sv, spoken_en, link, ids;
    char code[CODE_LEN + 1];
};

static void outgoing_done(struct outgoing *g)
{
    buf_done(&g->subject);
    buf_done(&g->body);
    buf_done(&g->spoken_sv);
    buf_done(&g->spoken_en);
    buf_done(&g->link);
    buf_done(&g->ids);
}

static int load_head(struct oncall *o, uint64_t id, struct outgoing *g, struct slice *ret_person,
                     bool *ret_found)
{
    struct db_rows rows = db_select(
        o->db,
        "SELECT a.id, n.page, a.channel, a.provider, a.address, n.english, n.person,"
        " p.level, p.marks, p.policy, a.made FROM attempt a JOIN notice n ON n.id = a.notice"
        " JOIN page p ON p.id = n.page WHERE a.id = ?1",
        DB_WITH(db_u64(id)));
    *ret_found = db_next(&rows);
    if (*ret_found) {
        g->send.attempt = (uint64_t)db_get_number(&rows, 0);
        g->send.page = g->message.page = (uint64_t)db_get_number(&rows, 1);
        g->send.channel = (unsigned)db_get_number(&rows, 2);
        g->send.provider = keep(o, db_get_text(&rows, 3));
        g->send.address = keep(o, db_get_text(&rows, 4));
        g->message.english = db_get_number(&rows, 5) != 0;
        *ret_person = keep(o, db_get_text(&rows, 6));
        g->message.level = (unsigned)db_get_number(&rows, 7);
        g->message.marks = (unsigned)db_get_number(&rows, 8);
        g->send.code = keep(o, db_get_text(&rows, 9)); /* of a canary: its number */
        g->send.made = db_get_number(&rows, 10);
    }
    return db_end(&rows);
}

/* What the page is about: the worst first. */
static int load_list(struct oncall *o, struct outgoing *g)
{
    struct db_rows rows =
        db_select(o->db,
                  "SELECT s.origin, s.incident, s.service, s.title, count(*) OVER () FROM"
                  " page_incident i JOIN subject s ON s.id = i.subject WHERE i.page = ?1"
                  " AND i.settled IS NULL AND i.moved IS NULL ORDER BY i.level DESC, i.number"
                  " LIMIT ?2",
                  DB_WITH(db_u64(g->send.page),
                          db_number(g->send.channel == NOTIFY_SMS ? IDS_OF_SMS : IDS_SHOWN)));
    uint64_t shown = 0;
    for (; db_next(&rows); shown++) {
        if (!shown) {
            g->message.origin = (unsigned)db_get_number(&rows, 0);
            g->message.service = keep(o, db_get_text(&rows, 2));
            g->message.title = keep(o, db_get_text(&rows, 3));
            g->message.incidents = (uint64_t)db_get_number(&rows, 4);
        }
        buf_printf(&g->ids, "%s%" PRIu64, shown ? ", " : "", (uint64_t)db_get_number(&rows, 1));
    }
    if (g->message.incidents > shown) buf_puts(&g->ids, " ...");
    g->message.ids = buf_slice(&g->ids);
    return db_end(&rows);
}

static int load_code(struct oncall *o, struct outgoing *g, struct slice person)
{
    struct db_rows rows =
        db_select(o->db, "SELECT code FROM code WHERE page = ?1 AND person = ?2 AND used IS NULL",
                  DB_WITH(db_u64(g->send.page), db_text(person)));
    bool found = db_next(&rows) && slice_copy(db_get_text(&rows, 0), g->code, sizeof g->code);
    int error = db_end(&rows);
    g->send.code = found ? slice_make(g->code, CODE_LEN) : SLICE_NONE;
    if (!found || !o->out.address.len) return error;
    buf_put(&g->link, o->out.address);
    buf_puts(&g->link, "/ack/");
    buf_put(&g->link, g->send.code);
    g->send.link = buf_slice(&g->link);
    return error;
}

/* Titles of rules are said where the provider is the city's own alone. */
static struct slice title_of(struct oncall *o, const struct outgoing *g)
{
    struct slice value;
    const struct provider *provider = provider_find(o, g->send.provider);
    if (!provider || !provider->own ||
        !json_find_member(g->message.title, g->message.english ? "en" : "sv", NULL, &value))
        return SLICE_NONE;
    buf_clear(&o->more);
    return json_string_text(value, &o->more) ? keep(o, buf_slice(&o->more)) : SLICE_NONE;
}

static const char *text_key(const struct outgoing *g, const char *of_outage, const char *of_one,
                            const char *of_many)
{
    if (g->message.marks & ONCALL_PROOF) return "proof";
    if (g->message.marks & ONCALL_TEST) return "test";
    if (g->message.origin == ORIGIN_CANARY) return of_outage;
    return g->message.incidents == 1 ? of_one : of_many;
}

static void write_body(struct outgoing *g)
{
    const struct message *m = &g->message;
    text_write(&g->body, text_key(g, "body-outage", "body-one", "body-many"), m);
    if (m->title.len) text_write(&g->body, "title", m);
    if (m->link.len) text_write(&g->body, "link", m);
    if (m->code.len) text_write(&g->body, "code", m);
}

/* In two segments: without the service, and without the link, when they make it longer. */
static void write_sms(struct outgoing *g)
{
    struct message m = g->message;
    struct sms_size size;
    for (unsigned cut = 0; cut <= SMS_CUTS; cut++) {
        if (cut == 1) m.service = SLICE_NONE;
        if (cut == SMS_CUTS) m.link = SLICE_NONE;
        buf_clear(&g->body);
        text_write(&g->body, text_key(g, "sms-outage", "sms-one", "sms-many"), &m);
        if (m.link.len) text_write(&g->body, "sms-link", &m);
        if (m.code.len) text_write(&g->body, "sms-code", &m);
        sms_measure(buf_slice(&g->body), &size);
        if (size.segments <= SMS_SEGMENTS) return;
    }
}

/* What its voice reads the provider knows: the person is told in that language. */
static void write_spoken(const struct outgoing *g, bool english, struct buf *out)
{
    struct message m = g->message;
    m.english = english;
    text_write(out, text_key(g, "spoken-outage", "spoken-one", "spoken-many"), &m);
}

static void write_texts(struct oncall *o, struct outgoing *g)
{
    g->message.title = title_of(o, g);
    g->message.link = g->send.link;
    g->message.code = g->send.code;
    text_write(&g->subject, text_key(g, "subject-outage", "subject-one", "subject-many"),
               &g->message);
    if (g->send.channel == NOTIFY_SMS) write_sms(g);
    else write_body(g);
    write_spoken(g, false, &g->spoken_sv);
    write_spoken(g, true, &g->spoken_en);
    g->send.subject = buf_slice(&g->subject);
    g->send.body = buf_slice(&g->body);
    g->send.spoken_sv = buf_slice(&g->spoken_sv);
    g->send.spoken_en = buf_slice(&g->spoken_en);
}

static int write_message(struct oncall *o, struct outgoing *g, struct slice person)
{
    g->send.expires = (o->t.real + o->out.limits.code_lives) / NSEC_PER_SEC;
    g->send.latest = o->t.monotonic + NOTIFY_WAIT_MOST;
    if (g->message.marks & ONCALL_EXERCISE) g->send.marks |= NOTIFY_EXERCISE;
    if (g->message.marks & ONCALL_CANARY) {
        g->send.marks |= NOTIFY_DRY;
        return 0;
    }
    int error = load_list(o, g);
    if (error == 0) error = load_code(o, g, person);
    if (error == 0) write_texts(o, g);
    return error ? error : buf_error(&g->body);
}

int attempt_let_out(struct oncall *o, uint64_t id)
{
    struct outgoing g = {.send = {.marks = 0}};
    struct slice person = SLICE_NONE;
    bool found = false;
    buf_init(&g.subject, 1024);
    buf_init(&g.body, NOTIFY_TEXT_MAX);
    buf_init(&g.spoken_sv, SPOKEN_MAX);
    buf_init(&g.spoken_en, SPOKEN_MAX);
    buf_init(&g.link, 1024);
    buf_init(&g.ids, 1024);
    int error = load_head(o, id, &g, &person, &found);
    if (error == 0 && found) error = write_message(o, &g, person);
    if (error == 0 && found) o->out.send(o->out.ctx, &g.send);
    outgoing_done(&g);
    return error;
}

/* What was taken of open pages may still be delivered, and answered. */
int attempt_follow_all(struct oncall *o)
{
    struct db_rows rows =
        db_select(o->db,
                  "SELECT a.id, a.channel, a.provider, a.reference FROM page p JOIN notice n ON"
                  " n.page = p.id JOIN attempt a ON a.notice = n.id WHERE p.ended IS NULL AND"
                  " a.state IN (?1, ?2) AND a.reference IS NOT NULL ORDER BY a.id",
                  DB_WITH(db_number(ATTEMPT_ACCEPTED), db_number(ATTEMPT_DELIVERED)));
    while (db_next(&rows)) {
        const struct oncall_follow m = {.attempt = (uint64_t)db_get_number(&rows, 0),
                                        .channel = (unsigned)db_get_number(&rows, 1),
                                        .expires =
                                            (o->t.real + o->out.limits.code_lives) / NSEC_PER_SEC,
                                        .provider = db_get_text(&rows, 2),
                                        .reference = db_get_text(&rows, 3)};
        o->out.follow(o->out.ctx, &m);
    }
    return db_end(&rows);
}
