/* SPDX-License-Identifier: EUPL-1.2 */
/* Pages: what is on their lists, and their steps. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "oncall/internal.h"

/* ---- rows -------------------------------------------------------------------------------- */

int page_load(struct oncall *o, uint64_t id, struct page *ret, bool *ret_found)
{
    struct slice frozen = SLICE_NONE;
    struct db_rows rows =
        db_select(o->db,
                  "SELECT id, tenant, marks, level, state, step, turn, steps, frozen FROM page"
                  " WHERE id = ?1",
                  DB_WITH(db_u64(id)));
    *ret_found = db_next(&rows);
    if (*ret_found) {
        *ret = (struct page){.id = (uint64_t)db_get_number(&rows, 0),
                             .tenant = (uint32_t)db_get_number(&rows, 1),
                             .marks = (unsigned)db_get_number(&rows, 2),
                             .level = (unsigned)db_get_number(&rows, 3),
                             .state = (unsigned)db_get_number(&rows, 4),
                             .step = db_get_number(&rows, 5),
                             .turn = (uint64_t)db_get_number(&rows, 6),
                             .steps = (uint64_t)db_get_number(&rows, 7)};
        frozen = keep(o, db_get_text(&rows, 8));
    }
    int error = db_end(&rows);
    if (error || !*ret_found || !frozen.len) return error;
    return roster_policy_read(frozen, &o->scratch, &ret->policy, NULL);
}

int page_count(struct oncall *o, uint64_t id, uint64_t *ret_last)
{
    int64_t n = 0;
    int error = db_get(o->db, "SELECT coalesce(max(number), 0) FROM page_incident WHERE page = ?1",
                       DB_WITH(db_u64(id)), &n);
    *ret_last = (uint64_t)n;
    return error;
}

static int save_step(struct oncall *o, const struct page *p)
{
    return db_run(o->db,
                  "UPDATE page SET state = ?2, step = ?3, turn = ?4, steps = ?5,"
                  " loud = CASE WHEN ?2 = ?6 THEN coalesce(loud, ?7) END WHERE id = ?1",
                  DB_WITH(db_u64(p->id), db_number(p->state), db_number(p->step), db_u64(p->turn),
                          db_u64(p->steps), db_number(PAGE_LOUD), db_number(o->t.real)));
}

static int end_step(struct oncall *o, uint64_t id, const char *how)
{
    return db_run(o->db, "UPDATE step SET ended = ?2, how = ?3 WHERE page = ?1 AND ended IS NULL",
                  DB_WITH(db_u64(id), db_number(o->t.real), db_text(slice_of(how))));
}

static int end_page(struct oncall *o, uint64_t id, enum page_state state, struct slice who)
{
    const bool acked = state == PAGE_ACKED;
    int error = db_run(o->db, "UPDATE page SET state = ?2, ended = ?3, ended_by = ?4 WHERE id = ?1",
                       DB_WITH(db_u64(id), db_number(state), db_number(o->t.real), db_text(who)));
    if (error == 0) error = end_step(o, id, acked ? "acknowledged" : "settled");
    if (error == 0) error = deadline_drop(o, DEADLINE_STEP, id);
    if (error == 0) error = deadline_drop(o, DEADLINE_UPDATE, id);
    if (error == 0) error = notice_end_all(o, id);
    o->acks += acked;
    return error ? error : event_add(o, id, acked ? "acknowledged" : "over", who, SLICE_NONE);
}

/* ---- steps ------------------------------------------------------------------------------- */

/* Which comes behind the one at hand. False: none does, the page is loud from now on. */
static bool move_on(struct page *p)
{
    const int64_t n = p->policy.n;
    const bool has_follow = p->policy.follow.n > 0;
    if (p->step + 1 < n) {
        p->step++;
    } else if (p->step < n && p->turn < p->policy.repeat) {
        p->step = 0;
        p->turn++;
    } else if (p->step < n && has_follow) {
        p->step = n;
    } else if (p->step <= n) {
        p->step = n + 1;
    } else {
        return false;
    }
    return true;
}

static nsec wait_of_loud(const struct oncall *o, uint64_t times)
{
    const nsec first = o->out.limits.loud_again;
    const nsec most = first < ONCALL_LOUD_MOST ? ONCALL_LOUD_MOST : first;
    nsec wait = times < 8 ? first << times : most;
    return wait < most ? wait : most;
}

static nsec wait_of(const struct oncall *o, const struct page *p)
{
    if (p->state == PAGE_LOUD) return wait_of_loud(o, p->turn - p->policy.repeat - 1);
    if (p->step == p->policy.n && p->policy.follow.wait > 0) return p->policy.follow.wait;
    /* Behind the policy's own steps it is no slower than in the last of them. */
    return p->policy.steps[p->step < p->policy.n ? p->step : p->policy.n - 1].wait;
}

static int find_persons(struct oncall *o, const struct page *p, struct persons *ret)
{
    if (p->step < p->policy.n) return plan_find(o, &p->policy.steps[p->step], ret);
    if (p->step == p->policy.n) return plan_find(o, &p->policy.follow, ret);
    return plan_everybody(o, ret);
}

static int begin_notices(struct oncall *o, const struct page *p, bool *ret_all_failed)
{
    struct persons persons;
    size_t answering = 0;
    *ret_all_failed = true;
    int error = find_persons(o, p, &persons);
    for (size_t i = 0; i < persons.n && error == 0; i++) {
        bool failed = false;
        error = notice_begin(o, p, &persons.of[i], &failed);
        if (!failed && !persons.of[i].shadow) *ret_all_failed = false;
        answering += !persons.of[i].shadow;
    }
    if (error || answering) return error;
    alarm_add(o, "page-nobody-on-call", p->id);
    return event_add(o, p->id, "nobody-on-call", SLICE_NONE, SLICE_NONE);
}

static int begin_step(struct oncall *o, struct page *p, bool *ret_all_failed)
{
    p->steps++;
    int error = save_step(o, p);
    if (error == 0)
        error = db_run(o->db,
                       "INSERT INTO step (page, number, step, turn, begun)"
                       " VALUES (?1, ?2, ?3, ?4, ?5)",
                       DB_WITH(db_u64(p->id), db_u64(p->steps), db_number(p->step), db_u64(p->turn),
                               db_number(o->t.real)));
    if (error == 0) error = deadline_set(o, DEADLINE_STEP, p->id, o->now + wait_of(o, p));
    return error ? error : begin_notices(o, p, ret_all_failed);
}

/* Everybody was told and nobody has it: from now on that is said wherever anybody looks. */
static int become_loud(struct oncall *o, struct page *p)
{
    p->state = PAGE_LOUD;
    p->turn = p->policy.repeat; /* no turn of a step is there twice */
    alarm_add(o, "page-loud", p->id);
    int error = save_step(o, p);
    if (error == 0)
        error = deadline_set(o, DEADLINE_STEP, p->id, o->now + o->out.limits.loud_again);
    if (error == 0) error = told_add(o, p->id, PAGED_EXHAUSTED, SLICE_NONE);
    return error ? error : event_add(o, p->id, "loud", SLICE_NONE, SLICE_NONE);
}

static int escalate(struct oncall *o, struct page *p, const char *how, struct slice who,
                    bool *ret_all_failed)
{
    const bool first = p->step < 0;
    int error = 0;
    if (p->state == PAGE_LOUD) {
        p->turn++; /* everybody is told again, less and less often */
    } else if (!move_on(p)) {
        return become_loud(o, p);
    } else if (!first) {
        error = told_add(o, p->id, PAGED_ESCALATED, who);
        if (error == 0) error = event_add(o, p->id, "escalated", who, slice_of(how));
    }
    return error ? error : begin_step(o, p, ret_all_failed);
}

int page_next_step(struct oncall *o, uint64_t id, const char *how, struct slice who)
{
    struct page p;
    bool found = false, all_failed = true;
    int error = page_load(o, id, &p, &found);
    if (error || !found || !page_is_open(&p)) return error;
    if (p.marks & ONCALL_PROOF) error = proof_end(o, id);
    if (error) return error;
    if (p.marks & ONCALL_TEST) return end_page(o, id, PAGE_OVER, who);
    do {
        error = end_step(o, id, how);
        if (error == 0) error = escalate(o, &p, how, who, &all_failed);
        how = "nobody could be told";
        who = SLICE_NONE;
    } while (error == 0 && all_failed && p.state == PAGE_OPEN);
    return error;
}

int page_check_step(struct oncall *o, uint64_t id)
{
    struct page p;
    bool found = false;
    int64_t told = 0;
    int error = page_load(o, id, &p, &found);
    if (error || !found || p.state != PAGE_OPEN || p.marks & ONCALL_TEST) return error;
    /* Who is tried once more was not told. */
    error = db_get(o->db,
                   "SELECT count(*) FROM notice WHERE page = ?1 AND step = ?2 AND shadow = 0"
                   " AND state <> ?3 AND (pass = 0 OR state NOT IN (?4, ?5))",
                   DB_WITH(db_u64(id), db_u64(p.steps), db_number(NOTICE_FAILED),
                           db_number(NOTICE_WAITS), db_number(NOTICE_TRYING)),
                   &told);
    return error || told ? error : page_next_step(o, id, "nobody could be told", SLICE_NONE);
}

/* ---- lists ------------------------------------------------------------------------------- */

/* What is wrong with the watch waits behind no incident, and incidents are not hidden behind it. */
static unsigned marks_of(const struct subject *s)
{
    return s->marks | (s->origin == ORIGIN_CANARY ? ONCALL_OUTAGE : 0u);
}

/* 0: a new one is needed. */
static int find_open(struct oncall *o, const struct subject *s, struct slice policy, uint64_t *ret)
{
    int64_t id = 0;
    uint64_t last = 0;
    int error = db_get(o->db,
                       "SELECT id FROM page WHERE tenant = ?1 AND policy = ?2 AND marks = ?3"
                       " AND ended IS NULL AND closes > ?4 AND state = ?5 ORDER BY id DESC"
                       " LIMIT 1",
                       DB_WITH(db_number(s->tenant), db_text(policy), db_number(marks_of(s)),
                               db_number(o->now), db_number(PAGE_OPEN)),
                       &id);
    if (error == 0 && id) error = page_count(o, (uint64_t)id, &last);
    *ret = last < ONCALL_INCIDENTS_MAX ? (uint64_t)id : 0;
    return error;
}

static int list(struct oncall *o, uint64_t page, const struct subject *s)
{
    uint64_t last = 0;
    int error = page_count(o, page, &last);
    if (error) return error;
    error = db_run(o->db,
                   "INSERT INTO page_incident (page, number, subject, level, added)"
                   " VALUES (?1, ?2, ?3, ?4, ?5)",
                   DB_WITH(db_u64(page), db_u64(last + 1), db_u64(s->id), db_number(s->level),
                           db_number(o->t.real)));
    if (error) return error;
    return db_run(o->db, "UPDATE subject SET state = ?2, page = ?3 WHERE id = ?1",
                  DB_WITH(db_u64(s->id), db_number(SUBJECT_PAGED), db_u64(page)));
}

static int make(struct oncall *o, const struct subject *s, const struct roster_policy *policy)
{
    buf_clear(&o->text);
    roster_policy_write(policy, &o->text);
    int error = buf_error(&o->text);
    if (error) return error;
    error = db_run(o->db,
                   "INSERT INTO page (tenant, policy, frozen, marks, level, begun, closes, state)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                   DB_WITH(db_number(s->tenant), db_text(policy->id), db_text(buf_slice(&o->text)),
                           db_number(marks_of(s)), db_number(s->level), db_number(o->t.real),
                           db_number(o->now + o->out.limits.bundle), db_number(PAGE_OPEN)));
    if (error) return error;
    const uint64_t id = db_inserted(o->db);
    o->pages++;
    error = list(o, id, s);
    if (error == 0) error = event_add(o, id, "begun", SLICE_NONE, SLICE_NONE);
    return error ? error : page_next_step(o, id, "", SLICE_NONE);
}

/* At once when it is worse than all before it, else together with what comes meanwhile. */
static int tell_of_more(struct oncall *o, uint64_t id, unsigned level)
{
    int error = db_run(o->db, "UPDATE page SET level = ?2 WHERE id = ?1 AND level < ?2",
                       DB_WITH(db_u64(id), db_number(level)));
    if (error) return error;
    if (db_changed(o->db) > 0) return page_update(o, id);
    return db_run(o->db, "INSERT OR IGNORE INTO deadline (kind, id, due) VALUES (?1, ?2, ?3)",
                  DB_WITH(db_number(DEADLINE_UPDATE), db_u64(id),
                          db_number(o->now + o->out.limits.more_after)));
}

int page_add(struct oncall *o, const struct subject *s, const struct roster_policy *policy)
{
    uint64_t id = 0;
    int error = find_open(o, s, policy->id, &id);
    if (error) return error;
    if (!id) return make(o, s, policy);
    error = list(o, id, s);
    return error ? error : tell_of_more(o, id, s->level);
}

/* The plan has another policy for what it has become. */
static int move(struct oncall *o, const struct subject *s, const struct roster_policy *policy)
{
    int error = db_run(o->db,
                       "UPDATE page_incident SET moved = ?3 WHERE page = ?1 AND subject = ?2"
                       " AND settled IS NULL",
                       DB_WITH(db_u64(s->page), db_u64(s->id), db_number(o->t.real)));
    if (error == 0) error = page_add(o, s, policy);
    return error ? error : page_check_settled(o, s->page, SLICE_NONE, false);
}

int page_raise(struct oncall *o, const struct subject *s, const struct roster_policy *policy)
{
    int64_t same = 0;
    int error = db_get(o->db, "SELECT policy = ?2 FROM page WHERE id = ?1",
                       DB_WITH(db_u64(s->page), db_text(policy->id)), &same);
    if (error || !same) return error ? error : move(o, s, policy);
    error = db_run(o->db,
                   "UPDATE page_incident SET level = ?3 WHERE page = ?1 AND subject = ?2"
                   " AND level < ?3",
                   DB_WITH(db_u64(s->page), db_u64(s->id), db_number(s->level)));
    if (error || db_changed(o->db) == 0) return error;
    error = event_add(o, s->page, "raised", SLICE_NONE, SLICE_NONE);
    return error ? error : tell_of_more(o, s->page, s->level);
}

/* ---- what came to it --------------------------------------------------------------------- */

/* Who was told so far; contacts as they were then. */
static int find_told(struct oncall *o, uint64_t id, struct persons *ret)
{
    struct person *of = arena_zalloc(&o->scratch, ONCALL_PERSONS_MAX, sizeof *of);
    *ret = (struct persons){.of = of};
    struct db_rows rows =
        db_select(o->db,
                  "SELECT person, name, english, shadow, contacts, max(id) FROM notice"
                  " WHERE page = ?1 GROUP BY person ORDER BY min(id) LIMIT ?2",
                  DB_WITH(db_u64(id), db_number(ONCALL_PERSONS_MAX)));
    for (; of && db_next(&rows); ret->n++)
        of[ret->n] = (struct person){.id = keep(o, db_get_text(&rows, 0)),
                                     .name = keep(o, db_get_text(&rows, 1)),
                                     .english = db_get_number(&rows, 2) != 0,
                                     .shadow = db_get_number(&rows, 3) != 0,
                                     .contacts = keep(o, db_get_text(&rows, 4))};
    int error = db_end(&rows);
    return error ? error : arena_error(&o->scratch);
}

int page_update(struct oncall *o, uint64_t id)
{
    struct page p;
    struct persons persons;
    bool found = false, failed;
    int error = page_load(o, id, &p, &found);
    if (error || !found || !page_is_open(&p)) return error;
    error = deadline_drop(o, DEADLINE_UPDATE, id);
    if (error == 0) error = find_told(o, id, &persons);
    if (error == 0) error = event_add(o, id, "more", SLICE_NONE, SLICE_NONE);
    for (size_t i = 0; i < persons.n && error == 0; i++)
        error = notice_begin(o, &p, &persons.of[i], &failed);
    return error;
}

/* ---- who has it -------------------------------------------------------------------------- */

static int is_waited_for(struct oncall *o, uint64_t id, int64_t *ret)
{
    *ret = 0;
    return db_get(o->db,
                  "SELECT count(*) FROM (SELECT person FROM notice WHERE page = ?1 AND shadow = 0"
                  " GROUP BY person HAVING max(acked) IS NULL AND max(state <> ?2))",
                  DB_WITH(db_u64(id), db_number(NOTICE_FAILED)), ret);
}

static int settle_seen(struct oncall *o, uint64_t id, struct slice who, uint64_t seen)
{
    const struct db_value values[] = {db_u64(id),
                                      db_u64(seen),
                                      db_number(o->t.real),
                                      db_text(who),
                                      db_number(PAGED_ACKED),
                                      db_number(ORIGIN_TRIAGE),
                                      db_number(SUBJECT_SETTLED)};
    int error = db_run(o->db,
                       "INSERT INTO told (tenant, incident, what, time, who)"
                       " SELECT s.tenant, s.incident, ?5, ?3, ?4 FROM page_incident i"
                       " JOIN subject s ON s.id = i.subject WHERE i.page = ?1 AND i.number <= ?2"
                       " AND i.settled IS NULL AND i.moved IS NULL AND s.origin = ?6",
                       values, 6);
    if (error == 0)
        error = db_run(o->db,
                       "UPDATE subject SET state = ?7, settled_by = ?4 WHERE page = ?1 AND id IN"
                       " (SELECT subject FROM page_incident WHERE page = ?1 AND number <= ?2"
                       " AND settled IS NULL AND moved IS NULL)",
                       values, 7);
    if (error) return error;
    return db_run(o->db,
                  "UPDATE page_incident SET settled = ?3, settled_by = ?4 WHERE page = ?1"
                  " AND number <= ?2 AND settled IS NULL AND moved IS NULL",
                  values, 4);
}

/* What nobody was told of before: it is judged as if it came now. */
static int move_rest(struct oncall *o, uint64_t id)
{
    struct numbers rest = {0};
    int error = 0;
    struct db_rows rows = db_select(o->db,
                                    "SELECT subject FROM page_incident WHERE page = ?1"
                                    " AND settled IS NULL AND moved IS NULL ORDER BY number",
                                    DB_WITH(db_u64(id)));
    while (error == 0 && db_next(&rows))
        error = numbers_add(&rest, (uint64_t)db_get_number(&rows, 0));
    int ended = db_end(&rows);
    if (error == 0) error = ended;
    if (error == 0 && rest.n)
        error =
            db_run(o->db, "UPDATE page_incident SET moved = ?2 WHERE page = ?1 AND settled IS NULL",
                   DB_WITH(db_u64(id), db_number(o->t.real)));
    for (size_t i = 0; i < rest.n && error == 0; i++) {
        error = db_run(o->db, "UPDATE subject SET state = ?2 WHERE id = ?1",
                       DB_WITH(db_u64(rest.of[i]), db_number(SUBJECT_NEW)));
        if (error == 0) error = subject_judge(o, rest.of[i], true);
    }
    free(rest.of);
    return error;
}

int page_ack(struct oncall *o, uint64_t id, struct slice person, struct slice who, uint64_t seen,
             bool *ret_ended)
{
    struct page p;
    bool found = false;
    int64_t waited_for = 0;
    *ret_ended = false;
    int error = page_load(o, id, &p, &found);
    if (error || !found || !page_is_open(&p)) return error;
    error = db_run(o->db, "UPDATE notice SET acked = ?3 WHERE page = ?1 AND person = ?2",
                   DB_WITH(db_u64(id), db_text(person), db_number(o->t.real)));
    if (error == 0 && p.policy.everyone_must) error = is_waited_for(o, id, &waited_for);
    if (error) return error;
    if (!(p.marks & ONCALL_TEST)) error = rest_disturb(o, person, who);
    if (error) return error;
    if (waited_for) return event_add(o, id, "acknowledged-one", who, SLICE_NONE);
    *ret_ended = true;
    error = settle_seen(o, id, who, seen);
    if (error == 0) error = end_page(o, id, PAGE_ACKED, who);
    return error ? error : move_rest(o, id);
}

int page_check_settled(struct oncall *o, uint64_t id, struct slice who, bool acked)
{
    struct page p;
    bool found = false;
    int64_t left = 0;
    int error = page_load(o, id, &p, &found);
    if (error || !found || !page_is_open(&p)) return error;
    error = db_get(o->db,
                   "SELECT count(*) FROM page_incident WHERE page = ?1 AND settled IS NULL"
                   " AND moved IS NULL",
                   DB_WITH(db_u64(id)), &left);
    if (error || left) return error;
    return end_page(o, id, acked ? PAGE_ACKED : PAGE_OVER, who);
}

/* ---- tests ------------------------------------------------------------------------------- */

static int make_test(struct oncall *o, uint32_t tenant, unsigned marks, nsec lasts,
                     const struct person *person, struct slice who, struct page *ret)
{
    *ret = (struct page){.tenant = tenant, .marks = marks, .steps = 1};
    int error = db_run(o->db,
                       "INSERT INTO page (tenant, policy, frozen, marks, level, begun, closes,"
                       " state, steps) VALUES (?1, '', '', ?2, 0, ?3, ?4, ?5, 1)",
                       DB_WITH(db_number(tenant), db_number(marks), db_number(o->t.real),
                               db_number(o->now), db_number(PAGE_OPEN)));
    ret->id = db_inserted(o->db);
    if (error == 0) error = event_add(o, ret->id, "test", who, person->name);
    return error ? error : deadline_set(o, DEADLINE_STEP, ret->id, o->now + lasts);
}

int page_test(struct oncall *o, uint32_t tenant, const struct person *person, struct slice who,
              uint64_t *ret)
{
    struct page p;
    int error = make_test(o, tenant, ONCALL_TEST, ONCALL_TEST_FOR, person, who, &p);
    *ret = p.id;
    return error ? error : notice_test(o, &p, person);
}

int page_proof(struct oncall *o, const struct person *person)
{
    struct page p;
    int error =
        make_test(o, 0, ONCALL_TEST | ONCALL_PROOF, ONCALL_PROOF_FOR, person, SLICE_NONE, &p);
    return error ? error : notice_proof(o, &p, person);
}

/* ---- the canary -------------------------------------------------------------------------- */

static int forget_canaries(struct oncall *o)
{
    const struct db_value values[] = {db_number(ONCALL_CANARY), db_number(ONCALL_CANARIES_KEPT)};
    static const char *const statements[] = {
        "DELETE FROM attempt WHERE notice IN (SELECT n.id FROM notice n JOIN page p ON p.id ="
        " n.page WHERE p.marks = ?1 AND p.id NOT IN (SELECT id FROM page WHERE marks = ?1"
        " ORDER BY id DESC LIMIT ?2))",
        "DELETE FROM notice WHERE page IN (SELECT id FROM page WHERE marks = ?1 AND id NOT IN"
        " (SELECT id FROM page WHERE marks = ?1 ORDER BY id DESC LIMIT ?2))",
        "DELETE FROM page WHERE marks = ?1 AND id NOT IN (SELECT id FROM page WHERE marks = ?1"
        " ORDER BY id DESC LIMIT ?2)",
    };
    int error = 0;
    for (size_t i = 0; i < sizeof statements / sizeof *statements && error == 0; i++)
        error = db_run(o->db, statements[i], values, 2);
    return error;
}

int page_canary(struct oncall *o, const struct oncall_page *m)
{
    char number[24];
    int len = snprintf(number, sizeof number, "%" PRIu64, m->incident);
    int error =
        db_run(o->db,
               "INSERT INTO page (tenant, policy, frozen, marks, level, begun, closes,"
               " state, ended) VALUES (?1, ?2, '', ?3, ?4, ?5, ?6, ?7, ?5)",
               DB_WITH(db_number(m->tenant), db_text(slice_make(number, len > 0 ? (size_t)len : 0)),
                       db_number(ONCALL_CANARY), db_number(m->level), db_number(o->t.real),
                       db_number(o->now), db_number(PAGE_OVER)));
    if (error) return error;
    error = notice_canary(o, db_inserted(o->db));
    return error ? error : forget_canaries(o);
}
