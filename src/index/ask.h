/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Which blocks of a segment may have an event for which a filter holds: by the tokens
 * (store/token.h) that its values need, of which the segment's filters or its index (index/file.h)
 * must know.
 */
#ifndef VAKA_INDEX_ASK_H
#define VAKA_INDEX_ASK_H

#include "detect/sigma/rule.h"
#include "index/file.h"

struct index_asks;

/* The filter's texts are read, not kept. NULL: out of memory. */
struct index_asks *index_asks_new(const struct sigma_expr *filter) MUST_USE;
void index_asks_free(struct index_asks *a);
/* The same for whatever one of the rules holds for. NULL: out of memory. */
struct index_asks *index_asks_new_any(struct sigma_rule *const *rules, uint32_t n) MUST_USE;
/* Whether there is nothing to be asked: any block may have some. */
bool index_asks_nothing(const struct index_asks *a);
/*
 * A bit for each block of the group of a segment that has filters. ERR_CORRUPT: of the index; the
 * table's errors.
 */
int index_asks_run(struct index_asks *a, const struct segment *s, const struct index_file *f,
                   uint32_t group, uint64_t *ret) MUST_USE;
/*
 * The same of the file beside the segment, if that is an index of this version. ERR_UNSUPPORTED: it
 * is none, or there is none (it may be negative), and all blocks may have some; else as above.
 */
int index_asks_beside(struct index_asks *a, const struct segment *s, const struct store_io *io,
                      int file, uint64_t version, uint32_t group, uint64_t *ret) MUST_USE;
/* What is asked, as a tree, a line a node, for people. */
void index_asks_show(const struct index_asks *a, struct buf *out);

#endif
