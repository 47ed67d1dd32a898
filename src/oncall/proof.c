/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Once a day somebody who wants it gets a message by each of his contacts and each provider of it,
 * so that a way that has stopped working is known before the night in which it is needed. Delivery
 * is followed; nothing takes the place of what fails, because that is what is to be found.
 */
#include "base/json_write.h"
#include "oncall/internal.h"

#define PROOF_MARKS (ONCALL_TEST | ONCALL_PROOF)
#define TRY_AGAIN   (60 * NSEC_PER_SEC)
/* What an end of the program made it miss is made up for, but not at night. */
#define MADE_UP_FOR (25 * INT64_C(3600) * NSEC_PER_SEC)

/* Of these channels the provider says later whether it arrived; of others it has it, or not. */
static bool is_followed(unsigned channel)
{
    return channel == NOTIFY_SMS || channel == NOTIFY_VOICE;
}

/* ---- when -------------------------------------------------------------------------------- */

static int find_next(struct oncall *o, nsec *ret)
{
    int64_t last = 0;
    *ret = INT64_MAX;
    if (!o->roster) return 0;
    int error = db_get(o->db, "SELECT coalesce(max(begun), 0) FROM page WHERE marks = ?1",
                       DB_WITH(db_number(PROOF_MARKS)), &last);
    const bool recent = last <= o->t.real && o->t.real - last < MADE_UP_FOR;
    *ret = roster_proof_next(o->roster, recent ? last : o->t.real);
    return error;
}

int proof_plan(struct oncall *o)
{
    nsec next;
    int error = find_next(o, &next);
    if (error) return error;
    if (next == INT64_MAX) return deadline_drop(o, DEADLINE_PROOF, 0);
    return deadline_set(o, DEADLINE_PROOF, 0, o->now + (next > o->t.real ? next - o->t.real : 0));
}

/* The newest attempt of a way is the one that counts. */
static int note_ways(struct oncall *o)
{
    return db_run(o->db,
                  "INSERT INTO way (provider, channel, attempt, asked)"
                  " SELECT a.provider, a.channel, max(a.id), ?2 FROM attempt a"
                  " JOIN notice n ON n.id = a.notice WHERE n.page ="
                  " (SELECT max(id) FROM page WHERE marks = ?1) GROUP BY a.provider, a.channel"
                  " ON CONFLICT (provider, channel) DO UPDATE SET attempt = excluded.attempt,"
                  " asked = excluded.asked",
                  DB_WITH(db_number(PROOF_MARKS), db_number(o->t.real)));
}

int proof_due(struct oncall *o)
{
    struct persons persons;
    size_t ways = 0;
    bool may = false;
    if (!o->roster || !o->roster->proof.person.len) return 0;
    int error = plan_person(o, o->roster->proof.person, true, &persons);
    if (error || !persons.n) return error;
    if (o->senders && o->providers_known) {
        error = notice_ways(o, &persons.of[0], &ways);
        if (ways > o->out.limits.per_person) ways = o->out.limits.per_person;
        if (error == 0) error = notice_may_send(o, persons.of[0].id, ways, 0, &may);
    }
    if (error || !may)
        return error ? error : deadline_set(o, DEADLINE_PROOF, 0, o->now + TRY_AGAIN);
    error = page_proof(o, &persons.of[0]);
    if (error == 0) error = note_ways(o);
    return error ? error : proof_plan(o);
}

/* ---- what became of it ------------------------------------------------------------------- */

int proof_note(struct oncall *o, uint64_t attempt, bool delivered)
{
    return db_run(o->db,
                  "UPDATE way SET proven = ?2 WHERE (provider, channel) = (SELECT provider, channel"
                  " FROM attempt WHERE id = ?1) AND (?3 OR channel NOT IN (?4, ?5))",
                  DB_WITH(db_u64(attempt), db_number(o->t.real), db_number(delivered),
                          db_number(NOTIFY_SMS), db_number(NOTIFY_VOICE)));
}

int proof_end(struct oncall *o, uint64_t page)
{
    int64_t failed = 0;
    int error =
        db_get(o->db,
               "SELECT count(*) FROM attempt a JOIN notice n ON n.id = a.notice WHERE n.page = ?1"
               " AND a.state <> ?2 AND (a.state <> ?3 OR a.channel IN (?4, ?5))",
               DB_WITH(db_u64(page), db_number(ATTEMPT_DELIVERED), db_number(ATTEMPT_ACCEPTED),
                       db_number(NOTIFY_SMS), db_number(NOTIFY_VOICE)),
               &failed);
    if (error || !failed) return error;
    alarm_add(o, "way-not-proven", page);
    return event_add(o, page, "not-proven", SLICE_NONE, SLICE_NONE);
}

/* ---- told -------------------------------------------------------------------------------- */

struct way {
    nsec asked, proven; /* 0: never */
    unsigned state;     /* of the newest attempt */
    struct slice detail;
    struct slice person; /* who was asked last */
};

static const char *word_of(const struct oncall *o, const struct way *w, unsigned channel)
{
    const bool under_way =
        w->state <= ATTEMPT_SENDING || (w->state == ATTEMPT_ACCEPTED && is_followed(channel) &&
                                        o->t.real - w->asked < ONCALL_PROOF_FOR);
    if (!w->asked) return "never";
    if (w->proven >= w->asked) return "proven";
    return under_way ? "waits" : "failed";
}

static int read_way(struct oncall *o, const struct provider *p, unsigned channel, struct way *ret)
{
    struct db_rows rows =
        db_select(o->db,
                  "SELECT w.asked, coalesce(w.proven, 0), coalesce(a.state, ?3), a.detail, n.person"
                  " FROM way w LEFT JOIN attempt a ON a.id = w.attempt"
                  " LEFT JOIN notice n ON n.id = a.notice WHERE w.provider = ?1 AND w.channel = ?2",
                  DB_WITH(db_text(slice_of(p->name)), db_number(channel), db_number(ATTEMPT_LATE)));
    *ret = (struct way){.state = ATTEMPT_QUEUED};
    if (db_next(&rows))
        *ret = (struct way){.asked = db_get_number(&rows, 0),
                            .proven = db_get_number(&rows, 1),
                            .state = (unsigned)db_get_number(&rows, 2),
                            .detail = keep(o, db_get_text(&rows, 3)),
                            .person = keep(o, db_get_text(&rows, 4))};
    return db_end(&rows);
}

/* With whom it was proven last: by a proof, or by any message that went this way. */
static int find_reached(struct oncall *o, const struct provider *p, unsigned channel, nsec proven,
                        struct slice *ret)
{
    struct db_rows rows = db_select(
        o->db,
        "SELECT n.person FROM attempt a JOIN notice n ON n.id = a.notice"
        " WHERE a.provider = ?1 AND a.channel = ?2 AND a.accepted <= ?3 AND n.person <> ''"
        " AND (a.state = ?4 OR (a.state = ?5 AND NOT ?6)) ORDER BY a.made DESC LIMIT 1",
        DB_WITH(db_text(slice_of(p->name)), db_number(channel), db_number(proven),
                db_number(ATTEMPT_DELIVERED), db_number(ATTEMPT_ACCEPTED),
                db_number(is_followed(channel))));
    if (db_next(&rows)) *ret = keep(o, db_get_text(&rows, 0));
    return db_end(&rows);
}

static int write_way(struct oncall *o, const struct provider *p, unsigned channel, struct buf *out)
{
    struct way w;
    struct slice reached = SLICE_NONE;
    int error = read_way(o, p, channel, &w);
    if (error == 0 && w.proven) error = find_reached(o, p, channel, w.proven, &reached);
    buf_putc(out, '{');
    json_write_member_string(out, "provider", slice_of(p->name));
    json_write_member_string(out, "channel", slice_of(notify_channel_name(channel)));
    json_write_member_string(out, "state", slice_of(word_of(o, &w, channel)));
    json_write_member_u64(out, "asked_at", (uint64_t)(w.asked / NSEC_PER_SEC));
    json_write_member_string(out, "asked", w.person);
    json_write_member_u64(out, "proven_at", (uint64_t)(w.proven / NSEC_PER_SEC));
    json_write_member_string(out, "reached", reached);
    json_write_member_string(out, "detail", w.detail);
    buf_putc(out, '}');
    return error;
}

int proof_write(struct oncall *o, struct buf *out)
{
    bool first = true;
    nsec next = INT64_MAX;
    int error = find_next(o, &next);
    json_write_key(out, "proof");
    buf_putc(out, '{');
    json_write_member_string(out, "person", o->roster ? o->roster->proof.person : SLICE_NONE);
    json_write_member_u64(out, "next_at", next == INT64_MAX ? 0 : (uint64_t)(next / NSEC_PER_SEC));
    json_write_key(out, "ways");
    buf_putc(out, '[');
    for (size_t i = 0; i < o->n_providers; i++)
        for (unsigned channel = 1; channel < NOTIFY_CHANNEL_END && error == 0; channel++) {
            if (!(o->providers[i].channels >> channel & 1)) continue;
            if (!first) buf_putc(out, ',');
            first = false;
            error = write_way(o, &o->providers[i], channel, out);
        }
    buf_puts(out, "]}");
    return error;
}
