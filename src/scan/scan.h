/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Stored records read by several processes: sealed segments and journals, while vaka serve goes on.
 * What they find is taken in the order of the records, or the newest first. A block or frame over
 * which one of them ends, or does not go on, is left out and told.
 *
 * Who asks by hand shares the machine (docs/design/0010-turns.md): of each scan one process takes
 * turns with those of all others of this store, and the others read while no processor is missed.
 */
#ifndef VAKA_SCAN_SCAN_H
#define VAKA_SCAN_SCAN_H

#include "base/clock.h"
#include "base/error.h"
#include "scan/reader.h"

enum { SCAN_JOBS_MAX = 64 };

/* What could not be read. */
enum scan_damage_kind {
    SCAN_SEGMENT,   /* the one that begins with seq */
    SCAN_BLOCK,     /* the one that begins with seq */
    SCAN_JOURNAL,   /* the one that begins with seq: its head, or what does not go on */
    SCAN_FRAME,     /* a place in a journal, in front of seq */
    SCAN_ASIDE,     /* a journal that was set aside before, which began with seq */
    SCAN_LEFT,      /* a block or frame that a process ended over; it begins with seq */
    SCAN_UNIT_LEFT, /* the same, but which one is not known: of the segment or journal of seq */
    SCAN_BESIDE_DAMAGED, /* what stands beside the segment of seq: all of it was read without */
};

struct scan_progress {
    uint64_t bytes, bytes_total; /* of raw records, about */
    uint64_t read;               /* blocks and frames */
    uint64_t early, filtered;    /* that were passed over: for their time, and by filters */
    uint64_t unread;             /* records of those that filters passed over */
    uint64_t next;               /* what was found in records before this one was taken */
    nsec cpu;                    /* time of processors that its processes took */
};

struct scan_options {
    const char *store; /* a tenant's folder */
    nsec from, to;     /* received at or after, and before */
    uint64_t known;    /* records before this one are read only if received at or after … */
    nsec known_from;   /* … this */
    uint32_t jobs;
    uint32_t blocks; /* of a segment that a process is given at once; few, for even shares */
    uint32_t sample; /* records of a block that are looked at, and 1 of 16 blocks; 0: all */
    bool newest_first;
    /*
     * What a unit says is taken when its end is there. Else it is taken as it comes when it is its
     * turn, for which a reader may only send what is found in blocks and frames that are finished.
     */
    bool whole_units;
    /*
     * What each process may take of a processor, in thousandths; 0: it waits. Memory that they
     * share with who changes it. NULL: they take turns with those of other scans.
     */
    const uint32_t *share;
    const struct clock *clock;
    nsec silence;       /* a reader that does not go on for so long is ended */
    int null_fd;        /* of /dev/null, for who cannot open it any more; 0: it is opened */
    size_t max_payload; /* of frames from readers */
    size_t held_max;    /* bytes of findings that wait for their turn */
    /* What the processes do: scan_reader_run() is to be called with `begin` there. */
    int (*run)(void *ctx, const struct scan_begin *begin, struct channel *channel);
    void *ctx;
    /*
     * The file that stands beside the segment that begins with that number, as a descriptor that is
     * the scan's from now on, or negative. NULL: there are none.
     */
    int (*beside)(void *ctx, uint64_t begin);
    /* A frame of a reader, of SCAN_OWN or above. Anything but 0 ends it and is passed through. */
    int (*take)(void *ctx, const struct frame *frame);
    void (*damage)(void *ctx, enum scan_damage_kind kind, uint64_t seq);
    /* Now and then; non-zero ends it and is passed through. May be NULL. */
    int (*tick)(void *ctx, const struct scan_progress *progress);
};

/*
 * diag says what is wrong unless take() or tick() ended it. ERR_NOT_FOUND: no store. *ret (may be
 * NULL) is how far it came, also then.
 */
int scan_run(const struct scan_options *options, struct scan_progress *ret,
             struct diag *diag) MUST_USE;

/*
 * The same in turns, for who has something else to do meanwhile. options and diag are borrowed
 * until scan_close(); errors are as above.
 */
struct scan;
int scan_open(const struct scan_options *options, struct scan **ret, struct diag *diag) MUST_USE;
/* What there is to do now; waits at most so many ms until there is something. */
int scan_turn(struct scan *s, int wait) MUST_USE;
bool scan_is_done(const struct scan *s);
void scan_close(struct scan *s, struct scan_progress *ret);

/*
 * For what else such a command does that takes long: waits for a turn of it. A descriptor with
 * which it ends, or negative.
 */
int scan_wait_turn(const char *store);

/* "the block that begins with record 12 is damaged: its records were not read" */
void scan_write_damage(struct buf *out, enum scan_damage_kind kind, uint64_t seq);

#endif
