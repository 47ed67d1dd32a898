/* SPDX-License-Identifier: EUPL-1.2 */
/* One line on a terminal that says how far the hunt is, and is gone when it is done. */
#ifndef VAKA_HUNT_PROGRESS_H
#define VAKA_HUNT_PROGRESS_H

#include "base/time.h"

struct progress {
    int fd; /* -1: nothing is shown */
    unsigned width;
    nsec started, shown; /* monotonic */
    bool visible;
};

struct progress_numbers {
    uint64_t bytes_done, bytes_total, events, alerts;
};

void progress_init(struct progress *p, int fd, unsigned width, nsec now);
/* Redraws when the last drawing is old enough. */
void progress_show(struct progress *p, const struct progress_numbers *n, nsec now);
/* The same by hand: whether it is old enough, and a line of printable ASCII that is drawn. */
bool progress_is_due(const struct progress *p, nsec now);
void progress_show_text(struct progress *p, struct slice text, nsec now);
/* The same of stored records. */
struct progress_blocks {
    uint64_t bytes_done, bytes_total; /* of raw records, about */
    uint64_t read, passed;            /* blocks */
    uint64_t records, found;
};
void progress_show_blocks(struct progress *p, const struct progress_blocks *n, nsec now);
/* Takes the line away, so that something else can be written; progress_show() draws it again. */
void progress_clear(struct progress *p);

#endif
