/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Which segments of a store have an index that is current, and which is to be made next. What lies
 * in the index's folder and belongs to no segment is removed.
 */
#ifndef VAKA_INDEX_KEEPER_H
#define VAKA_INDEX_KEEPER_H

#include "index/maker.h"

enum index_state {
    INDEX_CURRENT,
    INDEX_MISSING,
    INDEX_STALE,   /* records are read otherwise now */
    INDEX_DAMAGED, /* is made anew */
    INDEX_UNFIT,   /* of a segment that cannot be read, or has no filters to stand beside */
    INDEX_LEFT,    /* could not be made */
};
enum { INDEX_STATES = INDEX_LEFT + 1 };
/* "current", … */
const char *index_state_name(enum index_state state);

struct index_keeper {
    const struct store_io *store, *folder; /* borrowed */
    uint64_t version;
    struct buf known; /* struct known, ascending */
};

/* `folder` is that of indexes; NULL: there is none, and nothing is removed. */
void index_keeper_init(struct index_keeper *k, const struct store_io *store,
                       const struct store_io *folder, uint64_t version);
void index_keeper_done(struct index_keeper *k);
/*
 * Looks which segments there are; what was known of one stays. ERR_NOMEM, ERR_LIMIT, the table's
 * errors.
 */
int index_keeper_look(struct index_keeper *k) MUST_USE;
/* The i-th segment; false: there are no more. */
bool index_keeper_at(const struct index_keeper *k, size_t i, uint64_t *ret_begin);
/* The newest segment whose index is to be made; false: there is none. */
bool index_keeper_next(const struct index_keeper *k, uint64_t *ret_begin);
/* What has become of that one's. */
void index_keeper_note(struct index_keeper *k, uint64_t begin, enum index_state state);
/* How many segments are in which state. */
void index_keeper_count(const struct index_keeper *k, uint64_t ret[INDEX_STATES]);

/*
 * One process at a time makes an index in the folder of this descriptor. ERR_LIMIT: another one
 * does; with `wait` only after a signal.
 */
int index_lock(int folder, bool wait) MUST_USE;
void index_unlock(int folder);

/*
 * How it is with a segment's index, by its head; *ret_bytes is its size. With `whole` each of its
 * pages is read. ERR_NOMEM.
 */
int index_probe(const struct index_keeper *k, uint64_t begin, bool whole, enum index_state *ret,
                uint64_t *ret_bytes) MUST_USE;

#endif
