/* SPDX-License-Identifier: EUPL-1.2 */
/* taxonomy/shared.tsv, which is built into the program. */
#ifndef VAKA_INCIDENT_FILES_H
#define VAKA_INCIDENT_FILES_H

#include <stddef.h>

struct incident_file {
    const char *name;
    const unsigned char *text;
    size_t len;
};
extern const struct incident_file incident_files[]; /* one, and a NULL name */

#endif
