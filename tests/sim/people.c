/* SPDX-License-Identifier: EUPL-1.2 */
/* Notify and its providers, which may fail in every way, and people, who may sleep. */
#include <stdio.h>
#include <string.h>

#include "notify/notify.h"
#include "world.h"

/* ---- providers --------------------------------------------------------------------------- */

static unsigned person_of(struct slice address)
{
    char c = address.ptr[0] == 'p' ? address.ptr[1] : address.ptr[address.len - 1];
    return (unsigned)(c - '0') % PEOPLE;
}

static unsigned provider_of(struct slice name)
{
    if (slice_eq(name, SLICE("one"))) return 0;
    return slice_eq(name, SLICE("two")) ? 1 : 2;
}

/* Called in the middle of oncall: nothing but noting it. */
void gateway_take(struct world *w, const struct oncall_send *m)
{
    if (w->n_messages == MESSAGES_MAX || m->attempt >= ATTEMPTS_MAX) {
        wrong(w, "more messages than any week can have");
        return;
    }
    if (w->made[m->attempt].told_at)
        wrong(w, "attempt %llu is sent again though it is known that it was taken",
              (unsigned long long)m->attempt);
    struct made *made = &w->made[m->attempt];
    if (made->made && made->made != m->made)
        wrong(w, "attempt %llu is asked for again as another one", (unsigned long long)m->attempt);
    made->made = m->made;
    struct received *r = &w->messages[w->n_messages];
    *r = (struct received){.attempt = m->attempt,
                           .page = m->page,
                           .channel = m->channel,
                           .person = person_of(m->address),
                           .provider = provider_of(m->provider)};
    (void)slice_copy(m->code, r->code, sizeof r->code);
    struct event *e = push(w, (nsec)pick(w, 3) * NSEC_PER_MSEC, EVENT_SEND);
    e->from = w->epoch[ONCALL];
    e->to = w->epoch[NOTIFY];
    e->a = w->n_messages++;
}

static void say(struct world *w, uint64_t attempt, unsigned outcome, nsec after)
{
    struct made *m = &w->made[attempt];
    if (!m->outcome || m->ends > w->mono + after) m->ends = w->mono + after;
    struct event *e = push(w, after, EVENT_SENT);
    e->from = w->epoch[NOTIFY];
    e->to = w->epoch[ONCALL];
    e->a = attempt;
    e->x = outcome;
    m->outcome = (uint8_t)outcome;
}

static void arrive(struct world *w, uint64_t message, nsec after)
{
    push(w, after, EVENT_ARRIVES)->a = message;
    w->f.messages++;
}

/* Another message of the same notice, and oncall knew that the one before was taken. */
static void check_sent_twice(struct world *w, struct received *r, nsec sent)
{
    struct made *m = &w->made[r->attempt];
    m->notice = (uint64_t)ask_oncall(w, "SELECT notice FROM attempt WHERE id = ?1",
                                     DB_WITH(db_u64(r->attempt)));
    r->listed = ask_oncall(w, "SELECT max(number) FROM page_incident WHERE page = ?1",
                           DB_WITH(db_u64(r->page)));
    const uint64_t from = r->attempt > 64 ? r->attempt - 64 : 1;
    for (uint64_t id = from; id < r->attempt; id++)
        if (w->made[id].notice == m->notice && w->made[id].told_at &&
            w->made[id].told_at < sent - 10 * NSEC_PER_MSEC)
            wrong(w, "attempts %llu and %llu of one notice, and the first was taken",
                  (unsigned long long)id, (unsigned long long)r->attempt);
    for (uint64_t id = from; id < r->attempt; id++)
        if (w->made[id].notice == m->notice && w->made[id].life == w->epoch[NOTIFY] + 1 &&
            w->made[id].ends > w->mono)
            wrong(w, "attempts %llu and %llu of one notice, and the first was under way",
                  (unsigned long long)id, (unsigned long long)r->attempt);
}

/* What becomes of one that nothing speaks against. */
static void provide(struct world *w, uint64_t message, const struct received *r)
{
    const unsigned luck = w->calm ? 0 : (unsigned)pick(w, 100);
    const nsec soon = (nsec)(50 + pick(w, 700)) * NSEC_PER_MSEC;
    if (w->down[r->provider]) {
        if (chance(w, 50)) say(w, r->attempt, NOTIFY_RETRY, soon);
        else if (chance(w, 90)) say(w, r->attempt, NOTIFY_UNKNOWN, NOTIFY_TIMEOUT);
        return; /* or notify itself is silent */
    }
    if (luck >= 98) { /* it says no */
        say(w, r->attempt, NOTIFY_REFUSED, soon);
    } else if (luck >= 95) { /* the answer breaks off; it may have it */
        say(w, r->attempt, NOTIFY_UNKNOWN, soon);
        if (chance(w, 50)) arrive(w, message, soon + SECOND);
    } else if (luck >= 92) { /* it is slow */
        const nsec slow = (nsec)(2 + pick(w, NOTIFY_ENDS_WITHIN / SECOND - 2)) * SECOND;
        say(w, r->attempt, NOTIFY_ACCEPTED, slow);
        arrive(w, message, slow + 5 * SECOND);
    } else {
        say(w, r->attempt, NOTIFY_ACCEPTED, soon);
        if (luck >= 89) return; /* the phone is off, and nobody says so */
        if (luck >= 86) {
            say(w, r->attempt, NOTIFY_REFUSED, soon + (nsec)pick(w, 60) * SECOND + SECOND);
            return;
        }
        arrive(w, message, soon + (nsec)pick(w, 20) * SECOND);
        if (chance(w, 60)) say(w, r->attempt, NOTIFY_DELIVERED, soon + 25 * SECOND);
    }
}

void notify_send(struct world *w, const struct event *e)
{
    const uint64_t message = e->a;
    struct received *r = &w->messages[message];
    struct made *m = &w->made[r->attempt];
    check_sent_twice(w, r, e->at - 3 * NSEC_PER_MSEC);
    if (m->life == w->epoch[NOTIFY] + 1) { /* made already: what became of it is said again */
        if (m->outcome) say(w, r->attempt, m->outcome, NSEC_PER_MSEC);
        return;
    }
    m->life = w->epoch[NOTIFY] + 1;
    m->outcome = 0;
    m->ends = 0;
    provide(w, message, r);
}

/* ---- people ------------------------------------------------------------------------------ */

enum how { BY_REPLY, BY_KEY, BY_LINK, BY_COMMAND, BY_QUEUE, ESCALATES, MISTYPES, HOWS };

void person_receives(struct world *w, const struct event *e)
{
    struct received *r = &w->messages[e->a];
    const uint64_t message = e->a;
    r->arrived = true;
    if (!chance(w, w->mood[r->person])) return;
    struct event *answer =
        push(w, (nsec)(5 + pick(w, chance(w, 70) ? 200 : 1500)) * SECOND, EVENT_ANSWER);
    answer->a = message;
    answer->x =
        r->channel == NOTIFY_VOICE ? (chance(w, 90) ? BY_KEY : BY_LINK) : (unsigned)pick(w, HOWS);
    if (answer->x == BY_KEY && r->channel != NOTIFY_VOICE) answer->x = BY_LINK;
    if (answer->x == BY_REPLY && r->channel != NOTIFY_SMS) answer->x = BY_LINK;
}

/* By way of notify; while that is away the provider keeps it. */
static void reply(struct world *w, const struct received *r, const char *text)
{
    const nsec poll = w->up[NOTIFY] ? (nsec)pick(w, 3000) * NSEC_PER_MSEC : MINUTE;
    for (unsigned times = chance(w, 10) ? 2 : 1; times > 0; times--) {
        struct event *e = push(w, poll * times, EVENT_ANSWERED);
        e->x = r->channel;
        (void)snprintf(e->text, sizeof e->text, "%s", text);
        (void)snprintf(e->more, sizeof e->more, "%s%llu", r->channel == NOTIFY_VOICE ? "r" : "in",
                       (unsigned long long)r->attempt);
    }
}

/* Nobody has what he was not told of: incidents behind those of any message that arrived. */
static void check_seen(struct world *w, const struct received *r)
{
    static const char *const names[PEOPLE] = {"Anna", "Bo", "Cia", "Dan", "Eva"};
    int64_t most = 0;
    for (size_t i = 0; i < w->n_messages; i++) {
        const struct received *o = &w->messages[i];
        if (o->page == r->page && o->person == r->person && o->listed > most) most = o->listed;
    }
    if (ask_oncall(w,
                   "SELECT count(*) FROM page_incident WHERE page = ?1 AND number > ?2"
                   " AND settled_by = ?3",
                   DB_WITH(db_u64(r->page), db_number(most), db_text(slice_of(names[r->person])))))
        wrong(w, "%s has incidents of page %llu that he was not told of", names[r->person],
              (unsigned long long)r->page);
}

static bool by_link(struct world *w, const struct received *r, const char *what)
{
    char body[96];
    (void)snprintf(body, sizeof body, "{\"code\":\"%s\",\"do\":\"%s\",\"from\":\"person%u\"}",
                   r->code, what, r->person);
    if (!r->code[0]) return true; /* it was written when he had answered already */
    bool done = oncall_do(w, "web", "answer", body);
    if (done) check_seen(w, r);
    return done;
}

/* In the queue of incidents: what the page names first. */
static bool by_queue(struct world *w, const struct received *r)
{
    char text[64];
    int64_t incident =
        ask_oncall(w,
                   "SELECT s.incident FROM page_incident i JOIN subject s ON s.id = i.subject"
                   " WHERE i.page = ?1 ORDER BY i.number LIMIT 1",
                   DB_WITH(db_u64(r->page)));
    (void)snprintf(text, sizeof text, "{\"incident\":%lld}", (long long)incident);
    return triage_act(w, "ack", text) || w->up[TRIAGE];
}

void person_answers(struct world *w, const struct event *e)
{
    char text[64];
    const struct received *r = &w->messages[e->a];
    struct event again = *e;
    bool done = true;
    switch ((enum how)again.x) {
    case BY_REPLY:
        (void)snprintf(text, sizeof text, "Ja %s tack", r->code);
        reply(w, r, text);
        break;
    case BY_KEY:
        reply(w, r, "1");
        break;
    case BY_LINK:
        done = by_link(w, r, "ack");
        break;
    case BY_COMMAND:
        (void)snprintf(text, sizeof text, "{\"page\":%llu}", (unsigned long long)r->page);
        done = oncall_do(w, "cli", "page_ack", text) || w->up[ONCALL];
        break;
    case BY_QUEUE:
        done = by_queue(w, r);
        break;
    case ESCALATES:
        done = by_link(w, r, "escalate");
        break;
    case MISTYPES:
    case HOWS:
        reply(w, r, "AAAAAAAA");
        break;
    }
    w->f.acks += done;
    if (done) return;
    struct event *later = push(w, 30 * SECOND, EVENT_ANSWER);
    later->a = again.a;
    later->x = again.x;
}

/* ---- the queue --------------------------------------------------------------------------- */

/* Somebody at work takes what is old, or closes it, or puts two together. */
void worker_looks(struct world *w)
{
    char body[160];
    for (unsigned n = 0; n < 20; n++) {
        int64_t id =
            ask_desk(w,
                     "SELECT coalesce((SELECT id FROM incident WHERE open = 1 AND acked IS NULL"
                     " AND detected < ?1 ORDER BY id LIMIT 1 OFFSET ?2), 0)",
                     DB_WITH(db_number(real_now(w) - 3 * HOUR), db_number(n / 2)));
        if (!id) return;
        const unsigned what = (unsigned)pick(w, 5);
        if (what == 0)
            (void)snprintf(body, sizeof body,
                           "{\"incident\":%lld,\"protected\":false,\"disposition\":\"benign\","
                           "\"why\":\"x\"}",
                           (long long)id);
        else if (what == 1)
            (void)snprintf(body, sizeof body,
                           "{\"incident\":%lld,\"with\":%lld,\"protected\":false}",
                           (long long)id + 1, (long long)id);
        else (void)snprintf(body, sizeof body, "{\"incident\":%lld}", (long long)id);
        (void)triage_act(w, what == 0 ? "close" : what == 1 ? "merge" : "ack", body);
    }
}
