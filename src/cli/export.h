/* SPDX-License-Identifier: EUPL-1.2 */
/* What the commands that export have in common. What is wrong is said. */
#ifndef VAKA_CLI_EXPORT_H
#define VAKA_CLI_EXPORT_H

#include <sys/types.h>

#include "base/buf.h"
#include "store/io.h"

/*
 * The checkpoint in the file `path`; NULL: the newest that a witness has signed, when it has record
 * `last` in it, else the newest. The table's errors.
 */
int export_read_checkpoint(const struct store_io *io, const char *path, uint64_t last,
                           struct buf *out) MUST_USE;
/* A new file below an open folder. ERR_IO; nothing is left of it then. */
int export_write_file(int folder, const char *path, mode_t mode, bool sync,
                      struct slice bytes) MUST_USE;

#endif
