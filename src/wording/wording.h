/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What is wrong with what somebody wrote, what Vaka's own rules look for, and what settings, rights
 * and lists of indicators are, in Swedish.
 *
 * Parsers say it in English, and their texts go through several processes and into logs. Whoever
 * shows one to a person has it said in Swedish here. taxonomy/refusals.tsv has each text as the
 * source has it, with its conversions (%s, %u), and the Swedish, where %1 stands for the first of
 * them. script/check-wording holds the table and the source together.
 */
#ifndef VAKA_WORDING_WORDING_H
#define VAKA_WORDING_WORDING_H

#include "base/buf.h"

enum { WORDING_TEXT_MAX = 1024 }; /* longer texts are not looked up */

/* Appends it; false when the table has no such text, and nothing is appended. What stands in `…` or
 * is not known is as it was. */
bool wording_swedish(struct buf *out, struct slice english);
/* The same as a member of an object of JSON; none when it is not known. */
void wording_write_member(struct buf *out, const char *key, struct slice english);

/* What a rule looks for, by its English description (taxonomy/descriptions.tsv), however that is
 * broken into lines. Empty: it is not known. */
struct slice wording_description(struct slice english);
/* What a setting is, by its key (taxonomy/settings.tsv). Empty: there is none. */
struct slice wording_setting(struct slice key);

#endif
