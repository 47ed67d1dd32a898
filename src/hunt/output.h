/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the hunt prints: lines as they come (JSON, CSV), or a table (a timeline in order of time and
 * then the summaries) when everything is known.
 *
 * Write errors and lack of memory are sticky; output_error() is asked now and then.
 */
#ifndef VAKA_HUNT_OUTPUT_H
#define VAKA_HUNT_OUTPUT_H

#include "alert/line.h"
#include "hunt/message.h"

struct output;

struct output_options {
    enum hunt_format format;
    int fd;        /* borrowed */
    bool terminal; /* fd is one: nothing that could command it is written */
    bool colour;
    bool utc;                        /* times of the table; else the machine's zone */
    unsigned width;                  /* columns of the table */
    const struct sigma_set *set;     /* borrowed, as … */
    const struct taxonomy *taxonomy; /* … this is */
};

/* NULL when out of memory. */
struct output *output_new(const struct output_options *options);
void output_free(struct output *o);

void output_alert(struct output *o, const struct message_alert *m, uint64_t record);
/* `refs`: firing->n_refs entries. */
void output_correlation(struct output *o, const struct correlator_firing *firing,
                        const struct line_ref *refs);
/* Writes what is buffered. */
void output_flush(struct output *o);
/* The table; for the other formats only a flush. `events` were read. */
void output_finish(struct output *o, uint64_t events);
/* errno of the first failed write, ENOMEM when a line could not be composed, or 0. */
int output_error(const struct output *o);

/* Alerts so far, and the highest level among them. */
uint64_t output_alerts(const struct output *o);
enum sigma_level output_highest(const struct output *o);

#endif
