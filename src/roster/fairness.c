/* SPDX-License-Identifier: EUPL-1.2 */
#include "roster/fairness.h"

#include "roster/internal.h"

struct counting {
    const struct roster *r;
    struct arena *arena;
    struct roster_shifts teams[ROSTER_TEAMS_MAX];
    struct fairness *to;
};

static bool is_in_rotation(const struct roster *r, const struct roster_person *person)
{
    for (uint32_t i = 0; i < r->n_teams; i++)
        for (uint32_t k = 0; k < r->teams[i].n; k++) {
            const struct roster_rotation *rotation = &r->teams[i].rotations[k];
            for (uint32_t m = 0; m < rotation->n && !rotation->shadow; m++)
                if (&r->people[rotation->order[m]] == person) return true;
        }
    return false;
}

/* Spans of his in teams of one kind of duty, joined; counts the shifts. */
static int spans_of(struct counting *c, enum roster_duty duty, struct spans *ret)
{
    spans_init(ret, c->arena);
    for (uint32_t i = 0; i < c->r->n_teams; i++) {
        if (c->r->teams[i].duty != duty) continue;
        for (uint32_t k = 0; k < c->teams[i].n; k++) {
            const struct roster_shift *s = &c->teams[i].items[k];
            if (s->person != c->to->person) continue;
            spans_add(ret, s->from, s->until);
            c->to->shifts++;
        }
    }
    spans_join(ret, 0);
    return ret->failed ? arena_error(c->arena) : 0;
}

/* The next whole hour of the clock on the wall, or the end. */
static nsec next_hour(const struct roster *r, nsec at, nsec until)
{
    nsec local = at + zone_offset(r->zone, at) * NSEC_PER_SEC;
    nsec next = at + CALENDAR_HOUR - local % CALENDAR_HOUR;
    return next < until ? next : until;
}

static void count_hour(struct counting *c, nsec at, nsec length)
{
    const struct roster *r = c->r;
    struct calendar_day day;
    struct civil_time local;
    nsec wall = at + zone_offset(r->zone, at) * NSEC_PER_SEC;
    time_to_civil(wall, &local);
    calendar_day(r->calendar, calendar_day_of(r->zone, at), &day);
    uint32_t hour = (uint32_t)local.hour;
    bool night = hour >= r->duty.facts[DUTY_NIGHT_FROM].value ||
                 hour < r->duty.facts[DUTY_NIGHT_UNTIL].value;
    c->to->total += length;
    if (night) c->to->nights += length;
    if (day.weekday >= 5) c->to->weekends += length;
    if (day.kind >= CALENDAR_EVE) c->to->red += length;
}

static void count_all(struct counting *c, const struct spans *spans)
{
    for (uint32_t i = 0; i < spans->n; i++)
        for (nsec at = spans->items[i].from, next; at < spans->items[i].until; at = next) {
            next = next_hour(c->r, at, spans->items[i].until);
            count_hour(c, at, next - at);
        }
}

static int64_t month_of(const struct roster *r, nsec at)
{
    struct civil_time local;
    time_to_civil(at + zone_offset(r->zone, at) * NSEC_PER_SEC, &local);
    return local.year * 12 + local.month - 1;
}

/* Beginning of a month that is counted from the year 0. */
static nsec month_begins(const struct roster *r, int64_t month)
{
    int64_t day = calendar_day_from_civil((int)(month / 12), (int)(month % 12) + 1, 1);
    return calendar_time(r->zone, day, 0);
}

/* What is outside of office hours, month by month. */
static void count_paid(struct counting *c, const struct spans *spans, enum duty_fact fact,
                       nsec *ret_below, nsec *ret_above)
{
    nsec limit = c->r->duty.facts[fact].value * CALENDAR_HOUR;
    if (spans->n == 0) return;
    int64_t last = month_of(c->r, spans->items[spans->n - 1].until);
    for (int64_t month = month_of(c->r, spans->items[0].from); month <= last; month++) {
        nsec sum = spans_sum(spans, month_begins(c->r, month), month_begins(c->r, month + 1));
        *ret_below += sum < limit ? sum : limit;
        *ret_above += sum > limit ? sum - limit : 0;
    }
}

static int count_person(struct counting *c, const struct spans *office)
{
    struct spans standby, jour, all;
    int error = spans_of(c, ROSTER_BEREDSKAP, &standby);
    if (error == 0) error = spans_of(c, ROSTER_JOUR, &jour);
    if (error) return error;
    spans_init(&all, c->arena);
    spans_add_all(&all, &standby);
    spans_add_all(&all, &jour);
    spans_join(&all, 0);
    count_all(c, &all);
    spans_cut(&standby, office);
    spans_cut(&standby, &jour);
    spans_cut(&jour, office);
    count_paid(c, &standby, DUTY_PAY_BEREDSKAP_LIMIT, &c->to->beredskap, &c->to->beredskap_above);
    count_paid(c, &jour, DUTY_PAY_JOUR_LIMIT, &c->to->jour, &c->to->jour_above);
    return arena_error(c->arena);
}

static int open_counting(struct counting *c, nsec from, nsec until, struct spans *office)
{
    const struct roster *r = c->r;
    int error = 0;
    for (uint32_t i = 0; i < r->n_teams && error == 0; i++)
        error = roster_schedule(r, &r->teams[i], from, until, c->arena, &c->teams[i]);
    return error ? error : office_spans(r, from, until, c->arena, office);
}

int fairness_count(const struct roster *r, nsec from, nsec until, struct arena *arena,
                   struct fairness **ret, uint32_t *ret_n)
{
    struct counting c = {.r = r, .arena = arena};
    struct spans office;
    uint32_t n = 0;
    struct fairness *all = arena_zalloc(arena, r->n_people, sizeof *all);
    if (!all) return arena_error(arena);
    int error = open_counting(&c, from, until, &office);
    for (uint32_t i = 0; i < r->n_people && error == 0; i++) {
        c.to = &all[n];
        *c.to = (struct fairness){.person = &r->people[i]};
        error = count_person(&c, &office);
        if (c.to->shifts || is_in_rotation(r, c.to->person)) n++;
    }
    if (error) return error;
    *ret = all;
    *ret_n = n;
    return 0;
}
