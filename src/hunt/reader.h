/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The decoder process: receives units and descriptors over its channel, turns them into events,
 * matches them, and sends back what was found. It opens nothing itself.
 */
#ifndef VAKA_HUNT_READER_H
#define VAKA_HUNT_READER_H

#include "alert/line.h"
#include "proc/channel.h"

/* Everything here is made before the fork and only read afterwards, but for the engine's state. */
struct reader_context {
    const struct clock *clock;
    struct engine *engine;
    const struct correlator *correlator; /* for correlator_wants(); NULL: no correlations */
    enum hunt_format format;
    uint32_t n_rules; /* of the engine's set */
    enum sigma_level min_level;
    nsec from, to; /* TIME_NONE: open */
};

enum {
    READER_SPLIT_FROM = 16 * 1024 * 1024, /* smaller files are one unit */
    READER_RANGE = 8 * 1024 * 1024,
    READER_CONFUSED = 2, /* exit statuses: a message that makes no sense */
    READER_NOMEM = 3,
};

/* For struct worker_spec; ctx is a struct reader_context. Returns the exit status. */
int reader_run(void *ctx, struct channel *channel);

#endif
