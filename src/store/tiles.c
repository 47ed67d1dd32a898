/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/tiles.h"

/* A segment has at most 2^27 records. */
enum { NEW_MAX = 1 << 25 };

void tiles_new_init(struct tiles_new *t)
{
    t->begin = 0;
    for (unsigned level = 0; level <= TILES_LEVEL_MAX; level++)
        buf_init(&t->levels[level], NEW_MAX);
}

void tiles_new_done(struct tiles_new *t)
{
    for (unsigned level = 0; level <= TILES_LEVEL_MAX; level++) buf_done(&t->levels[level]);
}

void tiles_new_begin(struct tiles_new *t, uint64_t begin)
{
    t->begin = begin;
    for (unsigned level = 0; level <= TILES_LEVEL_MAX; level++) buf_clear(&t->levels[level]);
}

/* A node that closes a gap between two blocks comes after those that lie whole in the second. */
static void on_node(void *ctx, unsigned level, uint64_t index, const struct sha256 *hash)
{
    struct tiles_new *t = ctx;
    struct buf *b = &t->levels[level];
    uint64_t at = (index - (t->begin >> (TREE_TILE_HEIGHT * level))) * SHA256_SIZE;
    if (at >= NEW_MAX) {
        b->failed = true;
        return;
    }
    if (b->len < at + SHA256_SIZE) {
        size_t more = at + SHA256_SIZE - b->len;
        char *to = buf_reserve(b, more);
        if (!to) return;
        memset(to, 0, more);
        b->len += more;
    }
    memcpy(b->ptr + at, hash, SHA256_SIZE);
}

struct tree_sink tiles_sink(struct tiles_new *t)
{
    return (struct tree_sink){on_node, t};
}

static void name_of(char name[STORE_NAME_MAX + 1], unsigned level)
{
    (void)snprintf(name, STORE_NAME_MAX + 1, "tree-%u", level);
}

int tiles_write(const struct store_io *io, const struct tiles_new *t)
{
    for (unsigned level = 1; level <= TILES_LEVEL_MAX; level++) {
        const struct buf *b = &t->levels[level];
        char name[STORE_NAME_MAX + 1];
        if (buf_failed(b)) return buf_error(b);
        if (b->len == 0) continue;
        name_of(name, level);
        int file = io->open(io->ctx, name, STORE_WRITE);
        bool fresh = file == ERR_NOT_FOUND;
        if (fresh) file = io->open(io->ctx, name, STORE_CREATE);
        if (file < 0) return file;
        uint64_t offset = (t->begin >> (TREE_TILE_HEIGHT * level)) * SHA256_SIZE;
        int error = store_io_write(io, file, buf_slice(b), offset);
        if (error == 0) error = io->sync_data(io->ctx, file);
        io->close(io->ctx, file);
        if (error == 0 && fresh) error = io->sync_names(io->ctx);
        if (error) return error;
    }
    return 0;
}

int tiles_read(const struct store_io *io, unsigned level, uint64_t index, size_t n,
               struct sha256 *ret)
{
    char name[STORE_NAME_MAX + 1];
    name_of(name, level);
    int file = io->open(io->ctx, name, STORE_READ);
    if (file < 0) return file;
    int64_t got = store_io_read(io, file, ret, n * sizeof *ret, index * SHA256_SIZE);
    io->close(io->ctx, file);
    if (got < 0) return (int)got;
    return (size_t)got == n * sizeof *ret ? 0 : ERR_TRUNCATED;
}
