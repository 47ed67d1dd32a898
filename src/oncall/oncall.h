/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * From an incident to a person who has it: a state machine over one database. Time, what triage
 * hands over, what became of messages and what people answer go in; messages to be sent, and what
 * triage is to write down, come out. docs/design/0013-paging.md has why.
 *
 *     handover ─► judged by the plan ─► waits until morning ─┐
 *                       └─► page ◄──────────────────────────┘
 *     page ─► step ─► notice (a person) ─► attempt (a contact of his, a provider)
 *
 * Everything that is to happen later is a row of the table `deadline`. What is called here changes
 * the database in one transaction each, and lets out nothing that is not durable; oncall_pass() has
 * one for each deadline. What is not in the database is how providers are, and who guessed codes.
 *
 * Errors, where nothing else is said: those of state/db.h. Nothing was changed then; what came is
 * to be said again, or the process to end.
 */
#ifndef VAKA_ONCALL_ONCALL_H
#define VAKA_ONCALL_ONCALL_H

#include "account/rights.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "desk/handover.h"

struct db;
struct oncall;

enum {
    ONCALL_VERSION = 2, /* of the database */
    ONCALL_BODY_MAX = 4 * 1024 * 1024,
    ONCALL_ACTOR_MAX = 256,
};

extern const char *const oncall_migrations[ONCALL_VERSION];

/* ---- what goes in and out ---- */

/* Marks of an incident, those of event/record.h among them, and of a page. */
enum oncall_mark {
    ONCALL_EXERCISE = 1,
    ONCALL_CANARY = 2,
    ONCALL_TEST = 4,    /* of one person */
    ONCALL_PROOF = 8,   /* … that is the one of the day: every way by itself */
    ONCALL_OUTAGE = 16, /* the watch itself is broken: of a page, by itself and at once */
};

/* Texts are borrowed for the call. */
struct oncall_page {
    bool canary; /* it comes from the canary itself; incident is the number of an outage then */
    uint64_t id; /* of the handover: the same one may come again */
    uint32_t tenant;
    uint64_t incident;
    unsigned level;      /* enum sigma_level */
    unsigned why, marks; /* why: enum handover_why */
    nsec first_activity, detected;
    struct slice service, title;
};
struct oncall_settled {
    bool canary;
    uint64_t id;
    uint32_t tenant;
    uint64_t incident;
    unsigned how;  /* enum handover_how */
    uint64_t into; /* of what is part of another */
    struct slice who;
};
struct oncall_paged {
    uint64_t id; /* until oncall_noted() of it */
    uint32_t tenant;
    uint64_t incident;
    unsigned what; /* enum paged_what */
    nsec time;
    struct slice who;
};

/* One message by one provider to one contact: those of notify/notify.h. */
struct oncall_send {
    uint64_t attempt, page;
    unsigned channel, marks;
    int64_t expires;   /* s since 1970 */
    nsec latest, made; /* monotonic; see there */
    struct slice provider, address, subject, body, spoken_sv, spoken_en, link, code;
};
/* An attempt that an earlier process of the messages made, and that may still be answered. */
struct oncall_follow {
    uint64_t attempt;
    unsigned channel;
    int64_t expires;
    struct slice provider, reference;
};
struct oncall_sent {
    uint64_t attempt;
    unsigned outcome; /* enum notify_outcome */
    struct slice reference, detail;
};
struct oncall_answered {
    unsigned channel;
    struct slice provider, reference, from, text;
};

/* How much there may be, and how long things take: the settings oncall.*, which say what is sane.
 */
struct oncall_limits {
    uint32_t per_person, per_channel; /* messages within `within` */
    nsec within;
    nsec bundle;          /* so long a page takes more incidents */
    nsec more_after;      /* people are told what came to a page */
    nsec loud_again;      /* everybody once more; the next time twice as long */
    nsec code_lives;      /* what a message is answered with */
    uint32_t wrong_codes; /* from one place within ten minutes */
    nsec disturbed;       /* how long who acknowledges at night is; 0: that is not written down */
};
struct config;
void oncall_limits_read(const struct config *c, struct oncall_limits *ret);

/* What the room needs of those around it. */
struct oncall_out {
    void *ctx;
    struct oncall_limits limits;
    /* Both when it is durable. */
    void (*send)(void *ctx, const struct oncall_send *m);
    void (*follow)(void *ctx, const struct oncall_follow *m);
    void (*paged)(void *ctx, const struct oncall_paged *m);
    /* Something that people should hear of: it is not made a page of. */
    void (*alarm)(void *ctx, const char *event, struct slice text);
    /* Secret bytes. */
    void (*random)(void *ctx, void *out, size_t n);
    struct slice address; /* of the web as people reach it; empty: no links */
    struct slice
        holidays; /* a file as src/calendar has it; empty: the built-in one. For the call */
};

/* Both of one moment. */
struct oncall_time {
    nsec real, monotonic;
};

/* ---- its life ---- */

/*
 * The database is borrowed, and nobody else writes it. What an earlier process was about to send is
 * sent again when oncall_connected() says that there is somebody to send it. ERR_CORRUPT: the plan
 * that it has cannot be read.
 */
int oncall_open(struct db *db, const struct oncall_out *out, struct oncall_time t,
                struct oncall **ret, struct diag *diag) MUST_USE;
/* May be NULL. */
void oncall_close(struct oncall *o);

/* It is durable when 0 is returned, and for ever: the same again changes nothing. */
int oncall_take_page(struct oncall *o, const struct oncall_page *m, struct oncall_time t) MUST_USE;
int oncall_take_settled(struct oncall *o, const struct oncall_settled *m,
                        struct oncall_time t) MUST_USE;
int oncall_take_noted(struct oncall *o, uint64_t id, struct oncall_time t) MUST_USE;
int oncall_take_sent(struct oncall *o, const struct oncall_sent *m, struct oncall_time t) MUST_USE;
int oncall_take_answered(struct oncall *o, const struct oncall_answered *m,
                         struct oncall_time t) MUST_USE;
/* A JSON list: [{"name":…,"channels":["sms"],"own":false,"state":…}]. What is no such list is
 * ERR_SYNTAX. */
int oncall_take_providers(struct oncall *o, struct slice list, struct oncall_time t) MUST_USE;

/* Somebody is there to send messages (or not any more); to write down what became of pages. */
int oncall_senders(struct oncall *o, bool there, struct oncall_time t) MUST_USE;
int oncall_triage(struct oncall *o, bool there) MUST_USE;

/* Does what is due. */
int oncall_pass(struct oncall *o, struct oncall_time t) MUST_USE;
/* How long until something is due; -1: nothing is to come. */
nsec oncall_next(struct oncall *o, struct oncall_time t);

/* ---- what people do ---- */

/*
 * name, right, members of its body; beside those of roster/rows.h, which go to the plan.
 *
 * answer is what the page behind a link does, for whoever has the code: `do` is show, ack or
 * escalate, `from` who asks (wrong codes are counted by it), `seen` how much of the list he saw.
 */
#define ONCALL_ACTS(X)                                                                             \
    X(page_ack, INCIDENTS_WRITE)      /* page */                                                   \
    X(page_escalate, INCIDENTS_WRITE) /* page, why? */                                             \
    X(page_test, ONCALL_WRITE)        /* person: a page of his own, by all of his contacts */      \
    X(answer, ONCALL_WRITE)           /* code, do?, from?, seen? */

struct oncall_request {
    struct slice actor; /* who, as it is shown */
    uint32_t tenant;
    struct slice kind, body; /* the name of an act; one JSON object */
};
/*
 * Does it and appends what became of it, or {"member":…,"message":…} with what is wrong; *ret is an
 * enum roster_status, which are numbers of desk/desk.h.
 */
int oncall_act(struct oncall *o, const struct oncall_request *request, struct oncall_time t,
               struct buf *out, unsigned *ret) MUST_USE;
/* The right that an act needs; false: there is no such act. */
bool oncall_act_right(struct slice kind, enum account_right *ret);

/* What the canary is to know of it, without which nobody can be paged; and whether a page is loud.
 */
struct oncall_canary {
    bool attempted; /* attempts of that number are durable and on their way */
    bool unset;     /* there is no plan, or no provider */
    bool loud;      /* everybody was told of a page, and nobody has it */
};
int oncall_ask_canary(struct oncall *o, uint64_t number, struct oncall_canary *ret) MUST_USE;

/* Members of a JSON object: how pages are, and what is missing for them to reach anybody. */
int oncall_status(struct oncall *o, struct oncall_time t, struct buf *out) MUST_USE;

#endif
