/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- names ------------------------------------------------------------------------------- */

static bool name_byte_valid(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

bool store_name_valid(const char *name)
{
    size_t n = 0;
    for (; name[n]; n++)
        if (n == STORE_NAME_MAX || !name_byte_valid(name[n])) return false;
    return n > 0 && name[0] != '.';
}

/* ---- whole reads and writes -------------------------------------------------------------- */

int64_t store_io_read(const struct store_io *io, int file, void *to, size_t len, uint64_t offset)
{
    size_t done = 0;
    while (done < len) {
        int64_t n = io->read(io->ctx, file, (char *)to + done, len - done, offset + done);
        if (n < 0) return n;
        if (n == 0) break;
        done += (size_t)n;
    }
    return (int64_t)done;
}

int store_io_write(const struct store_io *io, int file, struct slice bytes, uint64_t offset)
{
    while (bytes.len > 0) {
        int64_t n = io->write(io->ctx, file, bytes, offset);
        if (n < 0) return (int)n;
        if (n == 0) return ERR_IO; /* it would be asked for ever */
        bytes = slice_from(bytes, (size_t)n);
        offset += (uint64_t)n;
    }
    return 0;
}

/* ---- the system's ------------------------------------------------------------------------ */

static int error_of_errno(void)
{
    switch (errno) {
    case ENOENT:
        return ERR_NOT_FOUND;
    case ENOSPC:
    case EDQUOT:
        return ERR_LIMIT;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERR_ACCESS;
    case EEXIST:
        return ERR_INVALID;
    case EOPNOTSUPP:
    case ENOSYS:
        return ERR_UNSUPPORTED;
    case ENOMEM:
        return ERR_NOMEM;
    default:
        return ERR_IO;
    }
}

/* The descriptor lies in the pointer itself, so that a table needs no memory of its own. */
static int dirfd_of(void *ctx)
{
    return (int)(intptr_t)ctx;
}

static int system_open(void *ctx, const char *name, enum store_open_mode mode)
{
    static const int flags[] = {[STORE_READ] = O_RDONLY,
                                [STORE_WRITE] = O_RDWR,
                                [STORE_CREATE] = O_RDWR | O_CREAT | O_EXCL};
    if (!store_name_valid(name)) return ERR_INVALID;
    int fd = openat(dirfd_of(ctx), name, flags[mode] | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0640);
    return fd < 0 ? error_of_errno() : fd;
}

static void system_close(void *ctx, int file)
{
    (void)ctx;
    (void)close(file);
}

static int64_t system_read(void *ctx, int file, void *to, size_t len, uint64_t offset)
{
    (void)ctx;
    ssize_t n;
    if (offset > INT64_MAX) return ERR_INVALID;
    do n = pread(file, to, len, (off_t)offset);
    while (n < 0 && errno == EINTR);
    return n < 0 ? error_of_errno() : n;
}

static int64_t system_write(void *ctx, int file, struct slice bytes, uint64_t offset)
{
    (void)ctx;
    ssize_t n;
    if (offset > INT64_MAX) return ERR_INVALID;
    do n = pwrite(file, bytes.ptr, bytes.len, (off_t)offset);
    while (n < 0 && errno == EINTR);
    return n < 0 ? error_of_errno() : n;
}

static int64_t system_size(void *ctx, int file)
{
    (void)ctx;
    /* Not fstat(2), which the C library makes a call that takes a path: a process that reads by
     * descriptors alone may not make it. Nothing here uses the file's position. */
    off_t end = lseek(file, 0, SEEK_END);
    return end < 0 ? error_of_errno() : end;
}

static uint64_t system_data(void *ctx, int file, uint64_t offset, uint64_t *ret_end)
{
    int64_t size = system_size(ctx, file);
    *ret_end = offset;
    if (size < 0 || offset >= (uint64_t)size) return offset;
    int64_t begin = lseek(file, (off_t)offset, SEEK_DATA);
    if (begin < 0) begin = errno == ENXIO ? size : (int64_t)offset; /* ENXIO: no more of it */
    int64_t end = begin < size ? lseek(file, begin, SEEK_HOLE) : size;
    *ret_end = (uint64_t)(end > begin ? end : size);
    return (uint64_t)begin;
}

static int system_truncate(void *ctx, int file, uint64_t size)
{
    (void)ctx;
    int result;
    if (size > INT64_MAX) return ERR_INVALID;
    do result = ftruncate(file, (off_t)size);
    while (result != 0 && errno == EINTR);
    return result != 0 ? error_of_errno() : 0;
}

static int system_allocate(void *ctx, int file, uint64_t size)
{
    (void)ctx;
    int result;
    if (size > INT64_MAX) return ERR_INVALID;
    do result = fallocate(file, 0, 0, (off_t)size);
    while (result != 0 && errno == EINTR);
    return result != 0 ? error_of_errno() : 0;
}

static int system_share(void *ctx, int file)
{
    (void)ctx;
    (void)posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
    if (flock(file, LOCK_SH | LOCK_NB) == 0) return 0;
    return errno == EWOULDBLOCK ? ERR_NOT_FOUND : error_of_errno();
}

static void system_write_back(void *ctx, int file, uint64_t offset, uint64_t len)
{
    (void)ctx;
    /* What fails of it is told by the sync. */
    if (offset <= INT64_MAX && len <= INT64_MAX)
        (void)sync_file_range(file, (off64_t)offset, (off64_t)len, SYNC_FILE_RANGE_WRITE);
}

/* A sync that failed is not tried again, not even for EINTR: what it lost stays lost. */
static int system_sync_data(void *ctx, int file)
{
    (void)ctx;
    return fdatasync(file) != 0 ? ERR_IO : 0;
}

static int system_sync_names(void *ctx)
{
    return fsync(dirfd_of(ctx)) != 0 ? ERR_IO : 0;
}

static int system_rename(void *ctx, const char *from, const char *to)
{
    if (!store_name_valid(from) || !store_name_valid(to)) return ERR_INVALID;
    return renameat(dirfd_of(ctx), from, dirfd_of(ctx), to) != 0 ? error_of_errno() : 0;
}

static int system_unlink(void *ctx, const char *name)
{
    if (!store_name_valid(name)) return ERR_INVALID;
    return unlinkat(dirfd_of(ctx), name, 0) != 0 ? error_of_errno() : 0;
}

static int list_names(DIR *dir, int (*each)(void *each_ctx, const char *name), void *each_ctx)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry) return errno ? error_of_errno() : 0;
        if (!store_name_valid(entry->d_name)) continue;
        int result = each(each_ctx, entry->d_name);
        if (result != 0) return result;
    }
}

static int system_list(void *ctx, int (*each)(void *each_ctx, const char *name), void *each_ctx)
{
    /* Opened again: a duplicate would share the position of the one handed in. */
    int fd = openat(dirfd_of(ctx), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return error_of_errno();
    DIR *dir = fdopendir(fd);
    if (!dir) {
        int result = error_of_errno();
        (void)close(fd);
        return result;
    }
    int result = list_names(dir, each, each_ctx);
    (void)closedir(dir);
    return result;
}

static int system_space(void *ctx, uint64_t *ret_total, uint64_t *ret_free)
{
    struct statvfs fs;
    if (fstatvfs(dirfd_of(ctx), &fs) != 0) return error_of_errno();
    *ret_total = (uint64_t)fs.f_blocks * fs.f_frsize;
    *ret_free = (uint64_t)fs.f_bavail * fs.f_frsize;
    return 0;
}

struct store_io store_io_system(int dirfd)
{
    return (struct store_io){
        .open = system_open,
        .close = system_close,
        .read = system_read,
        .write = system_write,
        .size = system_size,
        .data = system_data,
        .truncate = system_truncate,
        .allocate = system_allocate,
        .share = system_share,
        .write_back = system_write_back,
        .sync_data = system_sync_data,
        .sync_names = system_sync_names,
        .rename = system_rename,
        .unlink = system_unlink,
        .list = system_list,
        .space = system_space,
        .ctx = (void *)(intptr_t)dirfd,
    };
}

int store_io_create(const struct store_io *io, const char *name)
{
    int error = io->unlink(io->ctx, name);
    if (error == 0) error = io->sync_names(io->ctx);
    if (error && error != ERR_NOT_FOUND) return error;
    return io->open(io->ctx, name, STORE_CREATE);
}

int store_io_replace(const struct store_io *io, const char *name, struct slice bytes)
{
    char fresh[STORE_NAME_MAX + 1];
    int n = snprintf(fresh, sizeof fresh, "%s.new", name);
    if (n < 0 || (size_t)n >= sizeof fresh) return ERR_INVALID;
    int file = store_io_create(io, fresh);
    if (file < 0) return file;
    int error = store_io_write(io, file, bytes, 0);
    if (error == 0) error = io->sync_data(io->ctx, file);
    io->close(io->ctx, file);
    if (error == 0) error = io->rename(io->ctx, fresh, name);
    return error ? error : io->sync_names(io->ctx);
}
