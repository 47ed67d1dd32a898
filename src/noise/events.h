/* SPDX-License-Identifier: EUPL-1.2 */
/* The events of one text, decoded and matched in this process. */
#ifndef VAKA_NOISE_EVENTS_H
#define VAKA_NOISE_EVENTS_H

#include "detect/engine.h"

/*
 * Decodes text with the decoder that knows it and calls `match` after engine_match() of each event.
 * 0; ERR_UNSUPPORTED when no decoder knows it; ERR_CORRUPT when some record could not be read; what
 * `match` returned.
 */
int events_match(struct engine *engine, struct slice text, void *ctx,
                 int (*match)(void *ctx, struct event *ev,
                              const struct engine_result *result)) MUST_USE;

#endif
