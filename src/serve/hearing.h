/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What an engine hears of each source in one frame: how much, when, what of it was not understood,
 * what time it claims, and how it is counted. It costs a look at every record's row, and of the
 * events a look at two of each source.
 */
#ifndef VAKA_SERVE_HEARING_H
#define VAKA_SERVE_HEARING_H

#include "detect/engine.h"
#include "event/event.h"
#include "event/record.h"

enum { HEARING_SOURCES_MAX = 4096 }; /* of one frame; those beyond are not heard */

struct hearing;

struct hearing *hearing_new(void);
void hearing_free(struct hearing *h);

/* A frame begins: records from `from` on. The batch is borrowed until the next begin. */
void hearing_begin(struct hearing *h, const struct batch *batch, uint32_t from);
/*
 * The record of that number has this event, which was matched; `understood`: its log source is
 * known. The first and the last of a source are read as a whole: what its clock says may stand
 * where only its product finds it.
 */
void hearing_event(struct hearing *h, uint32_t number, struct event *ev, struct engine *engine,
                   bool understood);
/* It has none. */
void hearing_undecodable(struct hearing *h, uint32_t number);
/* What was heard, as messages (say_sighted) for whoever follows the health of sources. */
void hearing_write(const struct hearing *h, struct buf *out);

#endif
