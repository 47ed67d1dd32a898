/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
