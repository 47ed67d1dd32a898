/* SPDX-License-Identifier: EUPL-1.2 */
/* Acts that the law asks about: what may be written here, and what its clocks begin with. */
#include "base/json_write.h"
#include "desk/internal.h"

int desk_set_protected(struct desk *d, struct act *a, int value)
{
    return db_run(d->db, "UPDATE incident SET protected = ?2, protected_by = ?3 WHERE id = ?1",
                  DB_WITH(db_u64(a->row.id), db_number(value), db_text(a->request->actor)));
}

int desk_act_protect(struct desk *d, struct act *a)
{
    int concerns = body_bool(&a->body, "concerns", true);
    if (!body_end(&a->body)) return 0;
    json_write_key(&a->log, "concerns");
    buf_puts(&a->log, concerns ? "true" : "false");
    return desk_set_protected(d, a, concerns);
}

/* What was judged, and when: a judgement of later takes the place of one before, which the log has.
 */
static int judge(struct desk *d, struct act *a, const char *statement)
{
    int value = body_bool(&a->body, "value", true);
    nsec at = body_time(&a->body, "at", a->request->now);
    a->why = body_text(&a->body, "why", DESK_TEXT_MAX, true);
    if (!body_end(&a->body)) return 0;
    json_write_key(&a->log, "value");
    buf_puts(&a->log, value ? "true" : "false");
    act_log_time(a, "at", at);
    return db_run(
        d->db, statement,
        DB_WITH(db_u64(a->row.id), db_number(value), db_number(at), db_text(a->request->actor)));
}

int desk_act_significant(struct desk *d, struct act *a)
{
    return judge(d, a,
                 "UPDATE incident SET significant = ?2, significant_at = ?3, significant_by = ?4"
                 " WHERE id = ?1");
}

int desk_act_breach(struct desk *d, struct act *a)
{
    return judge(d, a,
                 "UPDATE incident SET breach = ?2, breach_at = ?3, breach_by = ?4 WHERE id = ?1");
}

/* A report was sent: its clock stops, and that of the next may begin. */
int desk_act_report(struct desk *d, struct act *a)
{
    struct slice clock = body_text(&a->body, "clock", DESK_WORD_MAX, true);
    struct slice reference = body_text(&a->body, "reference", DESK_WORD_MAX, false);
    nsec at = body_time(&a->body, "at", a->request->now);
    int64_t before = 0;
    if (!a->body.member && !slice_is_plain(clock, "-_"))
        body_wrong(&a->body, "clock", "this is no name of a clock");
    if (!body_end(&a->body)) return 0;
    int error = db_get(d->db,
                       "SELECT count(*) FROM change WHERE incident = ?1 AND kind = 'report'"
                       " AND json_extract(body, '$.clock') = ?2",
                       DB_WITH(db_u64(a->row.id), db_text(clock)), &before);
    if (error) return error;
    if (before) return act_refuse(a, DESK_CONFLICT, "clock", "this report was sent already");
    json_write_member_string(&a->log, "clock", clock);
    act_log_time(a, "at", at);
    json_write_member_string(&a->log, "reference", reference);
    return 0;
}
