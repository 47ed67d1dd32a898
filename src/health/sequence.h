/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Numbers that a source counts its records with, and those that are missing. Records may come out
 * of order: what has come when a while has passed is not missing.
 */
#ifndef VAKA_HEALTH_SEQUENCE_H
#define VAKA_HEALTH_SEQUENCE_H

#include <stdbool.h>

#include "base/clock.h"

enum { SEQUENCES = 4 }; /* of one source; the one that was heard of longest ago makes room */

struct sequence {
    uint64_t key;     /* 0: free */
    uint64_t high;    /* the highest number yet */
    uint64_t came;    /* numbers, up to some thousand */
    uint64_t missing; /* below it */
    uint64_t told;    /* of them, those that were found missing before */
    nsec changed;     /* when `missing` grew last */
    nsec heard;
};

/* Numbers from `first` to `last`, `n` of them. `key`: what counts them, not 0. */
void sequences_add(struct sequence all[SEQUENCES], nsec now, uint64_t key, uint64_t first,
                   uint64_t last, uint64_t n);
/* How many have been missing for a while and were not told; they are told then. */
uint64_t sequences_missing(struct sequence all[SEQUENCES], nsec now);

#endif
