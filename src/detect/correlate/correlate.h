/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Sigma correlation rules over a stream of small tuples, in event time. Nothing here knows events:
 * the caller asks correlator_wants() which fields of a matching event to extract, and pushes a
 * tuple for every match of a wanted rule.
 *
 * What a correlation means here (Sigma specification 2.1.0; where it leaves a choice, ours):
 *
 *  - Groups. Events with the same group-by values form a group; without group-by there is one.
 *    Values are compared folded as Sigma values are; the first spelling is shown. A value longer
 *    than CORRELATOR_VALUE_MAX is compared by that many bytes. An event that lacks a group-by
 *    field (or the counted field) takes no part: skipped and counted. An alias stands for the
 *    field it names for a rule; for a rule it does not name, for the field of its own name.
 *  - A window is closed at both ends: events at a and b belong together when b - a <= timespan.
 *  - Sliding: event_count, value_count, value_sum, temporal and temporal_ordered whose bounds are
 *    all gt/gte (or absent) and whose condition has no `not` are decided at each event, over the
 *    events of the timespan that ends with it. When true, the correlation fires: its time is that
 *    event's, its window [first, first + timespan] starts at the latest event that still makes it
 *    true (value_sum: at the oldest of the timespan). The firing is reported once, when that window
 *    ends, with the count of the whole window; all its events are used up then. With
 *    options.at_once it is reported when it fires instead, with the count so far: nobody on watch
 *    waits for what else there is to count.
 *  - Closing: everything else (lt, lte, eq, neq, ranges with one of them, `not`, and value_avg,
 *    value_percentile and value_median always: an average of the first event alone says nothing)
 *    is decided when a window ends that opened at the group's first event. Its time is that end.
 *    The next event opens the next window. A group without events has no window and never fires.
 *    What is still open at correlator_finish() ends there.
 *  - value_count counts distinct values, or distinct combinations when it names several fields.
 *  - temporal counts distinct rules; without a condition all must occur. temporal_ordered: the
 *    rules occur in the order given, events of equal time count as in order; with a count
 *    condition the longest run of rules in order (gaps allowed) is counted; with a boolean
 *    condition it is decided on closing, and all rules that occurred must be in order. A rule named
 *    twice counts once.
 *  - value_*: decimal numbers; anything else is ignored and counted. Percentiles interpolate
 *    linearly between the closest ranks, so that the median is percentile 50.
 *  - Chains. A firing is an event for the correlations that refer to it, at the firing's time. Its
 *    fields are its group-by fields (an alias by its name); any other field is taken from the event
 *    that made it true (on closing: the last one).
 *  - Events of equal time are taken in the order they come, then the windows that end at that time
 *    in the order they opened, referred correlations first. Only value_sum with negative values
 *    and fields carried through a chain depend on it.
 *
 * Memory is bounded by options.max_bytes. When it is spent the groups touched longest ago are
 * dropped and counted; one that has fired and was not reported yet is, with its count so far.
 */
#ifndef VAKA_DETECT_CORRELATE_CORRELATE_H
#define VAKA_DETECT_CORRELATE_CORRELATE_H

#include "base/buf.h"
#include "base/time.h"
#include "detect/sigma/set.h"

enum {
    CORRELATOR_VALUE_MAX = 4096,    /* bytes of a value that take part */
    CORRELATOR_SHOWN_MAX = 512,     /* bytes of a group value that are kept to be shown */
    CORRELATOR_FIELDS_MAX = 1024,   /* fields wanted of one rule */
    CORRELATOR_RULES_MAX = 64,      /* rules of one temporal correlation */
    CORRELATOR_REFS_MAX = 10,       /* source records named with a firing */
    CORRELATOR_SAMPLES_MAX = 65536, /* per group; more are merged and the firing is approximate */
    CORRELATOR_MEMORY_DEFAULT = 64 * 1024 * 1024,
    CORRELATOR_MEMORY_LEAST = 64 * 1024,
};

struct correlator;

struct correlator_options {
    size_t max_bytes; /* of state; 0: CORRELATOR_MEMORY_DEFAULT */
    bool at_once;     /* sliding correlations are reported when they become true */
    uint64_t seed;    /* random and secret: values are chosen by attackers */
};

struct correlator_firing {
    const struct sigma_corr_rule *rule; /* silent ones are reported too: the caller decides */
    nsec time;                          /* when it became true */
    nsec first, last;                   /* the oldest and newest event of its window */
    double count;                       /* events, distinct values, rules, sum, average, … */
    bool approximate;                   /* a limit was met: counts are lower bounds, times near */
    const struct slice *names, *values; /* group-by, as written and as first seen */
    uint32_t n_group;
    const uint64_t *refs; /* the first events of the window, in time order */
    uint32_t n_refs;
};

struct correlator_out {
    void *ctx;
    /* Everything in the firing is valid during the call. The correlator must not be called. */
    void (*firing)(void *ctx, const struct correlator_firing *firing);
    /* During correlator_new(): the correlation will not run. May be NULL. */
    void (*refused)(void *ctx, const struct sigma_corr_rule *rule, const char *why);
};

struct correlator_stats {
    uint64_t tuples; /* pushed */
    uint64_t groups; /* now */
    uint64_t groups_opened;
    uint64_t evicted;               /* groups dropped for memory */
    uint64_t truncated;             /* events or values that did not fit into memory */
    uint64_t skipped_missing_field; /* (event, correlation) pairs */
    uint64_t skipped_no_time;       /* tuples */
    uint64_t skipped_late;          /* (event, correlation): older than the timespan */
    uint64_t late;                  /* tuples older than one before them */
    uint64_t non_numeric;           /* (event, correlation) */
    uint64_t firings;
    size_t bytes, bytes_peak;
};

/* set is borrowed and outlives the correlator. NULL: out of memory. */
struct correlator *correlator_new(const struct sigma_set *set,
                                  const struct correlator_options *options,
                                  const struct correlator_out *out) MUST_USE;
/* Reports nothing that is still open: correlator_finish() does. */
void correlator_free(struct correlator *c);

/* What to extract when a rule matches. The same set gives the same answer in every process. */
struct correlator_wants {
    const struct slice *fields; /* distinct names, in the order of the tuple's values */
    uint32_t n_fields;          /* may be 0 for a wanted rule */
    bool wanted;                /* some correlation refers to the rule */
};
void correlator_wants(const struct correlator *c, uint32_t rule, struct correlator_wants *ret);

struct correlator_tuple {
    uint32_t rule; /* index in the set */
    nsec time;
    uint64_t ref;               /* the source record; opaque */
    const struct slice *values; /* as wanted; ptr NULL: the event has no such field */
    uint32_t n_values;
};

/*
 * Takes one tuple, in order of time. One older than the newest so far is taken as happening at
 * that newest time, unless it is older than the correlation's timespan. A tuple without time takes
 * no part. ERR_INVALID: no such rule, or not the values it wants; nothing was done.
 */
int correlator_push(struct correlator *c, const struct correlator_tuple *tuple) MUST_USE;
/* Ends all windows that end before now. Time never goes back. */
void correlator_advance(struct correlator *c, nsec now);
/* Ends all windows. */
void correlator_finish(struct correlator *c);

void correlator_get_stats(const struct correlator *c, struct correlator_stats *ret);

/*
 * One tuple as bytes, little-endian: u32 rule, i64 time, u64 ref, u16 number of values, and per
 * value u16 length (0xffff: absent) and its bytes, cut at CORRELATOR_VALUE_MAX.
 */
void correlator_tuple_write(struct buf *out, const struct correlator_tuple *tuple);
/*
 * Reads one tuple that fills `bytes` exactly; its values go to values[max] and point into bytes.
 * ERR_TRUNCATED, ERR_CORRUPT (bytes left over, length out of range), ERR_LIMIT (more than max).
 */
int correlator_tuple_read(struct slice bytes, struct slice *values, uint32_t max,
                          struct correlator_tuple *ret) MUST_USE;

#endif
