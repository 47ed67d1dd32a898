/* SPDX-License-Identifier: EUPL-1.2 */
/* taxonomy/people.tsv, which is built into the program. */
#ifndef VAKA_WEB_PEOPLE_FILE_H
#define VAKA_WEB_PEOPLE_FILE_H

#include <stddef.h>

struct people_file {
    const char *name;
    const unsigned char *bytes;
    size_t len;
};
extern const struct people_file people_files[];

#endif
