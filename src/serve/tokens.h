/* SPDX-License-Identifier: EUPL-1.2 */
/* The file of listen.tokens. */
#ifndef VAKA_SERVE_TOKENS_H
#define VAKA_SERVE_TOKENS_H

#include "collect/token.h"

enum { TOKENS_FILE_MAX = 4 * 1024 * 1024 };

/*
 * "NAME RIGHT,RIGHT TOKEN" a line. ERR_ACCESS: others than its owner may read the file; diag names
 * the line, never what it says of the token.
 */
int tokens_read_file(const char *path, struct tokens *t, struct diag *diag) MUST_USE;
/* The same of an open file, which is borrowed. */
int tokens_read_fd(int fd, const char *path, struct tokens *t, struct diag *diag) MUST_USE;
/* The same from memory; `name` is for messages. */
int tokens_read(const char *name, struct slice text, struct tokens *t, struct diag *diag) MUST_USE;

#endif
