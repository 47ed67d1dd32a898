/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Files, copied so that they are durable. Links are not followed, nothing that is there is written
 * over, names are relative to open folders. Errors are told by diag with the name: ERR_ACCESS,
 * ERR_LIMIT (the disk is full), ERR_NOT_FOUND, ERR_INVALID (it is there already), ERR_IO.
 */
#ifndef VAKA_BACKUP_COPY_H
#define VAKA_BACKUP_COPY_H

#include <sys/types.h>

#include "base/error.h"

/* Whose the copies are to be; only root can give them to another. */
struct copy_owner {
    bool given;
    uid_t uid;
    gid_t gid;
};

struct copy_counts {
    uint64_t files, bytes;
};

/* One folder into another. */
struct copy_job {
    int from, to; /* borrowed descriptors of folders */
    struct copy_owner owner;
    struct copy_counts *counts;
    struct diag *diag;
};

/* What errno says about `name`. */
int copy_failed(struct diag *diag, const char *name);

/* The first `size` bytes of `file`, or what it has of them, as `name` with that mode. */
int copy_bytes(const struct copy_job *job, int file, uint64_t size, const char *name,
               mode_t mode) MUST_USE;
/* The same from memory. */
int copy_text(const struct copy_job *job, struct slice text, const char *name,
              mode_t mode) MUST_USE;
/* A regular file with its mode. */
int copy_file(const struct copy_job *job, const char *name) MUST_USE;
/* The same for a file that is never written to again: a second name, where the disk is the same. */
int copy_sealed(const struct copy_job *job, const char *name) MUST_USE;

/* A descriptor of a folder; of one that is empty, made when it is not there: else ERR_INVALID. */
int copy_open(const char *path, struct diag *diag) MUST_USE;
int copy_open_empty(const char *path, struct diag *diag) MUST_USE;

/* Makes the folder `name` in `to` as it is in `from`, and opens both for *ret, which closes them
 * with copy_folder_done(). */
int copy_folder(const struct copy_job *job, const char *name, struct copy_job *ret) MUST_USE;
/* Syncs the names when `error` is 0; the error, or what became of that. */
int copy_folder_done(struct copy_job *job, int error) MUST_USE;

/* Calls `each` with every name of the folder in order, until it returns an error. */
int copy_each(const struct copy_job *job, int (*each)(void *ctx, const char *name),
              void *ctx) MUST_USE;

/* Everything in the folder, but for the name `except` (may be NULL) in its top; ERR_LIMIT: folders
 * are too deep in one another. */
int copy_all(const struct copy_job *job, const char *except) MUST_USE;

#endif
