/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/tile_files.h"

#include "store/tiles.h"

struct writer {
    struct tree_source source;
    uint64_t size;
    int (*put)(void *ctx, const char *path, struct slice bytes);
    void *ctx;
    struct tile_files_counts counts;
};

/* Groups of three digits, the highest first. */
static void write_path(char path[TILE_FILE_NAME_MAX], unsigned level, uint64_t number, size_t width)
{
    uint64_t above = 1;
    int at = snprintf(path, TILE_FILE_NAME_MAX, "tile/%u/", level);
    while (number / above >= 1000) above *= 1000;
    for (; above > 0; above /= 1000)
        at += snprintf(path + at, (size_t)(TILE_FILE_NAME_MAX - at), above > 1 ? "x%03u/" : "%03u",
                       (unsigned)(number / above % 1000));
    if (width < TREE_TILE_WIDTH)
        (void)snprintf(path + at, (size_t)(TILE_FILE_NAME_MAX - at), ".p/%zu", width);
}

static int put_tile(struct writer *w, unsigned level, uint64_t number, size_t width)
{
    char path[TILE_FILE_NAME_MAX];
    struct sha256 hashes[TREE_TILE_WIDTH];
    int error = 0;
    for (size_t i = 0; i < width && error == 0; i++)
        error = w->source.node(w->source.ctx, TREE_TILE_HEIGHT * level,
                               number * TREE_TILE_WIDTH + i, &hashes[i]);
    if (error == ERR_NOT_FOUND && level == 0) {
        w->counts.left_out++;
        return 0;
    }
    if (error) return error;
    w->counts.tiles++;
    write_path(path, level, number, width);
    return w->put(w->ctx, path, slice_make(hashes, width * sizeof *hashes));
}

static int put_level(struct writer *w, unsigned level)
{
    uint64_t nodes = w->size >> (TREE_TILE_HEIGHT * level);
    int error = 0;
    for (uint64_t at = 0; at < nodes && error == 0; at += TREE_TILE_WIDTH) {
        uint64_t left = nodes - at;
        error = put_tile(w, level, at / TREE_TILE_WIDTH,
                         left < TREE_TILE_WIDTH ? (size_t)left : TREE_TILE_WIDTH);
    }
    return error;
}

int tile_files_write(struct tree_reader *tree, struct slice checkpoint,
                     int (*put)(void *ctx, const char *path, struct slice bytes), void *ctx,
                     struct tile_files_counts *ret)
{
    struct checkpoint c;
    struct sha256 root;
    if (checkpoint_parse(checkpoint, &c) != 0 || c.size > tree_reader_size(tree))
        return ERR_INVALID;
    struct writer w = {.source = tree_reader_source(tree), .size = c.size, .put = put, .ctx = ctx};
    int error = tree_root(&w.source, c.size, &root);
    if (error == 0 && !sha256_eq(&root, &c.root)) error = ERR_INVALID;
    for (unsigned level = 0; level <= TILES_LEVEL_MAX && error == 0; level++)
        error = put_level(&w, level);
    if (error == 0) error = put(ctx, "checkpoint", checkpoint);
    *ret = w.counts;
    return error;
}
