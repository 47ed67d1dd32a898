/* SPDX-License-Identifier: EUPL-1.2 */
/* Decoding and case folding of one value in a single pass. */
#ifndef VAKA_DETECT_ENGINE_FOLD_H
#define VAKA_DETECT_ENGINE_FOLD_H

#include "event/event.h"

/*
 * Writes the folded text of the value to dst, which has utf8_fold_bound(f->value.len) +
 * LITERAL_SLACK bytes; returns its length. The same result as utf8_fold(event_text()).
 */
size_t fold_value(char *dst, struct event *ev, struct event_field *f);

#endif
