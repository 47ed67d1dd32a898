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

int sealed_tree(const struct store_io *io, struct tree_range *ret)
{
    struct newest newest = {0};
    tree_range_init(ret, 0);
    int error = io->list(io->ctx, look, &newest);
    if (error || !newest.found) return error;
    /* Its writer may have ended behind the rename, and journals go because of what is told here. */
    error = io->sync_names(io->ctx);
    if (error) return error;
    struct segment_footer *footer = malloc(sizeof *footer);
    if (!footer) return ERR_NOMEM;
    error = segment_footer_load(io, newest.is_footer ? "footer" : "segment", newest.begin, footer);
    if (error == ERR_TRUNCATED) error = ERR_CORRUPT;
    if (error == 0) {
        *ret = footer->before;
        tree_range_append(ret, &footer->range, NULL);
    }
    free(footer);
    return error;
}
