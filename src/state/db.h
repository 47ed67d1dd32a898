/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A SQLite file: statements with their values, and rows. Statements are string literals; each is
 * prepared once, when it is used first, and known by its address from then on.
 *
 * Errors, where nothing else is said: ERR_IO (the disk, or the file is damaged), ERR_LIMIT (the
 * disk is full), ERR_ACCESS, ERR_CORRUPT, ERR_NOMEM.
 *
 * Statements may use rfc3339(t), the text of a time, and json_text(t), a string for JSON functions
 * that is valid UTF-8 whatever the text is; both are NULL for NULL.
 */
#ifndef VAKA_STATE_DB_H
#define VAKA_STATE_DB_H

#include "base/clock.h"
#include "base/error.h"

enum { DB_STATEMENTS_MAX = 512 };

struct db;

/* sql_open() of it (state/sql.h). */
int db_open(const char *path, const char *const *migrations, int versions, struct db **ret,
            struct diag *diag) MUST_USE;
/* One that another process may be writing: nothing is changed, and it has to be there. */
int db_open_reader(const char *path, struct db **ret, struct diag *diag) MUST_USE;
/* What was not committed is dropped. May be NULL. */
void db_close(struct db *s);
/* What is wrong, behind an error of the last call. */
const char *db_trouble(const struct db *s);

/* ---- values ---- */

struct db_value {
    enum { DB_NOTHING, DB_IS_NUMBER, DB_IS_TEXT, DB_IS_BLOB } kind;
    int64_t number;
    struct slice bytes; /* borrowed for the call, or until db_end() */
};

static inline struct db_value db_number(int64_t v)
{
    return (struct db_value){.kind = DB_IS_NUMBER, .number = v};
}
static inline struct db_value db_u64(uint64_t v)
{
    return db_number((int64_t)v);
}
static inline struct db_value db_text(struct slice s)
{
    return (struct db_value){.kind = DB_IS_TEXT, .bytes = s};
}
/* NULL for an empty text. */
static inline struct db_value db_text_or_null(struct slice s)
{
    return (struct db_value){.kind = s.len ? DB_IS_TEXT : DB_NOTHING, .bytes = s};
}
static inline struct db_value db_blob(struct slice s)
{
    return (struct db_value){.kind = DB_IS_BLOB, .bytes = s};
}
/* INT64_MIN, which is no time, becomes NULL. */
static inline struct db_value db_time(nsec t)
{
    return (struct db_value){.kind = t == INT64_MIN ? DB_NOTHING : DB_IS_NUMBER, .number = t};
}

/* For ?1, ?2, …: two arguments. */
#define DB_WITH(...)                                                                               \
    (const struct db_value[]){__VA_ARGS__},                                                        \
        sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value)
#define DB_ALONE NULL, 0

/* ---- statements ---- */

/* One that gives no rows; rows that it gives are dropped. */
int db_run(struct db *s, const char *statement, const struct db_value *values, size_t n) MUST_USE;
/* How many rows the last one changed. */
uint64_t db_changed(const struct db *s);
/* The id of the last row that was inserted. */
uint64_t db_inserted(const struct db *s);
/* Several, separated by ;, which are not remembered. */
int db_script(struct db *s, const char *text) MUST_USE;
/* Drops what was not committed; nothing happens without a transaction. */
void db_rollback(struct db *s);

/*
 * Rows, one after the other, until db_next() says that there is none; db_end() tells whether that
 * was the end of them. A statement is not to be begun again before its db_end().
 */
struct db_rows {
    void *statement;
    int code;
};
struct db_rows db_select(struct db *s, const char *statement, const struct db_value *values,
                         size_t n);
bool db_next(struct db_rows *rows);
int db_end(struct db_rows *rows) MUST_USE;

/* Columns of the row at hand, from 0; texts live until the next row. */
int64_t db_get_number(const struct db_rows *rows, int column);
struct slice db_get_text(const struct db_rows *rows, int column);
struct slice db_get_blob(const struct db_rows *rows, int column);
nsec db_get_time(const struct db_rows *rows, int column); /* INT64_MIN for NULL */
bool db_is_null(const struct db_rows *rows, int column);

/* The first column of the first row; without a row *ret is left as it is. */
int db_get(struct db *s, const char *statement, const struct db_value *values, size_t n,
           int64_t *ret) MUST_USE;

/* ---- without the disk ---- */

/*
 * What cannot be written to its file any more goes on in memory, with all that was committed: what
 * is done then is lost with the process. No transaction is open, and no rows are being read. On
 * failure nothing has changed.
 */
int db_detach(struct db *s) MUST_USE;
/* All of it into the file again, in one transaction. The same. */
int db_attach(struct db *s) MUST_USE;
bool db_is_detached(const struct db *s);

/* ---- copies ---- */

/* All of the file as it is in the open transaction, into a new one that needs no -wal beside it;
 * durable, its name apart. */
int db_copy(struct db *s, const char *path, struct diag *diag) MUST_USE;

#endif
