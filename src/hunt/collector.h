/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Runs the decoders: hands out units (a file, or a range of a large one), receives what they find
 * and passes it on in the order of the units, so that the output does not depend on how many
 * decoders there are. Findings of a unit that is not the oldest wait, COLLECTOR_HELD_MAX bytes of
 * them in all; beyond that their decoders are not read and so wait themselves.
 *
 * A decoder that dies or breaks the protocol costs the rest of its unit: that is reported as
 * unreadable, a new decoder is started, and the hunt goes on.
 */
#ifndef VAKA_HUNT_COLLECTOR_H
#define VAKA_HUNT_COLLECTOR_H

#include "base/loop.h"
#include "hunt/message.h"
#include "hunt/reader.h"
#include "hunt/source.h"

enum {
    COLLECTOR_JOBS_MAX = 64,
    COLLECTOR_HELD_MAX = 4 * 1024 * 1024, /* two as large lie in buffers that grow by doubling */
    COLLECTOR_FAILURES_MAX = 16,          /* decoders in a row that die without a unit */
};

struct collector_totals {
    uint64_t position; /* bytes of input, of source_list.bytes */
    uint64_t bytes;    /* of logs, decompressed */
    uint64_t events;
    uint64_t untimed; /* events with a match and without a time */
    uint64_t unknown; /* events whose log source nothing tells */
    uint64_t sources; /* logs, members of archives included */
    uint64_t crashes;
    uint64_t peak_rss; /* of any one decoder */
};

struct collector_spec {
    const struct clock *clock;
    const struct source_list *sources;
    struct reader_context *reader;
    uint32_t jobs;
    nsec silence;     /* a decoder may work on a file without a word */
    uint32_t n_rules; /* alerts name rules below it */
    bool unconfined;
    int null_fd;
    struct loop
        *loop; /* with room for `jobs` watches and a timer; whatever stops it ends the run */
    void *ctx;
    /* In the order of the sources. Texts are valid during the call; `record` is final. */
    void (*alert)(void *ctx, const struct message_alert *m, uint64_t record);
    void (*tuple)(void *ctx, const struct message_tuple *m, uint64_t record);
    /* `record` as in m, final. */
    void (*bad)(void *ctx, const struct message_bad *m, uint64_t record);
    /* Several times a second. A non-zero result stops the hunt. */
    int (*tick)(void *ctx, const struct collector_totals *totals);
};

/* 0; what the loop was stopped with; else what made it impossible to go on. */
int collector_run(const struct collector_spec *spec, struct collector_totals *ret) MUST_USE;

#endif
