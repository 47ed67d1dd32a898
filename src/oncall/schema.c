/* SPDX-License-Identifier: EUPL-1.2 */
#include "oncall/oncall.h"
#include "roster/rows.h"

/*
 * Times are those of the room's own clock (internal.h), but for detected, begun, ended and what
 * else people are shown, which is the machine's.
 *
 * handover: what triage handed over, by more than its number, so that the numbers of a database
 * that was restored from a copy are no repeats. subject: an incident as it was told last.
 * page_incident: what is on the list of a page, by the order in which it came; none is ever taken
 * off. step: those that were begun, of a page, each once. notice: a person in a step. way: a
 * channel of a provider, as the daily proof has found it. code: what somebody proves with that he
 * was told of a page.
 */
const char *const oncall_migrations[ONCALL_VERSION] = {
    "CREATE TABLE moment (one INTEGER PRIMARY KEY CHECK (one = 1), latest INTEGER NOT NULL) STRICT;"
    "INSERT INTO moment VALUES (1, 0);"
    "CREATE TABLE handover (origin INTEGER NOT NULL, id INTEGER NOT NULL,"
    " tenant INTEGER NOT NULL, incident INTEGER NOT NULL, why INTEGER NOT NULL,"
    " detected INTEGER NOT NULL, taken INTEGER NOT NULL,"
    " PRIMARY KEY (origin, id, tenant, incident, why, detected)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE subject (id INTEGER PRIMARY KEY AUTOINCREMENT, origin INTEGER NOT NULL,"
    " tenant INTEGER NOT NULL, incident INTEGER NOT NULL, level INTEGER NOT NULL, marks INTEGER "
    "NOT NULL,"
    " service TEXT NOT NULL, title TEXT NOT NULL, detected INTEGER NOT NULL,"
    " taken INTEGER NOT NULL, state INTEGER NOT NULL, until INTEGER, page INTEGER,"
    " settled_by TEXT, UNIQUE (origin, tenant, incident)) STRICT;"
    "CREATE INDEX subject_state ON subject (state);"
    "CREATE TABLE page (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant INTEGER NOT NULL,"
    " policy TEXT NOT NULL, frozen TEXT NOT NULL, marks INTEGER NOT NULL, level INTEGER NOT NULL,"
    " begun INTEGER NOT NULL, closes INTEGER NOT NULL, step INTEGER NOT NULL DEFAULT -1,"
    " turn INTEGER NOT NULL DEFAULT 0, steps INTEGER NOT NULL DEFAULT 0,"
    " state INTEGER NOT NULL, loud INTEGER, told INTEGER, ended INTEGER, ended_by TEXT) STRICT;"
    "CREATE INDEX page_open ON page (tenant, policy, marks) WHERE ended IS NULL;"
    "CREATE TABLE page_incident (page INTEGER NOT NULL, number INTEGER NOT NULL,"
    " subject INTEGER NOT NULL, level INTEGER NOT NULL, added INTEGER NOT NULL, notified INTEGER,"
    " settled INTEGER, settled_by TEXT, moved INTEGER,"
    " PRIMARY KEY (page, number)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX page_incident_subject ON page_incident (subject);"
    "CREATE TABLE step (page INTEGER NOT NULL, number INTEGER NOT NULL, step INTEGER NOT NULL,"
    " turn INTEGER NOT NULL, begun INTEGER NOT NULL, ended INTEGER, how TEXT,"
    " PRIMARY KEY (page, number)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE notice (id INTEGER PRIMARY KEY AUTOINCREMENT, page INTEGER NOT NULL,"
    " step INTEGER NOT NULL, person TEXT NOT NULL, name TEXT NOT NULL, english INTEGER NOT NULL,"
    " shadow INTEGER NOT NULL, contacts TEXT NOT NULL, listed INTEGER NOT NULL,"
    " start INTEGER NOT NULL, after INTEGER NOT NULL, pass INTEGER NOT NULL DEFAULT 0,"
    " state INTEGER NOT NULL, made INTEGER NOT NULL, acked INTEGER) STRICT;"
    "CREATE INDEX notice_page ON notice (page, step);"
    "CREATE INDEX notice_person ON notice (person, made);"
    "CREATE INDEX notice_state ON notice (state) WHERE state IN (0, 1);"
    "CREATE TABLE code (code TEXT PRIMARY KEY, page INTEGER NOT NULL, person TEXT NOT NULL,"
    " expires INTEGER NOT NULL, used INTEGER, UNIQUE (page, person)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE attempt (id INTEGER PRIMARY KEY AUTOINCREMENT, notice INTEGER NOT NULL,"
    " pass INTEGER NOT NULL, channel INTEGER NOT NULL, provider TEXT NOT NULL,"
    " address TEXT NOT NULL, state INTEGER NOT NULL, made INTEGER NOT NULL, accepted INTEGER,"
    " reference TEXT, detail TEXT) STRICT;"
    "CREATE INDEX attempt_notice ON attempt (notice);"
    "CREATE INDEX attempt_state ON attempt (state) WHERE state IN (0, 1);"
    "CREATE INDEX attempt_provider ON attempt (provider, made);"
    "CREATE INDEX attempt_reference ON attempt (reference) WHERE reference IS NOT NULL;"
    "CREATE TABLE way (provider TEXT NOT NULL, channel INTEGER NOT NULL, attempt INTEGER NOT NULL,"
    " asked INTEGER NOT NULL, proven INTEGER, PRIMARY KEY (provider, channel)) STRICT, WITHOUT "
    "ROWID;"
    "CREATE TABLE answer (channel INTEGER NOT NULL, provider TEXT NOT NULL,"
    " reference TEXT NOT NULL, text TEXT NOT NULL, came INTEGER NOT NULL,"
    " PRIMARY KEY (channel, provider, reference, text)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE told (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant INTEGER NOT NULL,"
    " incident INTEGER NOT NULL, what INTEGER NOT NULL, time INTEGER NOT NULL,"
    " who TEXT NOT NULL) STRICT;"
    "CREATE TABLE deadline (kind INTEGER NOT NULL, id INTEGER NOT NULL, due INTEGER NOT NULL,"
    " PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX deadline_due ON deadline (due);"
    "CREATE TABLE event (number INTEGER PRIMARY KEY AUTOINCREMENT, page INTEGER NOT NULL,"
    " time INTEGER NOT NULL, kind TEXT NOT NULL, who TEXT NOT NULL, text TEXT NOT NULL) STRICT;"
    "CREATE INDEX event_page ON event (page, number);",
    roster_schema,
};
