/* SPDX-License-Identifier: EUPL-1.2 */
/* What rules find, in Swedish (taxonomy/titles.tsv). */
#ifndef VAKA_DESK_TITLE_H
#define VAKA_DESK_TITLE_H

#include "base/slice.h"

/* Of the title of a rule; empty when there is none. */
struct slice desk_title_sv(struct slice title);

#endif
