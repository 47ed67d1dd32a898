/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * SQLite as every file of Vaka uses it: one writer, a commit that has returned is on disk, and a
 * schema that has a version (SQLite's user_version) and is brought up to date when it is opened.
 */
#ifndef VAKA_STATE_SQL_H
#define VAKA_STATE_SQL_H

#include <sqlite3.h>

#include "base/error.h"

enum {
    SQL_BUSY_MS = 10 * 1000
}; /* another one recovers the file, or reads what is to be replaced */

/* 0, or ERR_NOMEM, ERR_LIMIT (the disk is full), ERR_ACCESS, ERR_CORRUPT, ERR_IO of SQLite's code.
 */
int sql_error(int code);

/*
 * Opens or makes the file. migrations[n] makes version n + 1 of version n; they are never changed
 * once released. ERR_UNSUPPORTED: the file is of a newer version. diag (may be NULL) says it; on
 * failure nothing is open.
 */
int sql_open(const char *path, const char *const *migrations, int versions, sqlite3 **ret,
             struct diag *diag) MUST_USE;
/* ret[n] of texts[n], for long use. On failure those that were made are to be finalized, too. */
int sql_prepare(sqlite3 *db, const char *const *texts, size_t n, sqlite3_stmt **ret) MUST_USE;
/* All of them; what is NULL is passed over. */
void sql_finalize(sqlite3_stmt **statements, size_t n);

/* Runs to its end one that gives no rows; what was bound is forgotten. */
int sql_run(sqlite3_stmt *st) MUST_USE;
/* What is bound is borrowed until the statement has run. */
void sql_bind_u64(sqlite3_stmt *st, int at, uint64_t v);
void sql_bind_i64(sqlite3_stmt *st, int at, int64_t v);
void sql_bind_text(sqlite3_stmt *st, int at, struct slice s);
void sql_bind_blob(sqlite3_stmt *st, int at, struct slice s);
/* Of the row, until the next step; empty for NULL. */
struct slice sql_text(sqlite3_stmt *st, int at);
struct slice sql_blob(sqlite3_stmt *st, int at);

#endif
