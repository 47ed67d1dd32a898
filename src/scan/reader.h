/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A process that reads units of stored records. It has what it looks for by being forked, and files
 * by their descriptors.
 */
#ifndef VAKA_SCAN_READER_H
#define VAKA_SCAN_READER_H

#include "proc/channel.h"
#include "scan/message.h"
#include "store/segment.h"

enum { SCAN_SKIPPED_MAX = 64 };

/* Written by the reader, read by its parent, which learns from it over what a reader ended. */
struct scan_page {
    uint64_t first; /* sequence number of the block or frame at hand, plus one; 0: none */
    uint64_t steps; /* grows with every one of them, and every scan_step() */
    nsec cpu;       /* time of processors that it took */
    uint32_t waits; /* for its turn */
};

/* What a reader is told when it is forked. */
struct scan_begin {
    struct scan_page *page;
    uint64_t skipped[SCAN_SKIPPED_MAX]; /* blocks and frames that are left out, by that number */
    uint32_t n_skipped;
    nsec from, to;
    uint64_t known;  /* records before this one … */
    nsec known_from; /* … are asked for only when they were received at or after this */
    const uint32_t *share;
    bool extra;    /* it reads only while there are processors that nobody else wants … */
    uint32_t room; /* … and of all such processes no more than these */
    uint32_t sample;
    bool newest_first;
};

/* It goes on. */
static inline void scan_step(const struct scan_begin *begin)
{
    __atomic_store_n(&begin->page->steps, begin->page->steps + 1, __ATOMIC_RELAXED);
}

/* Records of one block or frame. */
struct scan_batch {
    const struct batch *batch;
    uint64_t first;        /* sequence number of its record 0 */
    uint32_t from, to;     /* the records that are asked for, but for their time */
    nsec earliest, latest; /* of all of its records; that all are asked for is seen by them */
};

/* A segment, and the file beside it by its descriptor, to be read through `io`; -1: none. */
struct scan_segment {
    const struct segment *segment;
    const struct store_io *io;
    int beside;
};

/* What it does with them. Anything but 0 ends the process. */
struct scan_work {
    void *ctx;
    int (*batch)(void *ctx, const struct scan_batch *batch);
    /*
     * The records of the batches since the last call are those of a run without gaps; the next ones
     * are all newer, or with newest_first all older.
     */
    int (*flush)(void *ctx);
    int (*unit_begin)(void *ctx);
    int (*unit_end)(void *ctx);
    /*
     * Whether a block may have something: *ret is a bit for each block of the filters' group. NULL:
     * all may, as after any error but ERR_NOMEM, which is told as SCAN_BESIDE_DAMAGED.
     */
    int (*may)(void *ctx, const struct scan_segment *at, uint32_t group, uint64_t *ret);
    /*
     * A block all records of which are asked for, before it is read: 1 when all that there is to be
     * found in it is known without. NULL: it never is. Errors are as those of may().
     */
    int (*known)(void *ctx, const struct scan_segment *at, uint32_t number,
                 const struct segment_block *block);
};

/* Until the parent closes the channel. The exit status of the process. */
int scan_reader_run(const struct scan_begin *begin, struct channel *channel,
                    const struct scan_work *work);

#endif
