/* SPDX-License-Identifier: EUPL-1.2 */
/* A zip of rules, taken apart by a process of its own that has nothing but its descriptor. */
#ifndef VAKA_LIBRARY_UNPACK_H
#define VAKA_LIBRARY_UNPACK_H

#include "library/pack.h"

/* Adds what the zip holds; the descriptor is borrowed, and so is that of /dev/null. diag says what
 * is wrong with it. */
int unpack_zip(struct pack *p, int fd, int null_fd, struct diag *diag) MUST_USE;

#endif
