/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The nodes of a tenant's tree, from what is in its folder: kept nodes, footers, and the records of
 * segments and journals, hashed when they are asked for. What is gone by retention can be passed by
 * through the nodes its footer kept.
 */
#ifndef VAKA_STORE_TREE_READ_H
#define VAKA_STORE_TREE_READ_H

#include "event/record.h"
#include "store/io.h"
#include "store/tree.h"

struct tree_reader;

/*
 * `io` is borrowed. Reads all records of journals that are not sealed yet and keeps their hashes
 * (at most 2^24). ERR_NOMEM, ERR_LIMIT, the table's errors; ERR_CORRUPT, ERR_TRUNCATED: a footer or
 * a frame is damaged.
 */
int tree_reader_new(const struct store_io *io, struct tree_reader **ret) MUST_USE;
void tree_reader_free(struct tree_reader *r);
/* How many leaves there are. */
uint64_t tree_reader_size(const struct tree_reader *r);
/* Nodes for proofs. ERR_NOT_FOUND: below what was removed; else as above. */
struct tree_source tree_reader_source(struct tree_reader *r);
/*
 * A record, borrowed until the next call. ERR_NOT_FOUND: it was removed, lost or never there; it
 * may wait in a journal, which is read again for it.
 */
int tree_reader_record(struct tree_reader *r, uint64_t seq, struct record *ret) MUST_USE;

#endif
