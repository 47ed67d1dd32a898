/* SPDX-License-Identifier: EUPL-1.2 */
/* Alerts become parts of incidents, and what grouping knows is in the database. */
#include <stdlib.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/time.h"
#include "desk/internal.h"
#include "desk/title.h"
#include "event/record.h"

enum {
    LINE_MAX_BYTES = 8 * 1024 * 1024,
    BATCH = 1000,     /* alerts of an older version that are placed in one transaction */
    EARLY_ALERTS = 8, /* of an incident: its names still change what is said of it */
};

/* ---- facts ------------------------------------------------------------------------------- */

/* What is no alert as lines are written names nothing; it has its incident, too. */
int desk_read_facts(struct desk *d, const struct state_alert *alert)
{
    int error = facts_read(&d->facts, alert->line);
    if (error == ERR_NOMEM) return error;
    if (error == ERR_SYNTAX) {
        d->facts.n_names = d->facts.n_mentions = d->facts.n_tactics = 0;
        d->facts.rule = alert->rule;
        d->facts.title = alert->title;
        d->facts.level = (enum sigma_level)alert->level;
        d->facts.time = alert->time;
    }
    /* Nothing happens after it was told: a clock that is ahead must not keep names for years. */
    if (d->facts.time == TIME_NONE || d->facts.time > alert->received)
        d->facts.time = alert->received;
    assets_apply(d->assets, &d->facts, &d->importance);
    if (alert->marks & RECORD_MARK_EXERCISE) facts_set_apart(&d->facts, SLICE("exercise:"));
    return d->facts.no_memory ? ERR_NOMEM : 0;
}

/* What the alert's rule says is to be done first, in that language; empty when it does not. */
static struct slice respond_text(struct slice line, const char *language, struct buf *out)
{
    struct slice rule, respond, value;
    buf_clear(out);
    if (!json_find_member(line, "rule", NULL, &rule) || !json_is_object(rule) ||
        !json_find_member(rule, "respond", NULL, &respond) || !json_is_object(respond) ||
        !json_find_member(respond, language, NULL, &value))
        return SLICE_NONE;
    if (!json_string_text(value, out)) buf_clear(out);
    return buf_slice(out);
}

static struct slice join_tactics(const struct facts *f, struct buf *out)
{
    buf_clear(out);
    for (uint32_t i = 0; i < f->n_tactics; i++) {
        if (i) buf_putc(out, ' ');
        buf_put(out, f->tactics[i]);
    }
    return buf_slice(out);
}

/* ---- what an incident has of rules and names ---------------------------------------------- */

static int begin_rule(struct desk *d, uint64_t incident, const struct state_alert *a)
{
    struct buf *title = &d->title;
    buf_clear(title);
    desk_write_title_sv(title, a->title);
    const struct db_value values[] = {
        db_u64(incident),
        db_text(a->rule),
        db_u64(a->id),
        db_u64(a->count),
        db_number(a->level),
        db_text(join_tactics(&d->facts, &d->text)),
        db_text(a->title),
        db_text(buf_slice(title)),
        db_text(respond_text(a->line, "sv", &d->sv)),
        db_text(respond_text(a->line, "en", &d->en)),
    };
    if (title->no_memory || d->text.no_memory || d->sv.no_memory || d->en.no_memory)
        return ERR_NOMEM;
    return db_run(d->db,
                  "INSERT INTO incident_rule (incident, rule, first_alert, alerts, records,"
                  " level, tactics, title, title_sv, respond_sv, respond_en)"
                  " VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                  values, sizeof values / sizeof *values);
}

static int tally_rule(struct desk *d, uint64_t incident, const struct state_alert *a, int sign,
                      bool *ret_new)
{
    int error = db_run(d->db,
                       "UPDATE incident_rule SET alerts = alerts + ?3, records = records + ?4,"
                       " level = max(level, ?5) WHERE incident = ?1 AND rule = ?2",
                       DB_WITH(db_u64(incident), db_text(a->rule), db_number(sign),
                               db_number(sign * (int64_t)a->count), db_number(a->level)));
    *ret_new = error == 0 && sign > 0 && db_changed(d->db) == 0;
    return *ret_new ? begin_rule(d, incident, a) : error;
}

static int tally_name(struct desk *d, uint64_t incident, const struct state_alert *a,
                      const struct fact *name, nsec last, int sign)
{
    (void)a;
    if (sign < 0)
        return db_run(d->db,
                      "UPDATE incident_name SET alerts = alerts - 1"
                      " WHERE incident = ?1 AND name = ?2",
                      DB_WITH(db_u64(incident), db_text(name->text)));
    return db_run(
        d->db,
        "INSERT INTO incident_name (incident, name, tenant, kind, bystander, alerts, last)"
        " VALUES (?1, ?2, 0, ?3, ?4, 1, ?5) ON CONFLICT (incident, name) DO UPDATE SET"
        " alerts = alerts + 1, last = max(last, ?5), bystander = min(bystander, ?4)",
        DB_WITH(db_u64(incident), db_text(name->text), db_number(name->kind),
                db_number(name->bystander), db_number(last)));
}

int desk_tally(struct desk *d, uint64_t incident, const struct state_alert *a, nsec last, int sign,
               bool *ret_new_rule)
{
    int error = tally_rule(d, incident, a, sign, ret_new_rule);
    for (uint32_t i = 0; i < d->facts.n_names && error == 0; i++)
        error = tally_name(d, incident, a, &d->facts.names[i], last, sign);
    return error;
}

/* ---- incidents --------------------------------------------------------------------------- */

static int begin_incident(struct desk *d, const struct grouping_place *place,
                          const struct state_alert *a, nsec now)
{
    struct desk_change change = {
        .incident = place->incident, .now = now, .actor = DESK_VAKA, .kind = SLICE("begin")};
    int error =
        db_run(d->db,
               "INSERT INTO incident (id, tenant, root, follows, rule, begun, detected,"
               " version, changed, marks)"
               " VALUES (?1, 0, ?1, nullif(?2, 0), ?3, ?4, ?5, 0, 0, ?6)",
               DB_WITH(db_u64(place->incident), db_u64(place->follows), db_text(d->facts.rule),
                       db_number(place->time), db_number(now), db_number(a->marks)));
    if (error) return error;
    buf_clear(&d->log);
    buf_puts(&d->log, "{");
    json_write_member_string(&d->log, "rule", a->rule);
    if (place->follows) json_write_member_u64(&d->log, "follows", place->follows);
    buf_putc(&d->log, '}');
    change.body = buf_slice(&d->log);
    return buf_failed(&d->log) ? buf_error(&d->log) : desk_log(d, &change);
}

/* One more alert, or more records of one (alerts 0), in the incident and in what it is part of. */
static int grow(struct desk *d, uint64_t incident, uint64_t alerts, uint64_t records, nsec time,
                bool *ret_found)
{
    int error = db_run(d->db,
                       "UPDATE incident SET alerts = alerts + ?2, records = records + ?3,"
                       " first = min(coalesce(first, ?4), ?4), last = max(coalesce(last, ?4), ?4)"
                       " WHERE id = ?1",
                       DB_WITH(db_u64(incident), db_u64(alerts), db_u64(records), db_number(time)));
    *ret_found = error == 0 && db_changed(d->db) > 0;
    if (!*ret_found) return error;
    return db_run(d->db,
                  "UPDATE incident SET all_alerts = all_alerts + ?2,"
                  " all_records = all_records + ?3, changed = ?5,"
                  " all_first = min(coalesce(all_first, ?4), ?4),"
                  " all_last = max(coalesce(all_last, ?4), ?4)"
                  " WHERE id = (SELECT root FROM incident WHERE id = ?1)",
                  DB_WITH(db_u64(incident), db_u64(alerts), db_u64(records), db_number(time),
                          db_u64(++d->number)));
}

/* By itself, for the alert named both. */
static int join_by_itself(struct desk *d, uint64_t from, const struct grouping_place *place,
                          nsec now, bool *new_rule)
{
    struct desk_row row;
    bool found, is_new = false;
    int error = desk_row_load(d, from, &row, &found);
    /* One that a burst swallowed before it had an alert has no row. */
    if (error || !found) return error;
    error = desk_row_join(d, from, place->incident, &is_new);
    *new_rule |= is_new;
    buf_clear(&d->log);
    buf_puts(&d->log, "{");
    json_write_member_u64(&d->log, "with", from);
    if (place->reason == GROUPING_NAMED) json_write_member_string(&d->log, "by", place->by);
    buf_putc(&d->log, '}');
    const struct desk_change change = {.incident = place->incident,
                                       .now = now,
                                       .actor = DESK_VAKA,
                                       .kind = SLICE("merge"),
                                       .body = buf_slice(&d->log)};
    if (error == 0) error = buf_error(&d->log);
    return error ? error : desk_log(d, &change);
}

static int keep_burst(struct desk *d, const struct grouping_place *place)
{
    return db_run(d->db,
                  "INSERT INTO burst (tenant, rule, incident, last) VALUES (0, ?1, ?2, ?3)"
                  " ON CONFLICT (tenant, rule) DO UPDATE SET incident = ?2, last = ?3",
                  DB_WITH(db_text(d->facts.rule), db_u64(place->incident), db_number(place->time)));
}

/* ---- an alert ---------------------------------------------------------------------------- */

/* Where it belongs; by what the database says, which remembers more than grouping does. */
static int find_place(struct desk *d, struct grouping_place *ret, struct desk_row *ret_row,
                      bool *ret_found)
{
    for (int again = 0;; again++) {
        uint64_t follows = again ? ret->follows : 0;
        grouping_place(d->grouping, &d->facts, ret);
        if (follows && !ret->follows) ret->follows = follows;
        int error = desk_row_load(d, ret->incident, ret_row, ret_found);
        if (error || !*ret_found || (ret_row->open && !ret_row->part_of) || again) return error;
        /* It was forgotten that it is closed or part of another. */
        error = desk_row_tell(d, ret->incident);
        if (error) return error;
        ret->follows = ret_row->root;
    }
}

/* It is kept and counted, and changes no incident. */
static int keep_suppressed(struct desk *d, struct state_alert *a,
                           int (*keep)(struct desk *d, struct state_alert *a))
{
    int error = keep(d, a);
    return error ? error : desk_count_suppressed(d, a->suppression, 1, a);
}

/*
 * What is said of an incident goes over all that it has: it is said anew when it has a new rule or
 * names something more important, and as often as it has doubled.
 */
static int judge_doubled(struct desk *d, uint64_t incident)
{
    int64_t wanted = 0;
    int error = db_get(d->db,
                       "SELECT all_alerts <= ?2 OR all_alerts >= 2 * judged OR importance < ?3"
                       " FROM incident WHERE id = ?1",
                       DB_WITH(db_u64(incident), db_number(EARLY_ALERTS),
                               db_number((int64_t)d->importance - ASSET_NORMAL)),
                       &wanted);
    return error || !wanted ? error : desk_row_judge(d, incident);
}

static int place_alert(struct desk *d, struct state_alert *a, nsec now,
                       int (*keep)(struct desk *d, struct state_alert *a))
{
    struct grouping_place place = {0};
    struct desk_row row;
    bool found, new_rule = false, joined_rule = false;
    int error = desk_read_facts(d, a);
    if (error == 0) error = desk_find_suppression(d, a, now, &a->suppression);
    if (error == 0 && a->suppression) return keep_suppressed(d, a, keep);
    if (error == 0) error = find_place(d, &place, &row, &found);
    if (error) return error;
    a->incident = place.incident;
    error = keep(d, a);
    if (error == 0 && !found) error = begin_incident(d, &place, a, now);
    for (uint32_t i = 0; i < place.n_merged && error == 0; i++)
        error = join_by_itself(d, place.merged[i], &place, now, &joined_rule);
    if (error == 0) error = desk_tally(d, place.incident, a, place.time, 1, &new_rule);
    if (error == 0 && place.reason == GROUPING_BURST) error = keep_burst(d, &place);
    if (error == 0) error = grow(d, place.incident, 1, a->count, d->facts.time, &found);
    if (error) return error;
    return new_rule || joined_rule ? desk_row_judge(d, place.incident)
                                   : judge_doubled(d, place.incident);
}

static int keep_new(struct desk *d, struct state_alert *a)
{
    return state_add_alert(d->state, a, &a->id);
}

static int count_alike(struct desk *d, uint64_t id, uint64_t incident, uint64_t suppression,
                       const struct state_alert *a)
{
    bool found, known;
    struct desk_row row;
    int error = state_count_alike(d->state, id, a);
    if (error == 0 && suppression) return desk_count_suppressed(d, suppression, 0, a);
    if (error == 0) error = desk_row_load(d, incident, &row, &known);
    if (error || !known) return error;
    nsec time = a->time == TIME_NONE ? a->received : a->time;
    error = grow(d, incident, 0, a->count, time, &found);
    if (error) return error;
    return db_run(d->db,
                  "UPDATE incident_rule SET records = records + ?3"
                  " WHERE incident = ?1 AND rule = ?2",
                  DB_WITH(db_u64(incident), db_text(a->rule), db_u64(a->count)));
}

/* Whether more of the same may still be counted with it: neither a closed incident nor a
 * suppression that has ended swallows anything. */
static int is_counted(struct desk *d, uint64_t incident, uint64_t suppression, nsec now, bool *ret)
{
    int64_t open = 0;
    if (suppression) return desk_is_suppressing(d, suppression, now, ret);
    int error = db_get(d->db,
                       "SELECT r.open FROM incident i JOIN incident r ON r.id = i.root"
                       " WHERE i.id = ?1",
                       DB_WITH(db_u64(incident)), &open);
    *ret = open != 0;
    return error;
}

int desk_add_alert(struct desk *d, const struct state_alert *alert, nsec alike, nsec now,
                   bool *ret_new)
{
    uint64_t id = 0, incident = 0, suppression = 0;
    bool counted = false;
    struct state_alert a = *alert;
    int error = state_find_alike(d->state, alert, alike, &id, &incident, &suppression);
    if (error == 0 && id) error = is_counted(d, incident, suppression, now, &counted);
    if (error) return error;
    *ret_new = !counted;
    return counted ? count_alike(d, id, incident, suppression, alert)
                   : place_alert(d, &a, now, keep_new);
}

/* ---- opening ----------------------------------------------------------------------------- */

static int restore_incidents(struct desk *d, const struct grouping_options *options)
{
    struct db_rows rows =
        db_select(d->db,
                  "SELECT id, part_of, closed, apart, rule, begun FROM incident"
                  " WHERE id > (SELECT coalesce(max(id), 0) FROM incident) - ?1 ORDER BY id",
                  DB_WITH(db_number(options->incidents_max)));
    while (db_next(&rows)) {
        const struct grouping_group group = {.id = (uint64_t)db_get_number(&rows, 0),
                                             .into = (uint64_t)db_get_number(&rows, 1),
                                             .closed = !db_is_null(&rows, 2),
                                             .apart = db_get_number(&rows, 3) != 0};
        grouping_restore(d->grouping, &group);
        grouping_restore_begun(d->grouping, db_get_text(&rows, 4), group.id,
                               db_get_number(&rows, 5));
    }
    return db_end(&rows);
}

static int restore_names(struct desk *d, const struct grouping_options *options)
{
    struct db_rows rows =
        db_select(d->db,
                  "SELECT name, incident, last, kind FROM (SELECT name, incident, last, kind"
                  " FROM incident_name WHERE bystander = 0 AND alerts > 0"
                  " AND last >= (SELECT max(last) FROM incident_name WHERE bystander = 0) - ?1"
                  " ORDER BY last DESC LIMIT ?2) ORDER BY last, incident, kind",
                  DB_WITH(db_number(options->window), db_number(options->names_max)));
    while (db_next(&rows))
        grouping_lead(d->grouping, (enum name_kind)db_get_number(&rows, 3), db_get_text(&rows, 0),
                      (uint64_t)db_get_number(&rows, 1), db_get_number(&rows, 2));
    return db_end(&rows);
}

static int restore_bursts(struct desk *d)
{
    struct db_rows rows = db_select(d->db, "SELECT rule, incident, last FROM burst", DB_ALONE);
    while (db_next(&rows))
        grouping_restore_bundle(d->grouping, db_get_text(&rows, 0),
                                (uint64_t)db_get_number(&rows, 1), db_get_number(&rows, 2));
    return db_end(&rows);
}

struct waiting {
    struct state_alert alerts[BATCH];
    struct arena texts;
    uint32_t n;
};

static void wait_for_place(struct waiting *w, const struct db_rows *rows)
{
    w->alerts[w->n++] = (struct state_alert){
        .id = (uint64_t)db_get_number(rows, 0),
        .count = (uint64_t)db_get_number(rows, 1),
        .level = (unsigned)db_get_number(rows, 2),
        .time = db_get_time(rows, 3),
        .received = db_get_number(rows, 4),
        .rule = arena_dup(&w->texts, db_get_text(rows, 5)),
        .title = arena_dup(&w->texts, db_get_text(rows, 6)),
        .line = arena_dup(&w->texts, db_get_text(rows, 7)),
    };
}

static int keep_placed(struct desk *d, struct state_alert *a)
{
    return db_run(d->db,
                  "UPDATE alert SET incident = nullif(?2, 0), suppression = nullif(?3, 0)"
                  " WHERE id = ?1",
                  DB_WITH(db_u64(a->id), db_u64(a->incident), db_u64(a->suppression)));
}

/* Some of those that no incident has: as many as there is room for, at least one. */
static int place_some(struct desk *d, struct waiting *w, nsec now)
{
    struct db_rows rows =
        db_select(d->db,
                  "SELECT id, count, level, time, received, rule, title, line FROM alert"
                  " WHERE incident IS NULL AND suppression IS NULL ORDER BY id LIMIT ?1",
                  DB_WITH(db_number(BATCH)));
    arena_reset(&w->texts);
    w->n = 0;
    while (w->texts.held < LINE_MAX_BYTES && db_next(&rows)) wait_for_place(w, &rows);
    int error = db_end(&rows);
    if (error == 0) error = arena_error(&w->texts);
    if (error == 0 && w->n) error = state_begin(d->state);
    for (uint32_t i = 0; i < w->n && error == 0; i++)
        error = place_alert(d, &w->alerts[i], now, keep_placed);
    return error || w->n == 0 ? error : state_commit(d->state);
}

static int place_waiting(struct desk *d, nsec now)
{
    struct waiting *w = calloc(1, sizeof *w);
    int error = w ? 0 : ERR_NOMEM;
    if (!w) return error;
    arena_init(&w->texts, 4 * (size_t)LINE_MAX_BYTES);
    do {
        error = place_some(d, w, now);
    } while (error == 0 && w->n > 0);
    arena_done(&w->texts);
    free(w);
    return error;
}

static int restore_number(struct desk *d)
{
    int64_t number = 0;
    int error = db_get(d->db,
                       "SELECT max(coalesce((SELECT max(number) FROM change), 0),"
                       " coalesce((SELECT max(changed) FROM incident), 0))",
                       DB_ALONE, &number);
    d->number = (uint64_t)number;
    return error;
}

int desk_open(struct state *state, uint64_t seed, nsec now, struct desk **ret)
{
    struct grouping_options options = grouping_defaults();
    struct desk *d = calloc(1, sizeof *d);
    if (!d) return ERR_NOMEM;
    d->state = state;
    d->db = state_db(state);
    facts_init(&d->facts);
    buf_init(&d->text, DESK_PLAIN_MAX);
    buf_init(&d->title, DESK_PLAIN_MAX);
    buf_init(&d->sv, DESK_PLAIN_MAX);
    buf_init(&d->en, DESK_PLAIN_MAX);
    buf_init(&d->log, 64 * 1024);
    options.seed = seed;
    int error = grouping_new(&options, &d->grouping);
    if (error == 0) error = assets_new(seed, &d->assets);
    if (error == 0) error = desk_load_assets(d);
    if (error == 0) error = desk_load_suppressions(d);
    if (error == 0) error = restore_number(d);
    if (error == 0) error = restore_incidents(d, &options);
    if (error == 0) error = restore_names(d, &options);
    if (error == 0) error = restore_bursts(d);
    if (error == 0) error = place_waiting(d, now);
    if (error) desk_close(d);
    else *ret = d;
    return error;
}

void desk_close(struct desk *d)
{
    if (!d) return;
    grouping_free(d->grouping);
    assets_free(d->assets);
    facts_done(&d->facts);
    buf_done(&d->text);
    buf_done(&d->title);
    buf_done(&d->sv);
    buf_done(&d->en);
    buf_done(&d->log);
    free(d);
}
