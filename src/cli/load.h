/* SPDX-License-Identifier: EUPL-1.2 */
/* Files and rules that a command was told to use; what is wrong with them goes to stderr. */
#ifndef VAKA_CLI_LOAD_H
#define VAKA_CLI_LOAD_H

#include "ruleset/ruleset.h"

int load_rules(struct ruleset *r, const struct config *config) MUST_USE;
/* With what was imported and is in force: ruleset_load_watch(). */
int load_watch(struct ruleset *r, const struct config *config) MUST_USE;

/* Prints which product files were refused; how many. */
uint32_t load_tell_products(const struct products *products);

/* A whole file, or standard input for "-"; NUL-terminated, free() it. NULL when it fails. */
char *load_file(const char *path, size_t max, size_t *ret_len);

#endif
