/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A query over the stored records: sealed segments and journals, the newest first, by several
 * processes, while vaka serve goes on.
 */
#ifndef VAKA_SEARCH_SEARCH_H
#define VAKA_SEARCH_SEARCH_H

#include "query/needles.h"
#include "query/rows.h"
#include "ruleset/ruleset.h"
#include "scan/scan.h"

enum search_end {
    SEARCH_WHOLE,  /* everything was searched */
    SEARCH_ENOUGH, /* as much as the answer needs */
    SEARCH_TIME,   /* as far as it came in the time that it has */
    SEARCH_ENDED,  /* as far as it came when somebody ended it */
};

struct search_progress {
    struct scan_progress scan;
    uint64_t records, events, matches, undecodable; /* of units that are finished, and rows */
    uint64_t unindexed; /* blocks that an index could have told something of, were it current */
    nsec elapsed;
};

struct search_options {
    const struct ruleset *rules; /* without any but that of the query's filter */
    const struct query *query;
    const struct zone *zone; /* of steps of time */
    const char *store;       /* a tenant's folder */
    nsec from, to;           /* received at or after, and before */
    uint32_t jobs;
    const struct clock *clock;
    nsec silence;  /* a process that does not go on for so long is ended */
    nsec time;     /* the most that it may take */
    int null_fd;   /* of /dev/null, for who cannot open it any more; 0: it is opened */
    size_t memory; /* of tables and what waits to be sorted, in all of its processes */
    void *ctx;
    /* A row of the answer, borrowed; anything but 0 ends it and is passed through. */
    int (*row)(void *ctx, const struct cell *cells, uint32_t n);
    void (*damage)(void *ctx, enum scan_damage_kind kind, uint64_t seq);
    /* Now and then; false: it is to end. */
    bool (*tick)(void *ctx, const struct search_progress *progress);
};

struct search_result {
    enum search_end end;
    struct search_progress progress;
    struct rows_cut cut;
};

/*
 * diag says what is wrong, unless row() ended it. What was found until it ended is told in rows
 * before, also when somebody ended it.
 */
int search_run(const struct search_options *options, struct search_result *ret,
               struct diag *diag) MUST_USE;

/*
 * Texts of which a record has one when the filter holds for it, so that most others need not be
 * taken apart (normalise/verbatim.h). ERR_NOMEM.
 */
int search_needles(const struct ruleset *rules, const struct query *query,
                   struct needles *ret) MUST_USE;

#endif
