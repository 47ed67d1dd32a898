/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What rules would have found in the stored records: sealed segments and journals are read, and
 * only read, while vaka serve goes on; by several processes, whose findings are taken in the order
 * of the records. A block or frame over which one of them ends, or does not go on, is left out and
 * counted.
 */
#ifndef VAKA_NOISE_NOISE_H
#define VAKA_NOISE_NOISE_H

#include "base/clock.h"
#include "noise/tally.h"
#include "ruleset/ruleset.h"
#include "scan/scan.h"

struct noise_options {
    const struct ruleset *rules;
    const char *store; /* a tenant's folder */
    nsec from, to;     /* received at or after, and before */
    /*
     * Records before this one were counted before. Those of them that were received at or after
     * known_from are matched once more: what alerts and correlations remember of them is as if
     * nothing had ended in between.
     */
    uint64_t known;
    nsec known_from;
    const uint32_t *share; /* as in scan_options */
    nsec alike;            /* triage.alike */
    uint32_t jobs;
    const struct clock *clock;
    nsec silence;      /* detect.silence: a reader that does not go on for so long is ended */
    bool sources_only; /* no rule is matched: only what kind of log there is */
    bool hits_only;    /* blocks in which no rule can hold are not read: what is counted of records,
                          events and their sources is that of the others */
    int null_fd;       /* as in scan_options */
    uint32_t blocks;   /* as there; 0: as is good */
    uint32_t sample;   /* records of a block that are looked at, and 1 of 16 blocks; 0: all */
    void *ctx;
    /* Now and then; non-zero ends it. May be NULL. */
    int (*tick)(void *ctx, const struct scan_progress *progress);
};

/*
 * Fills *ret, which was made with tally_init() for the same rules; tally_finish() was done. diag
 * says what is wrong. ERR_NOT_FOUND: no store; ERR_STOPPED: tick() ended it.
 */
int noise_run(const struct noise_options *options, struct tally *ret, struct diag *diag) MUST_USE;

#endif
