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
    RECENT = 2,                        /* measurements */
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
 * is not what it can. Until it was measured, at least what it kept up with. */
static uint64_t capacity_of(const struct fair *f)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < FAIR_RATES; i++) sum += f->rates[i];
    uint64_t rate = sum / FAIR_RATES;
    if (f->next_rate == 0 && rate < f->kept_up) rate = f->kept_up;
    return rate > CAPACITY_LEAST ? rate : CAPACITY_LEAST;
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
        f->idle += passed;
        f->idle_bytes += bytes;
        if (f->idle < rate_time) return;
        f->kept_up = (f->kept_up + per_second(f->idle_bytes, f->idle)) / 2;
        f->kept_up_at = now;
        f->idle = 0;
        f->idle_bytes = 0;
        return;
    }
    f->idle = 0;
    f->idle_bytes = 0;
    if (now - f->moved > pause_time) return;
    f->busy += passed;
    f->busy_bytes += bytes;
    if (f->busy < rate_time) return;
    add_rate(f, per_second(f->busy_bytes, f->busy));
    f->busy = 0;
    f->busy_bytes = 0;
}

/* Of the newest measurements: what it does now, when that is less than on average. */
static uint64_t slowest_of(const struct fair *f, uint64_t capacity)
{
    uint64_t sum = 0;
    if (f->next_rate < RECENT) return capacity;
    for (uint64_t i = f->next_rate - RECENT; i < f->next_rate; i++) sum += f->rates[i % FAIR_RATES];
    uint64_t now = sum / RECENT > CAPACITY_LEAST ? sum / RECENT : CAPACITY_LEAST;
    return now < capacity ? now : capacity;
}

/* How long a record that comes now will wait, at least. */
static nsec lag_of(const struct fair *f, uint64_t capacity)
{
    double rate = (double)slowest_of(f, capacity);
    double wait = (double)f->pace.waiting / rate * (double)NSEC_PER_SEC;
    return wait > (double)f->pace.age ? (nsec)wait : f->pace.age;
}

/*
 * What may come without anybody being held back: not all that matching can, so that it comes
 * nearer. What came without a wait until matching was stopped is no flood.
 */
static uint64_t harmless(const struct fair *f, uint64_t capacity, nsec lag)
{
    uint64_t budget = capacity / 100 * (lag < 2 * late_age ? 85 : 65);
    uint64_t before = f->kept_up / 100 * 110;
    nsec since = f->kept_up_at > f->resumed ? f->kept_up_at : f->resumed;
    return budget < before && f->moved - since < still_time ? before : budget;
}

/* What is shared out otherwise: there is always something to match. */
static uint64_t budget_of(uint64_t capacity, nsec lag)
{
    return capacity / 100 * (lag < late_age / 2 ? 110 : lag < late_age ? 100 : 80);
}

/* Of their share, for those who send more: the less, the longer others wait because of them. */
static unsigned part_of(nsec lag)
{
    return lag < 2 * late_age ? 100 : lag < 3 * late_age ? 40 : 0;
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

static bool wants_more(const struct fair_share *s, uint64_t level)
{
    return s->held || s->rate > level;
}

/* Whether all that is asked for comes to less. */
static bool all_fits(const struct ledger *ledger, uint64_t budget)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < ledger->n; i++) {
        if (wants_more(&ledger->rows[i].share, budget)) return false;
        sum += ledger->rows[i].share.rate;
    }
    return sum <= budget;
}

/*
 * The level at which all sources together take the budget: those below it what they ask for, each
 * of the others the level. It begins too low and grows.
 */
static uint64_t find_level(const struct ledger *ledger, uint64_t budget)
{
    uint64_t level = 0;
    for (int pass = 0; pass < PASSES; pass++) {
        uint64_t sum = 0, n = 0;
        for (uint32_t i = 0; i < ledger->n; i++) {
            const struct fair_share *s = &ledger->rows[i].share;
            if (wants_more(s, level)) n++;
            else sum += s->rate;
        }
        if (n == 0) return budget;
        uint64_t next = sum < budget ? (budget - sum) / n : 0;
        if (next <= level) break;
        level = next;
    }
    return level < LEVEL_LEAST ? LEVEL_LEAST : level > level_max ? level_max : level;
}

/* Who is above the level, and is held back to another one; nobody else is. */
static void mark_floods(struct ledger *ledger, uint64_t level)
{
    for (uint32_t i = 0; i < ledger->n; i++) {
        struct fair_share *s = &ledger->rows[i].share;
        s->floods = wants_more(s, level);
    }
}

static void forget_held(struct ledger *ledger)
{
    for (uint32_t i = 0; i < ledger->n; i++) ledger->rows[i].share.held = false;
}

/* ---- the level --------------------------------------------------------------------------- */

/* 0 as long as nobody needs to be held back. */
static void set_levels(struct fair *f, struct ledger *ledger, nsec now)
{
    uint64_t capacity = capacity_of(f);
    nsec lag = lag_of(f, capacity);
    bool known = f->pace.age >= busy_age && weigh(f, ledger, now);
    if (!known || now - f->moved > still_time || (f->level == 0 && lag < late_age)) {
        f->level = 0;
        return;
    }
    uint64_t enough = harmless(f, capacity, lag);
    bool fits = all_fits(ledger, enough);
    f->level = fits ? enough : find_level(ledger, budget_of(capacity, lag));
    f->flood_level = f->level / 100 * (fits ? 100 : part_of(lag));
    if (f->flood_level < LEVEL_LEAST) f->flood_level = LEVEL_LEAST;
    mark_floods(ledger, f->level);
}

void fair_tell(struct fair *f, struct ledger *ledger, const struct fair_pace *pace, nsec now)
{
    bool known = f->told > 0 && pace->matched >= f->pace.matched;
    if (known && now <= f->told) return;
    if (!known || pace->matched != f->pace.matched) {
        if (now - f->moved > pause_time) f->resumed = now;
        f->moved = now;
    }
    if (known) measure(f, pace, now);
    f->told = now;
    f->pace = *pace;
    bool wanted = f->level > 0;
    set_levels(f, ledger, now);
    if (f->level && !wanted) f->since = now;
    if (wanted) forget_held(ledger);
}

bool fair_takes(const struct fair *f, struct ledger_row *row, nsec now)
{
    struct fair_share *s = &row->share;
    if (f->level == 0) return true;
    uint64_t level = s->floods ? f->flood_level : f->level;
    int64_t most = (int64_t)(level / DEPTH);
    nsec passed = now - s->filled < NSEC_PER_SEC ? now - s->filled : NSEC_PER_SEC;
    int64_t come = passed * (int64_t)(level >> 10) / (NSEC_PER_SEC >> 10);
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
    /* What is lost was asked for: nothing of it is kept back. */
    if (!taken) row->share.held = false;
    if (taken && f->level) row->share.left -= (int64_t)bytes;
}
