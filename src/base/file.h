/* SPDX-License-Identifier: EUPL-1.2 */
/* Whole files of people: settings, rules, keys. Not for logs and not for the store. */
#ifndef VAKA_BASE_FILE_H
#define VAKA_BASE_FILE_H

#include "base/buf.h"

/*
 * Appends all of a file, or of standard input for "-". diag (may be NULL) tells what is wrong,
 * without a place. ERR_NOT_FOUND, ERR_ACCESS, ERR_IO; ERR_LIMIT: larger than out may become;
 * ERR_NOMEM.
 */
int file_read(const char *path, struct buf *out, struct diag *diag) MUST_USE;

/* The same of an open file, from where it is; `path` is for messages. fd is borrowed. */
int file_read_fd(int fd, const char *path, struct buf *out, struct diag *diag) MUST_USE;

/* ERR_ACCESS, when others may read or write an open file than its owner and, by its list of access,
 * the user of this process. */
int file_check_private(int fd, const char *path, struct diag *diag) MUST_USE;
/*
 * A secret: the only word of a file that only its owner may read. *out (cleared) gets it with a NUL
 * behind it that is not counted. As above; ERR_SYNTAX: it is not one word of ASCII.
 */
int file_read_secret(const char *path, struct buf *out, struct diag *diag) MUST_USE;

#endif
