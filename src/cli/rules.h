/* SPDX-License-Identifier: EUPL-1.2 */
/* What the `vaka rules` commands share. */
#ifndef VAKA_CLI_RULES_H
#define VAKA_CLI_RULES_H

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/load.h"

enum { RULES_PLACEHOLDERS = OPTION_LONG, RULES_TAXONOMY, RULES_ANY_LOGSOURCE };

struct rules_context {
    struct load_options load;
    bool json, any_logsource;
};

int rules_set(void *ctx, int letter, const char *value);
/* The operands are more rules. 0 or an exit status. */
int rules_load(const struct invocation *in, struct load *ret) MUST_USE;
/* Prints finished lines, made visible, and empties out. */
void rules_print(struct buf *out);

#endif
