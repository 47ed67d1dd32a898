/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Files that have no name any more are given back in pieces. A journal of 256 MiB whose blocks are
 * freed in one go keeps the disk busy for a tenth of a second where freed blocks are discarded, and
 * whoever waits for a sync of anything waits for that.
 *
 * One that somebody else has locked to read it (flock(2), as engines and backups do) waits until he
 * is ready, for RELEASE_PATIENCE; one that is still locked then, or still has a name, is only
 * closed.
 */
#ifndef VAKA_SERVE_RELEASE_H
#define VAKA_SERVE_RELEASE_H

#include <stdbool.h>

#include "base/loop.h"

enum {
    RELEASE_MAX = 16,
    RELEASE_PATIENCE = 60, /* s */
};

struct release {
    struct loop *loop; /* borrowed */
    struct loop_timer timer;
    struct release_file {
        int fd;
        uint64_t size;
        bool locked;    /* nobody reads it any more */
        uint32_t tries; /* to lock it */
    } files[RELEASE_MAX];
    size_t n;
};

void release_init(struct release *r, struct loop *loop);
/* The descriptor, open for writing, is the release's from now on. */
void release_take(struct release *r, int fd);
/* What is left goes at once. */
void release_done(struct release *r);

#endif
