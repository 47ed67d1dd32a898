/* SPDX-License-Identifier: EUPL-1.2 */
/* One record by its number, while its store is written, and as JSON. */
#ifndef VAKA_STORE_FETCH_H
#define VAKA_STORE_FETCH_H

#include "event/record.h"
#include "store/io.h"

/*
 * Tells the record, borrowed for the call. ERR_NOT_FOUND: it is not there, or not any more;
 * ERR_CORRUPT: its block or frame is damaged; the table's errors, ERR_NOMEM.
 */
int store_fetch(const struct store_io *io, uint64_t seq,
                void (*take)(void *ctx, uint64_t seq, const struct record *record),
                void *ctx) MUST_USE;

/* An object of all that is known of it. Bytes that are no UTF-8 are replaced in `raw`; with `bytes`
 * they are told as base64 as well. */
void record_write_json(struct buf *out, uint64_t seq, const struct record *r, bool bytes);
/* A text of base64 (RFC 4648, 4), in quotes. */
void record_write_base64(struct buf *out, struct slice bytes);

#endif
