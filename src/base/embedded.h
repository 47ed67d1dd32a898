/* SPDX-License-Identifier: EUPL-1.2 */
/* Files that are built into the program, as script/embed.py writes them. */
#ifndef VAKA_BASE_EMBEDDED_H
#define VAKA_BASE_EMBEDDED_H

#include "base/slice.h"

/* A row of an array in the order of the names; behind the last stands a NULL name. */
struct embedded {
    const char *name; /* folder and file: "taxonomy/duty.tsv" */
    struct slice text;
};

#endif
