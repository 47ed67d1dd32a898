/* SPDX-License-Identifier: EUPL-1.2 */
#include "histogram.h"

/* Below FINE a class a nanosecond; above, FINE classes between two powers of two. */
static unsigned class_of(uint64_t v)
{
    if (v < HISTOGRAM_FINE) return (unsigned)v;
    unsigned exponent = 63 - (unsigned)__builtin_clzll(v);
    unsigned shift = exponent - 6;
    return (shift + 1) * HISTOGRAM_FINE + (unsigned)(v >> shift) - HISTOGRAM_FINE;
}

/* The largest value of the class. */
static uint64_t class_end(unsigned number)
{
    if (number < HISTOGRAM_FINE) return number;
    unsigned shift = number / HISTOGRAM_FINE - 1;
    uint64_t begin = (uint64_t)(HISTOGRAM_FINE + number % HISTOGRAM_FINE) << shift;
    return begin + (UINT64_C(1) << shift) - 1;
}

void histogram_add(struct histogram *h, nsec duration, uint64_t n)
{
    if (duration < 0) duration = 0;
    h->n += n;
    h->classes[class_of((uint64_t)duration)] += n;
    if (duration > h->most) h->most = duration;
}

void histogram_merge(struct histogram *h, const struct histogram *other)
{
    h->n += other->n;
    if (other->most > h->most) h->most = other->most;
    for (unsigned i = 0; i < HISTOGRAM_CLASSES; i++) h->classes[i] += other->classes[i];
}

nsec histogram_quantile(const struct histogram *h, double part)
{
    double enough = part * (double)h->n;
    uint64_t sum = 0;
    for (unsigned i = 0; i < HISTOGRAM_CLASSES; i++) {
        sum += h->classes[i];
        if (sum == 0 || (double)sum < enough) continue;
        nsec end = (nsec)class_end(i);
        return end < h->most ? end : h->most;
    }
    return h->most;
}
