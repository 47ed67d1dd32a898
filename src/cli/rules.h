/* SPDX-License-Identifier: EUPL-1.2 */
/* What the `vaka rules` commands share. */
#ifndef VAKA_CLI_RULES_H
#define VAKA_CLI_RULES_H

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/load.h"
#include "cli/settings.h"

struct rules_context {
    struct settings settings;
    bool json, any_logsource;
    bool own; /* rules test: as Vaka's own must be */
};

/* Rows of options of all that read rules. */
#define OPTIONS_RULES_DATA                                                                         \
    OPTION_SETTINGS(struct rules_context), OPTION_PLACEHOLDERS(struct rules_context),              \
        OPTION_TAXONOMY(struct rules_context)

/* Loads what the settings name; paths are rules as -r names them; without both, what is in force. 0
 * or an exit status. */
int rules_load(const struct rules_context *c, char *const *paths, size_t n_paths,
               struct ruleset *ret) MUST_USE;
/* product=… category=… service=…, as far as there is one. */
void rules_put_logsource(struct buf *out, const struct sigma_logsource *ls);
/* By its id or title. */
bool rules_is_called(const struct sigma_doc *doc, struct slice id);
/* Prints finished lines, made visible, and empties out. */
void rules_print(struct buf *out);

#endif
