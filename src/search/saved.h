/* SPDX-License-Identifier: EUPL-1.2 */
/* Queries under a name: a file each in serve.folder/searches, with the query and a line feed. */
#ifndef VAKA_SEARCH_SAVED_H
#define VAKA_SEARCH_SAVED_H

#include <limits.h>

#include "base/buf.h"
#include "base/error.h"

enum { SAVED_NAME_MAX = 64, SAVED_MAX = 10000 };
#define SAVED_FOLDER "searches"

/* Letters, digits and - _ . inside. */
bool saved_is_name(const char *name);

/* serve.folder/searches. ERR_LIMIT: it is too long. */
int saved_folder(const char *serve_folder, char ret[static PATH_MAX], struct diag *diag) MUST_USE;
/* Makes it, of the owner of serve.folder, if it is not there. */
int saved_make_folder(const char *serve_folder, struct diag *diag) MUST_USE;

/* Replaces what had the name; durable when it is 0. diag says what is wrong. */
int saved_write(const char *folder, const char *name, struct slice query,
                struct diag *diag) MUST_USE;
/* Appends the query. ERR_NOT_FOUND: there is none, and diag names the nearest. */
int saved_read(const char *folder, const char *name, struct buf *out, struct diag *diag) MUST_USE;
/* Takes it away. ERR_NOT_FOUND: as above. */
int saved_drop(const char *folder, const char *name, struct diag *diag) MUST_USE;
/* Tells each, sorted by name; none when there is no folder. ERR_LIMIT: more than SAVED_MAX. */
int saved_each(const char *folder, void (*take)(void *ctx, const char *name, struct slice query),
               void *ctx, struct diag *diag) MUST_USE;

#endif
