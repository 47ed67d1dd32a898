/* SPDX-License-Identifier: EUPL-1.2 */
/* taxonomy/clocks.tsv, plain.tsv and titles.tsv, which are built into the program. */
#ifndef VAKA_DESK_FILES_H
#define VAKA_DESK_FILES_H

#include "base/embedded.h"

enum { DESK_FILE_CLOCKS, DESK_FILE_PLAIN, DESK_FILE_TITLES };
extern const struct embedded desk_files[]; /* by these, and a NULL name */

#endif
