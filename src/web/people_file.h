/* SPDX-License-Identifier: EUPL-1.2 */
/* taxonomy/people.tsv, which is built into the program. */
#ifndef VAKA_WEB_PEOPLE_FILE_H
#define VAKA_WEB_PEOPLE_FILE_H

#include "base/embedded.h"

extern const struct embedded people_files[];

#endif
