/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What Vaka knows beside the records: alerts, and up to which record everything was matched. One
 * SQLite file, one writer. Alerts and the record they were found up to are committed together, so
 * that after any end each record's alerts are there once.
 *
 * The schema has a version (SQLite's user_version); state_open() brings an older one up to date,
 * and refuses a newer one.
 */
#ifndef VAKA_STATE_STATE_H
#define VAKA_STATE_STATE_H

#include "base/clock.h"
#include "base/error.h"

enum { STATE_VERSION = 8 };

struct db;
struct state;

/* Opens or makes the file. Errors are told by diag: ERR_ACCESS, ERR_CORRUPT, ERR_UNSUPPORTED (a
 * newer schema), ERR_IO, ERR_NOMEM. */
int state_open(const char *path, struct state **ret, struct diag *diag) MUST_USE;
/* What was not committed is dropped. May be NULL. */
void state_close(struct state *s);
/* The file itself, for rooms that keep tables in it: written between state_begin() and commit. */
struct db *state_db(struct state *s);

/*
 * All below, where nothing else is said: ERR_IO (the disk, or the file is damaged), ERR_LIMIT (the
 * disk is full), ERR_NOMEM. After an error state_rollback() leaves what was committed.
 */

/* Changes are made between these two; state_commit() returns when they are durable. */
int state_begin(struct state *s) MUST_USE;
int state_commit(struct state *s) MUST_USE;
void state_rollback(struct state *s);

/* Everything before this record was matched. 0 at first. */
int state_matched(struct state *s, uint64_t *ret_next) MUST_USE;
int state_set_matched(struct state *s, uint64_t next) MUST_USE;

/*
 * What correlations were told lately, so that they can be told again: a tuple of a rule (by its id
 * and a hash of the names of its values), as the correlator writes it, and up to which time windows
 * were ended.
 */
struct state_tuple {
    uint64_t id;       /* grows; the state's */
    struct slice rule; /* borrowed, as below */
    uint64_t names;
    nsec time;
    struct slice body;
};
int state_add_tuple(struct state *s, const struct state_tuple *tuple) MUST_USE;
/* Forgets those before `time`, and the oldest of more than `most`. */
int state_forget_tuples(struct state *s, nsec time, uint64_t most) MUST_USE;
/* Those with an id above `after`, in order, at most `limit`, until `each` returns false. */
int state_tuples(struct state *s, uint64_t after, uint32_t limit,
                 bool (*each)(void *ctx, const struct state_tuple *tuple), void *ctx) MUST_USE;
/* 0 at first. */
int state_correlated(struct state *s, nsec *ret_time) MUST_USE;
int state_set_correlated(struct state *s, nsec time) MUST_USE;

/* Records that engines ended at, so that they are left out: one more, of which the newest `most`
 * are kept. */
int state_add_quarantined(struct state *s, uint64_t seq, uint64_t most) MUST_USE;
/* The newest `max`, by number; *ret_n of them. */
int state_quarantined(struct state *s, uint64_t *ret, uint32_t max, uint32_t *ret_n) MUST_USE;

/*
 * What is known of sources, by their names as health_save() writes it; in place of what was kept
 * under that name before.
 */
int state_put_health(struct state *s, struct slice source, struct slice saved) MUST_USE;
int state_drop_health(struct state *s, struct slice source) MUST_USE;
/* All of them, by name, until `each` returns false; texts are borrowed for the call. */
int state_health(struct state *s, bool (*each)(void *ctx, struct slice source, struct slice saved),
                 void *ctx) MUST_USE;

/* Texts are borrowed for the call, or from the row that is told. */
struct state_alert {
    uint64_t id;            /* grows; the state's */
    uint64_t seq, last_seq; /* first and last record */
    uint64_t count;         /* records */
    unsigned level;         /* enum sigma_level */
    nsec time;              /* what the event says; TIME_NONE */
    nsec received, last_received;
    struct slice rule, title, host, entity;
    struct slice line;    /* the alert of the first record as one JSON object */
    uint64_t incident;    /* that it was put in; 0: none yet, or it is suppressed */
    unsigned marks;       /* RECORD_MARK_EXERCISE: of an exercise */
    uint64_t suppression; /* by which it is kept out of incidents; 0: by none */
};

/*
 * The alert of the same rule about the same entity with the same marks that was received at most
 * `alike` before this one, and the incident it is in or the suppression that keeps it out of one;
 * 0: there is none.
 */
int state_find_alike(struct state *s, const struct state_alert *alert, nsec alike, uint64_t *ret_id,
                     uint64_t *ret_incident, uint64_t *ret_suppression) MUST_USE;
/* One more of them: to that one's count. */
int state_count_alike(struct state *s, uint64_t id, const struct state_alert *alert) MUST_USE;
/* A new one; its id is the state's. */
int state_add_alert(struct state *s, const struct state_alert *alert, uint64_t *ret_id) MUST_USE;

/* Alerts with an id above `after`, in order, at most `limit`, until `each` returns false. */
int state_alerts(struct state *s, uint64_t after, uint32_t limit,
                 bool (*each)(void *ctx, const struct state_alert *alert), void *ctx) MUST_USE;
/* The highest id so far; 0: there is none. */
int state_last_alert(struct state *s, uint64_t *ret_id) MUST_USE;
/* Alerts, and the records they are about. */
int state_count_alerts(struct state *s, uint64_t *ret_alerts, uint64_t *ret_records) MUST_USE;

/* ---- of a file that another process may be writing ---- */

/* state_matched() of it; 0 when it is not there, or nothing is in it yet. The errors of
 * state_open(). */
int state_peek_matched(const char *path, uint64_t *ret_next, struct diag *diag) MUST_USE;

struct state_snapshot;

/* What is committed now; the writer goes on. *ret_next: everything before this record was matched.
 * The errors of state_open(). */
int state_snapshot_open(const char *path, struct state_snapshot **ret, uint64_t *ret_next,
                        struct diag *diag) MUST_USE;
/*
 * The alerts of each rule, by its id: how many there are, about how many records, and when the last
 * of those was received; until `each` returns false. The errors of state_open().
 */
struct state_rule {
    struct slice rule; /* borrowed for the call */
    uint64_t alerts, records;
    nsec last;
};
int state_snapshot_rules(struct state_snapshot *s,
                         bool (*each)(void *ctx, const struct state_rule *rule), void *ctx,
                         struct diag *diag) MUST_USE;
/* Into a new file: durable when 0 is returned, its name apart. */
int state_snapshot_write(struct state_snapshot *s, const char *path, struct diag *diag) MUST_USE;
/* May be NULL. */
void state_snapshot_close(struct state_snapshot *s);

#endif
