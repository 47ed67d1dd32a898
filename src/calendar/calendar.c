/* SPDX-License-Identifier: EUPL-1.2 */
#include "calendar/calendar.h"

#include <stdlib.h>

#include "base/arena.h"
#include "calendar/files.h"

enum rule_form { ON_DATE, FROM_EASTER, ON_WEEKDAY };

struct rule {
    enum rule_form form;
    int first, last; /* month * 100 + day; days from Easter */
    unsigned weekday;
    enum calendar_kind kind;
    int since, until; /* years; until 0: none */
    struct slice key, sv, en, law;
};

struct named_zone {
    struct slice name;
    struct zone zone;
};

struct calendar {
    struct arena arena;
    nsec now;
    struct rule *rules;
    uint32_t n_rules;
    struct named_zone *zones[CALENDAR_ZONES_MAX];
    uint32_t n_zones;
};

/* ---- arithmetic of days ------------------------------------------------------------------ */

int64_t calendar_day_from_civil(int year, int month, int day)
{
    struct civil_time c = {.year = year, .month = month, .day = day};
    return time_from_civil(&c) / CALENDAR_DAY;
}

/* 1970-01-01 was a Thursday. */
unsigned calendar_weekday(int64_t day)
{
    return (unsigned)(((day + 3) % 7 + 7) % 7);
}

/* Meeus, Astronomical Algorithms, chapter 8 ("anonymous Gregorian algorithm"). */
int64_t calendar_easter(int year)
{
    int a = year % 19, b = year / 100, c = year % 100;
    int h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    int l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    int m = (a + 11 * h + 22 * l) / 451;
    int n = h + l - 7 * m + 114;
    return calendar_day_from_civil(year, n / 31, n % 31 + 1);
}

int64_t calendar_day_of(const struct zone *zone, nsec time)
{
    nsec local = time + zone_offset(zone, time) * NSEC_PER_SEC;
    return local / CALENDAR_DAY - (local % CALENDAR_DAY < 0);
}

nsec calendar_time(const struct zone *zone, int64_t day, nsec time_of_day)
{
    return zone_from_local(zone, day * CALENDAR_DAY + time_of_day);
}

/* ---- reading ----------------------------------------------------------------------------- */

static bool parse_date(struct slice text, int *ret)
{
    struct slice month, day;
    uint64_t m, d;
    if (!slice_split(text, '-', &month, &day) || month.len != 2 || day.len != 2) return false;
    if (!slice_to_u64(month, &m) || !slice_to_u64(day, &d)) return false;
    if (m < 1 || m > 12 || d < 1 || d > 31) return false;
    *ret = (int)(m * 100 + d);
    return true;
}

static bool parse_easter(struct slice text, struct rule *rule)
{
    int64_t days = 0;
    if (!slice_starts_with(text, SLICE("easter"))) return false;
    text = slice_from(text, 6);
    if (text.len && (!slice_to_i64(text, &days) || days < -100 || days > 200)) return false;
    rule->form = FROM_EASTER;
    rule->first = rule->last = (int)days;
    return true;
}

static bool parse_weekday(struct slice text, struct rule *rule)
{
    static const char *const days[] = {"monday", "tuesday",  "wednesday", "thursday",
                                       "friday", "saturday", "sunday"};
    struct slice word = slice_next_word(&text);
    rule->form = ON_WEEKDAY;
    for (rule->weekday = 0; rule->weekday < 7; rule->weekday++)
        if (slice_eq(word, slice_of(days[rule->weekday]))) break;
    return rule->weekday < 7 && parse_date(slice_next_word(&text), &rule->first) &&
           parse_date(slice_next_word(&text), &rule->last) && slice_trim(text).len == 0 &&
           rule->first <= rule->last;
}

static bool parse_when(struct slice text, struct rule *rule)
{
    if (parse_easter(text, rule)) return true;
    rule->form = ON_DATE;
    if (parse_date(text, &rule->first)) return true;
    return parse_weekday(text, rule);
}

static bool parse_kind(struct slice text, enum calendar_kind *ret)
{
    static const char *const kinds[] = {
        [CALENDAR_HALF] = "half", [CALENDAR_EVE] = "eve", [CALENDAR_RED] = "red"};
    for (int i = CALENDAR_HALF; i <= CALENDAR_RED; i++) {
        if (!slice_eq(text, slice_of(kinds[i]))) continue;
        *ret = (enum calendar_kind)i;
        return true;
    }
    return false;
}

static bool parse_year(struct slice text, int *ret)
{
    uint64_t year;
    if (!slice_to_u64(text, &year) || year > 2262) return false;
    *ret = (int)year;
    return true;
}

/* What is wrong with the line, or NULL. */
static const char *parse_rule(struct slice line, struct rule *rule)
{
    struct slice cells[8];
    for (size_t i = 0; i < 8; i++)
        if (!slice_split(line, '\t', &cells[i], &line) && i < 7)
            return "a line has eight columns with tabs between them";
    if (!slice_is_plain(cells[0], "-_")) return "the key may have letters, digits, - and _ only";
    if (!parse_when(cells[1], rule))
        return "the day is none of MM-DD, easter±N, WEEKDAY MM-DD MM-DD";
    if (!parse_kind(cells[2], &rule->kind)) return "the kind is none of red, eve, half";
    if (!parse_year(cells[3], &rule->since) || !parse_year(cells[4], &rule->until))
        return "a year is a number, the last one 0 when there is none";
    rule->key = cells[0];
    rule->sv = cells[5];
    rule->en = cells[6];
    rule->law = cells[7];
    return NULL;
}

static int read_rules(struct calendar *c, struct slice text, const char *path, struct diag *diag)
{
    struct slice line;
    for (uint32_t number = 1; text.len > 0; number++) {
        (void)slice_split(text, '\n', &line, &text);
        if (line.len && line.ptr[line.len - 1] == '\r') line.len--;
        if (slice_trim(line).len == 0 || line.ptr[0] == '#') continue;
        if (c->n_rules == CALENDAR_RULES_MAX)
            return diag_set(diag, ERR_LIMIT, path, number, 1, "there are more than %d days",
                            CALENDAR_RULES_MAX);
        const char *wrong = parse_rule(line, &c->rules[c->n_rules]);
        if (wrong) return diag_set(diag, ERR_SYNTAX, path, number, 1, "%s", wrong);
        c->n_rules++;
    }
    return 0;
}

static struct slice built_in(void)
{
    return calendar_files[0].text;
}

int calendar_new(struct slice holidays, const char *path, nsec now, struct calendar **ret,
                 struct diag *diag)
{
    if (holidays.len > CALENDAR_FILE_MAX)
        return diag_set(diag, ERR_LIMIT, path, 0, 0, "the file is too large");
    struct calendar *c = calloc(1, sizeof *c);
    if (!c) return ERR_NOMEM;
    arena_init(&c->arena, 1024 * 1024);
    c->now = now;
    c->rules = arena_zalloc(&c->arena, CALENDAR_RULES_MAX, sizeof *c->rules);
    struct slice text = arena_dup(&c->arena, holidays.len ? holidays : built_in());
    int error = arena_error(&c->arena);
    if (error == 0) error = read_rules(c, text, holidays.len ? path : "holidays.tsv", diag);
    if (error) calendar_free(c);
    else *ret = c;
    return error;
}

void calendar_free(struct calendar *c)
{
    if (!c) return;
    arena_done(&c->arena);
    free(c);
}

/* ---- zones ------------------------------------------------------------------------------- */

int calendar_zone(struct calendar *c, struct slice name, const struct zone **ret, struct diag *diag)
{
    const nsec years = 2 * 366 * CALENDAR_DAY;
    char text[64] = "";
    for (uint32_t i = 0; i < c->n_zones; i++) {
        if (!slice_eq(c->zones[i]->name, name)) continue;
        *ret = &c->zones[i]->zone;
        return 0;
    }
    if (name.len && !slice_copy(name, text, sizeof text))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "this is no name of a time zone");
    if (c->n_zones == CALENDAR_ZONES_MAX)
        return diag_set(diag, ERR_LIMIT, NULL, 0, 0, "there are more than %d time zones",
                        CALENDAR_ZONES_MAX);
    struct named_zone *zone = arena_zalloc(&c->arena, 1, sizeof *zone);
    if (!zone) return arena_error(&c->arena);
    zone->name = arena_dup(&c->arena, name);
    int error = zone_read(&zone->zone, name.len ? text : NULL, c->now - years, diag);
    if (error == 0) error = arena_error(&c->arena);
    if (error) return error;
    c->zones[c->n_zones++] = zone;
    *ret = &zone->zone;
    return 0;
}

/* ---- days -------------------------------------------------------------------------------- */

static bool is_on(const struct rule *rule, int64_t day, const struct civil_time *date)
{
    int at = date->month * 100 + date->day;
    if (date->year < rule->since || (rule->until && date->year > rule->until)) return false;
    switch (rule->form) {
    case ON_DATE:
        return at == rule->first;
    case FROM_EASTER:
        return day == calendar_easter(date->year) + rule->first;
    case ON_WEEKDAY:
        return calendar_weekday(day) == rule->weekday && at >= rule->first && at <= rule->last;
    }
    return false;
}

/* The line of the day that counts most, or NULL. */
static const struct rule *rule_of(const struct calendar *c, int64_t day)
{
    const struct rule *found = NULL;
    struct civil_time date;
    time_to_civil(day * CALENDAR_DAY, &date);
    for (uint32_t i = 0; i < c->n_rules; i++) {
        const struct rule *rule = &c->rules[i];
        if (is_on(rule, day, &date) && (!found || rule->kind > found->kind)) found = rule;
    }
    return found;
}

bool calendar_is_free(const struct calendar *c, int64_t day)
{
    if (calendar_weekday(day) >= 5) return true;
    const struct rule *rule = rule_of(c, day);
    return rule && rule->kind >= CALENDAR_EVE;
}

void calendar_day(const struct calendar *c, int64_t day, struct calendar_day *ret)
{
    const struct rule *rule = rule_of(c, day);
    *ret = (struct calendar_day){.weekday = calendar_weekday(day)};
    if (rule) {
        ret->kind = rule->kind;
        ret->key = rule->key;
        ret->sv = rule->sv;
        ret->en = rule->en;
        ret->law = rule->law;
    }
    ret->bridge = ret->weekday < 5 && ret->kind < CALENDAR_EVE && calendar_is_free(c, day - 1) &&
                  calendar_is_free(c, day + 1);
}
