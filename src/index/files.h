/* SPDX-License-Identifier: EUPL-1.2 */
/* taxonomy/columns.tsv, which is built into the program. */
#ifndef VAKA_INDEX_FILES_H
#define VAKA_INDEX_FILES_H

#include <stddef.h>

struct index_text {
    const char *name;
    const unsigned char *text;
    size_t len;
};
extern const struct index_text index_texts[]; /* one, and a NULL name */

#endif
