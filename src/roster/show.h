/* SPDX-License-Identifier: EUPL-1.2 */
/* What is known of a roster, as JSON: docs/oncall.md has the members. All below append one value.
 */
#ifndef VAKA_ROSTER_SHOW_H
#define VAKA_ROSTER_SHOW_H

#include "roster/rest.h"

/* ,"name":"2026-12-23T21:47:00Z" */
void show_time(struct buf *out, const char *name, nsec time);
/* [{rule, person, from, until, got, limit, law, sv, en},…]; got and limit in minutes. */
void show_breaches(const struct roster *r, const struct rest_breaches *breaches, struct buf *out);
/* [{team, person, from, until, gained},…] */
void show_moves(const struct roster_moves *moves, struct buf *out);
/* {person, owed, days, at_once, begins, earliest, shift, instead, sv, en}; owed in minutes. */
void show_owed(const struct roster *r, const struct roster_person *person,
               const struct rest_owed *owed, struct buf *out);

#endif
