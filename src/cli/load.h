/* SPDX-License-Identifier: EUPL-1.2 */
/* Rules, placeholders and taxonomy as the command line names them. */
#ifndef VAKA_CLI_LOAD_H
#define VAKA_CLI_LOAD_H

#include "detect/sigma/set.h"
#include "detect/taxonomy.h"

enum { LOAD_PATHS_MAX = 256, LOAD_FILE_MAX = 16 * 1024 * 1024 };

struct load_options {
    const char *rules[LOAD_PATHS_MAX]; /* files and folders; none: Vaka's own rules */
    size_t n_rules;
    const char *placeholders[LOAD_PATHS_MAX];
    size_t n_placeholders;
    const char *taxonomy[LOAD_PATHS_MAX];
    size_t n_taxonomy;
};

/* The options -r, --placeholders and --taxonomy; 0 or EXIT_USAGE (too many of them). */
int load_add(const char **list, size_t *n, const char *value) MUST_USE;

struct load {
    struct sigma_set *set;
    struct taxonomy *taxonomy;
    struct placeholders *placeholders;
};

/*
 * Loads all of it. What is wrong with a path, a placeholder or taxonomy file is told on stderr and
 * is an error; refused rules are not: they are in the set.
 */
int load_all(struct load *load, const struct load_options *options) MUST_USE;
void load_done(struct load *load);

/* Refused rules (not warnings) of a set. */
uint32_t load_refused(const struct sigma_set *set);

/* A whole file, or standard input for "-"; free() it. Told on stderr when it fails. */
char *load_file(const char *path, size_t max, size_t *ret_len);

#endif
