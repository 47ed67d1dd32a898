/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Text from log records, made fit for a terminal. Control characters (C0, DEL, C1), characters that
 * change the direction of text or are invisible, and bytes that are not UTF-8 are shown as escapes,
 * so that no record can move the cursor, colour a line or reorder what is read.
 */
#ifndef VAKA_BASE_TEXT_H
#define VAKA_BASE_TEXT_H

#include "base/buf.h"

/* Whether a terminal may be shown this character as it is. */
bool text_is_visible(uint32_t cp);

/*
 * Appends s with \n \t \r \xNN \u{NNNN} for what is not visible; at most max_columns wide (the last
 * column is … when something was left out). Returns the columns used.
 */
size_t text_put_visible(struct buf *out, struct slice s, size_t max_columns);
/* The columns that text_put_visible() needs for all of s; not counted beyond max_columns. */
size_t text_columns(struct slice s, size_t max_columns);
/*
 * A value of key=value: in double quotes unless it is a plain word, with \" and \\ and the escapes
 * above inside of them.
 */
void text_put_value(struct buf *out, struct slice s);
/* The same as text_put_visible(), then blanks up to `columns`. */
void text_put_padded(struct buf *out, struct slice s, size_t columns);

/*
 * Appends lines of finished output (JSON, CSV); line feeds stay, everything else that is not
 * visible becomes \uNNNN, which means the same inside a JSON string.
 */
void text_put_lines(struct buf *out, struct slice s);

/* One CSV field (RFC 4180), always quoted; a leading = + - @ TAB or CR gets a ' before it. */
void text_put_csv(struct buf *out, struct slice s);

#endif
