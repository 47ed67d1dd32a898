/* SPDX-License-Identifier: EUPL-1.2 */
/* Queries under a name: a file each in serve.folder/searches, with the query and a line feed. */
#ifndef VAKA_CLI_SEARCH_SAVED_H
#define VAKA_CLI_SEARCH_SAVED_H

#include "base/buf.h"
#include "base/error.h"

enum { SAVED_NAME_MAX = 64 };

/* Letters, digits and - _ . inside. */
bool saved_is_name(const char *name);

/* Replaces what had the name; durable when it is 0. diag says what is wrong. */
int saved_write(const char *serve_folder, const char *name, struct slice query,
                struct diag *diag) MUST_USE;
/* Appends the query. ERR_NOT_FOUND: there is none, and diag names the nearest. */
int saved_read(const char *serve_folder, const char *name, struct buf *out,
               struct diag *diag) MUST_USE;
/* Appends a line for each, sorted: the name, blanks, the query. */
int saved_list(const char *serve_folder, struct buf *out, struct diag *diag) MUST_USE;

#endif
