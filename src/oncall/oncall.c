/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Its life, its clock and its transactions.
 *
 * The room's clock is the later of two: the machine's, and what it was last with the time that has
 * passed since by the monotonic one. So a clock that is set back delays nothing, one that is set
 * forward makes things due, and after a start it goes on where it was.
 */
#include "oncall/oncall.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json_write.h"
#include "oncall/internal.h"

enum { SCRATCH_MAX = 64 * 1024 * 1024, TEXT_MAX = 1024 * 1024, TOLD_AT_ONCE = 1000 };
#define TIDY_EVERY (24 * 60 * 60 * NSEC_PER_SEC)

/* ---- time and transactions --------------------------------------------------------------- */

static void set_time(struct oncall *o, struct oncall_time t)
{
    nsec passed = o->latest + (t.monotonic - o->latest_monotonic);
    o->t = t;
    o->now = passed > t.real ? passed : t.real;
    o->latest = o->now;
    o->latest_monotonic = t.monotonic;
}

static int begin(struct oncall *o, struct oncall_time t)
{
    set_time(o, t);
    arena_reset(&o->scratch);
    o->sends.n = 0;
    o->n_alarms = 0;
    return db_run(o->db, "BEGIN IMMEDIATE", DB_ALONE);
}

static int let_out_told(struct oncall *o)
{
    struct db_rows rows =
        db_select(o->db,
                  "SELECT id, tenant, incident, what, time, who FROM told WHERE id > ?1"
                  " ORDER BY id LIMIT ?2",
                  DB_WITH(db_u64(o->told), db_number(TOLD_AT_ONCE)));
    while (o->triage && db_next(&rows)) {
        const struct oncall_paged m = {.id = (uint64_t)db_get_number(&rows, 0),
                                       .tenant = (uint32_t)db_get_number(&rows, 1),
                                       .incident = (uint64_t)db_get_number(&rows, 2),
                                       .what = (unsigned)db_get_number(&rows, 3),
                                       .time = db_get_number(&rows, 4),
                                       .who = db_get_text(&rows, 5)};
        o->out.paged(o->out.ctx, &m);
        o->told = m.id;
    }
    return db_end(&rows);
}

static void let_out_alarms(struct oncall *o)
{
    for (size_t i = 0; i < o->n_alarms; i++) {
        char text[80];
        int n = snprintf(text, sizeof text, "page %llu", (unsigned long long)o->alarms[i].page);
        o->out.alarm(o->out.ctx, o->alarms[i].event, slice_make(text, n > 0 ? (size_t)n : 0));
    }
}

/* Commits, and lets out what came of it; or drops it all. */
static int finish(struct oncall *o, int error)
{
    o->has_next = false;
    if (error == 0) error = arena_error(&o->scratch);
    if (error == 0)
        error = db_run(o->db, "UPDATE moment SET latest = ?1", DB_WITH(db_number(o->latest)));
    if (error == 0) error = db_run(o->db, "COMMIT", DB_ALONE);
    if (error) {
        db_rollback(o->db);
        return error;
    }
    for (size_t i = 0; i < o->sends.n && error == 0; i++)
        error = news_is(o->sends.of[i]) ? news_let_out(o, o->sends.of[i])
                                        : attempt_let_out(o, o->sends.of[i]);
    if (error == 0 && o->triage) error = let_out_told(o);
    let_out_alarms(o);
    return error;
}

int numbers_add(struct numbers *list, uint64_t value)
{
    if (list->n == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 64;
        uint64_t *of = realloc(list->of, cap * sizeof *of);
        if (!of) return ERR_NOMEM;
        list->of = of;
        list->cap = cap;
    }
    list->of[list->n++] = value;
    return 0;
}

struct slice keep(struct oncall *o, struct slice text)
{
    return arena_dup(&o->scratch, text);
}

void alarm_add(struct oncall *o, const char *event, uint64_t page)
{
    if (o->n_alarms == sizeof o->alarms / sizeof *o->alarms) return;
    o->alarms[o->n_alarms].event = event;
    o->alarms[o->n_alarms++].page = page;
}

/* ---- rows that everything has ------------------------------------------------------------ */

int deadline_set(struct oncall *o, enum deadline_kind kind, uint64_t id, nsec due)
{
    return db_run(o->db,
                  "INSERT INTO deadline (kind, id, due) VALUES (?1, ?2, ?3)"
                  " ON CONFLICT (kind, id) DO UPDATE SET due = ?3",
                  DB_WITH(db_number(kind), db_u64(id), db_number(due)));
}

int deadline_drop(struct oncall *o, enum deadline_kind kind, uint64_t id)
{
    return db_run(o->db, "DELETE FROM deadline WHERE kind = ?1 AND id = ?2",
                  DB_WITH(db_number(kind), db_u64(id)));
}

int event_add(struct oncall *o, uint64_t page, const char *kind, struct slice who,
              struct slice text)
{
    return db_run(o->db,
                  "INSERT INTO event (page, time, kind, who, text) VALUES (?1, ?2, ?3, ?4, ?5)",
                  DB_WITH(db_u64(page), db_number(o->t.real), db_text(slice_of(kind)), db_text(who),
                          db_text(text)));
}

int told_add(struct oncall *o, uint64_t page, unsigned what, struct slice who)
{
    return db_run(o->db,
                  "INSERT INTO told (tenant, incident, what, time, who)"
                  " SELECT s.tenant, s.incident, ?2, ?3, ?4 FROM page_incident i"
                  " JOIN subject s ON s.id = i.subject WHERE i.page = ?1 AND s.origin = ?5"
                  " AND i.settled IS NULL AND i.moved IS NULL ORDER BY i.number",
                  DB_WITH(db_u64(page), db_number(what), db_number(o->t.real), db_text(who),
                          db_number(ORIGIN_TRIAGE)));
}

/* ---- what is due ------------------------------------------------------------------------- */

/* What nobody will ask for any more. Pages stay. */
static int tidy(struct oncall *o)
{
    nsec before = o->now - ONCALL_FORGET_AFTER;
    int error = db_run(o->db, "DELETE FROM handover WHERE taken < ?1", DB_WITH(db_number(before)));
    if (error == 0)
        error = db_run(o->db, "DELETE FROM answer WHERE came < ?1", DB_WITH(db_number(before)));
    if (error == 0)
        error = db_run(o->db, "DELETE FROM code WHERE expires < ?1", DB_WITH(db_number(o->now)));
    return error ? error : deadline_set(o, DEADLINE_TIDY, 0, o->now + TIDY_EVERY);
}

static int do_due(struct oncall *o, enum deadline_kind kind, uint64_t id)
{
    int error = deadline_drop(o, kind, id);
    if (error) return error;
    switch (kind) {
    case DEADLINE_JUDGE:
        return subject_judge(o, id, true);
    case DEADLINE_STEP:
        return page_next_step(o, id, "nobody acknowledged", SLICE_NONE);
    case DEADLINE_UPDATE:
        return page_update(o, id);
    case DEADLINE_NOTICE:
        return notice_due(o, id);
    case DEADLINE_ATTEMPT:
        return attempt_late(o, id);
    case DEADLINE_TIDY:
        return tidy(o);
    case DEADLINE_NEWS:
        return news_due(o, id);
    case DEADLINE_DIGEST:
        return news_plan(o);
    case DEADLINE_PROOF:
        return proof_due(o);
    case DEADLINE_REST:
        return rest_due(o, id);
    }
    return 0;
}

static int next_due(struct oncall *o, enum deadline_kind *ret_kind, uint64_t *ret_id,
                    bool *ret_found)
{
    struct db_rows rows = db_select(
        o->db, "SELECT kind, id FROM deadline WHERE due <= ?1 ORDER BY due, kind, id LIMIT 1",
        DB_WITH(db_number(o->now)));
    *ret_found = db_next(&rows);
    if (*ret_found) {
        *ret_kind = (enum deadline_kind)db_get_number(&rows, 0);
        *ret_id = (uint64_t)db_get_number(&rows, 1);
    }
    return db_end(&rows);
}

int oncall_pass(struct oncall *o, struct oncall_time t)
{
    enum deadline_kind kind;
    uint64_t id;
    bool found = true;
    int error = 0;
    set_time(o, t);
    for (unsigned n = 0; n < ONCALL_PASS_MAX && error == 0; n++) {
        error = next_due(o, &kind, &id, &found);
        if (error || !found) break;
        error = begin(o, t);
        if (error == 0) error = do_due(o, kind, id);
        error = finish(o, error);
    }
    return error;
}

nsec oncall_next(struct oncall *o, struct oncall_time t)
{
    int64_t due = INT64_MAX;
    set_time(o, t);
    if (!o->has_next &&
        db_get(o->db, "SELECT due FROM deadline ORDER BY due LIMIT 1", DB_ALONE, &due) == 0) {
        o->has_next = true;
        o->next = due;
    }
    if (!o->has_next) return NSEC_PER_SEC;
    if (o->next == INT64_MAX) return -1;
    return o->next > o->now ? o->next - o->now : 0;
}

/* ---- what comes from others -------------------------------------------------------------- */

int oncall_take_noted(struct oncall *o, uint64_t id, struct oncall_time t)
{
    int error = begin(o, t);
    if (error == 0) error = db_run(o->db, "DELETE FROM told WHERE id = ?1", DB_WITH(db_u64(id)));
    return finish(o, error);
}

int oncall_take_page(struct oncall *o, const struct oncall_page *m, struct oncall_time t)
{
    int error = begin(o, t);
    if (error == 0) error = subject_take(o, m);
    return finish(o, error);
}

int oncall_take_settled(struct oncall *o, const struct oncall_settled *m, struct oncall_time t)
{
    int error = begin(o, t);
    if (error == 0) error = subject_take_settled(o, m);
    return finish(o, error);
}

int oncall_take_sent(struct oncall *o, const struct oncall_sent *m, struct oncall_time t)
{
    int error = begin(o, t);
    if (error == 0) error = news_is(m->attempt) ? news_take(o, m) : attempt_take(o, m);
    return finish(o, error);
}

int oncall_take_answered(struct oncall *o, const struct oncall_answered *m, struct oncall_time t)
{
    int error = begin(o, t);
    if (error == 0) error = answer_take(o, m);
    return finish(o, error);
}

int oncall_take_providers(struct oncall *o, struct slice list, struct oncall_time t)
{
    int error = providers_read(o, list);
    if (error) return error;
    o->providers_known = true;
    error = begin(o, t);
    if (error == 0) error = notice_try_waiting(o);
    return finish(o, error);
}

int oncall_senders(struct oncall *o, bool there, struct oncall_time t)
{
    int error = begin(o, t);
    o->senders = there;
    if (error == 0) error = there ? attempt_resend_all(o) : attempt_hold_all(o);
    error = finish(o, error);
    return error || !there ? error : attempt_follow_all(o);
}

int oncall_triage(struct oncall *o, bool there)
{
    o->triage = there;
    o->told = 0;
    return there ? let_out_told(o) : 0;
}

int oncall_act(struct oncall *o, const struct oncall_request *request, struct oncall_time t,
               struct buf *out, unsigned *ret)
{
    const size_t before = out->len;
    int error = begin(o, t);
    if (error == 0) error = act_run(o, request, out, ret);
    error = finish(o, error);
    if (error) out->len = before;
    return error;
}

static int saw_canary(struct oncall *o, uint64_t number, bool *ret)
{
    char text[24];
    int64_t n = 0;
    int len = snprintf(text, sizeof text, "%" PRIu64, number);
    int error = db_get(o->db,
                       "SELECT count(*) FROM page p JOIN notice n ON n.page = p.id JOIN attempt a"
                       " ON a.notice = n.id WHERE p.marks = ?1 AND p.policy = ?2 AND a.state <> ?3",
                       DB_WITH(db_number(ONCALL_CANARY),
                               db_text(slice_make(text, len > 0 ? (size_t)len : 0)),
                               db_number(ATTEMPT_QUEUED)),
                       &n);
    *ret = n > 0;
    return error;
}

int oncall_ask_canary(struct oncall *o, uint64_t number, struct oncall_canary *ret)
{
    int64_t loud = 0;
    int error = saw_canary(o, number, &ret->attempted);
    if (error == 0)
        error = db_get(o->db, "SELECT count(*) FROM page WHERE ended IS NULL AND state = ?1",
                       DB_WITH(db_number(PAGE_LOUD)), &loud);
    ret->loud = loud > 0;
    /* Providers that are not known are those of somebody who does not answer. */
    ret->unset = !o->roster || (o->providers_known && o->n_providers == 0);
    return error;
}

int oncall_status(struct oncall *o, struct oncall_time t, struct buf *out)
{
    set_time(o, t);
    arena_reset(&o->scratch);
    return oncall_write_status(o, out);
}

/* ---- opening ----------------------------------------------------------------------------- */

static int restore(struct oncall *o, struct oncall_time t, struct diag *diag)
{
    int64_t latest = 0;
    int error = db_get(o->db, "SELECT latest FROM moment", DB_ALONE, &latest);
    if (error) return error;
    o->latest = latest;
    o->latest_monotonic = t.monotonic;
    error = plan_load(o, diag);
    if (error) return error;
    error = begin(o, t);
    if (error == 0) error = attempt_hold_all(o);
    if (error == 0)
        error = db_run(o->db, "INSERT OR IGNORE INTO deadline (kind, id, due) VALUES (?1, 0, ?2)",
                       DB_WITH(db_number(DEADLINE_TIDY), db_number(o->now + TIDY_EVERY)));
    if (error == 0) error = news_plan(o);
    if (error == 0) error = proof_plan(o);
    return finish(o, error);
}

int oncall_open(struct db *db, const struct oncall_out *out, struct oncall_time t,
                struct oncall **ret, struct diag *diag)
{
    struct oncall *o = calloc(1, sizeof *o);
    if (!o) return ERR_NOMEM;
    o->db = db;
    o->out = *out;
    arena_init(&o->own, 64 * 1024);
    arena_init(&o->scratch, SCRATCH_MAX);
    buf_init(&o->text, TEXT_MAX);
    buf_init(&o->more, TEXT_MAX);
    o->out.address = arena_dup(&o->own, out->address);
    int error = arena_error(&o->own);
    if (error == 0) error = restore(o, t, diag);
    if (error) oncall_close(o);
    else *ret = o;
    return error;
}

void oncall_close(struct oncall *o)
{
    if (!o) return;
    plan_drop(o);
    free(o->sends.of);
    arena_done(&o->own);
    arena_done(&o->scratch);
    buf_done(&o->text);
    buf_done(&o->more);
    free(o);
}
