/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Writing JSON into a buf. The output is always valid JSON and valid UTF-8: control characters
 * are escaped, bytes that are not UTF-8 become U+FFFD. Overflow is the buf's (sticky).
 */
#ifndef VAKA_BASE_JSON_WRITE_H
#define VAKA_BASE_JSON_WRITE_H

#include "base/buf.h"

/* "…" with quotes. */
void json_write_string(struct buf *b, struct slice s);
void json_write_u64(struct buf *b, uint64_t v);
void json_write_i64(struct buf *b, int64_t v);
/* Shortest text that reads back as the same double; null for inf and nan. */
void json_write_double(struct buf *b, double v);
/* ,"key": - with the comma unless the last byte is { or [ (also used for the first member). */
void json_write_key(struct buf *b, const char *key);
/* A key and its value. */
void json_write_member_u64(struct buf *b, const char *key, uint64_t v);
void json_write_member_string(struct buf *b, const char *key, struct slice s);
/* Whether the whole of s is a number as RFC 8259, section 6 has it. */
bool json_is_number(struct slice s);

#endif
