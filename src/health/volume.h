/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Whether as many records come as usual: a cumulative sum (Page, 1954) of the logarithms of what
 * came by what was expected, over stretches in which some tens were expected. How far stretches are
 * from what is expected by chance is learned with it, so that a source of bursts is given more
 * room.
 */
#ifndef VAKA_HEALTH_VOLUME_H
#define VAKA_HEALTH_VOLUME_H

#include <stdbool.h>

#include "base/clock.h"

struct volume {
    double came, expected; /* of the stretch at hand; expected: less what all others lack, too */
    double usual;          /* expected, all the same */
    double seconds;
    double dip;         /* the lowest of the hour; … */
    double usual_dip;   /* … and what is usual in it, at most 0 */
    float bias, spread; /* of stretches' logarithms */
    float sum;
    uint32_t stretches;
    bool low;
    nsec since;
    float found, before; /* records an hour, when it was found low */
};

void volume_init(struct volume *v);
void volume_add(struct volume *v, uint64_t records);
/* Time passes in which so many were usual, and so many expected. */
void volume_expect(struct volume *v, double seconds, double usual, double expected);
/* The stretch is dropped: it says nothing. */
void volume_drop(struct volume *v);
/*
 * The stretch ends if enough was expected in it. `factor`: of the sum that is told; 0: nothing is,
 * it is only learned. One in which nothing came is a silence, and says nothing here.
 */
void volume_end(struct volume *v, nsec now, double factor);
/* ln(came / usual) of the stretch at hand; not a number when little was expected. */
double volume_now(const struct volume *v);

#endif
