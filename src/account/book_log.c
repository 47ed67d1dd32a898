/* SPDX-License-Identifier: EUPL-1.2 */
/* Whom pseudonyms stand for and who sees it, and the log of all that was done. */
#include "account/book_rows.h"

/* ---- pseudonyms -------------------------------------------------------------------------- */

int book_veil_key(struct book *b, struct veil_key *ret)
{
    struct db_rows rows = db_select(b->db, "SELECT key FROM veil", DB_ALONE);
    int error = book_first(&rows);
    if (error) return error;
    struct slice key = db_get_blob(&rows, 0);
    bool good = key.len == sizeof ret->bytes;
    if (good) memcpy(ret->bytes, key.ptr, key.len);
    error = db_end(&rows);
    return error || good ? error : ERR_CORRUPT;
}

int book_keep_name(struct book *b, uint32_t tenant, struct slice pseudonym, struct slice name)
{
    return db_run(b->db,
                  "INSERT OR IGNORE INTO pseudonym (tenant, pseudonym, name) VALUES (?1, ?2, ?3)",
                  DB_WITH(db_number(tenant), db_text(pseudonym), db_text(name)));
}

int book_find_name(struct book *b, uint32_t tenant, struct slice pseudonym, struct buf *out)
{
    struct db_rows rows =
        db_select(b->db, "SELECT name FROM pseudonym WHERE tenant = ?1 AND pseudonym = ?2",
                  DB_WITH(db_number(tenant), db_text(pseudonym)));
    int error = book_first(&rows);
    if (error) return error;
    buf_put(out, db_get_text(&rows, 0));
    error = db_end(&rows);
    return error ? error : buf_error(out);
}

int book_names(struct book *b, uint32_t tenant, struct slice after, uint32_t limit,
               bool (*each)(void *ctx, struct slice pseudonym, struct slice name), void *ctx)
{
    struct db_rows rows = db_select(b->db,
                                    "SELECT pseudonym, name FROM pseudonym WHERE tenant = ?1"
                                    " AND pseudonym > ?2 ORDER BY pseudonym LIMIT ?3",
                                    DB_WITH(db_number(tenant), db_text(after), db_number(limit)));
    bool more = true;
    while (more && db_next(&rows)) more = each(ctx, db_get_text(&rows, 0), db_get_text(&rows, 1));
    return db_end(&rows);
}

int book_lift(struct book *b, uint64_t user, uint32_t tenant, struct slice pseudonym, int64_t until)
{
    return db_run(b->db,
                  "INSERT INTO lift (user, tenant, pseudonym, until) VALUES (?1, ?2, ?3, ?4)"
                  " ON CONFLICT (user, tenant, pseudonym) DO UPDATE SET until = ?4",
                  DB_WITH(db_u64(user), db_number(tenant), db_text(pseudonym), db_number(until)));
}

int book_lifted(struct book *b, uint64_t user, uint32_t tenant, struct slice pseudonym,
                int64_t *ret_until)
{
    struct db_rows rows = db_select(
        b->db, "SELECT until FROM lift WHERE user = ?1 AND tenant = ?2 AND pseudonym = ?3",
        DB_WITH(db_u64(user), db_number(tenant), db_text(pseudonym)));
    int error = book_first(&rows);
    if (error) return error;
    *ret_until = db_get_number(&rows, 0);
    return db_end(&rows);
}

/* ---- the log ----------------------------------------------------------------------------- */

int book_log(struct book *b, const struct book_entry *e)
{
    return db_run(b->db,
                  "INSERT INTO change (time, tenant, actor, what, subject, address, reason, detail)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                  DB_WITH(db_number(e->time), db_number(e->tenant), db_text(e->actor),
                          db_text(e->what), db_text(e->subject), db_text(e->address),
                          db_text(e->reason), db_text(e->detail)));
}

int book_entries(struct book *b, uint64_t after, uint32_t limit, struct slice name,
                 bool (*each)(void *ctx, const struct book_entry *entry), void *ctx)
{
    struct db_rows rows =
        db_select(b->db,
                  "SELECT id, time, tenant, actor, what, subject, address, reason, detail"
                  " FROM change WHERE id > ?1 AND (?3 = '' OR actor = ?3 OR subject = ?3)"
                  " ORDER BY id LIMIT ?2",
                  DB_WITH(db_u64(after), db_number(limit), db_text(name)));
    bool more = true;
    while (more && db_next(&rows)) {
        const struct book_entry entry = {
            .id = (uint64_t)db_get_number(&rows, 0),
            .time = db_get_number(&rows, 1),
            .tenant = (uint32_t)db_get_number(&rows, 2),
            .actor = db_get_text(&rows, 3),
            .what = db_get_text(&rows, 4),
            .subject = db_get_text(&rows, 5),
            .address = db_get_text(&rows, 6),
            .reason = db_get_text(&rows, 7),
            .detail = db_get_text(&rows, 8),
        };
        more = each(ctx, &entry);
    }
    return db_end(&rows);
}
