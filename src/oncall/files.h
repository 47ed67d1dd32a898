/* SPDX-License-Identifier: EUPL-1.2 */
/* taxonomy/pages.tsv, which is built into the program. */
#ifndef VAKA_ONCALL_FILES_H
#define VAKA_ONCALL_FILES_H

#include <stddef.h>

struct oncall_file {
    const char *name;
    const unsigned char *text;
    size_t len;
};
enum { ONCALL_FILE_PAGES };
extern const struct oncall_file oncall_files[]; /* by these, and a NULL name */

#endif
