/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Plans and what was changed of them, as rows of a database (state/db.h). A plan, a change and a
 * disturbance are never changed or forgotten: a change that is taken back says when and by whom,
 * and the newest plan is the one in force. Everything that was done stands in roster_log as well.
 *
 * Errors, where nothing else is said: those of state/db.h.
 */
#ifndef VAKA_ROSTER_ROWS_H
#define VAKA_ROSTER_ROWS_H

#include "account/rights.h"
#include "roster/rest.h"
#include "state/db.h"

/* Tables that hold all of it; for a migration. */
extern const char roster_schema[];

/*
 * The newest plan, with all changes that end behind `since`. *ret is NULL and *ret_plan 0 without
 * any plan. ERR_CORRUPT: the plan that is kept cannot be read; diag says why.
 */
int roster_load(struct db *db, struct calendar *calendar, nsec since, struct roster **ret,
                uint64_t *ret_plan, struct diag *diag) MUST_USE;

enum { ROSTER_DISTURBANCES_MAX = 256 }; /* of a person, in sixty days */
/* What rest he is owed, by the disturbances that are written down. */
int roster_owed(struct db *db, const struct roster *r, const struct roster_person *person, nsec now,
                struct arena *arena, struct rest_owed *ret) MUST_USE;

/* ---- what people do ---- */

/* name, right, what it does */
#define ROSTER_ACTS(X)                                                                             \
    X(plan, CONFIG_WRITE)        /* another plan: text, why */                                     \
    X(override, ONCALL_WRITE)    /* team, person, instead, from, until */                          \
    X(swap, ONCALL_WRITE)        /* team, person, from, until; with, with_from, with_until */      \
    X(temporary, ONCALL_WRITE)   /* team, from, until; shifts: [{person, from, until}] */          \
    X(absence, ONCALL_WRITE)     /* person, from, until */                                         \
    X(drop, ONCALL_WRITE)        /* change */                                                      \
    X(disturbance, ONCALL_WRITE) /* person, from, until */                                         \
    X(undisturbed, ONCALL_WRITE) /* disturbance: it was none */

/* What became of it: by the numbers of desk/desk.h. */
enum roster_status {
    ROSTER_DONE = 0,
    ROSTER_INVALID = 1,
    ROSTER_NOT_FOUND = 2,
    ROSTER_CONFLICT = 3,
    ROSTER_UNKNOWN = 5,
};

struct roster_request {
    struct slice actor;
    struct slice kind; /* the name of an act */
    struct slice body; /* one JSON object: docs/oncall.md has the members */
    nsec now;
};

/*
 * Does it, within a transaction, and appends to out one JSON object: what was done, whose shifts
 * changed, which rules of rest that breaks; or what is wrong, as desk_act() says it, and nothing
 * was changed. A breach that was not there before is a conflict unless the body has `force` and
 * `why`. Who has a shift more or less than before gets a row in roster_message. When it is done the
 * roster is to be loaded again.
 */
int roster_act(struct db *db, struct calendar *calendar, const struct roster_request *request,
               struct buf *out, enum roster_status *ret) MUST_USE;
/* False: there is no such act. */
bool roster_act_right(struct slice kind, enum account_right *ret);

/* ---- messages that are no pages ---- */

/*
 * Within a transaction. Once a week, when the plan's `digest` has it, tells everybody which shifts
 * he has in the next two weeks, by rows of roster_message; *ret_next is when it is to be called
 * again, INT64_MAX: never with this plan. After a longer end that is done once.
 */
int roster_digest_due(struct db *db, const struct roster *r, nsec now, nsec *ret_next) MUST_USE;

int roster_message_add(struct db *db, struct slice person, struct slice subject, struct slice text,
                       nsec now) MUST_USE;
/* A row of roster_message that waits for somebody to send it; its id is 0 when there is none. Texts
 * go to `arena`. */
struct roster_message {
    uint64_t id;
    struct slice person, subject, text; /* the id; in his language */
    uint32_t tried;                     /* how often; the column is the sender's */
};
int roster_message_load(struct db *db, uint64_t id, struct arena *arena,
                        struct roster_message *ret) MUST_USE;
/* It was sent, or cannot be. */
int roster_message_done(struct db *db, uint64_t id, nsec now) MUST_USE;

#endif
