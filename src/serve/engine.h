/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * An engine process: reads journals from where it is told to begin, decodes and matches every
 * record up to what is durable, and tells what it found, frame by frame and in order. It has the
 * rules by being forked, and its descriptors over its channel; it can open nothing.
 *
 * With several engines, engine k of n takes the frames whose number, counted from where all of them
 * began, leaves k when divided by n.
 *
 * What the process works on lies in memory that its parent sees: when it ends over it, the parent
 * knows the frame; started again, it takes that frame's records one by one, and when it ends again
 * the parent knows the record. `steps` shows whether it goes on.
 */
#ifndef VAKA_SERVE_ENGINE_H
#define VAKA_SERVE_ENGINE_H

#include "detect/correlate/correlate.h"
#include "proc/channel.h"
#include "ruleset/ruleset.h"
#include "serve/message.h"

enum { ENGINE_SKIPPED_MAX = 64 };

/* Written by the engine, read by its parent: `steps` and `heard` at any time, the rest behind its
 * end. */
struct engine_page {
    uint64_t first, end; /* sequence numbers of what it works on; equal: nothing */
    uint64_t steps;      /* grows with every frame, or record when it takes them one by one … */
    uint64_t heard; /* … and with every message of its parent that it is done with: this one */
    bool exact;     /* it is one record */
};

struct engine_begin {
    const struct ruleset *rules;
    struct matcher *matcher; /* over them; the process has its own copy by being forked */
    const struct correlator *correlator; /* what correlations want; NULL: there are none */
    const struct clock *clock;
    struct engine_page *page;
    uint64_t next;                        /* the first record to match */
    uint64_t careful_to;                  /* records before it are taken one by one, as are those
                                             of a frame with one that is skipped */
    uint64_t skipped[ENGINE_SKIPPED_MAX]; /* records that are not decoded at all */
    uint32_t n_skipped;
    uint32_t number, of; /* engine k of n */
};

/* For worker_start(); ctx is a struct engine_begin. */
int engine_run(void *ctx, struct channel *channel);

#endif
