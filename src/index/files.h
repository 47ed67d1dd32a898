/* SPDX-License-Identifier: EUPL-1.2 */
/* taxonomy/columns.tsv, which is built into the program. */
#ifndef VAKA_INDEX_FILES_H
#define VAKA_INDEX_FILES_H

#include "base/embedded.h"

extern const struct embedded index_texts[]; /* one, and a NULL name */

#endif
