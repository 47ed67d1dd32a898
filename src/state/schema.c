/* SPDX-License-Identifier: EUPL-1.2 */
#include "state/internal.h"

const char *const state_migrations[STATE_VERSION] = {
    "CREATE TABLE matched (tenant INTEGER PRIMARY KEY, next INTEGER NOT NULL) STRICT;"
    "CREATE TABLE alert (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, count INTEGER NOT NULL,"
    " level INTEGER NOT NULL, time INTEGER, received INTEGER NOT NULL,"
    " last_received INTEGER NOT NULL, rule TEXT NOT NULL, title TEXT NOT NULL,"
    " host TEXT NOT NULL, entity TEXT NOT NULL, line TEXT NOT NULL) STRICT;"
    "CREATE INDEX alert_alike ON alert (rule, entity, last_received);",
    "CREATE TABLE tuple (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant INTEGER NOT NULL,"
    " rule TEXT NOT NULL, names INTEGER NOT NULL, time INTEGER NOT NULL, body BLOB NOT NULL) "
    "STRICT;"
    "CREATE INDEX tuple_time ON tuple (time);"
    "CREATE TABLE correlated (tenant INTEGER PRIMARY KEY, time INTEGER NOT NULL) STRICT;",
    ("CREATE TABLE quarantined (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant INTEGER NOT NULL,"
     " seq INTEGER NOT NULL, UNIQUE (tenant, seq)) STRICT;"),
    "CREATE TABLE health (tenant INTEGER NOT NULL, source TEXT NOT NULL, saved BLOB NOT NULL,"
    " PRIMARY KEY (tenant, source)) STRICT, WITHOUT ROWID;",
};
