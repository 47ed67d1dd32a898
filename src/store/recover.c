/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/recover.h"

#include "base/le.h"

/* One journal at a time. */
struct recovery {
    const struct store_io *io;
    const struct recover_events *events;
    struct recover_result *result;
    uint32_t tenant;
};

struct scan {
    struct store_journal sum;
    uint64_t last_commit; /* where the last commit begins of which a frame is there */
    uint64_t n_frames, n_damaged;
};

/* ---- what is there ----------------------------------------------------------------------- */

/* First sequence numbers, little-endian. */
struct names {
    struct buf journals, damaged;
};

static int note_name(void *ctx, const char *name)
{
    uint64_t first;
    struct names *names = ctx;
    struct buf *to = journal_name_read(name, &first)           ? &names->journals
                     : journal_damaged_name_read(name, &first) ? &names->damaged
                                                               : NULL;
    if (!to) return 0;
    char bytes[sizeof first];
    le64_put(bytes, first);
    buf_put(to, slice_make(bytes, sizeof bytes));
    return buf_error(to);
}

static uint64_t number_at(const struct buf *numbers, size_t i)
{
    return le64(numbers->ptr + i * sizeof(uint64_t));
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = le64(a), y = le64(b);
    return x < y ? -1 : x > y;
}

/* ---- scanning ---------------------------------------------------------------------------- */

static int scan_journal(struct journal_reader *r, struct scan *ret)
{
    struct journal_frame f;
    int result;
    *ret = (struct scan){.sum = {.first = r->head.first,
                                 .next = r->head.first,
                                 .end = JOURNAL_DATA,
                                 .epoch = r->head.epoch}};
    while ((result = journal_reader_next(r, JOURNAL_ALL, &f)) != 0) {
        if (result == 1) {
            ret->n_frames++;
            ret->sum.next = f.first + f.batch.n;
            ret->sum.end = f.end;
            ret->last_commit = f.commit;
        } else if (result == ERR_CORRUPT) {
            ret->n_damaged++;
        } else {
            return result;
        }
    }
    return 0;
}

static void tell_damage(const struct recovery *rc, const struct scan *scan, bool newest,
                        const struct journal_frame *hole, const struct journal_frame *behind)
{
    struct store_damage d = {.kind = STORE_DAMAGE_LOST,
                             .journal = scan->sum.first,
                             .from = hole->offset,
                             .to = hole->end,
                             .first = hole->first,
                             .next = behind ? behind->first : hole->first};
    if (!behind && newest) d.kind = STORE_DAMAGE_TAIL;
    /* A later commit would have begun when this one was durable. */
    if (behind && hole->offset >= scan->last_commit) d.kind = STORE_DAMAGE_TORN;
    rc->events->damage(rc->events->ctx, &d);
}

/* The same way again, now that it is known which commit is the last one. */
static int tell_damages(const struct recovery *rc, struct journal_reader *r,
                        const struct scan *scan, bool newest)
{
    struct journal_frame f, hole = {0};
    bool held = false;
    int result;
    journal_reader_seek(r, JOURNAL_DATA, scan->sum.first);
    while ((result = journal_reader_next(r, JOURNAL_ALL, &f)) != 0) {
        if (result != 1 && result != ERR_CORRUPT) return result;
        if (held) tell_damage(rc, scan, newest, &hole, &f);
        held = result == ERR_CORRUPT;
        if (held) hole = f;
    }
    if (held) tell_damage(rc, scan, newest, &hole, NULL);
    return 0;
}

/* ---- one journal ------------------------------------------------------------------------- */

static int remove_journal(struct recovery *rc, uint64_t first)
{
    char name[STORE_NAME_MAX + 1];
    journal_name_write(name, first);
    return rc->io->unlink(rc->io->ctx, name);
}

/* Whether there is anything but zeros where frames would be. */
static int has_data(const struct store_io *io, int file, uint64_t *ret_size)
{
    char bytes[8 * 1024];
    uint64_t at = JOURNAL_DATA;
    bool found = false;
    int64_t n;
    while ((n = store_io_read(io, file, bytes, sizeof bytes, at)) > 0) {
        for (int64_t i = 0; i < n && !found; i++) found = bytes[i] != 0;
        at += (uint64_t)n;
    }
    *ret_size = at;
    return n < 0 ? (int)n : found;
}

/* No number that it may hold is given again. */
static void skip_numbers(struct recovery *rc, uint64_t first, uint64_t size)
{
    uint64_t next;
    if (__builtin_add_overflow(first, size / BATCH_ROW, &next)) next = UINT64_MAX;
    if (next > rc->result->next) rc->result->next = next;
}

/*
 * Without a head: its making was never finished, then nothing can have been written to it; or it is
 * damaged, then it is kept under another name.
 */
static int take_headless(struct recovery *rc, int file, uint64_t first)
{
    uint64_t size;
    int result = has_data(rc->io, file, &size);
    if (result < 0) return result;
    if (result == 0) return remove_journal(rc, first);
    char from[STORE_NAME_MAX + 1], to[STORE_NAME_MAX + 1];
    journal_name_write(from, first);
    journal_damaged_name_write(to, first);
    result = rc->io->rename(rc->io->ctx, from, to);
    if (result != 0) return result;
    skip_numbers(rc, first, size);
    rc->events->damage(rc->events->ctx, &(struct store_damage){.kind = STORE_DAMAGE_HEAD,
                                                               .journal = first,
                                                               .to = size,
                                                               .first = first,
                                                               .next = first});
    return 0;
}

/*
 * Synced even if there is nothing to cut: what was written and never synced is read from memory,
 * and is about to be called durable.
 */
static int cut(const struct store_io *io, int file, uint64_t end)
{
    int result = io->truncate(io->ctx, file, end);
    return result ? result : io->sync_data(io->ctx, file);
}

static int take_journal(struct recovery *rc, struct journal_reader *r, bool newest)
{
    struct scan scan;
    if (r->head.tenant != rc->tenant) return ERR_INVALID;
    int result = scan_journal(r, &scan);
    if (result == 0 && scan.n_damaged > 0) result = tell_damages(rc, r, &scan, newest);
    if (result != 0) return result;
    /* Nothing is cut off for what may be readable another time. */
    if (newest && r->unreadable) return ERR_IO;
    if (scan.sum.epoch > rc->result->epoch) rc->result->epoch = scan.sum.epoch;
    if (scan.n_frames == 0 && (newest || scan.n_damaged == 0))
        return remove_journal(rc, scan.sum.first);
    if (newest) result = cut(rc->io, r->file, scan.sum.end);
    if (result != 0) return result;
    if (scan.sum.next > rc->result->next) rc->result->next = scan.sum.next;
    rc->result->newest = scan.sum.first;
    rc->events->complete(rc->events->ctx, &scan.sum);
    return 0;
}

static int take(struct recovery *rc, uint64_t first, bool newest)
{
    struct journal_reader r;
    /* Even if it is removed: it was given this number. */
    if (first > rc->result->next) rc->result->next = first;
    int file = journal_open(rc->io, first, newest ? STORE_WRITE : STORE_READ);
    if (file < 0) return file;
    int result = journal_reader_init(&r, rc->io, file, first);
    if (result == ERR_CORRUPT) {
        result = take_headless(rc, file, first);
    } else if (result == 0) {
        result = take_journal(rc, &r, newest);
        journal_reader_done(&r);
    }
    rc->io->close(rc->io->ctx, file);
    return result;
}

/* ---- what was set aside before -------------------------------------------------------------- */

static int take_damaged(struct recovery *rc, uint64_t first)
{
    char name[STORE_NAME_MAX + 1];
    journal_damaged_name_write(name, first);
    int file = rc->io->open(rc->io->ctx, name, STORE_READ);
    if (file < 0) return file;
    int64_t size = rc->io->size(rc->io->ctx, file);
    rc->io->close(rc->io->ctx, file);
    if (size < 0) return (int)size;
    skip_numbers(rc, first, (uint64_t)size);
    return 0;
}

/* ---- all of them ------------------------------------------------------------------------- */

int recover_run(const struct store_io *io, uint32_t tenant, const struct recover_events *events,
                struct recover_result *ret)
{
    struct names names;
    struct recover_result found = {.newest = UINT64_MAX};
    struct recovery rc = {.io = io, .events = events, .result = &found, .tenant = tenant};
    buf_init(&names.journals, RECOVER_JOURNALS_MAX * sizeof(uint64_t));
    buf_init(&names.damaged, RECOVER_JOURNALS_MAX * sizeof(uint64_t));
    int result = io->list(io->ctx, note_name, &names);
    size_t n = names.journals.len / sizeof(uint64_t);
    if (n > 0) qsort(names.journals.ptr, n, sizeof(uint64_t), by_number);
    for (size_t i = 0; i < n && result == 0; i++)
        result = take(&rc, number_at(&names.journals, i), i == n - 1);
    for (size_t i = 0; i < names.damaged.len / sizeof(uint64_t) && result == 0; i++)
        result = take_damaged(&rc, number_at(&names.damaged, i));
    buf_done(&names.journals);
    buf_done(&names.damaged);
    if (result == 0) *ret = found;
    return result;
}
