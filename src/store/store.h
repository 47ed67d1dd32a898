/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The writing side of one tenant's journals: what store_commit() has returned 0 for is on disk,
 * whatever happens to the process or to the power from then on.
 *
 * Batches are appended, which gives their records sequence numbers (from 0, without a gap but where
 * something was lost) and costs no system call, and are committed together with one write and one
 * fdatasync. Nothing may be acknowledged before that.
 *
 * A write or a sync that failed is never tried again, because what the kernel dropped then stays
 * dropped: the store has failed for good, every call returns ERR_IO, and the process ends. The
 * next store_open() finds out what is there.
 *
 * A journal is written until it is full or old; who reads it opens it by its number and may be told
 * of it by the events. It is removed when its owner says so, never by itself: when the disk is
 * full, appends are refused.
 *
 * A directory has one store at a time; that is for the caller to see to.
 */
#ifndef VAKA_STORE_STORE_H
#define VAKA_STORE_STORE_H

#include "store/recover.h"

struct store_events {
    /*
     * store_open(): every journal found, in order, and what is damaged in it before that; later:
     * the one that was written is complete. Its end is where its last frame ends.
     */
    void (*complete)(void *ctx, const struct store_journal *journal);
    void (*damage)(void *ctx, const struct store_damage *damage);
    /* This one is written from now on. journal_open() gives what others read it by. */
    void (*opened)(void *ctx, const struct store_journal *journal);
    void *ctx;
};

struct store_options {
    const struct store_io *io;  /* borrowed until store_free() */
    struct clock clock;         /* monotonic: age of a journal */
    struct store_events events; /* none is NULL */
    uint64_t seed;              /* 64 random bits that nobody else knows */
    uint64_t next_min;          /* a sequence number that was not given yet: what is sealed or was
                                   read lies below it */
    uint32_t tenant;
    nsec journal_age;       /* since its first record; then the next append begins another one */
    uint64_t journal_bytes; /* the same; it may get commit_bytes longer */
    size_t commit_bytes;    /* of frames that may wait for a commit; at least JOURNAL_FRAME_MAX for
                               batches of any size */
    size_t ahead_bytes;     /* zeros written ahead with a small commit, so that the commits behind
                               it change no metadata; 0: none */
    uint64_t ballast_bytes; /* of a file that is given up when the disk is full; 0: none */
};

/* What serve uses; io, clock, events, seed, next_min and tenant are to be set. */
void store_options_default(struct store_options *ret);

enum store_space {
    STORE_SPACE_OK,
    STORE_SPACE_WARN,     /* 80 % of the file system are in use */
    STORE_SPACE_CRITICAL, /* 90 % */
    STORE_SPACE_FULL,     /* appends are refused; the ballast has been given up */
};

struct store;

/*
 * Recovers what is there (recover.h), and begins a journal with a new epoch. The disk may be full:
 * then the store is open, but refuses appends. Holds commit_bytes + ahead_bytes of memory.
 * ERR_INVALID: a journal of another tenant; ERR_LIMIT: more than RECOVER_JOURNALS_MAX journals;
 * ERR_ACCESS, ERR_IO, ERR_NOMEM. Events may have been told.
 */
int store_open(const struct store_options *options, struct store **ret) MUST_USE;
/* What was not committed is dropped. May be NULL. */
void store_free(struct store *s);

/*
 * Copies the batch; its first record gets *ret_first, the others the numbers behind it. May begin a
 * new journal, when nothing waits for a commit.
 * ERR_LIMIT: the disk is full (store_space()), or commit_bytes wait already; nothing was changed.
 * ERR_INVALID: the batch is another tenant's. ERR_IO: the store has failed.
 */
int store_append(struct store *s, const struct batch *batch, uint64_t *ret_first) MUST_USE;
/* Bytes that wait for a commit. */
size_t store_waiting(const struct store *s);
/* 0: all that was appended is durable. ERR_IO: it is not known what of it is; the store has
 * failed. */
int store_commit(struct store *s) MUST_USE;

/* All sequence numbers below `next` are durable; those from `journal` on lie in the journal of
 * that number, below `end`. Without a journal (disk full) end is 0. */
struct store_durable {
    uint64_t next, journal, end;
};
struct store_durable store_durable(const struct store *s);

/*
 * To be called every second or so: looks at the free space, ends a journal that is old, and takes
 * up work again when there is space. ERR_IO: the store has failed.
 */
int store_tick(struct store *s) MUST_USE;
/* As of the last tick, append or open. */
enum store_space store_space(const struct store *s);

/*
 * Removes a complete journal, durably. ERR_INVALID: it is the newest one, which keeps the numbers
 * from being given again even when the disk is full and nothing is written; ERR_NOT_FOUND;
 * ERR_ACCESS; ERR_IO: the store has failed.
 */
int store_remove_journal(struct store *s, uint64_t first) MUST_USE;

#endif
