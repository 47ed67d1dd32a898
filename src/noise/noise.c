/* SPDX-License-Identifier: EUPL-1.2 */
#include "noise/noise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "noise/reader.h"
#include "proc/worker.h"
#include "store/segment.h"
#include "store/view.h"

enum {
    UNIT_BLOCKS = 24,   /* few enough that processes end at about the same time */
    SAMPLE_BLOCKS = 16, /* of so many one is looked at */
    UNITS_MAX = 1 << 20,
    HELD_MAX = 256 * 1024 * 1024, /* findings of one unit */
    FAILURES_MAX = NOISE_SKIPPED_MAX + 16,
    TICK_MS = 100,
};

/* A piece of work; they are numbered in the order of the records. */
struct unit {
    struct noise_unit m;
    uint64_t bytes;
    int file;        /* of journals: opened at the start */
    struct buf held; /* its findings, until its turn */
    bool ended;      /* all that there will be is held */
};

struct reading {
    struct worker worker;
    struct noise_page *page;
    uint32_t unit;  /* UINT32_MAX: none */
    uint64_t steps; /* of its page, when it was looked at last … */
    nsec since;     /* … and since when it has been that */
};

struct noise {
    const struct noise_options *options;
    struct tally *tally;
    struct diag *diag;
    struct noise_begin begin;
    struct unit *units;
    uint32_t n_units, cap_units;
    uint32_t next;  /* to be handed out */
    uint32_t taken; /* units whose findings are in the tally */
    struct reading *readers;
    struct noise_page *pages; /* shared with them */
    uint32_t n_readers, failures;
    int folder, null_fd;
    struct store_io io;
    uint64_t total;
};

/* ---- units ------------------------------------------------------------------------------- */

static int add_unit(struct noise *n, const struct noise_unit *m, uint64_t bytes, int file)
{
    if (n->n_units == n->cap_units) {
        uint32_t cap = n->cap_units ? 2 * n->cap_units : 64;
        struct unit *more = cap > UNITS_MAX ? NULL : reallocarray(n->units, cap, sizeof *n->units);
        if (!more) return ERR_NOMEM;
        n->units = more;
        n->cap_units = cap;
    }
    struct unit *u = &n->units[n->n_units++];
    *u = (struct unit){.m = *m, .bytes = bytes, .file = file};
    buf_init(&u->held, HELD_MAX);
    n->total += bytes;
    return 0;
}

/* Every UNIT_BLOCKS blocks that may have something of the time that is asked for. */
static int add_segment(struct noise *n, uint64_t begin)
{
    struct segment_footer f;
    int error = segment_footer_load(&n->io, "segment", begin, &f);
    if (error == ERR_NOT_FOUND) return 0; /* retention was faster */
    if (error) {
        n->tally->damaged++;
        return error == ERR_NOMEM ? error : 0;
    }
    if (f.latest < n->options->from || f.earliest >= n->options->to) return 0;
    uint32_t step = n->options->sample ? SAMPLE_BLOCKS : UNIT_BLOCKS;
    for (uint32_t at = 0; at < f.blocks && error == 0; at += step) {
        uint32_t to = n->options->sample ? at + 1 : at + step < f.blocks ? at + step : f.blocks;
        const struct noise_unit m = {.begin = begin, .from = at, .to = to};
        error = add_unit(n, &m, f.raw_bytes / f.blocks * (to - at), -1);
    }
    return error;
}

/* Takes its file. */
static int add_journal(struct noise *n, struct store_view_journal *journal, uint64_t sealed)
{
    int64_t size = n->io.size(n->io.ctx, journal->file);
    const struct noise_unit m = {.journal = 1, .begin = journal->first, .seq = sealed};
    int error = add_unit(n, &m, size > 0 ? (uint64_t)size : 0, journal->file);
    if (error == 0) journal->file = -1;
    return error;
}

static int add_all(struct noise *n)
{
    struct store_view view;
    int error = store_view_open(&n->io, &view);
    for (size_t i = 0; i < store_view_segments(&view) && error == 0; i++)
        error = add_segment(n, store_view_segment(&view, i));
    for (size_t i = 0; i < view.n_journals && error == 0; i++)
        error = add_journal(n, &view.journals[i], view.sealed);
    store_view_close(&n->io, &view);
    return error;
}

/* ---- readers ----------------------------------------------------------------------------- */

static int start_reader(struct noise *n, struct reading *r)
{
    r->unit = UINT32_MAX;
    *r->page = (struct noise_page){0};
    r->steps = 0;
    r->since = clock_monotonic(n->options->clock);
    n->begin.page = r->page;
    return worker_start(&r->worker, &(struct worker_spec){.run = noise_reader_run,
                                                          .ctx = &n->begin,
                                                          .role = SANDBOX_DECODER,
                                                          .max_payload = NOISE_PAYLOAD_MAX,
                                                          .null_fd = n->null_fd});
}

static void end_unit(struct noise *n, struct unit *u, bool whole)
{
    if (!whole) {
        n->tally->unreadable++;
        buf_clear(&u->held);
    }
    u->ended = true;
    if (u->file >= 0) n->io.close(n->io.ctx, u->file);
    u->file = -1;
}

static int open_unit(struct noise *n, struct unit *u)
{
    char name[STORE_NAME_MAX + 1];
    if (u->m.journal) return u->file;
    segment_name(name, "segment", u->m.begin);
    return u->file = n->io.open(n->io.ctx, name, STORE_READ);
}

static int send_unit(struct noise *n, struct reading *r, uint32_t number)
{
    struct buf out;
    const struct unit *u = &n->units[number];
    buf_init(&out, 4096);
    noise_unit_write(&out, &u->m);
    int error = channel_send(&r->worker.channel, buf_slice(&out), u->file);
    buf_done(&out);
    r->unit = number;
    r->since = clock_monotonic(n->options->clock);
    return error;
}

/* Not far ahead of the oldest one that is not done: its findings would have to wait. */
static int hand_out(struct noise *n, struct reading *r)
{
    int error = 0;
    while (r->unit == UINT32_MAX && n->next < n->n_units && n->next < n->taken + 4 * n->n_readers &&
           error == 0) {
        struct unit *u = &n->units[n->next];
        int file = open_unit(n, u);
        if (file < 0) {
            u->file = -1;
            end_unit(n, u, file == ERR_NOT_FOUND);
            n->next++;
            continue;
        }
        error = send_unit(n, r, n->next++);
    }
    return error;
}

/* What it worked on is left out from now on. False: nothing can be learnt from its end. */
static bool learn(struct noise *n, const struct reading *r)
{
    uint64_t first = r->page->first;
    if (r->unit == UINT32_MAX || first == 0 || n->begin.n_skipped == NOISE_SKIPPED_MAX)
        return false;
    n->begin.skipped[n->begin.n_skipped++] = first;
    return true;
}

/*
 * It ended over its unit, hangs, or broke the protocol. Another one takes the unit from its
 * beginning, without the block or frame that it was; or the unit is given up.
 */
static int replace_reader(struct noise *n, struct reading *r)
{
    struct rusage usage;
    uint32_t unit = r->unit;
    int status = worker_stop(&r->worker, true, &usage);
    bool again = learn(n, r);
    if (unit != UINT32_MAX) buf_clear(&n->units[unit].held);
    if (unit != UINT32_MAX && !again) end_unit(n, &n->units[unit], false);
    if (++n->failures > FAILURES_MAX) {
        char how[80];
        worker_describe(status, how, sizeof how);
        return diag_set(n->diag, ERR_CORRUPT, NULL, 0, 0, "the processes that read records end: %s",
                        how);
    }
    int error = start_reader(n, r);
    return error || !again ? error : send_unit(n, r, unit);
}

/* One that has a unit and does not go on with it. */
static int watch(struct noise *n, struct reading *r)
{
    nsec now = clock_monotonic(n->options->clock);
    uint64_t steps = __atomic_load_n(&r->page->steps, __ATOMIC_ACQUIRE);
    if (r->unit == UINT32_MAX || steps != r->steps) r->since = now;
    r->steps = steps;
    return now - r->since < n->options->silence ? 0 : replace_reader(n, r);
}

static int take_held(struct noise *n, struct unit *u)
{
    struct noise_done done;
    struct frame frame;
    struct slice rest = buf_slice(&u->held);
    int error = 0;
    while (error == 0 && rest.len && frame_next(rest, NOISE_PAYLOAD_MAX, &frame) == 1) {
        if (frame.type != NOISE_DONE) error = tally_take(n->tally, &frame);
        else if (noise_done_read(frame.payload, &done) != 0) error = ERR_CORRUPT;
        else tally_take_done(n->tally, &done);
        rest = slice_from(rest, frame.size);
    }
    if (error == 0 && u->held.len && rest.len) error = ERR_CORRUPT;
    buf_done(&u->held);
    return error;
}

/* Findings go to the tally in the order of the units. */
static int take_ended(struct noise *n)
{
    int error = 0;
    while (n->taken < n->n_units && n->units[n->taken].ended && error == 0)
        error = take_held(n, &n->units[n->taken++]);
    return error == ERR_CORRUPT
               ? diag_set(n->diag, error, NULL, 0, 0, "a process that reads records went astray")
               : error;
}

/* The frames of one that has said something. */
static int listen(struct noise *n, struct reading *r)
{
    struct frame frame;
    int got = channel_fill(&r->worker.channel);
    if (got) return replace_reader(n, r);
    while ((got = channel_next(&r->worker.channel, &frame)) == 1) {
        if (r->unit == UINT32_MAX) return replace_reader(n, r);
        struct unit *u = &n->units[r->unit];
        buf_put(&u->held, slice_make(frame.payload.ptr - FRAME_HEADER, frame.size));
        if (buf_failed(&u->held)) return replace_reader(n, r);
        if (frame.type != NOISE_DONE) continue;
        end_unit(n, u, true);
        r->unit = UINT32_MAX;
    }
    return got < 0 ? replace_reader(n, r) : 0;
}

static int tick(const struct noise *n)
{
    uint64_t done = 0, matches = 0;
    if (!n->options->tick) return 0;
    for (uint32_t i = 0; i < n->taken; i++) done += n->units[i].bytes;
    for (uint32_t i = 0; i < n->tally->n; i++) matches += n->tally->rules[i].matches;
    return n->options->tick(n->options->ctx, done, n->total, n->tally->events, matches);
}

static int work(struct noise *n)
{
    struct pollfd polls[NOISE_JOBS_MAX];
    int error = 0;
    while (error == 0 && n->taken < n->n_units) {
        for (uint32_t i = 0; i < n->n_readers; i++) {
            if (hand_out(n, &n->readers[i]) != 0 && error == 0)
                error = replace_reader(n, &n->readers[i]);
            polls[i] = (struct pollfd){.fd = n->readers[i].worker.channel.fd, .events = POLLIN};
        }
        /* Units that went before they were opened have ended without a word. */
        if (error == 0) error = take_ended(n);
        if (error || n->taken == n->n_units) break;
        int ready = poll(polls, n->n_readers, TICK_MS);
        for (uint32_t i = 0; ready > 0 && i < n->n_readers && error == 0; i++)
            if (polls[i].revents) error = listen(n, &n->readers[i]);
        for (uint32_t i = 0; i < n->n_readers && error == 0; i++) error = watch(n, &n->readers[i]);
        if (error == 0) error = take_ended(n);
        if (error == 0) error = tick(n);
    }
    return error;
}

/* ---- all of it --------------------------------------------------------------------------- */

static int start(struct noise *n)
{
    int error = 0;
    uint32_t jobs = n->options->jobs ? n->options->jobs : 1;
    if (jobs > NOISE_JOBS_MAX) jobs = NOISE_JOBS_MAX;
    if (jobs > n->n_units) jobs = n->n_units;
    n->readers = calloc(jobs, sizeof *n->readers);
    if (!n->readers) return ERR_NOMEM;
    n->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (n->null_fd < 0) return ERR_IO;
    n->pages = mmap(NULL, NOISE_JOBS_MAX * sizeof *n->pages, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (n->pages == MAP_FAILED) n->pages = NULL;
    if (!n->pages) return ERR_NOMEM;
    for (; n->n_readers < jobs && error == 0; n->n_readers++) {
        n->readers[n->n_readers].page = &n->pages[n->n_readers];
        error = start_reader(n, &n->readers[n->n_readers]);
    }
    return error;
}

static void finish(struct noise *n)
{
    struct rusage usage;
    for (uint32_t i = 0; i < n->n_readers; i++)
        (void)worker_stop(&n->readers[i].worker, true, &usage);
    for (uint32_t i = 0; i < n->n_units; i++) {
        if (n->units[i].file >= 0) n->io.close(n->io.ctx, n->units[i].file);
        buf_done(&n->units[i].held);
    }
    free(n->units);
    free(n->readers);
    if (n->pages) (void)munmap(n->pages, NOISE_JOBS_MAX * sizeof *n->pages);
    if (n->null_fd >= 0) (void)close(n->null_fd);
    if (n->folder >= 0) (void)close(n->folder);
}

int noise_run(const struct noise_options *options, struct tally *ret, struct diag *diag)
{
    struct noise n = {.options = options, .tally = ret, .diag = diag, .null_fd = -1};
    n.begin = (struct noise_begin){.rules = options->rules,
                                   .correlator = ret->correlator,
                                   .from = options->from,
                                   .to = options->to,
                                   .alike = options->alike,
                                   .sources_only = options->sources_only,
                                   .sample = options->sample};
    diag->message[0] = '\0';
    n.folder = open(options->store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (n.folder < 0)
        return diag_set(diag, errno == ENOENT ? ERR_NOT_FOUND : ERR_ACCESS, NULL, 0, 0, "%s: %s",
                        options->store, strerror(errno));
    n.io = store_io_system(n.folder);
    int error = add_all(&n);
    if (error == 0 && n.n_units) error = start(&n);
    if (error == 0) error = work(&n);
    finish(&n);
    if (error == 0) tally_finish(ret);
    if (error && !diag->message[0])
        (void)diag_set(diag, error, NULL, 0, 0, "%s", error_text(error));
    return error;
}
