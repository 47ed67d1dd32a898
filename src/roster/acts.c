/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What people do to the plan. An act writes its rows; then the roster as it was and as it is are
 * compared: which rules of rest are broken now that were not, and whose shifts are others.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/body.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "roster/compose.h"
#include "roster/rows.h"
#include "roster/show.h"

enum {
    ARENA_MAX = 128 * 1024 * 1024,
    WHY_MAX = 1024,
    LOG_MAX = 2 * 1024 * 1024,
    TEXT_MAX = 64 * 1024,
    SHIFTS_MAX = 200, /* of a temporary schedule */
    SENTENCE_MAX = 1024,
};
#define PLAN_AHEAD    (90 * CALENDAR_DAY) /* that a new plan is compared over */
#define CHANGE_MAX    (400 * CALENDAR_DAY)
#define AROUND        (8 * CALENDAR_DAY) /* weeks that a change reaches into */
#define SINCE         (60 * CALENDAR_DAY)
#define DISTURBED_MAX CALENDAR_DAY

struct acting {
    struct db *db;
    struct calendar *calendar;
    const struct roster_request *request;
    struct body body;
    struct arena arena;
    struct buf log;                /* members of what is written down, and answered */
    struct buf breaches;           /* the list of them, for who may force it */
    struct buf sv;                 /* why it is refused, where people meet that */
    struct roster *before, *after; /* NULL: there is no plan */
    enum roster_status status;
    struct slice why;
    bool force;
    nsec from, until;                      /* in which shifts may be others; until 0: none are */
    const struct roster_person *disturbed; /* whose rest is to be looked at */
};

static int refuse(struct acting *a, enum roster_status status, const char *member, const char *fmt,
                  ...) PRINTF_LIKE(4, 5);

static int refuse(struct acting *a, enum roster_status status, const char *member, const char *fmt,
                  ...)
{
    va_list ap;
    if (a->status != ROSTER_DONE) return 0;
    a->status = status;
    a->body.member = member;
    va_start(ap, fmt);
    (void)vsnprintf(a->body.message, sizeof a->body.message, fmt, ap);
    va_end(ap);
    return 0;
}

static bool is_refused(const struct acting *a)
{
    return a->body.member || a->status != ROSTER_DONE;
}

/* ---- members ----------------------------------------------------------------------------- */

static nsec take_time(struct acting *a, const char *name, bool must)
{
    nsec time = TIME_NONE;
    struct slice text = body_text(&a->body, name, 64, must);
    if (text.len && (!time_parse(text, 0, &time) || !roster_is_time(time)))
        body_wrong(&a->body, name, "this is no point in time such as 2026-12-23T21:47:00+01:00");
    return time;
}

/* Two members, logged: a span that is not over, or has just begun. */
static void take_span(struct acting *a, const char *from_name, const char *until_name,
                      struct roster_change *ret)
{
    ret->from = take_time(a, from_name, true);
    ret->until = take_time(a, until_name, true);
    if (is_refused(a)) return;
    if (ret->until <= ret->from) body_wrong(&a->body, until_name, "it ends before it begins");
    else if (ret->until <= a->request->now) body_wrong(&a->body, until_name, "it is over already");
    else if (ret->until - ret->from > CHANGE_MAX)
        body_wrong(&a->body, until_name, "it is longer than 400 days");
    if (is_refused(a)) return;
    show_time(&a->log, from_name, ret->from);
    show_time(&a->log, until_name, ret->until);
    if (a->until == 0 || ret->from < a->from) a->from = ret->from;
    if (ret->until > a->until) a->until = ret->until;
}

static struct slice take_team(struct acting *a)
{
    struct slice id = body_text(&a->body, "team", ROSTER_ID_MAX, true);
    if (is_refused(a)) return id;
    if (!roster_team(a->before, id))
        (void)refuse(a, ROSTER_NOT_FOUND, "team", "the plan has no team `%.*s`", SLICE_FMT(id));
    json_write_member_string(&a->log, "team", id);
    return id;
}

/* Without the member it is who asks, where the plan has him. */
static const struct roster_person *take_person(struct acting *a, const char *name, bool own)
{
    struct slice id = body_text(&a->body, name, ROSTER_ID_MAX, false);
    if (is_refused(a)) return NULL;
    const struct roster_person *person = id.len ? roster_person(a->before, id)
                                         : own  ? roster_person_of(a->before, a->request->actor)
                                                : NULL;
    if (id.len == 0 && !person) body_wrong(&a->body, name, "this member is missing");
    else if (!person)
        (void)refuse(a, ROSTER_NOT_FOUND, name, "the plan has nobody with the id `%.*s`",
                     SLICE_FMT(id));
    if (person) json_write_member_string(&a->log, name, person->id);
    return person;
}

static struct slice id_of(const struct roster_person *person)
{
    return person ? person->id : SLICE_NONE;
}

static bool take_end(struct acting *a)
{
    a->why = body_text(&a->body, "why", WHY_MAX, false);
    a->force = body_bool(&a->body, "force", false) == 1;
    if (a->force && a->why.len == 0 && !a->body.member)
        body_wrong(&a->body, "why", "who forces it says why");
    return body_end(&a->body) && a->status == ROSTER_DONE;
}

/* ---- rows -------------------------------------------------------------------------------- */

static int write_change(struct acting *a, const struct roster_change *c, uint64_t part_of,
                        uint64_t *ret_id)
{
    int error =
        db_run(a->db,
               "INSERT INTO roster_change (kind, team, person, instead, begins, ends,"
               " part_of, made, actor, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
               " ?10)",
               DB_WITH(db_number(c->kind), db_text_or_null(c->team), db_text_or_null(c->person),
                       db_text_or_null(c->instead), db_time(c->from), db_time(c->until),
                       part_of ? db_u64(part_of) : db_time(TIME_NONE), db_time(a->request->now),
                       db_text(a->request->actor), db_text_or_null(a->why)));
    if (error == 0) *ret_id = db_inserted(a->db);
    return error;
}

/* The first of what an act makes; the others are part of it. */
static int write_first(struct acting *a, const struct roster_change *c, uint64_t *ret_id)
{
    int error = write_change(a, c, 0, ret_id);
    if (error == 0) json_write_member_u64(&a->log, "change", *ret_id);
    return error;
}

/* ---- acts -------------------------------------------------------------------------------- */

static int act_plan(struct acting *a)
{
    struct diag diag = {0};
    struct roster *roster = NULL;
    struct slice text = body_text(&a->body, "text", ROSTER_PLAN_MAX, true);
    if (!take_end(a)) return 0;
    int error = roster_read(text, "plan", a->calendar, &roster, &diag);
    roster_free(roster);
    if (error == ERR_NOMEM) return error;
    if (error)
        return refuse(a, ROSTER_INVALID, "text", "line %u, column %u: %s", diag.line, diag.column,
                      diag.message);
    error =
        db_run(a->db, "INSERT INTO roster_plan (made, actor, why, text) VALUES (?1, ?2, ?3, ?4)",
               DB_WITH(db_time(a->request->now), db_text(a->request->actor),
                       db_text_or_null(a->why), db_text(text)));
    if (error == 0) json_write_member_u64(&a->log, "plan", db_inserted(a->db));
    a->from = a->request->now;
    a->until = a->request->now + PLAN_AHEAD;
    return error;
}

static int act_override(struct acting *a)
{
    struct roster_change c = {.kind = ROSTER_OVERRIDE, .team = take_team(a)};
    uint64_t id;
    c.person = id_of(take_person(a, "person", true));
    if (body_has(&a->body, "instead")) c.instead = id_of(take_person(a, "instead", false));
    take_span(a, "from", "until", &c);
    return take_end(a) ? write_first(a, &c, &id) : 0;
}

static int act_swap(struct acting *a)
{
    struct roster_change one = {.kind = ROSTER_OVERRIDE, .team = take_team(a)}, other = one;
    uint64_t first, second;
    const struct roster_person *person = take_person(a, "person", true);
    const struct roster_person *with = take_person(a, "with", false);
    take_span(a, "from", "until", &one);
    take_span(a, "with_from", "with_until", &other);
    if (person && person == with) body_wrong(&a->body, "with", "he swaps with himself");
    if (!take_end(a)) return 0;
    one.instead = other.person = id_of(person);
    one.person = other.instead = id_of(with);
    if (one.from < other.until && other.from < one.until)
        return refuse(a, ROSTER_INVALID, "with_from", "the two shifts are at the same time");
    int error = write_first(a, &one, &first);
    return error ? error : write_change(a, &other, first, &second);
}

static int write_shift(struct acting *a, struct slice object, const struct roster_change *all)
{
    struct acting one = {.request = a->request, .before = a->before};
    struct roster_change c = {.kind = ROSTER_OVERRIDE, .team = all->team};
    uint64_t id;
    body_init(&one.body, object);
    buf_init(&one.log, TEXT_MAX);
    c.person = id_of(take_person(&one, "person", false));
    c.from = take_time(&one, "from", true);
    c.until = take_time(&one, "until", true);
    if (!is_refused(&one) && (c.from < all->from || c.until > all->until || c.from >= c.until))
        body_wrong(&one.body, "from", "the shift is not within the schedule");
    bool right = body_end(&one.body) && one.status == ROSTER_DONE;
    int error = body_error(&one.body);
    if (error == 0 && right) error = write_change(a, &c, all->id, &id);
    else if (error == 0)
        (void)refuse(a, one.status == ROSTER_DONE ? ROSTER_INVALID : one.status, "shifts", "%s: %s",
                     one.body.member, one.body.message);
    buf_done(&one.log);
    body_done(&one.body);
    return error;
}

static int act_temporary(struct acting *a)
{
    struct roster_change c = {.kind = ROSTER_TEMPORARY, .team = take_team(a)};
    struct slice list, name, value;
    struct json_parts it;
    uint32_t n = 0;
    take_span(a, "from", "until", &c);
    list = body_list(&a->body, "shifts");
    if (!take_end(a)) return 0;
    int error = write_first(a, &c, &c.id);
    json_parts_init(&it, list);
    while (error == 0 && !is_refused(a) && json_parts_next(&it, &name, &value)) {
        if (++n > SHIFTS_MAX)
            return refuse(a, ROSTER_INVALID, "shifts", "there are more than %d", SHIFTS_MAX);
        error = write_shift(a, value, &c);
    }
    if (n == 0) return refuse(a, ROSTER_INVALID, "shifts", "there are none");
    json_write_key(&a->log, "shifts");
    buf_put(&a->log, list);
    return error;
}

static int act_absence(struct acting *a)
{
    struct roster_change c = {.kind = ROSTER_ABSENCE,
                              .person = id_of(take_person(a, "person", true))};
    uint64_t id;
    take_span(a, "from", "until", &c);
    return take_end(a) ? write_first(a, &c, &id) : 0;
}

/* It, and what was made with it. */
static int act_drop(struct acting *a)
{
    uint64_t id = body_number(&a->body, "change", true);
    nsec from = TIME_NONE, until = TIME_NONE;
    if (!take_end(a)) return 0;
    struct db_rows rows =
        db_select(a->db,
                  "SELECT min(begins), max(ends) FROM roster_change WHERE dropped IS NULL AND"
                  " (id = ?1 OR part_of = ?1 OR (SELECT part_of FROM roster_change WHERE id = ?1)"
                  " IN (id, part_of))",
                  DB_WITH(db_u64(id)));
    if (db_next(&rows)) {
        from = db_get_time(&rows, 0);
        until = db_get_time(&rows, 1);
    }
    int error = db_end(&rows);
    if (error) return error;
    if (from == TIME_NONE)
        return refuse(a, ROSTER_NOT_FOUND, "change", "there is no change %llu in force",
                      (unsigned long long)id);
    json_write_member_u64(&a->log, "change", id);
    a->from = from > a->request->now ? from : a->request->now;
    a->until = until > a->from ? until : 0;
    return db_run(a->db,
                  "UPDATE roster_change SET dropped = ?2, dropped_by = ?3 WHERE dropped IS NULL AND"
                  " (id = ?1 OR part_of = ?1 OR (SELECT part_of FROM roster_change WHERE id = ?1)"
                  " IN (id, part_of))",
                  DB_WITH(db_u64(id), db_time(a->request->now), db_text(a->request->actor)));
}

static int open_disturbance(struct acting *a, struct slice person, int64_t *ret_id, nsec *ret_from)
{
    *ret_id = 0;
    struct db_rows rows = db_select(a->db,
                                    "SELECT id, begins FROM roster_disturbance WHERE person = ?1"
                                    " AND ends IS NULL AND dropped IS NULL",
                                    DB_WITH(db_text(person)));
    if (db_next(&rows)) {
        *ret_id = db_get_number(&rows, 0);
        *ret_from = db_get_time(&rows, 1);
    }
    return db_end(&rows);
}

static int end_disturbance(struct acting *a, int64_t id, nsec from, nsec until)
{
    if (id == 0) return refuse(a, ROSTER_CONFLICT, "until", "no disturbance of his goes on");
    if (until <= from) return refuse(a, ROSTER_INVALID, "until", "it ends before it begins");
    json_write_member_u64(&a->log, "disturbance", (uint64_t)id);
    return db_run(a->db, "UPDATE roster_disturbance SET ends = ?2 WHERE id = ?1",
                  DB_WITH(db_number(id), db_time(until)));
}

static int begin_disturbance(struct acting *a, struct slice person, nsec from, nsec until)
{
    int64_t others = 0;
    int error = db_get(a->db,
                       "SELECT count(*) FROM roster_disturbance WHERE person = ?1 AND dropped IS"
                       " NULL AND begins < ?3 AND coalesce(ends, ?4) > ?2",
                       DB_WITH(db_text(person), db_time(from),
                               db_time(until == TIME_NONE ? INT64_MAX : until), db_time(INT64_MAX)),
                       &others);
    if (error) return error;
    if (others) return refuse(a, ROSTER_CONFLICT, "from", "another disturbance has that time");
    error = db_run(a->db,
                   "INSERT INTO roster_disturbance (person, begins, ends, made, actor)"
                   " VALUES (?1, ?2, ?3, ?4, ?5)",
                   DB_WITH(db_text(person), db_time(from), db_time(until), db_time(a->request->now),
                           db_text(a->request->actor)));
    if (error == 0) json_write_member_u64(&a->log, "disturbance", db_inserted(a->db));
    return error;
}

/* from: it begins; until: the one that goes on ends; both: it was so. */
static int act_disturbance(struct acting *a)
{
    const struct roster_person *person = take_person(a, "person", true);
    nsec from = take_time(a, "from", false), until = take_time(a, "until", false);
    nsec now = a->request->now, begun = TIME_NONE;
    int64_t open;
    if (!take_end(a)) return 0;
    if (from == TIME_NONE && until == TIME_NONE) from = now;
    if (from > now) return refuse(a, ROSTER_INVALID, "from", "this is later than now");
    if (until > now) return refuse(a, ROSTER_INVALID, "until", "this is later than now");
    if (from != TIME_NONE && until != TIME_NONE && (until <= from || until - from > DISTURBED_MAX))
        return refuse(a, ROSTER_INVALID, "until",
                      "it lasts up to a day, and ends behind its begin");
    a->disturbed = until == TIME_NONE ? NULL : person;
    if (from != TIME_NONE) show_time(&a->log, "from", from);
    if (until != TIME_NONE) show_time(&a->log, "until", until);
    if (from != TIME_NONE) return begin_disturbance(a, person->id, from, until);
    int error = open_disturbance(a, person->id, &open, &begun);
    return error ? error : end_disturbance(a, open, begun, until);
}

static int act_undisturbed(struct acting *a)
{
    uint64_t id = body_number(&a->body, "disturbance", true);
    if (!take_end(a)) return 0;
    int error = db_run(a->db,
                       "UPDATE roster_disturbance SET dropped = ?2, dropped_by = ?3"
                       " WHERE id = ?1 AND dropped IS NULL",
                       DB_WITH(db_u64(id), db_time(a->request->now), db_text(a->request->actor)));
    if (error == 0 && db_changed(a->db) == 0)
        return refuse(a, ROSTER_NOT_FOUND, "disturbance", "there is no disturbance %llu",
                      (unsigned long long)id);
    json_write_member_u64(&a->log, "disturbance", id);
    return error;
}

/* ---- what it leads to -------------------------------------------------------------------- */

static int write_message(struct acting *a, const struct roster_person *person,
                         const struct buf *subject, const struct buf *text)
{
    if (buf_failed(subject) || buf_failed(text))
        return buf_failed(subject) ? buf_error(subject) : buf_error(text);
    return roster_message_add(a->db, person->id, buf_slice(subject), buf_slice(text),
                              a->request->now);
}

static int tell_moves(struct acting *a, const struct roster_moves *moves)
{
    struct buf subject, text;
    int error = 0;
    buf_init(&subject, 256);
    buf_init(&text, TEXT_MAX);
    for (uint32_t i = 0; i < a->after->n_people && error == 0; i++) {
        const struct roster_person *person = &a->after->people[i];
        buf_clear(&subject);
        buf_clear(&text);
        if (compose_moves(a->after, person, moves, &subject, &text))
            error = write_message(a, person, &subject, &text);
    }
    buf_done(&subject);
    buf_done(&text);
    return error;
}

/* Breaches that were not there before. */
static int new_breaches(struct acting *a, struct rest_breaches *ret)
{
    struct rest_breaches was = {0}, is;
    nsec from = a->from - AROUND, until = a->until + AROUND;
    int error = a->before ? rest_check(a->before, from, until, &a->arena, &was) : 0;
    if (error == 0) error = rest_check(a->after, from, until, &a->arena, &is);
    if (error) return error;
    struct rest_breach *items = arena_zalloc(&a->arena, is.n + 1u, sizeof *items);
    if (!items) return arena_error(&a->arena);
    *ret = (struct rest_breaches){.items = items};
    for (uint32_t i = 0; i < is.n; i++)
        if (!rest_has(&was, &is.items[i])) items[ret->n++] = is.items[i];
    return 0;
}

static int refuse_breaches(struct acting *a, const struct rest_breaches *breaches)
{
    struct buf text;
    buf_init(&text, SENTENCE_MAX);
    buf_printf(&a->sv, "Det bryter mot viloregler, %u gånger: ", breaches->n);
    rest_write_breach(a->after, &breaches->items[0], false, &a->sv);
    rest_write_breach(a->after, &breaches->items[0], true, &text);
    (void)refuse(a, ROSTER_CONFLICT, "force", "it breaks rules of rest, %u times: %.*s",
                 breaches->n, SLICE_FMT(buf_slice(&text)));
    int error = buf_failed(&a->sv) ? buf_error(&a->sv) : buf_error(&text);
    buf_done(&text);
    return error;
}

static int look_at_shifts(struct acting *a)
{
    struct rest_breaches breaches;
    struct roster_moves moves;
    int error = new_breaches(a, &breaches);
    if (error) return error;
    show_breaches(a->after, &breaches, &a->breaches);
    json_write_key(&a->log, "breaches");
    buf_put(&a->log, buf_slice(&a->breaches));
    if (buf_failed(&a->breaches)) return buf_error(&a->breaches);
    if (breaches.n && !a->force) return refuse_breaches(a, &breaches);
    error = roster_compare(a->before, a->after, a->from, a->until, &a->arena, &moves);
    if (error) return error;
    json_write_key(&a->log, "moved");
    show_moves(&moves, &a->log);
    return a->before ? tell_moves(a, &moves) : 0;
}

int roster_owed(struct db *db, const struct roster *r, const struct roster_person *person, nsec now,
                struct arena *arena, struct rest_owed *ret)
{
    struct rest_disturbance list[ROSTER_DISTURBANCES_MAX];
    uint32_t n = 0;
    struct db_rows rows =
        db_select(db,
                  "SELECT begins, coalesce(ends, ?3) FROM roster_disturbance"
                  " WHERE person = ?1 AND dropped IS NULL AND begins > ?2"
                  " AND begins < ?3 ORDER BY begins",
                  DB_WITH(db_text(person->id), db_time(now - SINCE), db_time(now)));
    while (db_next(&rows)) {
        if (n == ROSTER_DISTURBANCES_MAX) {
            memmove(list, list + 1, (ROSTER_DISTURBANCES_MAX - 1) * sizeof *list);
            n--;
        }
        list[n++] = (struct rest_disturbance){db_get_time(&rows, 0), db_get_time(&rows, 1)};
    }
    int error = db_end(&rows);
    return error ? error : rest_owed(r, person, list, n, arena, ret);
}

static int look_at_rest(struct acting *a)
{
    const struct roster_person *person = roster_person(a->after, a->disturbed->id);
    struct rest_owed owed;
    struct buf subject, text;
    int error = roster_owed(a->db, a->after, person, a->request->now, &a->arena, &owed);
    if (error) return error;
    json_write_key(&a->log, "rest");
    show_owed(person, &owed, &a->log);
    if (owed.owed == 0) return 0;
    buf_init(&subject, 256);
    buf_init(&text, TEXT_MAX);
    compose_owed(a->after, person, &owed, &subject, &text);
    error = write_message(a, person, &subject, &text);
    buf_done(&subject);
    buf_done(&text);
    return error;
}

static int write_log(struct acting *a)
{
    buf_putc(&a->log, '}');
    if (buf_failed(&a->log)) return buf_error(&a->log);
    return db_run(a->db,
                  "INSERT INTO roster_log (time, actor, kind, why, body)"
                  " VALUES (?1, ?2, ?3, ?4, ?5)",
                  DB_WITH(db_time(a->request->now), db_text(a->request->actor),
                          db_text(a->request->kind), db_text_or_null(a->why),
                          db_text(buf_slice(&a->log))));
}

/* ---- all of it --------------------------------------------------------------------------- */

static const struct act_kind {
    const char *name;
    enum account_right right;
    int (*run)(struct acting *a);
} kinds[] = {
#define X(name, right) {#name, RIGHT_##right, act_##name},
    ROSTER_ACTS(X)
#undef X
};

static const struct act_kind *find_kind(struct slice name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (slice_eq(name, slice_of(kinds[i].name))) return &kinds[i];
    return NULL;
}

bool roster_act_right(struct slice kind, enum account_right *ret)
{
    const struct act_kind *k = find_kind(kind);
    if (k) *ret = k->right;
    return k != NULL;
}

static int load(struct acting *a, struct roster **ret)
{
    struct diag diag = {0};
    uint64_t plan;
    return roster_load(a->db, a->calendar, a->request->now - SINCE, ret, &plan, &diag);
}

static int run(struct acting *a, const struct act_kind *kind)
{
    int error = load(a, &a->before);
    if (error) return error;
    if (!a->before && kind->run != act_plan)
        return refuse(a, ROSTER_CONFLICT, "", "there is no plan yet");
    error = kind->run(a);
    if (error == 0) error = body_error(&a->body);
    if (error == 0 && a->body.member && a->status == ROSTER_DONE) a->status = ROSTER_INVALID;
    if (error || a->status != ROSTER_DONE) return error;
    error = load(a, &a->after);
    if (error == 0 && a->until) error = look_at_shifts(a);
    if (error == 0 && a->disturbed) error = look_at_rest(a);
    if (error || a->status != ROSTER_DONE) return error;
    return write_log(a);
}

static void write_refusal(const struct acting *a, struct buf *out)
{
    buf_putc(out, '{');
    json_write_member_string(out, "member", slice_of(a->body.member));
    json_write_member_string(out, "message", slice_of(a->body.message));
    if (a->sv.len) {
        json_write_member_string(out, "sv", buf_slice(&a->sv));
        json_write_key(out, "breaches");
        buf_put(out, buf_slice(&a->breaches));
    }
    buf_putc(out, '}');
}

int roster_act(struct db *db, struct calendar *calendar, const struct roster_request *request,
               struct buf *out, enum roster_status *ret)
{
    const struct act_kind *kind = find_kind(request->kind);
    struct acting a = {.db = db, .calendar = calendar, .request = request};
    body_init(&a.body, request->body);
    arena_init(&a.arena, ARENA_MAX);
    buf_init(&a.log, LOG_MAX);
    buf_init(&a.breaches, LOG_MAX);
    buf_init(&a.sv, SENTENCE_MAX);
    buf_putc(&a.log, '{');
    int error = db_script(db, "SAVEPOINT roster");
    if (error == 0 && !kind) (void)refuse(&a, ROSTER_UNKNOWN, "kind", "there is no such act");
    if (error == 0 && kind) error = run(&a, kind);
    if (error == 0 && a.status == ROSTER_DONE) buf_put(out, buf_slice(&a.log));
    if (error == 0 && a.status != ROSTER_DONE) {
        error = db_script(db, "ROLLBACK TO roster");
        write_refusal(&a, out);
    }
    if (error == 0) error = db_script(db, "RELEASE roster");
    if (error == 0) error = buf_error(out);
    *ret = a.status;
    roster_free(a.before);
    roster_free(a.after);
    buf_done(&a.log);
    buf_done(&a.breaches);
    buf_done(&a.sv);
    arena_done(&a.arena);
    body_done(&a.body);
    return error;
}
