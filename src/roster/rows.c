/* SPDX-License-Identifier: EUPL-1.2 */
#include "roster/rows.h"

const char roster_schema[] =
    "CREATE TABLE roster_plan (id INTEGER PRIMARY KEY, made INTEGER NOT NULL,"
    " actor TEXT NOT NULL, why TEXT, text TEXT NOT NULL) STRICT;"
    /* kind: enum roster_change_kind; part_of: the first of those that were made as one */
    "CREATE TABLE roster_change (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, team TEXT,"
    " person TEXT, instead TEXT, begins INTEGER NOT NULL, ends INTEGER NOT NULL,"
    " part_of INTEGER, made INTEGER NOT NULL, actor TEXT NOT NULL, why TEXT, dropped INTEGER,"
    " dropped_by TEXT) STRICT;"
    "CREATE INDEX roster_change_ends ON roster_change (ends) WHERE dropped IS NULL;"
    "CREATE INDEX roster_change_part ON roster_change (part_of);"
    /* ends NULL: it goes on */
    "CREATE TABLE roster_disturbance (id INTEGER PRIMARY KEY, person TEXT NOT NULL,"
    " begins INTEGER NOT NULL, ends INTEGER, made INTEGER NOT NULL, actor TEXT NOT NULL,"
    " dropped INTEGER, dropped_by TEXT) STRICT;"
    "CREATE INDEX roster_disturbance_of ON roster_disturbance (person, begins);"
    "CREATE TABLE roster_log (number INTEGER PRIMARY KEY, time INTEGER NOT NULL,"
    " actor TEXT NOT NULL, kind TEXT NOT NULL, why TEXT, body TEXT NOT NULL) STRICT;"
    "CREATE TABLE roster_message (id INTEGER PRIMARY KEY, person TEXT NOT NULL,"
    " subject TEXT NOT NULL, text TEXT NOT NULL, made INTEGER NOT NULL,"
    " tried INTEGER NOT NULL DEFAULT 0, done INTEGER) STRICT;"
    "CREATE INDEX roster_message_open ON roster_message (id) WHERE done IS NULL;"
    "CREATE TABLE roster_digest (one INTEGER PRIMARY KEY CHECK (one = 1),"
    " last INTEGER NOT NULL) STRICT;";

static int load_changes(struct db *db, nsec since, struct roster *roster)
{
    int error = 0;
    struct db_rows rows = db_select(db,
                                    "SELECT id, kind, team, person, instead, begins, ends"
                                    " FROM roster_change WHERE dropped IS NULL AND ends > ?1"
                                    " ORDER BY id",
                                    DB_WITH(db_time(since)));
    while (error == 0 && db_next(&rows)) {
        const struct roster_change change = {.id = (uint64_t)db_get_number(&rows, 0),
                                             .kind =
                                                 (enum roster_change_kind)db_get_number(&rows, 1),
                                             .team = db_get_text(&rows, 2),
                                             .person = db_get_text(&rows, 3),
                                             .instead = db_get_text(&rows, 4),
                                             .from = db_get_time(&rows, 5),
                                             .until = db_get_time(&rows, 6)};
        error = roster_change(roster, &change);
        if (error == ERR_NOT_FOUND) error = 0; /* of people or teams of an earlier plan */
    }
    int ended = db_end(&rows);
    return error ? error : ended;
}

int roster_load(struct db *db, struct calendar *calendar, nsec since, struct roster **ret,
                uint64_t *ret_plan, struct diag *diag)
{
    struct roster *roster = NULL;
    uint64_t plan = 0;
    int error = 0;
    struct db_rows rows =
        db_select(db, "SELECT id, text FROM roster_plan ORDER BY id DESC LIMIT 1", DB_ALONE);
    if (db_next(&rows)) {
        plan = (uint64_t)db_get_number(&rows, 0);
        error = roster_read(db_get_text(&rows, 1), "the plan", calendar, &roster, diag);
        if (error && error != ERR_NOMEM) error = ERR_CORRUPT;
    }
    int ended = db_end(&rows);
    if (error == 0) error = ended;
    if (error == 0 && roster) error = load_changes(db, since, roster);
    if (error) {
        roster_free(roster);
        return error;
    }
    *ret = roster;
    *ret_plan = plan;
    return 0;
}

int roster_message_add(struct db *db, struct slice person, struct slice subject, struct slice text,
                       nsec now)
{
    return db_run(db,
                  "INSERT INTO roster_message (person, subject, text, made)"
                  " VALUES (?1, ?2, ?3, ?4)",
                  DB_WITH(db_text(person), db_text(subject), db_text(text), db_time(now)));
}

int roster_message_load(struct db *db, uint64_t id, struct arena *arena, struct roster_message *ret)
{
    struct roster_message m = {0};
    struct db_rows rows = db_select(db,
                                    "SELECT person, subject, text, tried FROM roster_message"
                                    " WHERE done IS NULL AND id = ?1",
                                    DB_WITH(db_u64(id)));
    if (db_next(&rows)) {
        m.id = id;
        m.person = arena_dup(arena, db_get_text(&rows, 0));
        m.subject = arena_dup(arena, db_get_text(&rows, 1));
        m.text = arena_dup(arena, db_get_text(&rows, 2));
        m.tried = (uint32_t)db_get_number(&rows, 3);
    }
    int error = db_end(&rows);
    if (error == 0) error = arena_error(arena);
    if (error == 0) *ret = m;
    return error;
}

int roster_message_done(struct db *db, uint64_t id, nsec now)
{
    return db_run(db, "UPDATE roster_message SET done = ?2 WHERE id = ?1",
                  DB_WITH(db_u64(id), db_time(now)));
}
