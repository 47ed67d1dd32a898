/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What people are told that is no page: shifts that have changed, shifts to come, rest that is owed
 * (roster/rows.h). One contact after the other is tried, mail first and never a call, and all of
 * them again an hour later; nothing escalates, and nobody has to answer.
 *
 * Such a message has no row among attempts: the number of a try is that of its row and which try it
 * was, so that what became of it finds the row again.
 */
#include "oncall/internal.h"
#include "roster/rows.h"

#define NEWS_FIRST   (UINT64_C(1) << 52)
#define NEWS_WITHIN  (30 * NSEC_PER_SEC) /* nothing is heard of a try: the next one */
#define NEWS_AGAIN   (60 * 60 * NSEC_PER_SEC)
#define NEWS_MORNING (7 * 60 * 60 * NSEC_PER_SEC) /* of the day: nobody is woken for news */
#define NEWS_EVENING (22 * 60 * 60 * NSEC_PER_SEC)
enum { NEWS_TRIES = 64 /* of one message; a power of two */ };

static uint64_t try_number(uint64_t message, uint32_t tried)
{
    return NEWS_FIRST + message * NEWS_TRIES + tried % NEWS_TRIES;
}

bool news_is(uint64_t attempt)
{
    return attempt >= NEWS_FIRST;
}

static uint64_t message_of(uint64_t attempt)
{
    return (attempt - NEWS_FIRST) / NEWS_TRIES;
}

/* ---- ways -------------------------------------------------------------------------------- */

struct way {
    const struct roster_contact *contact;
    const struct provider *provider;
};
struct ways {
    struct way of[ROSTER_CONTACTS_MAX * ONCALL_PROVIDERS_MAX];
    uint32_t n;
};

static void add_ways(struct oncall *o, const struct roster_person *person, bool mail,
                     struct ways *ways)
{
    struct provider *providers[ONCALL_PROVIDERS_MAX];
    for (uint32_t i = 0; i < person->n_contacts; i++) {
        const struct roster_contact *c = &person->contacts[i];
        if (c->channel == NOTIFY_VOICE || (c->channel == NOTIFY_MAIL) != mail) continue;
        size_t n = providers_for(o, c->channel, providers);
        for (size_t k = 0; k < n; k++)
            ways->of[ways->n++] = (struct way){.contact = c, .provider = providers[k]};
    }
}

static void find_ways(struct oncall *o, struct slice person, struct ways *ret)
{
    const struct roster_person *p = o->roster ? roster_person(o->roster, person) : NULL;
    ret->n = 0;
    if (!p) return;
    add_ways(o, p, true, ret);
    add_ways(o, p, false, ret);
}

/* ---- tries ------------------------------------------------------------------------------- */

/* The way of this try; the last one behind it, too, waits for an hour. */
static nsec wait_behind(const struct ways *ways, uint32_t tried, nsec within)
{
    return ways->n == 0 || (tried + 1) % ways->n == 0 ? NEWS_AGAIN : within;
}

int news_due(struct oncall *o, uint64_t id)
{
    struct roster_message m;
    struct ways ways;
    int error = roster_message_load(o->db, id, &o->scratch, &m);
    if (error || m.id == 0) return error;
    if (m.tried == NEWS_TRIES) return roster_message_done(o->db, id, o->t.real);
    find_ways(o, m.person, &ways);
    /* Whoever sends is not there, or nobody knows yet who could: that is no try. */
    if (!o->senders || !o->providers_known)
        return deadline_set(o, DEADLINE_NEWS, id, o->now + NEWS_WITHIN);
    if (ways.n) error = numbers_add(&o->sends, try_number(id, m.tried));
    if (error == 0)
        error = db_run(o->db, "UPDATE roster_message SET tried = tried + 1 WHERE id = ?1",
                       DB_WITH(db_u64(id)));
    if (error) return error;
    return deadline_set(o, DEADLINE_NEWS, id, o->now + wait_behind(&ways, m.tried, NEWS_WITHIN));
}

int news_let_out(struct oncall *o, uint64_t attempt)
{
    struct roster_message m;
    struct ways ways;
    int error = roster_message_load(o->db, message_of(attempt), &o->scratch, &m);
    if (error || m.id == 0) return error;
    find_ways(o, m.person, &ways);
    if (ways.n == 0) return 0;
    const struct way *way = &ways.of[attempt % NEWS_TRIES % ways.n];
    const struct oncall_send send = {.attempt = attempt,
                                     .channel = way->contact->channel,
                                     .expires = (o->t.real + NEWS_AGAIN) / NSEC_PER_SEC,
                                     .provider = slice_of(way->provider->name),
                                     .address = way->contact->address,
                                     .subject = m.subject,
                                     .body = m.text};
    o->out.send(o->out.ctx, &send);
    return 0;
}

int news_take(struct oncall *o, const struct oncall_sent *s)
{
    struct roster_message m;
    struct ways ways;
    int error = roster_message_load(o->db, message_of(s->attempt), &o->scratch, &m);
    if (error || m.id == 0) return error;
    if (s->outcome == NOTIFY_ACCEPTED || s->outcome == NOTIFY_DELIVERED) {
        error = roster_message_done(o->db, m.id, o->t.real);
        return error ? error : deadline_drop(o, DEADLINE_NEWS, m.id);
    }
    /* Of an earlier try: the one behind it is under way. */
    if (m.tried == 0 || s->attempt != try_number(m.id, m.tried - 1)) return 0;
    find_ways(o, m.person, &ways);
    return deadline_set(o, DEADLINE_NEWS, m.id, o->now + wait_behind(&ways, m.tried - 1, 0));
}

/* ---- what there is to tell --------------------------------------------------------------- */

/* Of rows that no deadline is there for. */
static int take_up(struct oncall *o, nsec due)
{
    return db_run(o->db,
                  "INSERT OR IGNORE INTO deadline (kind, id, due)"
                  " SELECT ?1, id, ?2 FROM roster_message WHERE done IS NULL",
                  DB_WITH(db_number(DEADLINE_NEWS), db_number(due)));
}

int news_plan(struct oncall *o)
{
    nsec next = INT64_MAX;
    int error = o->roster ? roster_digest_due(o->db, o->roster, o->t.real, &next) : 0;
    if (error == 0) error = take_up(o, o->now);
    if (error) return error;
    if (next == INT64_MAX) return deadline_drop(o, DEADLINE_DIGEST, 0);
    return deadline_set(o, DEADLINE_DIGEST, 0, o->now + (next > o->t.real ? next - o->t.real : 0));
}

int news_when_awake(struct oncall *o)
{
    const struct zone *zone = o->roster->zone;
    const int64_t day = calendar_day_of(zone, o->t.real);
    nsec wait = calendar_time(zone, day, NEWS_MORNING) - o->t.real;
    if (o->t.real >= calendar_time(zone, day, NEWS_EVENING))
        wait = calendar_time(zone, day + 1, NEWS_MORNING) - o->t.real;
    return take_up(o, o->now + (wait > 0 ? wait : 0));
}
