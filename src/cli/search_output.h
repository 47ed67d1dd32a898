/* SPDX-License-Identifier: EUPL-1.2 */
/* The rows of an answer, as people and programs get them. */
#ifndef VAKA_CLI_SEARCH_OUTPUT_H
#define VAKA_CLI_SEARCH_OUTPUT_H

#include <stdio.h>

#include "base/zone.h"
#include "query/cell.h"
#include "query/query.h"

enum search_format { SEARCH_TABLE, SEARCH_JSON, SEARCH_CSV };

enum {
    SEARCH_OUTPUT_ROWS = 200, /* that wait so that columns of a table are as wide as they need */
    SEARCH_OUTPUT_WIDTH = 60, /* the most that a column but the last one takes by itself */
};

struct search_output {
    FILE *to;
    enum search_format format;
    const struct query *query;
    const struct zone *zone; /* of times in tables; NULL: UTC */
    struct buf line;
    struct arena arena; /* of rows that wait */
    struct cell *waiting[SEARCH_OUTPUT_ROWS];
    uint32_t n_waiting;
    size_t width[QUERY_COLUMNS_MAX];
    bool begun; /* widths are known, names are told */
    uint64_t rows;
};

void search_output_init(struct search_output *o, FILE *to, enum search_format format,
                        const struct query *query, const struct zone *zone);
void search_output_done(struct search_output *o);
/* ERR_IO: it cannot be written. */
int search_output_row(struct search_output *o, const struct cell *cells, uint32_t n) MUST_USE;
/* What waits is written. */
int search_output_flush(struct search_output *o) MUST_USE;
/* The end: also the names of the columns of an answer without rows. */
int search_output_finish(struct search_output *o) MUST_USE;

/* 2026-12-23 22:47:00.123, in the zone. */
void search_put_time(struct buf *out, nsec t, const struct zone *zone);

#endif
