/* SPDX-License-Identifier: EUPL-1.2 */
#include "desk/handover.h"

#include "base/json_write.h"
#include "base/time.h"
#include "desk/internal.h"
#include "detect/sigma/doc.h"

/* ---- what is handed over ----------------------------------------------------------------- */

/* What Vaka says of its own pages is no reason for one; its canary pages for itself. */
#define IS_PAGED_FOR "r.rule NOT LIKE 'vaka.page-%' AND r.rule NOT LIKE 'vaka.canary-broken%'"

/* Of the most important asset that it names, whoever that is. */
#define SERVICE                                                                                    \
    "(SELECT a.service FROM incident p JOIN incident_name n ON n.incident = p.id"                  \
    " JOIN asset_name m ON m.tenant = p.tenant AND m.name = n.name JOIN asset a ON a.id = m.asset" \
    " WHERE p.root = i.id AND n.alerts > 0 AND n.bystander = 0 AND a.service <> ''"                \
    " ORDER BY a.importance DESC, a.id LIMIT 1)"

static int hand(struct desk *d, uint64_t root, int64_t level, unsigned why)
{
    int error = db_run(d->db,
                       "INSERT INTO handover (tenant, incident, how, level, why, marks, first,"
                       " detected, service, title) SELECT i.tenant, i.id, 0, ?2, ?3, i.marks,"
                       " coalesce(i.all_first, i.detected), i.detected, coalesce(" SERVICE ", ''),"
                       " json_object('sv', json_text(replace(i.sv, char(10), ' ')),"
                       " 'en', json_text(replace(i.en, char(10), ' ')))"
                       " FROM incident i WHERE i.id = ?1",
                       DB_WITH(db_u64(root), db_number(level), db_number(why)));
    if (error) return error;
    return db_run(d->db, "UPDATE incident SET handed = ?2 WHERE id = ?1",
                  DB_WITH(db_u64(root), db_number(level)));
}

static int worst_level(struct desk *d, uint64_t root, int64_t *ret)
{
    *ret = 0;
    return db_get(d->db,
                  "SELECT coalesce(max(r.level), 0) FROM incident i"
                  " JOIN incident_rule r ON r.incident = i.id"
                  " WHERE i.root = ?1 AND r.alerts > 0 AND " IS_PAGED_FOR,
                  DB_WITH(db_u64(root)), ret);
}

int desk_hand_over(struct desk *d, uint64_t root)
{
    int64_t level, handed = INT64_MAX;
    int error = worst_level(d, root, &level);
    if (error || level == 0) return error;
    error = db_get(d->db, "SELECT handed FROM incident WHERE id = ?1 AND open = 1",
                   DB_WITH(db_u64(root)), &handed);
    if (error || level <= handed) return error;
    return hand(d, root, level, handed ? HANDOVER_RAISED : HANDOVER_NEW);
}

int desk_hand_over_again(struct desk *d, uint64_t root)
{
    int64_t level;
    int error = worst_level(d, root, &level);
    return error || level == 0 ? error : hand(d, root, level, HANDOVER_REOPENED);
}

int desk_hand_settled(struct desk *d, uint64_t id, enum handover_how how, uint64_t into,
                      struct slice who)
{
    return db_run(d->db,
                  "INSERT INTO handover (tenant, incident, how, into_, who)"
                  " SELECT tenant, id, ?2, ?3, ?4 FROM incident WHERE id = ?1 AND handed > 0",
                  DB_WITH(db_u64(id), db_number(how), db_u64(into), db_text(who)));
}

int desk_hand_canary(struct desk *d, uint64_t number, nsec now)
{
    int error =
        db_run(d->db, "DELETE FROM handover WHERE marks = ?1", DB_WITH(db_number(HANDOVER_CANARY)));
    if (error) return error;
    return db_run(d->db,
                  "INSERT INTO handover (tenant, incident, how, level, why, marks, first, detected,"
                  " service, title) VALUES (0, ?1, 0, ?2, ?3, ?4, ?5, ?5, 'vaka', '{}')",
                  DB_WITH(db_u64(number), db_number(LEVEL_CRITICAL), db_number(HANDOVER_NEW),
                          db_number(HANDOVER_CANARY), db_number(now)));
}

int desk_handovers(struct desk *d, uint64_t after,
                   bool (*each)(void *ctx, const struct desk_handover *h), void *ctx)
{
    bool more = true;
    struct db_rows rows =
        db_select(d->db,
                  "SELECT id, tenant, incident, how, level, why, marks, first, detected, service,"
                  " title, into_, who FROM handover WHERE id > ?1 ORDER BY id",
                  DB_WITH(db_u64(after)));
    while (more && db_next(&rows))
        more = each(ctx, &(struct desk_handover){.id = (uint64_t)db_get_number(&rows, 0),
                                                 .tenant = (uint32_t)db_get_number(&rows, 1),
                                                 .incident = (uint64_t)db_get_number(&rows, 2),
                                                 .how = (unsigned)db_get_number(&rows, 3),
                                                 .level = (unsigned)db_get_number(&rows, 4),
                                                 .why = (unsigned)db_get_number(&rows, 5),
                                                 .marks = (unsigned)db_get_number(&rows, 6),
                                                 .first_activity = db_get_number(&rows, 7),
                                                 .detected = db_get_number(&rows, 8),
                                                 .service = db_get_text(&rows, 9),
                                                 .title = db_get_text(&rows, 10),
                                                 .into = (uint64_t)db_get_number(&rows, 11),
                                                 .who = db_get_text(&rows, 12)});
    return db_end(&rows);
}

int desk_handed_over(struct desk *d, uint64_t id)
{
    return db_run(d->db, "DELETE FROM handover WHERE id = ?1", DB_WITH(db_u64(id)));
}

/* ---- what comes back --------------------------------------------------------------------- */

#define PAGED_KEPT (400 * INT64_C(24) * 3600 * NSEC_PER_SEC)

/* False in *ret_new: it came before. Numbers alone would not tell, when the other side's file is a
 * new one. */
static int note_paged(struct desk *d, const struct desk_paged *m, bool *ret_new)
{
    int error =
        db_run(d->db,
               "INSERT OR IGNORE INTO paged (id, incident, what, time)"
               " VALUES (?1, ?2, ?3, ?4)",
               DB_WITH(db_u64(m->id), db_u64(m->incident), db_number(m->what), db_number(m->time)));
    *ret_new = error == 0 && db_changed(d->db) > 0;
    if (error || !*ret_new) return error;
    return db_run(d->db, "DELETE FROM paged WHERE time < ?1",
                  DB_WITH(db_number(m->time - PAGED_KEPT)));
}

/* Of itself, and of what it became part of meanwhile. */
static int set_times(struct desk *d, const struct desk_paged *m)
{
    const struct db_value values[] = {db_u64(m->incident), db_number(m->time), db_text(m->who)};
    if (m->what == PAGED_NOTIFIED)
        return db_run(d->db,
                      "UPDATE incident SET notified = coalesce(notified, ?2) WHERE id = ?1 OR id ="
                      " (SELECT root FROM incident WHERE id = ?1)",
                      values, 2);
    if (m->what != PAGED_ACKED) return 0;
    return db_run(d->db,
                  "UPDATE incident SET acked = coalesce(acked, ?2),"
                  " assignee = coalesce(assignee, ?3) WHERE id = ?1 OR id ="
                  " (SELECT root FROM incident WHERE id = ?1)",
                  values, 3);
}

static int log_paged(struct desk *d, const struct desk_paged *m, nsec now)
{
    static const char *const kinds[PAGED_END] = {[PAGED_NOTIFIED] = "notified",
                                                 [PAGED_ACKED] = "ack",
                                                 [PAGED_ESCALATED] = "escalated",
                                                 [PAGED_EXHAUSTED] = "page_loud"};
    buf_clear(&d->log);
    buf_puts(&d->log, "{\"at\":\"");
    time_write_rfc3339(&d->log, m->time);
    buf_puts(&d->log, "\",\"page\":true");
    if (m->who.len && m->what != PAGED_ACKED) json_write_member_string(&d->log, "who", m->who);
    buf_putc(&d->log, '}');
    const struct desk_change change = {.tenant = m->tenant,
                                       .incident = m->incident,
                                       .now = now,
                                       .actor = m->what == PAGED_ACKED && m->who.len ? m->who
                                                                                     : DESK_VAKA,
                                       .kind = slice_of(kinds[m->what]),
                                       .body = buf_slice(&d->log)};
    return buf_failed(&d->log) ? buf_error(&d->log) : desk_log(d, &change);
}

int desk_take_paged(struct desk *d, const struct desk_paged *m, nsec now)
{
    struct desk_row row;
    bool found = false, is_new = false;
    if (m->what == 0 || m->what >= PAGED_END) return 0;
    int error = desk_row_load(d, m->incident, &row, &found);
    if (error || !found || row.tenant != m->tenant) return error;
    error = note_paged(d, m, &is_new);
    if (error || !is_new) return error;
    error = set_times(d, m);
    return error ? error : log_paged(d, m, now);
}
