/* SPDX-License-Identifier: EUPL-1.2 */
/* Texts that a record must have in its bytes for a filter to hold for it. */
#ifndef VAKA_QUERY_NEEDLES_H
#define VAKA_QUERY_NEEDLES_H

#include "detect/sigma/rule.h"

enum {
    NEEDLES_MAX = 64,
    NEEDLE_LEAST = 3, /* bytes: decoders make numbers of two digits by themselves */
};

/* One of them is there, whatever the case of ASCII letters. n is 0: nothing is known. */
struct needles {
    struct slice at[NEEDLES_MAX]; /* borrowed from the filter, without ASCII capitals */
    uint32_t n;
};

struct needles_world {
    void *ctx;
    /* Whether the byte stands in a record as it stands in the values taken of it. */
    bool (*plain)(char c);
    /* Whether values of the field are parts of the record, all of them. */
    bool (*copied)(void *ctx, struct slice field);
};

/* Of all that are right the ones that are likely to be seldom. */
void needles_find(const struct sigma_expr *filter, const struct needles_world *world,
                  struct needles *ret);

#endif
