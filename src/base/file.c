/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { PIECE = 8 * 1024 };

static int error_of(int number)
{
    return number == ENOENT || number == ENOTDIR ? ERR_NOT_FOUND
           : number == EACCES || number == EPERM ? ERR_ACCESS
                                                 : ERR_IO;
}

static int read_all(int fd, struct buf *out)
{
    for (;;) {
        char piece[PIECE];
        ssize_t n = read(fd, piece, sizeof piece);
        if (n == 0) return buf_error(out);
        if (n < 0 && errno != EINTR) return error_of(errno);
        if (n > 0) buf_put(out, slice_make(piece, (size_t)n));
        if (buf_failed(out)) return buf_error(out);
    }
}

int file_read_fd(int fd, const char *path, struct buf *out, struct diag *diag)
{
    errno = 0;
    int result = read_all(fd, out);
    if (result)
        (void)diag_set(diag, result, NULL, 0, 0, "%s: %s", path,
                       result == ERR_LIMIT ? "too large"
                       : errno             ? strerror(errno)
                                           : error_text(result));
    return result;
}

int file_read(const char *path, struct buf *out, struct diag *diag)
{
    bool input = strcmp(path, "-") == 0;
    int fd = input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return diag_set(diag, error_of(errno), NULL, 0, 0, "%s: %s", path, strerror(errno));
    int result = file_read_fd(fd, path, out, diag);
    if (!input) (void)close(fd);
    return result;
}
