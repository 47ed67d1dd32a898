/* SPDX-License-Identifier: EUPL-1.2 */
/* What is known of a roster, as JSON: docs/oncall.md has the members. All below append one value.
 */
#ifndef VAKA_ROSTER_SHOW_H
#define VAKA_ROSTER_SHOW_H

#include "roster/rest.h"

struct db;

/* ,"name":"2026-12-23T21:47:00Z" */
void show_time(struct buf *out, const char *name, nsec time);
/* [{rule, person, from, until, got, limit, law, sv, en},…]; got and limit in minutes. */
void show_breaches(const struct roster *r, const struct rest_breaches *breaches, struct buf *out);
/* [{team, person, from, until, gained},…] */
void show_moves(const struct roster_moves *moves, struct buf *out);
/* {person, owed, days, at_once, begins, earliest, shift, instead}; owed in minutes. */
void show_owed(const struct roster_person *person, const struct rest_owed *owed, struct buf *out);

/* Who is on call in each team then, and until when. */
void show_who(const struct roster *r, nsec at, struct buf *out);
/* Lanes of the rotations and the final schedule of each team, gaps, and days that are not like
 * others. All below: errors of roster_schedule(). */
int show_schedule(const struct roster *r, nsec from, nsec until, struct buf *out) MUST_USE;
int show_gaps(const struct roster *r, nsec from, nsec until, struct buf *out) MUST_USE;
/* {"good":false,"findings":[…]} */
int show_check(const struct roster *r, nsec from, nsec until, struct buf *out) MUST_USE;
int show_fairness(const struct roster *r, nsec from, nsec until, struct buf *out) MUST_USE;
/* Somebody with his ways of contact, and his shifts from then until then. */
int show_person(const struct roster *r, const struct roster_person *person, nsec from, nsec until,
                struct buf *out) MUST_USE;
/* Days that are not like others, from a day until before another one. */
void show_days(const struct calendar *c, int64_t from, int64_t until, struct buf *out);

/* ---- from a database: its errors as well ---- */

/* The newest plan with its text; null: there is none. */
int show_plan(struct db *db, struct buf *out) MUST_USE;
/* Changes that end behind `since`, the newest first, also those that were dropped. */
int show_changes(struct db *db, nsec since, struct buf *out) MUST_USE;
/* Disturbances that began behind `since`, the newest first. */
int show_disturbances(struct db *db, nsec since, struct buf *out) MUST_USE;
/* What is owed to each who was disturbed in sixty days, whose rest is not over at `now`. */
int show_rest(struct db *db, const struct roster *r, nsec now, struct buf *out) MUST_USE;

#endif
