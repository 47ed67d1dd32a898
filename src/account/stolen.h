/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Passwords that were stolen elsewhere, as a file of their hashes: "SHA-1 in hex", and whatever
 * stands behind a colon, a line, ordered by hash: what "Have I Been Pwned" gives as Pwned Passwords
 * ordered by hash (https://haveibeenpwned.com/Passwords). It may be larger than memory.
 */
#ifndef VAKA_ACCOUNT_STOLEN_H
#define VAKA_ACCOUNT_STOLEN_H

#include "base/error.h"

/* fd: borrowed, of a regular file. Looks at lines all over it. ERR_SYNTAX: one is no hash, or they
 * are not in order; ERR_IO; ERR_INVALID: it is no regular file, or an empty one. diag tells. */
int stolen_check(int fd, const char *path, struct diag *diag) MUST_USE;
/* Whether it is one of them: some 40 small reads. ERR_IO; ERR_SYNTAX: a line is none. */
int stolen_has(int fd, struct slice password, bool *ret) MUST_USE;

#endif
