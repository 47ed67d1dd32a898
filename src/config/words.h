/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Settings that are a line of words: a kind, and words NAME=VALUE in any order,
 *
 *     entra-sign-in tenant=ID client=ID every=2min
 *
 * What is wrong is told in diag without a place. Words that have no name are not shown: they may be
 * secrets that do not belong there.
 */
#ifndef VAKA_CONFIG_WORDS_H
#define VAKA_CONFIG_WORDS_H

#include "base/clock.h"
#include "base/error.h"

/* The number of the name; ERR_INVALID: there is no `what` of that name, with a hint; ERR_SYNTAX:
 * the word is empty. */
int words_read_kind(struct slice word, const char *const *names, unsigned n, const char *what,
                    unsigned *ret, struct diag *diag) MUST_USE;

/*
 * Gives each of the words to read(), with the number of its name. ERR_SYNTAX, ERR_INVALID: one that
 * is none, or stands there twice; and errors of read(). *ret_said has a bit for each name; n is 32
 * at most.
 */
int words_read(struct slice text, const char *const *names, unsigned n,
               int (*read)(void *ctx, unsigned word, struct slice value, struct diag *diag),
               void *ctx, uint32_t *ret_said, struct diag *diag) MUST_USE;

/* "2min", from `least` to `most`. ERR_INVALID. */
int words_read_duration(struct slice value, const char *name, nsec least, nsec most, nsec *ret,
                        struct diag *diag) MUST_USE;
/* The absolute path of a file, or of a credential (credential.h). ERR_INVALID. */
int words_read_path(struct slice value, const char *name, char *ret, size_t size,
                    struct diag *diag) MUST_USE;

#endif
