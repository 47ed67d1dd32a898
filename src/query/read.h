/* SPDX-License-Identifier: EUPL-1.2 */
/* What the readers of the filter (kql.c) and of the pipes (pipes.c) share. */
#ifndef VAKA_QUERY_READ_H
#define VAKA_QUERY_READ_H

#include "base/hint.h"
#include "query/query.h"

struct query_reader {
    struct arena *arena;
    struct slice text;
    size_t at;
    char *scratch; /* as long as the text */
    const struct query_options *options;
    struct query *query;
    struct diag *diag;
    uint32_t terms, depth;
    size_t term_at; /* of the value that atoms are made of */
};

/* The line and column of a byte of the text, from 1. */
void query_find_place(struct slice text, size_t at, uint32_t *ret_line, uint32_t *ret_column);
/* Which byte of the text an atom's value begins with: what its position holds. */
static inline size_t query_atom_at(const struct sigma_atom *atom)
{
    return atom->pos.column;
}

/* Fills diag with the place of a byte of the text; returns `error`. */
int query_fail(struct query_reader *r, size_t at, int error, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
int query_fail_memory(struct query_reader *r);

/* The byte at r->at; NUL at the end (a query has none). */
char query_peek(const struct query_reader *r);
void query_skip_blanks(struct query_reader *r);
/* Whether the keyword stands at `at` (in any case), and a blank, a parenthesis or the end follows.
 */
bool query_has_word(const struct query_reader *r, size_t at, const char *word);

/* A value or a name as it is written. */
struct query_literal {
    struct slice text; /* escapes resolved; QUERY_STAR for wildcards */
    size_t at, end;    /* in the query */
    bool quoted, starred;
};
/* Stands for a * in a literal's text: no byte of UTF-8. */
#define QUERY_STAR SIGMA_FIELD_STAR
/*
 * Reads what stands at r->at: text in quotes, or words up to an operator. A name of a field ends
 * before a colon, a value does not when something else follows the colon at once.
 */
int query_read_literal(struct query_reader *r, bool is_name, const char *expected,
                       struct query_literal *ret) MUST_USE;

/* The filter, up to a pipe or the end. */
int query_read_filter(struct query_reader *r, const struct sigma_expr **ret) MUST_USE;
/* The pipes, up to the end. */
int query_read_pipes(struct query_reader *r) MUST_USE;

#endif
