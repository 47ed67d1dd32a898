/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/file.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { PIECE = 8 * 1024, ACL_ENTRIES_MAX = 32 };

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

/*
 * A service manager hands over a file of root that one user more may read by its list of access
 * (acl(5)): the bits of its group are then the mask of that list. Whether it lets in nobody but
 * its owner and who this process is.
 */
static bool is_for_us(int fd)
{
    struct {
        struct posix_acl_xattr_header head;
        struct posix_acl_xattr_entry entries[ACL_ENTRIES_MAX];
    } acl;
    ssize_t n = fgetxattr(fd, "system.posix_acl_access", &acl, sizeof acl);
    if (n < (ssize_t)sizeof acl.head || le32toh(acl.head.a_version) != POSIX_ACL_XATTR_VERSION)
        return false;
    size_t entries = ((size_t)n - sizeof acl.head) / sizeof *acl.entries;
    for (size_t i = 0; i < entries; i++) {
        const struct posix_acl_xattr_entry *e = &acl.entries[i];
        unsigned tag = le16toh(e->e_tag);
        bool ours = tag == ACL_USER_OBJ || tag == ACL_MASK ||
                    (tag == ACL_USER && le32toh(e->e_id) == getauxval(AT_EUID));
        if (!ours && e->e_perm != 0) return false;
    }
    return true;
}

int file_check_private(int fd, const char *path, struct diag *diag)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || (st.st_mode & 077) == 0 || is_for_us(fd)) return 0;
    return diag_set(diag, ERR_ACCESS, NULL, 0, 0,
                    "%s: others than its owner may read or write it (chmod 600)", path);
}

/* Leaves the word alone in *out. */
static int keep_word(const char *path, struct buf *out, struct diag *diag)
{
    struct slice word = slice_trim(buf_slice(out));
    bool good = word.len > 0;
    for (size_t i = 0; i < word.len; i++) good = good && word.ptr[i] > ' ' && word.ptr[i] < 0x7f;
    if (!good)
        return diag_set(diag, ERR_SYNTAX, NULL, 0, 0, "%s: one word is expected, the secret", path);
    memmove(out->ptr, word.ptr, word.len);
    out->len = word.len;
    buf_putc(out, '\0');
    if (!buf_failed(out)) out->len--;
    return buf_error(out);
}

int file_read_secret(const char *path, struct buf *out, struct diag *diag)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return diag_set(diag, error_of(errno), NULL, 0, 0, "%s: %s", path, strerror(errno));
    buf_clear(out);
    int error = file_check_private(fd, path, diag);
    if (error == 0) error = file_read_fd(fd, path, out, diag);
    if (error == 0) error = keep_word(path, out, diag);
    (void)close(fd);
    return error;
}
