/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The tree as the files of C2SP tlog-tiles, for tools that know nothing of Vaka:
 *
 *     checkpoint        the signed checkpoint (checkpoint.h)
 *     tile/L/N          256 hashes of 32 bytes: the nodes of height 8 L with the indexes N * 256
 * and on. N is written in groups of three digits, all but the last with an x in front: 1234067 is
 * x001/x234/067 tile/L/N.p/W      the last tile of a level, when it has only W hashes
 *
 * A tile of level 0 of which a record was removed is left out; the levels above are whole, so that
 * all that is there can be proved. There are no entry bundles: their entries are at most 64 KiB.
 */
#ifndef VAKA_STORE_TILE_FILES_H
#define VAKA_STORE_TILE_FILES_H

#include "store/checkpoint.h"
#include "store/tree_read.h"

enum { TILE_FILE_NAME_MAX = 64 }; /* bytes of a path, its NUL as well */

struct tile_files_counts {
    uint64_t tiles, left_out; /* left out: records of theirs were removed */
};

/*
 * Tells each file with its path, the checkpoint last; an error of put() ends it. `checkpoint` is
 * the text of one of this tree. ERR_INVALID: it is none, is of a larger tree, or of another one;
 * ERR_NOMEM; errors of tree_reader_source().
 */
int tile_files_write(struct tree_reader *tree, struct slice checkpoint,
                     int (*put)(void *ctx, const char *path, struct slice bytes), void *ctx,
                     struct tile_files_counts *ret) MUST_USE;

#endif
