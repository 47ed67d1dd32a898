/* SPDX-License-Identifier: EUPL-1.2 */
#include "verify/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int error_of(int number)
{
    switch (number) {
    case ENOENT:
        return ERR_NOT_FOUND;
    case EACCES:
    case EPERM:
        return ERR_ACCESS;
    case ELOOP:
        return ERR_INVALID;
    default:
        return ERR_IO;
    }
}

int verify_file_open(int folder, const char *name, struct verify_file *ret)
{
    struct stat st;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return error_of(errno);
    int error = fstat(fd, &st) != 0 ? error_of(errno) : S_ISREG(st.st_mode) ? 0 : ERR_INVALID;
    /* One that is given back in pieces, as journals are, has no name any more. */
    if (error == 0 && flock(fd, LOCK_SH | LOCK_NB) != 0) error = error_of(ENOENT);
    if (error) {
        (void)close(fd);
        return error;
    }
    *ret = (struct verify_file){.fd = fd, .size = (uint64_t)st.st_size};
    return 0;
}

void verify_file_close(struct verify_file *f)
{
    (void)close(f->fd);
    f->fd = -1;
}

int verify_file_read(const struct verify_file *f, uint64_t offset, size_t len, struct buf *out)
{
    size_t got = 0;
    buf_clear(out);
    if (offset > f->size || len > f->size - offset) return ERR_TRUNCATED;
    char *to = buf_reserve(out, len + 1);
    if (!to) return buf_error(out);
    while (got < len) {
        ssize_t n = pread(f->fd, to + got, len - got, (off_t)(offset + got));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return ERR_IO;
        if (n == 0) return ERR_TRUNCATED;
        got += (size_t)n;
    }
    out->len = len;
    return 0;
}
