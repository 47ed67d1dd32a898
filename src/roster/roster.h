/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Who is on call, when, and what may wake whom: the plan of people, teams, rotations, policies and
 * rules as docs/oncall.md has its form, and what was changed of it for a time. A plan is read whole
 * or refused whole, with the place of what is wrong. What is read is the roster's and does not
 * change any more. It may be asked about times that roster_is_time() has.
 */
#ifndef VAKA_ROSTER_ROSTER_H
#define VAKA_ROSTER_ROSTER_H

#include "base/arena.h"
#include "base/buf.h"
#include "calendar/calendar.h"
#include "calendar/hours.h"
#include "notify/notify.h"
#include "roster/duty.h"

enum {
    ROSTER_PLAN_MAX = 1024 * 1024, /* bytes of the document */
    ROSTER_PEOPLE_MAX = 512,
    ROSTER_TEAMS_MAX = 64,
    ROSTER_ROTATIONS_MAX = 16, /* of a team */
    ROSTER_ORDER_MAX = 64,     /* people of a rotation */
    ROSTER_POLICIES_MAX = 64,
    ROSTER_STEPS_MAX = 16,   /* of a policy */
    ROSTER_TARGETS_MAX = 16, /* of a step */
    ROSTER_RULES_MAX = 256,
    ROSTER_CONTACTS_MAX = 8,   /* of a person */
    ROSTER_CHANGES_MAX = 4096, /* that are added to a plan */
    ROSTER_ID_MAX = 64,        /* bytes of an id or a name */
    ROSTER_ADDRESS_MAX = 320,
    ROSTER_REPEAT_MAX = 10,
};

/* ---- people ---- */

enum roster_when { ROSTER_ALWAYS, ROSTER_OFFICE, ROSTER_ONCALL /* outside of office hours */ };

struct roster_contact {
    enum notify_channel channel;
    struct slice address;
    enum roster_when when; /* it may be used */
    nsec after; /* so long without an answer: it is tried as well, whatever became of others */
};

struct roster_person {
    struct slice id, name, user;           /* user: his account; may be empty */
    bool english;                          /* else he is told in Swedish */
    bool works;                            /* in office hours: what rest is counted with */
    const struct roster_contact *contacts; /* in the order in which they are tried */
    uint32_t n_contacts;
    uint32_t line; /* of the plan */
};

/* ---- teams ---- */

struct roster_rotation {
    struct slice name;
    const uint32_t *order; /* numbers of people */
    uint32_t n;
    nsec start, period;        /* local time of the first turn, and how long one is */
    nsec until;                /* a time; INT64_MAX: it goes on */
    enum roster_when when;     /* it has anybody on call; */
    const struct hours *hours; /* or its own hours; NULL: none */
    bool shadow;               /* who learns: is told of pages beside those on call */
    uint32_t line;
};

enum roster_duty { ROSTER_BEREDSKAP /* reachable elsewhere */, ROSTER_JOUR /* at the workplace */ };

struct roster_team {
    struct slice id, name;
    enum roster_duty duty;
    enum roster_when cover; /* when somebody has to be on call */
    /* A later one goes before an earlier one, where it has somebody. */
    const struct roster_rotation *rotations;
    uint32_t n;
    uint32_t line;
};

/* ---- policies ---- */

enum roster_aim { ROSTER_AIM_ONCALL, ROSTER_AIM_PERSON, ROSTER_AIM_EVERYBODY };

struct roster_target {
    enum roster_aim aim;
    struct slice id; /* of the team or person */
};

struct roster_step {
    const struct roster_target *targets;
    uint32_t n;
    nsec wait; /* for an answer, before the next step begins */
};

struct roster_policy {
    struct slice id, name;
    const struct roster_step *steps;
    uint32_t n;
    uint32_t repeat;           /* how often all steps are gone through again */
    bool everyone_must;        /* each who was told must acknowledge */
    struct roster_step follow; /* the fallback, behind the last step; n 0: none */
    uint32_t line;
};

/* ---- the roster ---- */

struct roster_rule;
struct roster_change_kept;

struct roster {
    struct arena arena;
    const struct calendar *calendar; /* borrowed */
    const struct zone *zone;         /* the calendar's */
    struct slice zone_name;
    struct hours office;
    struct duty duty;
    struct roster_rest {
        nsec day_begins;        /* time of day at which days of 24 hours begin */
        bool weekly_standby;    /* an agreement lets weekly rest be on beredskap */
        bool jour_weeks;        /* jour is counted over four weeks, not over a month */
        struct slice exception; /* why daily rest may be shorter; empty: it may not */
    } rest;
    struct roster_digest {
        bool never;
        unsigned weekday; /* 0: Monday */
        nsec time;        /* of the day */
    } digest;             /* when people are told of the shifts that they have */
    struct roster_proof {
        struct slice person; /* id; empty: nobody */
        nsec time;           /* of the day */
    } proof;                 /* who is told once a day by each way, so that it is known to work */
    const struct roster_person *people;
    uint32_t n_people;
    const struct roster_team *teams;
    uint32_t n_teams;
    const struct roster_policy *policies;
    uint32_t n_policies;
    const struct roster_rule *rules;
    uint32_t n_rules;
    struct roster_change_kept *changes; /* by their numbers */
    uint32_t n_changes;
};

/*
 * Reads a plan; `path` is for messages. The calendar is borrowed for as long as the roster lives.
 * ERR_SYNTAX, ERR_INVALID, ERR_LIMIT: diag has the place; ERR_NOMEM.
 */
int roster_read(struct slice text, const char *path, struct calendar *calendar, struct roster **ret,
                struct diag *diag) MUST_USE;
/* May be NULL. */
void roster_free(struct roster *r);

enum roster_change_kind {
    ROSTER_OVERRIDE = 1,  /* somebody is on call in a team, instead of whoever or of somebody */
    ROSTER_TEMPORARY = 2, /* no rotation of the team counts: who is on call overrides say */
    ROSTER_ABSENCE = 3,   /* somebody is not there, whatever the team */
};
struct roster_change {
    uint64_t id; /* later ones go before earlier ones */
    enum roster_change_kind kind;
    struct slice team, person, instead; /* ids; what the kind does not need is empty */
    nsec from, until;
};
/*
 * Adds to a roster that nobody has asked yet, in the order of the ids. ERR_NOT_FOUND: the plan has
 * no such person or team (any more), so that it changes nothing; ERR_INVALID: it ends before it
 * begins; ERR_LIMIT, ERR_NOMEM.
 */
int roster_change(struct roster *r, const struct roster_change *change) MUST_USE;

/* NULL: there is none of that id. */
const struct roster_person *roster_person(const struct roster *r, struct slice id);
const struct roster_team *roster_team(const struct roster *r, struct slice id);
const struct roster_policy *roster_policy(const struct roster *r, struct slice id);
/* By the name of an account. */
const struct roster_person *roster_person_of(const struct roster *r, struct slice user);

/* From 1970 to the end of 2199: neither zones nor sums of times come near their ends. */
static inline bool roster_is_time(nsec time)
{
    return time >= 0 && time < INT64_C(7258118400) * NSEC_PER_SEC;
}
/* 2026-12-23 22:47, by the plan's zone. */
void roster_write_time(const struct roster *r, nsec time, struct buf *out);

/* When the plan has its daily proof next, behind `after`; INT64_MAX: never. */
nsec roster_proof_next(const struct roster *r, nsec after);

/* ---- who ---- */

struct roster_shift {
    nsec from, until;
    const struct roster_person *person;  /* NULL: nobody */
    const struct roster_person *planned; /* who it would be without changes; NULL: nobody */
    uint64_t change;                     /* that put him there; 0: a rotation did */
    struct slice rotation;               /* its name; empty: none */
};

/* Who is on call then; from and until are times at which that may be otherwise. */
void roster_who(const struct roster *r, const struct roster_team *team, nsec at,
                struct roster_shift *ret);
/* Who learns with him; NULL: nobody. */
const struct roster_person *roster_shadow(const struct roster *r, const struct roster_team *team,
                                          nsec at);
/* Whether somebody has to be on call in it then. */
bool roster_covers(const struct roster *r, const struct roster_team *team, nsec at);
bool roster_is_office(const struct roster *r, nsec at);
bool roster_is_when(const struct roster *r, enum roster_when when, nsec at);

/* ---- what pages ---- */

struct roster_question {
    uint32_t tenant;
    struct slice service;
    unsigned level; /* enum sigma_level */
    bool exercise;
};
enum roster_verdict_what { ROSTER_PAGE, ROSTER_WAIT, ROSTER_NEVER };
struct roster_verdict {
    enum roster_verdict_what what;
    nsec until;                         /* ROSTER_WAIT; then it pages, whatever the hour */
    const struct roster_policy *policy; /* of PAGE and WAIT */
    uint32_t line;                      /* of the rule; 0: none spoke of it, so it pages */
};
void roster_judge(const struct roster *r, const struct roster_question *q, nsec at,
                  struct roster_verdict *ret);

struct roster_reached {
    const struct roster_person *person;
    bool shadow; /* is told, and need not answer */
};
/*
 * Whom a step tells that begins then, each once. Targets that the roster does not know are nobody:
 * the step may be of a policy of an earlier plan. Returns how many.
 */
uint32_t roster_targets(const struct roster *r, const struct roster_step *step, nsec at,
                        struct roster_reached ret[ROSTER_PEOPLE_MAX]);
bool roster_contact_open(const struct roster *r, const struct roster_contact *contact, nsec at);

/*
 * A policy as JSON, as it would stand in a plan, and back: so that a page keeps the one it began
 * with. What is read lives in the arena.
 */
void roster_policy_write(const struct roster_policy *policy, struct buf *out);
int roster_policy_read(struct slice text, struct arena *arena, struct roster_policy *ret,
                       struct diag *diag) MUST_USE;

#endif
