/* SPDX-License-Identifier: EUPL-1.2 */
#include "health/share.h"

#include <math.h>

#define BLOCK_LEAST    50 /* records of a block … */
#define BLOCK_FEW      10 /* … or, after a day, these */
#define BLOCK_SPAN     (60 * NSEC_PER_SEC)
#define DAY            (24 * 3600 * NSEC_PER_SEC)
#define BLOCKS_LEAST   10    /* before it speaks */
#define MEMORY         500.0 /* blocks */
#define SINKS          0.995
#define BEYOND         0.1 /* above the mean at least: a tenth of all records */
#define DEVIATIONS     4.0
#define HIGH           2 /* blocks in a row that are told, or end it */
#define ACCEPTED_AFTER (14 * DAY)

static bool is_complete(const struct share *s, nsec now)
{
    nsec span = now - s->began;
    return (s->n >= BLOCK_LEAST && span >= BLOCK_SPAN) || (s->n >= BLOCK_FEW && span >= DAY);
}

static double limit_of(const struct share *s)
{
    double usual = (double)s->usual, most = 1.5 * (double)s->most;
    double chance = DEVIATIONS * sqrt(usual * (1 - usual) / (double)s->n);
    double limit = usual + (chance > BEYOND ? chance : BEYOND);
    return limit > most ? limit : most;
}

static void learn(struct share *s, double part)
{
    double n = s->blocks < MEMORY ? (double)s->blocks + 1 : MEMORY;
    double mean = (double)s->usual + (part - (double)s->usual) / n;
    double sunk = mean + SINKS * ((double)s->most - mean);
    s->usual = (float)mean;
    s->most = (float)(part > sunk ? part : sunk);
    s->blocks++;
}

static void judge(struct share *s, nsec now)
{
    double part = (double)s->bad / (double)s->n;
    bool known = s->blocks >= BLOCKS_LEAST;
    bool high = known && part > limit_of(s);
    bool accepted = s->dropped && now - s->since >= ACCEPTED_AFTER;
    s->high = high ? (uint8_t)(s->high < HIGH ? s->high + 1 : HIGH) : 0;
    s->normal = high ? 0 : (uint8_t)(s->normal < HIGH ? s->normal + 1 : HIGH);
    if (!high || accepted) learn(s, part);
    if (!s->dropped && s->high == HIGH) {
        s->dropped = true;
        s->since = now;
        s->found = (float)part;
        s->before = s->usual;
        s->records = s->n;
    } else if (s->dropped && s->normal == HIGH) {
        s->dropped = false;
    }
}

void share_add(struct share *s, nsec now, uint64_t n, uint64_t bad)
{
    if (n == 0) return;
    if (s->n == 0) s->began = now;
    s->n += n;
    s->bad += bad;
    if (!is_complete(s, now)) return;
    judge(s, now);
    s->n = s->bad = 0;
}
