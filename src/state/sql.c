/* SPDX-License-Identifier: EUPL-1.2 */
#include "state/sql.h"

#include <stdio.h>

int sql_error(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return 0;
    case SQLITE_NOMEM:
        return ERR_NOMEM;
    case SQLITE_FULL:
    case SQLITE_TOOBIG:
        return ERR_LIMIT;
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
        return ERR_ACCESS;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    default:
        return ERR_IO;
    }
}

/* ---- statements -------------------------------------------------------------------------- */

int sql_prepare(sqlite3 *db, const char *const *texts, size_t n, sqlite3_stmt **ret)
{
    for (size_t i = 0; i < n; i++) {
        int code = sqlite3_prepare_v3(db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &ret[i], NULL);
        if (code != SQLITE_OK) return sql_error(code);
    }
    return 0;
}

void sql_finalize(sqlite3_stmt **statements, size_t n)
{
    for (size_t i = 0; i < n; i++) (void)sqlite3_finalize(statements[i]);
}

int sql_run(sqlite3_stmt *st)
{
    int code = sqlite3_step(st);
    (void)sqlite3_reset(st);
    (void)sqlite3_clear_bindings(st);
    return sql_error(code);
}

void sql_bind_u64(sqlite3_stmt *st, int at, uint64_t v)
{
    (void)sqlite3_bind_int64(st, at, (sqlite3_int64)v);
}

void sql_bind_i64(sqlite3_stmt *st, int at, int64_t v)
{
    (void)sqlite3_bind_int64(st, at, v);
}

void sql_bind_text(sqlite3_stmt *st, int at, struct slice s)
{
    (void)sqlite3_bind_text64(st, at, s.ptr ? s.ptr : "", s.len, SQLITE_STATIC, SQLITE_UTF8);
}

void sql_bind_blob(sqlite3_stmt *st, int at, struct slice s)
{
    (void)sqlite3_bind_blob64(st, at, s.ptr ? s.ptr : "", s.len, SQLITE_STATIC);
}

struct slice sql_text(sqlite3_stmt *st, int at)
{
    const void *text = sqlite3_column_text(st, at);
    return slice_make(text, (size_t)sqlite3_column_bytes(st, at));
}

struct slice sql_blob(sqlite3_stmt *st, int at)
{
    const void *bytes = sqlite3_column_blob(st, at);
    return slice_make(bytes, (size_t)sqlite3_column_bytes(st, at));
}

/* ---- opening ----------------------------------------------------------------------------- */

static int execute(sqlite3 *db, const char *sql)
{
    return sql_error(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static int get_version(sqlite3 *db, int *ret)
{
    sqlite3_stmt *st = NULL;
    int code = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(st);
    if (code == SQLITE_ROW) *ret = sqlite3_column_int(st, 0);
    (void)sqlite3_finalize(st);
    return sql_error(code);
}

static int migrate(sqlite3 *db, const char *const *migrations, int versions, struct diag *diag)
{
    int version = 0;
    int error = get_version(db, &version);
    if (error) return error;
    if (version > versions)
        return diag_set(diag, ERR_UNSUPPORTED, NULL, 0, 0,
                        "the database is of a newer version of Vaka (%d, this one knows %d)",
                        version, versions);
    for (; version < versions && error == 0; version++) {
        char set[48];
        (void)snprintf(set, sizeof set, "PRAGMA user_version = %d", version + 1);
        error = execute(db, "BEGIN IMMEDIATE");
        if (error == 0) error = execute(db, migrations[version]);
        if (error == 0) error = execute(db, set);
        if (error == 0) error = execute(db, "COMMIT");
    }
    return error;
}

static int set_up(sqlite3 *db)
{
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_busy_timeout(db, SQL_BUSY_MS);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    /*
     * FULL: a commit that has returned is on disk. The cache is small, so that it is full within
     * minutes and the process does not grow for hours; the kernel has the pages, too.
     */
    return execute(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                       "PRAGMA cache_size = -512; PRAGMA foreign_keys = ON;"
                       "PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;"
                       "PRAGMA wal_autocheckpoint = 4000;");
}

int sql_open(const char *path, const char *const *migrations, int versions, sqlite3 **ret,
             struct diag *diag)
{
    sqlite3 *db = NULL;
    int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    if (diag) diag->message[0] = '\0';
    int error = sql_error(sqlite3_open_v2(path, &db, flags, NULL));
    if (error == 0) error = set_up(db);
    if (error == 0) error = migrate(db, migrations, versions, diag);
    if (error == 0) {
        *ret = db;
        return 0;
    }
    if (diag && !diag->message[0])
        (void)diag_set(diag, error, NULL, 0, 0, "%s: %s", path,
                       db ? sqlite3_errmsg(db) : error_text(error));
    (void)sqlite3_close(db);
    return error;
}
