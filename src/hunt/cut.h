/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Where a large text file may be cut, so that several decoders read it side by side.
 *
 * CUT_LINES: after a line that is not blank. CUT_JSON: between two objects: a line that starts with
 * '{' after one that ends with '}'. In JSON that is never inside an object or an array (a comma
 * would have to stand between), nor in a string (which holds no raw line feed), so it serves one
 * object per line and pretty-printed objects alike.
 *
 * Ranges are made of nothing but offsets: range [a, b) holds the bytes from the first cut in it to
 * the first cut at or after b. A range without a cut in it is empty. Neighbours agree because both
 * look for the same thing.
 */
#ifndef VAKA_HUNT_CUT_H
#define VAKA_HUNT_CUT_H

#include "base/slice.h"

enum cut { CUT_NONE, CUT_LINES, CUT_JSON, CUT_LAST_ = CUT_JSON };

/* Bytes before and at a position that decide whether it is a cut. */
enum { CUT_BEFORE = 3, CUT_AFTER = 1 };

/*
 * The first cut in data at or after `from` (from >= CUT_BEFORE), SIZE_MAX when there is none. A
 * position is looked at when CUT_AFTER bytes of it are there: it is below data.len.
 */
size_t cut_find(enum cut kind, struct slice data, size_t from);

/* How a source that starts like this, and is read by that decoder, may be cut. */
enum cut cut_kind(struct slice format, struct slice head);

#endif
