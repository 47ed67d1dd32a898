/* SPDX-License-Identifier: EUPL-1.2 */
/* What a rule would have found in the past, as vaka serve's retro-hunt wrote it (retro/book.h). */
#ifndef VAKA_CLI_RULES_RETRO_H
#define VAKA_CLI_RULES_RETRO_H

#include "cli/settings.h"
#include "retro/pass.h"

/*
 * The book of the watch with these settings; empty when there is none that can be read. To be given
 * to retro_book_done().
 */
void rules_retro_load(const struct settings *settings, struct retro_book *ret);
/* What it says of the rule in force with that id or title; false: nothing. */
bool rules_retro_find(const struct settings *settings, struct slice id, struct retro_rule *ret);
/* "3 alerts from 5 matches in the past, the first …"; nothing when it was not looked at. */
void rules_retro_put(struct buf *out, const struct retro_rule *rule);

#endif
