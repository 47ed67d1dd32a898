/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What somebody saw of the last probes, until he is asked about it. Of older ones nothing is known,
 * which is what the canary takes for not seen.
 */
#ifndef VAKA_CANARY_NOTES_H
#define VAKA_CANARY_NOTES_H

#include "canary/canary.h"

enum { CANARY_NOTES = 8 };

struct canary_note {
    uint64_t number; /* 0: none */
    uint32_t sights; /* enum canary_sight */
    nsec when;       /* realtime, of the last of it */
    char wrong[CANARY_TEXT_MAX];
};

struct canary_notes {
    struct canary_note notes[CANARY_NOTES];
    unsigned next; /* the one that is written over */
};

/* The note of that probe, empty when it is a new one; the oldest goes for it. */
struct canary_note *canary_notes_of(struct canary_notes *n, uint64_t number);
/* Something more was seen of it. */
void canary_notes_see(struct canary_notes *n, uint64_t number, uint32_t sights, nsec when);
/* NULL: nothing is known of that probe. */
const struct canary_note *canary_notes_find(const struct canary_notes *n, uint64_t number);

#endif
