/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/bookmark.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/le.h"

enum { HEADER = 20, CHECKED = 8, SLOT = BOOKMARK_MAX + 4096, SLOTS = 4 };
enum kind { SYNCED, UNSYNCED };

static bool read_slot(int fd, unsigned slot, struct buf *in, uint64_t *ret_number,
                      struct slice *ret_text)
{
    buf_clear(in);
    char *to = buf_reserve(in, SLOT);
    ssize_t n = to ? pread(fd, to, SLOT, (off_t)slot * SLOT) : 0;
    if (n < HEADER || memcmp(to, "VKBM", 4) != 0) return false;
    uint32_t len = le32(to + 16);
    if (len > (size_t)n - HEADER) return false;
    struct slice checked = slice_make(to + CHECKED, HEADER - CHECKED + len);
    if (crc32c(0, checked) != le32(to + 4)) return false;
    *ret_number = le64(to + 8);
    *ret_text = slice_make(to + HEADER, len);
    return true;
}

static void find_newest(struct bookmark *b, struct buf *out)
{
    uint64_t newest[2] = {0}, number;
    struct slice text;
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        unsigned kind = slot / 2;
        if (!read_slot(b->fd, slot, &b->slot, &number, &text) || number <= newest[kind]) continue;
        newest[kind] = number;
        b->last[kind] = slot % 2;
        if (number <= b->number) continue;
        b->number = number;
        buf_clear(out);
        buf_put(out, text);
    }
}

int bookmark_open(struct bookmark *b, const char *path, struct buf *out, struct diag *diag)
{
    *b = (struct bookmark){.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (b->fd < 0) {
        int error = errno == EACCES || errno == EPERM ? ERR_ACCESS : ERR_IO;
        return diag_set(diag, error, NULL, 0, 0, "%s: %s", path, strerror(errno));
    }
    buf_init(&b->slot, SLOT);
    buf_clear(out);
    find_newest(b, out);
    int error = buf_failed(&b->slot) ? ERR_NOMEM : buf_error(out);
    buf_clear(&b->slot);
    if (error) bookmark_close(b);
    return error;
}

void bookmark_close(struct bookmark *b)
{
    if (b->fd >= 0) (void)close(b->fd);
    b->fd = -1;
    buf_done(&b->slot);
}

static int write_slot(struct bookmark *b, enum kind kind)
{
    char *at = b->slot.ptr;
    b->last[kind] ^= 1;
    off_t offset = (off_t)(2 * kind + b->last[kind]) * SLOT;
    le64_put(at + 8, ++b->number);
    le32_put(at + 4, crc32c(0, slice_from(buf_slice(&b->slot), CHECKED)));
    return pwrite(b->fd, at, b->slot.len, offset) == (ssize_t)b->slot.len ? 0 : ERR_IO;
}

int bookmark_put(struct bookmark *b, struct slice text)
{
    char header[HEADER] = "VKBM";
    if (text.len > BOOKMARK_MAX) return ERR_LIMIT;
    le32_put(header + 16, (uint32_t)text.len);
    buf_clear(&b->slot);
    buf_put(&b->slot, slice_make(header, sizeof header));
    buf_put(&b->slot, text);
    if (buf_failed(&b->slot)) return buf_error(&b->slot);
    b->changed = true;
    return write_slot(b, UNSYNCED);
}

int bookmark_sync(struct bookmark *b)
{
    if (!b->changed) return 0;
    int error = write_slot(b, SYNCED);
    if (error == 0 && fdatasync(b->fd) != 0) error = ERR_IO;
    if (error == 0) b->changed = false;
    return error;
}
