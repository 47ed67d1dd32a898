/* SPDX-License-Identifier: EUPL-1.2 */
/* A hit as a message to the hunt; what decoders of files and readers of stored records share. */
#ifndef VAKA_HUNT_FINDING_H
#define VAKA_HUNT_FINDING_H

#include "alert/line.h"
#include "hunt/message.h"

/*
 * Appends the alert of the event that `w` is at. `line` is for composing it. An alert whose event
 * does not fit into a message goes without that.
 */
void finding_write(struct line_writer *w, const struct engine_hit *hit, struct buf *line,
                   struct buf *out);
/* After a message was appended at `begin`: one that did not fit is taken back. */
bool finding_is_whole(struct buf *out, size_t begin);

#endif
