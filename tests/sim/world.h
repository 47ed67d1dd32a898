/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Weeks of a watch, from one seed: the shipping code of triage (src/desk, src/state) and of paging
 * (src/oncall, src/roster), each with its database in memory. What is made up is the clock, the
 * channels between processes, providers, people, and where a process ends: between any two
 * statements of its database, which is what a power cut of one process leaves behind.
 */
#ifndef VAKA_TESTS_SIM_WORLD_H
#define VAKA_TESTS_SIM_WORLD_H

#include "base/buf.h"
#include "desk/desk.h"
#include "desk/handover.h"
#include "oncall/oncall.h"
#include "state/db.h"

#define SECOND NSEC_PER_SEC
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define WEEK   (7 * DAY)

enum { PROVIDERS = 3, PEOPLE = 5, ATTEMPTS_MAX = 1 << 16, MESSAGES_MAX = 1 << 14 };

/* Processes that end and start. */
enum process { TRIAGE, ONCALL, NOTIFY, PROCESSES };

enum event_kind {
    EVENT_ALERT,    /* a: rule, b: user, x: level, y: how many more follow */
    EVENT_STORM,    /* begins */
    EVENT_START,    /* x: process */
    EVENT_WAKE,     /* oncall; a: token */
    EVENT_HANDOVER, /* to oncall: text has the row */
    EVENT_SETTLED,
    EVENT_TAKEN,    /* to triage; a: id */
    EVENT_PAGED,    /* to triage */
    EVENT_NOTED,    /* to oncall; a: id */
    EVENT_SEND,     /* to notify; a: attempt */
    EVENT_SENT,     /* to oncall; a: attempt, x: outcome */
    EVENT_ANSWERED, /* to oncall */
    EVENT_ARRIVES,  /* at a person; a: message */
    EVENT_ANSWER,   /* by a person; a: message, x: how */
    EVENT_WORKER,   /* somebody looks through the queue */
    EVENT_OUTAGE,   /* x: provider; y: it ends */
    EVENT_KILL,     /* notify */
    EVENT_JUMP,     /* of the machine's clock */
    EVENT_PLAN,     /* somebody changes who is on call */
    EVENT_LOOK,     /* the invariants are looked at */
};

struct event {
    nsec at; /* monotonic */
    uint64_t order;
    enum event_kind kind;
    uint32_t from, to; /* epochs of both ends of the channel; what was under way is lost with one */
    uint64_t a, b;
    unsigned x, y;
    uint32_t tenant;
    nsec time;
    char text[64], more[24];
};

/* A message as a person has it. */
struct received {
    uint64_t attempt, page;
    unsigned channel, person, provider;
    char code[9];
    int64_t listed; /* incidents that the page had when it was sent */
    bool arrived;
};

struct figures {
    uint64_t weeks, incidents, pages, steps, messages, acks, ends, storms, outages, jumps, loud;
    uint64_t proofs, disturbed;
};

struct world {
    uint64_t random;
    nsec start, mono, offset; /* real = mono + offset */
    nsec end;                 /* nothing new happens behind it; monotonic */
    struct event *heap;
    size_t n, cap;
    uint64_t order;
    struct state *state;
    struct desk *desk;
    struct db *db;
    struct oncall *oncall;
    uint32_t epoch[PROCESSES];
    bool up[PROCESSES];
    uint64_t statements[PROCESSES]; /* until it ends */
    uint64_t handed;                /* triage's: told up to it */
    uint64_t wake;                  /* token */
    uint64_t seq;                   /* of alerts */
    uint32_t next_user;
    bool down[PROVIDERS];
    unsigned mood[PEOPLE]; /* percent of messages that they answer */
    struct received *messages;
    size_t n_messages;
    /* Of attempts, by their ids: what oncall was told, and in which life of notify it was made. */
    struct made {
        uint64_t notice;
        nsec told_at; /* when oncall heard that it was taken; 0: it has not */
        uint8_t outcome;
        uint32_t life; /* of notify, in which it was made */
        nsec ends;     /* there: when it is first said what became of it; 0: never */
        nsec made;     /* what oncall knows it by */
    } * made;
    nsec *notified;    /* of incidents, as first seen */
    bool calm;         /* nothing fails any more */
    unsigned faults;   /* percent of what may fail that does */
    const char *wrong; /* the first thing that is; NULL: nothing */
    char wrong_text[400];
    bool verbose;
    struct figures f;
};

/* ---- world.c ---- */

uint64_t pick(struct world *w, uint64_t below);
bool chance(struct world *w, unsigned percent);
nsec real_now(const struct world *w);
struct oncall_time time_now(const struct world *w);
struct event *push(struct world *w, nsec after, enum event_kind kind);
/* Something that must not be. */
void wrong(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Runs a world of that many weeks; false: something was wrong. `bug`: NULL, or one of bugs.c. */
bool world_run(struct world *w, uint64_t seed, unsigned weeks, const char *bug);

/* ---- processes.c: triage and oncall, and how they end ---- */

void process_start(struct world *w, enum process p);
void process_end(struct world *w, enum process p);
void triage_alert(struct world *w, const struct event *e);
void triage_taken(struct world *w, const struct event *e);
void triage_paged(struct world *w, const struct event *e);
bool triage_act(struct world *w, const char *kind, const char *body);
void oncall_handover(struct world *w, const struct event *e, bool settled);
void oncall_noted_by(struct world *w, const struct event *e);
void oncall_heard(struct world *w, const struct event *e);
void oncall_reply(struct world *w, const struct event *e);
void oncall_wake(struct world *w, const struct event *e);
bool oncall_do(struct world *w, const char *actor, const char *kind, const char *body);
extern const char sim_plan[];

/* ---- people.c: notify, its providers, and people ---- */

void notify_send(struct world *w, const struct event *e);
void gateway_take(struct world *w, const struct oncall_send *m);
void person_receives(struct world *w, const struct event *e);
void person_answers(struct world *w, const struct event *e);
void worker_looks(struct world *w);

/* ---- checks.c ---- */

/* While it runs; at the end, when all had its time. */
void check_now(struct world *w);
void check_end(struct world *w);
int64_t ask_desk(struct world *w, const char *sql, const struct db_value *values, size_t n);
int64_t ask_oncall(struct world *w, const char *sql, const struct db_value *values, size_t n);

/* ---- bugs.c ---- */

struct bug {
    const char *name, *what;
    bool in_triage; /* whose database it is in */
    const char *trigger;
};
extern const struct bug bugs[]; /* a NULL name ends them */
const struct bug *bug_find(const char *name);

/* ---- faults: sqlite3_step() of the program goes through here ---- */

/* The process whose statements are run from now on ends behind `left` of them; 0: not. */
void fault_arm(uint64_t left);
/* How many are left; 0: it has ended. */
uint64_t fault_left(void);

#endif
