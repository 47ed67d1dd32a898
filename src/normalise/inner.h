/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Log lines inside of others: syslog, shippers and collectors carry JSON, audit lines, syslog and
 * pairs of names and values as the text of a message. What such a text says becomes part of the
 * event around it. One reader for stored records and for files.
 */
#ifndef VAKA_NORMALISE_INNER_H
#define VAKA_NORMALISE_INNER_H

#include "event/event.h"

struct inner_reader;

/* keys is borrowed and outlives the reader. NULL when out of memory. */
struct inner_reader *inner_reader_new(struct keys *keys);
void inner_reader_free(struct inner_reader *r);

/* What a line of unknown form is: any text is a line at least, and those are syslog's. */
enum inner_kind { INNER_JSON, INNER_SYSLOG, INNER_AUDITD, INNER_KINDS };
enum inner_kind inner_look(struct slice text);

/*
 * Adds what the text says, if it is a record of its own or pairs of names and values; *ret_read
 * says whether it was. Values are valid until the next call. ERR_NOMEM.
 */
int inner_read_text(struct inner_reader *r, struct event *outer, struct slice text,
                    bool *ret_read) MUST_USE;
/*
 * The same of the event's field `message`. `shipped`: a shipper took it from a file, so that it may
 * be any line; else only what begins like a record is looked at. ERR_NOMEM.
 */
int inner_read_message(struct inner_reader *r, struct event *ev, bool shipped) MUST_USE;

/* The number of the field `message`; until the key table is cleared. */
key_id inner_message_key(struct inner_reader *r, struct keys *keys);

#endif
