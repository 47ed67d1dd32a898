/* SPDX-License-Identifier: EUPL-1.2 */
/* taxonomy/shared.tsv and taxonomy/deeds.tsv, which are built into the program. */
#ifndef VAKA_INCIDENT_FILES_H
#define VAKA_INCIDENT_FILES_H

#include "base/embedded.h"

enum { INCIDENT_DEEDS, INCIDENT_SHARED };      /* their order, by name */
extern const struct embedded incident_files[]; /* behind the last a NULL name */

#endif
