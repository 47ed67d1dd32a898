/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Makes the index of a segment (index/file.h), block by block: each record is read as serve and
 * searches read it, with all that products say of it.
 */
#ifndef VAKA_INDEX_MAKER_H
#define VAKA_INDEX_MAKER_H

#include "index/file.h"
#include "ruleset/ruleset.h"

/* What events read by these products and taxonomy are read by; see index/file.h. */
uint64_t index_version(const struct ruleset *rules);

struct index_maker;

/*
 * The ruleset, which has no rules, is borrowed, as are the names of the n fields of which cells are
 * kept (index/cells.h). ERR_NOMEM.
 */
int index_maker_new(const struct ruleset *rules, const struct slice *fields, uint32_t n,
                    struct index_maker **ret) MUST_USE;
void index_maker_free(struct index_maker *m);
/*
 * Begins with the segment that begins with that number; `io` is borrowed. What was begun and not
 * finished is forgotten. ERR_INVALID: it has no filters that an index could stand beside;
 * segment_open()'s errors.
 */
int index_maker_begin(struct index_maker *m, const struct store_io *io, uint64_t begin) MUST_USE;
/* One more block. 1: there may be more; 0: that was all. ERR_NOMEM, ERR_IO, ERR_LIMIT. */
int index_maker_step(struct index_maker *m) MUST_USE;
/* Blocks so far, and raw bytes in them. */
uint32_t index_maker_blocks(const struct index_maker *m);
uint64_t index_maker_bytes(const struct index_maker *m);
/*
 * Writes what was made of all blocks into the index's folder, durable and as a whole; *ret_bytes is
 * how much. ERR_NOMEM, ERR_LIMIT, the table's errors.
 */
int index_maker_finish(struct index_maker *m, const struct store_io *folder,
                       uint64_t *ret_bytes) MUST_USE;

#endif
