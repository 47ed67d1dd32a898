/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * How far a source's clock is off, as far as its records tell. What a record claims is older than
 * its receipt by the way it took, so the freshest of some minutes, the one that claims most, is the
 * best there is (as the filter of NTP takes the shortest way, RFC 5905, 10). What is the same
 * several times in a row is the clock; what changes is the way.
 *
 * A source has a usual difference: time without a zone, or a way that is always long. It is learned
 * once and after that only comes nearer to 0, so that a clock that drifts slowly cannot take it
 * along. A step by one hour is summer time.
 */
#ifndef VAKA_HEALTH_SKEW_H
#define VAKA_HEALTH_SKEW_H

#include <stdbool.h>

#include "base/clock.h"

enum { SKEW_ROW = 3, SKEW_LEARNED = 15 };

struct skew {
    nsec began; /* of the stretch at hand; 0: it is empty */
    uint32_t samples;
    double freshest;     /* s: claimed less received, the highest of the stretch */
    float row[SKEW_ROW]; /* of the last stretches, the newest first */
    float learning[SKEW_LEARNED];
    uint32_t stretches;
    float usual;
    float width; /* s: how far stretches are from it by the way they took */
    bool off;
    nsec since;
    float found; /* s that it is off by; > 0: ahead */
};

/* The highest of `samples` differences, in seconds. `limit`: what is tolerated, in seconds. */
void skew_add(struct skew *s, nsec now, double difference, uint32_t samples, double limit);

#endif
