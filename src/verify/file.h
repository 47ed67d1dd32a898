/* SPDX-License-Identifier: EUPL-1.2 */
/* Files of the folder that is verified: opened to be read, links are not followed. */
#ifndef VAKA_VERIFY_FILE_H
#define VAKA_VERIFY_FILE_H

#include "base/buf.h"

struct verify_file {
    int fd;
    uint64_t size;
};

/* ERR_NOT_FOUND, ERR_ACCESS; ERR_INVALID: not a regular file; ERR_IO. */
int verify_file_open(int folder, const char *name, struct verify_file *ret) MUST_USE;
void verify_file_close(struct verify_file *f);
/* Replaces out with exactly len bytes. ERR_TRUNCATED, ERR_NOMEM, ERR_LIMIT, ERR_IO. */
int verify_file_read(const struct verify_file *f, uint64_t offset, size_t len,
                     struct buf *out) MUST_USE;

#endif
