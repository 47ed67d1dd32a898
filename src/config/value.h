/* SPDX-License-Identifier: EUPL-1.2 */
/* Values as text: what the types of settings.tbl look like in a file and on the command line. */
#ifndef VAKA_CONFIG_VALUE_H
#define VAKA_CONFIG_VALUE_H

#include "config/config.h"

struct value_unit {
    const char *name;
    uint64_t factor;
};
/* From the smallest; closed by a NULL name. */
extern const struct value_unit value_sizes[], value_durations[];

/*
 * A whole number and one of the units, a blank may stand between; without unit only when the first
 * unit's factor is 1. False also on overflow of 63 bits.
 */
bool value_parse(struct slice text, const struct value_unit *units, uint64_t *ret);
/* With the largest unit that leaves a whole number. */
void value_write(struct buf *out, uint64_t value, const struct value_unit *units);

/* Stores text as the key's value in c; false when it is none or out of range. Not for lists. */
bool value_store(struct config *c, enum config_key key, struct slice text);

#endif
