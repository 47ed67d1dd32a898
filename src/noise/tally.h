/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What readers found, summed up rule by rule. It is told in the order of the records, so that
 * alerts are counted as triage would have counted them: a match of one rule about the same entity
 * at most `alike` behind the one before is no alert of its own.
 *
 * Memory is bounded: beyond TALLY_SEEN_MAX distinct (rule, entity) the oldest knowledge is dropped,
 * which counts too many alerts; beyond as many distinct hosts or users they are not counted any
 * more. Both are told by `approximate`. Of values the most frequent are kept, about (Metwally and
 * others, "Space-Saving").
 */
#ifndef VAKA_NOISE_TALLY_H
#define VAKA_NOISE_TALLY_H

#include "detect/correlate/correlate.h"
#include "noise/message.h"

enum {
    TALLY_SEEN_MAX = 1 << 21,
    TALLY_VALUES = 24, /* kept of a rule */
    TALLY_EXAMPLES = 5,
    TALLY_SOURCES_MAX = 4096,
};

struct tally_value {
    uint64_t count;
    struct slice field, value; /* in the tally's arena */
};

struct tally_rule {
    const struct sigma_doc *doc;
    const struct sigma_rule *rule; /* NULL: a correlation */
    uint64_t matches, alerts;
    nsec first, last;                  /* of matches, when received; first above last: none */
    uint64_t hosts, users;             /* distinct ones */
    uint64_t examples[TALLY_EXAMPLES]; /* sequence numbers, the lowest of alerts */
    uint32_t n_examples, n_values;
    struct tally_value values[TALLY_VALUES];
    bool has_data; /* some event was of its log source; correlations: of one of their rules' */
};

struct tally_source {
    struct slice product, category, service;
    uint64_t events;
};

struct tally {
    const struct sigma_set *set;
    struct tally_rule *rules; /* first the rules of the set, then its correlations */
    uint32_t n;
    struct tally_source *sources;
    uint32_t n_sources;
    uint64_t bytes, records, events, undecodable, unknown, damaged;
    uint64_t unread;     /* records of blocks that were passed over (noise_options.hits_only) */
    nsec first, last;    /* received; first above last: no record was looked at */
    uint64_t unreadable; /* parts over which a reader ended, left out */
    bool approximate;
    uint64_t known; /* what is found in records before this one was counted before */
    /* Not for others. */
    nsec alike;
    struct correlator *correlator;
    struct arena arena;
    struct tally_seen *seen; /* (rule, entity) → the last time */
    uint64_t *distinct;      /* (rule, host or user) */
    uint32_t n_seen, n_distinct;
    bool again; /* what is pushed was counted before: so were its firings */
    struct slice *wanted;
};

/* set is borrowed. ERR_NOMEM. tally_done() in any case. */
int tally_init(struct tally *t, const struct sigma_set *set, nsec alike) MUST_USE;
void tally_done(struct tally *t);

/* One message of a reader. ERR_CORRUPT: it is none. */
int tally_take(struct tally *t, const struct frame *frame) MUST_USE;
/* Nothing more comes: windows are ended, values sorted. */
void tally_finish(struct tally *t);

/* Matches of all rules. */
uint64_t tally_matches(const struct tally *t);
/* Days between the first and the last record, at least one. */
double tally_days(const struct tally *t);

#endif
