/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What was given to a store and what it promised, to be compared with what a disk gives back. All
 * functions end the program when memory does not suffice.
 */
#ifndef VAKA_TESTS_STORE_HISTORY_H
#define VAKA_TESTS_STORE_HISTORY_H

#include "store/store.h"

enum { HISTORY_TENANT = 7, HISTORY_WHY_MAX = 200 };
#define HISTORY_NEVER UINT64_MAX

/* Times are the caller's: numbers of steps of a recording. */
struct history_entry {
    size_t at, len; /* of the batch in bytes */
    uint64_t first; /* sequence number */
    uint32_t n;
    uint64_t acked;   /* when a commit behind it returned */
    uint64_t removed; /* when its journal was to be removed */
    bool seen;
};

struct history {
    struct buf bytes;
    struct history_entry *entries;
    size_t n, cap;
};

void history_init(struct history *h);
void history_done(struct history *h);
void history_clear(struct history *h);

/* A batch of n records with `raw_len` bytes each; `seed` gives what they are. */
void history_batch(struct buf *out, uint64_t seed, uint32_t n, size_t raw_len);
/* Appends such a batch and remembers it. What store_append() says. */
int history_append(struct history *h, struct store *s, uint64_t seed, uint32_t n, size_t raw_len);
/* A commit returned 0: what was appended is promised from `now` on. */
void history_promise(struct history *h, uint64_t now);
/* store_remove_journal() and what it says; `now` is before it. */
int history_remove(struct history *h, struct store *s, const struct store_journal *j, uint64_t now);

/* What a store found, as events. */
struct history_found {
    struct store_journal journals[64];
    size_t n_journals;
    uint64_t damages[STORE_DAMAGE_HEAD + 1]; /* by kind */
    uint64_t lost_numbers;                   /* of all holes that have an end */
    struct store_journal current;
};
struct store_events history_events(struct history_found *found);
/* A small store: journals of 8 KiB, commits of 4 KiB; everything else may be changed. */
void history_options(struct store_options *o, const struct store_io *io,
                     struct clock_settable *clock, struct history_found *found);

/*
 * Reads all of these journals, and the current one up to what is durable. True when: whatever is
 * there was appended, byte for byte, and in order; and everything is there whose promise was made
 * before or at `now` and whose journal was not to be removed before. `spare`: so many entries that
 * were promised may be missing. Marks what was seen; `why` is filled when it is false.
 */
bool history_check(struct history *h, const struct store_io *io, const struct history_found *found,
                   struct store_durable durable, uint64_t now, uint64_t spare,
                   char why[HISTORY_WHY_MAX]);
/* After a check of the same disk: what was not promised and not seen is forgotten. */
void history_forget(struct history *h);
/* After a check of another disk: what was not seen was lost, without having been promised; what
 * was, is there for good. */
void history_restart(struct history *h);

#endif
