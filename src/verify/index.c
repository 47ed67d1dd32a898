/* SPDX-License-Identifier: EUPL-1.2 */
#include "verify/index.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/le.h"
#include "verify/file.h"

enum {
    DIGITS = 20,
    FILE_LARGEST = 512 * 1024 * 1024,
    HEAD = 80,
    GROUP = 20, /* and 4 since format 2, in which cells stand behind the pages */
    FORMAT_CELLS = 2,
    FIRST = 4,
    CRC = 4,
    GROUPS_MAX = 16,
    PAGES_MAX = 512 * 1024,
    PAGE = 2048,
    PAGE_HEAD = 6,
};

/* The pages of a group, from the front of what follows the head. */
static bool take_pages(struct slice *rest, uint32_t bytes)
{
    if (bytes > rest->len) return false;
    struct slice pages = slice_until(*rest, bytes);
    *rest = slice_from(*rest, bytes);
    while (pages.len) {
        struct slice page = slice_until(pages, PAGE);
        if (page.len < PAGE_HEAD || le32(page.ptr) != crc32c(0, slice_from(page, CRC)))
            return false;
        pages = slice_from(pages, page.len);
    }
    return true;
}

/* The cells of a group, from the front of what follows its pages. */
static bool take_cells(struct slice *rest, uint32_t bytes)
{
    if (bytes > rest->len || bytes < CRC) return false;
    struct slice cells = slice_until(*rest, bytes - CRC);
    *rest = slice_from(*rest, bytes);
    return le32(cells.ptr + cells.len) == crc32c(0, cells);
}

static bool is_whole(struct slice file)
{
    if (file.len < HEAD || memcmp(file.ptr, "VkIdx1\0", 8) != 0) return false;
    bool cells = le32(file.ptr + 8) >= FORMAT_CELLS;
    uint32_t groups = le32(file.ptr + 72), pages = le32(file.ptr + 76);
    if (groups > GROUPS_MAX || pages > PAGES_MAX) return false;
    size_t group = GROUP + (cells ? 4 : 0);
    size_t head = HEAD + groups * group + (size_t)pages * FIRST;
    if (file.len < head + CRC || le32(file.ptr + head) != crc32c(0, slice_until(file, head)))
        return false;
    struct slice rest = slice_from(file, head + CRC);
    for (uint32_t i = 0; i < groups; i++) {
        const char *g = file.ptr + HEAD + i * group;
        if (!take_pages(&rest, le32(g + 8)) || (cells && !take_cells(&rest, le32(g + GROUP))))
            return false;
    }
    return rest.len == 0;
}

/* 0 also for one that is damaged. */
static int read_index(int folder, const char *name, struct buf *bytes, struct verify_indexes *ret)
{
    struct verify_file file;
    int error = verify_file_open(folder, name, &file);
    if (error == ERR_NOT_FOUND) return 0; /* its segment has gone, or it was made anew */
    if (error == 0) {
        error = file.size > FILE_LARGEST ? ERR_LIMIT
                                         : verify_file_read(&file, 0, (size_t)file.size, bytes);
        verify_file_close(&file);
    }
    if (error == ERR_NOMEM) return error;
    bool whole = error == 0 && is_whole(buf_slice(bytes));
    ret->n++;
    if (!whole && ret->damaged++ == 0) (void)snprintf(ret->first, sizeof ret->first, "%s", name);
    return 0;
}

static bool is_index(const char *name)
{
    static const char kind[] = "index-";
    uint64_t number;
    struct slice s = slice_of(name);
    return s.len == sizeof kind - 1 + DIGITS && slice_starts_with(s, slice_of(kind)) &&
           slice_to_u64(slice_from(s, sizeof kind - 1), &number);
}

int verify_indexes_read(int folder, struct verify_indexes *ret)
{
    struct buf bytes;
    int error = 0, fd = openat(folder, "index", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    *ret = (struct verify_indexes){.n = 0};
    if (fd < 0) return 0;
    DIR *dir = fdopendir(fd);
    if (!dir) {
        (void)close(fd);
        return ERR_IO;
    }
    buf_init(&bytes, FILE_LARGEST + 1);
    for (const struct dirent *entry; error == 0 && (entry = readdir(dir));)
        if (is_index(entry->d_name)) error = read_index(fd, entry->d_name, &bytes, ret);
    buf_done(&bytes);
    (void)closedir(dir);
    return error;
}
