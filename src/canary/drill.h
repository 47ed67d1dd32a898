/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a drill came to, from what the canary's process says of it and what the database has of its
 * incidents: when the attack was detected, paged for, acknowledged and contained, on the clock of
 * the recording. And when the next one begins by itself.
 */
#ifndef VAKA_CANARY_DRILL_H
#define VAKA_CANARY_DRILL_H

#include "base/buf.h"
#include "desk/read.h"

/* What is measured; the order is that of time when all goes well. */
enum drill_step {
    DRILL_DETECTED,
    DRILL_PAGED,
    DRILL_ACKNOWLEDGED,
    DRILL_CONTAINED,
    DRILL_STEP_COUNT,
};

struct drill_report {
    struct slice run;  /* borrowed: an object of "runs" (docs/status.md) */
    nsec begun, ended; /* realtime; ended 0: it runs */
    nsec attack;       /* in the recording; TIME_NONE: it is not known */
    struct {
        nsec at;       /* realtime; TIME_NONE: it did not come to that */
        nsec recorded; /* the same on the recording's clock */
    } steps[DRILL_STEP_COUNT];
    struct buf incidents; /* a JSON list, as desk_write_exercises() makes it */
};

/* "detected" */
const char *drill_step_name(enum drill_step step);
/* The run of that id in what the canary says of drills, or the newest (0); empty: there is none. */
struct slice drill_find_run(struct slice drills, uint64_t id);
/* `run` is borrowed for as long as the report is used. Errors are the database's; the report is to
 * be done with in any case. */
int drill_report_read(struct drill_report *p, const struct desk_view *view,
                      struct slice run) MUST_USE;
void drill_report_done(struct drill_report *p);
/* Seconds from the beginning of the attack, by the recording's clock. */
double drill_report_after(const struct drill_report *p, enum drill_step step);
/* {"id":…,"scenario":…,"detected":{"at":…,"recorded":…,"after_s":…},…,"incidents":[…]} */
void drill_report_write(struct buf *out, const struct drill_report *p);

/*
 * What the canary's process says of drills (docs/status.md) as people read it, with times as RFC
 * 3339 has them; null when it says nothing.
 */
void drills_write(struct buf *out, struct slice drills);

/*
 * Whether one is due that is sent every `every` (0: never): `last` began the last one, or the
 * first waiting for one (realtime). A clock that was a day or more ahead then counts for nothing.
 */
bool drill_is_due(nsec every, nsec last, nsec now);

#endif
