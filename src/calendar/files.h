/* SPDX-License-Identifier: EUPL-1.2 */
/* taxonomy/holidays.tsv, which is built into the program. */
#ifndef VAKA_CALENDAR_FILES_H
#define VAKA_CALENDAR_FILES_H

#include <stddef.h>

struct calendar_file {
    const char *name;
    const unsigned char *text;
    size_t len;
};
extern const struct calendar_file calendar_files[]; /* one, and a NULL name */

#endif
