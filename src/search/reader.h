/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A process that reads units of stored records and tells what a query asks of the events for which
 * its filter holds. It has rules and query by being forked.
 */
#ifndef VAKA_SEARCH_READER_H
#define VAKA_SEARCH_READER_H

#include "index/ask.h"
#include "query/needles.h"
#include "query/rows.h"
#include "ruleset/ruleset.h"
#include "scan/reader.h"
#include "search/message.h"

struct search_begin {
    const struct scan_begin *scan;
    const struct ruleset *rules; /* the query's filter is the only rule */
    const struct query *query;
    const struct zone *zone;
    struct needles needles;
    struct index_asks *asks; /* NULL: any block may have something */
    uint64_t version;        /* of indexes that can be asked */
    size_t memory;           /* for a table of groups */
};

/* The exit status of the process. */
int search_reader_run(const struct search_begin *begin, struct channel *channel);

#endif
