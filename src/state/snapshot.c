/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "state/internal.h"

struct state_snapshot {
    struct db *db; /* in a transaction that reads: it sees nothing that is committed later */
};

static int tell(const struct db *db, int error, const char *path, struct diag *diag)
{
    return error ? diag_set(diag, error, NULL, 0, 0, "%s: %s", path, db_trouble(db)) : 0;
}

/* The first statement that reads is where the transaction begins. */
static int begin_reading(struct db *db, uint64_t *ret_next)
{
    int64_t next = 0;
    int error = db_run(db, "BEGIN", DB_ALONE);
    if (error == 0)
        error = db_get(db, "SELECT next FROM matched WHERE tenant = 0", DB_ALONE, &next);
    *ret_next = (uint64_t)next;
    return error;
}

/* Version 0: who makes it has not come so far. */
static bool is_empty(struct db *db)
{
    int64_t version = -1;
    return db_get(db, "PRAGMA user_version", DB_ALONE, &version) == 0 && version == 0;
}

int state_peek_matched(const char *path, uint64_t *ret_next, struct diag *diag)
{
    struct db *db = NULL;
    struct stat st;
    uint64_t next = 0;
    /* One that has nothing in it yet is left to who makes it. */
    if (stat(path, &st) == 0 ? st.st_size == 0 : errno == ENOENT) {
        *ret_next = 0;
        return 0;
    }
    int error = db_open_reader(path, &db, diag);
    if (error) return error;
    error = begin_reading(db, &next);
    error = error && is_empty(db) ? 0 : tell(db, error, path, diag);
    db_close(db);
    if (error == 0) *ret_next = next;
    return error;
}

int state_snapshot_open(const char *path, struct state_snapshot **ret, uint64_t *ret_next,
                        struct diag *diag)
{
    struct state_snapshot *s = calloc(1, sizeof *s);
    uint64_t next = 0;
    if (!s) return ERR_NOMEM;
    int error = db_open_reader(path, &s->db, diag);
    if (error == 0) error = tell(s->db, begin_reading(s->db, &next), path, diag);
    if (error) {
        state_snapshot_close(s);
        return error;
    }
    *ret = s;
    *ret_next = next;
    return 0;
}

int state_snapshot_rules(struct state_snapshot *s,
                         bool (*each)(void *ctx, const struct state_rule *rule), void *ctx,
                         struct diag *diag)
{
    struct db_rows rows = db_select(
        s->db, "SELECT rule, count(*), sum(count), max(last_received) FROM alert GROUP BY rule",
        DB_ALONE);
    while (db_next(&rows)) {
        const struct state_rule rule = {.rule = db_get_text(&rows, 0),
                                        .alerts = (uint64_t)db_get_number(&rows, 1),
                                        .records = (uint64_t)db_get_number(&rows, 2),
                                        .last = db_get_number(&rows, 3)};
        if (!each(ctx, &rule)) break;
    }
    return tell(s->db, db_end(&rows), "alerts", diag);
}

int state_snapshot_write(struct state_snapshot *s, const char *path, struct diag *diag)
{
    return db_copy(s->db, path, diag);
}

void state_snapshot_close(struct state_snapshot *s)
{
    if (!s) return;
    db_close(s->db);
    free(s);
}
