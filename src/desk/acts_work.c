/* SPDX-License-Identifier: EUPL-1.2 */
/* Acts of the daily work: who has it, what is said and to be done, and how it ends. */
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/time.h"
#include "desk/internal.h"

/* A column of the incident's row, kept as long as the act. */
static int get_text(struct desk *d, struct act *a, const char *statement, struct slice *ret)
{
    struct db_rows rows = db_select(d->db, statement, DB_WITH(db_u64(a->row.id)));
    *ret = SLICE_NONE;
    if (db_next(&rows)) *ret = arena_dup(&a->body.texts, db_get_text(&rows, 0));
    int error = db_end(&rows);
    return error ? error : arena_error(&a->body.texts);
}

/* ---- times that are set once ------------------------------------------------------------- */

/* By the name of the act: reads it, sets it, takes it back. */
static const struct {
    const char *kind, *get, *set, *unset;
} times[] = {
    {"ack", "SELECT acked FROM incident WHERE id = ?1",
     "UPDATE incident SET acked = ?2 WHERE id = ?1",
     "UPDATE incident SET acked = NULL WHERE id = ?1"},
    {"triage", "SELECT triaged FROM incident WHERE id = ?1",
     "UPDATE incident SET triaged = ?2 WHERE id = ?1",
     "UPDATE incident SET triaged = NULL WHERE id = ?1"},
    {"contain", "SELECT contained FROM incident WHERE id = ?1",
     "UPDATE incident SET contained = ?2 WHERE id = ?1",
     "UPDATE incident SET contained = NULL WHERE id = ?1"},
    {"aware", "SELECT aware FROM incident WHERE id = ?1",
     "UPDATE incident SET aware = ?2, aware_by = ?3 WHERE id = ?1",
     "UPDATE incident SET aware = NULL, aware_by = NULL WHERE id = ?1"},
};

static size_t time_of(struct slice kind)
{
    size_t i = 0;
    while (!slice_eq(kind, slice_of(times[i].kind))) i++;
    return i;
}

static int set_time(struct desk *d, struct act *a)
{
    const size_t which = time_of(a->request->kind);
    int64_t before = INT64_MIN;
    nsec at = body_time(&a->body, "at", a->request->now);
    if (!body_end(&a->body)) return 0;
    int error = db_get(d->db, times[which].get, DB_WITH(db_u64(a->row.id)), &before);
    if (error) return error;
    if (before != 0 && before != INT64_MIN)
        return act_refuse(a, DESK_CONFLICT, "incident", "this was said already");
    act_log_time(a, "at", at);
    const bool aware = slice_eq(a->request->kind, SLICE("aware"));
    const struct db_value values[] = {db_u64(a->row.id), db_number(at), db_text(a->request->actor)};
    error = db_run(d->db, times[which].set, values, aware ? 3 : 2);
    if (error || aware) return error;
    return desk_hand_settled(d, a->row.id, HANDOVER_ACKED, 0, a->request->actor);
}

int desk_act_triage(struct desk *d, struct act *a)
{
    return set_time(d, a);
}

int desk_act_contain(struct desk *d, struct act *a)
{
    return set_time(d, a);
}

int desk_act_aware(struct desk *d, struct act *a)
{
    return set_time(d, a);
}

/* Who acknowledges an incident that nobody has, has it. */
int desk_act_ack(struct desk *d, struct act *a)
{
    int error = set_time(d, a);
    if (error || a->status != DESK_DONE || a->body.member) return error;
    return db_run(d->db, "UPDATE incident SET assignee = coalesce(assignee, ?2) WHERE id = ?1",
                  DB_WITH(db_u64(a->row.id), db_text(a->request->actor)));
}

int desk_undo_time(struct desk *d, struct act *a, struct slice body)
{
    struct slice kind = SLICE_NONE, value;
    (void)body;
    if (json_find_member(buf_slice(&a->log), "kind", NULL, &value))
        (void)json_string_inside(value, &kind);
    int error = db_run(d->db, times[time_of(kind)].unset, DB_WITH(db_u64(a->row.id)));
    /* Nobody has it any more. */
    if (error || !slice_eq(kind, SLICE("ack")) || a->row.closed) return error;
    return desk_hand_over_again(d, a->row.id);
}

/* ---- who has it -------------------------------------------------------------------------- */

static int set_assignee(struct desk *d, const struct act *a, struct slice to)
{
    return db_run(d->db, "UPDATE incident SET assignee = ?2 WHERE id = ?1",
                  DB_WITH(db_u64(a->row.id), db_text_or_null(to)));
}

int desk_act_assign(struct desk *d, struct act *a)
{
    struct slice before, to = body_text(&a->body, "to", DESK_WORD_MAX, false);
    if (!body_has(&a->body, "to")) body_wrong(&a->body, "to", "this member is missing");
    if (!body_end(&a->body)) return 0;
    int error = get_text(d, a, "SELECT assignee FROM incident WHERE id = ?1", &before);
    act_log_text(a, "to", to);
    act_log_text(a, "before", before);
    return error ? error : set_assignee(d, a, to);
}

int desk_undo_assign(struct desk *d, struct act *a, struct slice body)
{
    struct slice value, before = SLICE_NONE;
    buf_clear(&d->text);
    if (json_find_member(body, "before", NULL, &value) && json_string_text(value, &d->text))
        before = buf_slice(&d->text);
    return set_assignee(d, a, before);
}

/* ---- what is said and to be done ----------------------------------------------------------- */

int desk_act_note(struct desk *d, struct act *a)
{
    struct slice text = body_text(&a->body, "text", DESK_TEXT_MAX, true);
    uint64_t instead = body_number(&a->body, "instead", false);
    int64_t found = 1;
    if (!body_end(&a->body)) return 0;
    int error = instead
                    ? db_get(d->db,
                             "SELECT count(*) FROM change c JOIN incident i ON i.id = c.incident"
                             " WHERE c.number = ?1 AND c.kind = 'note' AND i.root = ?2",
                             DB_WITH(db_u64(instead), db_u64(a->row.id)), &found)
                    : 0;
    if (error) return error;
    if (!found) return act_refuse(a, DESK_NOT_FOUND, "instead", "the incident has no such note");
    json_write_member_string(&a->log, "text", text);
    if (instead) json_write_member_u64(&a->log, "instead", instead);
    return 0;
}

int desk_act_task(struct desk *d, struct act *a)
{
    struct slice text = body_text(&a->body, "text", DESK_TEXT_MAX, true);
    struct slice owner = body_text(&a->body, "owner", DESK_WORD_MAX, false);
    if (!body_end(&a->body)) return 0;
    int error = db_run(d->db,
                       "INSERT INTO task (tenant, incident, text, owner, made)"
                       " VALUES (?1, ?2, ?3, ?4, ?5)",
                       DB_WITH(db_number(a->request->tenant), db_u64(a->row.id), db_text(text),
                               db_text_or_null(owner), db_number(a->request->now)));
    json_write_member_u64(&a->log, "task", db_inserted(d->db));
    json_write_member_string(&a->log, "text", text);
    act_log_text(a, "owner", owner);
    return error;
}

int desk_act_task_done(struct desk *d, struct act *a)
{
    uint64_t task = body_number(&a->body, "task", true);
    if (!body_end(&a->body)) return 0;
    int error = db_run(d->db,
                       "UPDATE task SET done = ?3, done_by = ?4 WHERE id = ?1 AND done IS NULL"
                       " AND incident IN (SELECT id FROM incident WHERE root = ?2)",
                       DB_WITH(db_u64(task), db_u64(a->row.id), db_number(a->request->now),
                               db_text(a->request->actor)));
    if (error) return error;
    if (db_changed(d->db) == 0)
        return act_refuse(a, DESK_NOT_FOUND, "task",
                          "the incident has no task %llu that is not done",
                          (unsigned long long)task);
    json_write_member_u64(&a->log, "task", task);
    return 0;
}

static bool is_sha256(struct slice text)
{
    return text.len == 64 && strspn(text.ptr, "0123456789abcdef") >= 64;
}

/* Records by their numbers, as the store keeps and `vaka export evidence` takes them. */
int desk_act_evidence(struct desk *d, struct act *a)
{
    uint64_t first = body_sequence(&a->body, "first"), last = body_sequence(&a->body, "last");
    struct slice sha256 = body_text(&a->body, "sha256", 64, false);
    struct slice text = body_text(&a->body, "text", DESK_TEXT_MAX, true);
    if (!a->body.member && last < first) body_wrong(&a->body, "last", "this is before the first");
    if (!a->body.member && sha256.len && !is_sha256(sha256))
        body_wrong(&a->body, "sha256", "this is no SHA-256 in lower case");
    if (!body_end(&a->body)) return 0;
    int error = db_run(d->db,
                       "INSERT INTO evidence (tenant, incident, first, last, sha256, text, taken,"
                       " taken_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                       DB_WITH(db_number(a->request->tenant), db_u64(a->row.id), db_u64(first),
                               db_u64(last), db_text_or_null(sha256), db_text(text),
                               db_number(a->request->now), db_text(a->request->actor)));
    json_write_member_u64(&a->log, "evidence", db_inserted(d->db));
    json_write_member_u64(&a->log, "first", first);
    json_write_member_u64(&a->log, "last", last);
    act_log_text(a, "sha256", sha256);
    return error;
}

/* ---- how it ends ------------------------------------------------------------------------- */

static bool is_disposition(struct slice word)
{
    static const char *const words[] = {"true_positive", "benign", "false_positive",
                                        "undetermined"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_eq(word, slice_of(words[i]))) return true;
    return false;
}

static int set_closed(struct desk *d, struct act *a, nsec at, struct slice disposition,
                      struct slice why)
{
    int error =
        db_run(d->db,
               "UPDATE incident SET open = 0, closed = ?2, disposition = ?3, why = ?4,"
               " triaged = coalesce(triaged, ?2) WHERE id = ?1",
               DB_WITH(db_u64(a->row.id), db_number(at), db_text(disposition), db_text(why)));
    if (error == 0) error = desk_hand_settled(d, a->row.id, HANDOVER_CLOSED, 0, a->request->actor);
    return error ? error : desk_row_tell(d, a->row.id);
}

/* What it was closed as is in the log, to be told, and to be undone. */
static int set_open(struct desk *d, struct act *a)
{
    struct slice disposition = SLICE_NONE, why = SLICE_NONE;
    int64_t closed = 0;
    int error = get_text(d, a, "SELECT disposition FROM incident WHERE id = ?1", &disposition);
    if (error == 0) error = get_text(d, a, "SELECT why FROM incident WHERE id = ?1", &why);
    if (error == 0)
        error = db_get(d->db, "SELECT closed FROM incident WHERE id = ?1",
                       DB_WITH(db_u64(a->row.id)), &closed);
    act_log_time(a, "closed", closed);
    json_write_member_string(&a->log, "disposition", disposition);
    json_write_member_string(&a->log, "closed_why", why);
    if (error == 0)
        error = db_run(d->db,
                       "UPDATE incident SET open = 1, closed = NULL, disposition = NULL, why = NULL"
                       " WHERE id = ?1",
                       DB_WITH(db_u64(a->row.id)));
    if (error == 0) error = desk_hand_over_again(d, a->row.id);
    return error ? error : desk_row_tell(d, a->row.id);
}

int desk_act_close(struct desk *d, struct act *a)
{
    struct slice disposition = body_text(&a->body, "disposition", DESK_WORD_MAX, true);
    a->why = body_text(&a->body, "why", DESK_TEXT_MAX, true);
    if (!a->body.member && !is_disposition(disposition))
        body_wrong(&a->body, "disposition",
                   "this is none of true_positive, benign, false_positive, undetermined");
    if (!body_end(&a->body)) return 0;
    json_write_member_string(&a->log, "disposition", disposition);
    return set_closed(d, a, a->request->now, disposition, a->why);
}

int desk_act_reopen(struct desk *d, struct act *a)
{
    a->why = body_text(&a->body, "why", DESK_TEXT_MAX, true);
    return body_end(&a->body) ? set_open(d, a) : 0;
}

int desk_undo_close(struct desk *d, struct act *a, struct slice body)
{
    (void)body;
    if (!a->row.closed) return act_refuse(a, DESK_CONFLICT, "change", "the incident is open");
    return set_open(d, a);
}

int desk_undo_reopen(struct desk *d, struct act *a, struct slice body)
{
    struct slice value, disposition = SLICE_NONE;
    nsec closed = a->request->now;
    if (a->row.closed) return act_refuse(a, DESK_CONFLICT, "change", "the incident is closed");
    if (json_find_member(body, "closed", NULL, &value) && json_string_inside(value, &value))
        (void)time_parse(value, 0, &closed);
    if (json_find_member(body, "disposition", NULL, &value))
        (void)json_string_inside(value, &disposition);
    buf_clear(&d->text);
    if (json_find_member(body, "closed_why", NULL, &value) && !json_string_text(value, &d->text))
        buf_clear(&d->text);
    return set_closed(d, a, closed, disposition, buf_slice(&d->text));
}
