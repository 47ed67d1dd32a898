/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One record, taken apart: a list of (path, value). Values are text as the record has it; numbers
 * are never converted, so that nothing is lost to rounding. A path occurs once per value: arrays
 * give several entries with the same key.
 *
 * An event belongs to its decoder and is valid until the emit callback returns. Slices point into
 * the decoder's buffer or the event's arena.
 */
#ifndef VAKA_EVENT_EVENT_H
#define VAKA_EVENT_EVENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "event/keys.h"

enum value_type {
    VALUE_STRING,
    VALUE_JSON_STRING, /* the bytes between the quotes in JSON text; may still hold escapes */
    VALUE_NUMBER,      /* as written: 42, -1.5e3 */
    VALUE_BOOL,        /* "true" or "false" */
    VALUE_NULL,        /* text is "null"; also an empty object or array */
};

struct event_field {
    struct slice value;
    key_id key;
    enum value_type type : 8;
    bool derived; /* made of other values: words that are searched anywhere do not count here */
};

enum event_flags {
    EVENT_RAW_IS_JSON = 1 << 0, /* raw is one JSON object, usable verbatim as output */
    EVENT_CUT = 1 << 1,         /* more values than EVENT_FIELDS_MAX or the arena would hold */
    EVENT_DAMAGED = 1 << 2,   /* read by the tolerant reader; something in it was not well-formed */
    EVENT_CANONICAL = 1 << 3, /* names are already the taxonomy's (EVTX, auditd, …) */
};

enum { EVENT_FIELDS_MAX = 16384 };

struct event {
    struct keys *keys;   /* borrowed */
    struct arena *arena; /* borrowed; reset by the decoder before each event */
    struct event_field *fields;
    uint32_t n_fields;
    uint32_t cap_fields;
    uint32_t flags;  /* enum event_flags */
    uint64_t record; /* number of the record in its source, from 1; EVTX: the EventRecordID */
    struct slice raw;
    const char *format; /* constant: "json", "evtx", "syslog", … */
};

/* Owns only the fields array. */
void event_init(struct event *ev, struct keys *keys, struct arena *arena);
void event_done(struct event *ev);
/* Empties the event and its arena for the next record. */
void event_reset(struct event *ev);

bool event_grow(struct event *ev) MUST_USE; /* used by event_add */

/* Adds one value. Past the limits the value is dropped and EVENT_CUT set. Borrows `value`. */
static inline void event_add(struct event *ev, key_id key, enum value_type type, struct slice value)
{
    if (__builtin_expect(ev->n_fields == ev->cap_fields, 0) && !event_grow(ev)) return;
    ev->fields[ev->n_fields++] = (struct event_field){.value = value, .key = key, .type = type};
}

/* By flat name under the root; copies nothing. */
void event_add_named(struct event *ev, struct slice name, enum value_type type, struct slice value);

/*
 * The text of a value: decodes JSON escapes on first use (into the arena, remembered in place).
 * A lone surrogate escape becomes U+FFFD; a damaged escape is kept as it stands.
 */
struct slice event_text(struct event *ev, struct event_field *f);

/* The first value with this path, or NULL. Linear. */
struct event_field *event_find(struct event *ev, struct slice path);

/* The event as one JSON object: flat names, repeated names as an array; raw when that is JSON. */
void event_write_json(struct event *ev, struct buf *out);
/* The same, of all fields, whatever raw is. */
void event_write_fields(struct event *ev, struct buf *out);

#endif
