/* SPDX-License-Identifier: EUPL-1.2 */
/* taxonomy/clocks.tsv, plain.tsv and titles.tsv, which are built into the program. */
#ifndef VAKA_DESK_FILES_H
#define VAKA_DESK_FILES_H

#include <stddef.h>

struct desk_file {
    const char *name;
    const unsigned char *text;
    size_t len;
};
enum { DESK_FILE_CLOCKS, DESK_FILE_PLAIN, DESK_FILE_TITLES };
extern const struct desk_file desk_files[]; /* by these, and a NULL name */

#endif
