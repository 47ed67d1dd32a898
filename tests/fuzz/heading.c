/* SPDX-License-Identifier: EUPL-1.2 */
/* What the heading is at every line of a file is what it is restored to there. */
#include "collect/heading.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "target.h"

static void check_restored(const struct heading *h, int fd, uint64_t offset)
{
    struct heading other;
    heading_init(&other);
    heading_restore(&other, fd, h->at, offset);
    HOLDS(other.format == h->format && other.at == h->at);
    HOLDS(slice_eq(buf_slice(&other.text), buf_slice(&h->text)));
    heading_done(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_make(data, size), line;
    int fd = memfd_create("heading", MFD_CLOEXEC);
    HOLDS(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    struct heading h;
    heading_init(&h);
    for (uint64_t at = 0; rest.len && slice_split(rest, '\n', &line, &rest);) {
        uint64_t end = at + line.len + 1;
        if (line.len && line.ptr[line.len - 1] == '\r') line.len--;
        (void)heading_take(&h, line, at);
        if (!h.open) check_restored(&h, fd, end); /* no record stands inside of a heading */
        at = end;
    }
    heading_done(&h);
    (void)close(fd);
    return 0;
}
