/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/probe.h"

int probe_take(struct role *r, const struct frame *frame, const struct canary_notes *notes)
{
    struct link *link = role_link(r, ROLE_CANARY);
    struct say_probe m;
    if (frame->type != SAY_PROBE || say_probe_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    const struct canary_note *note = canary_notes_find(notes, m.number);
    struct say_seen seen = {.number = m.number};
    if (note)
        seen = (struct say_seen){.number = m.number,
                                 .sights = note->sights,
                                 .when = note->when,
                                 .wrong = slice_of(note->wrong)};
    say_seen_write(link_out(link), &seen);
    link_flush(link);
    return 0;
}
