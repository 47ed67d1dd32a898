/* SPDX-License-Identifier: EUPL-1.2 */
/* Durations, counted in classes that are at most 1/64 wide; memory does not grow. */
#ifndef VAKA_LOAD_HISTOGRAM_H
#define VAKA_LOAD_HISTOGRAM_H

#include "base/clock.h"

enum { HISTOGRAM_FINE = 64, HISTOGRAM_CLASSES = 64 * HISTOGRAM_FINE };

struct histogram {
    uint64_t n;
    nsec most;
    uint64_t classes[HISTOGRAM_CLASSES];
};

/* Negative durations count as 0. */
void histogram_add(struct histogram *h, nsec duration, uint64_t n);
void histogram_merge(struct histogram *h, const struct histogram *other);
/* The least duration that a `part` (0 to 1) of all does not exceed; 0 when there is none. */
nsec histogram_quantile(const struct histogram *h, double part);

#endif
