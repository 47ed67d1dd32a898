/* SPDX-License-Identifier: EUPL-1.2 */
/* How duty is shared: hours by person, and hours that duty is paid for. */
#ifndef VAKA_ROSTER_FAIRNESS_H
#define VAKA_ROSTER_FAIRNESS_H

#include "roster/schedule.h"

/*
 * A time that he is on call for several teams counts once. Nights are between the hours of
 * taxonomy/duty.tsv, weekends Saturday and Sunday, red days public holidays and eves, also those at
 * a weekend. Duty is paid outside of office hours; in each calendar month the hours above a limit
 * are paid more.
 */
struct fairness {
    const struct roster_person *person;
    uint32_t shifts;
    nsec total, nights, weekends, red;
    nsec beredskap, beredskap_above, jour, jour_above; /* paid; the first without the second */
};

/* Of everybody who stands in a rotation or has a shift, in the order of the plan. Lives in the
 * arena. Errors of roster_schedule(). */
int fairness_count(const struct roster *r, nsec from, nsec until, struct arena *arena,
                   struct fairness **ret, uint32_t *ret_n) MUST_USE;

#endif
