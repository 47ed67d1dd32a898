/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One alert as one line of output. Lines are composed where the event is, and printed by the hunt,
 * which fills in the number of the record: a decoder of one range of a file does not know how many
 * records the ranges before it hold.
 */
#ifndef VAKA_ALERT_LINE_H
#define VAKA_ALERT_LINE_H

#include "detect/correlate/correlate.h"
#include "detect/engine.h"
#include "event/record.h"

enum hunt_format { HUNT_TABLE, HUNT_JSON, HUNT_CSV };

enum {
    LINE_EVENT_MAX = 4 * 1024 * 1024, /* bytes of "event"; a larger one is left out and named so */
    LINE_DETAILS = 6,                 /* matched values that a table or CSV line shows */
    LINE_VALUE_MAX = 512,             /* bytes of one of them */
};

/*
 * Composes the alerts of one event after the other. What the alerts of one event share is written
 * once for all of them, and what those of one rule share once for good: a copy makes an alert.
 */
struct line_writer {
    struct engine *engine;
    enum hunt_format format;
    struct event *event; /* at hand */
    nsec time;
    struct slice host, source;
    struct taxonomy_entity_value entities[TAXONOMY_ENTITY_VALUES_MAX];
    uint32_t n_entities;
    const struct record *record; /* live: where it came from, instead of `source` */
    uint64_t seq;                /* and its sequence number */
    bool composed;               /* the three below are those of the event at hand */
    struct buf when, where;      /* HUNT_JSON: its time; its host and source */
    struct buf event_json;
    struct slice *rules; /* HUNT_JSON: by rule index, `"rule":{…}`; ptr NULL: not written yet */
    uint32_t n_rules;
    struct arena texts; /* of rules[] */
};

/* The engine is borrowed. ERR_NOMEM. */
int line_writer_init(struct line_writer *w, struct engine *engine, enum hunt_format format,
                     uint32_t n_rules) MUST_USE;
void line_writer_done(struct line_writer *w);

/* What follows is of this event; host and source are borrowed until the next one. */
void line_event(struct line_writer *w, struct event *event, nsec time, struct slice host,
                struct slice source);
/*
 * The same of a stored record: its source and sequence number are written in place, nothing is
 * spliced in. The record is borrowed until the next event.
 */
void line_record(struct line_writer *w, struct event *event, nsec time, struct slice host,
                 const struct record *record, uint64_t seq);
/* The alerts of this event go without it: it does not fit in a message beside what matched. */
void line_omit_event(struct line_writer *w);

/*
 * Appends the line (with its line feed; HUNT_TABLE: the matched values only, without one) and
 * returns where in it the record's number belongs. Directly after engine_match().
 */
size_t line_write(struct line_writer *w, const struct engine_hit *hit, struct buf *out);

/* "source 12" of a firing's record. */
struct line_ref {
    struct slice source;
    uint64_t record;
};
/*
 * A correlation that fired. `refs` has firing->n_refs entries; NULL: those of the firing are
 * sequence numbers. HUNT_TABLE: group and count only. The taxonomy
 * tells which of the group's values are the host and entities.
 */
void line_write_correlation(struct buf *out, enum hunt_format format,
                            const struct taxonomy *taxonomy, const struct correlator_firing *firing,
                            const struct line_ref *refs);

/* The header of a CSV file. */
void line_write_csv_header(struct buf *out);
const char *line_correlation_type(enum sigma_corr_type type);

#endif
