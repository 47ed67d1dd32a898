/* SPDX-License-Identifier: EUPL-1.2 */
/* Acts that say what belongs together. */
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/time.h"
#include "desk/internal.h"
#include "detect/sigma/doc.h"

/* ---- merging ----------------------------------------------------------------------------- */

static int join(struct desk *d, uint64_t id, uint64_t into)
{
    bool new_rule;
    int error = desk_row_join(d, id, into, &new_rule);
    return error ? error : desk_row_judge(d, into);
}

int desk_act_merge(struct desk *d, struct act *a)
{
    struct desk_row other;
    bool found;
    uint64_t with = body_number(&a->body, "with", true);
    a->why = body_text(&a->body, "why", DESK_TEXT_MAX, false);
    if (!body_end(&a->body)) return 0;
    int error = desk_row_load(d, with, &other, &found);
    if (error) return error;
    if (!found || other.tenant != a->row.tenant)
        return act_refuse(a, DESK_NOT_FOUND, "with", "there is no incident %llu",
                          (unsigned long long)with);
    if (with == a->row.id)
        return act_refuse(a, DESK_CONFLICT, "with", "an incident cannot be part of itself");
    if (other.part_of)
        return act_refuse(a, DESK_CONFLICT, "with", "it is part of incident %llu",
                          (unsigned long long)other.root);
    if (other.closed)
        return act_refuse(a, DESK_CONFLICT, "with",
                          "it is closed; reopen it first, so that its end is not lost");
    json_write_member_u64(&a->log, "with", with);
    return join(d, with, a->row.id);
}

int desk_undo_merge(struct desk *d, struct act *a, struct slice body)
{
    struct desk_row other;
    bool found;
    uint64_t with = json_member_u64(body, "with");
    int error = desk_row_load(d, with, &other, &found);
    if (error) return error;
    if (!found || other.part_of != a->row.id)
        return act_refuse(a, DESK_CONFLICT, "change", "it is not part of this incident any more");
    /* By itself again, it waits for somebody again. */
    error = db_run(d->db, "UPDATE incident SET handed = 0 WHERE id = ?1 AND acked IS NULL",
                   DB_WITH(db_u64(with)));
    return error ? error : desk_row_part(d, with, a->row.id);
}

/* ---- splitting --------------------------------------------------------------------------- */

static int make_incident(struct desk *d, const struct act *a, uint64_t id)
{
    return db_run(d->db,
                  "INSERT INTO incident (id, tenant, root, apart, rule, begun, detected, version,"
                  " changed, protected, protected_by, marks, handed)"
                  " SELECT ?2, tenant, ?2, 1, '', ?3, ?3, 0, 0, protected, protected_by, marks,"
                  " CASE WHEN acked IS NULL THEN 0 ELSE ?4 END FROM incident WHERE id = ?1",
                  DB_WITH(db_u64(a->row.id), db_u64(id), db_number(a->request->now),
                          db_number(LEVEL_CRITICAL)));
}

/* The alert, if the incident or a part of it has it; texts live as long as the act. */
static int load_alert(struct desk *d, struct act *a, uint64_t id, struct state_alert *ret)
{
    struct db_rows rows =
        db_select(d->db,
                  "SELECT a.id, a.incident, a.count, a.level, a.time, a.received, a.rule, a.title,"
                  " a.line, a.marks FROM alert a JOIN incident i ON i.id = a.incident"
                  " WHERE a.id = ?1 AND i.root = ?2",
                  DB_WITH(db_u64(id), db_u64(a->row.id)));
    *ret = (struct state_alert){0};
    if (db_next(&rows))
        *ret = (struct state_alert){.id = id,
                                    .incident = (uint64_t)db_get_number(&rows, 1),
                                    .count = (uint64_t)db_get_number(&rows, 2),
                                    .level = (unsigned)db_get_number(&rows, 3),
                                    .time = db_get_time(&rows, 4),
                                    .received = db_get_number(&rows, 5),
                                    .rule = arena_dup(&a->body.texts, db_get_text(&rows, 6)),
                                    .title = arena_dup(&a->body.texts, db_get_text(&rows, 7)),
                                    .line = arena_dup(&a->body.texts, db_get_text(&rows, 8)),
                                    .marks = (unsigned)db_get_number(&rows, 9)};
    return db_end(&rows);
}

/* Own numbers of it and its parts, from the alerts that each has. */
static int count_own(struct desk *d, uint64_t root)
{
    return db_run(d->db,
                  "UPDATE incident SET (alerts, records, first, last) = (SELECT count(*),"
                  " coalesce(sum(a.count), 0), min(coalesce(a.time, a.received)),"
                  " max(coalesce(a.time, a.received)) FROM alert a WHERE a.incident = incident.id)"
                  " WHERE root = ?1",
                  DB_WITH(db_u64(root)));
}

/* What only the alerts that went name leads to where they are now. */
static int lead_names(struct desk *d, uint64_t to, const struct act *a)
{
    struct db_rows rows =
        db_select(d->db,
                  "SELECT n.name, n.last, n.kind FROM incident_name n WHERE n.incident = ?1"
                  " AND n.bystander = 0 AND NOT EXISTS (SELECT 1 FROM incident i"
                  " JOIN incident_name o ON o.incident = i.id WHERE i.root = ?2"
                  " AND o.name = n.name AND o.alerts > 0 AND o.bystander = 0) ORDER BY n.kind",
                  DB_WITH(db_u64(to), db_u64(a->row.id)));
    while (db_next(&rows))
        grouping_lead(d->grouping, (enum name_kind)db_get_number(&rows, 2), db_get_text(&rows, 0),
                      to, db_get_number(&rows, 1));
    return db_end(&rows);
}

static int move_alert(struct desk *d, struct act *a, uint64_t id, uint64_t to, const char *comma)
{
    struct state_alert alert;
    bool is_new;
    int error = load_alert(d, a, id, &alert);
    if (error) return error;
    if (alert.incident == 0)
        return act_refuse(a, DESK_NOT_FOUND, "alerts", "the incident has no alert %llu",
                          (unsigned long long)id);
    error = arena_error(&a->body.texts);
    if (error == 0) error = desk_read_facts(d, &alert);
    if (error == 0) error = desk_tally(d, alert.incident, &alert, d->facts.time, -1, &is_new);
    if (error == 0) error = desk_tally(d, to, &alert, d->facts.time, 1, &is_new);
    if (error == 0)
        error = db_run(d->db, "UPDATE alert SET incident = ?2 WHERE id = ?1",
                       DB_WITH(db_u64(id), db_u64(to)));
    buf_printf(&a->log, "%s[%llu,%llu]", comma, (unsigned long long)id,
               (unsigned long long)alert.incident);
    return error;
}

static int begin_log(struct desk *d, const struct act *a, uint64_t id)
{
    buf_clear(&d->log);
    buf_putc(&d->log, '{');
    json_write_member_u64(&d->log, "split_from", a->row.id);
    buf_putc(&d->log, '}');
    const struct desk_change change = {.tenant = a->request->tenant,
                                       .incident = id,
                                       .now = a->request->now,
                                       .actor = a->request->actor,
                                       .kind = SLICE("begin"),
                                       .why = a->why,
                                       .body = buf_slice(&d->log)};
    return buf_failed(&d->log) ? buf_error(&d->log) : desk_log(d, &change);
}

/* Both stay apart from now on. */
static int settle(struct desk *d, struct act *a, uint64_t made)
{
    const uint64_t both[] = {a->row.id, made};
    int error =
        db_run(d->db, "UPDATE incident SET apart = 1 WHERE id = ?1", DB_WITH(db_u64(a->row.id)));
    for (size_t i = 0; i < 2 && error == 0; i++) {
        error = count_own(d, both[i]);
        if (error == 0) error = desk_row_tell(d, both[i]);
        if (error == 0) error = desk_row_sum(d, both[i]);
        if (error == 0) error = desk_row_judge(d, both[i]);
    }
    return error ? error : lead_names(d, made, a);
}

int desk_act_split(struct desk *d, struct act *a)
{
    uint64_t ids[DESK_LIST_MAX];
    uint32_t n = body_numbers(&a->body, "alerts", ids, DESK_LIST_MAX);
    a->why = body_text(&a->body, "why", DESK_TEXT_MAX, false);
    if (!body_end(&a->body)) return 0;
    uint64_t made = grouping_begin(d->grouping);
    int error = make_incident(d, a, made);
    json_write_member_u64(&a->log, "made", made);
    json_write_key(&a->log, "alerts");
    buf_putc(&a->log, '[');
    for (uint32_t i = 0; i < n && error == 0 && a->status == DESK_DONE; i++)
        error = move_alert(d, a, ids[i], made, i ? "," : "");
    buf_putc(&a->log, ']');
    if (error || a->status != DESK_DONE) return error;
    int64_t left = 0;
    error = db_get(d->db,
                   "SELECT EXISTS (SELECT 1 FROM incident i JOIN alert a ON a.incident = i.id"
                   " WHERE i.root = ?1)",
                   DB_WITH(db_u64(a->row.id)), &left);
    if (error) return error;
    if (left == 0)
        return act_refuse(a, DESK_CONFLICT, "alerts", "these are all that the incident has");
    a->show = made;
    error = begin_log(d, a, made);
    return error ? error : settle(d, a, made);
}

/* What was split off becomes part of it: what it got since comes with it. */
int desk_undo_split(struct desk *d, struct act *a, struct slice body)
{
    struct desk_row made;
    bool found;
    int error = desk_row_load(d, json_member_u64(body, "made"), &made, &found);
    if (error) return error;
    if (!found || made.part_of || made.closed)
        return act_refuse(a, DESK_CONFLICT, "change", "what was split off is closed or merged");
    error = db_run(d->db, "UPDATE incident SET apart = 0 WHERE id = ?1 OR id = ?2",
                   DB_WITH(db_u64(made.id), db_u64(a->row.id)));
    if (error == 0) error = join(d, made.id, a->row.id);
    return error ? error : desk_row_tell(d, a->row.id);
}
