/* SPDX-License-Identifier: EUPL-1.2 */
/* Blocks of sealed segments (store/block.h has the layout), record by record. */
#ifndef VAKA_VERIFY_BLOCK_H
#define VAKA_VERIFY_BLOCK_H

#include "base/error.h"
#include "verify/tree.h"

struct verify_block;

/* NULL: out of memory. */
struct verify_block *verify_block_new(void) MUST_USE;
void verify_block_free(struct verify_block *b);
/* Unpacks both parts; the first has `meta` bytes. Copies. ERR_CORRUPT, ERR_NOMEM. */
int verify_block_open(struct verify_block *b, struct slice bytes, size_t meta, size_t meta_raw,
                      size_t data_raw) MUST_USE;
uint32_t verify_block_count(const struct verify_block *b);
void verify_block_rewind(struct verify_block *b);
/* The next record, borrowed until the next block is opened. */
bool verify_block_next(struct verify_block *b, struct verify_record *ret);

#endif
