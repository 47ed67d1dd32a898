/* SPDX-License-Identifier: EUPL-1.2 */
#include "state/internal.h"

int state_find_alike(struct state *s, const struct state_alert *a, nsec alike, uint64_t *ret_id,
                     uint64_t *ret_incident, uint64_t *ret_suppression)
{
    nsec since;
    if (__builtin_sub_overflow(a->received, alike, &since)) since = INT64_MIN;
    struct db_rows rows = db_select(
        s->db,
        "SELECT id, incident, suppression FROM alert WHERE rule = ?1 AND entity = ?2"
        " AND last_received >= ?3 AND marks = ?4 ORDER BY last_received DESC LIMIT 1",
        DB_WITH(db_text(a->rule), db_text(a->entity), db_number(since), db_number(a->marks)));
    *ret_id = *ret_incident = *ret_suppression = 0;
    if (db_next(&rows)) {
        *ret_id = (uint64_t)db_get_number(&rows, 0);
        *ret_incident = (uint64_t)db_get_number(&rows, 1);
        *ret_suppression = (uint64_t)db_get_number(&rows, 2);
    }
    return db_end(&rows);
}

int state_count_alike(struct state *s, uint64_t id, const struct state_alert *a)
{
    return db_run(
        s->db,
        "UPDATE alert SET count = count + ?2, last_seq = max(last_seq, ?3),"
        " last_received = max(last_received, ?4) WHERE id = ?1",
        DB_WITH(db_u64(id), db_u64(a->count), db_u64(a->last_seq), db_number(a->last_received)));
}

int state_add_alert(struct state *s, const struct state_alert *a, uint64_t *ret_id)
{
    int error =
        db_run(s->db,
               "INSERT INTO alert (tenant, seq, last_seq, count, level, time, received,"
               " last_received, rule, title, host, entity, line, incident, suppression, marks)"
               " VALUES (0, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, nullif(?13, 0),"
               " nullif(?14, 0), ?15)",
               DB_WITH(db_u64(a->seq), db_u64(a->last_seq), db_u64(a->count), db_number(a->level),
                       db_time(a->time), db_number(a->received), db_number(a->last_received),
                       db_text(a->rule), db_text(a->title), db_text(a->host), db_text(a->entity),
                       db_text(a->line), db_u64(a->incident), db_u64(a->suppression),
                       db_number(a->marks)));
    if (error == 0) *ret_id = db_inserted(s->db);
    return error;
}

struct state_alert state_alert_row(const struct db_rows *rows)
{
    return (struct state_alert){
        .id = (uint64_t)db_get_number(rows, 0),
        .seq = (uint64_t)db_get_number(rows, 1),
        .last_seq = (uint64_t)db_get_number(rows, 2),
        .count = (uint64_t)db_get_number(rows, 3),
        .level = (unsigned)db_get_number(rows, 4),
        .time = db_get_time(rows, 5),
        .received = db_get_number(rows, 6),
        .last_received = db_get_number(rows, 7),
        .rule = db_get_text(rows, 8),
        .title = db_get_text(rows, 9),
        .host = db_get_text(rows, 10),
        .entity = db_get_text(rows, 11),
        .line = db_get_text(rows, 12),
        .incident = (uint64_t)db_get_number(rows, 13),
        .marks = (unsigned)db_get_number(rows, 14),
    };
}

int state_alerts(struct state *s, uint64_t after, uint32_t limit,
                 bool (*each)(void *ctx, const struct state_alert *alert), void *ctx)
{
    struct db_rows rows = db_select(
        s->db, "SELECT " STATE_ALERT_COLUMNS " FROM alert WHERE id > ?1 ORDER BY id LIMIT ?2",
        DB_WITH(db_u64(after), db_u64(limit)));
    while (db_next(&rows)) {
        struct state_alert a = state_alert_row(&rows);
        if (!each(ctx, &a)) break;
    }
    return db_end(&rows);
}

int state_last_alert(struct state *s, uint64_t *ret_id)
{
    int64_t id = 0;
    int error = db_get(s->db, "SELECT coalesce(max(id), 0) FROM alert", DB_ALONE, &id);
    if (error == 0) *ret_id = (uint64_t)id;
    return error;
}

int state_count_alerts(struct state *s, uint64_t *ret_alerts, uint64_t *ret_records)
{
    struct db_rows rows =
        db_select(s->db, "SELECT count(*), coalesce(sum(count), 0) FROM alert", DB_ALONE);
    if (db_next(&rows)) {
        *ret_alerts = (uint64_t)db_get_number(&rows, 0);
        *ret_records = (uint64_t)db_get_number(&rows, 1);
    }
    return db_end(&rows);
}
