/* SPDX-License-Identifier: EUPL-1.2 */
/* Rules, placeholders and taxonomy as the settings name them. */
#ifndef VAKA_CLI_LOAD_H
#define VAKA_CLI_LOAD_H

#include "config/config.h"
#include "detect/sigma/set.h"
#include "detect/taxonomy.h"

enum { LOAD_FILE_MAX = 16 * 1024 * 1024 };

struct load {
    struct sigma_set *set;
    struct taxonomy *taxonomy;
    struct placeholders *placeholders;
};

/*
 * Loads all of it. What is wrong with a path, a placeholder or taxonomy file is told on stderr and
 * is an error; refused rules are not: they are in the set.
 */
int load_all(struct load *load, const struct config *config) MUST_USE;
void load_done(struct load *load);

/* Refused rules (not warnings) of a set. */
uint32_t load_refused(const struct sigma_set *set);

/* A whole file, or standard input for "-"; free() it. Told on stderr when it fails. */
char *load_file(const char *path, size_t max, size_t *ret_len);

#endif
