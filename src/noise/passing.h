/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Blocks that are passed over because no rule can hold in them: filters and a current index say
 * that they have not the words that each of the rules needs (index/ask.h). One rule that needs no
 * word, and all blocks are read.
 */
#ifndef VAKA_NOISE_PASSING_H
#define VAKA_NOISE_PASSING_H

#include "index/ask.h"
#include "ruleset/ruleset.h"
#include "scan/reader.h"

struct passing {
    struct index_asks *asks; /* NULL: nothing is passed over */
    int folder;              /* of the indexes; -1: none */
    uint64_t version;        /* of indexes that can be asked */
    /* Of the group that was asked last, by one reader; its segment and number, and 1. */
    uint64_t begin, group, may;
};

/* Nothing is passed over: for who counts all records. */
void passing_none(struct passing *p);
/* For the rules, also those that only correlations refer to, and a tenant's folder. ERR_NOMEM. */
int passing_init(struct passing *p, const struct ruleset *rules, const char *store) MUST_USE;
void passing_done(struct passing *p);
/* What stands beside a segment, for scan_options.beside. */
int passing_beside(const struct passing *p, uint64_t begin);
/* As scan_work.may. */
int passing_may(struct passing *p, const struct scan_segment *at, uint32_t group, uint64_t *ret);

#endif
