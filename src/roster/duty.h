/* SPDX-License-Identifier: EUPL-1.2 */
/* What rules of rest and pay say in numbers: taxonomy/duty.tsv, and what a plan says before it. */
#ifndef VAKA_ROSTER_DUTY_H
#define VAKA_ROSTER_DUTY_H

#include "base/error.h"

/* By the order of the file. */
#define DUTY_FACTS(X)                                                                              \
    X(DAILY_REST, "daily-rest")                                                                    \
    X(DAILY_EXCEPTION, "daily-rest-exception")                                                     \
    X(SHIFT_EXCEPTION, "shift-exception")                                                          \
    X(WEEKLY_REST, "weekly-rest")                                                                  \
    X(HEAVY, "heavy-disturbance")                                                                  \
    X(JOUR_MONTH, "jour-month")                                                                    \
    X(JOUR_WEEKS, "jour-weeks")                                                                    \
    X(PAY_BEREDSKAP, "pay-beredskap")                                                              \
    X(PAY_BEREDSKAP_ABOVE, "pay-beredskap-above")                                                  \
    X(PAY_BEREDSKAP_LIMIT, "pay-beredskap-limit")                                                  \
    X(PAY_JOUR, "pay-jour")                                                                        \
    X(PAY_JOUR_ABOVE, "pay-jour-above")                                                            \
    X(PAY_JOUR_LIMIT, "pay-jour-limit")                                                            \
    X(NIGHT_FROM, "night-from")                                                                    \
    X(NIGHT_UNTIL, "night-until")

enum duty_fact {
#define X(id, key) DUTY_##id,
    DUTY_FACTS(X)
#undef X
        DUTY_COUNT,
};

struct duty {
    struct {
        uint32_t value;
        struct slice law, sv, en; /* constant */
    } facts[DUTY_COUNT];
};

/* What the program has built in. */
void duty_init(struct duty *d);
/* DUTY_COUNT: there is none of that key. */
enum duty_fact duty_find(struct slice key);
const char *duty_key(enum duty_fact fact);

#endif
