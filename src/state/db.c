/* SPDX-License-Identifier: EUPL-1.2 */
#include "state/db.h"

#include <stdlib.h>

#include "base/json_write.h"
#include "base/time.h"
#include "state/sql.h"

enum { JSON_TEXT_MAX = 8 * 1024 * 1024 };

struct prepared {
    const char *text; /* its address is what it is known by; NULL: free */
    sqlite3_stmt *statement;
};

struct db {
    sqlite3 *db;
    sqlite3 *file;                               /* while db is in memory; else NULL */
    struct prepared prepared[DB_STATEMENTS_MAX]; /* open addressing */
    size_t n_prepared;
};

/* ---- opening ----------------------------------------------------------------------------- */

static void write_time(sqlite3_context *ctx, int n, sqlite3_value **values)
{
    char room[64];
    struct buf text = {.ptr = room, .cap = sizeof room, .max = sizeof room};
    (void)n;
    if (sqlite3_value_type(values[0]) == SQLITE_NULL) return;
    time_write_rfc3339(&text, sqlite3_value_int64(values[0]));
    sqlite3_result_text(ctx, text.ptr, (int)text.len, SQLITE_TRANSIENT);
}

static void write_text(sqlite3_context *ctx, int n, sqlite3_value **values)
{
    const unsigned json = 'J'; /* what JSON functions know each other's texts by */
    struct buf text;
    (void)n;
    if (sqlite3_value_type(values[0]) == SQLITE_NULL) return;
    const void *bytes = sqlite3_value_text(values[0]);
    buf_init(&text, JSON_TEXT_MAX);
    json_write_string(&text, slice_make(bytes, (size_t)sqlite3_value_bytes(values[0])));
    if (buf_failed(&text)) sqlite3_result_error_toobig(ctx);
    else sqlite3_result_text64(ctx, text.ptr, text.len, SQLITE_TRANSIENT, SQLITE_UTF8);
    sqlite3_result_subtype(ctx, json);
    buf_done(&text);
}

static int add_functions(struct db *s)
{
    static const struct {
        const char *name;
        void (*run)(sqlite3_context *ctx, int n, sqlite3_value **values);
    } functions[] = {{"rfc3339", write_time}, {"json_text", write_text}};
    int code = SQLITE_OK;
    for (size_t i = 0; i < sizeof functions / sizeof *functions && code == SQLITE_OK; i++)
        code = sqlite3_create_function_v2(s->db, functions[i].name, 1,
                                          SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_SUBTYPE, NULL,
                                          functions[i].run, NULL, NULL, NULL);
    return code;
}

int db_open(const char *path, const char *const *migrations, int versions, struct db **ret,
            struct diag *diag)
{
    struct db *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    int error = sql_open(path, migrations, versions, &s->db, diag);
    if (error == 0) error = sql_error(add_functions(s));
    if (error) db_close(s);
    else *ret = s;
    return error;
}

static int open_reader(struct db *s, const char *path)
{
    /* Not read-only: in WAL mode who reads has a part in the -shm file. */
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    int code = sqlite3_open_v2(path, &s->db, flags, NULL);
    if (code == SQLITE_OK) code = sqlite3_busy_timeout(s->db, SQL_BUSY_MS);
    if (code == SQLITE_OK) code = add_functions(s);
    if (code != SQLITE_OK) return sql_error(code);
    return db_script(s, "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY");
}

int db_open_reader(const char *path, struct db **ret, struct diag *diag)
{
    struct db *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    int error = open_reader(s, path);
    if (error == 0) {
        *ret = s;
        return 0;
    }
    (void)diag_set(diag, error, NULL, 0, 0, "%s: %s", path,
                   s->db ? sqlite3_errmsg(s->db) : error_text(error));
    db_close(s);
    return error;
}

static void forget_statements(struct db *s)
{
    for (size_t i = 0; i < DB_STATEMENTS_MAX; i++) (void)sqlite3_finalize(s->prepared[i].statement);
    memset(s->prepared, 0, sizeof s->prepared);
    s->n_prepared = 0;
}

void db_close(struct db *s)
{
    if (!s) return;
    forget_statements(s);
    (void)sqlite3_close(s->db);
    (void)sqlite3_close(s->file);
    free(s);
}

const char *db_trouble(const struct db *s)
{
    return sqlite3_errmsg(s->db);
}

/* ---- statements -------------------------------------------------------------------------- */

static int find_statement(struct db *s, const char *text, sqlite3_stmt **ret)
{
    size_t at = ((uintptr_t)text >> 3) % DB_STATEMENTS_MAX;
    while (s->prepared[at].text && s->prepared[at].text != text) at = (at + 1) % DB_STATEMENTS_MAX;
    struct prepared *p = &s->prepared[at];
    *ret = p->statement;
    if (p->text) return SQLITE_OK;
    ASSERT(s->n_prepared < DB_STATEMENTS_MAX - 1);
    int code = sqlite3_prepare_v3(s->db, text, -1, SQLITE_PREPARE_PERSISTENT, &p->statement, NULL);
    if (code != SQLITE_OK) return code;
    p->text = text;
    s->n_prepared++;
    *ret = p->statement;
    return SQLITE_OK;
}

static int bind(sqlite3_stmt *st, int at, const struct db_value *v)
{
    const char *bytes = v->bytes.ptr ? v->bytes.ptr : "";
    switch (v->kind) {
    case DB_IS_NUMBER:
        return sqlite3_bind_int64(st, at, v->number);
    case DB_IS_TEXT:
        return sqlite3_bind_text64(st, at, bytes, v->bytes.len, SQLITE_STATIC, SQLITE_UTF8);
    case DB_IS_BLOB:
        return sqlite3_bind_blob64(st, at, bytes, v->bytes.len, SQLITE_STATIC);
    case DB_NOTHING:
        return sqlite3_bind_null(st, at);
    }
    return SQLITE_MISUSE;
}

struct db_rows db_select(struct db *s, const char *statement, const struct db_value *values,
                         size_t n)
{
    sqlite3_stmt *st = NULL;
    int code = find_statement(s, statement, &st);
    ASSERT(code != SQLITE_OK || !sqlite3_stmt_busy(st));
    for (size_t i = 0; i < n && code == SQLITE_OK; i++) code = bind(st, (int)i + 1, &values[i]);
    return (struct db_rows){.statement = code == SQLITE_OK ? st : NULL, .code = code};
}

bool db_next(struct db_rows *rows)
{
    if (!rows->statement) return false;
    rows->code = sqlite3_step(rows->statement);
    return rows->code == SQLITE_ROW;
}

int db_end(struct db_rows *rows)
{
    if (rows->statement) {
        (void)sqlite3_reset(rows->statement);
        (void)sqlite3_clear_bindings(rows->statement);
    }
    return sql_error(rows->code);
}

int db_run(struct db *s, const char *statement, const struct db_value *values, size_t n)
{
    struct db_rows rows = db_select(s, statement, values, n);
    while (db_next(&rows)) {
    }
    return db_end(&rows);
}

int db_get(struct db *s, const char *statement, const struct db_value *values, size_t n,
           int64_t *ret)
{
    struct db_rows rows = db_select(s, statement, values, n);
    if (db_next(&rows)) *ret = db_get_number(&rows, 0);
    return db_end(&rows);
}

int db_script(struct db *s, const char *text)
{
    return sql_error(sqlite3_exec(s->db, text, NULL, NULL, NULL));
}

uint64_t db_changed(const struct db *s)
{
    return (uint64_t)sqlite3_changes64(s->db);
}

uint64_t db_inserted(const struct db *s)
{
    return (uint64_t)sqlite3_last_insert_rowid(s->db);
}

void db_rollback(struct db *s)
{
    if (!sqlite3_get_autocommit(s->db)) (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

/* ---- columns ----------------------------------------------------------------------------- */

int64_t db_get_number(const struct db_rows *rows, int column)
{
    return sqlite3_column_int64(rows->statement, column);
}

struct slice db_get_text(const struct db_rows *rows, int column)
{
    const void *text = sqlite3_column_text(rows->statement, column);
    return slice_make(text, (size_t)sqlite3_column_bytes(rows->statement, column));
}

struct slice db_get_blob(const struct db_rows *rows, int column)
{
    const void *bytes = sqlite3_column_blob(rows->statement, column);
    return slice_make(bytes, (size_t)sqlite3_column_bytes(rows->statement, column));
}

nsec db_get_time(const struct db_rows *rows, int column)
{
    return db_is_null(rows, column) ? INT64_MIN : db_get_number(rows, column);
}

bool db_is_null(const struct db_rows *rows, int column)
{
    return sqlite3_column_type(rows->statement, column) == SQLITE_NULL;
}

/* ---- without the disk -------------------------------------------------------------------- */

static int copy_all(sqlite3 *from, sqlite3 *to)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (!backup) return sqlite3_errcode(to);
    /* The end of it need not say that a file was busy. */
    int code = sqlite3_backup_step(backup, -1), end = sqlite3_backup_finish(backup);
    return end == SQLITE_OK && code != SQLITE_DONE ? code : end;
}

int db_detach(struct db *s)
{
    sqlite3 *memory = NULL, *file = s->db;
    int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    ASSERT(!s->file);
    int code = sqlite3_open_v2(":memory:", &memory, flags, NULL);
    if (code == SQLITE_OK) code = copy_all(file, memory);
    if (code == SQLITE_OK) {
        forget_statements(s);
        s->db = memory;
        code = add_functions(s);
    }
    if (code == SQLITE_OK) {
        s->file = file;
        return 0;
    }
    s->db = file;
    (void)sqlite3_close(memory);
    return sql_error(code);
}

int db_attach(struct db *s)
{
    ASSERT(s->file);
    int code = copy_all(s->db, s->file);
    if (code != SQLITE_OK) return sql_error(code);
    forget_statements(s);
    (void)sqlite3_close(s->db);
    s->db = s->file;
    s->file = NULL;
    return 0;
}

bool db_is_detached(const struct db *s)
{
    return s->file != NULL;
}

/* ---- copies ------------------------------------------------------------------------------ */

static int copy_pages(struct db *s, sqlite3 *to)
{
    int code = copy_all(s->db, to);
    if (code == SQLITE_OK)
        code = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    return code;
}

int db_copy(struct db *s, const char *path, struct diag *diag)
{
    sqlite3 *to = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE |
                SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    int code = sqlite3_open_v2(path, &to, flags, NULL);
    if (code == SQLITE_OK) code = sqlite3_exec(to, "PRAGMA synchronous = FULL", NULL, NULL, NULL);
    if (code == SQLITE_OK) code = copy_pages(s, to);
    int error = sql_error(code);
    if (error) (void)diag_set(diag, error, NULL, 0, 0, "%s: %s", path, sqlite3_errmsg(to));
    (void)sqlite3_close(to);
    return error;
}
