/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Schedules of generated plans, compared minute by minute with a reference that knows nothing but
 * the C library's clock: it lists all handoffs from the first one on, and asks for each minute who
 * it would be. Spans have a clock change or a leap day in them, and no public holiday on a weekday.
 * Rest of days and weeks is found in the same minutes.
 */
#include "roster/rest.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    PEOPLE = 6,
    ROTATIONS_MAX = 3,
    CHANGES_MAX = 6,
    HANDOFFS_MAX = 4096,
    DAYS = 24,
    MINUTES = DAYS * 1440,
    TEXT_MAX = 16 * 1024,
};

/* ---- what is generated ------------------------------------------------------------------- */

enum hours_kind { ALWAYS, OFFICE, ONCALL, OWN };

struct rotation {
    unsigned order[PEOPLE], n;
    unsigned period;              /* hours by the clock on the wall */
    int year, month, day, minute; /* of the first handoff; minute of the day */
    enum hours_kind kind;
    unsigned from, end;   /* OWN: minutes of the day; the end may be on the next one */
    unsigned first, last; /* OWN: days of the week, 0 Monday */
    time_t handoffs[HANDOFFS_MAX];
    unsigned n_handoffs;
};

struct change {
    enum roster_change_kind kind;
    int person, instead; /* -1: none */
    time_t from, until;
};

struct plan {
    struct rotation rotations[ROTATIONS_MAX];
    unsigned n_rotations;
    struct change changes[CHANGES_MAX];
    unsigned n_changes;
    time_t begin;
    int year, month, day; /* of it */
    bool jour, standby;   /* duty is jour; beredskap may be on weekly rest */
    char text[TEXT_MAX];
    signed char who[MINUTES]; /* as the reference has it; -1: nobody */
    bool working[MINUTES];    /* office hours */
    uint64_t breaches;        /* in all plans so far */
};

static uint64_t next_random(uint64_t *seed)
{
    uint64_t x = *seed += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static unsigned below(uint64_t *seed, unsigned n)
{
    return (unsigned)(next_random(seed) % n);
}

static time_t local_time(int year, int month, int day, int minute)
{
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = month - 1,
                    .tm_mday = day,
                    .tm_min = minute,
                    .tm_isdst = -1};
    return mktime(&tm);
}

static void make_rotation(struct rotation *r, uint64_t *seed, int year, int month, int day)
{
    static const unsigned periods[] = {168, 24, 48, 12, 336, 72};
    *r = (struct rotation){.n = 1 + below(seed, PEOPLE),
                           .period = periods[below(seed, 6)],
                           .year = year,
                           .month = month,
                           .day = day + (int)below(seed, 12),
                           .minute = 30 * (int)(8 + below(seed, 30)), /* 04:00 to 18:30 */
                           .kind = (enum hours_kind)below(seed, 4),
                           .from = 60 * (4 + below(seed, 19)),
                           .first = below(seed, 7),
                           .last = below(seed, 7)};
    if (r->period == 12 && r->minute / 60 == 14) r->minute += 60;
    r->end = r->from + 60 * (1 + below(seed, 14));
    if (r->end == 1440 + 120) r->end += 60; /* 02:00 comes twice in October, and never in March */
    for (unsigned i = 0; i < r->n; i++) r->order[i] = below(seed, PEOPLE);
    for (unsigned k = 0; k < HANDOFFS_MAX; k++) {
        unsigned hours = k * r->period;
        r->handoffs[k] = local_time(r->year, r->month, r->day + (int)(hours / 24),
                                    r->minute + 60 * (int)(hours % 24));
        r->n_handoffs = k + 1;
        if (hours > 24 * 60) break;
    }
}

static void make_change(struct change *c, uint64_t *seed, time_t begin)
{
    *c = (struct change){.kind = (enum roster_change_kind)(1 + below(seed, 3)),
                         .person = (int)below(seed, PEOPLE),
                         .instead = below(seed, 2) ? (int)below(seed, PEOPLE) : -1,
                         .from = begin + 900 * (time_t)below(seed, DAYS * 96)};
    c->until = c->from + 900 * (time_t)(1 + below(seed, 400));
    if (c->kind != ROSTER_OVERRIDE) c->instead = -1;
    if (c->kind == ROSTER_TEMPORARY) c->person = -1;
}

static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static void put_rotation(struct buf *out, const struct rotation *r)
{
    static const char *const kinds[] = {"always", "office", "oncall"};
    buf_puts(out, "      - {order: [");
    for (unsigned i = 0; i < r->n; i++) buf_printf(out, "%sp%u", i ? ", " : "", r->order[i]);
    buf_printf(out, "], every: %u hours, since: %04d-%02d-%02d, handoff: '%02d:%02d', hours: ",
               r->period, r->year, r->month, r->day, r->minute / 60, r->minute % 60);
    if (r->kind == OWN)
        buf_printf(out, "['%s-%s %02u:00-%02u:00']}\n", days[r->first], days[r->last], r->from / 60,
                   r->end / 60 % 24);
    else buf_printf(out, "%s}\n", kinds[r->kind]);
}

static void put_plan(struct plan *p)
{
    struct buf out;
    buf_init(&out, TEXT_MAX - 1);
    buf_puts(&out, "zone: Europe/Stockholm\noffice_hours: ['mon-fri 08:00-16:30']\npeople: [");
    for (unsigned i = 0; i < PEOPLE; i++) buf_printf(&out, "%s{id: p%u}", i ? ", " : "", i);
    buf_printf(&out,
               "]\nrest: {weekly_standby: %s}\nteams:\n  - id: t\n    duty: %s\n    rotations:\n",
               p->standby ? "true" : "false", p->jour ? "jour" : "beredskap");
    for (unsigned i = 0; i < p->n_rotations; i++) put_rotation(&out, &p->rotations[i]);
    buf_puts(&out, "policies: [{id: a, steps: [{targets: [{oncall: t}]}]}]\n");
    if (buf_failed(&out)) abort();
    memcpy(p->text, out.ptr, out.len);
    p->text[out.len] = '\0';
    buf_done(&out);
}

static void make_plan(struct plan *p, uint64_t seed)
{
    /* In each the clock goes forth, back, or there is a leap day. */
    static const int spans[][3] = {{2026, 3, 9}, {2026, 10, 12}, {2028, 2, 15}};
    const int *span = spans[below(&seed, 3)];
    p->year = span[0];
    p->month = span[1];
    p->day = span[2];
    p->begin = local_time(span[0], span[1], span[2], 0);
    p->jour = below(&seed, 2);
    p->standby = below(&seed, 2);
    p->n_rotations = 1 + below(&seed, ROTATIONS_MAX);
    for (unsigned i = 0; i < p->n_rotations; i++)
        make_rotation(&p->rotations[i], &seed, span[0], span[1], span[2]);
    p->n_changes = below(&seed, CHANGES_MAX + 1);
    for (unsigned i = 0; i < p->n_changes; i++) make_change(&p->changes[i], &seed, p->begin);
    put_plan(p);
}

/* ---- the reference ----------------------------------------------------------------------- */

struct minute {
    unsigned weekday, of_day;
};

static struct minute minute_of(time_t t)
{
    struct tm tm;
    (void)localtime_r(&t, &tm);
    return (struct minute){(unsigned)(tm.tm_wday + 6) % 7, (unsigned)(tm.tm_hour * 60 + tm.tm_min)};
}

static bool is_day(const struct rotation *r, unsigned weekday)
{
    return r->first <= r->last ? weekday >= r->first && weekday <= r->last
                               : weekday >= r->first || weekday <= r->last;
}

static bool ref_holds(const struct rotation *r, struct minute m)
{
    bool office = m.weekday < 5 && m.of_day >= 8 * 60 && m.of_day < 16 * 60 + 30;
    if (r->kind == ALWAYS) return true;
    if (r->kind != OWN) return office == (r->kind == OFFICE);
    if (is_day(r, m.weekday) && m.of_day >= r->from && m.of_day < r->end) return true;
    return is_day(r, (m.weekday + 6) % 7) && m.of_day + 1440 < r->end;
}

static bool ref_absent(const struct plan *p, int person, time_t t)
{
    for (unsigned i = 0; i < p->n_changes; i++)
        if (p->changes[i].kind == ROSTER_ABSENCE && p->changes[i].person == person &&
            t >= p->changes[i].from && t < p->changes[i].until)
            return true;
    return false;
}

static int ref_turn(const struct plan *p, const struct rotation *r, time_t t, int *planned)
{
    unsigned turn = 0;
    if (t < r->handoffs[0] || !ref_holds(r, minute_of(t))) return -1;
    while (turn + 1 < r->n_handoffs && r->handoffs[turn + 1] <= t) turn++;
    if (*planned < 0) *planned = (int)r->order[turn % r->n];
    for (unsigned i = 0; i < r->n; i++) {
        int person = (int)r->order[(turn + i) % r->n];
        if (!ref_absent(p, person, t)) return person;
    }
    return -1;
}

static int ref_who(const struct plan *p, time_t t)
{
    int person = -1, planned = -1;
    bool changed = false;
    for (unsigned i = p->n_rotations; i-- > 0 && person < 0;)
        person = ref_turn(p, &p->rotations[i], t, &planned);
    for (unsigned i = 0; i < p->n_changes; i++)
        if (p->changes[i].kind == ROSTER_TEMPORARY && t >= p->changes[i].from &&
            t < p->changes[i].until)
            person = -1;
    for (unsigned i = 0; i < p->n_changes; i++) {
        const struct change *c = &p->changes[i];
        if (c->kind != ROSTER_OVERRIDE || t < c->from || t >= c->until) continue;
        if (c->instead >= 0 && c->instead != person && (changed || c->instead != planned)) continue;
        if (ref_absent(p, c->person, t)) continue;
        person = c->person;
        changed = true;
    }
    return person;
}

static void ref_minutes(struct plan *p)
{
    for (long m = 0; m < MINUTES; m++) {
        struct minute minute = minute_of(p->begin + m * 60);
        p->who[m] = (signed char)ref_who(p, p->begin + m * 60);
        p->working[m] =
            minute.weekday < 5 && minute.of_day >= 8 * 60 && minute.of_day < 16 * 60 + 30;
    }
}

/* The longest rest of somebody in those minutes; -1: he has no duty in them. */
static long ref_rest(const struct plan *p, int person, long from, long until, bool weekly)
{
    long longest = 0, run = 0;
    bool duty = false;
    for (long m = from; m < until; m++) {
        bool oncall = p->who[m] == person;
        bool absent = ref_absent(p, person, p->begin + m * 60);
        bool busy =
            (p->working[m] && !absent) || (oncall && p->jour) || (oncall && weekly && !p->standby);
        duty = duty || oncall;
        run = busy ? 0 : run + 1;
        if (run > longest) longest = run;
    }
    return duty ? longest : -1;
}

/* ---- comparing --------------------------------------------------------------------------- */

static struct slice person_id(int person, char text[8])
{
    if (person < 0) return SLICE_NONE;
    return slice_make(text, (size_t)snprintf(text, 8, "p%d", person));
}

static void add_changes(const struct plan *p, struct roster *roster)
{
    for (unsigned i = 0; i < p->n_changes; i++) {
        const struct change *c = &p->changes[i];
        char person[8], instead[8];
        const struct roster_change change = {.id = i + 1,
                                             .kind = c->kind,
                                             .team = c->kind == ROSTER_ABSENCE ? SLICE_NONE
                                                                               : SLICE("t"),
                                             .person = person_id(c->person, person),
                                             .instead = person_id(c->instead, instead),
                                             .from = c->from * NSEC_PER_SEC,
                                             .until = c->until * NSEC_PER_SEC};
        if (roster_change(roster, &change)) abort();
    }
}

static int person_of(const struct roster *r, const struct roster_shift *s)
{
    return s->person ? (int)(s->person - r->people) : -1;
}

/* The first minute that is otherwise; -1: none. */
static long compare(const struct plan *p, const struct roster *r)
{
    struct arena arena;
    struct roster_shifts shifts = {0};
    long wrong = -1;
    uint32_t at = 0;
    nsec from = p->begin * NSEC_PER_SEC;
    arena_init(&arena, 64 * 1024 * 1024);
    if (roster_schedule(r, &r->teams[0], from, from + MINUTES * 60 * NSEC_PER_SEC, &arena, &shifts))
        abort();
    for (long m = 0; m < MINUTES && wrong < 0; m++) {
        nsec t = from + m * 60 * NSEC_PER_SEC;
        while (at + 1 < shifts.n && shifts.items[at].until <= t) at++;
        if (t < shifts.items[at].from || t >= shifts.items[at].until ||
            person_of(r, &shifts.items[at]) != p->who[m])
            wrong = m;
    }
    arena_done(&arena);
    return wrong;
}

/* The minute at which a day of rest begins. */
static long rest_begins(const struct plan *p, int day)
{
    return (long)(local_time(p->year, p->month, p->day + day, 8 * 60) - p->begin) / 60;
}

static bool has_breach(const struct rest_breaches *list, enum rest_rule rule, const char *person,
                       nsec from, long got)
{
    for (uint32_t i = 0; i < list->n; i++) {
        const struct rest_breach *b = &list->items[i];
        if (b->rule == rule && b->from == from && slice_eq(b->person->id, slice_of(person)))
            return b->got == got * 60 * NSEC_PER_SEC;
    }
    return false;
}

/* One day or week of somebody; counts what has to be a breach. */
static bool compare_rest(const struct plan *p, const struct rest_breaches *list, int person,
                         int day, bool weekly, uint32_t *n)
{
    char id[8];
    long from = rest_begins(p, day), until = rest_begins(p, day + (weekly ? 7 : 1));
    if (until > MINUTES) return true;
    long got = ref_rest(p, person, from, until, weekly);
    if (got < 0 || got >= (weekly ? 36 : 11) * 60) return true;
    ++*n;
    (void)person_id(person, id);
    return has_breach(list, weekly ? REST_WEEKLY : REST_DAILY, id,
                      (p->begin + from * 60) * NSEC_PER_SEC, got);
}

/* False: the breaches are not those of the reference; those of months are not looked at. */
static bool check_rest(struct plan *p, const struct roster *r)
{
    struct arena arena;
    struct rest_breaches list = {0};
    uint32_t n = 0, found = 0;
    bool good = true;
    nsec from = p->begin * NSEC_PER_SEC;
    arena_init(&arena, 64 * 1024 * 1024);
    if (rest_check(r, from, from + MINUTES * 60 * NSEC_PER_SEC, &arena, &list)) abort();
    for (int person = 0; person < PEOPLE; person++)
        for (int day = 0; day < DAYS; day++) {
            bool monday = minute_of(p->begin + rest_begins(p, day) * 60).weekday == 0;
            good = good && compare_rest(p, &list, person, day, false, &n);
            if (monday) good = good && compare_rest(p, &list, person, day, true, &n);
        }
    for (uint32_t i = 0; i < list.n; i++) found += list.items[i].rule != REST_JOUR;
    arena_done(&arena);
    p->breaches += n;
    return good && n == found;
}

static bool run(struct plan *p, struct calendar *calendar, uint64_t seed)
{
    struct roster *roster = NULL;
    struct diag diag = {0};
    make_plan(p, seed);
    if (roster_read(slice_of(p->text), "plan", calendar, &roster, &diag)) {
        printf("seed %llu: %u:%u %s\n%s", (unsigned long long)seed, diag.line, diag.column,
               diag.message, p->text);
        return false;
    }
    add_changes(p, roster);
    ref_minutes(p);
    long wrong = compare(p, roster);
    bool rested = wrong >= 0 || check_rest(p, roster);
    if (wrong >= 0)
        printf("seed %llu: minute %ld of %lld: the reference has p%d\n%s", (unsigned long long)seed,
               wrong, (long long)p->begin, p->who[wrong], p->text);
    if (!rested)
        printf("seed %llu: breaches of rest are others\n%s", (unsigned long long)seed, p->text);
    roster_free(roster);
    return wrong < 0 && rested;
}

int main(int argc, char **argv)
{
    uint64_t plans = argc > 1 ? strtoull(argv[1], NULL, 10) : 100;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    struct calendar *calendar = NULL;
    struct diag diag;
    struct plan *plan = calloc(1, sizeof *plan);
    (void)setenv("TZ", "Europe/Stockholm", 1);
    tzset();
    if (!plan ||
        calendar_new(SLICE_NONE, NULL, INT64_C(1767225600) * NSEC_PER_SEC, &calendar, &diag))
        return 1;
    uint64_t n = 0;
    while (n < plans && run(plan, calendar, seed + n)) n++;
    printf("%llu of %llu plans, each minute of %d days, %llu breaches of rest\n",
           (unsigned long long)n, (unsigned long long)plans, DAYS,
           (unsigned long long)plan->breaches);
    bool good = n == plans && plan->breaches > 0;
    calendar_free(calendar);
    free(plan);
    return good ? 0 : 1;
}
