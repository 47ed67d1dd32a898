/* SPDX-License-Identifier: EUPL-1.2 */
/* What a process that is on the canary's way is asked, and answers from what it noted. */
#ifndef VAKA_SERVE_PROBE_H
#define VAKA_SERVE_PROBE_H

#include "canary/notes.h"
#include "serve/role.h"

/* A frame of the canary: answers a probe from the notes, any other is ERR_CORRUPT. */
int probe_take(struct role *r, const struct frame *frame,
               const struct canary_notes *notes) MUST_USE;

#endif
