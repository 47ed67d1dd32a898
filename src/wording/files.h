/* SPDX-License-Identifier: EUPL-1.2 */
/* taxonomy/descriptions.tsv, refusals.tsv and settings.tsv, which are built into the program. */
#ifndef VAKA_WORDING_FILES_H
#define VAKA_WORDING_FILES_H

#include <stddef.h>

struct wording_file {
    const char *name;
    const unsigned char *text;
    size_t len;
};
enum { WORDING_FILE_DESCRIPTIONS, WORDING_FILE_REFUSALS, WORDING_FILE_SETTINGS };
extern const struct wording_file wording_files[]; /* by these, and a NULL name */

#endif
