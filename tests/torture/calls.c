/* SPDX-License-Identifier: EUPL-1.2 */
/* Calls to the disk that fail with EIO when it is their turn; wrapped by the linker (meson.build).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "torture.h"

#define WRAPPED(type, name, failure, parameters, arguments)                                        \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        if (!torture_call_fails()) return __real_##name arguments;                                 \
        errno = EIO;                                                                               \
        return failure;                                                                            \
    }

/* Calls of the store and of verify; all that touch a file by name or by descriptor. */
WRAPPED(ssize_t, pread64, -1, (int fd, void *to, size_t len, off_t at), (fd, to, len, at))
WRAPPED(ssize_t, pwrite64, -1, (int fd, const void *from, size_t len, off_t at),
        (fd, from, len, at))
WRAPPED(off_t, lseek64, -1, (int fd, off_t at, int whence), (fd, at, whence))
WRAPPED(int, ftruncate64, -1, (int fd, off_t size), (fd, size))
WRAPPED(int, fallocate64, -1, (int fd, int mode, off_t at, off_t len), (fd, mode, at, len))
WRAPPED(int, fstat64, -1, (int fd, struct stat *st), (fd, st))
WRAPPED(int, fdatasync, -1, (int fd), (fd))
WRAPPED(int, fsync, -1, (int fd), (fd))
WRAPPED(int, renameat, -1, (int fd, const char *from, int other, const char *to),
        (fd, from, other, to))
WRAPPED(int, unlinkat, -1, (int fd, const char *name, int flags), (fd, name, flags))
WRAPPED(struct dirent *, readdir64, NULL, (DIR * dir), (dir))

int __real_openat64(int fd, const char *name, int flags, ...);
int __wrap_openat64(int fd, const char *name, int flags, ...);

int __wrap_openat64(int fd, const char *name, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    if (!torture_call_fails()) return __real_openat64(fd, name, flags, mode);
    errno = EIO;
    return -1;
}
