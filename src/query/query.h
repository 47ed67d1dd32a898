/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Queries: a filter, and pipes that say what becomes of the events it holds for.
 *
 *     user.name: anna* and not source.ip: 10.0.0.0/8 | count by host.name | head 5
 *
 * The filter is Kibana's KQL. Its grammar is that of Elastic's reference ("Kibana Query Language",
 * elastic.co/docs/reference/query-languages/kql) and of the package kbn-es-query:
 *
 *     or      = and { "or" and }                    operators in any case
 *     and     = not { "and" not }
 *     not     = { "not" } ( "(" or ")" | term )
 *     term    = field ":" ( value | "(" or of values ")" ) | value
 *             | field ( "<" | "<=" | ">" | ">=" ) value
 *     value   = words or "text"
 *
 * In words * stands for anything, and \ takes the meaning of one of \ ( ) : < > " * { } | and of
 * the words and, or, not; \t \r \n \uXXXX are characters.
 *
 * What a term means, where fields have no types as they have them in Elasticsearch:
 *
 *     f: value   a value of f is that, whatever its case. Words with blanks between them are one
 *                value, but numbers are alternatives. A number is also another spelling of it, an
 *                IPv6 address as well; a network has all addresses in it. `message` and
 *                `error.message` are texts: one of the words is in it, or the words in quotes.
 *     f: *       the field is there
 *     f*: value  any of the fields with such a name; none of them is taken for a text
 *     f > value  numbers, and points in time as in base/when.h
 *     value      one of the words, or the words in quotes, is in any value of the event that is
 *                not made of others; words begin and end as words_match() has it
 *
 * It becomes a tree of a rule (detect/sigma/rule.h), so that a query means what a rule means.
 *
 * Pipes, one behind the other:
 *
 *     count [by f, ...]      top [n] f, ...      rare [n] f, ...
 *     stats MEASURE, ... [by f, ...]
 *     timechart SPAN [of _received] [MEASURE, ...] [by f, ...]
 *     table f, ...           sort [-]f, ...      head [n]            dedup f, ...
 *
 *     MEASURE = count | (count|distinct|sum|avg|min|max|p50 ... p99) "(" f ")", then [as name]
 *
 * Behind a pipe that makes rows its columns are the fields.
 */
#ifndef VAKA_QUERY_QUERY_H
#define VAKA_QUERY_QUERY_H

#include "base/when.h"
#include "detect/sigma/rule.h"

enum {
    QUERY_TEXT_MAX = 64 * 1024,
    QUERY_DEPTH_MAX = 64,   /* of parentheses */
    QUERY_TERMS_MAX = 8192, /* words and values of the filter */
    QUERY_PIPES_MAX = 32,
    QUERY_FIELDS_MAX = 32,   /* fields or measures of a pipe */
    QUERY_COLUMNS_MAX = 64,  /* that events are asked for */
    QUERY_ROWS_DEFAULT = 10, /* of top, rare and head */
    QUERY_ROWS_MAX = 10 * 1000 * 1000,
};

#define QUERY_SPAN_MAX (3650 * INT64_C(86400) * NSEC_PER_SEC) /* of a step of timechart */

/* What a column of an event is. */
enum query_place {
    QUERY_FIELD,
    QUERY_TIME,     /* _time: when it was, by the event, else when it was received */
    QUERY_RECEIVED, /* _received */
    QUERY_SEQ,      /* _seq: the record's number in the store */
    QUERY_HOST,     /* _host: where it was, by the event */
    QUERY_SOURCE,   /* _source: who sent the record */
    QUERY_RAW,      /* _raw: the record's bytes */
    QUERY_EVENT,    /* _event: all of its fields, as JSON */
};

struct query_column {
    struct slice name;
    enum query_place place;
};

enum query_function {
    QUERY_COUNT,
    QUERY_DISTINCT,
    QUERY_SUM,
    QUERY_AVG,
    QUERY_MIN,
    QUERY_MAX,
    QUERY_PERCENTILE,
};

enum { QUERY_NO_COLUMN = UINT32_MAX };

struct query_measure {
    enum query_function function;
    uint32_t column;  /* QUERY_NO_COLUMN: count alone */
    uint32_t percent; /* QUERY_PERCENTILE: 1 to 99 */
};

enum query_order { QUERY_BY_KEY, QUERY_MOST, QUERY_LEAST };

enum query_pipe_kind { QUERY_GROUP, QUERY_TABLE, QUERY_SORT, QUERY_HEAD, QUERY_DEDUP };

/* Columns are positions in the rows that come in. */
struct query_pipe {
    enum query_pipe_kind kind;
    uint32_t *columns; /* GROUP: by which; TABLE, SORT, DEDUP */
    bool *descending;  /* SORT */
    uint32_t n_columns;
    uint64_t limit; /* rows; 0: all */
    /* GROUP: count, top, rare, stats and timechart */
    const struct query_measure *measures;
    uint32_t n_measures;
    nsec span; /* of timechart, whose first column is a time; 0: not */
    enum query_order order;
    bool share; /* one more column, the percent of all events */
    bool there; /* events without the fields are left out, else they are a group of their own */
    /* Of the rows that come out; NULL: they are as they came in. */
    const struct slice *names;
    uint32_t n_names;
};

struct query {
    struct slice text, filter_text; /* borrowed */
    const struct sigma_expr *filter;
    struct query_column columns[QUERY_COLUMNS_MAX]; /* what events are asked for */
    uint32_t n_columns;
    struct query_pipe pipes[QUERY_PIPES_MAX + 1];
    uint32_t n_pipes;
    const struct slice *names; /* of the rows of the answer */
    uint32_t n_names;
    bool events; /* no pipe makes rows: the answer is events, in columns as query_options say */
};

struct query_options {
    struct when when;
    bool whole; /* events are answered with _event, their fields */
};

/*
 * Everything is the arena's or borrowed from text, which has no NUL at its end. On failure diag has
 * the place in the text: line and column. ERR_NOMEM as well.
 */
int query_read(struct arena *arena, struct slice text, const struct query_options *options,
               struct query *ret, struct diag *diag) MUST_USE;

/* The line of the text that diag is about, and below it a caret. */
void query_show_place(struct buf *out, struct slice text, const struct diag *diag);

/* The filter as a tree, a node a line, for people. */
void query_show_filter(struct buf *out, const struct sigma_expr *filter);
/* The same of the pipes. */
void query_show_pipes(struct buf *out, const struct query *q);

/* "p95(f)", what a measure is called in the text of a query; the name of its column by default. */
const char *query_function_name(enum query_function function);

#endif
