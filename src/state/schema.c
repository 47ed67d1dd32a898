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
    /*
     * incident: `root` is the one that it is shown in, itself or what it became part of; alerts,
     * records, first and last are its own, what begins with all_ has its parts' with it; `open` is
     * NULL for a part. What is said of it in change and incident_* stays where it was said, so that
     * parting is nothing but another root.
     */
    "CREATE TABLE incident (id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL,"
    " root INTEGER NOT NULL, part_of INTEGER, follows INTEGER, apart INTEGER NOT NULL DEFAULT 0,"
    " rule TEXT NOT NULL, begun INTEGER NOT NULL,"
    " alerts INTEGER NOT NULL DEFAULT 0, records INTEGER NOT NULL DEFAULT 0,"
    " first INTEGER, last INTEGER,"
    " all_alerts INTEGER NOT NULL DEFAULT 0, all_records INTEGER NOT NULL DEFAULT 0,"
    " all_first INTEGER, all_last INTEGER, judged INTEGER NOT NULL DEFAULT 0, level INTEGER NOT "
    "NULL DEFAULT 0,"
    " score INTEGER NOT NULL DEFAULT 0, importance INTEGER NOT NULL DEFAULT 0,"
    " sv TEXT NOT NULL DEFAULT '', en TEXT NOT NULL DEFAULT '',"
    " open INTEGER DEFAULT 1, assignee TEXT, disposition TEXT, why TEXT,"
    " protected INTEGER, protected_by TEXT,"
    " detected INTEGER NOT NULL, notified INTEGER, acked INTEGER, triaged INTEGER,"
    " contained INTEGER, closed INTEGER, aware INTEGER, aware_by TEXT,"
    " significant INTEGER, significant_at INTEGER, significant_by TEXT,"
    " breach INTEGER, breach_at INTEGER, breach_by TEXT,"
    " version INTEGER NOT NULL, changed INTEGER NOT NULL) STRICT;"
    "CREATE INDEX incident_queue ON incident (tenant, open, score DESC, id DESC);"
    "CREATE INDEX incident_root ON incident (root);"
    "CREATE INDEX incident_changed ON incident (tenant, changed);"
    "CREATE INDEX incident_begun ON incident (begun);"
    "ALTER TABLE alert ADD COLUMN incident INTEGER;"
    "CREATE INDEX alert_incident ON alert (incident, id);"
    "CREATE TABLE incident_rule (incident INTEGER NOT NULL, rule TEXT NOT NULL,"
    " first_alert INTEGER NOT NULL, alerts INTEGER NOT NULL, records INTEGER NOT NULL,"
    " level INTEGER NOT NULL, tactics TEXT NOT NULL, title TEXT NOT NULL, title_sv TEXT NOT NULL,"
    " respond_sv TEXT NOT NULL, respond_en TEXT NOT NULL,"
    " PRIMARY KEY (incident, rule)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE incident_name (incident INTEGER NOT NULL, name TEXT NOT NULL,"
    " tenant INTEGER NOT NULL, kind INTEGER NOT NULL, bystander INTEGER NOT NULL,"
    " alerts INTEGER NOT NULL, last INTEGER NOT NULL,"
    " PRIMARY KEY (incident, name)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX incident_name_last ON incident_name (last) WHERE bystander = 0;"
    "CREATE INDEX incident_name_name ON incident_name (tenant, name) WHERE bystander = 0;"
    "CREATE INDEX incident_name_most ON incident_name (incident, alerts);"
    "CREATE TABLE burst (tenant INTEGER NOT NULL, rule TEXT NOT NULL, incident INTEGER NOT NULL,"
    " last INTEGER NOT NULL, PRIMARY KEY (tenant, rule)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE task (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant INTEGER NOT NULL,"
    " incident INTEGER NOT NULL, text TEXT NOT NULL, owner TEXT, made INTEGER NOT NULL,"
    " done INTEGER, done_by TEXT) STRICT;"
    "CREATE INDEX task_incident ON task (incident);"
    "CREATE TABLE change (number INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, incident INTEGER,"
    " time INTEGER NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL, why TEXT,"
    " body TEXT NOT NULL) STRICT;"
    "CREATE INDEX change_incident ON change (incident, number);"
    "CREATE TRIGGER change_stays BEFORE UPDATE ON change"
    " BEGIN SELECT raise(ABORT, 'what was done is not changed'); END;"
    "CREATE TRIGGER change_is_kept BEFORE DELETE ON change"
    " BEGIN SELECT raise(ABORT, 'what was done is not forgotten'); END;",
    /* asset_name: how each is compared (incident/assets.h). */
    "CREATE TABLE asset (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant INTEGER NOT NULL,"
    " name TEXT NOT NULL, host TEXT NOT NULL, addresses TEXT NOT NULL, service TEXT NOT NULL,"
    " owner TEXT NOT NULL, importance INTEGER NOT NULL, shared INTEGER NOT NULL,"
    " changed INTEGER NOT NULL, UNIQUE (tenant, name)) STRICT;"
    "CREATE TABLE asset_name (tenant INTEGER NOT NULL, name TEXT NOT NULL,"
    " asset INTEGER NOT NULL, PRIMARY KEY (tenant, name)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX asset_name_asset ON asset_name (asset);",
    /* suppression: of a rule, of what is named, or of both; evidence: records by their numbers. */
    "CREATE TABLE suppression (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant INTEGER NOT NULL,"
    " rule TEXT, name TEXT, owner TEXT NOT NULL, why TEXT NOT NULL, made INTEGER NOT NULL,"
    " made_by TEXT NOT NULL, expires INTEGER NOT NULL, ended INTEGER, ended_by TEXT,"
    " alerts INTEGER NOT NULL DEFAULT 0, records INTEGER NOT NULL DEFAULT 0,"
    " last INTEGER) STRICT;"
    "ALTER TABLE alert ADD COLUMN suppression INTEGER;"
    "CREATE INDEX alert_suppression ON alert (suppression, id) WHERE suppression IS NOT NULL;"
    "CREATE TABLE evidence (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant INTEGER NOT NULL,"
    " incident INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, sha256 TEXT,"
    " text TEXT NOT NULL, taken INTEGER NOT NULL, taken_by TEXT NOT NULL) STRICT;"
    "CREATE INDEX evidence_incident ON evidence (incident);",
    /* marks: as page's (serve/message.h). */
    "ALTER TABLE alert ADD COLUMN marks INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE incident ADD COLUMN marks INTEGER NOT NULL DEFAULT 0;"
    /* The names of its plain lines: [{"kind":"user","name":"anna"},…]. */
    "ALTER TABLE incident ADD COLUMN about TEXT NOT NULL DEFAULT '[]';"
    /*
     * handover: what the process that pages is to be told of, until it has it; handed: the level at
     * which an incident was handed over, 0: never. Those of an older version wake nobody now.
     * paged: what was heard of pages.
     */
    "CREATE TABLE handover (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant INTEGER NOT NULL,"
    " incident INTEGER NOT NULL, how INTEGER NOT NULL, level INTEGER, why INTEGER,"
    " marks INTEGER, first INTEGER, detected INTEGER, service TEXT, title TEXT, into_ INTEGER,"
    " who TEXT) STRICT;"
    "ALTER TABLE incident ADD COLUMN handed INTEGER NOT NULL DEFAULT 0;"
    "UPDATE incident SET handed = max(level, 1);"
    "CREATE TABLE paged (id INTEGER NOT NULL, incident INTEGER NOT NULL, what INTEGER NOT NULL,"
    " time INTEGER NOT NULL, PRIMARY KEY (id, incident, what, time)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX paged_time ON paged (time);"
    /*
     * Of what a client asked for with a key: the key and all of what was asked, hashed. What led to
     * incidents that people closed is looked up by its rule.
     */
    "ALTER TABLE change ADD COLUMN once TEXT;"
    "ALTER TABLE change ADD COLUMN asked TEXT;"
    "CREATE UNIQUE INDEX change_once ON change (once) WHERE once IS NOT NULL;"
    "CREATE INDEX incident_rule_rule ON incident_rule (rule, incident);"
    /*
     * How many alerts each rule makes in a day (in UTC, counted from 1970), what is marked left
     * out: with a million alerts nobody counts them for each who asks.
     */
    "CREATE TABLE rule_day (tenant INTEGER NOT NULL, day INTEGER NOT NULL, rule TEXT NOT NULL,"
    " alerts INTEGER NOT NULL, records INTEGER NOT NULL, suppressed INTEGER NOT NULL,"
    " last INTEGER NOT NULL, PRIMARY KEY (tenant, day, rule)) STRICT, WITHOUT ROWID;"
    "INSERT INTO rule_day SELECT tenant, received / 86400000000000, rule, count(*), sum(count),"
    " sum(suppression IS NOT NULL), max(last_received) FROM alert WHERE marks = 0"
    " GROUP BY 1, 2, 3;"
    "CREATE TRIGGER alert_counts AFTER INSERT ON alert WHEN NEW.marks = 0"
    " BEGIN INSERT INTO rule_day VALUES (NEW.tenant, NEW.received / 86400000000000, NEW.rule, 1,"
    " NEW.count, NEW.suppression IS NOT NULL, NEW.last_received)"
    " ON CONFLICT (tenant, day, rule) DO UPDATE SET alerts = alerts + 1,"
    " records = records + excluded.records, suppressed = suppressed + excluded.suppressed,"
    " last = max(last, excluded.last); END;"
    "CREATE TRIGGER alert_grows AFTER UPDATE OF count ON alert WHEN NEW.marks = 0"
    " BEGIN UPDATE rule_day SET records = records + NEW.count - OLD.count,"
    " last = max(last, NEW.last_received) WHERE tenant = NEW.tenant"
    " AND day = NEW.received / 86400000000000 AND rule = NEW.rule; END;"
    "CREATE TABLE organisation (tenant INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;",
};
