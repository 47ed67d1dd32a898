/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Files that grow, line by line, across their rotation. Lines of logs that name their columns
 * (collect/heading.h) are records with these names as their context.
 *
 * A file is known by device, inode and the hash of its first line, never by its name, and read once
 * its first line is there. That is also the delivery of its records; their ordinal is the offset
 * behind the line. What is done with of a file is the offset of the last line that the store has
 * acked, with a hash of the bytes before it. So:
 *
 * - renamed: it is still read, to its end, until it did not grow for FOLLOW_GONE_TIME;
 * - truncated (copytruncate), or replaced by other bytes at the same place: it begins anew, as
 * another delivery;
 * - an inode that was used again while nobody looked has other bytes, and begins anew;
 * - packed copies (.gz .xz .zst .bz2 .zip) and everything but regular files are left alone, and no
 *   link is followed: who may write to a folder of logs shall not have other files read.
 *
 * A copy under a name that the pattern fits is read as a file of its own: rather twice than not. A
 * file that is renamed while nobody looks is read on when the pattern fits its new name, too.
 */
#ifndef VAKA_COLLECT_FOLLOW_H
#define VAKA_COLLECT_FOLLOW_H

#include "collect/core.h"

enum { FOLLOW_FILES_MAX = 1024, FOLLOW_STATE_MAX = 256 * 1024 };
#define FOLLOW_GONE_TIME (60 * NSEC_PER_SEC)

struct follow_row {
    struct slice name;    /* the caller's until collect_free() */
    struct slice pattern; /* of absolute paths, glob(7); the same */
    uint32_t tenant;
    uint32_t record_max; /* bytes of a line; 0: 64 KiB */
    /* What was told last with collect_out.state, empty: nothing. Borrowed for the call. */
    struct slice state;
    bool skip_existing; /* without a state: only what is written from now on */
};

struct follow;

int follow_new(struct core *core, const struct follow_row *row, struct follow **ret) MUST_USE;
void follow_stop(struct follow *f);
void follow_free(struct follow *f);
/* Looks for files and for what was written; to be called about once a second. */
void follow_tick(struct follow *f);

#endif
