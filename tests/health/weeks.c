/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * health-weeks [--weeks N] [--copies N] [--step SECONDS] [--seed N] [--table]: a city's sources,
 * their faults, and what the model says of them. Prints TAP; --table prints figures for people,
 * too.
 *
 * Every kind of source is there 2 * copies times in good health and `copies` times for each fault,
 * which begins at a random moment behind the tenth week. Vaka stands still once a week for some
 * minutes, what comes meanwhile is lost, and goes on from what it saved. Every source is taken down
 * for an hour of the night in four weeks: its owner knows, Vaka does not.
 *
 * False is each finding about a source before its fault, but for the silences in which it was down.
 * The usual interval of a source that stops is measured, not asked of the model: the longest of the
 * silences that, on that weekday and within an hour of that time, lay in the six weeks before.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "city.h"

#define HOUR  (3600 * NSEC_PER_SEC)
#define DAY   (24 * HOUR)
#define WEEK  (7 * DAY)
#define START (INT64_C(1788732000) * NSEC_PER_SEC) /* Monday 2026-09-07 in Stockholm */

enum { WEEKS_BACK = 6, WEEK_HOURS = 168, FAULTS_FROM = 10, FAULTS_END = 5, NAME_SIZE = 64 };

/* id, name, what is to be found */
#define FAULTS(X)                                                                                  \
    X(NONE, "none", HEALTH_KIND_COUNT)                                                             \
    X(STOPS, "stops", HEALTH_SILENT)                                                               \
    X(LESS, "a fifth is left", HEALTH_VOLUME)                                                      \
    X(FADES, "a tenth less a day", HEALTH_VOLUME)                                                  \
    X(UNREAD, "format changes", HEALTH_UNREAD)                                                     \
    X(DRIFTS, "clock drifts 2 s a day", HEALTH_CLOCK)                                              \
    X(OFF, "clock 5 min behind", HEALTH_CLOCK)                                                     \
    X(GAP, "40 records missing", HEALTH_GAP)

enum fault {
#define X(id, name, kind) FAULT_##id,
    FAULTS(X)
#undef X
        FAULT_COUNT,
};

static const struct {
    const char *name;
    unsigned finds;
} faults[FAULT_COUNT] = {
#define X(id, name, kind) {name, kind},
    FAULTS(X)
#undef X
};

struct subject {
    struct city_source source;
    char name[NAME_SIZE];
    enum fault fault;
    nsec fault_at;                          /* 0: never */
    nsec last;                              /* record */
    nsec found_at;                          /* 0: not yet */
    float silences[WEEKS_BACK][WEEK_HOURS]; /* s: the longest that reached into the hour */
    double watched;                         /* s in good health */
    bool open[HEALTH_KIND_COUNT];
    uint32_t false_findings[HEALTH_KIND_COUNT];
    uint32_t outages, outages_told;
    uint64_t lost; /* records, while Vaka stood still */
    uint32_t losses, losses_told;
};

struct weeks {
    uint64_t weeks, copies, step, seed, table;
    uint64_t chance;
    struct subject *subjects;
    size_t n;
    struct health *health;
    struct buf saved;
    nsec now;
    uint32_t restarts;
    unsigned checks;
    bool failed;
};

/* ---- the model --------------------------------------------------------------------------- */

static const struct health_options options = {.sources_max = 8192,
                                              .seed = 1,
                                              .factor = 1.5,
                                              .least = 60 * NSEC_PER_SEC,
                                              .rarest = 14 * DAY,
                                              .clock = 60 * NSEC_PER_SEC,
                                              .forget = 30 * DAY};

static void fail(const char *what)
{
    fprintf(stderr, "health-weeks: %s\n", what);
    exit(2);
}

static struct health *start_model(void)
{
    struct health *h;
    if (health_new(&options, &h) != 0) fail("out of memory");
    return h;
}

/* A new one that knows what the old one saved. */
static void restart_model(struct weeks *w)
{
    struct health *next = start_model();
    uint32_t n = health_count(w->health);
    for (uint32_t i = n + 1; i-- > 0;) { /* what concerns all of them first */
        struct health_view view = {.source = SLICE_NONE};
        if (i < n) health_view(w->health, n - 1 - i, &view);
        buf_clear(&w->saved);
        health_save(w->health, i < n ? n - 1 - i : n, &w->saved);
        if (buf_failed(&w->saved) || health_restore(next, view.source, buf_slice(&w->saved)) != 0)
            fail("what was saved cannot be restored");
    }
    health_free(w->health);
    w->health = next;
    w->restarts++;
}

/* ---- the city ---------------------------------------------------------------------------- */

static nsec random_time(struct weeks *w, nsec from, nsec to)
{
    return from + (nsec)(city_random(&w->chance) * (double)(to - from));
}

static void set_fault(struct subject *s)
{
    nsec at = s->fault_at;
    /* It was told already, for another reason: nothing is found later. */
    if (faults[s->fault].finds < HEALTH_KIND_COUNT && s->open[faults[s->fault].finds])
        s->found_at = at;
    switch (s->fault) {
    case FAULT_STOPS:
        s->source.dead_from = at;
        s->source.dead_until = 0;
        break;
    case FAULT_LESS:
        s->source.less_from = at;
        break;
    case FAULT_FADES:
        s->source.fades_from = at;
        break;
    case FAULT_UNREAD:
        s->source.unread_from = at;
        break;
    case FAULT_DRIFTS:
        s->source.drifts_from = at;
        break;
    case FAULT_OFF:
        s->source.off_from = at;
        break;
    case FAULT_GAP:
        s->source.gap_at = at;
        break;
    case FAULT_NONE:
    case FAULT_COUNT:
        break;
    }
}

static void add_subject(struct weeks *w, enum city_kind kind, enum fault fault, uint64_t copy)
{
    struct subject *s = &w->subjects[w->n++];
    s->source.kind = kind;
    s->source.chance = w->seed * 1000003 + w->n * 7919;
    s->fault = fault;
    if (fault != FAULT_NONE)
        s->fault_at = random_time(w, START + FAULTS_FROM * WEEK,
                                  START + (nsec)(w->weeks - FAULTS_END) * WEEK);
    (void)snprintf(s->name, sizeof s->name, "syslog-tls\tall\t%s-%d-%" PRIu64 "\t", city_name(kind),
                   (int)fault, copy);
}

static void build_city(struct weeks *w)
{
    w->subjects = calloc(CITY_KIND_COUNT * (FAULT_COUNT + 1) * w->copies, sizeof *w->subjects);
    if (!w->subjects) fail("out of memory");
    for (unsigned kind = 0; kind < CITY_KIND_COUNT; kind++)
        for (unsigned fault = 0; fault < FAULT_COUNT; fault++)
            for (uint64_t copy = 0; copy < w->copies * (fault == FAULT_NONE ? 2 : 1); copy++)
                add_subject(w, kind, fault, copy);
}

/* An hour in a night of the next four weeks. */
static void plan_outage(struct weeks *w, struct subject *s)
{
    if (s->fault_at && w->now >= s->fault_at - 4 * WEEK) return;
    nsec night = random_time(w, w->now + DAY, w->now + 4 * WEEK);
    struct moment at;
    calendar_at(night, &at);
    night += (nsec)((24 - at.hour + 1 + 3 * city_random(&w->chance)) * (double)HOUR);
    s->source.dead_from = night;
    s->source.dead_until = night + HOUR;
    s->outages++;
}

/* ---- what is measured beside the model --------------------------------------------------- */

static unsigned hour_of(nsec time)
{
    struct moment at;
    calendar_at(time, &at);
    return (unsigned)at.weekday * 24 + (unsigned)at.hour;
}

static void note_silence(struct subject *s, nsec from, nsec to)
{
    float length = (float)((double)(to - from) / (double)NSEC_PER_SEC);
    int64_t hours = to / HOUR - from / HOUR;
    if (hours >= WEEK_HOURS) hours = WEEK_HOURS - 1;
    unsigned hour = hour_of(to), week = (unsigned)((to - START) / WEEK) % WEEKS_BACK;
    for (int64_t back = 0; back <= hours; back++) {
        float *longest = &s->silences[week][(hour + WEEK_HOURS - (unsigned)back) % WEEK_HOURS];
        if (*longest < length) *longest = length;
    }
}

static double longest_at(const struct subject *s, unsigned hour)
{
    double longest = 0;
    for (unsigned week = 0; week < WEEKS_BACK; week++)
        for (unsigned near = WEEK_HOURS - 1; near <= WEEK_HOURS + 1; near++) {
            double length = (double)s->silences[week][(hour + near) % WEEK_HOURS];
            if (length > longest) longest = length;
        }
    return longest;
}

/* Tuesday to Friday are days of one kind, each other day is one of its own. */
static double usual_at(const struct subject *s, nsec time)
{
    unsigned hour = hour_of(time), weekday = hour / 24;
    if (weekday < 1 || weekday > 4) return longest_at(s, hour);
    double longest = 0;
    for (unsigned day = 1; day <= 4; day++)
        longest = fmax(longest, longest_at(s, day * 24 + hour % 24));
    return longest;
}

/* ---- weeks ------------------------------------------------------------------------------- */

static void take_news(struct weeks *w, struct subject *s, struct health_news *news)
{
    if (s->last) note_silence(s, s->last, news->first);
    if (news->longest > 0) note_silence(s, news->last - news->longest, news->last);
    s->last = news->last;
    news->sequence = 1;
    health_hear(w->health, slice_of(s->name), news);
}

static void speak_all(struct weeks *w, nsec step, bool lost)
{
    struct moment at;
    calendar_at(w->now, &at);
    for (size_t i = 0; i < w->n; i++) {
        struct subject *s = &w->subjects[i];
        struct health_news news;
        if (s->fault_at && w->now >= s->fault_at && w->now - step < s->fault_at) set_fault(s);
        else if (s->source.dead_until && w->now > s->source.dead_until + DAY &&
                 (s->fault != FAULT_STOPS || w->now < s->fault_at))
            plan_outage(w, s);
        else if (!s->outages) plan_outage(w, s);
        bool came = city_speak(&s->source, w->now, step, &at, &news);
        if (came && !lost) take_news(w, s, &news);
        if (came && lost) s->lost += news.records;
        if (!s->fault_at || w->now < s->fault_at) s->watched += (double)step / (double)NSEC_PER_SEC;
    }
}

static struct subject *find_subject(struct weeks *w, struct slice name)
{
    for (size_t i = 0; i < w->n; i++)
        if (slice_eq(slice_of(w->subjects[i].name), name)) return &w->subjects[i];
    fail("a finding about nobody");
    return NULL;
}

static void print_finding(const struct subject *s, const struct health_change *change)
{
    struct buf why;
    struct moment at;
    calendar_at(change->at, &at);
    buf_init(&why, 1024);
    health_write_why(&why, change);
    fprintf(stderr, "%04d-%02d-%02d %05.2f %d %s: %s: %.*s\n", at.year, at.month, at.day, at.hour,
            at.weekday, s->name, health_kind_word(change->kind), SLICE_FMT(buf_slice(&why)));
    buf_done(&why);
}

static void take_change(struct weeks *w, const struct health_change *change)
{
    struct subject *s = find_subject(w, change->source);
    s->open[change->kind] = !change->ended;
    if (change->ended) return;
    if (s->fault_at && change->at >= s->fault_at) {
        if (change->kind == faults[s->fault].finds && !s->found_at) s->found_at = change->at;
        return;
    }
    bool outage = (change->kind == HEALTH_SILENT && s->source.swallowed) ||
                  (change->at > s->source.dead_from && change->at < s->source.dead_until + HOUR);
    if (outage) s->outages_told++;
    else if (change->kind == HEALTH_GAP && s->lost) s->losses_told++, s->lost = 0;
    else s->false_findings[change->kind]++;
    if (w->table && !outage && change->kind != HEALTH_GAP) print_finding(s, change);
}

static void pass(struct weeks *w)
{
    struct health_change change;
    health_pass(w->health, w->now, calendar_offset(w->now));
    while (health_next(w->health, &change)) take_change(w, &change);
}

static void clear_old_silences(struct weeks *w)
{
    unsigned week = (unsigned)((w->now - START) / WEEK) % WEEKS_BACK;
    for (size_t i = 0; i < w->n; i++)
        if (!w->subjects[i].fault_at || w->now < w->subjects[i].fault_at)
            memset(w->subjects[i].silences[week], 0, sizeof w->subjects[i].silences[week]);
}

static void run_weeks(struct weeks *w)
{
    nsec step = (nsec)w->step * NSEC_PER_SEC, down_from = 0, down_until = 0;
    nsec end = START + (nsec)w->weeks * WEEK, next_week = START;
    w->health = start_model();
    buf_init(&w->saved, HEALTH_SAVED_MAX);
    for (w->now = START; w->now < end;) {
        if (w->now >= next_week) {
            clear_old_silences(w);
            down_from = random_time(w, w->now, w->now + WEEK - HOUR);
            down_until =
                random_time(w, down_from + 20 * NSEC_PER_SEC, down_from + 600 * NSEC_PER_SEC);
            next_week += WEEK;
        }
        bool down = w->now >= down_from && w->now < down_until;
        speak_all(w, step, down);
        w->now += step;
        if (down && w->now >= down_until) restart_model(w);
        if (!down || w->now >= down_until) pass(w);
    }
}

/* ---- figures ----------------------------------------------------------------------------- */

struct delays {
    double ratios[4096], seconds[4096];
    size_t n, subjects, within; /* within: twice the usual interval */
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double part_of(double *all, size_t n, double part)
{
    if (n == 0) return NAN;
    qsort(all, n, sizeof *all, compare);
    return all[(size_t)(part * (double)(n - 1) + 0.5)];
}

/*
 * A usual interval that the least silence that is told (a minute) is more than twice of counts as
 * half of that. Delays are known to a step.
 */
static void add_delay(struct delays *d, const struct weeks *w, const struct subject *s)
{
    double least = (double)(options.least / NSEC_PER_SEC) / 2;
    double usual = fmax(usual_at(s, s->last), least);
    nsec from = s->fault == FAULT_STOPS ? s->last : s->fault_at;
    double delay = (double)(s->found_at - from) / (double)NSEC_PER_SEC;
    d->subjects++;
    if (!s->found_at || d->n == sizeof d->ratios / sizeof *d->ratios) return;
    d->ratios[d->n] = delay / usual;
    d->seconds[d->n++] = delay;
    d->within += delay <= 2 * usual + (double)w->step;
}

static void gather(const struct weeks *w, unsigned kind, enum fault fault, struct delays *ret)
{
    *ret = (struct delays){0};
    for (size_t i = 0; i < w->n; i++)
        if (w->subjects[i].source.kind == kind && w->subjects[i].fault == fault)
            add_delay(ret, w, &w->subjects[i]);
}

static void print_false(const struct weeks *w)
{
    printf("# %-18s %8s", "false findings", "years");
    for (unsigned k = 0; k < HEALTH_KIND_COUNT; k++) printf(" %8s", health_kind_word(k));
    printf(" %12s %8s\n", "outages told", "of");
    for (unsigned kind = 0; kind < CITY_KIND_COUNT; kind++) {
        double years = 0;
        uint32_t counts[HEALTH_KIND_COUNT] = {0}, told = 0, outages = 0;
        for (size_t i = 0; i < w->n; i++) {
            const struct subject *s = &w->subjects[i];
            if (s->source.kind != kind) continue;
            years += s->watched / (365.25 * 86400);
            told += s->outages_told;
            outages += s->outages;
            for (unsigned k = 0; k < HEALTH_KIND_COUNT; k++) counts[k] += s->false_findings[k];
        }
        printf("# %-18s %8.1f", city_name(kind), years);
        for (unsigned k = 0; k < HEALTH_KIND_COUNT; k++) printf(" %8u", counts[k]);
        printf(" %12u %8u\n", told, outages);
    }
}

static void print_late(const struct weeks *w)
{
    for (size_t i = 0; i < w->n; i++) {
        const struct subject *s = &w->subjects[i];
        struct moment at;
        double late =
            s->found_at ? (double)(s->found_at - s->fault_at) / (double)NSEC_PER_SEC : INFINITY;
        if (s->fault == FAULT_NONE || (s->fault != FAULT_STOPS && s->found_at) ||
            late < 3 * usual_at(s, s->last))
            continue;
        calendar_at(s->fault_at, &at);
        fprintf(stderr, "late: %04d-%02d-%02d %05.2f %d %s: %s, %.0f s\n", at.year, at.month,
                at.day, at.hour, at.weekday, s->name, faults[s->fault].name, late);
    }
}

static void print_delays(const struct weeks *w)
{
    static struct delays d;
    for (unsigned fault = FAULT_STOPS; fault < FAULT_COUNT; fault++) {
        printf("# %-24s found/of  in 2x   usual intervals: median, 95 %%, most      seconds: "
               "median, most\n",
               faults[fault].name);
        for (unsigned kind = 0; kind < CITY_KIND_COUNT; kind++) {
            gather(w, kind, fault, &d);
            printf("#   %-22s %5zu/%-5zu %4zu %26.2f %6.2f %6.2f %18.0f %8.0f\n", city_name(kind),
                   d.n, d.subjects, d.within, part_of(d.ratios, d.n, 0.5),
                   part_of(d.ratios, d.n, 0.95), part_of(d.ratios, d.n, 1),
                   part_of(d.seconds, d.n, 0.5), part_of(d.seconds, d.n, 1));
        }
    }
}

/* ---- what must hold ---------------------------------------------------------------------- */

static void check(struct weeks *w, bool good, const char *what, double found, double bound)
{
    printf("%sok %u - %s\n", good ? "" : "not ", ++w->checks, what);
    if (!good) printf("# %g, the bound is %g\n", found, bound);
    w->failed = w->failed || !good;
}

/* Which faults show in a source of that kind at all. */
static bool shows(unsigned kind, unsigned fault)
{
    if (kind == CITY_RARE) return false;
    switch (fault) {
    case FAULT_STOPS:
        return true;
    case FAULT_LESS:
    case FAULT_FADES:
        return kind <= CITY_SCHOOL || kind == CITY_VPN;
    case FAULT_GAP:
        return kind != CITY_WEEKLY && kind != CITY_ARCHIVE;
    case FAULT_UNREAD:
        return kind != CITY_WEEKLY;
    default: /* how late records of the cloud come is not the same twice */
        return kind != CITY_WEEKLY && kind != CITY_CLOUD;
    }
}

static void check_faults(struct weeks *w)
{
    static struct delays d;
    for (unsigned fault = FAULT_STOPS; fault < FAULT_COUNT; fault++) {
        double found = 0, subjects = 0;
        char what[100];
        for (unsigned kind = 0; kind < CITY_KIND_COUNT; kind++) {
            if (!shows(kind, fault)) continue;
            gather(w, kind, fault, &d);
            found += (double)d.n;
            subjects += (double)d.subjects;
        }
        double least = fault == FAULT_LESS || fault == FAULT_FADES ? 0.8 : 1;
        (void)snprintf(what, sizeof what, "found: %s", faults[fault].name);
        check(w, found >= least * subjects, what, found, least * subjects);
    }
}

/* Of sources that stop: those whose silences have a usual length, and the others. */
static void check_delays(struct weeks *w)
{
    static const unsigned usual[] = {CITY_FIREWALL,  CITY_DNS,       CITY_CONTROLLER,
                                     CITY_SERVER,    CITY_COLLECTOR, CITY_OFFICE,
                                     CITY_HEARTBEAT, CITY_BATCH,     CITY_WEEKLY};
    static struct delays d;
    double within = 0, subjects = 0, most = 0;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        gather(w, usual[i], FAULT_STOPS, &d);
        within += (double)d.within;
        subjects += (double)d.subjects;
    }
    check(w, within >= subjects, "told within twice the usual interval", within, subjects);
    for (unsigned kind = 0; kind < CITY_KIND_COUNT; kind++) {
        gather(w, kind, FAULT_STOPS, &d);
        if (d.n > 0 && kind != CITY_PERSON) most = fmax(most, part_of(d.ratios, d.n, 1));
    }
    check(w, most <= 8, "told within eight times, people apart", most, 8);
}

/* Findings of a kind a year and source, over kinds of sources. */
static double false_rate(const struct weeks *w, unsigned finding, const unsigned *kinds, size_t n)
{
    double findings = 0, seconds = 0;
    for (size_t i = 0; i < w->n; i++)
        for (size_t k = 0; k < n; k++) {
            if (w->subjects[i].source.kind != kinds[k]) continue;
            findings += w->subjects[i].false_findings[finding];
            seconds += w->subjects[i].watched;
        }
    return findings / (seconds / (365.25 * 86400));
}

static void check_false(struct weeks *w)
{
    static const unsigned steady[] = {CITY_FIREWALL,  CITY_DNS,    CITY_CONTROLLER,
                                      CITY_SERVER,    CITY_BATCH,  CITY_WEEKLY,
                                      CITY_HEARTBEAT, CITY_SWITCH, CITY_COLLECTOR};
    static const unsigned at_night[] = {CITY_OFFICE};
    static const unsigned uneven[] = {CITY_VPN, CITY_CLOUD, CITY_MARK, CITY_ARCHIVE, CITY_RARE};
    static const unsigned odd[] = {CITY_SCHOOL, CITY_BURSTS, CITY_PERSON};
    static const struct {
        const char *what;
        enum health_kind finding;
        const unsigned *kinds;
        size_t n;
        double most;
    } bounds[] = {
#define KINDS(list) list, sizeof list / sizeof *list
        {"false silences: quiet at night", HEALTH_SILENT, KINDS(at_night), 0.5},
        {"false silences: steady", HEALTH_SILENT, KINDS(steady), 0.2},
        {"false silences: uneven", HEALTH_SILENT, KINDS(uneven), 4},
        {"false silences: holidays of their own, pauses of any length", HEALTH_SILENT, KINDS(odd),
         25},
        {"false losses of volume: steady", HEALTH_VOLUME, KINDS(steady), 1},
        {"false losses of volume: quiet at night", HEALTH_VOLUME, KINDS(at_night), 5},
        {"false losses of volume: uneven", HEALTH_VOLUME, KINDS(uneven), 1},
#undef KINDS
    };
    unsigned all[CITY_KIND_COUNT];
    for (unsigned kind = 0; kind < CITY_KIND_COUNT; kind++) all[kind] = kind;
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        double rate = false_rate(w, bounds[i].finding, bounds[i].kinds, bounds[i].n);
        check(w, rate <= bounds[i].most, bounds[i].what, rate, bounds[i].most);
    }
    for (unsigned finding = HEALTH_UNREAD; finding < HEALTH_KIND_COUNT; finding++) {
        char what[64];
        double rate = false_rate(w, finding, all, CITY_KIND_COUNT);
        (void)snprintf(what, sizeof what, "false findings: %s", health_kind_word(finding));
        check(w, rate == 0, what, rate, 0);
    }
}

static bool read_settings(int argc, char **argv, struct weeks *ret)
{
    const struct {
        const char *name;
        uint64_t *value;
    } numbers[] = {{"--weeks", &ret->weeks},
                   {"--copies", &ret->copies},
                   {"--step", &ret->step},
                   {"--seed", &ret->seed}};
    for (int i = 1; i < argc; i++) {
        bool known = strcmp(argv[i], "--table") == 0;
        if (known) ret->table = 1;
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers && i + 1 < argc && !known; k++)
            if (strcmp(argv[i], numbers[k].name) == 0)
                known = slice_to_u64(slice_of(argv[++i]), numbers[k].value);
        if (!known) return false;
    }
    return ret->copies > 0 && ret->weeks > FAULTS_FROM + FAULTS_END && ret->step > 0 &&
           ret->step <= HEALTH_STEP_MAX;
}

int main(int argc, char **argv)
{
    static struct weeks w = {.weeks = 60, .copies = 4, .step = 20, .seed = 1};
    if (!read_settings(argc, argv, &w)) {
        fprintf(stderr, "health-weeks [--weeks N] [--copies N] [--step S] [--seed N] [--table]\n");
        return 2;
    }
    w.chance = w.seed;
    build_city(&w);
    run_weeks(&w);
    if (w.table) {
        print_false(&w);
        print_delays(&w);
        print_late(&w);
    }
    /* A standstill that is shorter than a step is none. */
    check(&w, w.restarts >= 0.9 * (double)w.weeks, "it went on from what it had saved", w.restarts,
          0.9 * (double)w.weeks);
    check_faults(&w);
    check_delays(&w);
    check_false(&w);
    printf("1..%u\n", w.checks);
    health_free(w.health);
    buf_done(&w.saved);
    free(w.subjects);
    return w.failed;
}
