/* SPDX-License-Identifier: EUPL-1.2 */
#include "state/state.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "state/sql.h"

enum statement {
    BEGIN,
    COMMIT,
    ROLLBACK,
    GET_MATCHED,
    SET_MATCHED,
    FIND_ALIKE,
    COUNT_ALIKE,
    ADD_ALERT,
    LIST_ALERTS,
    LAST_ALERT,
    COUNT_ALERTS,
    ADD_TUPLE,
    FORGET_BEFORE,
    FORGET_ABOVE,
    LIST_TUPLES,
    GET_CORRELATED,
    SET_CORRELATED,
    ADD_QUARANTINED,
    FORGET_QUARANTINED,
    LIST_QUARANTINED,
    PUT_HEALTH,
    DROP_HEALTH,
    LIST_HEALTH,
    STATEMENTS,
};

static const char *const statements[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [GET_MATCHED] = "SELECT next FROM matched WHERE tenant = 0",
    [SET_MATCHED] = "INSERT INTO matched (tenant, next) VALUES (0, ?1)"
                    " ON CONFLICT (tenant) DO UPDATE SET next = ?1",
    [FIND_ALIKE] = "SELECT id FROM alert WHERE rule = ?1 AND entity = ?2 AND last_received >= ?3"
                   " ORDER BY last_received DESC LIMIT 1",
    [COUNT_ALIKE] = "UPDATE alert SET count = count + ?2, last_seq = max(last_seq, ?3),"
                    " last_received = max(last_received, ?4) WHERE id = ?1",
    [ADD_ALERT] = "INSERT INTO alert (tenant, seq, last_seq, count, level, time, received,"
                  " last_received, rule, title, host, entity, line)"
                  " VALUES (0, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    [LIST_ALERTS] = "SELECT id, seq, last_seq, count, level, time, received, last_received, rule,"
                    " title, host, entity, line FROM alert WHERE id > ?1 ORDER BY id LIMIT ?2",
    [LAST_ALERT] = "SELECT coalesce(max(id), 0) FROM alert",
    [COUNT_ALERTS] = "SELECT count(*), coalesce(sum(count), 0) FROM alert",
    [ADD_TUPLE] = "INSERT INTO tuple (tenant, rule, names, time, body) VALUES (0, ?1, ?2, ?3, ?4)",
    [FORGET_BEFORE] = "DELETE FROM tuple WHERE time < ?1",
    [FORGET_ABOVE] = "DELETE FROM tuple WHERE id <= (SELECT max(id) FROM tuple) - ?1",
    [LIST_TUPLES] = "SELECT id, rule, names, time, body FROM tuple WHERE id > ?1 ORDER BY id"
                    " LIMIT ?2",
    [GET_CORRELATED] = "SELECT time FROM correlated WHERE tenant = 0",
    [SET_CORRELATED] = "INSERT INTO correlated (tenant, time) VALUES (0, ?1)"
                       " ON CONFLICT (tenant) DO UPDATE SET time = ?1",
    [ADD_QUARANTINED] = "INSERT OR IGNORE INTO quarantined (tenant, seq) VALUES (0, ?1)",
    [FORGET_QUARANTINED] = "DELETE FROM quarantined WHERE id NOT IN (SELECT id FROM quarantined"
                           " ORDER BY id DESC LIMIT ?1)",
    [LIST_QUARANTINED] = "SELECT seq FROM (SELECT id, seq FROM quarantined ORDER BY id DESC"
                         " LIMIT ?1) ORDER BY seq",
    [PUT_HEALTH] = "INSERT INTO health (tenant, source, saved) VALUES (0, ?1, ?2)"
                   " ON CONFLICT (tenant, source) DO UPDATE SET saved = ?2",
    [DROP_HEALTH] = "DELETE FROM health WHERE tenant = 0 AND source = ?1",
    [LIST_HEALTH] = "SELECT source, saved FROM health WHERE tenant = 0",
};

/* migrations[n] makes version n + 1 of version n. Never changed once released. */
static const char *const migrations[STATE_VERSION] = {
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

struct state {
    sqlite3 *db;
    sqlite3_stmt *prepared[STATEMENTS];
};

/* ---- statements -------------------------------------------------------------------------- */

static int run(struct state *s, enum statement which)
{
    return sql_run(s->prepared[which]);
}

static int get_numbers(struct state *s, enum statement which, uint64_t *first, uint64_t *second)
{
    sqlite3_stmt *st = s->prepared[which];
    int code = sqlite3_step(st);
    if (code == SQLITE_ROW) {
        *first = (uint64_t)sqlite3_column_int64(st, 0);
        if (second) *second = (uint64_t)sqlite3_column_int64(st, 1);
    }
    (void)sqlite3_reset(st);
    return sql_error(code);
}

int state_begin(struct state *s)
{
    return run(s, BEGIN);
}

int state_commit(struct state *s)
{
    return run(s, COMMIT);
}

void state_rollback(struct state *s)
{
    if (!sqlite3_get_autocommit(s->db)) (void)run(s, ROLLBACK);
}

int state_matched(struct state *s, uint64_t *ret_next)
{
    *ret_next = 0;
    return get_numbers(s, GET_MATCHED, ret_next, NULL);
}

int state_set_matched(struct state *s, uint64_t next)
{
    sql_bind_u64(s->prepared[SET_MATCHED], 1, next);
    return run(s, SET_MATCHED);
}

/* ---- alerts ------------------------------------------------------------------------------ */

static int add_new(struct state *s, const struct state_alert *a)
{
    sqlite3_stmt *st = s->prepared[ADD_ALERT];
    sql_bind_u64(st, 1, a->seq);
    sql_bind_u64(st, 2, a->last_seq);
    sql_bind_u64(st, 3, a->count);
    (void)sqlite3_bind_int(st, 4, (int)a->level);
    if (a->time == INT64_MIN) (void)sqlite3_bind_null(st, 5);
    else sql_bind_i64(st, 5, a->time);
    sql_bind_i64(st, 6, a->received);
    sql_bind_i64(st, 7, a->last_received);
    sql_bind_text(st, 8, a->rule);
    sql_bind_text(st, 9, a->title);
    sql_bind_text(st, 10, a->host);
    sql_bind_text(st, 11, a->entity);
    sql_bind_text(st, 12, a->line);
    return run(s, ADD_ALERT);
}

int state_add_alert(struct state *s, const struct state_alert *a, nsec alike, bool *ret_new)
{
    sqlite3_stmt *find = s->prepared[FIND_ALIKE];
    uint64_t id = 0;
    nsec since;
    if (__builtin_sub_overflow(a->received, alike, &since)) since = INT64_MIN;
    sql_bind_text(find, 1, a->rule);
    sql_bind_text(find, 2, a->entity);
    sql_bind_i64(find, 3, since);
    int error = get_numbers(s, FIND_ALIKE, &id, NULL);
    (void)sqlite3_clear_bindings(find);
    if (error) return error;
    *ret_new = id == 0;
    if (id == 0) return add_new(s, a);
    sqlite3_stmt *st = s->prepared[COUNT_ALIKE];
    sql_bind_u64(st, 1, id);
    sql_bind_u64(st, 2, a->count);
    sql_bind_u64(st, 3, a->last_seq);
    sql_bind_i64(st, 4, a->last_received);
    return run(s, COUNT_ALIKE);
}

int state_alerts(struct state *s, uint64_t after, uint32_t limit,
                 bool (*each)(void *ctx, const struct state_alert *alert), void *ctx)
{
    sqlite3_stmt *st = s->prepared[LIST_ALERTS];
    int code;
    sql_bind_u64(st, 1, after);
    sql_bind_u64(st, 2, limit);
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        bool timed = sqlite3_column_type(st, 5) != SQLITE_NULL;
        struct state_alert a = {
            .id = (uint64_t)sqlite3_column_int64(st, 0),
            .seq = (uint64_t)sqlite3_column_int64(st, 1),
            .last_seq = (uint64_t)sqlite3_column_int64(st, 2),
            .count = (uint64_t)sqlite3_column_int64(st, 3),
            .level = (unsigned)sqlite3_column_int(st, 4),
            .time = timed ? sqlite3_column_int64(st, 5) : INT64_MIN,
            .received = sqlite3_column_int64(st, 6),
            .last_received = sqlite3_column_int64(st, 7),
            .rule = sql_text(st, 8),
            .title = sql_text(st, 9),
            .host = sql_text(st, 10),
            .entity = sql_text(st, 11),
            .line = sql_text(st, 12),
        };
        if (!each(ctx, &a)) break;
    }
    (void)sqlite3_reset(st);
    return sql_error(code);
}

int state_last_alert(struct state *s, uint64_t *ret_id)
{
    return get_numbers(s, LAST_ALERT, ret_id, NULL);
}

int state_count_alerts(struct state *s, uint64_t *ret_alerts, uint64_t *ret_records)
{
    return get_numbers(s, COUNT_ALERTS, ret_alerts, ret_records);
}

/* ---- sources ------------------------------------------------------------------------------ */

int state_put_health(struct state *s, struct slice source, struct slice saved)
{
    sql_bind_text(s->prepared[PUT_HEALTH], 1, source);
    sql_bind_blob(s->prepared[PUT_HEALTH], 2, saved);
    return run(s, PUT_HEALTH);
}

int state_drop_health(struct state *s, struct slice source)
{
    sql_bind_text(s->prepared[DROP_HEALTH], 1, source);
    return run(s, DROP_HEALTH);
}

int state_health(struct state *s, bool (*each)(void *ctx, struct slice source, struct slice saved),
                 void *ctx)
{
    sqlite3_stmt *st = s->prepared[LIST_HEALTH];
    int code;
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        if (!each(ctx, sql_text(st, 0), sql_blob(st, 1))) break;
    }
    (void)sqlite3_reset(st);
    return sql_error(code);
}

/* ---- what correlations were told --------------------------------------------------------- */

int state_add_tuple(struct state *s, const struct state_tuple *t)
{
    sqlite3_stmt *st = s->prepared[ADD_TUPLE];
    sql_bind_text(st, 1, t->rule);
    sql_bind_u64(st, 2, t->names);
    sql_bind_i64(st, 3, t->time);
    sql_bind_blob(st, 4, t->body);
    return run(s, ADD_TUPLE);
}

int state_add_quarantined(struct state *s, uint64_t seq, uint64_t most)
{
    sql_bind_u64(s->prepared[ADD_QUARANTINED], 1, seq);
    sql_bind_u64(s->prepared[FORGET_QUARANTINED], 1, most);
    int error = run(s, ADD_QUARANTINED);
    return error ? error : run(s, FORGET_QUARANTINED);
}

int state_quarantined(struct state *s, uint64_t *ret, uint32_t max, uint32_t *ret_n)
{
    sqlite3_stmt *st = s->prepared[LIST_QUARANTINED];
    uint32_t n = 0;
    int code;
    sql_bind_u64(st, 1, max);
    while ((code = sqlite3_step(st)) == SQLITE_ROW && n < max)
        ret[n++] = (uint64_t)sqlite3_column_int64(st, 0);
    (void)sqlite3_reset(st);
    if (sql_error(code) == 0) *ret_n = n;
    return sql_error(code);
}

int state_forget_tuples(struct state *s, nsec time, uint64_t most)
{
    sql_bind_i64(s->prepared[FORGET_BEFORE], 1, time);
    sql_bind_u64(s->prepared[FORGET_ABOVE], 1, most);
    int error = run(s, FORGET_BEFORE);
    return error ? error : run(s, FORGET_ABOVE);
}

int state_tuples(struct state *s, uint64_t after, uint32_t limit,
                 bool (*each)(void *ctx, const struct state_tuple *tuple), void *ctx)
{
    sqlite3_stmt *st = s->prepared[LIST_TUPLES];
    int code;
    sql_bind_u64(st, 1, after);
    sql_bind_u64(st, 2, limit);
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        struct state_tuple t = {
            .id = (uint64_t)sqlite3_column_int64(st, 0),
            .rule = sql_text(st, 1),
            .names = (uint64_t)sqlite3_column_int64(st, 2),
            .time = sqlite3_column_int64(st, 3),
            .body = sql_blob(st, 4),
        };
        if (!each(ctx, &t)) break;
    }
    (void)sqlite3_reset(st);
    return sql_error(code);
}

int state_correlated(struct state *s, nsec *ret_time)
{
    uint64_t time = 0;
    int error = get_numbers(s, GET_CORRELATED, &time, NULL);
    *ret_time = (nsec)time;
    return error;
}

int state_set_correlated(struct state *s, nsec time)
{
    sql_bind_i64(s->prepared[SET_CORRELATED], 1, time);
    return run(s, SET_CORRELATED);
}

/* ---- opening ----------------------------------------------------------------------------- */

int state_open(const char *path, struct state **ret, struct diag *diag)
{
    struct state *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    int error = sql_open(path, migrations, STATE_VERSION, &s->db, diag);
    if (error == 0) {
        error = sql_prepare(s->db, statements, STATEMENTS, s->prepared);
        if (error) (void)diag_set(diag, error, NULL, 0, 0, "%s: %s", path, sqlite3_errmsg(s->db));
    }
    if (error == 0) {
        *ret = s;
        return 0;
    }
    state_close(s);
    return error;
}

void state_close(struct state *s)
{
    if (!s) return;
    sql_finalize(s->prepared, STATEMENTS);
    (void)sqlite3_close(s->db);
    free(s);
}

/* ---- copies ------------------------------------------------------------------------------ */

enum {
    /* Not read-only: in WAL mode who reads has a part in the -shm file. */
    SNAPSHOT_FLAGS = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
};

struct state_snapshot {
    sqlite3 *db; /* in a transaction that reads: it sees nothing that is committed later */
};

static int tell(sqlite3 *db, int code, const char *path, struct diag *diag)
{
    int error = sql_error(code);
    return error ? diag_set(diag, error, NULL, 0, 0, "%s: %s", path, sqlite3_errmsg(db)) : 0;
}

/* The first statement that reads is where the transaction begins. */
static int begin_reading(sqlite3 *db, uint64_t *ret_next)
{
    sqlite3_stmt *st = NULL;
    int code = sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
    if (code == SQLITE_OK) code = sqlite3_prepare_v2(db, statements[GET_MATCHED], -1, &st, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(st);
    if (code == SQLITE_ROW) *ret_next = (uint64_t)sqlite3_column_int64(st, 0);
    (void)sqlite3_finalize(st);
    return code;
}

/* Version 0: who makes it has not come so far. */
static bool is_empty(sqlite3 *db)
{
    sqlite3_stmt *st = NULL;
    bool empty = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL) == SQLITE_OK &&
                 sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int(st, 0) == 0;
    (void)sqlite3_finalize(st);
    return empty;
}

int state_peek_matched(const char *path, uint64_t *ret_next, struct diag *diag)
{
    sqlite3 *db = NULL;
    struct stat st;
    uint64_t next = 0;
    /* One that has nothing in it yet is left to who makes it. */
    if (stat(path, &st) == 0 ? st.st_size == 0 : errno == ENOENT) {
        *ret_next = 0;
        return 0;
    }
    int code = sqlite3_open_v2(path, &db, SNAPSHOT_FLAGS, NULL);
    if (code == SQLITE_OK) code = sqlite3_busy_timeout(db, SQL_BUSY_MS);
    if (code == SQLITE_OK) code = begin_reading(db, &next);
    if (code == SQLITE_ERROR && is_empty(db)) code = SQLITE_OK;
    int error = tell(db, code, path, diag);
    (void)sqlite3_close(db);
    if (error == 0) *ret_next = next;
    return error;
}

int state_snapshot_open(const char *path, struct state_snapshot **ret, uint64_t *ret_next,
                        struct diag *diag)
{
    struct state_snapshot *s = calloc(1, sizeof *s);
    uint64_t next = 0;
    if (!s) return ERR_NOMEM;
    int code = sqlite3_open_v2(path, &s->db, SNAPSHOT_FLAGS, NULL);
    if (code == SQLITE_OK) code = sqlite3_busy_timeout(s->db, SQL_BUSY_MS);
    if (code == SQLITE_OK) code = begin_reading(s->db, &next);
    int error = tell(s->db, code, path, diag);
    if (error) {
        state_snapshot_close(s);
        return error;
    }
    *ret = s;
    *ret_next = next;
    return 0;
}

int state_snapshot_rules(struct state_snapshot *s,
                         bool (*each)(void *ctx, const struct state_rule *rule), void *ctx,
                         struct diag *diag)
{
    static const char query[] =
        "SELECT rule, count(*), sum(count), max(last_received) FROM alert GROUP BY rule";
    sqlite3_stmt *st = NULL;
    int code = sqlite3_prepare_v2(s->db, query, -1, &st, NULL);
    bool more = true;
    while (code == SQLITE_OK && more && (code = sqlite3_step(st)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(st, 0);
        struct state_rule rule = {
            .rule = slice_make(text, text ? (size_t)sqlite3_column_bytes(st, 0) : 0),
            .alerts = (uint64_t)sqlite3_column_int64(st, 1),
            .records = (uint64_t)sqlite3_column_int64(st, 2),
            .last = sqlite3_column_int64(st, 3)};
        more = each(ctx, &rule);
        code = SQLITE_OK;
    }
    int error = tell(s->db, code == SQLITE_DONE ? SQLITE_OK : code, "alerts", diag);
    (void)sqlite3_finalize(st);
    return error;
}

/* The copy is one file: it needs no -wal beside it. */
static int copy_pages(struct state_snapshot *s, sqlite3 *to)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", s->db, "main");
    if (!backup) return sqlite3_errcode(to);
    (void)sqlite3_backup_step(backup, -1);
    int code = sqlite3_backup_finish(backup);
    if (code == SQLITE_OK)
        code = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    return code;
}

int state_snapshot_write(struct state_snapshot *s, const char *path, struct diag *diag)
{
    sqlite3 *to = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE |
                SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    int code = sqlite3_open_v2(path, &to, flags, NULL);
    if (code == SQLITE_OK) code = sqlite3_exec(to, "PRAGMA synchronous = FULL", NULL, NULL, NULL);
    if (code == SQLITE_OK) code = copy_pages(s, to);
    int error = tell(to, code, path, diag);
    (void)sqlite3_close(to);
    return error;
}

void state_snapshot_close(struct state_snapshot *s)
{
    if (!s) return;
    (void)sqlite3_close(s->db);
    free(s);
}
