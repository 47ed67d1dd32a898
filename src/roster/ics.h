/* SPDX-License-Identifier: EUPL-1.2 */
/* Shifts as an iCalendar (RFC 5545), for calendars of people. */
#ifndef VAKA_ROSTER_ICS_H
#define VAKA_ROSTER_ICS_H

#include "roster/schedule.h"

/*
 * All shifts from then until then, of one person (NULL: of all) in one team (NULL: in all). Times
 * are in UTC, so that no calendar needs to know the zone. The name of an event is the team's, and
 * the person's behind it where there are several. ERR_NOMEM, ERR_LIMIT.
 */
int ics_write(const struct roster *r, const struct roster_team *team,
              const struct roster_person *person, nsec from, nsec until, nsec now,
              struct buf *out) MUST_USE;

#endif
