/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What part of a source's records is not understood, and whether that is more than usual. Records
 * are counted in blocks: of some minutes or, when few come, of a day.
 */
#ifndef VAKA_HEALTH_SHARE_H
#define VAKA_HEALTH_SHARE_H

#include <stdbool.h>

#include "base/clock.h"

struct share {
    uint64_t n, bad;      /* the block at hand … */
    nsec began;           /* … since; 0: it is empty */
    float usual;          /* part, in the mean of blocks … */
    float most;           /* … and at most, sinking to the mean */
    uint32_t blocks;      /* that were learned */
    uint8_t high, normal; /* blocks in a row, of those that were not learned and the others */
    bool dropped;
    nsec since;          /* dropped */
    float found, before; /* of the block that it was found in */
    uint64_t records;    /* in it */
};

/* `n` records, `bad` of them not understood. */
void share_add(struct share *s, nsec now, uint64_t n, uint64_t bad);

#endif
