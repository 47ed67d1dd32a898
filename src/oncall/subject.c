/* SPDX-License-Identifier: EUPL-1.2 */
/* Incidents as they were told: what the plan says of them, and whether somebody has them. */
#include <stdlib.h>

#include "oncall/internal.h"

int subject_load(struct oncall *o, uint64_t id, struct subject *ret, bool *ret_found)
{
    struct db_rows rows =
        db_select(o->db,
                  "SELECT id, origin, tenant, incident, level, marks, service, title, state, page"
                  " FROM subject WHERE id = ?1",
                  DB_WITH(db_u64(id)));
    *ret_found = db_next(&rows);
    if (*ret_found)
        *ret = (struct subject){.id = (uint64_t)db_get_number(&rows, 0),
                                .origin = (unsigned)db_get_number(&rows, 1),
                                .tenant = (uint32_t)db_get_number(&rows, 2),
                                .incident = (uint64_t)db_get_number(&rows, 3),
                                .level = (unsigned)db_get_number(&rows, 4),
                                .marks = (unsigned)db_get_number(&rows, 5),
                                .service = keep(o, db_get_text(&rows, 6)),
                                .title = keep(o, db_get_text(&rows, 7)),
                                .state = (unsigned)db_get_number(&rows, 8),
                                .page = (uint64_t)db_get_number(&rows, 9)};
    return db_end(&rows);
}

static int find(struct oncall *o, unsigned origin, uint32_t tenant, uint64_t incident,
                uint64_t *ret)
{
    int64_t id = 0;
    int error =
        db_get(o->db, "SELECT id FROM subject WHERE origin = ?1 AND tenant = ?2 AND incident = ?3",
               DB_WITH(db_number(origin), db_number(tenant), db_u64(incident)), &id);
    *ret = (uint64_t)id;
    return error;
}

static int set_state(struct oncall *o, uint64_t id, enum subject_state state)
{
    return db_run(o->db, "UPDATE subject SET state = ?2 WHERE id = ?1",
                  DB_WITH(db_u64(id), db_number(state)));
}

/* ---- judging ----------------------------------------------------------------------------- */

static int wait_until(struct oncall *o, uint64_t id, nsec until)
{
    int error = db_run(o->db, "UPDATE subject SET state = ?2, until = ?3 WHERE id = ?1",
                       DB_WITH(db_u64(id), db_number(SUBJECT_WAITS), db_number(until)));
    nsec left = until > o->t.real ? until - o->t.real : 0;
    return error ? error : deadline_set(o, DEADLINE_JUDGE, id, o->now + left);
}

static int page_it(struct oncall *o, struct subject *s, const struct roster_policy *policy)
{
    if (s->state == SUBJECT_PAGED) return page_raise(o, s, policy);
    return page_add(o, s, policy);
}

int subject_judge(struct oncall *o, uint64_t id, bool asked)
{
    struct subject s;
    struct verdict verdict;
    bool found;
    int error = subject_load(o, id, &s, &found);
    if (error || !found || s.state == SUBJECT_SETTLED) return error;
    plan_judge(o, &s, asked, &verdict);
    if (verdict.kind == VERDICT_PAGE) return page_it(o, &s, verdict.policy);
    if (s.state == SUBJECT_PAGED) return 0;
    if (verdict.kind == VERDICT_WAIT) return wait_until(o, id, verdict.until);
    return set_state(o, id, verdict.kind == VERDICT_NEVER ? SUBJECT_NEVER : SUBJECT_UNPLANNED);
}

int subject_judge_waiting(struct oncall *o)
{
    struct numbers ids = {0};
    int error = 0;
    struct db_rows rows = db_select(
        o->db, "SELECT id FROM subject WHERE state IN (?1, ?2, ?3)",
        DB_WITH(db_number(SUBJECT_NEW), db_number(SUBJECT_WAITS), db_number(SUBJECT_UNPLANNED)));
    while (error == 0 && db_next(&rows))
        error = numbers_add(&ids, (uint64_t)db_get_number(&rows, 0));
    int ended = db_end(&rows);
    if (error == 0) error = ended;
    for (size_t i = 0; i < ids.n && error == 0; i++) {
        error = deadline_drop(o, DEADLINE_JUDGE, ids.of[i]);
        if (error == 0) error = subject_judge(o, ids.of[i], false);
    }
    free(ids.of);
    return error;
}

/* ---- handed over ------------------------------------------------------------------------- */

/* False in *ret_new: it came before. */
static int note_handover(struct oncall *o, unsigned origin, const struct oncall_page *m,
                         bool *ret_new)
{
    int error =
        db_run(o->db,
               "INSERT OR IGNORE INTO handover (origin, id, tenant, incident, why,"
               " detected, taken) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
               DB_WITH(db_number(origin), db_u64(m->id), db_number(m->tenant), db_u64(m->incident),
                       db_number(m->why), db_number(m->detected), db_number(o->now)));
    *ret_new = error == 0 && db_changed(o->db) > 0;
    return error;
}

/* What was settled before is open again by this. */
static int keep_subject(struct oncall *o, unsigned origin, const struct oncall_page *m,
                        uint64_t *ret)
{
    const struct db_value values[] = {
        db_number(origin),      db_number(m->tenant),      db_u64(m->incident),
        db_number(m->level),    db_number(m->marks),       db_text(m->service),
        db_text(m->title),      db_number(m->detected),    db_number(o->t.real),
        db_number(SUBJECT_NEW), db_number(SUBJECT_SETTLED)};
    int error = db_run(o->db,
                       "INSERT INTO subject (origin, tenant, incident, level, marks, service,"
                       " title, detected, taken, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
                       " ?9, ?10) ON CONFLICT (origin, tenant, incident) DO UPDATE SET level = ?4,"
                       " marks = ?5, service = ?6, title = ?7, taken = ?9, settled_by = NULL,"
                       " state = CASE state WHEN ?11 THEN ?10 ELSE state END",
                       values, sizeof values / sizeof *values);
    return error ? error : find(o, origin, m->tenant, m->incident, ret);
}

int subject_take(struct oncall *o, const struct oncall_page *m)
{
    const unsigned origin = m->canary ? ORIGIN_CANARY : ORIGIN_TRIAGE;
    bool is_new = false;
    uint64_t id = 0;
    int error = note_handover(o, origin, m, &is_new);
    if (error || !is_new) return error;
    if (m->marks & ONCALL_CANARY) return page_canary(o, m);
    error = keep_subject(o, origin, m, &id);
    if (error == 0) error = deadline_drop(o, DEADLINE_JUDGE, id);
    return error ? error : subject_judge(o, id, m->why == HANDOVER_ASKED);
}

/* ---- settled ----------------------------------------------------------------------------- */

static int settle(struct oncall *o, const struct subject *s, struct slice who, bool acked)
{
    int error = db_run(o->db, "UPDATE subject SET state = ?2, settled_by = ?3 WHERE id = ?1",
                       DB_WITH(db_u64(s->id), db_number(SUBJECT_SETTLED), db_text(who)));
    if (error == 0) error = deadline_drop(o, DEADLINE_JUDGE, s->id);
    if (error || s->state != SUBJECT_PAGED) return error;
    error = db_run(o->db,
                   "UPDATE page_incident SET settled = ?3, settled_by = ?4"
                   " WHERE page = ?1 AND subject = ?2 AND settled IS NULL",
                   DB_WITH(db_u64(s->page), db_u64(s->id), db_number(o->t.real), db_text(who)));
    if (error == 0) error = event_add(o, s->page, "settled", who, SLICE_NONE);
    if (error == 0 && acked) error = rest_disturb(o, who, who);
    return error ? error : page_check_settled(o, s->page, who, acked);
}

/*
 * What it became part of is as good as told of when it is on a page, waits or is in somebody's
 * hands. Else it takes its place.
 */
static int replace(struct oncall *o, const struct subject *s, uint64_t into)
{
    const struct oncall_page m = {.tenant = s->tenant,
                                  .incident = into,
                                  .level = s->level,
                                  .marks = s->marks,
                                  .service = s->service,
                                  .title = s->title,
                                  .detected = o->t.real};
    struct subject other = {.state = SUBJECT_NEW};
    bool found = false;
    uint64_t id = 0;
    int error = find(o, s->origin, s->tenant, into, &id);
    if (error == 0 && id) error = subject_load(o, id, &other, &found);
    if (error || (found && other.state != SUBJECT_NEVER)) return error;
    error = keep_subject(o, s->origin, &m, &id);
    return error ? error : subject_judge(o, id, s->state == SUBJECT_PAGED);
}

int subject_take_settled(struct oncall *o, const struct oncall_settled *m)
{
    struct subject s;
    bool found = false;
    uint64_t id = 0;
    const uint64_t incident = m->canary ? m->into : m->incident;
    int error = find(o, m->canary ? ORIGIN_CANARY : ORIGIN_TRIAGE, m->tenant, incident, &id);
    if (error == 0 && id) error = subject_load(o, id, &s, &found);
    if (error || !found || s.state == SUBJECT_SETTLED) return error;
    /* The one that takes its place first: a page that has it does not end and begin again. */
    if (m->how == HANDOVER_MERGED && m->into && !m->canary &&
        (s.state == SUBJECT_PAGED || s.state == SUBJECT_WAITS))
        error = replace(o, &s, m->into);
    return error ? error : settle(o, &s, m->who, m->how == HANDOVER_ACKED);
}
