/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Inside of the room. Everything but oncall.c's own is called within a transaction, and what it
 * learned of rows it writes back at once: an end of the process, or an error, leaves what was
 * committed, and nothing else is known.
 */
#ifndef VAKA_ONCALL_INTERNAL_H
#define VAKA_ONCALL_INTERNAL_H

#include "base/arena.h"
#include "notify/notify.h"
#include "oncall/oncall.h"
#include "roster/roster.h"
#include "state/db.h"

/* How long things take, and how much there may be of them, beside struct oncall_limits. */
/* Nothing was heard of an attempt, though it must have come to its end: the next one. */
#define ONCALL_ATTEMPT_WITHIN (NOTIFY_ENDS_WITHIN + 3 * NSEC_PER_SEC)
_Static_assert(ONCALL_ATTEMPT_WITHIN <= 30 * NSEC_PER_SEC, "the next way is tried within 30 s");
#define ONCALL_LOUD_MOST    (4 * 60 * 60 * NSEC_PER_SEC)
#define ONCALL_RETRY_FIRST  (5 * NSEC_PER_SEC) /* behind a pass in vain; then twice as long */
#define ONCALL_RETRY_MOST   (5 * 60 * NSEC_PER_SEC)
#define ONCALL_TEST_FOR     (10 * 60 * NSEC_PER_SEC)
#define ONCALL_PROOF_FOR    NOTIFY_FOLLOW_MAX /* so long it is heard whether it arrived */
#define ONCALL_FORGET_AFTER (400 * INT64_C(24) * 60 * 60 * NSEC_PER_SEC)
enum {
    ONCALL_INCIDENTS_MAX = 5000, /* of one page; more are a page of their own */
    ONCALL_PERSONS_MAX = 256,
    ONCALL_PROVIDERS_MAX = 32,
    ONCALL_PASSES_MAX = 8, /* over all contacts of a notice */
    ONCALL_CONTACTS_MAX = 16,
    ONCALL_GUESSES = 256,
    ONCALL_PASS_MAX = 500, /* deadlines of one oncall_pass() */
    ONCALL_CANARIES_KEPT = 8,
    CODE_LEN = 8,
};

enum { ORIGIN_TRIAGE, ORIGIN_CANARY };
enum subject_state {
    SUBJECT_NEW,       /* to be judged */
    SUBJECT_WAITS,     /* until the plan lets it page */
    SUBJECT_PAGED,     /* on a page, see its column */
    SUBJECT_NEVER,     /* the plan pages nobody for it */
    SUBJECT_SETTLED,   /* somebody has it, or it is over */
    SUBJECT_UNPLANNED, /* there is no plan */
};
enum page_state { PAGE_OPEN, PAGE_LOUD, PAGE_ACKED, PAGE_OVER };
enum notice_state {
    NOTICE_WAITS,  /* for providers to be known, or for its turn */
    NOTICE_TRYING, /* an attempt is under way */
    NOTICE_TAKEN,  /* by a provider */
    NOTICE_DELIVERED,
    NOTICE_FAILED, /* all contacts were tried; perhaps again later */
    NOTICE_OVER,   /* nobody waits for it any more */
};
enum attempt_state {
    ATTEMPT_QUEUED,  /* nobody is there to make it */
    ATTEMPT_SENDING, /* it may have been asked for */
    ATTEMPT_ACCEPTED,
    ATTEMPT_DELIVERED,
    ATTEMPT_RETRY,
    ATTEMPT_REFUSED,
    ATTEMPT_UNKNOWN,
    ATTEMPT_LATE,    /* nothing was heard in time */
    ATTEMPT_DROPPED, /* it was not needed any more */
};
enum deadline_kind {
    DEADLINE_JUDGE,   /* subject */
    DEADLINE_STEP,    /* page */
    DEADLINE_UPDATE,  /* page */
    DEADLINE_NOTICE,  /* notice */
    DEADLINE_ATTEMPT, /* attempt */
    DEADLINE_TIDY,
    DEADLINE_NEWS,   /* row of roster_message */
    DEADLINE_DIGEST, /* people are told of shifts to come */
    DEADLINE_PROOF,  /* every way is tried */
    DEADLINE_REST,   /* disturbance: it is over */
};

struct provider {
    char name[64];
    unsigned channels; /* bits of enum notify_channel */
    bool own;          /* titles may be said */
    unsigned failed;   /* times in a row */
    nsec failed_at;
};

/* A growing list of numbers. */
struct numbers {
    uint64_t *of;
    size_t n, cap;
};
int numbers_add(struct numbers *list, uint64_t value) MUST_USE;

struct oncall {
    struct db *db;
    struct oncall_out out;
    struct arena own;
    struct oncall_time t; /* of the call at hand */
    nsec now;             /* the room's clock, see oncall.c */
    nsec latest, latest_monotonic;
    bool senders, triage, providers_known;
    struct provider providers[ONCALL_PROVIDERS_MAX];
    size_t n_providers;
    struct roster *roster; /* NULL: there is no plan */
    struct calendar *calendar;
    struct numbers sends; /* attempts to be let out behind the commit */
    uint64_t told;        /* triage was told of those up to it */
    bool has_next;
    nsec next;            /* the earliest deadline, while has_next */
    struct arena scratch; /* of the call at hand */
    struct buf text, more;
    struct {
        const char *event;
        uint64_t page;
    } alarms[16];
    size_t n_alarms;
    struct guess {
        nsec since; /* the room's clock */
        uint32_t wrong;
    } guesses[ONCALL_GUESSES]; /* by who guesses */
    nsec guessed;
    uint32_t wrong_codes;
    uint64_t pages, acks, attempts, failures, held_back; /* since the start */
};

/* ---- who, when: the plan (plan.c) ---- */

struct verdict {
    enum { VERDICT_PAGE, VERDICT_WAIT, VERDICT_NEVER, VERDICT_UNPLANNED } kind;
    nsec until;                         /* of the machine's clock */
    const struct roster_policy *policy; /* of VERDICT_PAGE; the roster's */
};
struct subject {
    uint64_t id;
    unsigned origin;
    uint32_t tenant;
    uint64_t incident;
    unsigned level, marks;
    struct slice service, title; /* of o->scratch */
    unsigned state;
    uint64_t page;
};
/* Somebody who is to be told, with the contacts that are open now; of o->scratch. */
struct person {
    struct slice id, name;
    bool english, shadow;  /* a shadow need not answer */
    struct slice contacts; /* [{"channel":2,"address":"+46…","after":SECONDS},…] */
};
struct persons {
    struct person *of;
    size_t n;
};
/* The newest plan of the database; none is no error. */
int plan_load(struct oncall *o, struct diag *diag) MUST_USE;
void plan_drop(struct oncall *o);
/* `asked`: somebody wants a page of it, whatever the hour. */
void plan_judge(struct oncall *o, const struct subject *s, bool asked, struct verdict *ret);
/* Who is told in a step that begins now. */
int plan_find(struct oncall *o, const struct roster_step *step, struct persons *ret) MUST_USE;
int plan_everybody(struct oncall *o, struct persons *ret) MUST_USE;
/* By his id or account; `all`: with contacts whose hours these are not as well. */
int plan_person(struct oncall *o, struct slice id, bool all, struct persons *ret) MUST_USE;
/* How many teams have nobody on call who should, and how many people have no contact. */
void plan_gaps(struct oncall *o, unsigned *ret_empty, unsigned *ret_unreachable);

/* ---- the database (oncall.c) ---- */

int deadline_set(struct oncall *o, enum deadline_kind kind, uint64_t id, nsec due) MUST_USE;
int deadline_drop(struct oncall *o, enum deadline_kind kind, uint64_t id) MUST_USE;
int event_add(struct oncall *o, uint64_t page, const char *kind, struct slice who,
              struct slice text) MUST_USE;
/* What triage is to write down of all incidents of the page that nobody has yet. */
int told_add(struct oncall *o, uint64_t page, unsigned what, struct slice who) MUST_USE;
struct slice keep(struct oncall *o, struct slice text); /* in o->scratch */
/* Told behind the commit. */
void alarm_add(struct oncall *o, const char *event, uint64_t page);

/* ---- incidents (subject.c) ---- */

int subject_take(struct oncall *o, const struct oncall_page *m) MUST_USE;
int subject_take_settled(struct oncall *o, const struct oncall_settled *m) MUST_USE;
int subject_load(struct oncall *o, uint64_t id, struct subject *ret, bool *ret_found) MUST_USE;
/* By the plan as it is now. */
int subject_judge(struct oncall *o, uint64_t id, bool asked) MUST_USE;
/* There is another plan: what waits is judged by it. */
int subject_judge_waiting(struct oncall *o) MUST_USE;

/* ---- pages (page.c) ---- */

struct page {
    uint64_t id;
    uint32_t tenant;
    unsigned marks, level, state;
    int64_t step;   /* of the policy; -1: none was begun. Behind the last: fallback, everybody */
    uint64_t turn;  /* of its steps; of a loud page: how often everybody was told again */
    uint64_t steps; /* that were begun */
    struct roster_policy policy; /* of o->scratch */
};
int page_load(struct oncall *o, uint64_t id, struct page *ret, bool *ret_found) MUST_USE;
static inline bool page_is_open(const struct page *p)
{
    return p->state == PAGE_OPEN || p->state == PAGE_LOUD;
}
/* The incident, on a page that is open or one of its own. */
int page_add(struct oncall *o, const struct subject *s,
             const struct roster_policy *policy) MUST_USE;
/* Its incident, which is on a page, is worse now. */
int page_raise(struct oncall *o, const struct subject *s,
               const struct roster_policy *policy) MUST_USE;
/* The step at hand is over: begins the next, and those behind it as long as nobody can be told. */
int page_next_step(struct oncall *o, uint64_t id, const char *how, struct slice who) MUST_USE;
/* When nobody of the step at hand could be told it is over. */
int page_check_step(struct oncall *o, uint64_t id) MUST_USE;
/* People hear what has come to it since. */
int page_update(struct oncall *o, uint64_t id) MUST_USE;
/*
 * Somebody has what is on its list up to number `seen`; the rest is judged anew. `person` is the
 * plan's id of him; empty: he is not known there. *ret_ended: nobody else is needed.
 */
int page_ack(struct oncall *o, uint64_t id, struct slice person, struct slice who, uint64_t seen,
             bool *ret_ended) MUST_USE;
/* Ends it when all of its incidents are settled. */
int page_check_settled(struct oncall *o, uint64_t id, struct slice who, bool acked) MUST_USE;
/* Nobody is told, but every provider is asked whether it would. */
int page_canary(struct oncall *o, const struct oncall_page *m) MUST_USE;
/* For one person, by each of his contacts; nobody else is told. */
int page_test(struct oncall *o, uint32_t tenant, const struct person *person, struct slice who,
              uint64_t *ret) MUST_USE;
/* The same for the proof of the day. */
int page_proof(struct oncall *o, const struct person *person) MUST_USE;
int page_count(struct oncall *o, uint64_t id, uint64_t *ret_last) MUST_USE;

/* ---- notices and attempts (notice.c) ---- */

/* *ret_failed: there is no way to tell him. */
int notice_begin(struct oncall *o, const struct page *page, const struct person *person,
                 bool *ret_failed) MUST_USE;
/* One for each contact. */
int notice_test(struct oncall *o, const struct page *page, const struct person *person) MUST_USE;
/* One attempt by each contact and each of its providers, whatever becomes of others. */
int notice_proof(struct oncall *o, const struct page *page, const struct person *person) MUST_USE;
/* How many attempts that makes. */
int notice_ways(struct oncall *o, const struct person *person, size_t *ret) MUST_USE;
/* Whether he may get so many more messages now, with so many above the limit. */
int notice_may_send(struct oncall *o, struct slice person, size_t more, size_t above,
                    bool *ret) MUST_USE;
/* An attempt by every provider, that tells nobody. */
int notice_canary(struct oncall *o, uint64_t page) MUST_USE;
/* DEADLINE_NOTICE: its turn has come. */
int notice_due(struct oncall *o, uint64_t id) MUST_USE;
/* Those of a page are not needed any more. */
int notice_end_all(struct oncall *o, uint64_t page) MUST_USE;
/* All that wait for providers. */
int notice_try_waiting(struct oncall *o) MUST_USE;
int attempt_take(struct oncall *o, const struct oncall_sent *m) MUST_USE;
int attempt_late(struct oncall *o, uint64_t id) MUST_USE;
/* Senders are there: what may have been asked for is asked for again. */
int attempt_resend_all(struct oncall *o) MUST_USE;
/* Senders have gone, or nobody is there yet: the time of attempts stands still. */
int attempt_hold_all(struct oncall *o) MUST_USE;

/* ---- what is let out, behind the commit (outbox.c) ---- */

int attempt_let_out(struct oncall *o, uint64_t id) MUST_USE;
int attempt_follow_all(struct oncall *o) MUST_USE;

/* ---- providers (provider.c) ---- */

int providers_read(struct oncall *o, struct slice list) MUST_USE;
struct provider *provider_find(struct oncall *o, struct slice name);
/* In the order in which they are to be tried: those that failed lately last. */
size_t providers_for(struct oncall *o, unsigned channel,
                     struct provider *ret[ONCALL_PROVIDERS_MAX]);

/* ---- codes and answers (answer.c) ---- */

enum oncall_do { ANSWER_SHOW, ANSWER_ACK, ANSWER_ESCALATE };
enum oncall_answer {
    ANSWER_SHOWN,
    ANSWER_ACKED,
    ANSWER_ACKED_ONE, /* others are to acknowledge, too */
    ANSWER_ESCALATED,
    ANSWER_TAKEN_ALREADY, /* somebody has it */
    ANSWER_OVER,          /* it needs nobody any more */
    ANSWER_USED,          /* the code was used before */
    ANSWER_WRONG,
    ANSWER_TOO_MANY, /* wrong ones came from there */
};
/* One of the page and the person that was not used, made when there is none. */
int code_give(struct oncall *o, uint64_t page, struct slice person) MUST_USE;
/* `from` is who guesses when it is wrong, `seen` what he was shown of the list. */
int answer_by_code(struct oncall *o, struct slice code, struct slice from, enum oncall_do what,
                   uint64_t seen, enum oncall_answer *ret, uint64_t *ret_page) MUST_USE;
int answer_take(struct oncall *o, const struct oncall_answered *m) MUST_USE;

/* ---- what is no page (news.c) ---- */

/* There is a plan, or something of it has changed: who is to be told is, and when next. */
int news_plan(struct oncall *o) MUST_USE;
/* The same of what there is to tell, but not before morning. There is a plan. */
int news_when_awake(struct oncall *o) MUST_USE;
int news_due(struct oncall *o, uint64_t id) MUST_USE;
/* Whether an attempt is one of these. */
bool news_is(uint64_t attempt);
int news_let_out(struct oncall *o, uint64_t attempt) MUST_USE;
int news_take(struct oncall *o, const struct oncall_sent *s) MUST_USE;

/* ---- a real message a day by each way (proof.c) ---- */

/* There is a plan, or another one: when it is due. */
int proof_plan(struct oncall *o) MUST_USE;
int proof_due(struct oncall *o) MUST_USE;
/* A real message was taken: the way of that attempt works. */
int proof_note(struct oncall *o, uint64_t attempt, bool delivered) MUST_USE;
/* The page of a proof has had its time: what did not arrive is told. */
int proof_end(struct oncall *o, uint64_t page) MUST_USE;
/* Appends members: who, when next, and of each channel of each provider when it was proven. */
int proof_write(struct oncall *o, struct buf *out) MUST_USE;

/* ---- nights that are disturbed (rest.c) ---- */

/*
 * Who is on call outside of office hours and has a page is disturbed from now on, for as long as
 * the limits say unless he ends it himself. `person` is an id of the plan or the name of an
 * account; who is neither, or not on call, is passed over.
 */
int rest_disturb(struct oncall *o, struct slice person, struct slice actor) MUST_USE;
int rest_due(struct oncall *o, uint64_t disturbance) MUST_USE;

/* ---- acts (act.c), and how it is (status.c) ---- */

int act_run(struct oncall *o, const struct oncall_request *request, struct buf *out,
            unsigned *ret) MUST_USE;
int oncall_write_status(struct oncall *o, struct buf *out) MUST_USE;

/* ---- texts (text.c) ---- */

struct message {
    unsigned level, marks, origin;
    uint64_t page, incidents;
    struct slice service, title, ids; /* title: empty when it may not be said */
    bool english;
    struct slice link, code;
};
/* The text of taxonomy/pages.tsv with that key, filled. */
void text_write(struct buf *out, const char *key, const struct message *m);

#endif
