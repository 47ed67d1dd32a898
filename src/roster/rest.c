/* SPDX-License-Identifier: EUPL-1.2 */
#include "roster/rest.h"

#include "roster/compose.h"
#include "roster/internal.h"

/* What lies around the span that is asked about counts as well: a week, and a day more. */
#define AROUND (8 * CALENDAR_DAY)

/* ---- what people do ---------------------------------------------------------------------- */

struct view {
    const struct roster *r;
    struct arena *arena;
    nsec from, until;
    struct roster_shifts teams[ROSTER_TEAMS_MAX];
    struct spans office; /* of all who work then */
};

struct days_of {
    struct spans standby, jour, work; /* work: jour among it */
    struct spans busy;                /* all of it */
};

static int open_view(struct view *v, const struct roster *r, nsec from, nsec until,
                     struct arena *arena)
{
    *v = (struct view){.r = r, .arena = arena, .from = from, .until = until};
    int error = 0;
    for (uint32_t i = 0; i < r->n_teams && error == 0; i++)
        error = roster_schedule(r, &r->teams[i], from, until, arena, &v->teams[i]);
    return error ? error : office_spans(r, from, until, arena, &v->office);
}

static void add_shifts(const struct roster_shifts *shifts, const struct roster_person *person,
                       struct spans *to)
{
    for (uint32_t i = 0; i < shifts->n; i++)
        if (shifts->items[i].person == person)
            spans_add(to, shifts->items[i].from, shifts->items[i].until);
}

static int add_ordinary(const struct view *v, const struct roster_person *person, struct days_of *d)
{
    struct spans ordinary, away;
    if (!person->works) return 0;
    spans_init(&ordinary, v->arena);
    spans_init(&away, v->arena);
    spans_add_all(&ordinary, &v->office);
    for (uint32_t i = 0; i < v->r->n_changes; i++) {
        const struct roster_change_kept *c = &v->r->changes[i];
        if (c->kind == ROSTER_ABSENCE && c->person == person) spans_add(&away, c->from, c->until);
    }
    spans_join(&away, 0);
    spans_join(&ordinary, 0);
    spans_cut(&ordinary, &away);
    spans_add_all(&d->work, &ordinary);
    return ordinary.failed || away.failed ? arena_error(v->arena) : 0;
}

static int read_days(const struct view *v, const struct roster_person *person, struct days_of *d)
{
    spans_init(&d->standby, v->arena);
    spans_init(&d->jour, v->arena);
    spans_init(&d->work, v->arena);
    spans_init(&d->busy, v->arena);
    for (uint32_t i = 0; i < v->r->n_teams; i++)
        add_shifts(&v->teams[i], person,
                   v->r->teams[i].duty == ROSTER_JOUR ? &d->jour : &d->standby);
    int error = add_ordinary(v, person, d);
    spans_add_all(&d->work, &d->jour);
    spans_add_all(&d->busy, &d->work);
    spans_add_all(&d->busy, &d->standby);
    spans_join(&d->standby, 0);
    spans_join(&d->jour, 0);
    spans_join(&d->work, 0);
    spans_join(&d->busy, 0);
    if (error) return error;
    return d->busy.failed || d->work.failed ? arena_error(v->arena) : 0;
}

/* ---- breaches ---------------------------------------------------------------------------- */

struct checking {
    struct view view;
    struct days_of days;
    const struct roster_person *person;
    struct rest_breach *items;
    uint32_t n, cap;
};

static nsec hours_of(const struct roster *r, enum duty_fact fact)
{
    return r->duty.facts[fact].value * CALENDAR_HOUR;
}

static int add_breach(struct checking *c, enum rest_rule rule, struct span period, nsec got,
                      enum duty_fact fact)
{
    if (c->n == ROSTER_SHIFTS_MAX) return ERR_LIMIT;
    if (c->n == c->cap) {
        uint32_t cap = c->cap ? 2 * c->cap : 32;
        struct rest_breach *items = arena_zalloc(c->view.arena, cap, sizeof *items);
        if (!items) return arena_error(c->view.arena);
        if (c->n) memcpy(items, c->items, c->n * sizeof *items);
        c->items = items;
        c->cap = cap;
    }
    c->items[c->n++] = (struct rest_breach){.rule = rule,
                                            .person = c->person,
                                            .from = period.from,
                                            .until = period.until,
                                            .got = got,
                                            .limit = hours_of(c->view.r, fact),
                                            .law = c->view.r->duty.facts[fact].law};
    return 0;
}

/* Work and jour in a row, as long as an exception allows, with as much rest behind it. */
static bool is_long_shift(const struct checking *c, struct span day, nsec daily)
{
    struct spans row;
    spans_init(&row, c->view.arena);
    spans_add_all(&row, &c->days.work);
    spans_join(&row, daily);
    for (uint32_t i = 0; i < row.n && !row.failed; i++) {
        const struct span *s = &row.items[i];
        nsec length = s->until - s->from, rest = length > daily ? length : daily;
        if (s->until <= day.from || s->from >= day.until) continue;
        if (length > hours_of(c->view.r, DUTY_SHIFT_EXCEPTION)) return false;
        if (spans_touch(&c->days.work, s->until, s->until + rest)) return false;
    }
    return !row.failed;
}

static int check_day(struct checking *c, struct span day)
{
    const struct roster *r = c->view.r;
    nsec daily = hours_of(r, DUTY_DAILY_REST);
    if (!spans_touch(&c->days.standby, day.from, day.until) &&
        !spans_touch(&c->days.jour, day.from, day.until))
        return 0;
    nsec rest = spans_longest_hole(&c->days.work, day.from, day.until);
    if (rest >= daily) return 0;
    if (r->rest.exception.len &&
        (rest >= hours_of(r, DUTY_DAILY_EXCEPTION) || is_long_shift(c, day, daily)))
        return 0;
    return add_breach(c, REST_DAILY, day, rest, DUTY_DAILY_REST);
}

static int check_week(struct checking *c, struct span week)
{
    const struct roster *r = c->view.r;
    const struct spans *busy = r->rest.weekly_standby ? &c->days.work : &c->days.busy;
    if (!spans_touch(&c->days.standby, week.from, week.until) &&
        !spans_touch(&c->days.jour, week.from, week.until))
        return 0;
    nsec rest = spans_longest_hole(busy, week.from, week.until);
    if (rest >= hours_of(r, DUTY_WEEKLY_REST)) return 0;
    return add_breach(c, REST_WEEKLY, week, rest, DUTY_WEEKLY_REST);
}

static int check_jour(struct checking *c, struct span period, enum duty_fact limit)
{
    nsec sum = spans_sum(&c->days.jour, period.from, period.until);
    if (sum <= hours_of(c->view.r, limit)) return 0;
    return add_breach(c, REST_JOUR, period, sum, limit);
}

static nsec day_begins(const struct roster *r, int64_t day)
{
    return calendar_time(r->zone, day, r->rest.day_begins);
}

/* The day that begins then, the week, the four weeks or the month, where one begins. */
static int check_from(struct checking *c, int64_t day, nsec until)
{
    const struct roster *r = c->view.r;
    struct civil_time date, last;
    const struct span one = {day_begins(r, day), day_begins(r, day + 1)};
    int error = one.until <= until ? check_day(c, one) : 0;
    const struct span week = {one.from, day_begins(r, day + 7)};
    if (error == 0 && calendar_weekday(day) == 0 && week.until <= until)
        error = check_week(c, week);
    time_to_civil(day * CALENDAR_DAY, &date);
    if (error || !c->days.jour.n) return error;
    int64_t next = day + 28;
    bool begins =
        r->rest.jour_weeks ? calendar_weekday(day) == 0 && (day + 3) / 7 % 4 == 0 : date.day == 1;
    if (!r->rest.jour_weeks) {
        time_to_civil((day + 31) * CALENDAR_DAY, &last);
        next = day + 31 - (last.day - 1);
    }
    const struct span period = {calendar_time(r->zone, day, 0), calendar_time(r->zone, next, 0)};
    if (!begins || period.until > until) return 0;
    return check_jour(c, period, r->rest.jour_weeks ? DUTY_JOUR_WEEKS : DUTY_JOUR_MONTH);
}

static int check_person(struct checking *c, nsec from, nsec until)
{
    const struct roster *r = c->view.r;
    int error = read_days(&c->view, c->person, &c->days);
    if (c->days.standby.n == 0 && c->days.jour.n == 0) return error;
    int64_t last = calendar_day_of(r->zone, until);
    for (int64_t day = calendar_day_of(r->zone, from); day <= last && error == 0; day++)
        error = check_from(c, day, until);
    return error;
}

int rest_check(const struct roster *r, nsec from, nsec until, struct arena *arena,
               struct rest_breaches *ret)
{
    struct checking c = {0};
    int error = open_view(&c.view, r, from - AROUND, until + AROUND, arena);
    for (uint32_t i = 0; i < r->n_people && error == 0; i++) {
        c.person = &r->people[i];
        error = check_person(&c, from, until);
    }
    if (error == 0) *ret = (struct rest_breaches){c.items, c.n};
    return error;
}

bool rest_has(const struct rest_breaches *list, const struct rest_breach *breach)
{
    for (uint32_t i = 0; i < list->n; i++) {
        const struct rest_breach *b = &list->items[i];
        if (b->rule != breach->rule || b->from != breach->from ||
            !slice_eq(b->person->id, breach->person->id))
            continue;
        return b->rule == REST_JOUR ? b->got >= breach->got : b->got <= breach->got;
    }
    return false;
}

/* ---- sentences --------------------------------------------------------------------------- */

void rest_write_breach(const struct roster *r, const struct rest_breach *breach, bool english,
                       struct buf *out)
{
    static const char *const rules[][2] = {[REST_DAILY] = {"dygnsvila", "daily rest"},
                                           [REST_WEEKLY] = {"veckovila", "weekly rest"},
                                           [REST_JOUR] = {"jour", "jour"}};
    const char *bound = breach->rule == REST_JOUR ? english ? "at most" : "högst"
                        : english                 ? "at least"
                                                  : "minst";
    buf_put(out, breach->person->name);
    buf_printf(out, ": %s ", rules[breach->rule][english]);
    compose_span(breach->got, out);
    buf_printf(out, ", %s ", bound);
    compose_span(breach->limit, out);
    buf_puts(out, ", ");
    roster_write_time(r, breach->from, out);
    buf_puts(out, " – ");
    roster_write_time(r, breach->until, out);
    buf_puts(out, " (");
    buf_put(out, breach->law);
    buf_putc(out, ')');
}

/* ---- what is owed ------------------------------------------------------------------------ */

struct owing {
    struct view view;
    struct days_of days;
    struct spans disturbed, worked; /* worked: what was planned, and disturbances */
    struct span duty;               /* the days of duty that the last disturbance fell into */
};

/* One day of it: what its rest lacks, and whether that is for too much disturbance. */
static void owe_day(struct owing *o, struct span day, struct rest_owed *ret)
{
    const struct roster *r = o->view.r;
    nsec daily = hours_of(r, DUTY_DAILY_REST);
    nsec disturbed = spans_sum(&o->disturbed, day.from, day.until);
    if (disturbed == 0) return;
    nsec planned = spans_longest_hole(&o->days.work, day.from, day.until);
    nsec given = spans_longest_hole(&o->worked, day.from, day.until);
    nsec due = planned < daily ? planned : daily;
    if (given >= due) return;
    ret->owed += due - given;
    ret->days++;
    ret->at_once = disturbed >= hours_of(r, DUTY_HEAVY);
}

static void owe_days(struct owing *o, nsec last, struct rest_owed *ret)
{
    const struct roster *r = o->view.r;
    int64_t day = calendar_day_of(r->zone, o->duty.from) - 1;
    for (; day_begins(r, day) < last; day++) {
        const struct span one = {day_begins(r, day), day_begins(r, day + 1)};
        if (one.until > o->duty.from) owe_day(o, one, ret);
    }
}

/* The first shift of his that is not over when he may begin again, from the beginning of rest. */
static void find_shift(const struct owing *o, const struct roster_person *person,
                       struct rest_owed *ret)
{
    for (uint32_t i = 0; i < o->view.r->n_teams; i++) {
        const struct roster_shifts *shifts = &o->view.teams[i];
        for (uint32_t k = 0; k < shifts->n; k++) {
            const struct roster_shift *s = &shifts->items[k];
            nsec from = s->from > ret->begins ? s->from : ret->begins;
            nsec until = s->until < ret->earliest ? s->until : ret->earliest;
            if (s->person != person || from >= until) continue;
            if (ret->shift.team && ret->shift.from <= from) continue;
            ret->shift = (struct roster_moved){
                .team = &o->view.r->teams[i], .person = person, .from = from, .until = until};
        }
    }
}

static bool is_free(const struct owing *o, const struct roster_person *person, struct span span)
{
    struct days_of days;
    const struct roster *r = o->view.r;
    for (uint32_t i = 0; i < r->n_changes; i++) {
        const struct roster_change_kept *c = &r->changes[i];
        if (c->kind == ROSTER_ABSENCE && c->person == person && c->from < span.until &&
            c->until > span.from)
            return false;
    }
    if (read_days(&o->view, person, &days)) return false;
    return !spans_touch(&days.standby, span.from - 12 * CALENDAR_HOUR,
                        span.until + 12 * CALENDAR_HOUR) &&
           !spans_touch(&days.jour, span.from - 12 * CALENDAR_HOUR,
                        span.until + 12 * CALENDAR_HOUR);
}

/* Somebody of the team who has no duty around it and is there. */
static void find_instead(const struct owing *o, struct rest_owed *ret)
{
    const struct roster_team *team = ret->shift.team;
    const struct span span = {ret->shift.from, ret->shift.until};
    for (uint32_t i = 0; i < team->n; i++)
        for (uint32_t k = 0; k < team->rotations[i].n && !ret->instead; k++) {
            const struct roster_person *person = &o->view.r->people[team->rotations[i].order[k]];
            if (person != ret->shift.person && !team->rotations[i].shadow &&
                is_free(o, person, span))
                ret->instead = person;
        }
}

/* Days of duty that have less than a day between them are one. */
static void find_duty(struct owing *o, nsec at)
{
    struct spans duty;
    spans_init(&duty, o->view.arena);
    spans_add_all(&duty, &o->days.standby);
    spans_add_all(&duty, &o->days.jour);
    spans_join(&duty, CALENDAR_DAY);
    const struct span *found = spans_at(&duty, at);
    o->duty = found ? *found : (struct span){at, at};
}

static int open_owing(struct owing *o, const struct roster *r, const struct roster_person *person,
                      const struct rest_disturbance *disturbances, uint32_t n, struct arena *arena)
{
    const struct rest_disturbance *last = &disturbances[n - 1];
    int error = open_view(&o->view, r, last->from - 5 * AROUND, last->until + 5 * AROUND, arena);
    if (error == 0) error = read_days(&o->view, person, &o->days);
    spans_init(&o->disturbed, arena);
    spans_init(&o->worked, arena);
    find_duty(o, last->from);
    for (uint32_t i = 0; i < n; i++)
        if (disturbances[i].until > o->duty.from)
            spans_add(&o->disturbed, disturbances[i].from, disturbances[i].until);
    spans_join(&o->disturbed, 0);
    spans_cut(&o->disturbed, &o->days.work); /* work is no disturbance */
    spans_add_all(&o->worked, &o->days.work);
    spans_add_all(&o->worked, &o->disturbed);
    spans_join(&o->worked, 0);
    return error ? error : arena_error(arena);
}

int rest_owed(const struct roster *r, const struct roster_person *person,
              const struct rest_disturbance *disturbances, uint32_t n, struct arena *arena,
              struct rest_owed *ret)
{
    struct owing o = {0};
    struct rest_owed owed = {.earliest = TIME_NONE, .begins = TIME_NONE};
    nsec daily = hours_of(r, DUTY_DAILY_REST);
    if (n == 0) {
        *ret = owed;
        return 0;
    }
    nsec last = disturbances[n - 1].until;
    int error = open_owing(&o, r, person, disturbances, n, arena);
    if (error) return error;
    owe_days(&o, last, &owed);
    if (owed.owed) {
        /* Rest given at once is a whole one, so that this day lacks nothing then. */
        nsec end = o.duty.until > last ? o.duty.until : last;
        owed.begins = owed.at_once ? last : spans_next_hole(&o.worked, end, daily);
        owed.earliest = owed.begins + daily + (owed.at_once ? 0 : owed.owed);
        find_shift(&o, person, &owed);
        if (owed.shift.team) find_instead(&o, &owed);
    }
    error = arena_error(arena);
    if (error == 0) *ret = owed;
    return error;
}
