/* SPDX-License-Identifier: EUPL-1.2 */
/* Fields of events as cells: what a query asks of an event, and what indexes keep of it. */
#ifndef VAKA_QUERY_FIELDS_H
#define VAKA_QUERY_FIELDS_H

#include "detect/engine.h"
#include "query/cell.h"

enum { FIELDS_MAX = 64 };

struct fields;

/*
 * All are borrowed. The names are those that the rule has for them, without wildcards or with, at
 * most FIELDS_MAX. NULL: out of memory.
 */
struct fields *fields_new(const struct slice *names, uint32_t n, struct engine *engine,
                          const struct sigma_rule *rule) MUST_USE;
void fields_free(struct fields *f);
/*
 * A cell for each name, of the event that was given to the engine last; they live as long as it
 * does. Several values of one field are a list. False: something found no room in the event's
 * arena and is not there.
 */
bool fields_fill(struct fields *f, struct event *ev, const struct taxonomy_route *route,
                 struct cell *ret);

#endif
