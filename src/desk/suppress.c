/* SPDX-License-Identifier: EUPL-1.2 */
/* Alerts that somebody answers for keeping out of incidents, for a while and with a reason. */
#include "base/json_write.h"
#include "base/time.h"
#include "desk/internal.h"

enum { DAYS_MAX = 366 };

int desk_load_suppressions(struct desk *d)
{
    d->suppressions = 0;
    return db_get(d->db, "SELECT count(*) FROM suppression WHERE ended IS NULL", DB_ALONE,
                  &d->suppressions);
}

static bool is_named(const struct desk *d, struct slice name)
{
    for (uint32_t i = 0; i < d->facts.n_names; i++)
        if (slice_eq(d->facts.names[i].text, name)) return true;
    return false;
}

int desk_find_suppression(struct desk *d, const struct state_alert *a, nsec now, uint64_t *ret)
{
    *ret = 0;
    if (d->suppressions == 0) return 0;
    struct db_rows rows =
        db_select(d->db,
                  "SELECT id, name FROM suppression WHERE tenant = 0 AND ended IS NULL"
                  " AND expires > ?2 AND (rule IS NULL OR rule = ?1) ORDER BY id",
                  DB_WITH(db_text(a->rule), db_number(now)));
    while (*ret == 0 && db_next(&rows))
        if (db_is_null(&rows, 1) || is_named(d, db_get_text(&rows, 1)))
            *ret = (uint64_t)db_get_number(&rows, 0);
    return db_end(&rows);
}

int desk_count_suppressed(struct desk *d, uint64_t id, uint64_t alerts, const struct state_alert *a)
{
    return db_run(
        d->db,
        "UPDATE suppression SET alerts = alerts + ?2, records = records + ?3, last = ?4"
        " WHERE id = ?1",
        DB_WITH(db_u64(id), db_u64(alerts), db_u64(a->count), db_number(a->last_received)));
}

int desk_is_suppressing(struct desk *d, uint64_t id, nsec now, bool *ret)
{
    int64_t active = 0;
    int error =
        db_get(d->db, "SELECT ended IS NULL AND expires > ?2 FROM suppression WHERE id = ?1",
               DB_WITH(db_u64(id), db_number(now)), &active);
    *ret = active != 0;
    return error;
}

/* ---- acts -------------------------------------------------------------------------------- */

int desk_act_suppress(struct desk *d, struct act *a)
{
    const nsec now = a->request->now;
    struct slice rule = body_text(&a->body, "rule", DESK_WORD_MAX, false);
    struct slice said = body_text(&a->body, "name", NAME_MAX_BYTES, false);
    struct slice owner = body_text(&a->body, "owner", DESK_WORD_MAX, true);
    nsec expires = body_time_to_come(&a->body, "expires", now);
    a->why = body_text(&a->body, "why", DESK_TEXT_MAX, true);
    buf_clear(&d->text);
    if (said.len) name_write_said(&d->text, said);
    struct slice name = buf_slice(&d->text);
    if (!a->body.member && rule.len == 0 && said.len == 0)
        body_wrong(&a->body, "rule", "neither a rule nor a name is said");
    if (!a->body.member && said.len && name.len == 0)
        body_wrong(&a->body, "name", "this is nobody's name: many have it");
    if (!a->body.member && expires - now > DAYS_MAX * 24 * 3600 * NSEC_PER_SEC)
        body_wrong(&a->body, "expires", "this is later than in a year");
    if (!body_end(&a->body)) return 0;
    int error = db_run(d->db,
                       "INSERT INTO suppression (tenant, rule, name, owner, why, made, made_by,"
                       " expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                       DB_WITH(db_number(a->request->tenant), db_text_or_null(rule),
                               db_text_or_null(name), db_text(owner), db_text(a->why),
                               db_number(now), db_text(a->request->actor), db_number(expires)));
    json_write_member_u64(&a->log, "suppression", db_inserted(d->db));
    act_log_text(a, "rule", rule);
    act_log_text(a, "name", name);
    json_write_member_string(&a->log, "owner", owner);
    act_log_time(a, "expires", expires);
    return error ? error : desk_load_suppressions(d);
}

int desk_act_unsuppress(struct desk *d, struct act *a)
{
    uint64_t id = body_number(&a->body, "suppression", true);
    a->why = body_text(&a->body, "why", DESK_TEXT_MAX, false);
    if (!body_end(&a->body)) return 0;
    int error = db_run(d->db,
                       "UPDATE suppression SET ended = ?3, ended_by = ?4 WHERE id = ?1"
                       " AND tenant = ?2 AND ended IS NULL",
                       DB_WITH(db_u64(id), db_number(a->request->tenant),
                               db_number(a->request->now), db_text(a->request->actor)));
    if (error) return error;
    if (db_changed(d->db) == 0)
        return act_refuse(a, DESK_NOT_FOUND, "suppression", "there is no suppression %llu in force",
                          (unsigned long long)id);
    json_write_member_u64(&a->log, "suppression", id);
    return desk_load_suppressions(d);
}
