/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What of a store is there to be read while its owner goes on: sealed segments, and journals with
 * the records behind them. Journals are opened before segments are listed, so that what is sealed
 * meanwhile, and its journal removed, is in the one or the other.
 */
#ifndef VAKA_STORE_VIEW_H
#define VAKA_STORE_VIEW_H

#include "base/buf.h"
#include "store/io.h"

struct store_view_journal {
    uint64_t first;
    int file; /* open for reading */
};

struct store_view {
    struct buf segments; /* u64, ascending: what each begins with */
    struct store_view_journal *journals;
    size_t n_journals;
    uint64_t sealed; /* the sequence number behind the last sealed record */
};

/*
 * ERR_NOMEM, ERR_LIMIT (more than STORE_VIEW_MAX of one kind), the table's errors; *ret is to be
 * given to store_view_close() in any case.
 */
enum { STORE_VIEW_MAX = 1 << 20 };
int store_view_open(const struct store_io *io, struct store_view *ret) MUST_USE;
/* Files that were taken are -1. */
void store_view_close(const struct store_io *io, struct store_view *v);

static inline size_t store_view_segments(const struct store_view *v)
{
    return v->segments.len / sizeof(uint64_t);
}
uint64_t store_view_segment(const struct store_view *v, size_t i);

#endif
