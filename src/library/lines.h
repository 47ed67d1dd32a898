/* SPDX-License-Identifier: EUPL-1.2 */
/* Two texts, line by line: which lines went and which came. */
#ifndef VAKA_LIBRARY_LINES_H
#define VAKA_LIBRARY_LINES_H

#include "base/buf.h"
#include "base/error.h"

enum {
    LINES_MAX = 1000,  /* of one text, beside those that both begin and end with */
    LINES_CONTEXT = 2, /* lines that both have, around a change */
};

/*
 * Appends the lines that differ, each behind `indent` and "- " (only in old) or "+ " (only in new),
 * with those around them behind "  ", and "..." where some were left out between two changes. Of
 * ways to say it a shortest (the longest common subsequence). ERR_LIMIT: too many lines differ,
 * nothing was appended; ERR_NOMEM.
 */
int lines_write_difference(struct buf *out, const char *indent, struct slice old,
                           struct slice new) MUST_USE;

#endif
