/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The filter of a query as a Sigma rule that holds for the same events, of every log source. Words
 * become regular expressions, since Sigma knows none.
 */
#ifndef VAKA_QUERY_RULE_H
#define VAKA_QUERY_RULE_H

#include "query/query.h"

struct query_rule_options {
    struct slice title, id, author, date;
    enum sigma_level level;
};

/*
 * Appends YAML. ERR_UNSUPPORTED: the query says what no rule can, and diag has the place in its
 * text: pipes, wildcards in names of fields, points in time, numbers that YAML takes for others.
 * The error of the buffer.
 */
int query_write_rule(struct buf *out, const struct query *q,
                     const struct query_rule_options *options, struct diag *diag) MUST_USE;

#endif
