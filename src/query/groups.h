/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Groups of rows and what is measured of them: what count, top, rare, stats and timechart do.
 *
 * Rows may be added in any order and in several places: pieces of one table are merged into
 * another. Values are exact, but percentiles: they are of values rounded to three significant
 * digits. A row with several values in a field belongs to the group of each of them, once.
 */
#ifndef VAKA_QUERY_GROUPS_H
#define VAKA_QUERY_GROUPS_H

#include "base/zone.h"
#include "query/cell.h"
#include "query/query.h"

enum {
    GROUPS_OF_ROW_MAX = 1024, /* groups that one row is added to; what is above counts as cut */
    GROUPS_PIECE = 64 * 1024, /* bytes above which a piece is not filled further */
    GROUPS_FILL_MAX = 10000,  /* steps of a timechart without events that are told */
};

struct groups;

/* Steps of a timechart are of that zone. `pipe` and `zone` are borrowed. NULL: out of memory. */
struct groups *groups_new(const struct query_pipe *pipe, const struct zone *zone,
                          size_t budget) MUST_USE;
void groups_free(struct groups *g);

void groups_add(struct groups *g, const struct cell *row);
/* So many rows that are the same, of which nothing but how many they are is asked. */
void groups_add_times(struct groups *g, const struct cell *row, uint64_t times);
/* Most of the budget is in use. */
bool groups_full(const struct groups *g);
/*
 * Everything, as pieces; the table is empty then. ERR_NOMEM, or what `piece` returned, upon which
 * the table is not to be used any more.
 */
int groups_split(struct groups *g, void *ctx, int (*piece)(void *ctx, struct slice bytes)) MUST_USE;
/* ERR_CORRUPT: these are not bytes of groups_split() of the same pipe. */
int groups_merge(struct groups *g, struct slice piece) MUST_USE;

/* The rows that come out, in their order. ERR_NOMEM, or what `row` returned. */
int groups_finish(struct groups *g, void *ctx,
                  int (*row)(void *ctx, const struct cell *cells, uint32_t n)) MUST_USE;
/*
 * Rows that found no room for their group, and values that found none in distinct and percentiles,
 * which are too low or not right then.
 */
uint64_t groups_cut_rows(const struct groups *g);
uint64_t groups_cut_values(const struct groups *g);

#endif
