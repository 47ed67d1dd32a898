/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const char *path, struct diag *diag)
{
    int number = errno;
    int error = number == EACCES || number == EPERM || number == EROFS ? ERR_ACCESS
                : number == ENOSPC || number == EDQUOT                 ? ERR_LIMIT
                : number == ENOENT                                     ? ERR_NOT_FOUND
                : number == ENOTDIR || number == EEXIST                ? ERR_INVALID
                                                                       : ERR_IO;
    return diag_set(diag, error, NULL, 0, 0, "%s: %s", path, strerror(number));
}

int folder_sync(const char *path, struct diag *diag)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = fd < 0 || fsync(fd) != 0 ? failed(path, diag) : 0;
    if (fd >= 0) (void)close(fd);
    return error;
}

/* The folder in which `path` is a name. */
static int sync_parent(const char *path, struct diag *diag)
{
    char parent[PATH_MAX];
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/') len--;
    while (len > 0 && path[len - 1] != '/') len--;
    if (len == 0) return folder_sync(".", diag);
    if (len >= sizeof parent) return ERR_LIMIT;
    memcpy(parent, path, len);
    parent[len] = '\0';
    return folder_sync(parent, diag);
}

int folder_make(const char *path, mode_t mode, struct diag *diag)
{
    struct stat st;
    if (mkdir(path, mode) == 0) return sync_parent(path, diag);
    int number = errno;
    if (number == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return 0;
    errno = number;
    return failed(path, diag);
}

static bool write_all(int fd, struct slice bytes)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes = slice_from(bytes, (size_t)n);
    }
    return true;
}

static bool write_fresh(int folder, const char *name, struct slice bytes)
{
    struct stat st;
    (void)unlinkat(folder, name, 0);
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) return false;
    bool good = fchmod(fd, 0640) == 0 && write_all(fd, bytes);
    if (geteuid() == 0)
        good = good && fstat(folder, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) == 0;
    good = good && fsync(fd) == 0;
    return close(fd) == 0 && good;
}

int folder_replace(int folder, const char *name, struct slice bytes)
{
    char fresh[NAME_MAX + 1];
    int n = snprintf(fresh, sizeof fresh, ".%s.new", name);
    if (n < 0 || (size_t)n >= sizeof fresh) {
        errno = ENAMETOOLONG;
        return -1;
    }
    bool good = write_fresh(folder, fresh, bytes) && renameat(folder, fresh, folder, name) == 0 &&
                fsync(folder) == 0;
    return good ? 0 : -1;
}
