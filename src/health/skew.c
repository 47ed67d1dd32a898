/* SPDX-License-Identifier: EUPL-1.2 */
#include "health/skew.h"

#include <math.h>

#define STRETCH       (10 * 60 * NSEC_PER_SEC)
#define STRETCH_AHEAD (60 * NSEC_PER_SEC) /* no way makes a record younger than it is */
#define ZONE          1800.0              /* s: zones are told apart by this */
#define ZONES         (14 * 3600.0)
#define SUMMER        3600.0
#define WIDER         1.5F /* than what was seen while it was learned */
#define AGREES        0.1  /* of the difference */

static double nearest(double x, double step)
{
    return round(x / step) * step;
}

/* A clock that is ahead is never usual, unless it is a zone's. */
static double usual_of(struct skew *s, double limit)
{
    float sorted[SKEW_LEARNED];
    for (unsigned i = 0; i < SKEW_LEARNED; i++) {
        unsigned at = i;
        for (; at > 0 && sorted[at - 1] > s->learning[i]; at--) sorted[at] = sorted[at - 1];
        sorted[at] = s->learning[i];
    }
    double median = (double)sorted[SKEW_LEARNED / 2];
    s->width = WIDER * (sorted[SKEW_LEARNED - 1] - sorted[0]);
    double zone = nearest(median, ZONE);
    if (median <= limit) return median;
    return zone > 0 && zone <= ZONES && fabs(median - zone) <= limit ? zone : 0;
}

static bool row_agrees(const struct skew *s, double limit)
{
    float least = s->row[0], most = s->row[0];
    for (unsigned i = 1; i < SKEW_ROW; i++) {
        if (s->row[i] < least) least = s->row[i];
        if (s->row[i] > most) most = s->row[i];
    }
    double part = AGREES * fabs((double)s->row[0] - (double)s->usual);
    return (double)most - (double)least <= (part > limit ? part : limit);
}

static void judge(struct skew *s, nsec now, double limit)
{
    if (!row_agrees(s, limit)) return;
    double found = (double)s->row[0], beyond = found - (double)s->usual;
    if (fabs(fabs(beyond) - SUMMER) <= limit) {
        s->usual = (float)((double)s->usual + nearest(beyond, SUMMER));
        beyond = found - (double)s->usual;
    }
    /* The way may be longer than usual, but none makes a record come before it was written. */
    double least = found > limit && beyond > 0 ? limit : limit + (double)s->width;
    bool off = fabs(beyond) > (s->off ? least / 2 : least);
    if (off && fabs(found) < fabs((double)s->usual) - limit && found <= limit) {
        s->usual = (float)found; /* it became better than usual */
        off = false;
    }
    if (off && !s->off) s->since = now;
    if (off) s->found = (float)beyond;
    s->off = off;
}

static void end_stretch(struct skew *s, nsec now, double limit)
{
    for (unsigned i = SKEW_ROW - 1; i > 0; i--) s->row[i] = s->row[i - 1];
    s->row[0] = (float)s->freshest;
    if (s->stretches < SKEW_LEARNED) s->learning[s->stretches] = s->row[0];
    if (++s->stretches == SKEW_LEARNED) s->usual = (float)usual_of(s, limit);
    if (s->stretches >= SKEW_LEARNED) judge(s, now, limit);
    if (s->stretches > SKEW_LEARNED) s->stretches = SKEW_LEARNED + 1;
    s->samples = 0;
}

void skew_add(struct skew *s, nsec now, double difference, uint32_t samples, double limit)
{
    if (s->samples == 0) {
        s->began = now;
        s->freshest = difference;
    }
    if (difference > s->freshest) s->freshest = difference;
    s->samples += samples;
    nsec least = s->freshest > limit ? STRETCH_AHEAD : STRETCH;
    if (now - s->began >= least) end_stretch(s, now, limit);
}
