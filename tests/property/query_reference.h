/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a query means, said a second time: slow, plain, and with nothing in common with src/query,
 * src/search and the engine. Queries are trees here, made by the generator, which also writes them
 * as text.
 */
#ifndef VAKA_TESTS_PROPERTY_QUERY_REFERENCE_H
#define VAKA_TESTS_PROPERTY_QUERY_REFERENCE_H

#include "base/buf.h"

enum {
    REF_VALUES = 4,
    REF_FIELDS = 12,
    REF_TEXT = 64,
    REF_CHILDREN = 3,
    REF_COLUMNS = 3,
    REF_EVENTS = 16
};

enum ref_type { REF_STRING, REF_NUMBER, REF_BOOL, REF_NULL };

struct ref_value {
    enum ref_type type;
    bool made; /* of others: it is found by its field only */
    char text[REF_TEXT];
};

/* Fields by number; the names are the generator's. */
struct ref_event {
    struct ref_value values[REF_FIELDS][REF_VALUES];
    int n[REF_FIELDS];
};

#define REF_STAR '\1' /* in a literal's text: a wildcard */

enum ref_kind { REF_AND, REF_OR, REF_NOT, REF_FIELD, REF_FREE, REF_RANGE, REF_OBJECT };
struct ref_tree {
    enum ref_kind kind;
    struct ref_tree *child[REF_CHILDREN];
    int n_children;
    unsigned fields;     /* FIELD, RANGE, OBJECT: a bit for each that is asked */
    const char *name;    /* of them, in the query */
    bool words;          /* FIELD: one whose values are texts */
    char text[REF_TEXT]; /* FIELD, FREE */
    bool quoted;
    double number; /* RANGE */
    int cmp;       /* RANGE: -2 <=, -1 <, 1 >, 2 >= */
};

bool ref_holds(const struct ref_tree *t, const struct ref_event *ev);

enum ref_pipe_kind { REF_COUNT, REF_TOP, REF_RARE, REF_STATS, REF_TABLE, REF_SORT_HEAD, REF_DEDUP };
struct ref_pipe {
    enum ref_pipe_kind kind;
    int columns[REF_COLUMNS], n; /* fields */
    int measured;                /* STATS: the field that is measured */
    int limit;
    bool descending;
};

/* Appends rows as text: cells with blanks between (lists with +, nothing is -), rows with "; "
 * between. */
void ref_rows(const struct ref_pipe *p, const struct ref_event *const *events, int n,
              struct buf *out);

#endif
