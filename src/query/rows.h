/* SPDX-License-Identifier: EUPL-1.2 */
/* The pipes of a query at work: rows of events go in at the front, rows of the answer come out. */
#ifndef VAKA_QUERY_ROWS_H
#define VAKA_QUERY_ROWS_H

#include "query/groups.h"

struct rows_options {
    const struct query *query; /* borrowed, as is the zone */
    const struct zone *zone;
    size_t memory;
    void *ctx;
    /* A row of the answer, borrowed for the call; anything but 0 ends it and is passed through. */
    int (*row)(void *ctx, const struct cell *cells, uint32_t n);
};

struct rows;

/* NULL: out of memory. */
struct rows *rows_new(const struct rows_options *options) MUST_USE;
void rows_free(struct rows *r);

/*
 * Whether events are only counted and measured: then others make tables of the first pipe
 * (rows_groups()) where events are read, and rows_merge() takes their pieces.
 */
bool rows_only_groups(const struct query *query);
/* A table of the first pipe that groups. NULL: out of memory. */
struct groups *rows_groups(const struct query *query, const struct zone *zone,
                           size_t memory) MUST_USE;

/* As many cells as the query has columns. ERR_NOMEM, or what `row` returned. */
int rows_push(struct rows *r, const struct cell *cells) MUST_USE;
int rows_merge(struct rows *r, struct slice piece) MUST_USE;
/* No row that comes can be in the answer any more. */
bool rows_full(const struct rows *r);
/* Nothing comes any more; what waited for that comes out. Once. */
int rows_finish(struct rows *r) MUST_USE;

/* What found no room in the memory that was given. */
struct rows_cut {
    uint64_t groups;  /* rows whose group was left out */
    uint64_t values;  /* that are missing in distinct and percentiles */
    uint64_t sorted;  /* rows that sort dropped: those that came last in its order */
    uint64_t repeats; /* rows that dedup could not remember, and may tell again */
};
void rows_get_cut(const struct rows *r, struct rows_cut *ret);

#endif
