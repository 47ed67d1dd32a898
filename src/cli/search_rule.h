/* SPDX-License-Identifier: EUPL-1.2 */
/* A query's filter as a file of a rule. */
#ifndef VAKA_CLI_SEARCH_RULE_H
#define VAKA_CLI_SEARCH_RULE_H

#include "query/rule.h"

struct search_rule_options {
    const char *title;      /* NULL: the filter */
    enum sigma_level level; /* LEVEL_NONE: medium */
    const char *file;       /* a new one; NULL: standard output */
    nsec now;
};

/*
 * Errors of query_write_rule(); ERR_IO after it was told which file cannot be written. A rule that
 * would be refused is not written: diag says why.
 */
int search_rule_write(const struct query *q, const struct search_rule_options *options,
                      struct diag *diag) MUST_USE;

#endif
