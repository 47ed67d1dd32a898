/* SPDX-License-Identifier: EUPL-1.2 */
/* taxonomy/shared.tsv and taxonomy/deeds.tsv, which are built into the program. */
#ifndef VAKA_INCIDENT_FILES_H
#define VAKA_INCIDENT_FILES_H

#include <stddef.h>

struct incident_file {
    const char *name;
    const unsigned char *text;
    size_t len;
};
enum { INCIDENT_DEEDS, INCIDENT_SHARED };           /* their order, by name */
extern const struct incident_file incident_files[]; /* behind the last a NULL name */

#endif
