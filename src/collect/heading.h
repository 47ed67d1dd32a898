/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the first lines of a log say of those behind them: W3C's #Fields and Zeek's # lines name the
 * columns. Lines are handed in as they stand in the file; what they say is the context of the
 * records behind them, so that each is whole in itself.
 *
 * A log is one with a heading when its first line says so, and only then: else whoever gets a line
 * into a log could change how all others are read. Both forms may write their headings again.
 */
#ifndef VAKA_COLLECT_HEADING_H
#define VAKA_COLLECT_HEADING_H

#include "event/record.h"

enum { HEADING_MAX = 6 * 1024 }; /* bytes of one */

struct heading {
    struct buf text; /* the context; empty: there is none (yet) */
    uint64_t at;     /* where the first of its lines begins in the file */
    uint8_t format;  /* RECORD_W3C, RECORD_ZEEK, or RECORD_TEXT: the log has none */
    bool open;       /* Zeek: the line before belongs to it */
};

void heading_init(struct heading *h);
void heading_done(struct heading *h);
/* The line at this offset, in the order of the file. Whether it is part of a heading. */
bool heading_take(struct heading *h, struct slice line, uint64_t at);
/*
 * As it was for the lines behind this offset, at most: from the lines at the beginning of the file
 * and those from `at` on, which is where it began (heading.at).
 */
void heading_restore(struct heading *h, int fd, uint64_t at, uint64_t offset);

#endif
