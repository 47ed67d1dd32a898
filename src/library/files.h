/* SPDX-License-Identifier: EUPL-1.2 */
/* Data files that are built into the program: profiles, attack.tsv, canary.yml, indicators.yml,
 * placeholders.yml of taxonomy/. */
#ifndef VAKA_LIBRARY_FILES_H
#define VAKA_LIBRARY_FILES_H

#include "base/embedded.h"
#include "base/slice.h"

extern const struct embedded library_files[]; /* ends with a NULL name */

/* The text of the one with that name. */
bool library_file_find(struct slice name, struct slice *ret);

#endif
