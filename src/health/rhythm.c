/* SPDX-License-Identifier: EUPL-1.2 */
#include "health/rhythm.h"

#define MEMORY        6.0   /* weeks that an hour remembers */
#define SINKS         0.95  /* what is left of the way from the mean to the longest after a week */
#define SPREAD_MEMORY 500.0 /* hours */
#define SPREAD_WEIGHT 24.0  /* hours that the first one counts for */
#define SPREAD_FIRST  0.5
#define SPREADS       10.0 /* beyond the mean: what a month of silences does not exceed by chance */
#define POOL_WEIGHT   1.0  /* weeks that like hours count for … */
#define POOL_LEAST    3.0  /* … and how many of them must be known */
#define OWN_LEAST     2.0  /* weeks after which an hour speaks for itself … */
#define ODD_SINKS     0.95 /* a silence that was told, each time that its hour is learned */
#define RESTED        4.0  /* times a silence of working days: no record on Sundays */
#define RESTS_TIMES   4.0  /* so much longer are silences of days off … */
#define RESTS_LEAST   1800.0 /* … and at least so long, in seconds */
#define RESTS_HOURS   3      /* hours of a day, and days, that make a rhythm of work */
#define RESTS_DAYS    4

enum { DAY = 24, TUESDAY = 1, SATURDAY = 5, SUNDAY = 6, DAYS = 7 };

void rhythm_init(struct rhythm *r)
{
    *r = (struct rhythm){.spread = SPREAD_FIRST};
}

unsigned rhythm_hour_at(nsec time, int32_t offset)
{
    /* 1970 began on a Thursday. */
    int64_t hours = (time / NSEC_PER_SEC + offset) / 3600 + 3 * DAY;
    return (unsigned)(hours % RHYTHM_HOURS);
}

unsigned rhythm_rest_hour(unsigned hour)
{
    return SUNDAY * DAY + hour % DAY;
}

/* The same hour of days that are like its own, itself among them. */
struct pool {
    double weeks, silence, longest, records;
    double dips[RHYTHM_DIPS];
};

static const struct rhythm_hour *same_hour(const struct rhythm *r, unsigned day, unsigned hour)
{
    return &r->hours[day * DAY + hour % DAY];
}

static unsigned kind_of(unsigned hour)
{
    return hour / DAY < SATURDAY ? 0 : hour / DAY - SATURDAY + 1;
}

/* Whether a silence of Sundays is one that begins before them. */
static bool rests_on_sundays(const struct rhythm *r, unsigned hour)
{
    const struct rhythm_hour *sunday = same_hour(r, SUNDAY, hour);
    double least = 0;
    unsigned n = 0;
    for (unsigned day = TUESDAY; day < SATURDAY; day++) {
        const struct rhythm_hour *h = same_hour(r, day, hour);
        if (h->weeks <= 0) continue;
        if (n++ == 0 || (double)h->silence < least) least = (double)h->silence;
    }
    double silence = sunday->weeks > 0 ? (double)sunday->silence : 0;
    return n > 0 && (sunday->weeks <= 0 || silence >= DAY * 3600.0 || silence > RESTED * least);
}

static void put_in(struct pool *p, const struct rhythm_hour *h)
{
    p->silence += h->silence * h->weeks;
    p->records += h->records * h->weeks;
    for (unsigned i = 0; i < RHYTHM_DIPS; i++)
        if ((double)h->dips[i] < p->dips[i]) p->dips[i] = (double)h->dips[i];
    p->weeks += h->weeks;
    if (h->longest > p->longest) p->longest = h->longest;
}

static struct pool pool_of(const struct rhythm *r, unsigned hour)
{
    struct pool p = {0};
    unsigned day = hour / DAY, from = SATURDAY, to = DAYS;
    bool rests = rests_on_sundays(r, hour);
    if (day < SATURDAY) {
        from = rests ? TUESDAY : 0;
        to = SATURDAY;
    }
    if (rests && (day == 0 || day >= SATURDAY)) {
        from = day;
        to = day + 1;
    }
    for (; from < to; from++) put_in(&p, same_hour(r, from, hour));
    if (p.weeks > 0) {
        p.silence /= p.weeks;
        p.records /= p.weeks;
    }
    return p;
}

static double mix(double own, double weeks, double pool)
{
    return (own * weeks + pool * POOL_WEIGHT) / (weeks + POOL_WEIGHT);
}

static bool is_known(const struct rhythm_hour *h, const struct pool *p)
{
    return h->weeks >= OWN_LEAST || p->weeks >= POOL_LEAST;
}

/* One silence that was out of all proportion says little about the others. */
static void learn_spread(struct rhythm *r, double mean, double silence)
{
    double beyond = mean > 0 && silence > mean ? silence / mean - 1 : 0;
    double most = 8 * (double)r->spread + 0.5;
    if (beyond > most) beyond = most;
    double n = r->spreads < SPREAD_MEMORY ? (double)r->spreads + SPREAD_WEIGHT : SPREAD_MEMORY;
    r->spreads++;
    r->spread = (float)((double)r->spread + (beyond - (double)r->spread) / n);
}

void rhythm_learn(struct rhythm *r, unsigned hour, double silence, double records,
                  const double dips[RHYTHM_DIPS])
{
    struct rhythm_hour *h = &r->hours[hour];
    struct pool p = pool_of(r, hour);
    if (is_known(h, &p))
        learn_spread(r, mix((double)h->silence, (double)h->weeks, p.silence), silence);
    double weeks = (double)h->weeks + 1;
    double part = 1 / (weeks < MEMORY ? weeks : MEMORY);
    double mean = (double)h->silence + part * (silence - (double)h->silence);
    double sunk = mean + SINKS * ((double)h->longest - mean);
    h->silence = (float)mean;
    h->longest = (float)(silence > sunk ? silence : sunk);
    if (records >= 0)
        h->records = (float)((double)h->records + part * (records - (double)h->records));
    for (unsigned i = 0; i < RHYTHM_DIPS && dips; i++) {
        double risen = dips[i] + SINKS * ((double)h->dips[i] - dips[i]);
        h->dips[i] = (float)(dips[i] < (double)h->dips[i] ? dips[i] : risen);
    }
    r->odd[kind_of(hour)][hour % DAY] *= (float)ODD_SINKS;
    if (h->weeks < MEMORY) h->weeks++;
    r->learned++;
}

void rhythm_note(struct rhythm *r, unsigned hour, double silence, bool certain)
{
    float *odd = &r->odd[kind_of(hour)][hour % DAY];
    double usual = certain || silence < (double)*odd ? silence : (double)*odd;
    if (usual > (double)r->hours[hour].longest) r->hours[hour].longest = (float)usual;
    *odd = (float)silence;
}

double rhythm_silence(const struct rhythm *r, unsigned hour)
{
    const struct rhythm_hour *h = &r->hours[hour];
    struct pool p = pool_of(r, hour);
    if (!is_known(h, &p)) return 0;
    double mean = mix((double)h->silence, (double)h->weeks, p.silence);
    double usual = mean * (1 + SPREADS * (double)r->spread);
    return usual > p.longest ? usual : p.longest;
}

double rhythm_silence_ahead(const struct rhythm *r, unsigned hour)
{
    double longest = 0;
    for (unsigned i = 0; i < DAY; i++) {
        double silence = rhythm_silence(r, (hour + i) % RHYTHM_HOURS);
        if (silence > longest) longest = silence;
    }
    return longest;
}

double rhythm_longest(const struct rhythm *r)
{
    double longest = 0;
    for (unsigned i = 0; i < RHYTHM_HOURS; i++)
        if ((double)r->hours[i].longest > longest) longest = (double)r->hours[i].longest;
    return longest;
}

double rhythm_records(const struct rhythm *r, unsigned hour)
{
    const struct rhythm_hour *h = &r->hours[hour];
    struct pool p = pool_of(r, hour);
    return is_known(h, &p) ? mix((double)h->records, (double)h->weeks, p.records) : -1;
}

double rhythm_dip(const struct rhythm *r, unsigned hour, unsigned which)
{
    const struct rhythm_hour *h = &r->hours[hour];
    struct pool p = pool_of(r, hour);
    return is_known(h, &p) ? p.dips[which] : 0;
}

bool rhythm_rests_at(const struct rhythm *r, unsigned hour)
{
    double now = rhythm_silence(r, hour), rest = rhythm_silence(r, rhythm_rest_hour(hour));
    return now > 0 && hour / DAY < SATURDAY && rest >= RESTS_LEAST && rest > RESTS_TIMES * now;
}

bool rhythm_rests(const struct rhythm *r)
{
    unsigned days = 0;
    for (unsigned day = 0; day < SATURDAY; day++) {
        unsigned n = 0;
        for (unsigned hour = 0; hour < DAY && n < RESTS_HOURS; hour++)
            n += rhythm_rests_at(r, day * DAY + hour);
        days += n == RESTS_HOURS;
    }
    return days >= RESTS_DAYS;
}
