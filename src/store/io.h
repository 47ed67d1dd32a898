/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * All files of the store are reached through this table, so that a test can make a call fail or
 * give back the disk as a power cut would have left it.
 *
 * A table is bound to one directory, in which all names are; it is small and passed by pointer,
 * borrowed. A file is a number >= 0 that open() gave and close() takes back; with
 * store_io_system() it is a file descriptor, so that it can be passed to another process, and a
 * descriptor from another process can be given to read(), size() and data().
 *
 * What a power cut leaves: bytes, sizes and allocations of a file are durable when sync_data()
 * returned 0 after them; names (created, renamed, removed) when sync_names() did. Before that each
 * write may be there, missing, or there in part (512-byte pieces), each name there or not, in any
 * order. Bytes beside those that were written are not harmed.
 *
 * Errors, where nothing else is said: ERR_NOT_FOUND no such name; ERR_LIMIT the disk (or quota) is
 * full; ERR_ACCESS; ERR_UNSUPPORTED; ERR_INVALID the name is not one of store_name_valid(), or
 * create finds it taken; ERR_IO all else.
 */
#ifndef VAKA_STORE_IO_H
#define VAKA_STORE_IO_H

#include "base/error.h"

enum { STORE_NAME_MAX = 64 }; /* bytes of a name, without NUL */

enum store_open_mode {
    STORE_READ,   /* an existing file */
    STORE_WRITE,  /* an existing file, to read and write */
    STORE_CREATE, /* a new file, to read and write; never one that exists */
};

struct store_io {
    int (*open)(void *ctx, const char *name, enum store_open_mode mode);
    void (*close)(void *ctx, int file);
    /*
     * Bytes read or written, which may be fewer than `len`; read: 0 at the end of the file.
     * len > 0. See store_io_read() and store_io_write().
     */
    int64_t (*read)(void *ctx, int file, void *to, size_t len, uint64_t offset);
    int64_t (*write)(void *ctx, int file, struct slice bytes, uint64_t offset);
    int64_t (*size)(void *ctx, int file);
    /*
     * Where bytes begin, at `offset` or behind it, that may be others than 0, and where they end:
     * what was allocated and never written need not be read. Nothing more: both are the size.
     * Where that is not known, they begin at `offset` and end with the file.
     */
    uint64_t (*data)(void *ctx, int file, uint64_t offset, uint64_t *ret_end);
    /* For a file that is read while it is written: nothing is read ahead of what is asked for.
     * Whoever gives a file back in pieces that has no name any more does not begin with it while it
     * is open. ERR_NOT_FOUND: that has begun. */
    int (*share)(void *ctx, int file);
    int (*truncate)(void *ctx, int file, uint64_t size);
    /* Space for the bytes up to `size`, as zeros; the file has at least that size then. */
    int (*allocate)(void *ctx, int file, uint64_t size);
    /* The bytes that were written there are on their way to the disk, so that sync_data() has less
     * to wait for; it says nothing about when. */
    void (*write_back)(void *ctx, int file, uint64_t offset, uint64_t len);
    int (*sync_data)(void *ctx, int file);                      /* fdatasync(2) */
    int (*sync_names)(void *ctx);                               /* fsync(2) of the directory */
    int (*rename)(void *ctx, const char *from, const char *to); /* replaces `to` */
    int (*unlink)(void *ctx, const char *name);
    /* Every valid name of the directory, in no order, until `each` returns an error, which is the
     * result. Nothing may be created or removed meanwhile. */
    int (*list)(void *ctx, int (*each)(void *each_ctx, const char *name), void *each_ctx);
    /* Bytes of the file system, and how many of them an unprivileged writer still gets. */
    int (*space)(void *ctx, uint64_t *ret_total, uint64_t *ret_free);
    void *ctx;
};

/* 1 to STORE_NAME_MAX of a-z A-Z 0-9 . _ -, not beginning with a dot. */
bool store_name_valid(const char *name);

/*
 * The directory `dirfd`, borrowed for as long as the table is used. Links are not followed,
 * descriptors are closed on exec, new files have mode 0640. With dirfd -1 only close(), read(),
 * size() and data() may be called: for who was handed a descriptor.
 */
struct store_io store_io_system(int dirfd);

/* Reads until `len` bytes are there or the file ends; how many. */
int64_t store_io_read(const struct store_io *io, int file, void *to, size_t len,
                      uint64_t offset) MUST_USE;
/* Writes all of it, or fails after an unknown part of it. */
int store_io_write(const struct store_io *io, int file, struct slice bytes,
                   uint64_t offset) MUST_USE;

/*
 * A new file of that name, as open() gives it. One that was left over is gone for good by then: it
 * cannot be what a power cut leaves under the name that the new one is given later.
 */
int store_io_create(const struct store_io *io, const char *name) MUST_USE;

/*
 * The file `name`, made or replaced as a whole by way of name.new: after a power cut it is the old
 * one or this. Durable when 0 is returned. `name` has at most STORE_NAME_MAX - 4 bytes.
 */
int store_io_replace(const struct store_io *io, const char *name, struct slice bytes) MUST_USE;

#endif
