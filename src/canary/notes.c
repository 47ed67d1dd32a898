/* SPDX-License-Identifier: EUPL-1.2 */
#include "canary/notes.h"

const struct canary_note *canary_notes_find(const struct canary_notes *n, uint64_t number)
{
    for (unsigned i = 0; i < CANARY_NOTES; i++)
        if (number && n->notes[i].number == number) return &n->notes[i];
    return NULL;
}

struct canary_note *canary_notes_of(struct canary_notes *n, uint64_t number)
{
    for (unsigned i = 0; i < CANARY_NOTES; i++)
        if (number && n->notes[i].number == number) return &n->notes[i];
    struct canary_note *note = &n->notes[n->next];
    n->next = (n->next + 1) % CANARY_NOTES;
    *note = (struct canary_note){.number = number};
    return note;
}

void canary_notes_see(struct canary_notes *n, uint64_t number, uint32_t sights, nsec when)
{
    struct canary_note *note = canary_notes_of(n, number);
    note->sights |= sights;
    note->when = when;
}
