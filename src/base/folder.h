/* SPDX-License-Identifier: EUPL-1.2 */
/* Folders that the program makes for itself. */
#ifndef VAKA_BASE_FOLDER_H
#define VAKA_BASE_FOLDER_H

#include <sys/types.h>

#include "base/error.h"

enum { FOLDER_OWN = 0700 }; /* the mode of one that is nobody else's */

/*
 * Makes the folder, if it is not there; its parent has to be. Its name is durable then. One that is
 * there keeps its mode. diag says why not: ERR_NOT_FOUND (the parent), ERR_ACCESS, ERR_LIMIT (the
 * disk is full), ERR_INVALID (there is something else), ERR_IO.
 */
int folder_make(const char *path, mode_t mode, struct diag *diag) MUST_USE;
/* What is named in the folder stays so when the power goes. Errors as above. */
int folder_sync(const char *path, struct diag *diag) MUST_USE;

/*
 * A file of that name in the folder (a descriptor) has these bytes from now on, or what it had
 * before: it is replaced as a whole, with mode 0640, and durable when the result is 0. What root
 * writes belongs to who owns the folder, who has to read it. -1: errno tells why not.
 */
int folder_replace(int folder, const char *name, struct slice bytes) MUST_USE;

#endif
