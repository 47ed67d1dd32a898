/* SPDX-License-Identifier: EUPL-1.2 */
/* The cells of a line of CSV (RFC 4180), which stand in quotes or not. */
#ifndef VAKA_BASE_CSV_H
#define VAKA_BASE_CSV_H

#include "base/slice.h"

/* One cell, as it stands: with quotes, if it has any. */
struct csv_cell {
    struct slice text;
    bool quoted; /* begins with a quote, so that quotes in it mean something */
    bool open;   /* the closing quote is missing */
};

/*
 * Takes the next cell off *s; the delimiter behind it goes too and *ret_more says that there was
 * one, so another cell follows. Text behind a closing quote belongs to the cell.
 */
struct csv_cell csv_take_cell(struct slice *s, char delimiter, bool *ret_more);

/*
 * What the cell means. Text that needs no decoding stays in place, else `room` says where n bytes
 * go; when it answers NULL, the text stays as it is.
 */
struct slice csv_cell_text(struct csv_cell c, char *(*room)(void *ctx, size_t n), void *ctx);

#endif
