/* SPDX-License-Identifier: EUPL-1.2 */
/* Days in Sweden: the clock of Stockholm, weekdays, and days off. Shares nothing with the model. */
#ifndef VAKA_TESTS_HEALTH_CALENDAR_H
#define VAKA_TESTS_HEALTH_CALENDAR_H

#include <stdbool.h>

#include "base/clock.h"

struct moment {
    int year, month, day; /* local */
    int weekday;          /* 0: Monday */
    double hour;          /* of the day, with its fraction */
    bool red;             /* Sunday, a holiday or an eve that counts as one */
    bool bridge;          /* one working day between days off */
    bool school;          /* schools are open */
    bool summer;          /* weeks 28 to 31, when most are away */
};

/* Seconds that the clock in Stockholm is ahead of UTC. */
int32_t calendar_offset(nsec time);
void calendar_at(nsec time, struct moment *ret);

#endif
