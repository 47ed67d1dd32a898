/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Hours of the week, as `mon-fri 08:00-16:30` says them: days, then from when to when by the zone's
 * clock. Days are mon … sun, also whole and in Swedish, ranges of them, and `half`, `bridge` and
 * `red` for days that the calendar has as such; several with commas between them. An end at or
 * before the beginning is on the next day, 24:00 is midnight. A time that comes twice because
 * clocks are put back is the second one (base/zone.h).
 *
 * On a red day or an eve the hours of `red` apply, where there are any, on half days and bridges
 * those of `half` and `bridge`; else, unless red days are closed, those of the day of the week.
 */
#ifndef VAKA_CALENDAR_HOURS_H
#define VAKA_CALENDAR_HOURS_H

#include "calendar/calendar.h"

enum { HOURS_SPANS_MAX = 32, HOURS_HALF = 7, HOURS_BRIDGE = 8, HOURS_RED = 9 };

struct hours {
    struct hours_span {
        uint16_t days;     /* bits: 0 Monday … 6, HOURS_HALF, HOURS_BRIDGE, HOURS_RED */
        int32_t from, end; /* seconds of the day; end > from, at most a day later */
    } spans[HOURS_SPANS_MAX];
    uint32_t n;
    uint16_t days;      /* of all of them */
    bool closed_on_red; /* without hours of its own a red day has none */
};

/* Adds one. ERR_SYNTAX, ERR_LIMIT: *ret_why is a constant sentence. */
int hours_add(struct hours *h, struct slice text, const char **ret_why) MUST_USE;

/* `08:00`, to 24:00; seconds. */
bool hours_parse_time(struct slice text, int32_t *ret);
/* `monday`, `mon`, `måndag`; 0: Monday. */
bool hours_parse_weekday(struct slice text, unsigned *ret);

bool hours_hold(const struct hours *h, const struct calendar *c, const struct zone *zone,
                nsec time);
/* The next time after it at which that may be otherwise; INT64_MAX: none within 60 days. */
nsec hours_next_edge(const struct hours *h, const struct calendar *c, const struct zone *zone,
                     nsec time);

#endif
