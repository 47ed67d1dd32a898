/* SPDX-License-Identifier: EUPL-1.2 */
#include "state/internal.h"

/* ---- what correlations were told --------------------------------------------------------- */

int state_add_tuple(struct state *s, const struct state_tuple *t)
{
    return db_run(
        s->db, "INSERT INTO tuple (tenant, rule, names, time, body) VALUES (0, ?1, ?2, ?3, ?4)",
        DB_WITH(db_text(t->rule), db_u64(t->names), db_number(t->time), db_blob(t->body)));
}

int state_forget_tuples(struct state *s, nsec time, uint64_t most)
{
    int error = db_run(s->db, "DELETE FROM tuple WHERE time < ?1", DB_WITH(db_number(time)));
    if (error) return error;
    return db_run(s->db, "DELETE FROM tuple WHERE id <= (SELECT max(id) FROM tuple) - ?1",
                  DB_WITH(db_u64(most)));
}

int state_tuples(struct state *s, uint64_t after, uint32_t limit,
                 bool (*each)(void *ctx, const struct state_tuple *tuple), void *ctx)
{
    struct db_rows rows = db_select(s->db,
                                    "SELECT id, rule, names, time, body FROM tuple WHERE id > ?1"
                                    " ORDER BY id LIMIT ?2",
                                    DB_WITH(db_u64(after), db_u64(limit)));
    while (db_next(&rows)) {
        struct state_tuple t = {
            .id = (uint64_t)db_get_number(&rows, 0),
            .rule = db_get_text(&rows, 1),
            .names = (uint64_t)db_get_number(&rows, 2),
            .time = db_get_number(&rows, 3),
            .body = db_get_blob(&rows, 4),
        };
        if (!each(ctx, &t)) break;
    }
    return db_end(&rows);
}

int state_correlated(struct state *s, nsec *ret_time)
{
    *ret_time = 0;
    return db_get(s->db, "SELECT time FROM correlated WHERE tenant = 0", DB_ALONE, ret_time);
}

int state_set_correlated(struct state *s, nsec time)
{
    return db_run(s->db,
                  "INSERT INTO correlated (tenant, time) VALUES (0, ?1)"
                  " ON CONFLICT (tenant) DO UPDATE SET time = ?1",
                  DB_WITH(db_number(time)));
}

/* ---- records that are left out ----------------------------------------------------------- */

int state_add_quarantined(struct state *s, uint64_t seq, uint64_t most)
{
    int error = db_run(s->db, "INSERT OR IGNORE INTO quarantined (tenant, seq) VALUES (0, ?1)",
                       DB_WITH(db_u64(seq)));
    if (error) return error;
    return db_run(s->db,
                  "DELETE FROM quarantined WHERE id NOT IN"
                  " (SELECT id FROM quarantined ORDER BY id DESC LIMIT ?1)",
                  DB_WITH(db_u64(most)));
}

int state_quarantined(struct state *s, uint64_t *ret, uint32_t max, uint32_t *ret_n)
{
    struct db_rows rows =
        db_select(s->db,
                  "SELECT seq FROM (SELECT id, seq FROM quarantined ORDER BY id DESC LIMIT ?1)"
                  " ORDER BY seq",
                  DB_WITH(db_u64(max)));
    uint32_t n = 0;
    while (n < max && db_next(&rows)) ret[n++] = (uint64_t)db_get_number(&rows, 0);
    int error = db_end(&rows);
    if (error == 0) *ret_n = n;
    return error;
}
