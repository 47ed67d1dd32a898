/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Who may send how much while matching does not keep up. All records are matched in the order in
 * which they were stored, so whatever one source sends beyond what is matched delays the alerts of
 * all. When the oldest record that is not matched gets old, what matching takes is shared out:
 * a source that asks for less than its share goes on as before, the others get the same each (the
 * largest "max-min fair" share), and what they send above it waits, or is lost and counted as
 * theirs. The longer the wait already is, the less they get of it, down to nearly nothing: then
 * what waits is matched first. It stays far below a second, also when matching gets slower by
 * half from one moment to the next.
 *
 * Nothing is held back as long as all that is asked for fits in what matching takes, however far it
 * is behind: after a start it catches up by itself. And nothing is held back when matching stands
 * still: then keeping is all that can be done. A source that is alone is held back as well: another
 * one may come at any moment, and must not wait for what was let in before.
 */
#ifndef VAKA_COLLECT_FAIR_H
#define VAKA_COLLECT_FAIR_H

#include <stdbool.h>

#include "base/clock.h"

struct ledger;
struct ledger_row;

enum { FAIR_RATES = 10 };

/* What whoever keeps records says about matching; all of the same run of the store. */
struct fair_pace {
    uint64_t waiting; /* bytes that are stored and not matched */
    uint64_t matched; /* bytes that were matched, ever */
    nsec age;         /* how long the oldest of `waiting` waits */
};

struct fair {
    uint64_t level;       /* bytes a second that a source may send; 0: as many as it likes … */
    uint64_t flood_level; /* … and one that would send more than that */
    nsec since;           /* when the level was no longer 0 */
    nsec told, weighed;   /* the last pace; the last look at what sources ask for; 0: never */
    nsec moved;           /* when `matched` was another, last … */
    nsec resumed;         /* … and when that was after a pause */
    struct fair_pace pace;
    nsec busy;                  /* how long matching was seen with something to do … */
    uint64_t busy_bytes;        /* … and what it did in that time */
    uint64_t rates[FAIR_RATES]; /* bytes a second, of times when it had something to do */
    uint64_t next_rate;         /* how many were ever taken */
    nsec idle;                  /* how long it had nothing left to do in the end, … */
    uint64_t idle_bytes;        /* … and what it did in that time */
    uint64_t kept_up;           /* bytes a second that it did so, lately … */
    nsec kept_up_at;            /* … and when that was */
};

/* A source's part; in its row of the ledger. */
struct fair_share {
    uint64_t asked, weighed; /* bytes it wanted to send, ever; and when they were looked at last */
    uint64_t rate;           /* bytes a second, lately */
    int64_t left;            /* bytes that may come now; below 0: sent in advance */
    nsec filled;
    bool held;   /* wanted more than that */
    bool floods; /* would send more than the level */
};

void fair_init(struct fair *f);
/* Now and then, some 50 times a second. */
void fair_tell(struct fair *f, struct ledger *ledger, const struct fair_pace *pace, nsec now);
/* Whether the source may send now; times are monotonic. */
bool fair_takes(const struct fair *f, struct ledger_row *row, nsec now);
/* It wanted to send so many bytes; they were taken, or not. */
void fair_charge(const struct fair *f, struct ledger_row *row, uint64_t bytes, bool taken);

#endif
