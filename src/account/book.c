/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/book.h"

#include <sodium.h>
#include <stdlib.h>

#include "account/book_rows.h"

/* migrations[n] makes version n + 1 of version n. Never changed once released. */
static const char *const migrations[BOOK_VERSION] = {
    "CREATE TABLE user (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    " shown TEXT NOT NULL, password TEXT NOT NULL, made INTEGER NOT NULL,"
    " disabled INTEGER NOT NULL, given INTEGER NOT NULL, app BLOB, next_app BLOB,"
    " app_last INTEGER NOT NULL DEFAULT 0, app_drift INTEGER NOT NULL DEFAULT 0,"
    " app_near INTEGER NOT NULL DEFAULT 0, app_near_at INTEGER NOT NULL DEFAULT 0,"
    " next_near INTEGER NOT NULL DEFAULT 0, next_near_at INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE TABLE role (user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,"
    " tenant INTEGER NOT NULL, role TEXT NOT NULL, PRIMARY KEY (user, tenant, role))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE recovery (user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,"
    " hash BLOB NOT NULL, PRIMARY KEY (user, hash)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE session (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE, hash BLOB NOT NULL UNIQUE,"
    " half INTEGER NOT NULL, tries INTEGER NOT NULL, made INTEGER NOT NULL,"
    " seen INTEGER NOT NULL, address TEXT NOT NULL) STRICT;"
    "CREATE INDEX session_user ON session (user);"
    "CREATE TABLE token (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE, hash BLOB NOT NULL UNIQUE,"
    " tenant INTEGER NOT NULL, rights INTEGER NOT NULL, label TEXT NOT NULL,"
    " made INTEGER NOT NULL, expires INTEGER NOT NULL, used INTEGER NOT NULL) STRICT;"
    "CREATE INDEX token_user ON token (user);"
    "CREATE TABLE change (id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL,"
    " tenant INTEGER NOT NULL, actor TEXT NOT NULL, what TEXT NOT NULL, subject TEXT NOT NULL,"
    " address TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL) STRICT;"
    "CREATE TABLE veil (key BLOB NOT NULL) STRICT;"
    "INSERT INTO veil (key) VALUES (randomblob(32));"
    "CREATE TABLE pseudonym (tenant INTEGER NOT NULL, pseudonym TEXT NOT NULL,"
    " name TEXT NOT NULL, PRIMARY KEY (tenant, pseudonym)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE lift (user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,"
    " tenant INTEGER NOT NULL, pseudonym TEXT NOT NULL, until INTEGER NOT NULL,"
    " PRIMARY KEY (user, tenant, pseudonym)) STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER change_stays BEFORE UPDATE ON change BEGIN"
    " SELECT raise(ABORT, 'the log is only added to'); END;"
    "CREATE TRIGGER change_is_kept BEFORE DELETE ON change BEGIN"
    " SELECT raise(ABORT, 'the log is only added to'); END;",
    "ALTER TABLE user ADD COLUMN subject TEXT;"
    "CREATE UNIQUE INDEX user_subject ON user (subject);",
};

int book_open(const char *path, const struct strongbox_key *key, struct book **ret,
              struct diag *diag)
{
    struct book *b = calloc(1, sizeof *b);
    if (!b) return ERR_NOMEM;
    b->key = *key;
    int error = db_open(path, migrations, BOOK_VERSION, &b->db, diag);
    if (error) book_close(b);
    else *ret = b;
    return error;
}

void book_close(struct book *b)
{
    if (!b) return;
    db_close(b->db);
    sodium_memzero(&b->key, sizeof b->key);
    free(b);
}

int book_begin(struct book *b)
{
    return db_run(b->db, "BEGIN IMMEDIATE", DB_ALONE);
}

int book_commit(struct book *b)
{
    return db_run(b->db, "COMMIT", DB_ALONE);
}

void book_rollback(struct book *b)
{
    db_rollback(b->db);
}

/* ---- rows -------------------------------------------------------------------------------- */

int book_change(struct book *b, const char *statement, const struct db_value *values, size_t n)
{
    int error = db_run(b->db, statement, values, n);
    return error ? error : db_changed(b->db) ? 0 : ERR_NOT_FOUND;
}

int book_insert(struct book *b, const char *statement, const struct db_value *values, size_t n,
                uint64_t *ret_id)
{
    int error = book_change(b, statement, values, n);
    if (error == 0) *ret_id = db_inserted(b->db);
    return error == ERR_NOT_FOUND ? ERR_INVALID : error;
}

int book_first(struct db_rows *rows)
{
    if (db_next(rows)) return 0;
    int error = db_end(rows);
    return error ? error : ERR_NOT_FOUND;
}

void book_copy_text(const struct db_rows *rows, int column, char *ret, size_t size)
{
    if (!slice_copy(db_get_text(rows, column), ret, size)) *ret = '\0';
}

struct db_value book_hash(const struct secret_hash *hash)
{
    return db_blob(slice_make(hash->bytes, sizeof hash->bytes));
}

struct secret_hash book_get_hash(const struct db_rows *rows, int column)
{
    struct slice bytes = db_get_blob(rows, column);
    struct secret_hash hash = {.bytes = {0}};
    if (bytes.len == sizeof hash.bytes) memcpy(hash.bytes, bytes.ptr, bytes.len);
    return hash;
}
