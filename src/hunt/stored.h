/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The hunt in stored records: sealed segments and journals, the oldest first, by the processes of
 * scan/scan.h. What they find comes in the order of the records, as from decoders of files.
 */
#ifndef VAKA_HUNT_STORED_H
#define VAKA_HUNT_STORED_H

#include "alert/line.h"
#include "base/loop.h"
#include "hunt/message.h"
#include "noise/matching.h"
#include "scan/scan.h"

struct stored_totals {
    struct scan_progress scan;
    uint64_t records, events, unknown, undecodable;
};

struct stored_spec {
    const struct clock *clock;
    const char *store; /* a tenant's folder */
    nsec from, to;     /* received at or after, and before */
    uint32_t jobs;
    nsec silence;
    int null_fd;
    struct matching_begin matching;
    enum hunt_format format;
    enum sigma_level min_level;
    struct loop *loop; /* whatever stops it ends the run */
    void *ctx;
    /* In the order of the records. Texts are valid during the call. */
    void (*alert)(void *ctx, const struct message_alert *m, uint64_t record);
    void (*tuple)(void *ctx, const struct message_tuple *m, uint64_t record);
    void (*damage)(void *ctx, enum scan_damage_kind kind, uint64_t seq);
    /* Several times a second. A non-zero result stops the hunt. */
    int (*tick)(void *ctx, const struct stored_totals *totals);
};

/* 0; what the loop was stopped with; else an error, and diag says what is wrong. */
int stored_run(const struct stored_spec *spec, struct stored_totals *ret,
               struct diag *diag) MUST_USE;

#endif
