/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * How many connections of a listener each address has: a hash table of as many places as there may
 * be connections, twice, so that a new one costs no walk over the others.
 */
#ifndef VAKA_COLLECT_CALLERS_H
#define VAKA_COLLECT_CALLERS_H

#include "base/error.h"
#include "base/ip.h"

struct caller {
    char address[IP_TEXT_MAX];
    uint32_t n; /* 0: the place is free */
};

struct callers {
    struct caller *places;
    uint32_t mask; /* their number, a power of two, less one */
};

/* For at most `max` connections. ERR_NOMEM. */
int callers_init(struct callers *c, uint32_t max) MUST_USE;
void callers_done(struct callers *c);
uint32_t callers_count(const struct callers *c, const char *address);
/* One more, or one less, of those that were added. */
void callers_add(struct callers *c, const char *address);
void callers_remove(struct callers *c, const char *address);

#endif
