/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/store.h"

#include "base/hash.h"

enum { PAGE = 4096, WARN_PERCENT = 80, CRITICAL_PERCENT = 90 };

static const char ballast_name[] = "ballast";

struct store {
    struct store_options options;
    struct buf waiting; /* frames; its memory is taken once */
    struct journal_head head;
    struct store_journal journal; /* the one that is written; next and end: durable */
    int file;                     /* -1: none, the disk is full */
    uint64_t newest;              /* the journal that begins last; UINT64_MAX: there is none */
    uint64_t next;                /* sequence number of the next record */
    uint64_t written;             /* up to where its bytes were written once */
    nsec began;                   /* when its first record was appended, monotonic */
    uint32_t epoch;
    enum store_space space;
    bool failed;
};

void store_options_default(struct store_options *ret)
{
    *ret = (struct store_options){
        .journal_bytes = 256 * 1024 * 1024,
        .journal_age = 3600 * NSEC_PER_SEC,
        .commit_bytes = 2 * (size_t)JOURNAL_FRAME_MAX,
        .ahead_bytes = 1024 * 1024,
        .ballast_bytes = 64 * 1024 * 1024,
    };
}

static int fail(struct store *s)
{
    s->failed = true;
    return ERR_IO;
}

/* ---- space ------------------------------------------------------------------------------- */

/* A file as long as the longest journal, so that the disk is full when one begins, not later. */
static uint64_t journal_size_max(const struct store *s)
{
    const struct store_options *o = &s->options;
    return JOURNAL_DATA + o->journal_bytes + o->commit_bytes;
}

static int open_ballast(const struct store_io *io)
{
    int file = io->open(io->ctx, ballast_name, STORE_WRITE);
    return file == ERR_NOT_FOUND ? io->open(io->ctx, ballast_name, STORE_CREATE) : file;
}

/*
 * ERR_LIMIT: the disk is too full for it. On a file system that cannot allocate nothing is put
 * aside.
 */
static int take_ballast(const struct store_options *o)
{
    const struct store_io *io = o->io;
    if (o->ballast_bytes == 0) return 0;
    int file = open_ballast(io);
    if (file < 0) return file;
    int result = io->allocate(io->ctx, file, o->ballast_bytes);
    io->close(io->ctx, file);
    if (result == ERR_LIMIT) (void)io->unlink(io->ctx, ballast_name);
    return result == ERR_UNSUPPORTED ? 0 : result;
}

static void become_full(struct store *s)
{
    const struct store_io *io = s->options.io;
    s->space = STORE_SPACE_FULL;
    (void)io->unlink(io->ctx, ballast_name);
}

/* ---- journals ---------------------------------------------------------------------------- */

static int begin_file(const struct store *s, int file, const struct journal_head *head)
{
    const struct store_io *io = s->options.io;
    char bytes[JOURNAL_DATA];
    int result = io->allocate(io->ctx, file, journal_size_max(s));
    if (result != 0 && result != ERR_UNSUPPORTED) return result;
    journal_head_write(bytes, head);
    result = store_io_write(io, file, slice_make(bytes, sizeof bytes), 0);
    if (result != 0) return result;
    return io->sync_data(io->ctx, file) || io->sync_names(io->ctx) ? ERR_IO : 0;
}

/* ERR_LIMIT: the disk is full, and the store knows; ERR_IO: it has failed. */
static int begin_journal(struct store *s)
{
    const struct store_io *io = s->options.io;
    char name[STORE_NAME_MAX + 1];
    /* The highest bit, so that no place is its own mark in zeros. */
    struct journal_head head = {.first = s->next,
                                .salt = hash_mix(s->options.seed, s->next) | UINT64_C(1) << 63,
                                .tenant = s->options.tenant,
                                .epoch = s->epoch};
    journal_name_write(name, s->next);
    int file = io->open(io->ctx, name, STORE_CREATE);
    int result = file < 0 ? file : begin_file(s, file, &head);
    if (result != 0 && file >= 0) {
        io->close(io->ctx, file);
        (void)io->unlink(io->ctx, name);
    }
    if (result == ERR_LIMIT) {
        become_full(s);
        return ERR_LIMIT;
    }
    if (result != 0) return fail(s);
    s->file = file;
    s->newest = s->next;
    s->head = head;
    s->written = JOURNAL_DATA;
    s->journal = (struct store_journal){
        .first = s->next, .next = s->next, .end = JOURNAL_DATA, .epoch = s->epoch};
    s->options.events.opened(s->options.events.ctx, &s->journal);
    return 0;
}

/* Gives back what was allocated behind the last frame. */
static int end_journal(struct store *s)
{
    const struct store_io *io = s->options.io;
    if (io->truncate(io->ctx, s->file, s->journal.end) != 0) return fail(s);
    io->close(io->ctx, s->file);
    s->file = -1;
    s->options.events.complete(s->options.events.ctx, &s->journal);
    return 0;
}

static bool journal_is_due(const struct store *s)
{
    const struct store_options *o = &s->options;
    if (s->journal.next == s->journal.first || s->waiting.len > 0) return false;
    return s->journal.end - JOURNAL_DATA >= o->journal_bytes ||
           clock_monotonic(&o->clock) - s->began >= o->journal_age;
}

/* ---- opening ----------------------------------------------------------------------------- */

static int open_directory(struct store *s)
{
    const struct store_options *o = &s->options;
    const struct recover_events events = {
        .complete = o->events.complete, .damage = o->events.damage, .ctx = o->events.ctx};
    struct recover_result found;
    int result = recover_run(o->io, o->tenant, &events, &found);
    if (result != 0) return result;
    s->newest = found.newest;
    s->next = found.next > o->next_min ? found.next : o->next_min;
    if (__builtin_add_overflow(found.epoch, 1, &s->epoch)) return ERR_LIMIT;
    result = take_ballast(o);
    if (result == ERR_LIMIT) {
        become_full(s);
        return 0;
    }
    if (result == 0) result = begin_journal(s);
    return result == ERR_LIMIT ? 0 : result;
}

int store_open(const struct store_options *options, struct store **ret)
{
    struct store *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    s->options = *options;
    s->file = -1;
    size_t memory = options->commit_bytes + options->ahead_bytes + PAGE;
    buf_init(&s->waiting, memory);
    int result = buf_reserve(&s->waiting, memory) ? open_directory(s) : ERR_NOMEM;
    if (result == 0 && s->space != STORE_SPACE_FULL) result = store_tick(s);
    if (result != 0) {
        store_free(s);
        return result;
    }
    *ret = s;
    return 0;
}

void store_free(struct store *s)
{
    if (!s) return;
    if (s->file >= 0) s->options.io->close(s->options.io->ctx, s->file);
    buf_done(&s->waiting);
    free(s);
}

/* ---- writing ----------------------------------------------------------------------------- */

/* Another journal when this one is due. ERR_LIMIT: the disk is full. */
static int make_ready(struct store *s)
{
    if (s->failed) return ERR_IO;
    if (s->space == STORE_SPACE_FULL) return ERR_LIMIT;
    if (!journal_is_due(s)) return 0;
    int result = end_journal(s);
    return result ? result : begin_journal(s);
}

int store_append(struct store *s, const struct batch *batch, uint64_t *ret_first)
{
    uint64_t behind;
    int result = make_ready(s);
    if (result != 0) return result;
    if (batch->tenant != s->options.tenant) return ERR_INVALID;
    size_t size = journal_frame_size(batch->bytes.len);
    if (size > s->options.commit_bytes - s->waiting.len ||
        __builtin_add_overflow(s->next, batch->n, &behind))
        return ERR_LIMIT;
    char *to = buf_reserve(&s->waiting, size);
    ASSERT(to); /* its memory was taken when the store was opened */
    if (s->journal.first == s->next) s->began = clock_monotonic(&s->options.clock);
    const struct journal_place place = {
        .offset = s->journal.end + s->waiting.len, .commit = s->journal.end, .first = s->next};
    journal_frame_write(to, &s->head, batch, &place);
    s->waiting.len += size;
    *ret_first = s->next;
    s->next = behind;
    return 0;
}

size_t store_waiting(const struct store *s)
{
    return s->waiting.len;
}

/*
 * Behind a small commit that goes past what was written before, zeros up to some page: then the
 * next ones need no new blocks, and their sync writes bytes only. For large commits it would be
 * twice the work.
 */
static void add_zeros(struct store *s)
{
    size_t ahead = s->options.ahead_bytes;
    uint64_t end = s->journal.end + s->waiting.len;
    if (end <= s->written || s->waiting.len > ahead / 8) return;
    uint64_t to = (end + ahead + PAGE - 1) / PAGE * PAGE;
    if (to > journal_size_max(s)) to = journal_size_max(s);
    if (to <= end) return;
    char *zeros = buf_reserve(&s->waiting, (size_t)(to - end));
    ASSERT(zeros);
    memset(zeros, 0, (size_t)(to - end));
    s->waiting.len += (size_t)(to - end);
}

int store_commit(struct store *s)
{
    const struct store_io *io = s->options.io;
    if (s->failed) return ERR_IO;
    if (s->waiting.len == 0) return 0;
    uint64_t end = s->journal.end + s->waiting.len;
    add_zeros(s);
    if (store_io_write(io, s->file, buf_slice(&s->waiting), s->journal.end) != 0 ||
        io->sync_data(io->ctx, s->file) != 0)
        return fail(s);
    if (s->journal.end + s->waiting.len > s->written) s->written = s->journal.end + s->waiting.len;
    buf_clear(&s->waiting);
    s->journal.end = end;
    s->journal.next = s->next;
    return 0;
}

struct store_durable store_durable(const struct store *s)
{
    if (s->file < 0) return (struct store_durable){.next = s->next, .journal = s->next};
    return (struct store_durable){
        .next = s->journal.next, .journal = s->journal.first, .end = s->journal.end};
}

/* ---- from time to time ------------------------------------------------------------------- */

static enum store_space space_of(uint64_t total, uint64_t available)
{
    uint64_t used = total - (available < total ? available : total);
    if (used >= total / 100 * CRITICAL_PERCENT) return STORE_SPACE_CRITICAL;
    if (used >= total / 100 * WARN_PERCENT) return STORE_SPACE_WARN;
    return STORE_SPACE_OK;
}

/* There must be more space than was given up, or it would go to and fro. */
static int leave_full(struct store *s, uint64_t available)
{
    uint64_t needed = 2 * s->options.ballast_bytes + s->options.commit_bytes;
    if (s->file < 0) needed += journal_size_max(s);
    if (available < needed) return ERR_LIMIT;
    int result = take_ballast(&s->options);
    if (result != 0) return result == ERR_LIMIT ? result : fail(s);
    return s->file < 0 ? begin_journal(s) : 0;
}

int store_tick(struct store *s)
{
    const struct store_io *io = s->options.io;
    uint64_t total, available;
    if (s->failed) return ERR_IO;
    if (io->space(io->ctx, &total, &available) != 0) return fail(s);
    if (s->space == STORE_SPACE_FULL) {
        int result = leave_full(s, available);
        if (result != 0) return result == ERR_LIMIT ? 0 : result;
    } else if (available < s->options.commit_bytes) {
        become_full(s);
        return 0;
    }
    s->space = space_of(total, available);
    if (!journal_is_due(s)) return 0;
    int result = make_ready(s);
    return result == ERR_LIMIT ? 0 : result;
}

enum store_space store_space(const struct store *s)
{
    return s->space;
}

/* ---- removing ----------------------------------------------------------------------------- */

int store_remove_journal(struct store *s, uint64_t first)
{
    const struct store_io *io = s->options.io;
    char name[STORE_NAME_MAX + 1];
    if (s->failed) return ERR_IO;
    if (first == s->newest) return ERR_INVALID;
    journal_name_write(name, first);
    int result = io->unlink(io->ctx, name);
    if (result == ERR_NOT_FOUND || result == ERR_ACCESS) return result;
    if (result != 0 || io->sync_names(io->ctx) != 0) return fail(s);
    return 0;
}
