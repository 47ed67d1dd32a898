/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Correlations evaluated the slow way: every event of a group is looked at again for every window.
 * Written from the definitions in detect/correlate/correlate.h and sharing nothing with the
 * correlator but case folding; fields are looked up by name, aliases resolved at every look.
 */
#ifndef VAKA_TESTS_PROPERTY_CORRELATE_REF_H
#define VAKA_TESTS_PROPERTY_CORRELATE_REF_H

#include "base/time.h"
#include "detect/sigma/set.h"

/* A match of a rule, with all fields of the event. Events come in nondecreasing time. */
struct ref_match {
    uint32_t rule;
    nsec time;
    const struct slice *names, *values;
    uint32_t n_fields;
};

struct ref_firing {
    uint32_t correlation;
    nsec time, first, last;
    double count;
    struct slice group; /* folded values, each followed by \x1f */
};

struct ref_firings {
    struct ref_firing *list;
    uint32_t n;
};

/* Everything lives in the arena. The program ends when it is spent. */
struct ref_firings ref_correlate(struct arena *arena, const struct sigma_set *set,
                                 const struct ref_match *matches, uint32_t n_matches);

/* Appends the folded value and \x1f. */
void ref_group_add(struct buf *out, struct slice value);

#endif
