/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/sealed.h"

#include <stdlib.h>

struct newest {
    uint64_t begin;
    bool found, is_footer;
};

static int look(void *ctx, const char *name)
{
    struct newest *n = ctx;
    uint64_t begin;
    bool footer = segment_name_read(name, "footer", &begin);
    if (!footer && !segment_name_read(name, "segment", &begin)) return 0;
    if (n->found && begin < n->begin) return 0;
    /* Both are there when retention was interrupted: the segment is still whole. */
    n->is_footer = footer && !(n->found && begin == n->begin && !n->is_footer);
    n->begin = begin;
    n->found = true;
    return 0;
}

static int read_footer(const struct store_io *io, const struct newest *n,
                       struct segment_footer *ret)
{
    char name[STORE_NAME_MAX + 1], bytes[SEGMENT_FOOTER_MAX];
    size_t len;
    segment_name(name, n->is_footer ? "footer" : "segment", n->begin);
    int file = io->open(io->ctx, name, STORE_READ);
    if (file < 0) return file;
    int64_t size = io->size(io->ctx, file);
    int64_t want = size < (int64_t)sizeof bytes ? size : (int64_t)sizeof bytes;
    int64_t got =
        want <= 0 ? want : store_io_read(io, file, bytes, (size_t)want, (uint64_t)(size - want));
    io->close(io->ctx, file);
    if (got < 0) return (int)got;
    if (got == 0 || got != want) return ERR_CORRUPT;
    int error = segment_footer_read(slice_make(bytes, (size_t)got), ret, &len);
    if (error) return error == ERR_TRUNCATED ? ERR_CORRUPT : error;
    return ret->begin == n->begin ? 0 : ERR_CORRUPT;
}

int sealed_tree(const struct store_io *io, struct tree_range *ret)
{
    struct newest newest = {0};
    tree_range_init(ret, 0);
    int error = io->list(io->ctx, look, &newest);
    if (error || !newest.found) return error;
    struct segment_footer *footer = malloc(sizeof *footer);
    if (!footer) return ERR_NOMEM;
    error = read_footer(io, &newest, footer);
    if (error == 0) {
        *ret = footer->before;
        tree_range_append(ret, &footer->range, NULL);
    }
    free(footer);
    return error;
}
