/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The journals' promise against everything a disk may do: store_crash [--runs N] [--subsets N]
 * [--flips N] [--seed N] [--json]. Prints TAP; with --json the figures as one object on standard
 * error.
 *
 * crash      Recorded runs are cut behind every change: with all of what was not durable yet, none
 *            of it, all but each one, and `subsets` seeded choices, half of them torn in sectors.
 *            From each of these disks the store must come back with every promised batch, nothing
 *            that was not appended, and numbers that go on. Some runs go on from such a disk.
 * control    The same with a disk that lies about syncs must lose something, or the test proves
 *            nothing.
 * faults     Each call fails, once and from then on, in each way: nothing that was promised is lost
 *            then, nor after a power cut.
 * flips      One bit of the journals is another one: at most that frame is lost, and not unseen.
 */
#include <stdlib.h>

#include "cuts.h"
#include "store/faults.h"
#include "store/history.h"

struct figures {
    uint64_t runs, promised;
    uint64_t control_runs, control_lost;
    uint64_t faults;
    uint64_t flips, flips_lost, flips_harmless;
    uint64_t tails, torn;
};

struct crash {
    struct cuts cuts;
    struct figures figures;
    struct history history;
    struct history_found found; /* of the store that is recorded */
    struct clock_settable clock;
    struct store_options options;
};

static uint64_t below(struct crash *c, uint64_t n)
{
    return cuts_below(&c->cuts, n);
}

static bool problem(struct crash *c, const char *what)
{
    return cuts_problem(&c->cuts, what);
}

/* ---- a run ------------------------------------------------------------------------------- */

static void choose_options(struct crash *c)
{
    static const size_t ahead[] = {0, 512, 1024, 4096};
    history_options(&c->options, NULL, &c->clock, &c->found);
    c->options.journal_bytes = 512 + below(c, 4096);
    c->options.ahead_bytes = ahead[below(c, 4)];
    c->options.ballast_bytes = below(c, 2) ? 1024 : 0;
}

static int remove_oldest(struct crash *c, struct store *s)
{
    struct history_found *f = &c->found;
    if (f->n_journals == 0) return 0;
    int result = history_remove(&c->history, s, &f->journals[0], c->cuts.disk.n_steps);
    if (result == ERR_INVALID) return 0;
    memmove(f->journals, f->journals + 1, --f->n_journals * sizeof f->journals[0]);
    return result;
}

static int commit(struct crash *c, struct store *s)
{
    int result = store_commit(s);
    if (result == 0) history_promise(&c->history, c->cuts.disk.n_steps);
    return result;
}

static int act(struct crash *c, struct store *s)
{
    uint64_t what = below(c, 100);
    if (what < 55) {
        size_t raw = below(c, 10) ? below(c, 200) : below(c, 1200);
        int result =
            history_append(&c->history, s, below(c, UINT32_MAX), 1 + (uint32_t)below(c, 3), raw);
        return result == ERR_LIMIT ? 0 : result;
    }
    if (what < 90) return commit(c, s);
    if (what < 95) {
        clock_pass(&c->clock, (nsec)below(c, 2000) * NSEC_PER_SEC);
        return store_tick(s);
    }
    return what < 98 ? remove_oldest(c, s) : 0;
}

/* Opens, works and ends, some times; what is not committed at an end was never promised. */
static bool record(struct crash *c, const struct store_io *io)
{
    uint64_t lives = 1 + below(c, 3);
    c->options.io = io;
    for (uint64_t life = 0; life < lives; life++) {
        struct store *s;
        c->found = (struct history_found){0};
        if (store_open(&c->options, &s) != 0) return problem(c, "does not open");
        int result = 0;
        for (uint64_t i = 5 + below(c, 25); i > 0 && result == 0; i--) result = act(c, s);
        bool good = result == 0 && history_check(&c->history, io, &c->found, store_durable(s),
                                                 HISTORY_NEVER - 1, 0, c->cuts.why);
        store_free(s);
        history_forget(&c->history);
        if (!good) return problem(c, "does not work");
    }
    return true;
}

/* ---- what comes back --------------------------------------------------------------------- */

/* A later life of what is on c->cuts.image goes on with a number of its own and keeps it. */
static bool goes_on(struct crash *c, struct store_options *o, struct store *s)
{
    struct history_found again = {0};
    uint64_t next = store_durable(s).next;
    o->events = history_events(&again);
    history_restart(&c->history);
    bool good = history_append(&c->history, s, 1, 1, 20) == 0 && commit(c, s) == 0 &&
                c->history.entries[c->history.n - 1].first == next;
    store_free(s);
    if (!good) return problem(c, "does not go on");
    if (store_open(o, &s) != 0) return problem(c, "does not open again");
    good = history_check(&c->history, o->io, &again, store_durable(s), HISTORY_NEVER - 1, 0,
                         c->cuts.why);
    store_free(s);
    return good;
}

/* Whether the store comes back from c->cuts.image with all that was promised at `now`. */
static bool comes_back(void *ctx, uint64_t now, bool go_on)
{
    struct crash *c = ctx;
    struct history_found found = {0};
    struct store_io io = disk_io(&c->cuts.image);
    struct store_options o = c->options;
    struct store *s;
    o.io = &io;
    o.events = history_events(&found);
    o.seed++;
    if (store_open(&o, &s) != 0) return problem(c, "does not open after the cut");
    c->figures.tails += found.damages[STORE_DAMAGE_TAIL];
    c->figures.torn += found.damages[STORE_DAMAGE_TORN];
    bool good = history_check(&c->history, &io, &found, store_durable(s), now, 0, c->cuts.why);
    if (good && (found.damages[STORE_DAMAGE_LOST] || found.damages[STORE_DAMAGE_HEAD]))
        good = problem(c, "a power cut is called damage");
    if (!good || !go_on) {
        store_free(s);
        return good;
    }
    size_t n = c->history.n, len = c->history.bytes.len;
    struct history_entry *kept = malloc((n + 1) * sizeof *kept);
    if (!kept) abort();
    memcpy(kept, c->history.entries, n * sizeof *kept);
    good = goes_on(c, &o, s);
    memcpy(c->history.entries, kept, n * sizeof *kept);
    free(kept);
    c->history.n = n;
    c->history.bytes.len = len;
    return good;
}

/* The disk of a cut somewhere becomes the one of the next run. */
static bool take_over(struct crash *c)
{
    if (!comes_back(c, cuts_tear(&c->cuts), false)) return false;
    history_restart(&c->history);
    cuts_take_over(&c->cuts);
    return true;
}

static void begin(struct crash *c, uint64_t number)
{
    cuts_begin(&c->cuts, number);
    c->clock = (struct clock_settable){0};
    history_clear(&c->history);
    choose_options(c);
}

/* ---- crash and control ------------------------------------------------------------------- */

static bool run_crashes(struct crash *c, uint64_t runs)
{
    uint64_t i = 0;
    bool good = true;
    for (; i < runs && good; i++) {
        begin(c, i);
        uint64_t lives = 1 + below(c, 2);
        for (uint64_t life = 0; life < lives && good; life++) {
            struct store_io io = disk_io(&c->cuts.disk);
            disk_record(&c->cuts.disk);
            good = record(c, &io) && cuts_check(&c->cuts);
            c->figures.promised += c->history.n;
            if (good && life + 1 < lives) good = take_over(c);
        }
        c->figures.runs++;
    }
    return cuts_report(&c->cuts, 1, "crash states", good, i - 1);
}

static bool run_control(struct crash *c, uint64_t runs)
{
    struct figures kept = c->figures;
    bool good = true;
    uint64_t i = 0, lost = 0;
    for (; i < runs && good; i++) {
        begin(c, i);
        struct store_io io = disk_io(&c->cuts.disk);
        c->cuts.disk.lies = true;
        disk_record(&c->cuts.disk);
        good = record(c, &io);
        c->cuts.disk.lies = false;
        if (good) lost += cuts_lose(&c->cuts);
    }
    c->figures = kept;
    c->figures.control_runs = i;
    c->figures.control_lost = lost;
    if (good && lost * 2 <= i) good = problem(c, "a disk that lies about syncs hardly ever loses");
    return cuts_report(&c->cuts, 2, "control", good, i - 1);
}

/* ---- faults ------------------------------------------------------------------------------ */

/* Works until the store has failed; then nothing may succeed any more. */
static bool work_until_failed(struct crash *c, struct store *s)
{
    int result = 0;
    uint64_t first;
    struct batch b;
    struct buf bytes;
    for (int i = 0; i < 40 && result == 0; i++) result = act(c, s);
    if (result == 0) return true;
    if (result != ERR_IO) return problem(c, "an error that no caller expects");
    buf_init(&bytes, BATCH_MAX);
    history_batch(&bytes, 1, 1, 1);
    bool good = batch_open(buf_slice(&bytes), &b) == 0 && store_append(s, &b, &first) == ERR_IO &&
                store_commit(s) == ERR_IO && store_tick(s) == ERR_IO &&
                store_remove_journal(s, 0) == ERR_IO;
    buf_done(&bytes);
    return good || problem(c, "goes on after it has failed");
}

static bool always(void *ctx, unsigned way)
{
    (void)ctx;
    (void)way;
    return true;
}

/* The same run each time, but for the fault. */
static bool run_fault(struct crash *c, uint64_t number, struct faults *faults)
{
    struct store *s;
    begin(c, number);
    disk_record(&c->cuts.disk);
    struct store_io io = disk_io(&c->cuts.disk), failing = faults_io(faults);
    faults->below = &io;
    c->options.io = &failing;
    for (int life = 0; life < 2; life++) {
        c->found = (struct history_found){0};
        int result = store_open(&c->options, &s);
        if (result != 0) continue;
        bool good = history_check(&c->history, &io, &c->found, store_durable(s), HISTORY_NEVER - 1,
                                  0, c->cuts.why);
        history_forget(&c->history);
        good = good && work_until_failed(c, s);
        store_free(s);
        if (!good) return false;
    }
    bool good = cuts_check_end(&c->cuts, number, always);
    c->figures.faults++;
    return good;
}

static bool run_faults(struct crash *c, uint64_t runs)
{
    bool good = true;
    uint64_t run = 0;
    for (; run < runs && good; run++) {
        for (unsigned way = 0; way < 2 * FAULT_KINDS && good; way++) {
            struct faults faults;
            uint64_t at = 0;
            do {
                faults =
                    (struct faults){.kind = way / 2 % FAULT_KINDS, .for_good = way % 2, .at = ++at};
                good = run_fault(c, run, &faults);
            } while (good && faults_happened(&faults));
            if (!good)
                printf("# fault %u%s at call %llu\n", way / 2, way % 2 ? " for good" : "",
                       (unsigned long long)at);
        }
    }
    return cuts_report(&c->cuts, 3, "faults", good, run - 1);
}

/* ---- flips ------------------------------------------------------------------------------- */

static uint64_t count_missing(const struct crash *c)
{
    uint64_t n = 0;
    for (size_t i = 0; i < c->history.n; i++)
        n += !c->history.entries[i].seen && c->history.entries[i].removed == HISTORY_NEVER;
    return n;
}

static bool check_flip(struct crash *c)
{
    struct history_found found = {0};
    struct store_io io = disk_io(&c->cuts.image);
    struct store_options o = c->options;
    struct store *s;
    o.io = &io;
    o.events = history_events(&found);
    if (store_open(&o, &s) != 0) return problem(c, "does not open with a flipped bit");
    bool good = history_check(&c->history, &io, &found, store_durable(s), HISTORY_NEVER - 1, 1,
                              c->cuts.why);
    store_free(s);
    uint64_t told = 0;
    for (int kind = 0; kind <= STORE_DAMAGE_HEAD; kind++) told += found.damages[kind];
    if (good && count_missing(c) > told) good = problem(c, "a flip loses what nobody is told of");
    c->figures.flips++;
    c->figures.flips_lost += count_missing(c) > 0;
    c->figures.flips_harmless += told == 0;
    return good;
}

/* One bit of one journal of c->cuts.disk, which is as a run has left it. */
static bool flip(struct crash *c)
{
    struct disk_cut end;
    size_t size;
    disk_cut_init(&end, &c->cuts.disk);
    while (disk_cut_next(&end)) continue;
    disk_cut_image(&end, REACHED_ALL, 0, &c->cuts.image);
    disk_cut_done(&end);
    const struct disk_state *now = &c->cuts.image.now;
    const char *name = now->names[below(c, now->n_names)].text;
    uint64_t first;
    char *bytes = disk_bytes(&c->cuts.image, name, &size);
    if (!journal_name_read(name, &first) || size == 0) return true;
    uint64_t bit = below(c, size * 8);
    bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    return check_flip(c);
}

enum { FLIPS_A_RUN = 200 };

static bool run_flips(struct crash *c, uint64_t flips)
{
    bool good = true;
    uint64_t run = 0;
    for (; c->figures.flips < flips && good; run++) {
        begin(c, run);
        struct store_io io = disk_io(&c->cuts.disk);
        disk_record(&c->cuts.disk);
        good = record(c, &io);
        for (int i = 0; i < FLIPS_A_RUN && good && c->figures.flips < flips; i++) good = flip(c);
    }
    if (good && (c->figures.flips_lost == 0 || c->figures.flips_harmless == 0))
        good = problem(c, "flips did not hit both frames and zeros");
    return cuts_report(&c->cuts, 4, "flips", good, run - 1);
}

/* ---- main -------------------------------------------------------------------------------- */

static void tell_figures(const struct crash *c)
{
    const struct figures *f = &c->figures;
    const struct cuts_number all[] = {{"seed", c->cuts.seed},
                                      {"runs", f->runs},
                                      {"changes", c->cuts.changes},
                                      {"states", c->cuts.states},
                                      {"batches", f->promised},
                                      {"tails_cut", f->tails},
                                      {"torn_holes", f->torn},
                                      {"control_runs", f->control_runs},
                                      {"control_lost", f->control_lost},
                                      {"faults", f->faults},
                                      {"flips", f->flips},
                                      {"flips_lost", f->flips_lost},
                                      {"flips_harmless", f->flips_harmless}};
    cuts_tell(all, sizeof all / sizeof all[0]);
}

int main(int argc, char **argv)
{
    static struct crash c = {
        .cuts = {.comes_back = comes_back, .every = 8, .subsets = 4, .seed = 1}};
    uint64_t runs = 20, flips = 3000;
    bool json = false;
    const struct cuts_option options[] = {{"--runs", &runs},
                                          {"--subsets", &c.cuts.subsets},
                                          {"--flips", &flips},
                                          {"--seed", &c.cuts.seed}};
    if (!cuts_options(argc, argv, options, 4, &json) || runs == 0) {
        fprintf(stderr, "store_crash [--runs N] [--subsets N] [--flips N] [--seed N] [--json]\n");
        return 2;
    }
    c.cuts.ctx = &c;
    printf("# seed %llu\n", (unsigned long long)c.cuts.seed);
    (void)fflush(stdout);
    history_init(&c.history);
    cuts_init(&c.cuts);
    bool good = run_crashes(&c, runs);
    good = run_control(&c, runs) && good;
    good = run_faults(&c, (runs + 19) / 20) && good;
    good = run_flips(&c, flips) && good;
    printf("1..4\n");
    (void)fflush(stdout);
    if (json) tell_figures(&c);
    cuts_done(&c.cuts);
    history_done(&c.history);
    return !good;
}
