/* SPDX-License-Identifier: EUPL-1.2 */
/* What people are told that is no page: in their language, plain text. */
#ifndef VAKA_ROSTER_COMPOSE_H
#define VAKA_ROSTER_COMPOSE_H

#include "roster/rest.h"

/* "mån 2026-01-05 08:00" */
void compose_time(const struct roster *r, nsec time, bool english, struct buf *out);
/* "2 h 30 min" */
void compose_span(nsec span, struct buf *out);

/* Which shifts he has now, and which no longer. False, and nothing is written: none. */
bool compose_moves(const struct roster *r, const struct roster_person *person,
                   const struct roster_moves *moves, struct buf *subject, struct buf *text);
/* His shifts from then until then. False: he has none. ERR_NOMEM, ERR_LIMIT. */
int compose_digest(const struct roster *r, const struct roster_person *person, nsec from,
                   nsec until, struct arena *arena, struct buf *subject, struct buf *text,
                   bool *ret_any) MUST_USE;
/* What he is owed after a disturbance. */
void compose_owed(const struct roster *r, const struct roster_person *person,
                  const struct rest_owed *owed, struct buf *subject, struct buf *text);

#endif
