/* SPDX-License-Identifier: EUPL-1.2 */
/* What people prove with who they are: sessions and tokens. */
#include "account/book_rows.h"

#define SESSION_COLUMNS                                                                            \
    "session.id, user, hash, half, tries, session.made, seen, address, name FROM session"          \
    " JOIN user ON user.id = user"
#define TOKEN_COLUMNS                                                                              \
    "token.id, user, hash, tenant, rights, label, token.made, expires, used, name FROM token"      \
    " JOIN user ON user.id = user"

/* ---- sessions ---------------------------------------------------------------------------- */

static void read_session(const struct db_rows *rows, struct book_session *ret)
{
    *ret = (struct book_session){.id = (uint64_t)db_get_number(rows, 0),
                                 .user = (uint64_t)db_get_number(rows, 1),
                                 .hash = book_get_hash(rows, 2),
                                 .half = db_get_number(rows, 3) != 0,
                                 .tries = (uint32_t)db_get_number(rows, 4),
                                 .made = db_get_number(rows, 5),
                                 .seen = db_get_number(rows, 6)};
    book_copy_text(rows, 7, ret->address, sizeof ret->address);
    book_copy_text(rows, 8, ret->name, sizeof ret->name);
}

static int one_session(struct db_rows rows, struct book_session *ret)
{
    int error = book_first(&rows);
    if (error) return error;
    read_session(&rows, ret);
    return db_end(&rows);
}

int book_add_session(struct book *b, const struct book_session *s, uint64_t *ret_id)
{
    return book_insert(b,
                       "INSERT INTO session (user, hash, half, tries, made, seen, address)"
                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
                       DB_WITH(db_u64(s->user), book_hash(&s->hash), db_number(s->half),
                               db_number(s->tries), db_number(s->made), db_number(s->seen),
                               db_text(slice_of(s->address))),
                       ret_id);
}

int book_find_session(struct book *b, const struct secret_hash *hash, struct book_session *ret)
{
    return one_session(
        db_select(b->db, "SELECT " SESSION_COLUMNS " WHERE hash = ?1", DB_WITH(book_hash(hash))),
        ret);
}

int book_get_session(struct book *b, uint64_t id, struct book_session *ret)
{
    return one_session(
        db_select(b->db, "SELECT " SESSION_COLUMNS " WHERE session.id = ?1", DB_WITH(db_u64(id))),
        ret);
}

int book_put_session(struct book *b, const struct book_session *s)
{
    return book_change(b, "UPDATE session SET seen = ?2, tries = ?3 WHERE id = ?1",
                       DB_WITH(db_u64(s->id), db_number(s->seen), db_number(s->tries)));
}

int book_end_session(struct book *b, uint64_t id)
{
    return book_change(b, "DELETE FROM session WHERE id = ?1", DB_WITH(db_u64(id)));
}

int book_end_sessions(struct book *b, uint64_t user, uint64_t but)
{
    return db_run(b->db, "DELETE FROM session WHERE user = ?1 AND id <> ?2",
                  DB_WITH(db_u64(user), db_u64(but)));
}

int book_forget_sessions(struct book *b, int64_t idle, int64_t made, int64_t half)
{
    return db_run(b->db,
                  "DELETE FROM session WHERE seen <= ?1 OR made <= ?2 OR (half = 1 AND made <= ?3)",
                  DB_WITH(db_number(idle), db_number(made), db_number(half)));
}

int book_sessions(struct book *b, uint64_t user,
                  bool (*each)(void *ctx, const struct book_session *session), void *ctx)
{
    struct db_rows rows = db_select(b->db,
                                    "SELECT " SESSION_COLUMNS
                                    " WHERE half = 0 AND (?1 = 0 OR user = ?1) ORDER BY session.id",
                                    DB_WITH(db_u64(user)));
    struct book_session session;
    bool more = true;
    while (more && db_next(&rows)) {
        read_session(&rows, &session);
        more = each(ctx, &session);
    }
    return db_end(&rows);
}

/* ---- tokens ------------------------------------------------------------------------------ */

static void read_token(const struct db_rows *rows, struct book_token *ret)
{
    *ret = (struct book_token){.id = (uint64_t)db_get_number(rows, 0),
                               .user = (uint64_t)db_get_number(rows, 1),
                               .hash = book_get_hash(rows, 2),
                               .tenant = (uint32_t)db_get_number(rows, 3),
                               .rights = (uint64_t)db_get_number(rows, 4),
                               .made = db_get_number(rows, 6),
                               .expires = db_get_number(rows, 7),
                               .used = db_get_number(rows, 8)};
    book_copy_text(rows, 5, ret->label, sizeof ret->label);
    book_copy_text(rows, 9, ret->name, sizeof ret->name);
}

static int one_token(struct db_rows rows, struct book_token *ret)
{
    int error = book_first(&rows);
    if (error) return error;
    read_token(&rows, ret);
    return db_end(&rows);
}

int book_add_token(struct book *b, const struct book_token *t, uint64_t *ret_id)
{
    return book_insert(b,
                       "INSERT INTO token (user, hash, tenant, rights, label, made, expires, used)"
                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0) ON CONFLICT DO NOTHING",
                       DB_WITH(db_u64(t->user), book_hash(&t->hash), db_number(t->tenant),
                               db_u64(t->rights), db_text(slice_of(t->label)), db_number(t->made),
                               db_number(t->expires)),
                       ret_id);
}

int book_find_token(struct book *b, const struct secret_hash *hash, struct book_token *ret)
{
    return one_token(
        db_select(b->db, "SELECT " TOKEN_COLUMNS " WHERE hash = ?1", DB_WITH(book_hash(hash))),
        ret);
}

int book_get_token(struct book *b, uint64_t id, struct book_token *ret)
{
    return one_token(
        db_select(b->db, "SELECT " TOKEN_COLUMNS " WHERE token.id = ?1", DB_WITH(db_u64(id))), ret);
}

int book_use_token(struct book *b, uint64_t id, int64_t now)
{
    return book_change(b, "UPDATE token SET used = ?2 WHERE id = ?1",
                       DB_WITH(db_u64(id), db_number(now)));
}

int book_end_token(struct book *b, uint64_t id)
{
    return book_change(b, "DELETE FROM token WHERE id = ?1", DB_WITH(db_u64(id)));
}

int book_end_tokens(struct book *b, uint64_t user)
{
    return db_run(b->db, "DELETE FROM token WHERE user = ?1", DB_WITH(db_u64(user)));
}

int book_tokens(struct book *b, uint64_t user,
                bool (*each)(void *ctx, const struct book_token *token), void *ctx)
{
    struct db_rows rows =
        db_select(b->db, "SELECT " TOKEN_COLUMNS " WHERE ?1 = 0 OR user = ?1 ORDER BY token.id",
                  DB_WITH(db_u64(user)));
    struct book_token token;
    bool more = true;
    while (more && db_next(&rows)) {
        read_token(&rows, &token);
        more = each(ctx, &token);
    }
    return db_end(&rows);
}
