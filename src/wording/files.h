/* SPDX-License-Identifier: EUPL-1.2 */
/* taxonomy/refusals.tsv, which is built into the program. */
#ifndef VAKA_WORDING_FILES_H
#define VAKA_WORDING_FILES_H

#include <stddef.h>

struct wording_file {
    const char *name;
    const unsigned char *text;
    size_t len;
};
extern const struct wording_file wording_files[]; /* one, and a NULL name */

#endif
