/* SPDX-License-Identifier: EUPL-1.2 */
#include "calendar/hours.h"

enum { DAY_SECONDS = 24 * 3600, DAYS_AHEAD = 60 };

/* ---- reading ----------------------------------------------------------------------------- */

bool hours_parse_time(struct slice text, int32_t *ret)
{
    struct slice hour, minute;
    uint64_t h, m;
    if (!slice_split(text, ':', &hour, &minute) || hour.len == 0 || hour.len > 2 || minute.len != 2)
        return false;
    if (!slice_to_u64(hour, &h) || !slice_to_u64(minute, &m)) return false;
    if (m > 59 || h > 24 || (h == 24 && m > 0)) return false;
    *ret = (int32_t)(h * 3600 + m * 60);
    return true;
}

static const struct {
    const char *word;
    unsigned day;
} words[] = {
    {"mon", 0},         {"monday", 0},        {"mån", 0},
    {"måndag", 0},      {"tue", 1},           {"tuesday", 1},
    {"tis", 1},         {"tisdag", 1},        {"wed", 2},
    {"wednesday", 2},   {"ons", 2},           {"onsdag", 2},
    {"thu", 3},         {"thursday", 3},      {"tors", 3},
    {"torsdag", 3},     {"fri", 4},           {"friday", 4},
    {"fre", 4},         {"fredag", 4},        {"sat", 5},
    {"saturday", 5},    {"lör", 5},           {"lördag", 5},
    {"sun", 6},         {"sunday", 6},        {"sön", 6},
    {"söndag", 6},      {"half", HOURS_HALF}, {"bridge", HOURS_BRIDGE},
    {"red", HOURS_RED},
};

static bool parse_day(struct slice text, unsigned *ret)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!slice_eq_nocase(text, slice_of(words[i].word))) continue;
        *ret = words[i].day;
        return true;
    }
    return false;
}

bool hours_parse_weekday(struct slice text, unsigned *ret)
{
    unsigned day;
    if (!parse_day(text, &day) || day > 6) return false;
    *ret = day;
    return true;
}

/* mon, mon-fri, fri-mon */
static bool parse_range(struct slice text, uint16_t *days)
{
    struct slice first, last;
    unsigned from, to;
    if (!slice_split(text, '-', &first, &last)) {
        if (!parse_day(text, &from)) return false;
        *days |= (uint16_t)(1u << from);
        return true;
    }
    if (!hours_parse_weekday(first, &from) || !hours_parse_weekday(last, &to)) return false;
    for (unsigned day = from;; day = (day + 1) % 7) {
        *days |= (uint16_t)(1u << day);
        if (day == to) return true;
    }
}

static bool parse_days(struct slice text, uint16_t *days)
{
    struct slice part;
    bool more = true;
    while (more) {
        more = slice_split(text, ',', &part, &text);
        if (!parse_range(part, days)) return false;
    }
    return true;
}

int hours_add(struct hours *h, struct slice text, const char **ret_why)
{
    struct hours_span span = {0};
    struct slice days = slice_next_word(&text), times = slice_next_word(&text), from, end;
    *ret_why = "hours are such as `mon-fri 08:00-16:30`";
    if (slice_trim(text).len || !slice_split(times, '-', &from, &end)) return ERR_SYNTAX;
    *ret_why = "a day is mon to sun, half, bridge or red";
    if (!parse_days(days, &span.days)) return ERR_SYNTAX;
    *ret_why = "a time is 00:00 to 24:00";
    if (!hours_parse_time(from, &span.from) || !hours_parse_time(end, &span.end)) return ERR_SYNTAX;
    if (span.from == DAY_SECONDS) return ERR_SYNTAX;
    if (span.end <= span.from) span.end += DAY_SECONDS;
    *ret_why = "there are too many hours";
    if (h->n == HOURS_SPANS_MAX) return ERR_LIMIT;
    h->spans[h->n++] = span;
    h->days |= span.days;
    return 0;
}

/* ---- asking ------------------------------------------------------------------------------ */

/* The bit of hours that apply on the day; 0: none. */
static uint16_t bit_of(const struct hours *h, const struct calendar *c, int64_t day)
{
    const uint16_t red = 1u << HOURS_RED, half = 1u << HOURS_HALF, bridge = 1u << HOURS_BRIDGE;
    struct calendar_day is;
    calendar_day(c, day, &is);
    if (is.kind >= CALENDAR_EVE && (h->days & red)) return red;
    if (is.kind >= CALENDAR_EVE && h->closed_on_red) return 0;
    if (is.kind == CALENDAR_HALF && (h->days & half)) return half;
    if (is.bridge && (h->days & bridge)) return bridge;
    return (uint16_t)(1u << is.weekday);
}

bool hours_hold(const struct hours *h, const struct calendar *c, const struct zone *zone, nsec time)
{
    int64_t today = calendar_day_of(zone, time);
    for (int64_t day = today - 1; day <= today; day++) {
        uint16_t bit = bit_of(h, c, day);
        for (uint32_t i = 0; i < h->n; i++) {
            const struct hours_span *s = &h->spans[i];
            if ((s->days & bit) && time >= calendar_time(zone, day, s->from * NSEC_PER_SEC) &&
                time < calendar_time(zone, day, s->end * NSEC_PER_SEC))
                return true;
        }
    }
    return false;
}

static void take_nearer(nsec edge, nsec after, nsec *nearest)
{
    if (edge > after && edge < *nearest) *nearest = edge;
}

nsec hours_next_edge(const struct hours *h, const struct calendar *c, const struct zone *zone,
                     nsec time)
{
    int64_t today = calendar_day_of(zone, time);
    nsec nearest = INT64_MAX;
    /* What begins on a later day cannot be nearer than what ends or begins on an earlier one, but
     * for the end of a span that goes on past midnight. */
    for (int64_t day = today - 1; day <= today + DAYS_AHEAD; day++) {
        if (nearest < INT64_MAX && calendar_time(zone, day, 0) > nearest) break;
        uint16_t bit = bit_of(h, c, day);
        for (uint32_t i = 0; i < h->n; i++) {
            if (!(h->spans[i].days & bit)) continue;
            take_nearer(calendar_time(zone, day, h->spans[i].from * NSEC_PER_SEC), time, &nearest);
            take_nearer(calendar_time(zone, day, h->spans[i].end * NSEC_PER_SEC), time, &nearest);
        }
    }
    return nearest;
}
