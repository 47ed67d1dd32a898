/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Files that have no name any more are given back in pieces. A journal of 256 MiB whose blocks are
 * freed in one go keeps the disk busy for a tenth of a second where freed blocks are discarded, and
 * whoever waits for a sync of anything waits for that.
 *
 * One that still has a name, or that somebody else has locked to read it (flock(2), as a backup
 * does), is only closed.
 */
#ifndef VAKA_SERVE_RELEASE_H
#define VAKA_SERVE_RELEASE_H

#include "base/loop.h"

enum { RELEASE_MAX = 16 };

struct release {
    struct loop *loop; /* borrowed */
    struct loop_timer timer;
    struct {
        int fd;
        uint64_t size;
    } files[RELEASE_MAX];
    size_t n;
};

void release_init(struct release *r, struct loop *loop);
/* The descriptor, open for writing, is the release's from now on. */
void release_take(struct release *r, int fd);
/* What is left goes at once. */
void release_done(struct release *r);

#endif
