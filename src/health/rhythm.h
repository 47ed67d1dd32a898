/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The rhythm of one source by hour of the week: how long it is silent at most, and how many records
 * come. docs/design/0005 has the model and why.
 *
 * For every hour that was watched from its beginning to its end two numbers are learned: the
 * longest silence that reached into it, however long before it began, and its records. So the hours
 * of a night in which nothing comes have silences of hours, and the hour in which work begins has
 * minutes.
 *
 * Hours borrow from the same hour of like days: Monday to Friday are like each other, and so are
 * Saturday and Sunday. When a source is silent on Sundays, Mondays and Saturdays are like no other
 * day: a silence then reaches back over another number of days.
 */
#ifndef VAKA_HEALTH_RHYTHM_H
#define VAKA_HEALTH_RHYTHM_H

#include <stdbool.h>

#include "base/clock.h"

/* Dips: of stretches of some minutes, and of hours (volume.h). */
enum { RHYTHM_HOURS = 168, RHYTHM_DIPS = 2 };

struct rhythm_hour {
    float weeks;   /* it was learned so often */
    float silence; /* s: the longest of an hour, in the mean of the last weeks … */
    float longest; /* … and at most, sinking to the mean */
    float records;
    float dips[RHYTHM_DIPS]; /* ln of its lowest stretch by what was expected, rising to the mean */
};

enum { RHYTHM_KINDS = 3 }; /* of days: working days, Saturdays, Sundays */

struct rhythm {
    struct rhythm_hour hours[RHYTHM_HOURS];
    float odd[RHYTHM_KINDS][24]; /* s: a silence that was told and ended by itself, sinking */
    float spread; /* how far silences go beyond their hour's mean, as a part of it, in the mean */
    uint32_t learned; /* hours … */
    uint32_t spreads; /* … and those that were known before, so that they say how far it goes */
};

void rhythm_init(struct rhythm *r);

/* 0 is Monday from 0 to 1 by the clock of people: `offset` seconds ahead of UTC. */
unsigned rhythm_hour_at(nsec time, int32_t offset);
/* The same hour on Sunday. */
unsigned rhythm_rest_hour(unsigned hour);

/* An hour has ended. records < 0: they are not to be learned; dips NULL: nor are they. */
void rhythm_learn(struct rhythm *r, unsigned hour, double silence, double records,
                  const double dips[RHYTHM_DIPS]);
/*
 * A silence that was told of has ended by itself; in that hour it had become so long. The second
 * time that is usual, for once may have been a fault; `certain`: it is the first time.
 */
void rhythm_note(struct rhythm *r, unsigned hour, double silence, bool certain);

/* Seconds: the longest silence that is usual at that hour; 0: nothing is known of like hours. */
double rhythm_silence(const struct rhythm *r, unsigned hour);
/* The greatest of the 24 hours from that one on. */
double rhythm_silence_ahead(const struct rhythm *r, unsigned hour);
/* The longest of all that was ever learned, sinking with time. */
double rhythm_longest(const struct rhythm *r);
/* Records that usually come in that hour; < 0: nothing is known. */
double rhythm_records(const struct rhythm *r, unsigned hour);
/* ln of the lowest stretch that is usual in it; 0: nothing is known, or none is. */
double rhythm_dip(const struct rhythm *r, unsigned hour, unsigned which);
/* Whether it speaks on working days at hours at which it does not on Sundays. */
bool rhythm_rests(const struct rhythm *r);
/* Whether it does at this hour. */
bool rhythm_rests_at(const struct rhythm *r, unsigned hour);

#endif
