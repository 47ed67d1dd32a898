/* SPDX-License-Identifier: EUPL-1.2 */
#include "health/volume.h"

#include <math.h>

#define EXPECTED_LEAST 30.0
#define EXPECTED_SOME  10.0
#define MEMORY         300.0 /* stretches */
#define SPREAD_FIRST   0.3
#define SLACK_LEAST    0.35 /* 30 % fewer are no loss */
#define SLACK          1.0  /* spreads */
#define STEP_MOST      3.0
#define SUM_LEAST      1.5
#define SUM            8.0  /* spreads */
#define ENDS           0.25 /* of the sum that is told */
#define DEVIATION      1.25 /* of a mean absolute deviation: a standard deviation */

void volume_init(struct volume *v)
{
    *v = (struct volume){.spread = (float)SPREAD_FIRST};
}

void volume_add(struct volume *v, uint64_t records)
{
    v->came += (double)records;
}

void volume_expect(struct volume *v, double seconds, double usual, double expected)
{
    v->seconds += seconds;
    v->usual += usual;
    v->expected += expected;
}

void volume_drop(struct volume *v)
{
    v->came = v->expected = v->usual = v->seconds = 0;
}

double volume_now(const struct volume *v)
{
    return v->usual < EXPECTED_SOME ? NAN : log((v->came + 1) / (v->usual + 1));
}

static void learn(struct volume *v, double x)
{
    double n = v->stretches < MEMORY ? (double)v->stretches + 2 : MEMORY;
    double most = 4 * (double)v->spread + 0.5;
    double beyond = fabs(x - (double)v->bias);
    if (beyond > most) beyond = most;
    if (fabs(x) < most) v->bias = (float)((double)v->bias + (x - (double)v->bias) / n);
    v->spread = (float)((double)v->spread + (beyond - (double)v->spread) / n);
}

static void judge(struct volume *v, nsec now, double factor)
{
    double spread = DEVIATION * (double)v->spread;
    double slack = SLACK * spread > SLACK_LEAST ? SLACK * spread : SLACK_LEAST;
    double told = SUM * spread > SUM_LEAST ? SUM * spread : SUM_LEAST;
    double x = log((v->came + 1) / (v->expected + 1));
    double low = (double)v->bias < v->usual_dip ? (double)v->bias : v->usual_dip;
    double step = low - x - slack;
    if (x < v->dip) v->dip = x;
    double sum = (double)v->sum + (step > STEP_MOST ? STEP_MOST : step);
    told *= factor > 0 ? factor : 1;
    if (sum < 0) sum = 0;
    if (sum > 1.5 * told) sum = 1.5 * told;
    if (sum < told / 2 && !v->low) learn(v, x);
    v->stretches++;
    v->sum = factor > 0 ? (float)sum : 0;
    if (factor <= 0) return;
    if (sum > told && !v->low) {
        v->low = true;
        v->since = now;
        v->found = (float)(v->came / v->seconds * 3600);
        v->before = (float)(v->usual / v->seconds * 3600);
    } else if (v->low && sum < ENDS * told) {
        v->low = false;
    }
}

void volume_end(struct volume *v, nsec now, double factor)
{
    if (v->usual < EXPECTED_LEAST) return;
    if (v->came > 0) judge(v, now, factor);
    volume_drop(v);
}
