/* SPDX-License-Identifier: EUPL-1.2 */
/* What a query asks of an event: cells of its columns. */
#ifndef VAKA_SEARCH_COLUMNS_H
#define VAKA_SEARCH_COLUMNS_H

#include "detect/engine.h"
#include "event/record.h"
#include "query/cell.h"
#include "query/query.h"

struct columns;

/* All are borrowed; `rule` is the query's. NULL: out of memory. */
struct columns *columns_new(const struct query *query, struct engine *engine,
                            const struct sigma_rule *rule) MUST_USE;
void columns_free(struct columns *c);
/* Whether the record of an event is looked at. */
bool columns_need_record(const struct columns *c);
/*
 * Cells of the event that was given to the engine last, for all columns of the query; they live as
 * long as it does. What found no room in the event's arena is a cell of nothing.
 */
void columns_fill(struct columns *c, struct event *ev, const struct taxonomy_route *route,
                  const struct record *record, uint64_t seq, struct cell *ret);

#endif
