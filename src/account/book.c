/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/book.h"

#include <stdlib.h>

#include "account/rights.h"
#include "state/sql.h"

/* migrations[n] makes version n + 1 of version n. Never changed once released. */
static const char *const migrations[BOOK_VERSION] = {
    "CREATE TABLE user (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    " shown TEXT NOT NULL, password TEXT NOT NULL, made INTEGER NOT NULL,"
    " disabled INTEGER NOT NULL, given INTEGER NOT NULL, app BLOB, next_app BLOB,"
    " app_step INTEGER NOT NULL) STRICT;"
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

#define USER_COLUMNS                                                                               \
    "id, name, shown, password, made, disabled, given, app, next_app, app_step, subject FROM user"
#define SESSION_COLUMNS                                                                            \
    "session.id, user, hash, half, tries, session.made, seen, address, name FROM session"          \
    " JOIN user ON user.id = user"
#define TOKEN_COLUMNS                                                                              \
    "token.id, user, hash, tenant, rights, label, token.made, expires, used, name FROM token"      \
    " JOIN user ON user.id = user"

/* name, text */
#define STATEMENTS_OF_BOOK(X)                                                                      \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(COMMIT, "COMMIT")                                                                            \
    X(ROLLBACK, "ROLLBACK")                                                                        \
    X(FIND_USER, "SELECT " USER_COLUMNS " WHERE name = ?1")                                        \
    X(FIND_SUBJECT, "SELECT " USER_COLUMNS " WHERE subject = ?1")                                  \
    X(GET_USER, "SELECT " USER_COLUMNS " WHERE id = ?1")                                           \
    X(LIST_USERS, "SELECT " USER_COLUMNS " ORDER BY name")                                         \
    X(ADD_USER, "INSERT INTO user (shown, password, disabled, given, app, next_app, app_step,"     \
                " name, made, subject) VALUES (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")         \
    X(PUT_USER, "UPDATE user SET shown = ?2, password = ?3, disabled = ?4, given = ?5, app = ?6,"  \
                " next_app = ?7, app_step = ?8 WHERE id = ?1")                                     \
    X(REMOVE_USER, "DELETE FROM user WHERE id = ?1")                                               \
    X(LIST_ROLES, "SELECT tenant, role FROM role WHERE user = ?1 ORDER BY tenant")                 \
    X(GRANT, "INSERT OR IGNORE INTO role (user, tenant, role) VALUES (?1, ?2, ?3)")                \
    X(REVOKE, "DELETE FROM role WHERE user = ?1 AND tenant = ?2 AND role = ?3")                    \
    X(COUNT_ADMINS, "SELECT count(*) FROM role JOIN user ON user.id = user"                        \
                    " WHERE tenant = ?1 AND role = 'admin' AND disabled = 0")                      \
    X(DROP_RECOVERY, "DELETE FROM recovery WHERE user = ?1")                                       \
    X(ADD_RECOVERY, "INSERT INTO recovery (user, hash) VALUES (?1, ?2)")                           \
    X(USE_RECOVERY, "DELETE FROM recovery WHERE user = ?1 AND hash = ?2")                          \
    X(COUNT_RECOVERY, "SELECT count(*) FROM recovery WHERE user = ?1")                             \
    X(ADD_SESSION, "INSERT INTO session (user, hash, half, tries, made, seen, address)"            \
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                         \
    X(FIND_SESSION, "SELECT " SESSION_COLUMNS " WHERE hash = ?1")                                  \
    X(GET_SESSION, "SELECT " SESSION_COLUMNS " WHERE session.id = ?1")                             \
    X(PUT_SESSION, "UPDATE session SET seen = ?2, tries = ?3 WHERE id = ?1")                       \
    X(END_SESSION, "DELETE FROM session WHERE id = ?1")                                            \
    X(END_SESSIONS, "DELETE FROM session WHERE user = ?1 AND id <> ?2")                            \
    X(FORGET_SESSIONS, "DELETE FROM session WHERE seen <= ?1 OR made <= ?2"                        \
                       " OR (half = 1 AND made <= ?3)")                                            \
    X(LIST_SESSIONS, "SELECT " SESSION_COLUMNS " WHERE half = 0 AND (?1 = 0 OR user = ?1)"         \
                     " ORDER BY session.id")                                                       \
    X(ADD_TOKEN, "INSERT INTO token (user, hash, tenant, rights, label, made, expires, used)"      \
                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)")                                        \
    X(FIND_TOKEN, "SELECT " TOKEN_COLUMNS " WHERE hash = ?1")                                      \
    X(GET_TOKEN, "SELECT " TOKEN_COLUMNS " WHERE token.id = ?1")                                   \
    X(USE_TOKEN, "UPDATE token SET used = ?2 WHERE id = ?1")                                       \
    X(END_TOKEN, "DELETE FROM token WHERE id = ?1")                                                \
    X(END_TOKENS, "DELETE FROM token WHERE user = ?1")                                             \
    X(LIST_TOKENS, "SELECT " TOKEN_COLUMNS " WHERE ?1 = 0 OR user = ?1 ORDER BY token.id")         \
    X(GET_VEIL_KEY, "SELECT key FROM veil")                                                        \
    X(KEEP_NAME, "INSERT OR IGNORE INTO pseudonym (tenant, pseudonym, name) VALUES (?1, ?2, ?3)")  \
    X(FIND_NAME, "SELECT name FROM pseudonym WHERE tenant = ?1 AND pseudonym = ?2")                \
    X(LIST_NAMES, "SELECT pseudonym, name FROM pseudonym WHERE tenant = ?1 AND pseudonym > ?2"     \
                  " ORDER BY pseudonym LIMIT ?3")                                                  \
    X(LIFT, "INSERT INTO lift (user, tenant, pseudonym, until) VALUES (?1, ?2, ?3, ?4)"            \
            " ON CONFLICT (user, tenant, pseudonym) DO UPDATE SET until = ?4")                     \
    X(FIND_LIFT, "SELECT until FROM lift WHERE user = ?1 AND tenant = ?2 AND pseudonym = ?3")      \
    X(LOG, "INSERT INTO change (time, tenant, actor, what, subject, address, reason, detail)"      \
           " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                                             \
    X(LIST_LOG, "SELECT id, time, tenant, actor, what, subject, address, reason, detail"           \
                " FROM change WHERE id > ?1 AND (?3 = '' OR actor = ?3 OR subject = ?3)"           \
                " ORDER BY id LIMIT ?2")

enum statement {
#define X(name, text) name,
    STATEMENTS_OF_BOOK(X)
#undef X
        STATEMENTS,
};

static const char *const statements[STATEMENTS] = {
#define X(name, text) [name] = text,
    STATEMENTS_OF_BOOK(X)
#undef X
};

struct book {
    sqlite3 *db;
    sqlite3_stmt *prepared[STATEMENTS];
};

/* ---- opening ----------------------------------------------------------------------------- */

int book_open(const char *path, struct book **ret, struct diag *diag)
{
    struct book *b = calloc(1, sizeof *b);
    if (!b) return ERR_NOMEM;
    int error = sql_open(path, migrations, BOOK_VERSION, &b->db, diag);
    if (error == 0) {
        error = sql_prepare(b->db, statements, STATEMENTS, b->prepared);
        if (error) (void)diag_set(diag, error, NULL, 0, 0, "%s: %s", path, sqlite3_errmsg(b->db));
    }
    if (error) book_close(b);
    else *ret = b;
    return error;
}

void book_close(struct book *b)
{
    if (!b) return;
    sql_finalize(b->prepared, STATEMENTS);
    (void)sqlite3_close(b->db);
    free(b);
}

static int run(struct book *b, enum statement which)
{
    return sql_run(b->prepared[which]);
}

int book_begin(struct book *b)
{
    return run(b, BEGIN);
}

int book_commit(struct book *b)
{
    return run(b, COMMIT);
}

void book_rollback(struct book *b)
{
    if (!sqlite3_get_autocommit(b->db)) (void)run(b, ROLLBACK);
}

/* ---- rows -------------------------------------------------------------------------------- */

static void copy_text(sqlite3_stmt *st, int at, char *ret, size_t size)
{
    if (!slice_copy(sql_text(st, at), ret, size)) *ret = '\0';
}

/* What is bound to a row: one that gives rows is stepped to the first of them, and is to be ended
 * by end_row(). ERR_NOT_FOUND: there is none. */
static int first_row(sqlite3_stmt *st)
{
    int code = sqlite3_step(st);
    if (code == SQLITE_ROW) return 0;
    (void)sqlite3_reset(st);
    (void)sqlite3_clear_bindings(st);
    int error = sql_error(code);
    return error ? error : ERR_NOT_FOUND;
}

static void end_row(sqlite3_stmt *st)
{
    (void)sqlite3_reset(st);
    (void)sqlite3_clear_bindings(st);
}

/* One that changes a row: ERR_NOT_FOUND when it has changed none. */
static int change(struct book *b, enum statement which)
{
    int error = run(b, which);
    return error ? error : sqlite3_changes(b->db) ? 0 : ERR_NOT_FOUND;
}

static int insert(struct book *b, enum statement which, uint64_t *ret_id)
{
    sqlite3_stmt *st = b->prepared[which];
    int code = sqlite3_step(st);
    end_row(st);
    if ((code & 0xff) == SQLITE_CONSTRAINT) return ERR_INVALID;
    if (sql_error(code) == 0) *ret_id = (uint64_t)sqlite3_last_insert_rowid(b->db);
    return sql_error(code);
}

static int count(struct book *b, enum statement which, uint64_t about, uint64_t *ret)
{
    sqlite3_stmt *st = b->prepared[which];
    sql_bind_u64(st, 1, about);
    int error = first_row(st);
    if (error) return error;
    *ret = (uint64_t)sqlite3_column_int64(st, 0);
    end_row(st);
    return 0;
}

static void bind_hash(sqlite3_stmt *st, int at, const struct secret_hash *hash)
{
    sql_bind_blob(st, at, slice_make(hash->bytes, sizeof hash->bytes));
}

static void copy_hash(sqlite3_stmt *st, int at, struct secret_hash *ret)
{
    struct slice bytes = sql_blob(st, at);
    *ret = (struct secret_hash){.bytes = {0}};
    if (bytes.len == sizeof ret->bytes) memcpy(ret->bytes, bytes.ptr, bytes.len);
}

/* ---- people ------------------------------------------------------------------------------ */

static bool copy_app(sqlite3_stmt *st, int at, struct totp_secret *ret)
{
    struct slice bytes = sql_blob(st, at);
    if (bytes.len != sizeof ret->bytes) return false;
    memcpy(ret->bytes, bytes.ptr, bytes.len);
    return true;
}

static void read_user(sqlite3_stmt *st, struct book_user *ret)
{
    *ret = (struct book_user){.id = (uint64_t)sqlite3_column_int64(st, 0),
                              .made = sqlite3_column_int64(st, 4),
                              .disabled = sqlite3_column_int64(st, 5),
                              .given = sqlite3_column_int64(st, 6),
                              .app_step = sqlite3_column_int64(st, 9)};
    copy_text(st, 1, ret->name, sizeof ret->name);
    copy_text(st, 2, ret->shown, sizeof ret->shown);
    copy_text(st, 3, ret->password, sizeof ret->password);
    copy_text(st, 10, ret->subject, sizeof ret->subject);
    ret->has_app = copy_app(st, 7, &ret->app);
    ret->enrolling = copy_app(st, 8, &ret->next_app);
}

static int one_user(sqlite3_stmt *st, struct book_user *ret)
{
    int error = first_row(st);
    if (error) return error;
    read_user(st, ret);
    end_row(st);
    return 0;
}

int book_find_user(struct book *b, struct slice name, struct book_user *ret)
{
    sql_bind_text(b->prepared[FIND_USER], 1, name);
    return one_user(b->prepared[FIND_USER], ret);
}

int book_find_subject(struct book *b, struct slice subject, struct book_user *ret)
{
    sql_bind_text(b->prepared[FIND_SUBJECT], 1, subject);
    return one_user(b->prepared[FIND_SUBJECT], ret);
}

int book_get_user(struct book *b, uint64_t id, struct book_user *ret)
{
    sql_bind_u64(b->prepared[GET_USER], 1, id);
    return one_user(b->prepared[GET_USER], ret);
}

static void bind_app(sqlite3_stmt *st, int at, bool any, const struct totp_secret *app)
{
    if (any) sql_bind_blob(st, at, slice_make(app->bytes, sizeof app->bytes));
    else (void)sqlite3_bind_null(st, at);
}

static void bind_user(sqlite3_stmt *st, const struct book_user *u)
{
    sql_bind_text(st, 2, slice_of(u->shown));
    sql_bind_text(st, 3, slice_of(u->password));
    sql_bind_i64(st, 4, u->disabled);
    sql_bind_i64(st, 5, u->given);
    bind_app(st, 6, u->has_app, &u->app);
    bind_app(st, 7, u->enrolling, &u->next_app);
    sql_bind_i64(st, 8, u->app_step);
}

int book_add_user(struct book *b, const struct book_user *user, uint64_t *ret_id)
{
    sqlite3_stmt *st = b->prepared[ADD_USER];
    bind_user(st, user);
    sql_bind_text(st, 9, slice_of(user->name));
    sql_bind_i64(st, 10, user->made);
    if (user->subject[0]) sql_bind_text(st, 11, slice_of(user->subject));
    return insert(b, ADD_USER, ret_id);
}

int book_put_user(struct book *b, const struct book_user *user)
{
    sqlite3_stmt *st = b->prepared[PUT_USER];
    sql_bind_u64(st, 1, user->id);
    bind_user(st, user);
    return change(b, PUT_USER);
}

int book_remove_user(struct book *b, uint64_t id)
{
    sql_bind_u64(b->prepared[REMOVE_USER], 1, id);
    return change(b, REMOVE_USER);
}

int book_users(struct book *b, bool (*each)(void *ctx, const struct book_user *user), void *ctx)
{
    sqlite3_stmt *st = b->prepared[LIST_USERS];
    struct book_user user;
    int code;
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        read_user(st, &user);
        if (!each(ctx, &user)) break;
    }
    end_row(st);
    return sql_error(code);
}

/* ---- roles ------------------------------------------------------------------------------- */

int book_tenants(struct book *b, uint64_t user,
                 bool (*each)(void *ctx, uint32_t tenant, uint32_t roles), void *ctx)
{
    sqlite3_stmt *st = b->prepared[LIST_ROLES];
    uint32_t tenant = 0, roles = 0;
    bool any = false, more = true;
    int code;
    sql_bind_u64(st, 1, user);
    while (more && (code = sqlite3_step(st)) == SQLITE_ROW) {
        uint32_t next = (uint32_t)sqlite3_column_int64(st, 0);
        unsigned role = rights_role_find(sql_text(st, 1));
        if (any && next != tenant) {
            more = each(ctx, tenant, roles);
            roles = 0;
        }
        any = true;
        tenant = next;
        /* One of a later version allows nothing. */
        if (role < ACCOUNT_ROLE_COUNT) roles |= UINT32_C(1) << role;
    }
    end_row(st);
    if (any && more) (void)each(ctx, tenant, roles);
    return more ? sql_error(code) : 0;
}

struct wanted {
    uint32_t tenant, roles;
};

static bool take_roles(void *ctx, uint32_t tenant, uint32_t roles)
{
    struct wanted *w = ctx;
    if (tenant == w->tenant) w->roles = roles;
    return tenant < w->tenant;
}

int book_roles(struct book *b, uint64_t user, uint32_t tenant, uint32_t *ret_roles)
{
    struct wanted wanted = {.tenant = tenant};
    int error = book_tenants(b, user, take_roles, &wanted);
    if (error == 0) *ret_roles = wanted.roles;
    return error;
}

static void bind_role(sqlite3_stmt *st, uint64_t user, uint32_t tenant, unsigned role)
{
    sql_bind_u64(st, 1, user);
    sql_bind_u64(st, 2, tenant);
    sql_bind_text(st, 3, slice_of(rights_role_name(role)));
}

int book_grant(struct book *b, uint64_t user, uint32_t tenant, unsigned role)
{
    bind_role(b->prepared[GRANT], user, tenant, role);
    return run(b, GRANT);
}

int book_revoke(struct book *b, uint64_t user, uint32_t tenant, unsigned role)
{
    bind_role(b->prepared[REVOKE], user, tenant, role);
    return change(b, REVOKE);
}

int book_count_admins(struct book *b, uint32_t tenant, uint64_t *ret)
{
    return count(b, COUNT_ADMINS, tenant, ret);
}

/* ---- recovery codes ---------------------------------------------------------------------- */

int book_set_recovery(struct book *b, uint64_t user, const struct secret_hash *codes, unsigned n)
{
    sqlite3_stmt *st = b->prepared[ADD_RECOVERY];
    sql_bind_u64(b->prepared[DROP_RECOVERY], 1, user);
    int error = run(b, DROP_RECOVERY);
    for (unsigned i = 0; i < n && error == 0; i++) {
        sql_bind_u64(st, 1, user);
        bind_hash(st, 2, &codes[i]);
        error = sql_run(st);
    }
    return error;
}

int book_use_recovery(struct book *b, uint64_t user, const struct secret_hash *code)
{
    sql_bind_u64(b->prepared[USE_RECOVERY], 1, user);
    bind_hash(b->prepared[USE_RECOVERY], 2, code);
    return change(b, USE_RECOVERY);
}

int book_count_recovery(struct book *b, uint64_t user, uint64_t *ret)
{
    return count(b, COUNT_RECOVERY, user, ret);
}

/* ---- sessions ---------------------------------------------------------------------------- */

static void read_session(sqlite3_stmt *st, struct book_session *ret)
{
    *ret = (struct book_session){.id = (uint64_t)sqlite3_column_int64(st, 0),
                                 .user = (uint64_t)sqlite3_column_int64(st, 1),
                                 .half = sqlite3_column_int(st, 3) != 0,
                                 .tries = (uint32_t)sqlite3_column_int64(st, 4),
                                 .made = sqlite3_column_int64(st, 5),
                                 .seen = sqlite3_column_int64(st, 6)};
    copy_hash(st, 2, &ret->hash);
    copy_text(st, 7, ret->address, sizeof ret->address);
    copy_text(st, 8, ret->name, sizeof ret->name);
}

static int one_session(sqlite3_stmt *st, struct book_session *ret)
{
    int error = first_row(st);
    if (error) return error;
    read_session(st, ret);
    end_row(st);
    return 0;
}

int book_add_session(struct book *b, const struct book_session *s, uint64_t *ret_id)
{
    sqlite3_stmt *st = b->prepared[ADD_SESSION];
    sql_bind_u64(st, 1, s->user);
    bind_hash(st, 2, &s->hash);
    sql_bind_u64(st, 3, s->half);
    sql_bind_u64(st, 4, s->tries);
    sql_bind_i64(st, 5, s->made);
    sql_bind_i64(st, 6, s->seen);
    sql_bind_text(st, 7, slice_of(s->address));
    return insert(b, ADD_SESSION, ret_id);
}

int book_find_session(struct book *b, const struct secret_hash *hash, struct book_session *ret)
{
    bind_hash(b->prepared[FIND_SESSION], 1, hash);
    return one_session(b->prepared[FIND_SESSION], ret);
}

int book_get_session(struct book *b, uint64_t id, struct book_session *ret)
{
    sql_bind_u64(b->prepared[GET_SESSION], 1, id);
    return one_session(b->prepared[GET_SESSION], ret);
}

int book_put_session(struct book *b, const struct book_session *s)
{
    sqlite3_stmt *st = b->prepared[PUT_SESSION];
    sql_bind_u64(st, 1, s->id);
    sql_bind_i64(st, 2, s->seen);
    sql_bind_u64(st, 3, s->tries);
    return change(b, PUT_SESSION);
}

int book_end_session(struct book *b, uint64_t id)
{
    sql_bind_u64(b->prepared[END_SESSION], 1, id);
    return change(b, END_SESSION);
}

int book_end_sessions(struct book *b, uint64_t user, uint64_t but)
{
    sql_bind_u64(b->prepared[END_SESSIONS], 1, user);
    sql_bind_u64(b->prepared[END_SESSIONS], 2, but);
    return run(b, END_SESSIONS);
}

int book_forget_sessions(struct book *b, int64_t idle, int64_t made, int64_t half)
{
    sqlite3_stmt *st = b->prepared[FORGET_SESSIONS];
    sql_bind_i64(st, 1, idle);
    sql_bind_i64(st, 2, made);
    sql_bind_i64(st, 3, half);
    return sql_run(st);
}

int book_sessions(struct book *b, uint64_t user,
                  bool (*each)(void *ctx, const struct book_session *session), void *ctx)
{
    sqlite3_stmt *st = b->prepared[LIST_SESSIONS];
    struct book_session session;
    int code;
    sql_bind_u64(st, 1, user);
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        read_session(st, &session);
        if (!each(ctx, &session)) break;
    }
    end_row(st);
    return sql_error(code);
}

/* ---- tokens ------------------------------------------------------------------------------ */

static void read_token(sqlite3_stmt *st, struct book_token *ret)
{
    *ret = (struct book_token){.id = (uint64_t)sqlite3_column_int64(st, 0),
                               .user = (uint64_t)sqlite3_column_int64(st, 1),
                               .tenant = (uint32_t)sqlite3_column_int64(st, 3),
                               .rights = (uint64_t)sqlite3_column_int64(st, 4),
                               .made = sqlite3_column_int64(st, 6),
                               .expires = sqlite3_column_int64(st, 7),
                               .used = sqlite3_column_int64(st, 8)};
    copy_hash(st, 2, &ret->hash);
    copy_text(st, 5, ret->label, sizeof ret->label);
    copy_text(st, 9, ret->name, sizeof ret->name);
}

static int one_token(sqlite3_stmt *st, struct book_token *ret)
{
    int error = first_row(st);
    if (error) return error;
    read_token(st, ret);
    end_row(st);
    return 0;
}

int book_add_token(struct book *b, const struct book_token *t, uint64_t *ret_id)
{
    sqlite3_stmt *st = b->prepared[ADD_TOKEN];
    sql_bind_u64(st, 1, t->user);
    bind_hash(st, 2, &t->hash);
    sql_bind_u64(st, 3, t->tenant);
    sql_bind_u64(st, 4, t->rights);
    sql_bind_text(st, 5, slice_of(t->label));
    sql_bind_i64(st, 6, t->made);
    sql_bind_i64(st, 7, t->expires);
    return insert(b, ADD_TOKEN, ret_id);
}

int book_find_token(struct book *b, const struct secret_hash *hash, struct book_token *ret)
{
    bind_hash(b->prepared[FIND_TOKEN], 1, hash);
    return one_token(b->prepared[FIND_TOKEN], ret);
}

int book_get_token(struct book *b, uint64_t id, struct book_token *ret)
{
    sql_bind_u64(b->prepared[GET_TOKEN], 1, id);
    return one_token(b->prepared[GET_TOKEN], ret);
}

int book_use_token(struct book *b, uint64_t id, int64_t now)
{
    sql_bind_u64(b->prepared[USE_TOKEN], 1, id);
    sql_bind_i64(b->prepared[USE_TOKEN], 2, now);
    return change(b, USE_TOKEN);
}

int book_end_token(struct book *b, uint64_t id)
{
    sql_bind_u64(b->prepared[END_TOKEN], 1, id);
    return change(b, END_TOKEN);
}

int book_end_tokens(struct book *b, uint64_t user)
{
    sql_bind_u64(b->prepared[END_TOKENS], 1, user);
    return run(b, END_TOKENS);
}

int book_tokens(struct book *b, uint64_t user,
                bool (*each)(void *ctx, const struct book_token *token), void *ctx)
{
    sqlite3_stmt *st = b->prepared[LIST_TOKENS];
    struct book_token token;
    int code;
    sql_bind_u64(st, 1, user);
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        read_token(st, &token);
        if (!each(ctx, &token)) break;
    }
    end_row(st);
    return sql_error(code);
}

/* ---- pseudonyms -------------------------------------------------------------------------- */

int book_veil_key(struct book *b, struct veil_key *ret)
{
    sqlite3_stmt *st = b->prepared[GET_VEIL_KEY];
    int error = first_row(st);
    if (error) return error;
    struct slice key = sql_blob(st, 0);
    if (key.len != sizeof ret->bytes) error = ERR_CORRUPT;
    else memcpy(ret->bytes, key.ptr, key.len);
    end_row(st);
    return error;
}

int book_keep_name(struct book *b, uint32_t tenant, struct slice pseudonym, struct slice name)
{
    sqlite3_stmt *st = b->prepared[KEEP_NAME];
    sql_bind_u64(st, 1, tenant);
    sql_bind_text(st, 2, pseudonym);
    sql_bind_text(st, 3, name);
    return run(b, KEEP_NAME);
}

int book_find_name(struct book *b, uint32_t tenant, struct slice pseudonym, struct buf *out)
{
    sqlite3_stmt *st = b->prepared[FIND_NAME];
    sql_bind_u64(st, 1, tenant);
    sql_bind_text(st, 2, pseudonym);
    int error = first_row(st);
    if (error) return error;
    buf_put(out, sql_text(st, 0));
    end_row(st);
    return buf_error(out);
}

int book_names(struct book *b, uint32_t tenant, struct slice after, uint32_t limit,
               bool (*each)(void *ctx, struct slice pseudonym, struct slice name), void *ctx)
{
    sqlite3_stmt *st = b->prepared[LIST_NAMES];
    int code;
    sql_bind_u64(st, 1, tenant);
    sql_bind_text(st, 2, after);
    sql_bind_u64(st, 3, limit);
    while ((code = sqlite3_step(st)) == SQLITE_ROW)
        if (!each(ctx, sql_text(st, 0), sql_text(st, 1))) break;
    end_row(st);
    return sql_error(code);
}

int book_lift(struct book *b, uint64_t user, uint32_t tenant, struct slice pseudonym, int64_t until)
{
    sqlite3_stmt *st = b->prepared[LIFT];
    sql_bind_u64(st, 1, user);
    sql_bind_u64(st, 2, tenant);
    sql_bind_text(st, 3, pseudonym);
    sql_bind_i64(st, 4, until);
    return run(b, LIFT);
}

int book_lifted(struct book *b, uint64_t user, uint32_t tenant, struct slice pseudonym,
                int64_t *ret_until)
{
    sqlite3_stmt *st = b->prepared[FIND_LIFT];
    sql_bind_u64(st, 1, user);
    sql_bind_u64(st, 2, tenant);
    sql_bind_text(st, 3, pseudonym);
    int error = first_row(st);
    if (error) return error;
    *ret_until = sqlite3_column_int64(st, 0);
    end_row(st);
    return 0;
}

/* ---- the log ----------------------------------------------------------------------------- */

int book_log(struct book *b, const struct book_entry *e)
{
    sqlite3_stmt *st = b->prepared[LOG];
    sql_bind_i64(st, 1, e->time);
    sql_bind_u64(st, 2, e->tenant);
    sql_bind_text(st, 3, e->actor);
    sql_bind_text(st, 4, e->what);
    sql_bind_text(st, 5, e->subject);
    sql_bind_text(st, 6, e->address);
    sql_bind_text(st, 7, e->reason);
    sql_bind_text(st, 8, e->detail);
    return sql_run(st);
}

int book_entries(struct book *b, uint64_t after, uint32_t limit, struct slice name,
                 bool (*each)(void *ctx, const struct book_entry *entry), void *ctx)
{
    sqlite3_stmt *st = b->prepared[LIST_LOG];
    int code;
    sql_bind_u64(st, 1, after);
    sql_bind_u64(st, 2, limit);
    sql_bind_text(st, 3, name);
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        const struct book_entry entry = {
            .id = (uint64_t)sqlite3_column_int64(st, 0),
            .time = sqlite3_column_int64(st, 1),
            .tenant = (uint32_t)sqlite3_column_int64(st, 2),
            .actor = sql_text(st, 3),
            .what = sql_text(st, 4),
            .subject = sql_text(st, 5),
            .address = sql_text(st, 6),
            .reason = sql_text(st, 7),
            .detail = sql_text(st, 8),
        };
        if (!each(ctx, &entry)) break;
    }
    end_row(st);
    return sql_error(code);
}
