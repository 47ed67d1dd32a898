/* SPDX-License-Identifier: EUPL-1.2 */
/* Rules, placeholders and taxonomy as the settings name them. */
#ifndef VAKA_RULESET_RULESET_H
#define VAKA_RULESET_RULESET_H

#include "config/config.h"
#include "detect/sigma/set.h"
#include "detect/taxonomy.h"

enum { RULESET_FILE_MAX = 16 * 1024 * 1024 };

struct ruleset {
    struct sigma_set *set;
    struct taxonomy *taxonomy;
    struct placeholders *placeholders;
};

/*
 * Loads all of it; without rules in the settings those that come with the program. What is wrong
 * with a path, a placeholder or taxonomy file is an error, and diag says which; refused rules are
 * not: they are in the set. To be given to ruleset_done() after success only.
 */
int ruleset_load(struct ruleset *r, const struct config *config, struct diag *diag) MUST_USE;
void ruleset_done(struct ruleset *r);

/* Refused rules (not warnings) of a set. */
uint32_t ruleset_refused(const struct sigma_set *set);

#endif
