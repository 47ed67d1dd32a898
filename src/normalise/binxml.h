/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Windows binary XML as it stands in event log chunks ([MS-EVEN6] 2.2.12 and libevtx' format
 * description): one record becomes a flat event.
 *
 * A record is mostly a reference to a template, a piece of XML with numbered holes, and the values
 * for the holes; a value may be binary XML again. A template is compiled once per chunk into a
 * list of "this key gets this value" and a record is a walk over that list. Offsets in binary XML
 * count from the start of the chunk, which is why it is handed over as a whole.
 *
 * Names:
 *   Event/System/Provider Name=       Provider_Name
 *   Event/System/EventID              EventID; its Qualifiers= EventID_Qualifiers
 *   EventData/Data Name="X"           X, otherwise Data, one value per element
 *   UserData/any/Y/Z                  Y.Z; attributes Y_Attribute
 *   RenderingInfo/Message             Message; its other elements RenderingInfo.X
 *   any other section's A/B           A.B
 * xmlns attributes are left out. An attribute whose hole is empty does not exist. An element that
 * has neither text, children nor attributes is null, a named Data without text is "".
 *
 * Bounds: BINXML_OUT_MAX bytes of text and BINXML_STEPS_MAX steps per record; per chunk a multiple
 * of them and of the chunk's size for templates, so that no chunk costs more than milliseconds.
 */
#ifndef VAKA_NORMALISE_BINXML_H
#define VAKA_NORMALISE_BINXML_H

#include "event/event.h"

enum {
    BINXML_CHUNK_MAX = 65536,
    BINXML_OUT_MAX = 4 * 1024 * 1024,
    BINXML_STEPS_MAX = 1000000,
    BINXML_NESTING_MAX = 16, /* binary XML inside values inside binary XML */
    BINXML_DEPTH_MAX = 64,   /* elements */
};

struct binxml;

/* keys is borrowed. NULL when out of memory. */
struct binxml *binxml_new(struct keys *keys);
void binxml_free(struct binxml *b);

/* Starts a chunk of at most BINXML_CHUNK_MAX bytes, borrowed until the next call. */
void binxml_set_chunk(struct binxml *b, struct slice chunk);

/*
 * Adds what the binary XML at chunk[start, end) says to the event. Values point into b and are
 * valid until the next call. Returns 0, or ERR_CORRUPT or ERR_LIMIT with a constant *ret_reason;
 * what was read before the damage has been added then.
 */
int binxml_decode(struct binxml *b, size_t start, size_t end, struct event *ev,
                  const char **ret_reason) MUST_USE;

#endif
