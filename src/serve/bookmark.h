/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * How far something was read, in a file that is open all the time, so that the process that reads
 * needs no folder to write to.
 *
 *     slot 0, 1   synced, written in turn: a power cut leaves at least the one before the last
 *     slot 2, 3   written in turn at every put: the end of a process leaves the last one
 *     slot        "VKBM", u32 CRC32C of all that follows, u64 number, u32 length, the text
 *
 * Numbers are little-endian. The text in force is that of the highest number whose checksum holds.
 */
#ifndef VAKA_SERVE_BOOKMARK_H
#define VAKA_SERVE_BOOKMARK_H

#include "base/buf.h"

enum { BOOKMARK_MAX = 256 * 1024 }; /* bytes of a text */

struct bookmark {
    int fd;
    uint64_t number; /* of the newest slot; 0: there is none */
    uint8_t last[2]; /* the newest of the synced slots, and of the others */
    struct buf slot; /* as it was written last */
    bool changed;    /* since the last sync */
};

/*
 * Opens the file, made when it is not there. *out (cleared) becomes its text, empty when it has
 * none. ERR_ACCESS, ERR_IO: diag says it; ERR_NOMEM.
 */
int bookmark_open(struct bookmark *b, const char *path, struct buf *out,
                  struct diag *diag) MUST_USE;
void bookmark_close(struct bookmark *b);
/* From now on it is this one, also when the process ends. ERR_LIMIT: above BOOKMARK_MAX; ERR_IO. */
int bookmark_put(struct bookmark *b, struct slice text) MUST_USE;
/* What was put last is durable then; nothing to do when it is already. ERR_IO. */
int bookmark_sync(struct bookmark *b) MUST_USE;

#endif
