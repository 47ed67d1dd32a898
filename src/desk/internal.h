/* SPDX-License-Identifier: EUPL-1.2 */
/* Inside of the room. */
#ifndef VAKA_DESK_INTERNAL_H
#define VAKA_DESK_INTERNAL_H

#include "base/body.h"
#include "desk/desk.h"
#include "desk/handover.h"
#include "incident/assets.h"
#include "incident/grouping.h"
#include "incident/score.h"
#include "state/db.h"

enum {
    DESK_TEXT_MAX = 64 * 1024,  /* bytes of a note */
    DESK_WORD_MAX = 256,        /* of a name */
    DESK_ORGANISATION_MAX = 80, /* bytes of what the organisation is called */
    DESK_JUDGED_MAX = 1000,     /* incidents that are judged anew when assets change */
    DESK_LIST_MAX = 1000,       /* alerts that are split off at once */
    DESK_PLAIN_MAX = 16 * 1024, /* of a plain line */
    DESK_ABOUT_MAX = 32 * 1024, /* of its names: four, escaped */
};
#define DESK_VAKA SLICE("vaka") /* who did it when nobody did */

struct desk {
    struct state *state;
    struct db *db;
    struct grouping *grouping;
    struct assets *assets;
    struct facts facts;
    enum asset_importance importance; /* of what the facts name */
    struct buf text, title, sv, en, log;
    uint64_t number;      /* of the last change */
    int64_t suppressions; /* that were not ended: without any, no alert is looked at for them */
};

/*
 * Rows `n` of names that incident ?1 and its parts have, for FROM: of a burst there may be a
 * million, so the ones that each was told of most, the oldest part first. Its index gives them in
 * that order.
 */
#define DESK_NAMES                                                                                 \
    " (SELECT n.* FROM incident i CROSS JOIN incident_name n ON n.incident = i.id AND n.alerts > " \
    "0"                                                                                            \
    " WHERE i.root = ?1 ORDER BY i.id, n.alerts DESC LIMIT 2000) n "

/*
 * What people closed of the last 200 incidents that a rule (a column) led to, but ?1, and how many
 * of those were no attack: two columns.
 */
#define DESK_EARLIER(rule, tenant)                                                                 \
    DESK_EARLIER_COUNT("count(*)", rule, tenant)                                                   \
    "," DESK_EARLIER_COUNT(DESK_NO_ATTACK, rule, tenant)
#define DESK_NO_ATTACK "coalesce(sum(e.disposition IN ('benign', 'false_positive')), 0)"
#define DESK_EARLIER_COUNT(what, rule, tenant)                                                     \
    " (SELECT " what " FROM (SELECT incident FROM incident_rule WHERE rule = " rule                \
    " ORDER BY incident DESC LIMIT 200) l JOIN incident e ON e.id = l.incident WHERE e.tenant "    \
    "= " tenant " AND e.id != ?1 AND e.closed IS NOT NULL AND e.part_of IS NULL)"

/* The word of a kind that a column has (incident/names.h), but for NAME_DEED: it is shown nowhere.
 */
#define DESK_KIND_WORD(column)                                                                     \
    "CASE " column " WHEN 0 THEN 'user' WHEN 1 THEN 'address' WHEN 2 THEN 'host'"                  \
    " WHEN 3 THEN 'hash' WHEN 4 THEN 'command' WHEN 5 THEN 'record' ELSE 'value' END"
_Static_assert(NAME_USER == 0 && NAME_RECORD == 5 && NAME_VALUE == 6 && NAME_DEED == 7,
               "as in the statement");

/* ---- incidents in the database (rows.c) ---- */

struct desk_row {
    uint64_t id, root, part_of, version;
    uint32_t tenant;
    bool open, closed;
    int protected; /* -1: nobody has said */
    nsec begun;
};
/* *ret_found is false when there is none. */
int desk_row_load(struct desk *d, uint64_t id, struct desk_row *ret, bool *ret_found) MUST_USE;
/* Numbers of it, its parts' with it, from what each has of its own. */
int desk_row_sum(struct desk *d, uint64_t root) MUST_USE;
/* Its level, score and plain lines, from what is known of its rules and names. */
int desk_row_judge(struct desk *d, uint64_t root) MUST_USE;
/* What grouping is to know of it. */
int desk_row_tell(struct desk *d, uint64_t id) MUST_USE;
/* It becomes part of another, with what is part of it, which is to be judged when it has a new rule
 * by that. */
int desk_row_join(struct desk *d, uint64_t id, uint64_t into, bool *ret_new_rule) MUST_USE;
/* It is by itself again, with what was part of it, and stays so. */
int desk_row_part(struct desk *d, uint64_t id, uint64_t from) MUST_USE;

struct desk_change {
    uint32_t tenant;
    uint64_t incident; /* 0: none */
    nsec now;
    struct slice actor, kind, why;
    struct slice body;        /* a JSON object */
    struct slice once, asked; /* of a request */
};
/* A line of the log, and the incident's new number. */
int desk_log(struct desk *d, const struct desk_change *change) MUST_USE;

/* ---- alerts (place.c) ---- */

/* What an alert says of rules and names, to an incident that has it now, or had it until now. */
int desk_tally(struct desk *d, uint64_t incident, const struct state_alert *alert, nsec last,
               int sign, bool *ret_new_rule) MUST_USE;
/* d->facts, of the alert. */
int desk_read_facts(struct desk *d, const struct state_alert *alert) MUST_USE;

/* ---- what is handed over (handover.c) ---- */

/* When it is open, and new or worse than it was when it was handed over last. */
int desk_hand_over(struct desk *d, uint64_t root) MUST_USE;
/* It is open again. */
int desk_hand_over_again(struct desk *d, uint64_t root) MUST_USE;
/* It needs nobody any more; nothing happens when it was never handed over. */
int desk_hand_settled(struct desk *d, uint64_t id, enum handover_how how, uint64_t into,
                      struct slice who) MUST_USE;

/* ---- assets (assets.c) ---- */

/* From the database into d->assets. */
int desk_load_assets(struct desk *d) MUST_USE;

/* ---- suppressions (suppress.c) ---- */

/* d->suppressions */
int desk_load_suppressions(struct desk *d) MUST_USE;
/* The one that is in force for the alert whose facts are d->facts; 0: none. */
int desk_find_suppression(struct desk *d, const struct state_alert *alert, nsec now,
                          uint64_t *ret) MUST_USE;
int desk_count_suppressed(struct desk *d, uint64_t id, uint64_t alerts,
                          const struct state_alert *alert) MUST_USE;
int desk_is_suppressing(struct desk *d, uint64_t id, nsec now, bool *ret) MUST_USE;

/* ---- sentences (plain.c) ---- */

enum desk_language { DESK_SV, DESK_EN };
struct desk_plain {
    struct slice title, respond; /* of the rule that matters most; respond may be empty */
    uint64_t more_rules;
    struct {
        enum name_kind kind;
        struct slice text;
    } names[4];
    uint32_t n_names;
    uint64_t more_names;
    unsigned score;
    uint32_t tactics;
    bool own; /* that rule is what Vaka says about itself */
};
void desk_plain_write(struct buf *out, const struct desk_plain *p, enum desk_language language);
/* The text of a key in taxonomy/plain.tsv; empty when there is none. */
struct slice desk_plain_text(const char *key, enum desk_language language);

/* ---- acts (act.c) ---- */

struct act {
    const struct desk_request *request;
    struct body body;
    struct desk_row row; /* of the incident */
    enum desk_status status;
    uint64_t show; /* the incident that is the answer */
    struct slice why;
    struct slice plain; /* the refusal in Swedish, where it is one that people meet */
    struct buf log;     /* members of the object that the log is to have */
};
/* It is refused; 0. */
int act_refuse(struct act *a, enum desk_status status, const char *member, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* A member of what the log is to have. */
void act_log_time(struct act *a, const char *name, nsec time);
void act_log_text(struct act *a, const char *name, struct slice text); /* null when it is empty */
/* Whether it may concern säkerhetsskydd, as it is said now. */
int desk_set_protected(struct desk *d, struct act *a, int value) MUST_USE;

/* Each is done and logged by act.c when it leaves the status at DESK_DONE. */
#define X(name, right, to, text, undo) int desk_act_##name(struct desk *d, struct act *a) MUST_USE;
DESK_ACTS(X)
#undef X

/* `body` is what the log says of the change. */
typedef int desk_undo_fn(struct desk *d, struct act *a, struct slice body);
desk_undo_fn desk_undo_time, desk_undo_assign, desk_undo_close, desk_undo_reopen, desk_undo_merge,
    desk_undo_split;

#endif
