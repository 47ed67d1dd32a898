/* SPDX-License-Identifier: EUPL-1.2 */
/* Inside of the room: a file for each subject, one connection for all of them. */
#ifndef VAKA_STATE_INTERNAL_H
#define VAKA_STATE_INTERNAL_H

#include "state/db.h"
#include "state/state.h"

struct state {
    struct db *db;
};

/* migrations[n] makes version n + 1 of version n. Never changed once released. */
extern const char *const state_migrations[STATE_VERSION];

/* Of a statement that selects these columns; texts live until its next row. */
#define STATE_ALERT_COLUMNS                                                                        \
    "id, seq, last_seq, count, level, time, received, last_received, rule, title, host, entity, "  \
    "line, incident, marks"
struct state_alert state_alert_row(const struct db_rows *rows);

#endif
