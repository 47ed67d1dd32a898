/* SPDX-License-Identifier: EUPL-1.2 */
/* Single records, read as serve reads them, for commands that show what is in them. */
#ifndef VAKA_CLI_READING_H
#define VAKA_CLI_READING_H

#include "cli/load.h"
#include "cli/settings.h"
#include "normalise/record_decoder.h"

struct reading {
    struct ruleset rules; /* without rules */
    struct matcher matcher;
    struct record_decoder *decoder;
    /* Of the record at hand. */
    void *ctx;
    void (*event)(void *ctx, struct event *ev, const struct taxonomy_route *route);
    uint32_t events;
    const char *reason; /* why there was no event, or NULL */
};

/* 0, or an exit status after what is wrong was told. To be given to reading_done() in both cases.
 */
int reading_init(struct reading *r, const struct settings *settings) MUST_USE;
void reading_done(struct reading *r);
/*
 * `event` is called for every event of the record, understood. 0, or a negative error. A record
 * without events is none: r->events is 0 then.
 */
int reading_take(struct reading *r, struct slice raw, void *ctx,
                 void (*event)(void *ctx, struct event *ev,
                               const struct taxonomy_route *route)) MUST_USE;

#endif
