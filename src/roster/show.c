/* SPDX-License-Identifier: EUPL-1.2 */
#include "roster/show.h"

#include "base/json_write.h"
#include "roster/check.h"
#include "roster/compose.h"
#include "roster/fairness.h"
#include "roster/rows.h"

enum { TEXT_MAX = 4096, ARENA_MAX = 128 * 1024 * 1024 };

void show_time(struct buf *out, const char *name, nsec time)
{
    json_write_key(out, name);
    if (time == TIME_NONE || time == INT64_MAX) {
        buf_puts(out, "null");
        return;
    }
    buf_putc(out, '"');
    time_write_rfc3339(out, time);
    buf_putc(out, '"');
}

static void show_minutes(struct buf *out, const char *name, nsec span)
{
    json_write_member_u64(out, name, (uint64_t)(span / (60 * NSEC_PER_SEC)));
}

static void show_text(struct buf *out, const char *name, struct slice text)
{
    json_write_key(out, name);
    if (text.len) json_write_string(out, text);
    else buf_puts(out, "null");
}

static void show_bool(struct buf *out, const char *name, bool value)
{
    json_write_key(out, name);
    buf_puts(out, value ? "true" : "false");
}

static void begin_item(struct buf *out, bool first)
{
    buf_puts(out, first ? "{" : ",{");
}

/* What was written beside it is not whole, so this is not either. */
static void end_text(struct buf *text, struct buf *out)
{
    out->failed = out->failed || text->failed;
    out->no_memory = out->no_memory || text->no_memory;
    buf_done(text);
}

static void show_breach(const struct roster *r, const struct rest_breach *b, struct buf *out)
{
    static const char *const rules[] = {
        [REST_DAILY] = "daily-rest", [REST_WEEKLY] = "weekly-rest", [REST_JOUR] = "jour"};
    json_write_member_string(out, "rule", slice_of(rules[b->rule]));
    json_write_member_string(out, "person", b->person->id);
    show_time(out, "from", b->from);
    show_time(out, "until", b->until);
    show_minutes(out, "got", b->got);
    show_minutes(out, "limit", b->limit);
    json_write_member_string(out, "law", b->law);
    for (int english = 0; english < 2; english++) {
        struct buf text;
        buf_init(&text, TEXT_MAX);
        rest_write_breach(r, b, english, &text);
        json_write_member_string(out, english ? "en" : "sv", buf_slice(&text));
        end_text(&text, out);
    }
}

void show_breaches(const struct roster *r, const struct rest_breaches *breaches, struct buf *out)
{
    buf_putc(out, '[');
    for (uint32_t i = 0; i < breaches->n; i++) {
        begin_item(out, i == 0);
        show_breach(r, &breaches->items[i], out);
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}

static void show_moved(const struct roster_moved *m, struct buf *out)
{
    json_write_member_string(out, "team", m->team->id);
    json_write_member_string(out, "person", m->person->id);
    show_time(out, "from", m->from);
    show_time(out, "until", m->until);
}

void show_moves(const struct roster_moves *moves, struct buf *out)
{
    buf_putc(out, '[');
    for (uint32_t i = 0; i < moves->n; i++) {
        begin_item(out, i == 0);
        show_moved(&moves->items[i], out);
        show_bool(out, "gained", moves->items[i].gained);
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}

void show_owed(const struct roster_person *person, const struct rest_owed *owed, struct buf *out)
{
    buf_putc(out, '{');
    json_write_member_string(out, "person", person->id);
    show_minutes(out, "owed", owed->owed);
    json_write_member_u64(out, "days", owed->days);
    show_bool(out, "at_once", owed->at_once);
    show_time(out, "begins", owed->begins);
    show_time(out, "earliest", owed->earliest);
    json_write_key(out, "shift");
    if (owed->shift.team) {
        buf_putc(out, '{');
        show_moved(&owed->shift, out);
        buf_putc(out, '}');
    } else {
        buf_puts(out, "null");
    }
    show_text(out, "instead", owed->instead ? owed->instead->id : SLICE_NONE);
    buf_putc(out, '}');
}

/* ---- who --------------------------------------------------------------------------------- */

static struct slice id_of(const struct roster_person *person)
{
    return person ? person->id : SLICE_NONE;
}

static void show_team(const struct roster_team *team, struct buf *out)
{
    json_write_member_string(out, "team", team->id);
    json_write_member_string(out, "name", team->name);
    json_write_member_string(out, "duty",
                             team->duty == ROSTER_JOUR ? SLICE("jour") : SLICE("beredskap"));
}

static void show_shift(const struct roster_shift *s, struct buf *out)
{
    show_time(out, "from", s->from);
    show_time(out, "until", s->until);
    show_text(out, "person", id_of(s->person));
    show_text(out, "shown", s->person ? s->person->name : SLICE_NONE);
    show_text(out, "planned", id_of(s->planned));
    json_write_key(out, "change");
    if (s->change) json_write_u64(out, s->change);
    else buf_puts(out, "null");
    show_text(out, "rotation", s->rotation);
}

void show_who(const struct roster *r, nsec at, struct buf *out)
{
    buf_putc(out, '{');
    show_time(out, "at", at);
    show_bool(out, "office", roster_is_office(r, at));
    json_write_key(out, "teams");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < r->n_teams; i++) {
        struct roster_shift shift;
        roster_who(r, &r->teams[i], at, &shift);
        begin_item(out, i == 0);
        show_team(&r->teams[i], out);
        show_bool(out, "covered", !roster_covers(r, &r->teams[i], at) || shift.person);
        show_shift(&shift, out);
        show_text(out, "shadow", id_of(roster_shadow(r, &r->teams[i], at)));
        buf_putc(out, '}');
    }
    buf_puts(out, "]}");
}

/* ---- schedules --------------------------------------------------------------------------- */

static void show_shifts(const struct roster_shifts *shifts, struct buf *out)
{
    buf_putc(out, '[');
    for (uint32_t i = 0; i < shifts->n; i++) {
        begin_item(out, i == 0);
        show_shift(&shifts->items[i], out);
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}

static int show_lanes(const struct roster *r, const struct roster_team *team, nsec from, nsec until,
                      struct arena *arena, struct buf *out)
{
    int error = 0;
    json_write_key(out, "lanes");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < team->n && error == 0; i++) {
        struct roster_shifts shifts = {0};
        error = roster_lane(r, &team->rotations[i], from, until, arena, &shifts);
        begin_item(out, i == 0);
        show_text(out, "name", team->rotations[i].name);
        show_bool(out, "shadow", team->rotations[i].shadow);
        json_write_key(out, "shifts");
        show_shifts(&shifts, out);
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
    return error;
}

static int show_teams(const struct roster *r, nsec from, nsec until, struct arena *arena,
                      struct buf *out)
{
    int error = 0;
    for (uint32_t i = 0; i < r->n_teams && error == 0; i++) {
        struct roster_shifts shifts = {0};
        begin_item(out, i == 0);
        show_team(&r->teams[i], out);
        error = show_lanes(r, &r->teams[i], from, until, arena, out);
        if (error == 0) error = roster_schedule(r, &r->teams[i], from, until, arena, &shifts);
        json_write_key(out, "shifts");
        show_shifts(&shifts, out);
        buf_putc(out, '}');
    }
    return error;
}

void show_days(const struct calendar *c, int64_t from, int64_t until, struct buf *out)
{
    static const char *const kinds[] = {[CALENDAR_PLAIN] = "bridge",
                                        [CALENDAR_HALF] = "half",
                                        [CALENDAR_EVE] = "eve",
                                        [CALENDAR_RED] = "red"};
    bool first = true;
    buf_putc(out, '[');
    for (int64_t day = from; day < until; day++) {
        struct calendar_day is;
        struct civil_time date;
        calendar_day(c, day, &is);
        if (is.kind == CALENDAR_PLAIN && !is.bridge) continue;
        time_to_civil(day * CALENDAR_DAY, &date);
        begin_item(out, first);
        first = false;
        buf_printf(out, "\"day\":\"%04d-%02d-%02d\"", date.year, date.month, date.day);
        json_write_member_string(out, "kind", slice_of(kinds[is.kind]));
        show_bool(out, "bridge", is.bridge);
        show_text(out, "sv", is.kind == CALENDAR_PLAIN ? SLICE("Klämdag") : is.sv);
        show_text(out, "en", is.kind == CALENDAR_PLAIN ? SLICE("Bridge day") : is.en);
        show_text(out, "law", is.law);
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}

int show_schedule(const struct roster *r, nsec from, nsec until, struct buf *out)
{
    struct arena arena;
    arena_init(&arena, ARENA_MAX);
    buf_putc(out, '{');
    show_time(out, "from", from);
    show_time(out, "until", until);
    json_write_member_string(out, "zone", r->zone_name);
    json_write_key(out, "teams");
    buf_putc(out, '[');
    int error = show_teams(r, from, until, &arena, out);
    buf_putc(out, ']');
    json_write_key(out, "gaps");
    if (error == 0) error = show_gaps(r, from, until, out);
    json_write_key(out, "days");
    show_days(r->calendar, calendar_day_of(r->zone, from), calendar_day_of(r->zone, until) + 1,
              out);
    buf_putc(out, '}');
    arena_done(&arena);
    return error ? error : buf_error(out);
}

struct listing {
    const struct roster *r;
    struct buf *out;
    bool any, bad;
};

static int show_gap(void *ctx, const struct roster_gap *gap)
{
    struct listing *l = ctx;
    begin_item(l->out, !l->any);
    l->any = true;
    json_write_member_string(l->out, "team", gap->team->id);
    show_time(l->out, "from", gap->from);
    show_time(l->out, "until", gap->until);
    buf_putc(l->out, '}');
    return buf_error(l->out);
}

int show_gaps(const struct roster *r, nsec from, nsec until, struct buf *out)
{
    struct listing l = {.r = r, .out = out};
    buf_putc(out, '[');
    int error = roster_gaps(r, from, until, show_gap, &l);
    buf_putc(out, ']');
    return error ? error : buf_error(out);
}

/* ---- checks and reports ------------------------------------------------------------------ */

static int show_finding(void *ctx, const struct finding *finding)
{
    struct listing *l = ctx;
    begin_item(l->out, !l->any);
    l->any = true;
    l->bad = l->bad || check_fails(finding->kind);
    json_write_member_string(l->out, "kind", slice_of(check_word(finding->kind)));
    show_bool(l->out, "fails", check_fails(finding->kind));
    show_text(l->out, "id", finding->id);
    json_write_member_u64(l->out, "line", finding->line);
    show_time(l->out, "from", finding->from);
    show_time(l->out, "until", finding->until);
    for (int english = 0; english < 2; english++) {
        struct buf text;
        buf_init(&text, TEXT_MAX);
        check_write(l->r, finding, english, &text);
        json_write_member_string(l->out, english ? "en" : "sv", buf_slice(&text));
        end_text(&text, l->out);
    }
    buf_putc(l->out, '}');
    return buf_error(l->out);
}

int show_check(const struct roster *r, nsec from, nsec until, struct buf *out)
{
    struct listing l = {.r = r, .out = out};
    struct arena arena;
    arena_init(&arena, ARENA_MAX);
    buf_puts(out, "{\"findings\":[");
    int error = roster_check(r, from, until, &arena, show_finding, &l);
    buf_putc(out, ']');
    show_bool(out, "good", !l.bad);
    buf_putc(out, '}');
    arena_done(&arena);
    return error ? error : buf_error(out);
}

static void show_fair(const struct fairness *f, struct buf *out)
{
    json_write_member_string(out, "person", f->person->id);
    json_write_member_string(out, "shown", f->person->name);
    json_write_member_u64(out, "shifts", f->shifts);
    show_minutes(out, "total", f->total);
    show_minutes(out, "nights", f->nights);
    show_minutes(out, "weekends", f->weekends);
    show_minutes(out, "red", f->red);
    show_minutes(out, "beredskap", f->beredskap);
    show_minutes(out, "beredskap_above", f->beredskap_above);
    show_minutes(out, "jour", f->jour);
    show_minutes(out, "jour_above", f->jour_above);
}

int show_fairness(const struct roster *r, nsec from, nsec until, struct buf *out)
{
    struct arena arena;
    struct fairness *all = NULL;
    uint32_t n = 0;
    arena_init(&arena, ARENA_MAX);
    int error = fairness_count(r, from, until, &arena, &all, &n);
    buf_putc(out, '{');
    show_time(out, "from", from);
    show_time(out, "until", until);
    json_write_key(out, "percent");
    buf_putc(out, '{');
    for (unsigned i = DUTY_PAY_BEREDSKAP; i <= DUTY_PAY_JOUR_LIMIT; i++)
        json_write_member_u64(out, duty_key((enum duty_fact)i), r->duty.facts[i].value);
    buf_putc(out, '}');
    json_write_key(out, "people");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < n; i++) {
        begin_item(out, i == 0);
        show_fair(&all[i], out);
        buf_putc(out, '}');
    }
    buf_puts(out, "]}");
    arena_done(&arena);
    return error ? error : buf_error(out);
}

/* ---- a person ---------------------------------------------------------------------------- */

static void show_contacts(const struct roster_person *person, struct buf *out)
{
    static const char *const whens[] = {
        [ROSTER_ALWAYS] = "always", [ROSTER_OFFICE] = "office", [ROSTER_ONCALL] = "oncall"};
    buf_putc(out, '[');
    for (uint32_t i = 0; i < person->n_contacts; i++) {
        const struct roster_contact *c = &person->contacts[i];
        begin_item(out, i == 0);
        json_write_member_string(out, "channel", slice_of(notify_channel_name(c->channel)));
        json_write_member_string(out, "address", c->address);
        json_write_member_string(out, "hours", slice_of(whens[c->when]));
        json_write_member_u64(out, "after", (uint64_t)(c->after / NSEC_PER_SEC));
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}

static int show_own_shifts(const struct roster *r, const struct roster_person *person, nsec from,
                           nsec until, struct arena *arena, struct buf *out)
{
    int error = 0;
    bool first = true;
    buf_putc(out, '[');
    for (uint32_t i = 0; i < r->n_teams && error == 0; i++) {
        struct roster_shifts shifts = {0};
        error = roster_schedule(r, &r->teams[i], from, until, arena, &shifts);
        for (uint32_t k = 0; k < shifts.n; k++) {
            if (shifts.items[k].person != person) continue;
            begin_item(out, first);
            first = false;
            show_team(&r->teams[i], out);
            show_shift(&shifts.items[k], out);
            buf_putc(out, '}');
        }
    }
    buf_putc(out, ']');
    return error;
}

int show_person(const struct roster *r, const struct roster_person *person, nsec from, nsec until,
                struct buf *out)
{
    struct arena arena;
    arena_init(&arena, ARENA_MAX);
    buf_putc(out, '{');
    json_write_member_string(out, "person", person->id);
    json_write_member_string(out, "shown", person->name);
    show_text(out, "user", person->user);
    json_write_member_string(out, "language", person->english ? SLICE("en") : SLICE("sv"));
    json_write_key(out, "contacts");
    show_contacts(person, out);
    json_write_key(out, "shifts");
    int error = show_own_shifts(r, person, from, until, &arena, out);
    buf_putc(out, '}');
    arena_done(&arena);
    return error ? error : buf_error(out);
}

/* ---- from the database ------------------------------------------------------------------- */

int show_plan(struct db *db, struct buf *out)
{
    bool found = false;
    struct db_rows rows =
        db_select(db, "SELECT id, made, actor, why, text FROM roster_plan ORDER BY id DESC LIMIT 1",
                  DB_ALONE);
    if (db_next(&rows)) {
        found = true;
        buf_putc(out, '{');
        json_write_member_u64(out, "plan", (uint64_t)db_get_number(&rows, 0));
        show_time(out, "made", db_get_time(&rows, 1));
        json_write_member_string(out, "actor", db_get_text(&rows, 2));
        show_text(out, "why", db_get_text(&rows, 3));
        json_write_member_string(out, "text", db_get_text(&rows, 4));
        buf_putc(out, '}');
    }
    if (!found) buf_puts(out, "null");
    int error = db_end(&rows);
    return error ? error : buf_error(out);
}

static void show_change(const struct db_rows *rows, struct buf *out)
{
    static const char *const kinds[] = {[ROSTER_OVERRIDE] = "override",
                                        [ROSTER_TEMPORARY] = "temporary",
                                        [ROSTER_ABSENCE] = "absence"};
    json_write_member_u64(out, "change", (uint64_t)db_get_number(rows, 0));
    json_write_member_string(out, "kind", slice_of(kinds[db_get_number(rows, 1)]));
    show_text(out, "team", db_get_text(rows, 2));
    show_text(out, "person", db_get_text(rows, 3));
    show_text(out, "instead", db_get_text(rows, 4));
    show_time(out, "from", db_get_time(rows, 5));
    show_time(out, "until", db_get_time(rows, 6));
    json_write_key(out, "part_of");
    if (db_is_null(rows, 7)) buf_puts(out, "null");
    else json_write_u64(out, (uint64_t)db_get_number(rows, 7));
    show_time(out, "made", db_get_time(rows, 8));
    json_write_member_string(out, "actor", db_get_text(rows, 9));
    show_text(out, "why", db_get_text(rows, 10));
    show_time(out, "dropped", db_get_time(rows, 11));
    show_text(out, "dropped_by", db_get_text(rows, 12));
}

int show_changes(struct db *db, nsec since, struct buf *out)
{
    bool first = true;
    struct db_rows rows = db_select(db,
                                    "SELECT id, kind, team, person, instead, begins, ends,"
                                    " part_of, made, actor, why, dropped, dropped_by"
                                    " FROM roster_change WHERE ends > ?1 ORDER BY id DESC"
                                    " LIMIT 4096",
                                    DB_WITH(db_time(since)));
    buf_putc(out, '[');
    while (db_next(&rows)) {
        begin_item(out, first);
        first = false;
        show_change(&rows, out);
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
    int error = db_end(&rows);
    return error ? error : buf_error(out);
}

int show_disturbances(struct db *db, nsec since, struct buf *out)
{
    bool first = true;
    struct db_rows rows = db_select(db,
                                    "SELECT id, person, begins, ends, actor FROM"
                                    " roster_disturbance WHERE dropped IS NULL AND begins > ?1"
                                    " ORDER BY begins DESC LIMIT 4096",
                                    DB_WITH(db_time(since)));
    buf_putc(out, '[');
    while (db_next(&rows)) {
        begin_item(out, first);
        first = false;
        json_write_member_u64(out, "disturbance", (uint64_t)db_get_number(&rows, 0));
        json_write_member_string(out, "person", db_get_text(&rows, 1));
        show_time(out, "from", db_get_time(&rows, 2));
        show_time(out, "until", db_get_time(&rows, 3));
        json_write_member_string(out, "actor", db_get_text(&rows, 4));
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
    int error = db_end(&rows);
    return error ? error : buf_error(out);
}

int show_rest(struct db *db, const struct roster *r, nsec now, struct buf *out)
{
    struct arena arena;
    bool first = true;
    int error = 0;
    buf_putc(out, '[');
    for (uint32_t i = 0; i < r->n_people && error == 0; i++) {
        struct rest_owed owed = {0};
        arena_init(&arena, ARENA_MAX);
        error = roster_owed(db, r, &r->people[i], now, &arena, &owed);
        if (error == 0 && owed.owed && owed.earliest > now) {
            if (!first) buf_putc(out, ',');
            first = false;
            show_owed(&r->people[i], &owed, out);
        }
        arena_done(&arena);
    }
    buf_putc(out, ']');
    return error ? error : buf_error(out);
}
