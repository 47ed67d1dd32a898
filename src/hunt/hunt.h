/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * `vaka hunt`, once the command line is understood and the rules are loaded: finds the sources,
 * confines the process, lets decoders read, prints. Sources are files, or what is stored.
 */
#ifndef VAKA_HUNT_HUNT_H
#define VAKA_HUNT_HUNT_H

#include "alert/line.h"
#include "base/time.h"
#include "detect/engine.h"
#include "proc/sandbox.h"
#include "ruleset/ruleset.h"

enum { HUNT_NAMED_MAX = 200 }; /* unreadable things named one by one; the rest is counted */

struct hunt_options {
    const struct clock *clock;
    const struct sigma_set *set;
    struct engine *engine; /* made before the sandbox: it may load its compile cache */
    enum hunt_format format;
    enum sigma_level min_level;
    nsec from, to; /* of events, of stored records when they were received; TIME_NONE: open */
    uint32_t jobs; /* 1..COLLECTOR_JOBS_MAX */
    bool utc;
    nsec silence;             /* a decoder may work on a file without a word */
    size_t correlation_state; /* bytes: of the correlator, … */
    size_t correlation_sort;  /* … and of the matches that wait to be sorted for it */
    const char *const *paths;
    size_t n_paths;
    const char *store;           /* a tenant's folder, hunted in instead of paths; NULL: none */
    const struct ruleset *rules; /* the set's, for readers of the store; … */
    bool any_logsource;          /* … as the engine has it */
    const char *out_path;        /* NULL: standard output */
    bool quiet;                  /* no progress on the terminal: something else is written to it */
};

struct hunt_result {
    uint64_t events, bytes, alerts;
    uint64_t unreadable;  /* files, folders, members and parts of the store of which something could
                             not be read */
    uint64_t bad_records; /* in them, as far as they were counted */
    uint64_t untimed;     /* events with a match and without a time */
    uint64_t unknown;     /* events whose log source nothing tells */
    uint64_t unread;      /* records of blocks in which no rule can hold */
    uint64_t sources, crashes;
    uint64_t late_tuples, dropped_groups; /* correlation: what its memory bound cost */
    uint32_t refused_correlations;
    double seconds;
    uint64_t rss, rss_decoder; /* peak, bytes: this process, the largest decoder */
    enum sigma_level highest;
    enum sandbox_level sandbox;
    bool interrupted;
};

/* 0, or an error that kept it from running at all; it has been told on stderr then. */
int hunt_run(const struct hunt_options *options, struct hunt_result *ret) MUST_USE;

#endif
