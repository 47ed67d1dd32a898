/* SPDX-License-Identifier: EUPL-1.2 */
/* What rules find, in Swedish (taxonomy/titles.tsv). */
#ifndef VAKA_DESK_TITLE_H
#define VAKA_DESK_TITLE_H

#include "base/buf.h"

/* Begins the titles of rules that lists of indicators make (indicator/rules.c). */
#define DESK_INDICATOR_TITLE "Indicator of the list "

/* Of the title of a rule; empty when there is none. */
struct slice desk_title_sv(struct slice title);
/* Appends the same, and that of a rule that a list of indicators leads to. */
void desk_write_title_sv(struct buf *out, struct slice title);
/* As a member of an object of JSON: "" when there is none. */
void desk_put_title_sv(struct buf *out, const char *key, struct slice title);

#endif
