/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Rest: whether a plan gives it, and what is owed when nights were disturbed. The limits and where
 * they stand are facts of roster/duty.h.
 *
 * Work is ordinary work in office hours, jour, and disturbances of beredskap; beredskap itself does
 * not break daily rest (it is no working time), but weekly rest, unless the plan says that an
 * agreement has it otherwise. A day of 24 hours and a week of seven days begin where the plan's
 * `rest` has it, always at the same time. Only days and weeks with duty in them are looked at.
 */
#ifndef VAKA_ROSTER_REST_H
#define VAKA_ROSTER_REST_H

#include "roster/schedule.h"

enum rest_rule { REST_DAILY, REST_WEEKLY, REST_JOUR };

struct rest_breach {
    enum rest_rule rule;
    const struct roster_person *person;
    nsec from, until; /* the day, week or month */
    nsec got, limit;  /* rest in a row; hours of jour */
    struct slice law;
};
struct rest_breaches {
    const struct rest_breach *items;
    uint32_t n;
};

/*
 * What is planned in days and weeks that begin then and end by then, by person. Lives in the arena.
 * Errors of roster_schedule().
 */
int rest_check(const struct roster *r, nsec from, nsec until, struct arena *arena,
               struct rest_breaches *ret) MUST_USE;
/* Whether a list has one of the same rule, person (by id) and time that is as bad. */
bool rest_has(const struct rest_breaches *list, const struct rest_breach *breach);
/* "Anna: dygnsvila 9 h, minst 11 h, 2026-12-23 08:00 – 2026-12-24 08:00 (AB 13 §)" */
void rest_write_breach(const struct roster *r, const struct rest_breach *breach, bool english,
                       struct buf *out);

/* ---- disturbances ---- */

struct rest_disturbance {
    nsec from, until;
};

struct rest_owed {
    nsec owed;     /* rest that days with disturbances lack; 0: none */
    uint32_t days; /* that lack it */
    bool at_once;  /* a day was disturbed so much that rest is given before anything else */
    nsec begins;   /* rest: behind the disturbance, or the first daily rest behind the duty */
    nsec earliest; /* work and shifts may begin again; TIME_NONE: whenever */
    /* A shift of his that begins, or goes on, before that; team NULL: none. */
    struct roster_moved shift;
    const struct roster_person *instead; /* who could have it without a breach; NULL: nobody */
};

/*
 * What is owed to him after the last of his disturbances, which are in order of time, as things are
 * planned. What was owed before the duty that it fell into is not counted again.
 */
int rest_owed(const struct roster *r, const struct roster_person *person,
              const struct rest_disturbance *disturbances, uint32_t n, struct arena *arena,
              struct rest_owed *ret) MUST_USE;

#endif
