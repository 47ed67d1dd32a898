/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What events have in a few fields, for a group of blocks: cells as searches ask for them
 * (query/fields.h), each distinct one once, and for each event which it is. Events of a block are
 * in the order of its records; those that cannot be read have none. All numbers are little-endian.
 *
 *     u32 blocks B · u64 whole · B × { u32 events · u32 undecodable } · u32 fields F ·
 *     F × { u32 length of name · name · u32 values · u32 bytes · u32 packed } ·
 *     F × packed bytes · u32 CRC32C of all before
 *
 *     packed (zstd): the values (query/cell.h), then for each event the number of its value, u8
 *     where there are at most 256, else u16
 *
 * `whole` has a bit for each block of which this is all: no event was cut or had no room. A field
 * of more than CELLS_VALUES_MAX values, or CELLS_TEXT_MAX bytes of them, or for which there was no
 * room, is not there.
 */
#ifndef VAKA_INDEX_CELLS_H
#define VAKA_INDEX_CELLS_H

#include "query/cell.h"
#include "query/keyed.h"
#include "store/filter.h"

enum {
    CELLS_FIELDS_MAX = 16,
    CELLS_VALUES_MAX = 1 << 15,
    CELLS_TEXT_MAX = 1024 * 1024,
    CELLS_EVENTS_MAX = 16 * 1024 * 1024, /* of a group */
    CELLS_MAX = 64 * 1024 * 1024,        /* bytes of a group */
};

/* The fields of which indexes keep them (taxonomy/columns.tsv); how many. */
uint32_t cells_fields(struct slice ret[CELLS_FIELDS_MAX]);

/* ---- writing ---- */

struct cells_writer;

/* The names are borrowed. NULL: out of memory. */
struct cells_writer *cells_writer_new(const struct slice *names, uint32_t n) MUST_USE;
void cells_writer_free(struct cells_writer *w);
/* Nothing in it; the memory stays. */
void cells_writer_clear(struct cells_writer *w);
/* An event of the block at hand, a cell for each name. ERR_NOMEM, ERR_LIMIT. */
int cells_writer_add(struct cells_writer *w, const struct cell *cells) MUST_USE;
/* The end of a block. */
void cells_writer_end(struct cells_writer *w, uint32_t undecodable, bool whole);
/*
 * The group, appended to `out`; nothing is in it then. Fields are left out, the largest first,
 * until the others have no more than `most` bytes. ERR_NOMEM, ERR_LIMIT.
 */
int cells_writer_put(struct cells_writer *w, size_t most, struct buf *out) MUST_USE;

/* ---- reading ---- */

struct cells_group {
    struct slice bytes; /* borrowed */
    uint32_t blocks, fields;
    uint64_t whole;
    uint32_t first[FILTER_BLOCKS + 1]; /* the first event of each block, and how many in all */
    uint32_t undecodable[FILTER_BLOCKS];
    size_t fields_at;
};

struct cells_column {
    struct buf bytes;
    struct cell *values; /* borrowed from it */
    uint32_t n;
    const char *numbers;
    bool wide;
};

/* ERR_CORRUPT. */
int cells_group_read(struct slice bytes, struct cells_group *ret) MUST_USE;
/* 1: *ret is the column, for cells_column_done(); 0: there is none. ERR_CORRUPT, ERR_NOMEM. */
int cells_column_read(const struct cells_group *g, struct slice name,
                      struct cells_column *ret) MUST_USE;
void cells_column_done(struct cells_column *c);
/* Which value the event has; below c->n. */
uint32_t cells_column_at(const struct cells_column *c, uint32_t event);

#endif
