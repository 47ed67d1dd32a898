/* SPDX-License-Identifier: EUPL-1.2 */
#include "city.h"

#include <math.h>

#include "base/hash.h"

#define HOUR (3600 * NSEC_PER_SEC)
#define DAY  (24 * HOUR)

static const struct {
    const char *name, *text;
} kinds[CITY_KIND_COUNT] = {
#define X(id, name, text) {name, text},
    CITY_KINDS(X)
#undef X
};

const char *city_name(enum city_kind kind)
{
    return kinds[kind].name;
}

const char *city_text(enum city_kind kind)
{
    return kinds[kind].text;
}

/* ---- chance ------------------------------------------------------------------------------ */

double city_random(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return (double)(hash_mix(*state, 1) >> 11) * 0x1p-53;
}

static double normal(uint64_t *state)
{
    double u = 1 - city_random(state), v = city_random(state);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static uint64_t poisson(uint64_t *state, double mean)
{
    if (mean > 40) {
        double x = mean + sqrt(mean) * normal(state);
        return x < 0 ? 0 : (uint64_t)(x + 0.5);
    }
    uint64_t n = 0;
    for (double left = exp(-mean), product = city_random(state); product > left; n++)
        product *= city_random(state);
    return n;
}

/* ---- hours ------------------------------------------------------------------------------- */

/* From 0 to 1: how much people work at that hour of a working day. */
static double work_at(double hour)
{
    if (hour < 6 || hour >= 19) return 0;
    if (hour < 8) return (hour - 6) / 2;
    if (hour < 16) return hour >= 12 && hour < 13 ? 0.7 : 1;
    return (19 - hour) / 3;
}

static double work(const struct moment *at, double early)
{
    if (at->red || at->weekday == 5) return 0;
    double part = at->summer ? 0.4 : at->bridge ? 0.5 : 1;
    return part * work_at(at->hour + early);
}

/* Hours of an office: nothing outside, from the first minute on inside. */
static double office(const struct moment *at, double early)
{
    double hour = at->hour + early;
    if (at->red || at->weekday >= 5 || hour < 7.2 || hour > 17.2) return 0;
    return at->summer ? 0.5 : 1;
}

static double waking(double hour)
{
    return hour >= 7 && hour < 23 ? 1 : 0.2;
}

/* Records a second, on the mean. */
static double rate_of(const struct city_source *s, const struct moment *at)
{
    double w = work(at, s->early);
    switch (s->kind) {
    case CITY_FIREWALL:
        return 1500 * (0.4 + 0.15 * waking(at->hour) + 0.45 * w);
    case CITY_DNS:
        return 600 * (0.1 + 0.1 * waking(at->hour) + 0.8 * w);
    case CITY_CONTROLLER:
        return 40 * (0.2 + 0.8 * w);
    case CITY_SERVER:
        return 0.8 * (at->hour >= 1 && at->hour < 1.5 ? 5 : 0.9 + 0.1 * w);
    case CITY_COLLECTOR:
        return 150 * (0.03 + 0.97 * w);
    case CITY_OFFICE:
    case CITY_PERSON:
        return s->away ? 0 : 0.4 * office(at, s->early);
    case CITY_SCHOOL:
        return at->school ? 0.3 * office(at, s->early) + 0.0005 : 0.0005 * waking(at->hour);
    case CITY_SWITCH:
        return at->hour >= 7 && at->hour < 18 ? 40.0 / 3600 : 8.0 / 3600;
    case CITY_VPN:
        return 0.2 * w + 0.02 * (waking(at->hour) - 0.2) + 4.0 / 3600;
    case CITY_ARCHIVE:
        return 6.0 / 36000 * office(at, s->early);
    case CITY_RARE:
        return 1.0 / (3 * 86400);
    default:
        return 0;
    }
}

/* ---- records ----------------------------------------------------------------------------- */

static void new_day(struct city_source *s, const struct moment *at)
{
    s->day = at->day;
    s->factor = exp(0.1 * normal(&s->chance));
    s->early = 0.25 * normal(&s->chance);
    s->away = s->kind == CITY_PERSON && city_random(&s->chance) < 1.0 / 12;
}

/* `n` records at random moments of a step. */
static void spread(struct city_source *s, nsec from, nsec step, uint64_t n, struct health_news *ret)
{
    double first = 1 - pow(1 - city_random(&s->chance), 1 / (double)n), last = first;
    if (n > 1) last += (1 - first) * pow(1 - city_random(&s->chance), 1 / (double)(n - 1));
    double longest =
        n > 2 ? (last - first) * fmin(1, (log((double)n) + 0.6) / (double)n) : last - first;
    ret->first = from + (nsec)(first * (double)step);
    ret->last = from + (nsec)(last * (double)step);
    ret->longest = (nsec)(longest * (double)step);
    ret->records = n;
}

/* The next moment of what comes regularly, or after pauses. */
static nsec next_after(struct city_source *s, nsec time, const struct moment *at)
{
    double minute = 60 * (double)NSEC_PER_SEC;
    switch (s->kind) {
    case CITY_HEARTBEAT:
        return time + (nsec)(minute * (1 + 0.005 * normal(&s->chance)));
    case CITY_MARK:
        return time + (nsec)(minute * 20 * (1 + 0.002 * normal(&s->chance)));
    case CITY_CLOUD:
        return time + (nsec)(minute * 5 * (1 + 0.02 * fabs(normal(&s->chance))));
    case CITY_BURSTS:
        return time + (nsec)(minute * exp(1.5 * normal(&s->chance)));
    default: { /* at an hour: tomorrow, or on Monday */
        double to = s->kind == CITY_BATCH ? 27 - at->hour : 30 - at->hour + 24 * (6 - at->weekday);
        return time + (nsec)((to + 0.1 * normal(&s->chance)) * (double)HOUR);
    }
    }
}

static bool is_regular(const struct city_source *s)
{
    return s->kind == CITY_HEARTBEAT || s->kind == CITY_MARK || s->kind == CITY_CLOUD ||
           s->kind == CITY_BURSTS || s->kind == CITY_BATCH || s->kind == CITY_WEEKLY;
}

static uint64_t records_at_once(struct city_source *s, const struct moment *at)
{
    switch (s->kind) {
    case CITY_CLOUD:
        return poisson(&s->chance, 1.5 + 200 * work(at, s->early) * s->factor);
    case CITY_BURSTS:
        return 1 + poisson(&s->chance, 3);
    case CITY_BATCH:
        return poisson(&s->chance, 2000 * s->factor);
    case CITY_WEEKLY:
        return 50;
    default:
        return 1;
    }
}

/* What a fault leaves of the rate. */
static double left_of(const struct city_source *s, nsec now)
{
    double left = 1;
    if (s->fades_from && now > s->fades_from)
        left *= pow(0.9, (double)(now - s->fades_from) / (double)DAY);
    if (s->less_from && now > s->less_from) left *= 0.2;
    return left;
}

static bool come_regularly(struct city_source *s, nsec from, nsec step, const struct moment *at,
                           struct health_news *ret)
{
    uint64_t n = 0;
    if (s->next == 0) s->next = next_after(s, from, at);
    for (; s->next < from + step; s->next = next_after(s, s->next, at)) {
        uint64_t more = records_at_once(s, at);
        if (more == 0) continue;
        if (n == 0) ret->first = s->next;
        else if (s->next - ret->last > ret->longest) ret->longest = s->next - ret->last;
        ret->last = s->next;
        n += more;
    }
    double left = left_of(s, from);
    if (left < 1 && n > 0) n = poisson(&s->chance, (double)n * left);
    ret->records = n;
    return n > 0;
}

static bool come_by_rate(struct city_source *s, nsec from, nsec step, const struct moment *at,
                         struct health_news *ret)
{
    double mean =
        rate_of(s, at) * s->factor * left_of(s, from) * (double)step / (double)NSEC_PER_SEC;
    if (mean <= 0) return false;
    if (from < s->burst_until) mean *= 10;
    else if (city_random(&s->chance) < (double)step / (double)(30 * DAY))
        s->burst_until = from + HOUR / 4;
    uint64_t n = poisson(&s->chance, mean);
    if (n > 0) spread(s, from, step, n, ret);
    return n > 0;
}

/* What is not understood, what is claimed, what is counted. */
static void fill(struct city_source *s, struct health_news *news)
{
    nsec now = news->last;
    bool changed = s->unread_from && now > s->unread_from;
    double unread = changed ? 0.6 : 0.004;
    news->unread = poisson(&s->chance, unread * (double)news->records);
    if (news->unread > news->records) news->unread = news->records;
    news->claims = 1;
    double late = 0.2 + 2 * -log(1 - city_random(&s->chance));
    if (s->kind == CITY_CLOUD) late += 180 + 300 * city_random(&s->chance);
    if (s->kind == CITY_SWITCH) late -= (double)calendar_offset(now); /* time without a zone */
    double ahead = s->drifts_from && now > s->drifts_from
                       ? 2 * (double)(now - s->drifts_from) / (double)DAY
                       : 0;
    if (s->off_from && now > s->off_from) ahead -= 300;
    news->freshest = (nsec)((ahead - late) * (double)NSEC_PER_SEC);
    if (s->gap_at && now > s->gap_at) {
        s->number += 40;
        s->gap_at = 0;
    }
    news->number = s->number + 1;
    s->number += news->records;
    news->last_number = s->number;
    news->numbers = news->records;
}

bool city_speak(struct city_source *s, nsec from, nsec step, const struct moment *at,
                struct health_news *ret)
{
    *ret = (struct health_news){0};
    if (at->day != s->day) new_day(s, at);
    bool came = is_regular(s) ? come_regularly(s, from, step, at, ret)
                              : come_by_rate(s, from, step, at, ret);
    bool dead =
        s->dead_from && from >= s->dead_from && (s->dead_until == 0 || from < s->dead_until);
    if (came) s->swallowed = dead;
    if (!came || dead) return false;
    fill(s, ret);
    return true;
}
