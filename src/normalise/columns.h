/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The named columns of a table-shaped log (CSV, Zeek): names are kept as text, because the key
 * table may be cleared between two records, and their keys are looked up again when it was.
 * A header can name columns without end: those past the bounds are refused and their values are
 * the caller's `extra`.
 */
#ifndef VAKA_NORMALISE_COLUMNS_H
#define VAKA_NORMALISE_COLUMNS_H

#include "base/buf.h"
#include "event/keys.h"

enum { COLUMNS_MAX = 1024, COLUMNS_TEXT_MAX = 64 * 1024 };

struct columns {
    struct buf text; /* all names, one behind the other */
    uint32_t n;
    uint32_t generation; /* of the key table for which `key` holds */
    bool keyed;
    uint32_t end[COLUMNS_MAX]; /* where each name ends in text */
    key_id key[COLUMNS_MAX];
};

void columns_init(struct columns *c);
void columns_done(struct columns *c);
void columns_clear(struct columns *c);
/* false when a bound is reached: the column is not added. */
bool columns_add(struct columns *c, struct slice name);
/* ERR_NOMEM when that was the bound; else 0. */
int columns_error(const struct columns *c);
struct slice columns_name(const struct columns *c, uint32_t i);
bool columns_has(const struct columns *c, struct slice name);
/* The key of each column in `keys`; call once per record. */
const key_id *columns_keys(struct columns *c, struct keys *keys);

#endif
