/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The forms of records that no source has as a whole: each adds what a record says to an event.
 * Values point into the record or lie in the event's arena. A function returns NULL, or a constant
 * sentence that tells why the record says nothing; then the event is not used.
 *
 * Text inside of a record that is a log line itself is handed back: what it is, others find out.
 */
#ifndef VAKA_NORMALISE_RECORD_FORMS_H
#define VAKA_NORMALISE_RECORD_FORMS_H

#include "event/event.h"
#include "event/record.h"

/*
 * NetFlow v5, v9 and IPFIX: the fields of ECS (source.ip, destination.port, network.bytes, …), and
 * all of the record's own as netflow.NAME in ECS' manner.
 */
const char *flow_read(const struct record *r, struct event *ev);

/* The journal's own field names; `program` is _COMM where no SYSLOG_IDENTIFIER says better. */
const char *journal_read(const struct record *r, struct event *ev);

/*
 * OTLP: attributes of record and resource under their own names, body, severity, time. A body that
 * is text is handed back.
 */
const char *otlp_read_proto(const struct record *r, struct event *ev, struct slice *ret_text);
const char *otlp_read_json(const struct record *r, struct event *ev, struct slice *ret_text);

/*
 * HEC: the event (text, or JSON that is no string) is handed back. What stands beside it comes
 * second, by hec_read_envelope(), because it does not count where the event itself says the same.
 */
const char *hec_read(const struct record *r, struct event *ev, struct slice *ret_text);
void hec_read_envelope(const struct record *r, struct event *ev);

/*
 * NAME=VALUE pairs: adds them when the text is three or more of them and nothing else. `text` lives
 * as long as the event.
 */
bool kv_read(struct slice text, struct event *ev) MUST_USE;
/* Whether it begins with NAME=. */
bool kv_begins(struct slice text);
/* Most of its lines are records of the audit system. */
bool auditd_begins(struct slice text);

/* ---- for them ---- */

/* Adds formatted text; nothing is added when the arena is full, the event is cut then. */
void form_printf(struct event *ev, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* RFC 3339. */
void form_add_time(struct event *ev, const char *name, nsec time);
/* "0a1b…" */
void form_add_hex(struct event *ev, key_id key, struct slice bytes);

#endif
