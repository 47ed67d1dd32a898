/* SPDX-License-Identifier: EUPL-1.2 */
/* Random events, as JSON, and random queries, as text. */
#ifndef VAKA_TESTS_PROPERTY_QUERY_MADE_H
#define VAKA_TESTS_PROPERTY_QUERY_MADE_H

#include "base/arena.h"
#include "query/cell.h"
#include "query_reference.h"

void made_seed(uint64_t seed);
/* From 0 on. */
unsigned made_below(unsigned n);
bool made_chance(unsigned percent);

/* What records have themselves are the first of these. */
enum { MADE_RECORD_FIELDS = 8 };
enum {
    MADE_F,
    MADE_G,
    MADE_USER,
    MADE_SRC,
    MADE_MESSAGE = 5,
    MADE_KEY,
    MADE_Z,
    MADE_ACTION,
    MADE_IP,
    MADE_OUTCOME,
    MADE_HOST
};
extern const char *const made_names[REF_FIELDS];

void made_event(struct ref_event *ev);
/* What its record has. */
void made_put_event(struct buf *out, const struct ref_event *ev);
/* About the first so many fields. */
struct ref_tree *made_tree(struct arena *arena, unsigned fields, int depth);
void made_pipe(struct ref_pipe *p, unsigned fields);
void made_put_query(struct buf *out, const struct ref_tree *tree, const struct ref_pipe *pipe);
/* A row as the reference has it, into a struct buf. */
int made_put_row(void *ctx, const struct cell *cells, uint32_t n);

#endif
