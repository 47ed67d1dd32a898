/* SPDX-License-Identifier: EUPL-1.2 */
#include "backup/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"

enum { PIECE = 1024 * 1024, DEPTH_MAX = 32 };

int copy_failed(struct diag *diag, const char *name)
{
    int number = errno;
    int error = number == EACCES || number == EPERM    ? ERR_ACCESS
                : number == ENOSPC || number == EDQUOT ? ERR_LIMIT
                : number == ENOENT                     ? ERR_NOT_FOUND
                : number == EEXIST                     ? ERR_INVALID
                                                       : ERR_IO;
    return diag_set(diag, error, NULL, 0, 0, "%s: %s", name, strerror(number));
}

/* ---- one file ---------------------------------------------------------------------------- */

static bool write_all(int to, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t written = write(to, bytes, n);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes += written;
        n -= (size_t)written;
    }
    return true;
}

/* How much was copied goes to *ret_done. */
static bool pump(int from, int to, uint64_t size, uint64_t *ret_done)
{
    char *piece = malloc(PIECE);
    uint64_t at = 0;
    bool good = piece != NULL;
    while (good && at < size) {
        size_t want = size - at < PIECE ? (size_t)(size - at) : PIECE;
        ssize_t n = pread(from, piece, want, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) break;
        good = n > 0 && write_all(to, piece, (size_t)n);
        at += good ? (uint64_t)n : 0;
    }
    free(piece);
    *ret_done = at;
    return good;
}

static int create(const struct copy_job *job, const char *name)
{
    int to = openat(job->to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return to < 0 ? copy_failed(job->diag, name) : to;
}

/* `good`: its `bytes` are written. Closes it. */
static int finish(const struct copy_job *job, int to, bool good, uint64_t bytes, const char *name,
                  mode_t mode)
{
    if (good && job->owner.given) good = fchown(to, job->owner.uid, job->owner.gid) == 0;
    good = good && fchmod(to, mode & 07777) == 0 && fsync(to) == 0;
    int error = good ? 0 : copy_failed(job->diag, name);
    (void)close(to);
    job->counts->files++;
    job->counts->bytes += bytes;
    return error;
}

int copy_bytes(const struct copy_job *job, int file, uint64_t size, const char *name, mode_t mode)
{
    uint64_t done = 0;
    int to = create(job, name);
    if (to < 0) return to;
    bool good = pump(file, to, size, &done);
    return finish(job, to, good, done, name, mode);
}

int copy_text(const struct copy_job *job, struct slice text, const char *name, mode_t mode)
{
    int to = create(job, name);
    if (to < 0) return to;
    bool good = write_all(to, text.ptr, text.len);
    return finish(job, to, good, text.len, name, mode);
}

int copy_file(const struct copy_job *job, const char *name)
{
    struct stat st;
    int file = openat(job->from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0 || fstat(file, &st) != 0) {
        int error = copy_failed(job->diag, name);
        if (file >= 0) (void)close(file);
        return error;
    }
    int error = S_ISREG(st.st_mode)
                    ? copy_bytes(job, file, UINT64_MAX, name, st.st_mode)
                    : diag_set(job->diag, ERR_INVALID, NULL, 0, 0, "%s: this is no file", name);
    (void)close(file);
    return error;
}

int copy_sealed(const struct copy_job *job, const char *name)
{
    struct stat st;
    /* Owners are of the file, not of its names. */
    if (job->owner.given || linkat(job->from, name, job->to, name, 0) != 0)
        return copy_file(job, name);
    job->counts->files++;
    if (fstatat(job->to, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        job->counts->bytes += (uint64_t)st.st_size;
    return 0;
}

/* ---- folders ----------------------------------------------------------------------------- */

int copy_open(const char *path, struct diag *diag)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? copy_failed(diag, path) : fd;
}

static int stop_at_any(void *ctx, const char *name)
{
    (void)ctx;
    (void)name;
    return ERR_INVALID;
}

int copy_open_empty(const char *path, struct diag *diag)
{
    int error = folder_make(path, FOLDER_OWN, diag);
    if (error) return error;
    int fd = copy_open(path, diag);
    if (fd < 0) return fd;
    error = copy_each(&(struct copy_job){.from = fd, .diag = diag}, stop_at_any, NULL);
    if (error == 0) return fd;
    if (error == ERR_INVALID) (void)diag_set(diag, error, NULL, 0, 0, "%s: it is not empty", path);
    (void)close(fd);
    return error;
}

static int open_folder(int in, const char *name)
{
    return openat(in, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int copy_folder(const struct copy_job *job, const char *name, struct copy_job *ret)
{
    struct stat st;
    *ret = *job;
    ret->to = -1;
    ret->from = open_folder(job->from, name);
    bool good = ret->from >= 0 && fstat(ret->from, &st) == 0 && mkdirat(job->to, name, 0700) == 0;
    if (good) ret->to = open_folder(job->to, name);
    good = good && ret->to >= 0 && fchmod(ret->to, st.st_mode & 07777) == 0;
    if (good && job->owner.given) good = fchown(ret->to, job->owner.uid, job->owner.gid) == 0;
    if (good) return 0;
    int error = copy_failed(job->diag, name);
    if (ret->from >= 0) (void)close(ret->from);
    if (ret->to >= 0) (void)close(ret->to);
    return error;
}

int copy_folder_done(struct copy_job *job, int error)
{
    if (error == 0 && fsync(job->to) != 0) error = copy_failed(job->diag, "folder");
    (void)close(job->from);
    (void)close(job->to);
    return error;
}

static int is_name(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

int copy_each(const struct copy_job *job, int (*each)(void *ctx, const char *name), void *ctx)
{
    struct dirent **names;
    int error = 0, n = scandirat(job->from, ".", &names, is_name, alphasort);
    if (n < 0) return copy_failed(job->diag, "folder");
    for (int i = 0; i < n; i++) {
        if (error == 0) error = each(ctx, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return error;
}

struct all {
    const struct copy_job *job;
    const char *except;
    unsigned depth;
};

static int copy_any(void *ctx, const char *name)
{
    const struct all *a = ctx;
    struct copy_job inside;
    struct stat st;
    if (a->except && strcmp(name, a->except) == 0) return 0;
    if (fstatat(a->job->from, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return copy_failed(a->job->diag, name);
    if (!S_ISDIR(st.st_mode)) return copy_file(a->job, name);
    if (a->depth == DEPTH_MAX)
        return diag_set(a->job->diag, ERR_LIMIT, NULL, 0, 0, "%s: too deep", name);
    int error = copy_folder(a->job, name, &inside);
    if (error) return error;
    struct all below = {.job = &inside, .depth = a->depth + 1};
    return copy_folder_done(&inside, copy_each(&inside, copy_any, &below));
}

int copy_all(const struct copy_job *job, const char *except)
{
    struct all all = {.job = job, .except = except};
    return copy_each(job, copy_any, &all);
}
