/* SPDX-License-Identifier: EUPL-1.2 */
/* Data files that are built into the program: taxonomy/profiles/ and taxonomy/attack.tsv. */
#ifndef VAKA_LIBRARY_FILES_H
#define VAKA_LIBRARY_FILES_H

#include <stddef.h>

struct library_file {
    const char *name; /* "profiles/default.yml" */
    const unsigned char *text;
    size_t len;
};
extern const struct library_file library_files[]; /* ends with a NULL name */

#endif
