/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One alert as one line of output. Lines are composed where the event is, and printed by the hunt,
 * which fills in the number of the record: a decoder of one range of a file does not know how many
 * records the ranges before it hold.
 */
#ifndef VAKA_HUNT_LINE_H
#define VAKA_HUNT_LINE_H

#include "detect/correlate/correlate.h"
#include "detect/engine.h"

enum hunt_format { HUNT_TABLE, HUNT_JSON, HUNT_CSV };

enum {
    LINE_EVENT_MAX = 4 * 1024 * 1024, /* bytes of "event"; a larger one is left out and named so */
    LINE_DETAILS = 6,                 /* matched values that a table or CSV line shows */
    LINE_VALUE_MAX = 512,             /* bytes of one of them */
};

struct line_alert {
    struct engine *engine;
    const struct engine_hit *hit;
    struct event *event;
    struct slice event_json; /* from line_event_json() */
    nsec time;
    struct slice host, source;
};

/* The event as one line of JSON; empty when it is larger than LINE_EVENT_MAX. Clears out first. */
struct slice line_event_json(struct buf *out, struct event *event);

/*
 * Appends the line (with its line feed; HUNT_TABLE: the matched values only, without one) and
 * returns where in it the record's number belongs. Directly after engine_match().
 */
size_t line_write(struct buf *out, enum hunt_format format, const struct line_alert *alert);

/* "source 12" of a firing's record. */
struct line_ref {
    struct slice source;
    uint64_t record;
};
/* A correlation that fired. `refs` has firing->n_refs entries. HUNT_TABLE: group and count only. */
void line_write_correlation(struct buf *out, enum hunt_format format,
                            const struct correlator_firing *firing, const struct line_ref *refs);

/* The header of a CSV file. */
void line_write_csv_header(struct buf *out);
const char *line_correlation_type(enum sigma_corr_type type);

#endif
