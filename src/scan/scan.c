/* SPDX-License-Identifier: EUPL-1.2 */
#include "scan/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proc/process.h"
#include "proc/worker.h"
#include "store/journal.h"
#include "store/view.h"

enum {
    SAMPLE_BLOCKS = 16, /* of so many one is looked at */
    UNITS_MAX = 1 << 20,
    UNIT_HELD_MAX = 256 * 1024 * 1024, /* findings of one unit that wait */
    FAILURES_MAX = SCAN_SKIPPED_MAX + 16,
    TICK_MS = 100,
    FETCHED = 16 * 1024, /* bytes: more than an index has that a query reads first */
};

/* A piece of work; they are numbered in the order in which they are told. */
struct unit {
    struct scan_unit m;
    uint64_t bytes;
    int file;        /* of journals: opened at the start */
    struct buf held; /* its findings, until its turn */
    uint64_t told;   /* frames that were taken */
    uint64_t again;  /* of them those that come once more, as another process reads it */
    bool ended;      /* all that there will be is held */
};

struct reading {
    struct worker worker;
    struct scan_page *page;
    uint32_t unit;  /* UINT32_MAX: none */
    uint64_t steps; /* of its page, when it was looked at last … */
    nsec since;     /* … and since when it has been that */
};

struct scan {
    const struct scan_options *options;
    struct diag *diag;
    struct scan_begin begin;
    struct unit *units;
    uint32_t n_units, cap_units;
    uint32_t next;  /* to be handed out */
    uint32_t taken; /* units whose findings were taken */
    size_t held;    /* bytes of findings that wait */
    struct reading *readers;
    struct scan_page *pages; /* shared with them */
    uint32_t n_readers, failures;
    int folder, null_fd;
    struct store_io io;
    struct scan_progress progress;
    nsec cpu; /* of readers that were replaced */
};

void scan_write_damage(struct buf *out, enum scan_damage_kind kind, uint64_t seq)
{
    static const struct {
        const char *before, *after;
    } kinds[] = {
        [SCAN_SEGMENT] = {"the segment ", " is damaged: its records were not read"},
        [SCAN_BLOCK] = {"the block that begins with record ",
                        " is damaged: its records were not read"},
        [SCAN_JOURNAL] = {"the journal ", " is damaged: its records were not read"},
        [SCAN_FRAME] = {"a journal is damaged in front of record ", ""},
        [SCAN_ASIDE] = {"the journal ", " was set aside as damaged: its records were not read"},
        [SCAN_LEFT] = {"the records from ", " on could not be read: their block was left out"},
        [SCAN_UNIT_LEFT] = {"a part of the segment or journal ",
                            " could not be read and was left out"},
        [SCAN_BESIDE_DAMAGED] = {"the index of the segment ",
                                 " is damaged: all of its records were read"},
    };
    buf_printf(out, "%s%" PRIu64 "%s", kinds[kind].before, seq, kinds[kind].after);
}

/* ---- units ------------------------------------------------------------------------------- */

static void tell_damage(const struct scan *s, enum scan_damage_kind kind, uint64_t seq)
{
    s->options->damage(s->options->ctx, kind, seq);
}

static int add_unit(struct scan *s, const struct scan_unit *m, uint64_t bytes, int file)
{
    if (s->n_units == s->cap_units) {
        uint32_t cap = s->cap_units ? 2 * s->cap_units : 64;
        struct unit *more = cap > UNITS_MAX ? NULL : reallocarray(s->units, cap, sizeof *s->units);
        if (!more) return ERR_NOMEM;
        s->units = more;
        s->cap_units = cap;
    }
    struct unit *u = &s->units[s->n_units++];
    *u = (struct unit){.m = *m, .bytes = bytes, .file = file};
    buf_init(&u->held, UNIT_HELD_MAX);
    s->progress.bytes_total += bytes;
    return 0;
}

/*
 * The disk begins with what is read first of a file: with many segments that are not in memory it
 * would be waited for at each.
 */
static void fetch(int file, off_t from, off_t len)
{
    (void)posix_fadvise(file, from, len, POSIX_FADV_WILLNEED);
}

/* Head, footer, and in front of that its index. */
static void fetch_segment(const struct scan *s, uint64_t begin)
{
    char name[STORE_NAME_MAX + 1];
    segment_name(name, "segment", begin);
    int file = s->io.open(s->io.ctx, name, STORE_READ);
    if (file < 0) return;
    int64_t size = s->io.size(s->io.ctx, file);
    fetch(file, 0, SEGMENT_HEAD);
    if (size > 0) fetch(file, size < FETCHED ? 0 : size - FETCHED, FETCHED);
    s->io.close(s->io.ctx, file);
}

static void fetch_beside(const struct scan *s, uint64_t begin)
{
    int file = s->options->beside ? s->options->beside(s->options->ctx, begin) : -1;
    if (file < 0) return;
    fetch(file, 0, FETCHED);
    (void)close(file);
}

/* Every few blocks that may have something of the time that is asked for. */
static int add_segment(struct scan *s, uint64_t begin)
{
    struct segment_footer f;
    const struct scan_options *o = s->options;
    int error = segment_footer_load(&s->io, "segment", begin, &f);
    if (error == ERR_NOT_FOUND) return 0; /* retention was faster */
    if (error == ERR_NOMEM) return error;
    if (error) {
        tell_damage(s, SCAN_SEGMENT, begin);
        return 0;
    }
    if (f.latest < o->from || f.earliest >= o->to) {
        s->progress.early += f.blocks;
        return 0;
    }
    fetch_beside(s, begin);
    uint32_t step = o->sample ? SAMPLE_BLOCKS : o->blocks;
    for (uint32_t at = 0; at < f.blocks && error == 0; at += step) {
        uint32_t to = o->sample ? at + 1 : at + step < f.blocks ? at + step : f.blocks;
        const struct scan_unit m = {.begin = begin, .from = at, .to = to};
        error = add_unit(s, &m, f.raw_bytes / f.blocks * (to - at), -1);
    }
    return error;
}

/* Takes its file. */
static int add_journal(struct scan *s, struct store_view_journal *journal, uint64_t sealed)
{
    int64_t size = s->io.size(s->io.ctx, journal->file);
    const struct scan_unit m = {.journal = 1, .begin = journal->first, .seq = sealed};
    int error = add_unit(s, &m, size > 0 ? (uint64_t)size : 0, journal->file);
    if (error == 0) journal->file = -1;
    return error;
}

static int on_name(void *ctx, const char *name)
{
    uint64_t first;
    if (journal_damaged_name_read(name, &first)) tell_damage(ctx, SCAN_ASIDE, first);
    return 0;
}

static int add_all(struct scan *s)
{
    struct store_view view;
    int error = store_view_open(&s->io, &view);
    for (size_t i = 0; i < store_view_segments(&view) && error == 0; i++)
        fetch_segment(s, store_view_segment(&view, i));
    for (size_t i = 0; i < store_view_segments(&view) && error == 0; i++)
        error = add_segment(s, store_view_segment(&view, i));
    for (size_t i = 0; i < view.n_journals && error == 0; i++)
        error = add_journal(s, &view.journals[i], view.sealed);
    store_view_close(&s->io, &view);
    if (error == 0) error = s->io.list(s->io.ctx, on_name, s);
    for (uint32_t i = 0; s->options->newest_first && i < s->n_units / 2; i++) {
        struct unit u = s->units[i];
        s->units[i] = s->units[s->n_units - 1 - i];
        s->units[s->n_units - 1 - i] = u;
    }
    return error;
}

/* ---- readers ----------------------------------------------------------------------------- */

static int run_reader(void *ctx, struct channel *channel)
{
    const struct scan *s = ctx;
    return s->options->run(s->options->ctx, &s->begin, channel);
}

/* The store's folder, opened once more: a lock is one with whoever opened what is locked. */
static int send_turns(const struct scan *s, struct reading *r)
{
    struct buf out;
    int folder = openat(s->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return 0;
    buf_init(&out, 4096);
    scan_turns_write(&out, &(struct scan_turns){});
    int error = channel_send(&r->worker.channel, buf_slice(&out), folder);
    buf_done(&out);
    (void)close(folder);
    return error;
}

static int start_reader(struct scan *s, struct reading *r)
{
    bool takes_turns = !s->options->share;
    r->unit = UINT32_MAX;
    s->cpu += r->page->cpu;
    *r->page = (struct scan_page){0};
    r->steps = 0;
    r->since = clock_monotonic(s->options->clock);
    s->begin.page = r->page;
    s->begin.extra = takes_turns && r != s->readers;
    int error =
        worker_start(&r->worker, &(struct worker_spec){.run = run_reader,
                                                       .ctx = s,
                                                       .role = SANDBOX_DECODER,
                                                       .max_payload = s->options->max_payload,
                                                       .null_fd = s->null_fd});
    return error || !takes_turns ? error : send_turns(s, r);
}

static void drop_held(struct scan *s, struct unit *u)
{
    s->held -= u->held.len;
    buf_clear(&u->held);
}

static void end_unit(struct scan *s, struct unit *u, bool whole)
{
    if (!whole) {
        tell_damage(s, SCAN_UNIT_LEFT, u->m.begin);
        drop_held(s, u);
    }
    u->ended = true;
    if (u->file >= 0) s->io.close(s->io.ctx, u->file);
    u->file = -1;
}

static int open_unit(struct scan *s, struct unit *u)
{
    char name[STORE_NAME_MAX + 1];
    if (u->m.journal) return u->file;
    segment_name(name, "segment", u->m.begin);
    return u->file = s->io.open(s->io.ctx, name, STORE_READ);
}

static int send_beside(struct scan *s, struct reading *r, uint64_t begin, struct buf *out)
{
    int file = s->options->beside ? s->options->beside(s->options->ctx, begin) : -1;
    if (file < 0) return 0;
    scan_beside_write(out, &(struct scan_beside){});
    int error = channel_send(&r->worker.channel, buf_slice(out), file);
    (void)close(file);
    buf_clear(out);
    return error;
}

static int send_unit(struct scan *s, struct reading *r, uint32_t number)
{
    struct buf out;
    const struct unit *u = &s->units[number];
    buf_init(&out, 4096);
    int error = u->m.journal ? 0 : send_beside(s, r, u->m.begin, &out);
    scan_unit_write(&out, &u->m);
    if (error == 0) error = channel_send(&r->worker.channel, buf_slice(&out), u->file);
    buf_done(&out);
    r->unit = number;
    r->since = clock_monotonic(s->options->clock);
    return error;
}

/* Not far ahead of the oldest one that is not done: its findings would have to wait. */
static int hand_out(struct scan *s, struct reading *r)
{
    int error = 0;
    while (r->unit == UINT32_MAX && s->next < s->n_units && s->next < s->taken + 4 * s->n_readers &&
           (s->held < s->options->held_max || s->next == s->taken) && error == 0) {
        struct unit *u = &s->units[s->next];
        int file = open_unit(s, u);
        if (file < 0) {
            u->file = -1;
            end_unit(s, u, file == ERR_NOT_FOUND);
            s->next++;
            continue;
        }
        error = send_unit(s, r, s->next++);
    }
    return error;
}

/* What it worked on is left out from now on. False: nothing can be learnt from its end. */
static bool learn(struct scan *s, const struct reading *r)
{
    uint64_t first = r->page->first;
    if (r->unit == UINT32_MAX || first == 0 || s->begin.n_skipped == SCAN_SKIPPED_MAX) return false;
    s->begin.skipped[s->begin.n_skipped++] = first;
    return true;
}

/*
 * It ended over its unit, hangs, or broke the protocol. Another one takes the unit from its
 * beginning, without the block or frame that it was; or the unit is given up.
 */
static int replace_reader(struct scan *s, struct reading *r)
{
    struct rusage usage;
    uint32_t unit = r->unit;
    int status = worker_stop(&r->worker, true, &usage);
    bool again = learn(s, r);
    if (unit != UINT32_MAX) {
        struct unit *u = &s->units[unit];
        drop_held(s, u);
        u->again = u->told;
        if (!again) end_unit(s, u, false);
    }
    if (++s->failures > FAILURES_MAX) {
        char how[80];
        worker_describe(status, how, sizeof how);
        return diag_set(s->diag, ERR_CORRUPT, NULL, 0, 0, "the processes that read records end: %s",
                        how);
    }
    int error = start_reader(s, r);
    return error || !again ? error : send_unit(s, r, unit);
}

/* Whether what it says would wait, and there is no room for more of that. */
static bool has_to_wait(const struct scan *s, const struct reading *r)
{
    return r->unit != UINT32_MAX && r->unit != s->taken && s->held >= s->options->held_max;
}

/* One that has a unit and does not go on with it. */
static int watch(struct scan *s, struct reading *r)
{
    nsec now = clock_monotonic(s->options->clock);
    uint64_t steps = __atomic_load_n(&r->page->steps, __ATOMIC_ACQUIRE);
    bool waits = has_to_wait(s, r) || __atomic_load_n(&r->page->waits, __ATOMIC_RELAXED);
    if (r->unit == UINT32_MAX || steps != r->steps || waits) r->since = now;
    r->steps = steps;
    return now - r->since < s->options->silence ? 0 : replace_reader(s, r);
}

/* ---- findings ---------------------------------------------------------------------------- */

static int go_astray(struct scan *s)
{
    return diag_set(s->diag, ERR_CORRUPT, NULL, 0, 0, "a process that reads records went astray");
}

static int take_done(struct scan *s, struct unit *u, struct slice payload)
{
    struct scan_done done;
    if (scan_done_read(payload, &done) != 0) return go_astray(s);
    s->progress.bytes += u->bytes;
    s->progress.early += done.early;
    s->progress.filtered += done.filtered;
    s->progress.read += done.read;
    s->progress.unread += done.unread;
    if (done.next > s->progress.next) s->progress.next = done.next;
    return 0;
}

static int take_damage(struct scan *s, struct slice payload)
{
    struct scan_damage damage;
    if (scan_damage_read(payload, &damage) != 0 || damage.what > SCAN_BESIDE_DAMAGED)
        return go_astray(s);
    tell_damage(s, (enum scan_damage_kind)damage.what, damage.seq);
    return 0;
}

static int take_frame(struct scan *s, struct unit *u, const struct frame *frame)
{
    u->told++;
    if (frame->type == SCAN_DONE) return take_done(s, u, frame->payload);
    if (frame->type == SCAN_DAMAGE) return take_damage(s, frame->payload);
    if (frame->type < SCAN_OWN) return go_astray(s);
    return s->options->take(s->options->ctx, frame);
}

static int take_held(struct scan *s, struct unit *u)
{
    struct frame frame;
    struct slice rest = buf_slice(&u->held);
    int error = 0;
    while (error == 0 && rest.len && frame_next(rest, s->options->max_payload, &frame) == 1) {
        error = take_frame(s, u, &frame);
        rest = slice_from(rest, frame.size);
    }
    if (error == 0 && rest.len) error = go_astray(s);
    drop_held(s, u);
    return error;
}

/* Findings are taken in the order of the units. */
static int take_ended(struct scan *s)
{
    int error = 0;
    while (s->taken < s->n_units && error == 0) {
        struct unit *u = &s->units[s->taken];
        if (!u->ended && (s->options->whole_units || u->held.len == 0)) break;
        error = take_held(s, u);
        if (!u->ended) break;
        buf_done(&u->held);
        s->taken++;
    }
    return error;
}

/* A frame of the reader's unit. */
static int hear(struct scan *s, struct reading *r, const struct frame *frame)
{
    struct unit *u = &s->units[r->unit];
    bool ends = frame->type == SCAN_DONE;
    if (u->again) {
        u->again--;
    } else if (r->unit == s->taken && !s->options->whole_units) {
        int error = take_frame(s, u, frame);
        if (error) return error;
    } else {
        buf_put(&u->held, slice_make(frame->payload.ptr - FRAME_HEADER, frame->size));
        if (buf_failed(&u->held)) return replace_reader(s, r);
        s->held += frame->size;
    }
    if (!ends) return 0;
    end_unit(s, u, true);
    r->unit = UINT32_MAX;
    return 0;
}

/* The frames of one that has said something. */
static int listen(struct scan *s, struct reading *r)
{
    struct frame frame;
    int got = channel_fill(&r->worker.channel);
    if (got) return replace_reader(s, r);
    while ((got = channel_next(&r->worker.channel, &frame)) == 1) {
        pid_t pid = r->worker.pid;
        if (r->unit == UINT32_MAX) return replace_reader(s, r);
        int error = hear(s, r, &frame);
        if (error || r->worker.pid != pid) return error;
    }
    return got < 0 ? replace_reader(s, r) : 0;
}

/* ---- all of it --------------------------------------------------------------------------- */

static int tick(struct scan *s)
{
    s->progress.cpu = s->cpu;
    for (uint32_t i = 0; i < s->n_readers; i++)
        s->progress.cpu += __atomic_load_n(&s->readers[i].page->cpu, __ATOMIC_RELAXED);
    return s->options->tick ? s->options->tick(s->options->ctx, &s->progress) : 0;
}

bool scan_is_done(const struct scan *s)
{
    return s->taken == s->n_units;
}

static int turn(struct scan *s, int wait)
{
    struct pollfd polls[SCAN_JOBS_MAX];
    int error = 0;
    for (uint32_t i = 0; i < s->n_readers; i++) {
        struct reading *r = &s->readers[i];
        if (hand_out(s, r) != 0 && error == 0) error = replace_reader(s, r);
        polls[i] =
            (struct pollfd){.fd = has_to_wait(s, r) ? -1 : r->worker.channel.fd, .events = POLLIN};
    }
    /* Units that went before they were opened have ended without a word. */
    if (error == 0) error = take_ended(s);
    if (error || scan_is_done(s)) return error;
    int ready = poll(polls, s->n_readers, wait);
    for (uint32_t i = 0; ready > 0 && i < s->n_readers && error == 0; i++)
        if (polls[i].revents) error = listen(s, &s->readers[i]);
    for (uint32_t i = 0; i < s->n_readers && error == 0; i++) error = watch(s, &s->readers[i]);
    if (error == 0) error = take_ended(s);
    return error ? error : tick(s);
}

static int start(struct scan *s)
{
    int error = 0;
    uint32_t jobs = s->options->jobs ? s->options->jobs : 1;
    if (jobs > SCAN_JOBS_MAX) jobs = SCAN_JOBS_MAX;
    if (jobs > s->n_units) jobs = s->n_units;
    s->readers = calloc(jobs, sizeof *s->readers);
    if (!s->readers) return ERR_NOMEM;
    s->null_fd =
        s->options->null_fd ? dup(s->options->null_fd) : open("/dev/null", O_RDWR | O_CLOEXEC);
    if (s->null_fd < 0) return ERR_IO;
    s->pages = mmap(NULL, SCAN_JOBS_MAX * sizeof *s->pages, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s->pages == MAP_FAILED) s->pages = NULL;
    if (!s->pages) return ERR_NOMEM;
    for (; s->n_readers < jobs && error == 0; s->n_readers++) {
        s->readers[s->n_readers].page = &s->pages[s->n_readers];
        error = start_reader(s, &s->readers[s->n_readers]);
    }
    return error;
}

static void say_why(const struct scan *s, int error)
{
    if (error < 0 && !s->diag->message[0])
        (void)diag_set(s->diag, error, NULL, 0, 0, "%s", error_text(error));
}

void scan_close(struct scan *s, struct scan_progress *ret)
{
    struct rusage usage;
    for (uint32_t i = 0; i < s->n_readers; i++)
        (void)worker_stop(&s->readers[i].worker, true, &usage);
    for (uint32_t i = 0; i < s->n_units; i++) {
        if (s->units[i].file >= 0) s->io.close(s->io.ctx, s->units[i].file);
        buf_done(&s->units[i].held);
    }
    free(s->units);
    free(s->readers);
    if (s->pages) (void)munmap(s->pages, SCAN_JOBS_MAX * sizeof *s->pages);
    if (s->null_fd >= 0) (void)close(s->null_fd);
    if (s->folder >= 0) (void)close(s->folder);
    if (ret) *ret = s->progress;
    free(s);
}

static int open_store(struct scan *s)
{
    s->folder = open(s->options->store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->folder < 0)
        return diag_set(s->diag, errno == ENOENT ? ERR_NOT_FOUND : ERR_ACCESS, NULL, 0, 0, "%s: %s",
                        s->options->store, strerror(errno));
    s->io = store_io_system(s->folder);
    int error = add_all(s);
    return error == 0 && s->n_units ? start(s) : error;
}

int scan_open(const struct scan_options *options, struct scan **ret, struct diag *diag)
{
    struct scan *s = calloc(1, sizeof *s);
    diag->message[0] = '\0';
    if (!s) return diag_set(diag, ERR_NOMEM, NULL, 0, 0, "%s", error_text(ERR_NOMEM));
    *s = (struct scan){.options = options, .diag = diag, .null_fd = -1};
    s->begin = (struct scan_begin){.from = options->from,
                                   .to = options->to,
                                   .known = options->known,
                                   .known_from = options->known_from,
                                   .share = options->share,
                                   .room = process_processors(SCAN_JOBS_MAX) - 1,
                                   .sample = options->sample,
                                   .newest_first = options->newest_first};
    int error = open_store(s);
    say_why(s, error);
    if (error) scan_close(s, NULL);
    else *ret = s;
    return error;
}

int scan_turn(struct scan *s, int wait)
{
    int error = scan_is_done(s) ? 0 : turn(s, wait);
    say_why(s, error);
    return error;
}

int scan_wait_turn(const char *store)
{
    int folder = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (folder >= 0 && flock(folder, LOCK_EX) != 0 && errno == EINTR) {
    }
    return folder;
}

int scan_run(const struct scan_options *options, struct scan_progress *ret, struct diag *diag)
{
    struct scan *s;
    int error = scan_open(options, &s, diag);
    if (ret) *ret = (struct scan_progress){0};
    if (error) return error;
    while (error == 0 && !scan_is_done(s)) error = scan_turn(s, TICK_MS);
    scan_close(s, ret);
    return error;
}
