/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Correlation over a whole hunt. Matches arrive file by file; the correlator wants them in order of
 * time. So they are kept, and given to it sorted when everything was read. When they are more than
 * sort_max bytes, the older half of them goes to the correlator early: a match that turns
 * up later and is older than that counts as late (see correlate.h), and the hunt says so.
 */
#ifndef VAKA_HUNT_CHAIN_H
#define VAKA_HUNT_CHAIN_H

#include "alert/line.h"
#include "detect/correlate/correlate.h"
#include "hunt/message.h"

enum {
    CHAIN_NAMES_MAX = 16 * 1024 * 1024, /* bytes of source names */
};

struct chain;

/* A firing that is not silent, with the places of its records. Valid during the call. */
typedef void (*chain_firing)(void *ctx, const struct correlator_firing *firing,
                             const struct line_ref *refs);
/* A correlation that will not run. */
typedef void (*chain_refused)(void *ctx, const struct sigma_corr_rule *rule, const char *why);

struct chain_options {
    uint64_t seed;    /* as for the correlator */
    size_t state_max; /* bytes: of the correlator, … */
    size_t sort_max;  /* … and of the matches that wait */
};

/* NULL when out of memory. */
struct chain *chain_new(const struct sigma_set *set, const struct chain_options *options, void *ctx,
                        chain_firing firing, chain_refused refused);
void chain_free(struct chain *c);
const struct correlator *chain_correlator(const struct chain *c);
/* A tuple that is not valid is dropped: the correlator checks it against its rules. */
void chain_add(struct chain *c, const struct message_tuple *m, uint64_t record);
/* Everything was added: the rest of the firings. */
void chain_finish(struct chain *c);
/* Times the older half was given away early. */
uint32_t chain_spills(const struct chain *c);
/* Matches for which there was no memory: they took no part. */
uint64_t chain_lost(const struct chain *c);
void chain_get_stats(const struct chain *c, struct correlator_stats *ret);

#endif
