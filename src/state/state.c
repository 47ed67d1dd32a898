/* SPDX-License-Identifier: EUPL-1.2 */
#include "state/state.h"

#include <stdlib.h>

#include "state/internal.h"

int state_begin(struct state *s)
{
    return db_run(s->db, "BEGIN IMMEDIATE", DB_ALONE);
}

int state_commit(struct state *s)
{
    return db_run(s->db, "COMMIT", DB_ALONE);
}

void state_rollback(struct state *s)
{
    db_rollback(s->db);
}

int state_matched(struct state *s, uint64_t *ret_next)
{
    int64_t next = 0;
    int error = db_get(s->db, "SELECT next FROM matched WHERE tenant = 0", DB_ALONE, &next);
    *ret_next = (uint64_t)next;
    return error;
}

int state_set_matched(struct state *s, uint64_t next)
{
    return db_run(s->db,
                  "INSERT INTO matched (tenant, next) VALUES (0, ?1)"
                  " ON CONFLICT (tenant) DO UPDATE SET next = ?1",
                  DB_WITH(db_u64(next)));
}

/* ---- opening ----------------------------------------------------------------------------- */

int state_open(const char *path, struct state **ret, struct diag *diag)
{
    struct state *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    int error = db_open(path, state_migrations, STATE_VERSION, &s->db, diag);
    if (error) free(s);
    else *ret = s;
    return error;
}

struct db *state_db(struct state *s)
{
    return s->db;
}

void state_close(struct state *s)
{
    if (!s) return;
    db_close(s->db);
    free(s);
}
