/* SPDX-License-Identifier: EUPL-1.2 */
/* taxonomy/duty.tsv, which is built into the program. */
#ifndef VAKA_ROSTER_FILES_H
#define VAKA_ROSTER_FILES_H

#include "base/embedded.h"

extern const struct embedded roster_files[]; /* one, and a NULL name */

#endif
