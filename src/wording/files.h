/* SPDX-License-Identifier: EUPL-1.2 */
/* taxonomy/descriptions.tsv, refusals.tsv and settings.tsv, which are built into the program. */
#ifndef VAKA_WORDING_FILES_H
#define VAKA_WORDING_FILES_H

#include "base/embedded.h"

enum { WORDING_FILE_DESCRIPTIONS, WORDING_FILE_REFUSALS, WORDING_FILE_SETTINGS };
extern const struct embedded wording_files[]; /* by these, and a NULL name */

#endif
