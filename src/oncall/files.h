/* SPDX-License-Identifier: EUPL-1.2 */
/* taxonomy/pages.tsv, which is built into the program. */
#ifndef VAKA_ONCALL_FILES_H
#define VAKA_ONCALL_FILES_H

#include "base/embedded.h"

enum { ONCALL_FILE_PAGES };
extern const struct embedded oncall_files[]; /* by these, and a NULL name */

#endif
