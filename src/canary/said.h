/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Times and texts of what a process says about itself (docs/status.md), and as they are told to
 * people.
 */
#ifndef VAKA_CANARY_SAID_H
#define VAKA_CANARY_SAID_H

#include "base/buf.h"
#include "base/clock.h"

/* A member in seconds since 1970, as ns; 0 for what is no number. */
nsec said_seconds(struct slice object, const char *name);

/* A member with that time as RFC 3339 has it; null for what is not behind 1970. */
void said_put_time(struct buf *out, const char *name, nsec time);
/* A string, with the escapes that it came with; null for an empty one. */
void said_put_text(struct buf *out, const char *name, struct slice inside);

#endif
