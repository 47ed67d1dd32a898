/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Incidents as people work on them. Alerts are put into incidents here, and everything that people
 * do to these is checked, applied and written down here; both by the one process that writes the
 * database, within its transactions. What is read of it stands in desk/read.h.
 *
 * Every change has a number that grows: that of its row in the log of what people and Vaka did, or,
 * where an incident only got more alerts, the incident's own `changed`. Nothing of the log is ever
 * changed or forgotten.
 */
#ifndef VAKA_DESK_DESK_H
#define VAKA_DESK_DESK_H

#include "account/rights.h"
#include "base/buf.h"
#include "state/state.h"

struct desk;

/*
 * The database, which is borrowed. What it knew before the last end is read, and alerts that are in
 * no incident (an older version left them) get one, in transactions of its own. `seed` is random,
 * `now` the time. Errors of state/state.h.
 */
int desk_open(struct state *state, uint64_t seed, nsec now, struct desk **ret) MUST_USE;
/* May be NULL. */
void desk_close(struct desk *d);

/*
 * An alert, into the incident where it belongs, or to the count of one alike (triage.alike).
 * *ret_new tells which. Within a transaction; errors of state/state.h, upon which the process is to
 * end: what is in memory may know more than the database then.
 */
int desk_add_alert(struct desk *d, const struct state_alert *alert, nsec alike, nsec now,
                   bool *ret_new) MUST_USE;

/* ---- what people do ---- */

/*
 * name, right, what it is to: an incident that is OPEN, CLOSED or ANY of both, or NO_INCIDENT;
 * whether it writes down what people say (TEXT), which waits for the answer whether that may
 * concern säkerhetsskydd; the function that undoes it, or NULL.
 */
#define DESK_ACTS(X)                                                                               \
    X(ack, INCIDENTS_WRITE, OPEN, NO_TEXT, desk_undo_time)                                         \
    X(assign, INCIDENTS_WRITE, OPEN, NO_TEXT, desk_undo_assign)                                    \
    X(note, INCIDENTS_WRITE, ANY, TEXT, NULL)                                                      \
    X(task, INCIDENTS_WRITE, OPEN, TEXT, NULL)                                                     \
    X(task_done, INCIDENTS_WRITE, ANY, NO_TEXT, NULL)                                              \
    X(triage, INCIDENTS_WRITE, OPEN, NO_TEXT, desk_undo_time)                                      \
    X(contain, INCIDENTS_WRITE, OPEN, NO_TEXT, desk_undo_time)                                     \
    X(close, INCIDENTS_WRITE, OPEN, TEXT, desk_undo_close)                                         \
    X(reopen, INCIDENTS_WRITE, CLOSED, TEXT, desk_undo_reopen)                                     \
    X(merge, INCIDENTS_WRITE, OPEN, TEXT, desk_undo_merge)                                         \
    X(split, INCIDENTS_WRITE, OPEN, TEXT, desk_undo_split)                                         \
    X(undo, INCIDENTS_WRITE, ANY, TEXT, NULL)                                                      \
    X(protect, INCIDENTS_WRITE, ANY, NO_TEXT, NULL)                                                \
    X(aware, INCIDENTS_WRITE, ANY, NO_TEXT, desk_undo_time)                                        \
    X(significant, INCIDENTS_WRITE, ANY, TEXT, NULL)                                               \
    X(breach, INCIDENTS_WRITE, ANY, TEXT, NULL)                                                    \
    X(report, INCIDENTS_WRITE, ANY, TEXT, NULL)                                                    \
    X(evidence, INCIDENTS_WRITE, ANY, TEXT, NULL)                                                  \
    X(assets, ASSETS_WRITE, NO_INCIDENT, NO_TEXT, NULL)                                            \
    X(suppress, RULES_WRITE, NO_INCIDENT, NO_TEXT, NULL)                                           \
    X(unsuppress, RULES_WRITE, NO_INCIDENT, NO_TEXT, NULL)                                         \
    X(organisation, CONFIG_WRITE, NO_INCIDENT, NO_TEXT, NULL)

/* What became of it. The numbers are told to other processes. */
enum desk_status {
    DESK_DONE = 0,
    DESK_INVALID = 1,   /* a member is missing, or is wrong */
    DESK_NOT_FOUND = 2, /* there is no such thing, or it is another tenant's */
    DESK_CONFLICT = 3,  /* it is not in a state for that, or not at the version that was named */
    DESK_PROTECTED = 4, /* whether it may concern säkerhetsskydd was not said, or it may */
    DESK_UNKNOWN = 5,   /* there is no such act */
    DESK_AGAIN = 6,     /* it was done before with this key, and is not done again */
    DESK_REUSED = 7,    /* the key was given with something else */
    DESK_BUSY = 8,      /* not now: somebody else does, or it failed for no fault of who asks */
};

struct desk_request {
    struct slice actor; /* who, as the log is to say */
    uint32_t tenant;
    struct slice kind; /* the name of an act */
    struct slice body; /* one JSON object: docs/incidents.md has the members */
    nsec now;
    /* What a client gave so that it is done once, and of what; both empty: nothing. */
    struct slice once, asked;
};

enum { DESK_ONCE_MAX = 64 };
enum { DESK_BODY_MAX = 8 * 1024 * 1024, DESK_ACTOR_MAX = 256 };

/*
 * Does it, within a transaction, and appends to out the incident as it is then, or what was done;
 * or what is wrong:
 * {"member":"why","message":"…"}, with "sv" where people meet it, and nothing was changed. Errors
 * as above.
 */
int desk_act(struct desk *d, const struct desk_request *request, struct buf *out,
             enum desk_status *ret) MUST_USE;
/* The right that an act needs; false: there is no such act. */
bool desk_act_right(struct slice kind, enum account_right *ret);

#endif
