/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the API tells of settings, rules, products and lists of indicators: written once, when its
 * process begins and may read files, for they change with the process.
 */
#ifndef VAKA_SERVE_CATALOGUE_H
#define VAKA_SERVE_CATALOGUE_H

#include <limits.h>

#include "ruleset/ruleset.h"
#include "web/api.h"

struct catalogue_rule;

struct catalogue {
    struct buf documents[API_DOCUMENT_COUNT];
    struct arena arena;
    struct buf text; /* of files of rules */
    struct catalogue_rule *rules;
    uint32_t n;
    char library[PATH_MAX]; /* of rules */
    char book[PATH_MAX];    /* of what new rules would have found */
};

/* The ruleset is not needed any more. catalogue_done() in any case. diag says what cannot be read.
 */
int catalogue_make(struct catalogue *f, const struct config *config, const struct ruleset *rules,
                   struct diag *diag) MUST_USE;
void catalogue_done(struct catalogue *f);
/* Appends ,"file":…,"own":…,"text":…,"retro":… of a rule. */
void catalogue_put_rule(const struct catalogue *f, struct slice id, struct buf *out);
/* Appends {"retro":[…]}: every rule in force that was looked for in the past. */
void catalogue_put_retro(const struct catalogue *f, struct buf *out);

#endif
