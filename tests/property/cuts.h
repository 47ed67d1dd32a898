/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What may be on a disk after a power cut, tried all over a recorded run: shared by store_crash and
 * store_seal_crash, which each say what has to come back.
 */
#pragma once

#include "store/disk.h"

enum { CUTS_WHY_MAX = 200 };

/*
 * A recorded run on `disk`, and an image of what a cut leaves of it. Before a run: `disk` is
 * cleared and recorded, `chances` are set, `why` is empty. The caller owns it; cuts_init and
 * cuts_done are for its disks.
 */
struct cuts {
    struct disk disk, image;
    uint64_t seed, chances; /* all that is chosen follows from them */
    uint64_t subsets;       /* chosen of each cut's changes that may have reached the disk or not */
    uint64_t every;         /* one state in that many is `whole` */
    uint64_t changes, states;
    /* Whether all begins again on `image` with what was promised at step `now`; `whole`: and goes
     * on from there. If not, cuts_problem was called. */
    bool (*comes_back)(void *ctx, uint64_t now, bool whole);
    void *ctx;
    char why[CUTS_WHY_MAX]; /* the first problem of a run */
};

void cuts_init(struct cuts *c);
void cuts_done(struct cuts *c);
/* A new run, the `number`-th of this seed, on an empty disk. */
void cuts_begin(struct cuts *c, uint64_t number);

/* The next chance: less than n, which is not 0. */
uint64_t cuts_below(struct cuts *c, uint64_t n);
/* Keeps what was the first problem. Returns false. */
bool cuts_problem(struct cuts *c, const char *what);

/* Behind every change of the run: with all of what was not durable yet, none of it, all but each
 * one, and `subsets` choices, half of them torn in sectors. */
bool cuts_check(struct cuts *c);
/* After the last change: in each way that is not about one change. */
bool cuts_check_end(struct cuts *c, uint64_t number, bool (*whole)(void *ctx, unsigned way));
/* The torn image of a cut somewhere; returns its step. cuts_take_over makes it the disk. */
uint64_t cuts_tear(struct cuts *c);
void cuts_take_over(struct cuts *c);
/* Whether a cut at the end of a run on a disk that lies about syncs loses something. */
bool cuts_lose(struct cuts *c);

/* A line of TAP, and what went wrong in which run. Returns good. */
bool cuts_report(const struct cuts *c, int n, const char *name, bool good, uint64_t number);

struct cuts_number {
    const char *name;
    uint64_t value;
};
/* One object on standard error. */
void cuts_tell(const struct cuts_number *numbers, size_t n);

struct cuts_option {
    const char *name; /* --runs */
    uint64_t *value;
};
/* --NAME NUMBER, and --json. Returns false for anything else. */
bool cuts_options(int argc, char **argv, const struct cuts_option *options, size_t n,
                  bool *ret_json);
