/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/fair.h"

#include "collect/ledger.h"

static const nsec busy_age = 50 * NSEC_PER_MSEC;   /* older: matching always had something to do */
static const nsec late_age = 200 * NSEC_PER_MSEC;  /* sources are held back from here on */
static const nsec rate_time = 100 * NSEC_PER_MSEC; /* of one measurement of what matching takes */
static const nsec pause_time =
    300 * NSEC_PER_MSEC; /* without a record: that says nothing of a rate … */
static const nsec still_time = 2 * NSEC_PER_SEC;    /* … and so long: it stands still */
static const nsec fresh_time = 500 * NSEC_PER_MSEC; /* older figures of sources say nothing */
enum {
    CAPACITY_FIRST = 32 * 1024 * 1024, /* bytes a second, until it was measured … */
    CAPACITY_LEAST = 4 * 1024 * 1024,  /* … and however little that is: nobody is starved */
    LEVEL_LEAST = 16 * 1024,           /* the same of one source */
    DEPTH = 8,   /* a source that sent nothing may send a second's share / DEPTH at once */
    PASSES = 16, /* of the search for the level: it is hardly ever more than five */
};
static const uint64_t level_max = UINT64_C(1) << 32;

/* ---- what matching takes ----------------------------------------------------------------- */

static uint64_t per_second(uint64_t bytes, nsec time)
{
    return (uint64_t)((double)bytes * (double)NSEC_PER_SEC / (double)time);
}

void fair_init(struct fair *f)
{
    *f = (struct fair){.level = 0};
    for (unsigned i = 0; i < FAIR_RATES; i++) f->rates[i] = CAPACITY_FIRST;
}

/* On average of the last second or so of work: a moment in which something else had the processor
 * is not what it can. */
static uint64_t capacity_of(const struct fair *f)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < FAIR_RATES; i++) sum += f->rates[i];
    return sum / FAIR_RATES > CAPACITY_LEAST ? sum / FAIR_RATES : CAPACITY_LEAST;
}

/* The first says more than what was assumed. */
static void add_rate(struct fair *f, uint64_t rate)
{
    if (f->next_rate == 0 && rate == 0) return;
    if (f->next_rate == 0)
        for (unsigned i = 0; i < FAIR_RATES; i++) f->rates[i] = rate;
    f->rates[f->next_rate++ % FAIR_RATES] = rate;
}

static void measure(struct fair *f, const struct fair_pace *pace, nsec now)
{
    nsec passed = now - f->told;
    uint64_t bytes = pace->matched - f->pace.matched;
    if (f->pace.age < busy_age || pace->age < busy_age) {
        f->busy = 0;
        f->busy_bytes = 0;
        if (bytes == 0) return;
        f->kept_up = (3 * f->kept_up + per_second(bytes, passed)) / 4;
        f->kept_up_at = now;
        return;
    }
    if (now - f->moved > pause_time) return;
    f->busy += passed;
    f->busy_bytes += bytes;
    if (f->busy < rate_time) return;
    add_rate(f, per_second(f->busy_bytes, f->busy));
    f->busy = 0;
    f->busy_bytes = 0;
}

/* How long a record that comes now will wait, at least. */
static nsec lag_of(const struct fair_pace *pace, uint64_t capacity)
{
    double wait = (double)pace->waiting / (double)capacity * (double)NSEC_PER_SEC;
    return wait > (double)pace->age ? (nsec)wait : pace->age;
}

/*
 * What may come, so that there is always something to match and the wait goes back to late_age.
 * What came until a moment ago without a wait is no flood: matching was only stopped.
 */
static uint64_t budget_of(const struct fair *f, uint64_t capacity, nsec lag, nsec now)
{
    unsigned percent = lag < late_age / 2   ? 110
                       : lag < late_age     ? 100
                       : lag < 2 * late_age ? 85
                                            : 65;
    uint64_t budget = capacity / 100 * percent, before = f->kept_up / 100 * 110;
    return budget < before && now - f->kept_up_at < still_time ? before : budget;
}

/* ---- what sources ask for ---------------------------------------------------------------- */

/* False: the last look is too long ago to say anything of now. */
static bool weigh(struct fair *f, struct ledger *ledger, nsec now)
{
    nsec passed = now - f->weighed;
    bool fresh = f->weighed > 0 && passed > 0 && passed < fresh_time;
    for (uint32_t i = 0; i < ledger->n; i++) {
        struct fair_share *s = &ledger->rows[i].share;
        uint64_t rate = fresh ? per_second(s->asked - s->weighed, passed) : 0;
        s->rate = f->level ? (s->rate + rate) / 2 : rate;
        s->weighed = s->asked;
    }
    f->weighed = now;
    return fresh;
}

/*
 * The level at which all sources together take the budget: those below it what they ask for, each
 * of the others the level; the budget when all fits. It begins too low and grows.
 */
static uint64_t find_level(const struct ledger *ledger, uint64_t budget)
{
    uint64_t level = 0;
    for (int pass = 0; pass < PASSES; pass++) {
        uint64_t sum = 0, n = 0;
        for (uint32_t i = 0; i < ledger->n; i++) {
            const struct fair_share *s = &ledger->rows[i].share;
            if (s->held || s->rate > level) n++;
            else sum += s->rate;
        }
        if (n == 0) return budget;
        uint64_t next = sum < budget ? (budget - sum) / n : 0;
        if (next <= level) break;
        level = next;
    }
    return level < LEVEL_LEAST ? LEVEL_LEAST : level > level_max ? level_max : level;
}

static void forget_held(struct ledger *ledger)
{
    for (uint32_t i = 0; i < ledger->n; i++) ledger->rows[i].share.held = false;
}

/* ---- the level --------------------------------------------------------------------------- */

static uint64_t next_level(struct fair *f, struct ledger *ledger, nsec now)
{
    uint64_t capacity = capacity_of(f);
    if (f->pace.age < busy_age) return 0;
    bool known = weigh(f, ledger, now);
    if (!known || now - f->moved > still_time) return 0;
    nsec lag = lag_of(&f->pace, capacity);
    if (f->level == 0 && lag < late_age) return 0;
    return find_level(ledger, budget_of(f, capacity, lag, now));
}

void fair_tell(struct fair *f, struct ledger *ledger, const struct fair_pace *pace, nsec now)
{
    bool known = f->told > 0 && pace->matched >= f->pace.matched;
    if (known && now <= f->told) return;
    if (!known || pace->matched != f->pace.matched) f->moved = now;
    if (known) measure(f, pace, now);
    f->told = now;
    f->pace = *pace;
    uint64_t level = next_level(f, ledger, now);
    if (level && !f->level) f->since = now;
    if (f->level) forget_held(ledger);
    f->level = level;
}

bool fair_takes(const struct fair *f, struct ledger_row *row, nsec now)
{
    struct fair_share *s = &row->share;
    if (f->level == 0) return true;
    int64_t most = (int64_t)(f->level / DEPTH);
    nsec passed = now - s->filled < NSEC_PER_SEC ? now - s->filled : NSEC_PER_SEC;
    int64_t come = passed * (int64_t)(f->level >> 10) / (NSEC_PER_SEC >> 10);
    if (s->filled < f->since) s->left = most;
    else s->left = s->left + come < most ? s->left + come : most;
    /* What is less than a byte waits. */
    if (s->filled < f->since || come > 0) s->filled = now;
    if (s->left <= 0) s->held = true;
    return s->left > 0;
}

void fair_charge(const struct fair *f, struct ledger_row *row, uint64_t bytes, bool taken)
{
    row->share.asked += bytes;
    if (taken && f->level) row->share.left -= (int64_t)bytes;
}
