/* SPDX-License-Identifier: EUPL-1.2 */
/* Counts, sums and percentiles. */
#include "detect/correlate/internal.h"

#include <math.h>
#include <stdlib.h>

#include "base/hash.h"

void sum_add(struct exact_sum *s, double v)
{
    double t = s->sum + v;
    s->error += fabs(s->sum) >= fabs(v) ? (s->sum - t) + v : (v - t) + s->sum;
    s->sum = t;
}

static struct sample *sample_at(const struct samples *s, uint32_t i)
{
    return &s->ring[(s->head + i) & (s->cap - 1)];
}

static bool samples_grow(struct correlator *c, struct samples *s)
{
    uint32_t cap = s->cap ? s->cap * 2 : 2;
    struct sample *ring = mem_take(c, cap * sizeof *ring);
    if (!ring) return false;
    for (uint32_t i = 0; i < s->n; i++) ring[i] = *sample_at(s, i);
    mem_give(c, s->ring, s->cap * sizeof *ring);
    s->ring = ring;
    s->cap = cap;
    s->head = 0;
    return true;
}

/* Pairs of neighbours become one at the later time: nothing expires too early. */
static void samples_halve(struct group *g)
{
    struct samples *s = &g->u.samples;
    uint32_t n = 0;
    for (uint32_t i = 0; i + 1 < s->n; i += 2, n++) {
        struct sample a = *sample_at(s, i), b = *sample_at(s, i + 1);
        *sample_at(s, n) = (struct sample){b.time, a.ref, a.weight + b.weight};
    }
    if (s->n % 2) {
        *sample_at(s, n) = *sample_at(s, s->n - 1);
        n++;
    }
    s->n = n;
    g->approximate = true;
}

bool samples_add(struct correlator *c, struct group *g, const struct corr_event *ev, double weight)
{
    struct samples *s = &g->u.samples;
    if (s->n == s->cap && (s->cap >= CORRELATOR_SAMPLES_MAX || !samples_grow(c, s))) {
        if (s->n < 4) return false;
        samples_halve(g);
    }
    *sample_at(s, s->n++) = (struct sample){ev->time, ev->ref, weight};
    sum_add(&g->total, weight);
    return true;
}

void samples_expire(struct group *g, nsec since)
{
    struct samples *s = &g->u.samples;
    while (s->n && s->ring[s->head].time < since) {
        sum_add(&g->total, -s->ring[s->head].weight);
        s->head = (s->head + 1) & (s->cap - 1);
        s->n--;
        s->removed++;
    }
    /* Taken anew once per turn of the ring, so that rounding never adds up. */
    if (s->n && s->removed <= s->n) return;
    g->total = (struct exact_sum){0};
    for (uint32_t i = 0; i < s->n; i++) sum_add(&g->total, sample_at(s, i)->weight);
    s->removed = 0;
}

void samples_done(struct correlator *c, struct group *g)
{
    struct samples *s = &g->u.samples;
    mem_give(c, s->ring, s->cap * sizeof *s->ring);
    *s = (struct samples){0};
}

/* Past the limit a uniform sample is kept (reservoir, algorithm R). */
bool quantile_add(struct correlator *c, struct group *g, double value)
{
    struct quantile *q = &g->u.quantile;
    q->seen++;
    if (q->n == q->cap && q->cap < CORRELATOR_SAMPLES_MAX) {
        uint32_t cap = q->cap ? q->cap * 2 : 4;
        double *values = mem_resize(c, q->values, q->cap * sizeof *values, cap * sizeof *values);
        if (values) {
            q->values = values;
            q->cap = cap;
        }
    }
    if (q->n < q->cap) {
        q->values[q->n++] = value;
        return true;
    }
    g->approximate = true;
    if (!q->n) return false;
    uint64_t at = hash_mix(c->seed ^ g->serial, q->seen) % q->seen;
    if (at < q->n) q->values[at] = value;
    return true;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double quantile_value(struct group *g, double percentile)
{
    struct quantile *q = &g->u.quantile;
    if (!q->n) return 0;
    qsort(q->values, q->n, sizeof *q->values, by_value);
    double rank = percentile / 100 * (q->n - 1);
    uint32_t low = (uint32_t)rank;
    if (low + 1 >= q->n) return q->values[q->n - 1];
    double part = rank - low;
    return q->values[low] * (1 - part) + q->values[low + 1] * part;
}

void quantile_done(struct correlator *c, struct group *g)
{
    struct quantile *q = &g->u.quantile;
    mem_give(c, q->values, q->cap * sizeof *q->values);
    *q = (struct quantile){0};
}
