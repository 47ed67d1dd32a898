/* SPDX-License-Identifier: EUPL-1.2 */
/* taxonomy/duty.tsv, which is built into the program. */
#ifndef VAKA_ROSTER_FILES_H
#define VAKA_ROSTER_FILES_H

#include <stddef.h>

struct roster_file {
    const char *name;
    const unsigned char *text;
    size_t len;
};
extern const struct roster_file roster_files[]; /* one, and a NULL name */

#endif
