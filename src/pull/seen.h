/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * How far a feed was taken, and which of its items behind that: what is asked for overlaps with
 * what was asked before, because records come late.
 *
 * As text, little-endian, in a bookmark (serve/bookmark.h) of its own:
 *
 *     u8 version 1 · 3 zeros · u32 items n · i64 cursor · i64 floor ·
 *     n × { i64 time · u64 · u64 }, the two numbers being hashes of the item's id
 */
#ifndef VAKA_PULL_SEEN_H
#define VAKA_PULL_SEEN_H

#include "base/buf.h"
#include "base/clock.h"

enum {
    SEEN_MAX = 10 * 1000,
    SEEN_HEADER = 24,
    SEEN_ITEM = 24,
    SEEN_TEXT_MAX = SEEN_HEADER + SEEN_MAX * SEEN_ITEM,
};

/* Two hashes: by chance, none of the ids that there will ever be is taken for another. */
struct seen_id {
    uint64_t a, b;
};
struct seen_id seen_id_of(struct slice id);

struct seen_item {
    nsec time;
    struct seen_id id;
};

struct seen {
    nsec cursor; /* what is older was taken, but for what came late; 0: nothing was taken yet */
    nsec floor;  /* what is older is not asked for again: its items were more than are remembered */
    struct seen_item *items;
    uint32_t *slots; /* numbers from 1; 0: empty */
    uint32_t n, mask;
    bool full; /* an item was not remembered since the last seen_move() */
};

void seen_init(struct seen *s);
void seen_done(struct seen *s);

bool seen_has(const struct seen *s, struct seen_id id);
/* At SEEN_MAX it is not remembered, and seen_move() sees to it that it is not asked for again.
 * ERR_NOMEM: the same. */
int seen_add(struct seen *s, struct seen_id id, nsec time) MUST_USE;
/* All up to `cursor` was taken; what was taken before `cursor - late` is forgotten. */
void seen_move(struct seen *s, nsec cursor, nsec late);
/* From when on is asked for. */
nsec seen_from(const struct seen *s, nsec late);

void seen_write(const struct seen *s, struct buf *out);
/* ERR_CORRUPT: it is not valid; ERR_UNSUPPORTED: of a later version; ERR_NOMEM. *s is empty then.
 */
int seen_read(struct seen *s, struct slice text) MUST_USE;

#endif
