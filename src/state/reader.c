/* SPDX-License-Identifier: EUPL-1.2 */
#include "state/reader.h"

#include "state/internal.h"

/* *ret_last (may be NULL) becomes the id of the last row. */
static int tell(struct db_rows rows, bool (*each)(void *ctx, const struct state_alert *alert),
                void *ctx, uint32_t *ret_n, uint64_t *ret_last)
{
    uint32_t n = 0;
    while (db_next(&rows)) {
        const struct state_alert a = state_alert_row(&rows);
        n++;
        if (ret_last) *ret_last = a.id;
        if (!each(ctx, &a)) break;
    }
    if (ret_n) *ret_n = n;
    return db_end(&rows);
}

int state_read_last(struct db *db, uint64_t *ret)
{
    int64_t id = 0;
    int error = db_get(db, "SELECT coalesce(max(id), 0) FROM alert", DB_ALONE, &id);
    if (error == 0) *ret = (uint64_t)id;
    return error;
}

int state_read_older(struct db *db, const struct state_page *page, uint64_t *ret_next,
                     bool (*each)(void *ctx, const struct state_alert *alert), void *ctx)
{
    uint64_t newest = 0, last = 0;
    uint32_t n = 0;
    int error = state_read_last(db, &newest);
    if (error) return error;
    uint64_t before = page->before <= newest ? page->before : newest + 1;
    uint64_t from = before > STATE_LOOKED ? before - STATE_LOOKED : 0;
    struct db_rows rows = db_select(
        db,
        "SELECT " STATE_ALERT_COLUMNS " FROM alert WHERE id < ?1 AND id >= ?2 AND tenant = ?3"
        " AND level >= ?4 AND (?5 = '' OR rule = ?5) ORDER BY id DESC LIMIT ?6",
        DB_WITH(db_u64(before), db_u64(from), db_u64(page->tenant), db_number(page->level),
                db_text(page->rule), db_u64(page->limit)));
    error = tell(rows, each, ctx, &n, &last);
    if (error) return error;
    uint64_t next = n == page->limit ? last : from;
    *ret_next = next > 1 ? next : 0;
    return 0;
}

int state_read_newer(struct db *db, const struct state_page *page,
                     bool (*each)(void *ctx, const struct state_alert *alert), void *ctx)
{
    struct db_rows rows = db_select(
        db,
        "SELECT " STATE_ALERT_COLUMNS " FROM alert WHERE id > ?1 AND tenant = ?2 ORDER BY id"
        " LIMIT ?3",
        DB_WITH(db_u64(page->after), db_u64(page->tenant), db_u64(page->limit)));
    return tell(rows, each, ctx, NULL, NULL);
}

int state_read_alert(struct db *db, uint32_t tenant, uint64_t id,
                     bool (*each)(void *ctx, const struct state_alert *alert), void *ctx)
{
    struct db_rows rows =
        db_select(db, "SELECT " STATE_ALERT_COLUMNS " FROM alert WHERE id = ?1 AND tenant = ?2",
                  DB_WITH(db_u64(id), db_u64(tenant)));
    return tell(rows, each, ctx, NULL, NULL);
}
