/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A process that reads units of stored records and matches them, or only finds out what kind of log
 * they are. It has the rules by being forked, and files by their descriptors.
 */
#ifndef VAKA_NOISE_READER_H
#define VAKA_NOISE_READER_H

#include "noise/matching.h"

enum {
    READER_DETAILED = 512, /* hits of a rule in a unit whose values are all counted … */
    READER_SAMPLE = 16,    /* … of the others one in so many */
};

struct noise_begin {
    struct matching_begin matching;
    nsec alike;
    uint64_t known; /* runs end before this record */
};

/* The exit status of the process. */
int noise_reader_run(const struct noise_begin *begin, struct channel *channel);

#endif
