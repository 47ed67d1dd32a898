/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * MITRE ATT&CK as far as rules speak of it: techniques by the tags of rules (`attack.t1003.001`),
 * and what they are called (taxonomy/attack.tsv).
 */
#ifndef VAKA_LIBRARY_ATTACK_H
#define VAKA_LIBRARY_ATTACK_H

#include "base/slice.h"

enum { ATTACK_ID_MAX = 9 /* bytes: T1003.001 */ };

struct attack_technique {
    struct slice id, name, tactics; /* tactics: names separated by commas */
};

/* The id, in capitals and with a NUL, of a tag that names a technique or sub-technique. */
bool attack_of_tag(struct slice tag, char ret[ATTACK_ID_MAX + 1]);
/* false: it is not in the list. */
bool attack_find(struct slice id, struct attack_technique *ret);
/* All techniques of the list, one after the other: *at begins with 0. */
bool attack_next(size_t *at, struct attack_technique *ret);

#endif
