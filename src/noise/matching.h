/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Stored records, decoded and matched with rules: what readers for different ends share. What
 * correlations want of a record is told here; what becomes of hits is up to the reader.
 */
#ifndef VAKA_NOISE_MATCHING_H
#define VAKA_NOISE_MATCHING_H

#include "detect/correlate/correlate.h"
#include "noise/message.h"
#include "noise/passing.h"
#include "normalise/record_decoder.h"
#include "ruleset/ruleset.h"
#include "scan/reader.h"

struct matching_begin {
    const struct scan_begin *scan;
    const struct ruleset *rules;
    const struct correlator *correlator; /* what correlations want; NULL: there are none */
    struct passing *passing;
    bool any_logsource;
    bool routes_only; /* no rule is matched: only what kind of log there is */
};

struct matching_work {
    void *ctx;
    /* Anything but 0 ends the process. The record is valid when there are hits. */
    int (*event)(void *ctx, struct event *ev, const struct engine_result *found,
                 const struct record *record, uint64_t seq);
    /* May be NULL, as the one below. */
    void (*unit_begin)(void *ctx);
    /* What is left to be said of the unit, into matching.out. */
    void (*unit_end)(void *ctx);
};

struct matching {
    const struct matching_begin *begin;
    const struct matching_work *work;
    struct channel *channel;
    struct matcher matcher;
    struct engine *engine; /* the matcher's */
    struct record_decoder *decoder;
    struct buf out; /* frames on their way */
    /* Not for others. */
    struct buf tuple;
    struct slice *wanted; /* of a correlation */
    struct noise_sum sum;
    uint64_t first; /* of the batch at hand */
    struct batch_iter iter;
    struct record record;
};

/* ERR_NOMEM. What it has is given back with the process. */
int matching_init(struct matching *m, const struct matching_begin *begin,
                  const struct matching_work *work, struct channel *channel) MUST_USE;
/* The exit status of the process. */
int matching_run(struct matching *m);
/* Sends what was said so far, before the unit's end: only where units are taken whole. */
int matching_send(struct matching *m) MUST_USE;

#endif
