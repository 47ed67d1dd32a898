/* SPDX-License-Identifier: EUPL-1.2 */
#include "health/health.h"

#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "health/source.h"

#define HOUR          (3600 * NSEC_PER_SEC)
#define DAY           (24 * HOUR)
#define MINUTE        (60 * NSEC_PER_SEC)
#define NEVER         INT64_MAX
#define UNKNOWN       16.0 /* times the longest silence ever: at hours of which nothing is known */
#define REMEMBERED    (60 * DAY) /* silences that ended */
#define ACCEPTED      (14 * DAY) /* fewer records are what is usual now */
#define LATE          0.05       /* of a silence: so much later than ever it may end … */
#define LATE_MOST     3600.0     /* … and at most, in seconds */
#define UNPROVED      (10 * DAY) /* what was hardly heard of is forgotten */
#define CROWDED       HOUR       /* … and this, when there is little room */
#define GRACE         (2 * 60 * NSEC_PER_SEC) /* senders come back by themselves, behind a start */
#define FACTOR_USUAL  1.5                     /* what sums are meant for */
#define SHORTLY       (3 * HOUR) /* fewer records, and more again: what happens at such an hour */
#define IN_PROPORTION 3.0        /* of a silence to the usual ones */
#define NIGHT         4.0        /* times a silence: a long one begins */
#define MISSED        8.0 /* records: that none of them comes by chance happens once in 3,000 times */
#define MISSED_SINKS  0.9995 /* an hour: half of it in two months */
#define FEW_DAYS      20.0
#define FORGOTTEN     (64 * 1024)
#define SHIFT_SOME    0.15 /* of the way to a Sunday: an excuse for each … */
#define SHIFT_MUCH    0.4  /* … and nothing to be learned */
#define FEWER         0.5  /* on a day off: a rhythm of work */
#define RATE_LEAST    10.0 /* records an hour of those that tell how others are */

enum {
    DAYS_LEAST = 3,    /* on which it was heard of, before it is judged */
    HOURS_LEAST = 24,  /* that were learned, before it is */
    WEEK_LEAST = 160,  /* hours that were learned, before its volume is compared … */
    WEEKS_LEAST = 500, /* … and before it is judged */
    OTHERS_LEAST = 5,  /* sources that tell a day off */
};
#define FINE_SPAN 300.0 /* s */

static double seconds(nsec t)
{
    return (double)t / (double)NSEC_PER_SEC;
}

static nsec watched(const struct health *h, nsec time)
{
    return time - h->blind;
}

/* ---- sources ----------------------------------------------------------------------------- */

static uint32_t *slot_of(const struct health *h, struct slice name, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & h->mask;
    for (; h->slots[at]; at = (at + 1) & h->mask) {
        const struct health_source *s = h->sources[h->slots[at] - 1];
        if (s->hash == hash && slice_eq(s->name, name)) break;
    }
    return &h->slots[at];
}

static struct health_source *source_new(struct slice name, uint64_t hash)
{
    struct health_source *s = calloc(1, sizeof *s + name.len);
    if (!s) return NULL;
    char *own = (char *)(s + 1);
    if (name.len) memcpy(own, name.ptr, name.len);
    s->name = slice_make(own, name.len);
    s->hash = hash;
    s->due = NEVER;
    s->day = -1;
    rhythm_init(&s->rhythm);
    volume_init(&s->volumes[VOLUME_FINE]);
    volume_init(&s->volumes[VOLUME_COARSE]);
    return s;
}

struct health_source *health_source_of(struct health *h, struct slice name)
{
    uint64_t hash = hash64_seed(name, h->options.seed);
    uint32_t *slot = slot_of(h, name, hash);
    if (*slot) return h->sources[*slot - 1];
    if (h->n == h->options.sources_max || name.len > HEALTH_NAME_MAX || name.len == 0) return NULL;
    struct health_source *s = source_new(name, hash);
    if (!s) return NULL;
    s->muted = h->options.muted && h->options.muted(h->options.ctx, name);
    h->sources[h->n++] = s;
    *slot = h->n;
    return s;
}

static void index_sources(struct health *h)
{
    memset(h->slots, 0, (h->mask + (size_t)1) * sizeof *h->slots);
    for (uint32_t i = 0; i < h->n; i++)
        *slot_of(h, h->sources[i]->name, h->sources[i]->hash) = i + 1;
}

int health_new(const struct health_options *options, struct health **ret)
{
    uint32_t slots = 4;
    ASSERT(options->sources_max > 0 && options->sources_max <= 1 << 24);
    while (slots < 2 * options->sources_max) slots *= 2;
    struct health *h = calloc(1, sizeof *h);
    if (!h) return ERR_NOMEM;
    h->options = *options;
    h->mask = slots - 1;
    h->sources = calloc(options->sources_max, sizeof *h->sources);
    h->slots = calloc(slots, sizeof *h->slots);
    h->shifts = calloc(options->sources_max, sizeof *h->shifts);
    buf_init(&h->forgotten, FORGOTTEN);
    if (!h->sources || !h->slots || !h->shifts) {
        health_free(h);
        return ERR_NOMEM;
    }
    *ret = h;
    return 0;
}

void health_free(struct health *h)
{
    if (!h) return;
    for (uint32_t i = 0; i < h->n; i++) free(h->sources[i]);
    free(h->sources);
    free(h->slots);
    free(h->shifts);
    buf_done(&h->forgotten);
    free(h);
}

static bool is_done(const struct health *h, const struct health_source *s)
{
    nsec silent = h->now - s->last;
    bool crowded = h->n > h->options.sources_max / 4 * 3;
    if (s->days < DAYS_LEAST && silent >= (crowded ? CROWDED : UNPROVED)) return true;
    return silent >= h->options.forget;
}

/* Those that were not heard of for long: removed on purpose, or never there for good. */
static void forget_old(struct health *h)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < h->n; i++) {
        struct health_source *s = h->sources[i];
        char *to = is_done(h, s) ? buf_reserve(&h->forgotten, s->name.len + 1) : NULL;
        if (!to) { /* it stays, or its turn comes when there is room */
            h->sources[kept++] = s;
            continue;
        }
        memcpy(to, s->name.ptr, s->name.len);
        to[s->name.len] = '\0';
        h->forgotten.len += s->name.len + 1;
        free(s);
    }
    if (kept == h->n) return;
    h->n = kept;
    h->told = 0;
    index_sources(h);
}

bool health_next_forgotten(struct health *h, struct buf *ret_source)
{
    struct slice all = buf_slice(&h->forgotten);
    if (all.len == 0) {
        buf_clear(&h->forgotten);
        return false;
    }
    size_t len = slice_find_byte(all, '\0');
    buf_clear(ret_source);
    buf_put(ret_source, slice_until(all, len));
    buf_consume(&h->forgotten, len + 1);
    return true;
}

/* ---- findings ---------------------------------------------------------------------------- */

static struct health_finding *begin(struct health_source *s, enum health_kind kind, nsec since,
                                    nsec at)
{
    struct health_finding *f = &s->findings[kind];
    *f = (struct health_finding){.since = since, .at = at, .open = true, .untold = true};
    s->changed = true;
    return f;
}

static void end(struct health_source *s, enum health_kind kind, nsec at)
{
    struct health_finding *f = &s->findings[kind];
    if (!f->open) return;
    f->open = false;
    f->ended = true;
    f->at = at;
    s->changed = true;
}

static void fill_change(struct health_change *ret, const struct health_source *s,
                        enum health_kind kind, bool ended)
{
    const struct health_finding *f = &s->findings[kind];
    *ret = (struct health_change){.source = s->name,
                                  .kind = kind,
                                  .ended = ended,
                                  .muted = s->muted,
                                  .since = f->since,
                                  .at = f->at,
                                  .usual = f->usual,
                                  .found = f->found,
                                  .count = f->count};
}

bool health_next(struct health *h, struct health_change *ret)
{
    for (; h->told < h->n; h->told++) {
        struct health_source *s = h->sources[h->told];
        for (unsigned kind = 0; kind < HEALTH_KIND_COUNT; kind++) {
            struct health_finding *f = &s->findings[kind];
            if (!f->untold && !f->ended) continue;
            bool ended = !f->untold;
            if (f->untold) f->untold = false;
            else f->ended = false;
            fill_change(ret, s, kind, ended);
            return true;
        }
    }
    h->told = 0;
    return false;
}

const char *health_kind_word(enum health_kind kind)
{
    static const char *const words[] = {
#define X(id, word, title) word,
        HEALTH_KINDS(X)
#undef X
    };
    return words[kind];
}

const char *health_kind_title(enum health_kind kind)
{
    static const char *const titles[] = {
#define X(id, word, title) title,
        HEALTH_KINDS(X)
#undef X
    };
    return titles[kind];
}

/* ---- silence ----------------------------------------------------------------------------- */

static bool is_judged(const struct health_source *s)
{
    return s->days >= DAYS_LEAST && s->rhythm.learned >= HOURS_LEAST;
}

/*
 * Silences that were told and ended by themselves, as often as that in some weeks, are how it is:
 * by how much they were longer than usual. Fewer may be faults, and so are those out of all
 * proportion; but no source is told again and again on the day of a fault.
 */
static double became_usual(const struct health *h, const struct health_source *s)
{
    double least = INFINITY, today = h->now - s->today_at <= DAY ? (double)s->today : 1;
    for (unsigned i = 0; i < ENDED; i++) {
        bool counts = s->ended_at[i] > 0 && h->now - s->ended_at[i] <= REMEMBERED;
        double times = counts ? (double)s->ended[i] : 1;
        if (times < least) least = times;
    }
    return least > today ? least : today;
}

static void remember_ended(struct health_source *s, double times, nsec at)
{
    if (at - s->today_at > DAY || times > (double)s->today) {
        s->today = times > 1 ? (float)times : 1;
        s->today_at = at;
    }
    if (times > IN_PROPORTION) return;
    for (unsigned i = ENDED - 1; i > 0; i--) {
        s->ended[i] = s->ended[i - 1];
        s->ended_at[i] = s->ended_at[i - 1];
    }
    s->ended[0] = (float)times;
    s->ended_at[0] = at;
}

static nsec leeway(double silence)
{
    return (nsec)(fmin(LATE * silence, LATE_MOST) * (double)NSEC_PER_SEC);
}

/* Whether nobody watched at some time since then: what came in it was lost. */
static bool was_blind(const struct health *h, nsec since)
{
    return since < h->grace - GRACE;
}

static void set_due(struct health *h, struct health_source *s)
{
    nsec since = s->heard > s->excused ? s->heard : s->excused;
    double usual = s->usual;
    s->due = s->strict = NEVER;
    if (!is_judged(s) || usual > seconds(h->options.rarest)) return;
    if (usual <= 0) usual = UNKNOWN * rhythm_longest(&s->rhythm);
    double after = h->options.factor * usual, least = seconds(h->options.least);
    if (after < least) after = least;
    if (was_blind(h, s->heard)) after += usual;
    if (after >= seconds(NEVER / 4)) return;
    s->strict = s->due = since + (nsec)(after * (double)NSEC_PER_SEC);
    if (s->due < s->lenient) s->due = s->lenient;
    /* In the same way a long silence may begin so much earlier. */
    nsec hour = HOUR - (h->now + (nsec)h->offset * NSEC_PER_SEC) % HOUR;
    nsec ends = watched(h, h->now) + hour;
    if (s->due < ends && s->due > ends - leeway(s->ahead)) s->due = ends;
    if (s->due < h->grace) s->due = h->grace;
}

/* Few days and irregular silences: the longest one is still to come. */
static double usual_with(const struct health *h, const struct health_source *s, double usual)
{
    double least = seconds(h->options.least) / h->options.factor, became = became_usual(h, s);
    usual *= 1 + FEW_DAYS * (double)s->rhythm.spread / (double)(s->days + 1);
    if (became == 1) return usual;
    return became * (usual > least ? usual : least);
}

void health_source_refresh(struct health *h, struct health_source *s)
{
    unsigned hour = rhythm_hour_at(h->now, h->offset);
    double rest = rhythm_silence(&s->rhythm, rhythm_rest_hour(hour));
    s->usual = rhythm_silence(&s->rhythm, hour);
    s->rate = rhythm_records(&s->rhythm, hour) / 3600;
    s->rate_before = rhythm_records(&s->rhythm, (hour + RHYTHM_HOURS - 1) % RHYTHM_HOURS) / 3600;
    s->rate_after = rhythm_records(&s->rhythm, (hour + 1) % RHYTHM_HOURS) / 3600;
    unsigned next = (hour + 1) % RHYTHM_HOURS;
    bool night = rhythm_silence(&s->rhythm, next) > NIGHT * s->usual;
    s->ahead = night ? rhythm_silence_ahead(&s->rhythm, next) : 0;
    if (h->day_off && s->usual > 0 && rest > s->usual) s->usual = rest;
    if (s->usual > 0) s->usual = usual_with(h, s, s->usual);
    for (unsigned i = 0; i < VOLUMES; i++)
        s->volumes[i].usual_dip = rhythm_dip(&s->rhythm, hour, i);
    s->rests = rhythm_rests(&s->rhythm);
    set_due(h, s);
}

/* What is expected of a source, when all send less. */
static double excused_rate(const struct health *h, const struct health_source *s, double usual)
{
    unsigned rest = rhythm_rest_hour(rhythm_hour_at(h->now, h->offset));
    double least = rhythm_records(&s->rhythm, rest) / 3600;
    if (h->shift <= 0 || least < 0 || least >= usual) return usual;
    double fewest = 1.0 / 3600; /* so that the logarithm of none is one */
    return usual * pow((least + fewest) / (usual + fewest), h->shift);
}

/*
 * It is told when more ought to have come than were ever missing before; the less regular a source,
 * the more of them, up to so many that by chance one of them always comes.
 */
static bool is_missed(const struct health_source *s)
{
    double enough = fmin(pow(s->missed_most, 1.5), MISSED);
    return s->rate < 0 || s->missed > enough;
}

static void miss(struct health *h, struct health_source *s, nsec step)
{
    nsec since = s->heard > s->excused ? s->heard : s->excused, silent = watched(h, h->now) - since;
    /* Half hours: what an hour has on the mean does not come from its first minute on. */
    nsec into = (h->now + (nsec)h->offset * NSEC_PER_SEC) % HOUR;
    double beside = into < HOUR / 2 ? s->rate_before : s->rate_after;
    double rate = beside < 0 ? s->rate : (s->rate + beside) / 2;
    if (h->shift > 0) rate = excused_rate(h, s, rate);
    if (rate > 0 && silent > 0) s->missed += rate * seconds(silent < step ? silent : step);
}

static void judge_silence(struct health *h, struct health_source *s)
{
    if (watched(h, h->now) < s->due || s->findings[HEALTH_SILENT].open || !is_missed(s)) return;
    struct health_finding *f = begin(s, HEALTH_SILENT, s->last, h->now);
    f->usual = s->usual > 0 ? s->usual : rhythm_longest(&s->rhythm);
    f->found = seconds(watched(h, h->now) - s->heard);
    s->spoilt = true;
}

/* The hours in which it had been told. */
static void note_hours(struct health *h, struct health_source *s, nsec from, nsec until,
                       bool certain)
{
    for (nsec at = from; at <= until; at += HOUR) {
        nsec end = at + HOUR - (at + (nsec)h->offset * NSEC_PER_SEC) % HOUR;
        if (end > until) end = until;
        rhythm_note(&s->rhythm, rhythm_hour_at(at, h->offset), seconds(watched(h, end) - s->heard),
                    certain);
        if (at - from > RHYTHM_HOURS * HOUR) return;
    }
}

static void end_silence(struct health *h, struct health_source *s, nsec first)
{
    struct health_finding *f = &s->findings[HEALTH_SILENT];
    if (!f->open) return;
    double silence = seconds(watched(h, first) - s->heard);
    double least = seconds(h->options.least) / h->options.factor;
    double usual = rhythm_silence(&s->rhythm, rhythm_hour_at(first, h->offset));
    remember_ended(s, silence / (usual > least ? usual : least), first);
    /* A night that began early and ended in time is a night. */
    note_hours(h, s, f->at, first, silence <= usual);
    end(s, HEALTH_SILENT, first);
    f->found = silence;
    s->spoilt = true;
    health_source_refresh(h, s);
}

/* ---- what comes -------------------------------------------------------------------------- */

static void count_time(struct health *h, struct health_source *s, const struct health_news *news)
{
    nsec from = watched(h, news->first), to = watched(h, news->last);
    nsec since = s->heard > s->excused ? s->heard : s->excused;
    int64_t day = (news->last / NSEC_PER_SEC + h->offset) / 86400;
    if (s->born == 0) {
        s->born = news->first;
        s->spoilt = true;
    } else if (seconds(from - since) > s->gap) {
        s->gap = seconds(from - since);
    }
    if (seconds(news->longest) > s->gap) s->gap = seconds(news->longest);
    bool was_told = s->findings[HEALTH_SILENT].open;
    nsec before = s->heard;
    end_silence(h, s, news->first);
    /* It was only longer than ever; a day off says nothing of other days. */
    if (s->unusual && !was_told && s->excused <= s->heard)
        note_hours(h, s, s->unusual, news->first, true);
    s->unusual = 0;
    if (to > s->heard) s->heard = to;
    if (news->last > s->last) s->last = news->last;
    if (day > s->day) {
        s->day = day;
        s->days++;
    }
    s->resting = false;
    s->lenient = 0;
    bool whole = !was_told && !was_blind(h, before);
    if (whole && s->missed > s->missed_most) s->missed_most = s->missed;
    s->missed = 0;
}

static void judge_share(struct health_source *s, const struct health_news *news)
{
    bool before = s->share.dropped;
    share_add(&s->share, news->last, news->records, news->unread);
    if (s->share.dropped && !before) {
        struct health_finding *f = begin(s, HEALTH_UNREAD, s->share.since, news->last);
        f->usual = (double)s->share.before;
        f->found = (double)s->share.found;
        f->count = (double)s->share.records;
    } else if (before && !s->share.dropped) {
        end(s, HEALTH_UNREAD, news->last);
    }
}

static void judge_clock(struct health *h, struct health_source *s, const struct health_news *news)
{
    bool before = s->skew.off;
    if (news->claims == 0) return;
    skew_add(&s->skew, news->last, seconds(news->freshest), news->claims,
             seconds(h->options.clock));
    if (s->skew.off && !before) {
        struct health_finding *f = begin(s, HEALTH_CLOCK, s->skew.since, news->last);
        f->usual = (double)s->skew.usual;
        f->found = (double)s->skew.found;
    } else if (before && !s->skew.off) {
        end(s, HEALTH_CLOCK, news->last);
    }
}

void health_hear(struct health *h, struct slice source, const struct health_news *news)
{
    struct health_source *s = health_source_of(h, source);
    if (!s) {
        h->unwatched++;
        return;
    }
    count_time(h, s, news);
    s->records += news->records;
    s->changed = true;
    for (unsigned i = 0; i < VOLUMES; i++) volume_add(&s->volumes[i], news->records);
    judge_share(s, news);
    judge_clock(h, s, news);
    if (news->sequence)
        sequences_add(s->sequences, news->last, news->sequence, news->number, news->last_number,
                      news->numbers);
    set_due(h, s);
}

/* ---- hours ------------------------------------------------------------------------------- */

static void end_hour(struct health *h, struct health_source *s, unsigned hour)
{
    nsec since = s->heard > s->excused ? s->heard : s->excused;
    double age = seconds(watched(h, h->now) - since), silence = age > s->gap ? age : s->gap;
    nsec low = s->findings[HEALTH_VOLUME].open ? h->now - s->findings[HEALTH_VOLUME].since : 0;
    bool is_low = low > 0 && low < ACCEPTED;
    bool shifted = h->day_off || h->shift > SHIFT_MUCH;
    const double dips[VOLUMES] = {s->volumes[VOLUME_FINE].dip, s->volumes[VOLUME_COARSE].dip};
    /* Who stopped must not make his own silence usual before it is told. */
    bool unusual = s->records == 0 && s->usual > 0 && age > s->usual;
    if (unusual && s->unusual == 0) s->unusual = h->now - 1;
    bool says =
        !h->spoilt && !s->spoilt && !unusual && s->born > 0 && !s->findings[HEALTH_SILENT].open;
    if (says && !(h->day_off && s->rests))
        rhythm_learn(&s->rhythm, hour, silence, is_low || shifted ? -1 : (double)s->records,
                     (is_low && low > SHORTLY) || shifted ? NULL : dips);
    for (unsigned i = 0; i < VOLUMES; i++) s->volumes[i].dip = 0;
    /* Late for the next hour: only what was in time for this one. */
    if (watched(h, h->now) < s->strict) s->lenient = watched(h, h->now) + leeway(age);
    if (s->records > 0) s->changed = true;
    s->missed_most *= MISSED_SINKS;
    s->gap = 0;
    s->records = 0;
    s->spoilt = false;
}

static int64_t hour_number(nsec time, int32_t offset)
{
    return (time / NSEC_PER_SEC + offset) / 3600;
}

static double volume_factor(const struct health *h, const struct health_source *s)
{
    return s->rhythm.learned < WEEKS_LEAST ? 0 : h->options.factor / FACTOR_USUAL;
}

static void end_hours(struct health *h, nsec before, int32_t offset_before)
{
    unsigned hour = rhythm_hour_at(before, offset_before);
    for (uint32_t i = 0; i < h->n; i++) {
        struct health_source *s = h->sources[i];
        volume_end(&s->volumes[VOLUME_COARSE], h->now, volume_factor(h, s));
        end_hour(h, s, hour);
    }
    h->spoilt = false;
    forget_old(h);
    for (uint32_t i = 0; i < h->n; i++) health_source_refresh(h, h->sources[i]);
}

/* ---- all of them ------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/*
 * A day off is told by the sources that rest on Sundays: most of those that ought to have spoken
 * by now have not. At hours at which nobody has to, it stays what it was.
 */
static void see_day_off(struct health *h)
{
    uint32_t ought = 0, late = 0;
    unsigned hour = rhythm_hour_at(h->now, h->offset);
    for (uint32_t i = 0; i < h->n; i++) {
        const struct health_source *s = h->sources[i];
        if (!s->rests || !is_judged(s) || !rhythm_rests_at(&s->rhythm, hour)) continue;
        if (h->now - s->last > UNPROVED) continue;
        ought++;
        late += seconds(watched(h, h->now) - s->heard) > rhythm_silence(&s->rhythm, hour);
    }
    if (ought < OTHERS_LEAST) return;
    bool before = h->day_off;
    if (late * 2 >= ought) h->day_off = true;
    else if (late * 5 < ought * 2) h->day_off = false;
    for (uint32_t i = 0; i < h->n && h->day_off != before; i++)
        health_source_refresh(h, h->sources[i]);
}

/* How far all that have a rhythm of work are on their way to a Sunday: the middle one of them. */
static void see_shift(struct health *h)
{
    size_t n = 0;
    unsigned hour = rhythm_hour_at(h->now, h->offset), rest = rhythm_rest_hour(hour);
    for (uint32_t i = 0; i < h->n; i++) {
        const struct health_source *s = h->sources[i];
        double usual = rhythm_records(&s->rhythm, hour), least = rhythm_records(&s->rhythm, rest);
        double x = volume_now(&s->volumes[VOLUME_FINE]);
        if (usual < RATE_LEAST || least < 0 || least > FEWER * usual || isnan(x)) continue;
        h->shifts[n++] = x / log((least + 1) / (usual + 1));
    }
    if (n < OTHERS_LEAST && h->day_off) return;
    qsort(h->shifts, n, sizeof *h->shifts, compare);
    double middle = n < OTHERS_LEAST ? 0 : h->shifts[n / 2];
    h->shift = middle > 1 || h->day_off ? 1 : middle < SHIFT_SOME ? 0 : middle;
}

static void judge_volume(struct health *h, struct health_source *s)
{
    bool before = s->findings[HEALTH_VOLUME].open, low = false;
    for (unsigned i = 0; i < VOLUMES; i++) low = low || s->volumes[i].low;
    if (low && !before) {
        const struct volume *v =
            &s->volumes[s->volumes[VOLUME_FINE].low ? VOLUME_FINE : VOLUME_COARSE];
        struct health_finding *f = begin(s, HEALTH_VOLUME, v->since, h->now);
        f->usual = (double)v->before;
        f->found = (double)v->found;
    } else if (before && !low) {
        end(s, HEALTH_VOLUME, h->now);
    }
}

static void pass_minute_of(struct health *h, struct health_source *s, double passed)
{
    double usual =
        rhythm_records(&s->rhythm, rhythm_hour_at(h->now - 1, h->offset)) * passed / 3600;
    bool silent = s->findings[HEALTH_SILENT].open || (h->day_off && s->rests);
    if (s->rhythm.learned < WEEK_LEAST || usual < 0 || silent) {
        for (unsigned i = 0; i < VOLUMES; i++) volume_drop(&s->volumes[i]);
        return;
    }
    struct volume *v = &s->volumes[VOLUME_FINE];
    double expected = excused_rate(h, s, usual / passed) * passed;
    for (unsigned i = 0; i < VOLUMES; i++) volume_expect(&s->volumes[i], passed, usual, expected);
    if (v->seconds >= FINE_SPAN) volume_end(v, h->now, volume_factor(h, s));
    judge_volume(h, s);
}

static void judge_sequences(struct health *h, struct health_source *s)
{
    uint64_t missing = sequences_missing(s->sequences, h->now);
    if (missing > 0) {
        begin(s, HEALTH_GAP, h->now, h->now)->count = (double)missing;
    } else if (s->findings[HEALTH_GAP].open && h->now - s->findings[HEALTH_GAP].at >= DAY) {
        end(s, HEALTH_GAP, h->now);
    }
}

static void pass_minute(struct health *h)
{
    double passed = seconds(h->now - h->minute);
    h->minute = h->now;
    see_day_off(h);
    see_shift(h);
    for (uint32_t i = 0; i < h->n; i++) {
        struct health_source *s = h->sources[i];
        if (h->day_off && s->rests) {
            s->excused = watched(h, h->now);
            s->missed = 0;
            s->resting = s->resting || seconds(s->excused - s->heard) > s->usual;
            set_due(h, s);
        }
        pass_minute_of(h, s, passed);
        judge_sequences(h, s);
    }
}

/* ---- time -------------------------------------------------------------------------------- */

/* Nobody watched: no silence grows by it, and no hour is learned from it. */
static void pass_blind(struct health *h, nsec until)
{
    h->blind += until - h->now;
    h->grace = watched(h, until) + GRACE;
    h->spoilt = true;
    for (uint32_t i = 0; i < h->n; i++) {
        struct health_source *s = h->sources[i];
        if (s->heard > watched(h, until)) s->heard = watched(h, until);
        for (unsigned k = 0; k < VOLUMES; k++) volume_drop(&s->volumes[k]);
        set_due(h, s);
    }
    h->minute = until;
}

void health_pass(struct health *h, nsec now, int32_t offset)
{
    nsec before = h->now;
    int32_t offset_before = h->offset;
    bool first = before == 0, back = now < before - HOUR;
    if (now <= before && !back) return;
    nsec step = first ? 0 : now - before;
    if (first) {
        h->minute = now;
    } else if (h->restored || back || step > HEALTH_STEP_MAX * NSEC_PER_SEC) {
        pass_blind(h, now);
        step = 0;
    }
    h->restored = false;
    h->now = now;
    h->offset = offset;
    h->spoilt = h->spoilt || first;
    if (now - h->minute >= MINUTE) pass_minute(h);
    if (first || hour_number(now, offset) != hour_number(before, offset_before)) {
        if (!first && h->minute < now) pass_minute(h);
        end_hours(h, before, offset_before);
    }
    for (uint32_t i = 0; i < h->n; i++) {
        if (step > 0) miss(h, h->sources[i], step);
        judge_silence(h, h->sources[i]);
    }
}

/* ---- how it is --------------------------------------------------------------------------- */

uint32_t health_count(const struct health *h)
{
    return h->n;
}

void health_view(const struct health *h, uint32_t i, struct health_view *ret)
{
    const struct health_source *s = h->sources[i];
    *ret = (struct health_view){.source = s->name,
                                .last = s->last,
                                .silence = s->usual,
                                .records =
                                    rhythm_records(&s->rhythm, rhythm_hour_at(h->now, h->offset)),
                                .clock = (double)s->skew.usual,
                                .unread = (double)s->share.usual,
                                .days = s->days,
                                .judged = is_judged(s) && s->due != NEVER,
                                .muted = s->muted,
                                .resting = s->resting};
    for (unsigned kind = 0; kind < HEALTH_KIND_COUNT; kind++)
        if (s->findings[kind].open) ret->found |= 1u << kind;
}

uint64_t health_unwatched(const struct health *h)
{
    return h->unwatched;
}

bool health_is_day_off(const struct health *h)
{
    return h->day_off;
}
