/* SPDX-License-Identifier: EUPL-1.2 */
#include "index/file.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/le.h"
#include "store/token.h"

enum { CRC = 4 };

static const char magic[] = "VkIdx1\0";

void index_writer_init(struct index_writer *w)
{
    w->n = 0;
    buf_init(&w->firsts, SEGMENT_PAGES_MAX * (size_t)4);
    buf_init(&w->pages, INDEX_FILE_MAX);
}

void index_writer_done(struct index_writer *w)
{
    buf_done(&w->firsts);
    buf_done(&w->pages);
}

void index_writer_clear(struct index_writer *w)
{
    w->n = 0;
    buf_clear(&w->firsts);
    buf_clear(&w->pages);
}

int index_writer_add(struct index_writer *w, struct filter_group *group, struct cells_writer *cells,
                     uint64_t raw)
{
    uint64_t most = raw / INDEX_OF_RAW > INDEX_LEAST ? raw / INDEX_OF_RAW : INDEX_LEAST;
    ASSERT(w->n < SEGMENT_GROUPS_MAX);
    int error = filter_group_finish(group, &w->pages, &w->firsts, &w->heads[w->n]);
    if (error) return error;
    size_t before = w->pages.len, pages = w->heads[w->n].bytes;
    error = cells_writer_put(cells, pages < most ? (size_t)most - pages : 0, &w->pages);
    if (error) return error;
    w->cells[w->n++] = (uint32_t)(w->pages.len - before);
    return 0;
}

/* ---- the head ---------------------------------------------------------------------------- */

static void put_head(char *to, const struct index_key *key, uint32_t groups, uint32_t pages)
{
    memcpy(to, magic, 8);
    le32_put(to + 8, INDEX_FORMAT);
    le32_put(to + 12, key->segment->tenant);
    le64_put(to + 16, key->segment->begin);
    memcpy(to + 24, &key->segment->root, 32);
    le64_put(to + 56, key->version);
    le32_put(to + 64, TOKEN_VERSION);
    le32_put(to + 68, key->segment->blocks);
    le32_put(to + 72, groups);
    le32_put(to + 76, pages);
}

static void put_group(char *to, const struct filter_head *head, uint32_t cells)
{
    le64_put(to, head->full);
    le32_put(to + 8, head->bytes);
    le32_put(to + 12, head->values);
    le32_put(to + 16, head->rice);
    le32_put(to + 20, cells);
}

int index_writer_put(const struct index_writer *w, const struct index_key *key, struct buf *out)
{
    char head[INDEX_HEAD], group[INDEX_GROUP], crc[CRC];
    size_t begin = out->len;
    put_head(head, key, w->n, (uint32_t)(w->firsts.len / 4));
    buf_put(out, slice_make(head, sizeof head));
    for (uint32_t i = 0; i < w->n; i++) {
        put_group(group, &w->heads[i], w->cells[i]);
        buf_put(out, slice_make(group, sizeof group));
    }
    buf_put(out, buf_slice(&w->firsts));
    if (buf_failed(out)) return buf_error(out);
    le32_put(crc, crc32c(0, slice_from(buf_slice(out), begin)));
    buf_put(out, slice_make(crc, sizeof crc));
    buf_put(out, buf_slice(&w->pages));
    return buf_error(out);
}

/* ---- reading ----------------------------------------------------------------------------- */

static int read_at(const struct index_file *f, void *to, size_t len, uint64_t offset)
{
    int64_t n = store_io_read(f->io, f->file, to, len, offset);
    if (n < 0) return (int)n;
    return (size_t)n == len ? 0 : ERR_CORRUPT;
}

/* All in front of the pages, whose CRC is right. */
static int read_head(struct index_file *f)
{
    char head[INDEX_HEAD];
    int error = read_at(f, head, sizeof head, 0);
    if (error) return error;
    uint64_t groups = le32(head + 72), pages = le32(head + 76);
    if (memcmp(head, magic, 8) != 0 || groups > SEGMENT_GROUPS_MAX || pages > SEGMENT_PAGES_MAX)
        return ERR_CORRUPT;
    size_t len = INDEX_HEAD + (size_t)groups * INDEX_GROUP + (size_t)pages * 4;
    char *to = buf_reserve(&f->head, len + CRC);
    if (!to) return buf_error(&f->head);
    error = read_at(f, to, len + CRC, 0);
    if (error) return error;
    if (le32(to + len) != crc32c(0, slice_make(to, len))) return ERR_CORRUPT;
    f->n_groups = (uint32_t)groups;
    f->pages_at = len + CRC;
    return 0;
}

/* Groups lie one behind the other and fill the file. */
static int find_groups(struct index_file *f)
{
    const char *head = f->head.ptr, *firsts = head + INDEX_HEAD + f->n_groups * INDEX_GROUP;
    uint64_t at = f->pages_at, pages = le32(head + 76);
    for (uint32_t i = 0; i < f->n_groups; i++) {
        const char *p = head + INDEX_HEAD + (size_t)i * INDEX_GROUP;
        struct index_file_group *g = &f->groups[i];
        *g = (struct index_file_group){.offset = at, .cells = le32(p + 20), .firsts = firsts};
        g->head = (struct filter_head){
            .full = le64(p), .bytes = le32(p + 8), .values = le32(p + 12), .rice = le32(p + 16)};
        uint32_t own = filter_pages(g->head.bytes);
        if (own > pages || g->head.values == 0 || g->head.values > FILTER_VALUES_MAX)
            return ERR_CORRUPT;
        pages -= own;
        firsts += (size_t)own * 4;
        at += g->head.bytes + (uint64_t)g->cells;
    }
    int64_t size = f->io->size(f->io->ctx, f->file);
    if (size < 0) return (int)size;
    return pages == 0 && (uint64_t)size == at ? 0 : ERR_CORRUPT;
}

int index_file_init(struct index_file *f, const struct store_io *io, int file,
                    const struct index_key *key)
{
    char want[INDEX_HEAD];
    uint32_t groups = (key->segment->blocks + FILTER_BLOCKS - 1) / FILTER_BLOCKS;
    *f = (struct index_file){.io = io, .file = file};
    buf_init(&f->head, INDEX_FILE_MAX);
    int error = read_head(f);
    if (error == 0) {
        put_head(want, key, groups, le32(f->head.ptr + 76));
        if (memcmp(want, f->head.ptr, sizeof want) != 0) error = ERR_UNSUPPORTED;
    }
    if (error == 0) error = find_groups(f);
    if (error) index_file_done(f);
    return error;
}

int index_file_beside(struct index_file *f, const struct segment *s, const struct store_io *io,
                      int file, uint64_t version)
{
    const struct index_key key = {segment_footer_of(s), version};
    if (file < 0 || !segment_has_filters(s)) return ERR_UNSUPPORTED;
    return index_file_init(f, io, file, &key);
}

void index_file_done(struct index_file *f)
{
    buf_done(&f->head);
}

/* Into FILTER_PAGE bytes. ERR_CORRUPT. */
static int read_page(const struct index_file *f, const struct index_file_group *g, uint32_t page,
                     char *to, struct slice *ret)
{
    *ret = slice_make(to, filter_page_size(g->head.bytes, page));
    int error = read_at(f, to, ret->len, g->offset + (uint64_t)page * FILTER_PAGE);
    if (error) return error;
    bool good = ret->len >= FILTER_PAGE_HEAD && le32(to) == crc32c(0, slice_from(*ret, 4));
    return good ? 0 : ERR_CORRUPT;
}

int index_file_cells(const struct index_file *f, uint32_t group, struct buf *ret)
{
    ASSERT(group < f->n_groups);
    const struct index_file_group *g = &f->groups[group];
    if (g->cells > CELLS_MAX) return ERR_CORRUPT;
    buf_clear(ret);
    char *to = buf_reserve(ret, g->cells + (size_t)1);
    if (!to) return buf_error(ret);
    int error = read_at(f, to, g->cells, g->offset + g->head.bytes);
    if (error == 0) ret->len = g->cells;
    return error;
}

static int check_cells(const struct index_file *f, uint32_t group)
{
    struct cells_group cells;
    struct buf bytes;
    buf_init(&bytes, CELLS_MAX + 1);
    int error = index_file_cells(f, group, &bytes);
    if (error == 0) error = cells_group_read(buf_slice(&bytes), &cells);
    buf_done(&bytes);
    return error;
}

int index_file_check(const struct index_file *f)
{
    char bytes[FILTER_PAGE];
    struct slice page;
    int error = 0;
    for (uint32_t i = 0; i < f->n_groups && error == 0; i++) {
        const struct index_file_group *g = &f->groups[i];
        for (uint32_t k = 0; k < filter_pages(g->head.bytes) && error == 0; k++)
            error = read_page(f, g, k, bytes, &page);
        if (error == 0) error = check_cells(f, i);
    }
    return error;
}

int index_file_ask(const struct index_file *f, uint32_t group, uint32_t n, uint64_t hash,
                   uint64_t *ret)
{
    char bytes[FILTER_PAGE];
    ASSERT(group < f->n_groups);
    const struct index_file_group *g = &f->groups[group];
    uint32_t value = filter_value(hash, g->head.values);
    int page = filter_page_of(g->firsts, filter_pages(g->head.bytes), value);
    *ret = g->head.full;
    if (page == FILTER_NO_PAGE) return 0;
    struct slice read;
    int error = read_page(f, g, (uint32_t)page, bytes, &read);
    if (error) return error;
    *ret |= filter_test(read, le32(g->firsts + 4 * (size_t)page), g->head.rice, n, value);
    return 0;
}

/* ---- finding them ------------------------------------------------------------------------ */

int index_folder_open(const char *store)
{
    int fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return fd;
    int folder = openat(fd, INDEX_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)close(fd);
    return folder;
}

int index_folder_file(int folder, uint64_t begin)
{
    const struct store_io io = store_io_system(folder);
    char name[STORE_NAME_MAX + 1];
    if (folder < 0) return ERR_NOT_FOUND;
    segment_name(name, "index", begin);
    return io.open(io.ctx, name, STORE_READ);
}
