/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A process that reads units of stored records and matches them, or only finds out what kind of log
 * they are. It has the rules by being forked, and files by their descriptors.
 */
#ifndef VAKA_NOISE_READER_H
#define VAKA_NOISE_READER_H

#include "detect/correlate/correlate.h"
#include "noise/message.h"
#include "proc/channel.h"
#include "ruleset/ruleset.h"

enum {
    READER_DETAILED = 512, /* hits of a rule in a unit whose values are all counted … */
    READER_SAMPLE = 16,    /* … of the others one in so many */
};

enum { NOISE_SKIPPED_MAX = 64 };

/* Written by the reader, read by its parent, which learns from it over what a reader ended. */
struct noise_page {
    uint64_t first; /* sequence number of the block or frame at hand, plus one; 0: none */
    uint64_t steps; /* grows with every one of them, and every record that is told of */
};

struct noise_begin {
    struct noise_page *page;
    uint64_t skipped[NOISE_SKIPPED_MAX]; /* blocks and frames that are left out, by that number */
    uint32_t n_skipped;
    const struct ruleset *rules;
    const struct correlator *correlator; /* what correlations want; NULL: there are none */
    nsec from, to;                       /* received at or after, and before */
    nsec alike;
    bool sources_only;
    uint32_t sample; /* records of a block or frame that are looked at; 0: all */
};

/* For worker_start(); ctx is a struct noise_begin. */
int noise_reader_run(void *ctx, struct channel *channel);

#endif
