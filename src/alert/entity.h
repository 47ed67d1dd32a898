/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Who an alert is about: alerts of one rule about the same are counted, not repeated
 * (triage.alike).
 */
#ifndef VAKA_ALERT_ENTITY_H
#define VAKA_ALERT_ENTITY_H

#include "base/buf.h"
#include "detect/engine.h"

enum {
    ENTITY_PART_MAX = 1024, /* bytes of the host, or of one value */
    ENTITY_MAX = (TAXONOMY_ENTITY_VALUES_MAX + 2) * ENTITY_PART_MAX,
};

/*
 * Writes the host, then what the entities are that tell alerts apart, behind a TAB each; where
 * there is none of it, `source`.
 */
void entity_write(struct buf *out, const struct taxonomy_entity_value *entities, uint32_t n,
                  struct slice host, struct slice source);

/* The user among the entities; empty without one. */
struct slice entity_user(const struct taxonomy_entity_value *entities, uint32_t n);

#endif
