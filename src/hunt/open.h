/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * From a descriptor to events, whatever is inside: gzip, zstd, xz, zip and tar are recognised by
 * content and taken apart (libarchive, formats and filters named one by one: none of them runs a
 * program), their members are looked at again, and what is left is given to the decoder that knows
 * its format. Containers may be nested once: a zip of .gz files, a tar.gz of zips.
 *
 * Bounds: everything streams through pieces of OPEN_PIECE bytes. What comes out of a file may be
 * OPEN_RATIO_MAX times what went in, once it is more than OPEN_RATIO_FROM, and OPEN_EXPANDED_MAX at
 * most; past that the file is reported and left. An xz file that asks for a dictionary above
 * OPEN_XZ_DICT_MAX is refused (libarchive itself would grant 1 GiB); a zstd frame with a window
 * above 128 MiB is refused by libzstd. No filter or format is tried but the one whose magic was
 * seen (and what a compressed file may hold: zip, tar, a log), so that every layer is counted.
 */
#ifndef VAKA_HUNT_OPEN_H
#define VAKA_HUNT_OPEN_H

#include "hunt/cut.h"
#include "normalise/decoder.h"

enum {
    OPEN_PIECE = 256 * 1024,
    OPEN_HEAD = 4096,   /* bytes of a source that decide what it is */
    OPEN_DEPTH_MAX = 2, /* containers around a log */
    OPEN_RATIO_MAX = 1000,
    OPEN_MEMBERS_MAX = 1000 * 1000,
    OPEN_NAME_MAX = 8192, /* bytes of a member's name that are kept */
};
#define OPEN_RATIO_FROM   (UINT64_C(64) << 20)
#define OPEN_EXPANDED_MAX (UINT64_C(256) << 30)
#define OPEN_XZ_DICT_MAX  (UINT64_C(64) << 20)

struct open_events {
    void *ctx;
    /* A log (a file, or a member of one) begins; events and bad records until the end are of it. */
    void (*begin)(void *ctx, struct slice name, const struct decoder_ops *format);
    void (*end)(void *ctx);
    /* This source, or the rest of it, could not be read. The reason is for people. */
    void (*unreadable)(void *ctx, struct slice name, struct slice reason);
    /* After every piece. `position`: bytes of the file so far; `bytes`: of logs. Non-zero stops. */
    int (*progress)(void *ctx, uint64_t position, uint64_t bytes);
    /* As in struct decoder_out; a non-zero result of emit stops. */
    int (*emit)(void *ctx, struct event *ev);
    void (*bad)(void *ctx, uint64_t offset, uint64_t record, const char *reason);
};

struct open_input {
    int fd;            /* borrowed */
    bool regular;      /* can be read at any offset */
    uint64_t size;     /* when regular */
    struct slice name; /* for people */
};

/* What open_file() found when it was asked to look for it. */
struct open_split {
    enum cut cut; /* CUT_NONE: the file was read */
    const struct decoder_ops *ops;
};

/*
 * Reads all of it. With split_from > 0 a plain text file of at least that size that can be cut is
 * not read: *ret_split says how. 0, or what stopped it: a callback's refusal or ERR_NOMEM.
 */
int open_file(const struct open_input *in, struct keys *keys, const struct open_events *events,
              uint64_t split_from, struct open_split *ret_split) MUST_USE;

/* Reads one range (see cut.h) of a file that was found to be splittable. */
int open_range(const struct open_input *in, struct keys *keys, const struct open_events *events,
               const struct open_split *split, uint64_t begin, uint64_t end) MUST_USE;

#endif
