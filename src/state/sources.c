/* SPDX-License-Identifier: EUPL-1.2 */
#include "state/internal.h"

int state_put_health(struct state *s, struct slice source, struct slice saved)
{
    return db_run(s->db,
                  "INSERT INTO health (tenant, source, saved) VALUES (0, ?1, ?2)"
                  " ON CONFLICT (tenant, source) DO UPDATE SET saved = ?2",
                  DB_WITH(db_text(source), db_blob(saved)));
}

int state_drop_health(struct state *s, struct slice source)
{
    return db_run(s->db, "DELETE FROM health WHERE tenant = 0 AND source = ?1",
                  DB_WITH(db_text(source)));
}

int state_health(struct state *s, bool (*each)(void *ctx, struct slice source, struct slice saved),
                 void *ctx)
{
    struct db_rows rows =
        db_select(s->db, "SELECT source, saved FROM health WHERE tenant = 0", DB_ALONE);
    while (db_next(&rows) && each(ctx, db_get_text(&rows, 0), db_get_blob(&rows, 1))) {
    }
    return db_end(&rows);
}
