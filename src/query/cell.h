/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Cells of rows, and how they travel: u8 kind · u32 length · the text, little-endian. A row is its
 * cells, one behind the other.
 */
#ifndef VAKA_QUERY_CELL_H
#define VAKA_QUERY_CELL_H

#include "base/buf.h"
#include "base/clock.h"

enum cell_kind {
    CELL_NONE, /* the event has no such field */
    CELL_TEXT,
    CELL_NUMBER, /* as JSON has it */
    CELL_TIME,   /* nanoseconds since 1970 in decimal */
    CELL_LIST,   /* several cells, none of them a list */
    CELL_JSON,
};

struct cell {
    struct slice text;
    enum cell_kind kind;
};

/* Overflow is the buffer's. */
void cell_write(struct buf *out, const struct cell *c);
/* The cell that *rest begins with, borrowed; false: it does not begin with one. */
bool cell_read(struct slice *rest, struct cell *ret) MUST_USE;
/* A row of n cells and nothing behind it. */
bool cells_read(struct slice bytes, struct cell *ret, uint32_t n) MUST_USE;

/* Of a CELL_TIME. */
nsec cell_time(const struct cell *c);
/* {"name":value,…} and a line feed; times as RFC 3339 has them, numbers as they were written. */
void cells_write_json(struct buf *out, const struct slice *names, const struct cell *cells,
                      uint32_t n);
/* The number or time that it is, also as text. Of a list: false. */
bool cell_number(const struct cell *c, double *ret);
/* Nothing first, then numbers and times, then texts by their bytes; lists by their first value that
 * is not the same. */
int cell_compare(const struct cell *a, const struct cell *b);

/* Goes through the values of a cell: those of a list, itself, or none. */
struct cell_values {
    struct slice rest;
    struct cell one;
    bool has_one;
};
void cell_values_init(struct cell_values *v, const struct cell *c);
bool cell_values_next(struct cell_values *v, struct cell *ret);

#endif
