/* SPDX-License-Identifier: EUPL-1.2 */
/* taxonomy/holidays.tsv, which is built into the program. */
#ifndef VAKA_CALENDAR_FILES_H
#define VAKA_CALENDAR_FILES_H

#include "base/embedded.h"

extern const struct embedded calendar_files[]; /* one, and a NULL name */

#endif
