/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Days as people have them: time zones by name, public holidays from taxonomy/holidays.tsv or a
 * file like it, days between two that are free.
 *
 * A day is a number, counted from 1970-01-01, by the clock of a zone; a local time is what that
 * clock shows, as nsec since 1970-01-01T00:00 of that clock (base/zone.h).
 */
#ifndef VAKA_CALENDAR_CALENDAR_H
#define VAKA_CALENDAR_CALENDAR_H

#include "base/time.h"
#include "base/zone.h"

#define CALENDAR_HOUR (3600 * NSEC_PER_SEC)
#define CALENDAR_DAY  (24 * CALENDAR_HOUR)

enum {
    CALENDAR_RULES_MAX = 256,
    CALENDAR_FILE_MAX = 64 * 1024,
    CALENDAR_ZONES_MAX = 64, /* that are asked for */
};

enum calendar_kind {
    CALENDAR_PLAIN,
    CALENDAR_HALF, /* may be a shorter one */
    CALENDAR_EVE,  /* free, but no holiday by law */
    CALENDAR_RED,  /* a public holiday */
};

struct calendar_day {
    enum calendar_kind kind;
    bool bridge;         /* a working day between two free ones (klämdag) */
    unsigned weekday;    /* 0: Monday */
    struct slice key;    /* of the line; empty when plain */
    struct slice sv, en; /* its name; as long as the calendar lives */
    struct slice law;    /* where it says so */
};

struct calendar;

/*
 * `holidays` is the text of a file, empty: the built-in one; `path` names it in messages. Zones
 * are known from two years before `now` on, for some tens of years. ERR_SYNTAX, ERR_LIMIT: diag has
 * the line; ERR_NOMEM.
 */
int calendar_new(struct slice holidays, const char *path, nsec now, struct calendar **ret,
                 struct diag *diag) MUST_USE;
/* May be NULL. */
void calendar_free(struct calendar *c);

/*
 * A zone by its name in /usr/share/zoneinfo; empty: the machine's. Read when it is asked for first,
 * and the calendar's. ERR_INVALID: there is none; ERR_LIMIT, ERR_NOMEM.
 */
int calendar_zone(struct calendar *c, struct slice name, const struct zone **ret,
                  struct diag *diag) MUST_USE;

void calendar_day(const struct calendar *c, int64_t day, struct calendar_day *ret);
/* Whether nobody works on it as on others: Saturday, Sunday, red or an eve. */
bool calendar_is_free(const struct calendar *c, int64_t day);

/* Which day it is, by the zone's clock. */
int64_t calendar_day_of(const struct zone *zone, nsec time);
/* When the zone's clock shows that time of that day, which may be above 24 hours. */
nsec calendar_time(const struct zone *zone, int64_t day, nsec time_of_day);
/* 0: Monday. */
unsigned calendar_weekday(int64_t day);
int64_t calendar_day_from_civil(int year, int month, int day);
/* Easter Sunday of a Gregorian year. */
int64_t calendar_easter(int year);

#endif
