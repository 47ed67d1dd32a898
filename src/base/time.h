/* SPDX-License-Identifier: EUPL-1.2 */
/* Points in time as log records write them. */
#ifndef VAKA_BASE_TIME_H
#define VAKA_BASE_TIME_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"

/* A point in time (nsec since 1970-01-01T00:00:00Z) that is not known. */
#define TIME_NONE INT64_MIN

/* A clock that tells no year may be so much ahead: a zone, and a day more. */
#define TIME_GRACE (2 * 24 * 3600 * NSEC_PER_SEC)

struct civil_time {
    int year, month, day, hour, minute, second; /* month and day from 1 */
    int nsec;
};

nsec time_from_civil(const struct civil_time *c);   /* UTC; TIME_NONE out of range */
void time_to_civil(nsec t, struct civil_time *ret); /* UTC */
unsigned time_iso_week(const struct civil_time *c);

/*
 * Reads one of: ISO 8601 / RFC 3339 (`T` or space, optional fraction of 1-9 digits after . or ,
 * optional Z or ±hh[:]mm, no zone = UTC; a date alone), epoch seconds with optional fraction,
 * epoch milliseconds/microseconds/nanoseconds (by magnitude), `2026/01/02 03:04:05`,
 * `02/Jan/2026:03:04:05 +0100`, `Mon Jan  2 03:04:05 2026`, Cisco's `Jan  2 2026 03:04:05` and
 * `2026 Jan  2 03:04:05`, RFC 3164 `Jan  2 03:04:05` (needs ref_year > 0). A zone may also be UTC,
 * GMT, WET, CET, CEST, EET or EEST. Months' names may be longer than three letters (June, Sept).
 * false when it is none of them.
 */
bool time_parse(struct slice text, int ref_year, nsec *ret);
/*
 * The same by a clock: a time without a year is the last one before `now` and TIME_GRACE, so that
 * December's records in January are of the year before, and January's in December of the next.
 */
bool time_parse_near(struct slice text, nsec now, nsec *ret);
/* The last year that such a time can be of; it is of this one or the one before. */
int time_last_year(nsec now);
/* The same, with a year, as it is written: date and clock of the text's own zone. Epochs: UTC. */
bool time_parse_civil(struct slice text, struct civil_time *ret);

/*
 * How much of s is the English name of a month, whole or its first three letters, or Sept, letters'
 * case aside; 0: none of it.
 */
size_t time_month_len(struct slice s, int *ret_month);

/* 2026-12-23T21:47:00.123Z; fraction with 3, 6 or 9 digits, as few as keep the value. */
void time_write_rfc3339(struct buf *out, nsec t);

#endif
