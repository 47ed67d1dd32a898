/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The tolerant reader: takes one record apart that strict JSON refuses (or that is too large for
 * the index), and gives what a person would read in it. One odd byte costs at most the value it
 * stands in, never the fields beside it:
 *  - bytes that are not UTF-8 and control characters stay in the value as they are;
 *  - a missing or doubled comma, a missing colon, a wrong or missing closing bracket are read over;
 *  - a quote inside a string that nothing valid follows belongs to the string; when a member
 *    follows instead, the string's closing quote was missing;
 *  - any other token becomes a VALUE_STRING of its bytes.
 */
#ifndef VAKA_NORMALISE_JSON_SLOW_H
#define VAKA_NORMALISE_JSON_SLOW_H

#include "event/event.h"

enum { JSON_DEPTH_MAX = 64 };

enum json_slow_flags {
    JSON_SLOW_ODD = 1 << 0, /* something was not well-formed; without it the record is strict JSON
                               but for its escapes, which event_text() judges */
    JSON_SLOW_CUT = 1 << 1, /* the record ends inside an object, array or string */
};

/*
 * Adds the record's fields to the event; returns enum json_slow_flags. `record` begins with its {,
 * or, when `inside`, with the first byte behind it.
 */
unsigned json_slow_read(struct event *ev, struct slice record, bool inside);

/* The key of a name as it stands between quotes in JSON text. */
key_id json_key(struct event *ev, key_id parent, struct slice name);

#endif
