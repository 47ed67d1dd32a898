/* SPDX-License-Identifier: EUPL-1.2 */
/* A secret that a person types, or that comes from standard input: never from an argument. */
#ifndef VAKA_CLI_SECRET_H
#define VAKA_CLI_SECRET_H

#include "base/buf.h"

/*
 * Appends a password. `from_stdin`: the first line of it; else it is asked for at the terminal,
 * twice and without being shown. 0, CLI_MISUSE, or EXIT_UNREADABLE after what is wrong was told.
 */
int secret_read(bool from_stdin, struct buf *out) MUST_USE;
/* Overwrites it and gives it back. */
void secret_done(struct buf *secret);

#endif
