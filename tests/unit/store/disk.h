/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A disk in memory that remembers every change and when it was asked to be durable, so that all the
 * states in which a power cut may leave it can be built: see src/store/io.h for what is promised.
 */
#ifndef VAKA_TESTS_STORE_DISK_H
#define VAKA_TESTS_STORE_DISK_H

#include "base/buf.h"
#include "store/io.h"

enum { DISK_OPEN_MAX = 16, DISK_SECTOR = 512, DISK_PAGE = 4096 };

struct disk_inode {
    char *bytes;
    size_t size, cap;
};

struct disk_name {
    char text[STORE_NAME_MAX + 1];
    uint32_t inode;
};

/* What is on it at one moment. */
struct disk_state {
    struct disk_inode *inodes;
    uint32_t n_inodes, cap_inodes;
    struct disk_name *names;
    uint32_t n_names, cap_names;
};

enum disk_step_kind {
    STEP_CREATE,
    STEP_RENAME,
    STEP_UNLINK,
    STEP_SYNC_NAMES,
    STEP_WRITE,
    STEP_RESIZE, /* truncated or allocated */
    STEP_SYNC_DATA,
};

struct disk_step {
    enum disk_step_kind kind;
    uint32_t inode;
    uint64_t offset; /* STEP_RESIZE: the size */
    size_t data, len;
    char from[STORE_NAME_MAX + 1], to[STORE_NAME_MAX + 1];
};

struct disk {
    struct disk_state now;
    struct {
        uint32_t inode; /* from 1; 0: closed */
        bool writable;
    } open[DISK_OPEN_MAX];
    uint64_t total; /* bytes; what does not fit is ERR_LIMIT */
    bool lies;      /* a sync does nothing, and says it did */
    bool recording;
    uint32_t bad_inode; /* from 1: reads of its bytes between `bad_from` and `bad_to` fail */
    uint64_t bad_from, bad_to;
    /* since disk_record() */
    struct disk_state before;
    struct disk_step *steps;
    size_t n_steps, cap_steps;
    struct buf data; /* of the writes */
};

/* All functions end the program when memory does not suffice. */
void disk_init(struct disk *d);
void disk_done(struct disk *d);
/* As if it was new, but memory is kept. */
void disk_clear(struct disk *d);
struct store_io disk_io(struct disk *d);
/* Remembers from here on; what is there now is durable. */
void disk_record(struct disk *d);
/* These bytes of a file cannot be read any more; with from == to they can again. */
void disk_spoil(struct disk *d, const char *name, uint64_t from, uint64_t to);
/* Bytes of all files that have a name. */
uint64_t disk_used(const struct disk *d);
/* The bytes of a file, NULL when there is none; valid until the next change. */
char *disk_bytes(struct disk *d, const char *name, size_t *ret_size);

/* ---- power cuts ---- */

/* The moment behind the first `at` steps of a recording. */
struct disk_cut {
    const struct disk *disk;
    struct disk_state durable;
    size_t at;
    size_t *pending; /* steps that are not durable yet, in order */
    size_t n_pending, cap_pending;
};

void disk_cut_init(struct disk_cut *c, const struct disk *disk);
void disk_cut_done(struct disk_cut *c);
/* One step on; false: there is none. */
bool disk_cut_next(struct disk_cut *c);

/* Which of the pending steps had reached the disk. */
enum disk_reached { REACHED_ALL, REACHED_NONE, REACHED_ALL_BUT, REACHED_SOME, REACHED_TORN };

/*
 * Makes `image` the disk after the cut, with nothing open and nothing recorded. REACHED_ALL_BUT:
 * pending step number `arg` is missing. REACHED_SOME, REACHED_TORN: `arg` is the seed; of each
 * pending step by chance, the torn ones also of each sector of a write.
 */
void disk_cut_image(const struct disk_cut *c, enum disk_reached reached, uint64_t arg,
                    struct disk *image);

#endif
