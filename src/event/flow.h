/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What flow records look like, for those who unwrap them and those who read them: NetFlow v5 and v9
 * (Cisco's "NetFlow Export Datagram Format"; RFC 3954) and IPFIX (RFC 7011). Big-endian.
 *
 * A record's `context` is what it needs to be read alone:
 *
 *     NETFLOW5   the packet header, 24 bytes
 *     NETFLOW9   the packet header, 20 bytes · a template
 *     IPFIX      the message header, 16 bytes · a template
 *
 * where a template is the u16 id of the set it came in (v9: 0, options 1; IPFIX: 2, options 3) and
 * the template record as it stood there.
 */
#ifndef VAKA_EVENT_FLOW_H
#define VAKA_EVENT_FLOW_H

#include "event/record.h"

enum {
    FLOW5_HEADER = 24,
    FLOW5_RECORD = 48,
    FLOW9_HEADER = 20,
    FLOW_IPFIX_HEADER = 16,
    FLOW_FIELDS_MAX = 512, /* of one template */
    FLOW_VARIABLE = 65535, /* the length of a field that says its own (RFC 7011, 7) */
};

struct flow_field {
    uint32_t enterprise; /* 0: IANA's */
    uint16_t id;
    uint16_t len; /* bytes, or FLOW_VARIABLE */
};

struct flow_template {
    uint16_t id; /* 256 and up */
    uint16_t n_fields;
    uint16_t n_scope; /* the first of them say what an options record is about; 0: a flow */
    bool options;
    size_t len;     /* bytes of the template record */
    size_t min_len; /* least bytes of a data record, at least 1 */
    struct flow_field fields[FLOW_FIELDS_MAX];
};

/* Whether sets with this id have templates. */
bool flow_has_templates(enum record_format format, unsigned set_id);

/*
 * Reads the template record at the start of s out of a set with that id. A withdrawal has no
 * fields. ERR_TRUNCATED; ERR_LIMIT: too many fields, *ret_len is still right; ERR_INVALID: it could
 * not be used, *ret_len is still right.
 */
int flow_template_read(enum record_format format, unsigned set_id, struct slice s,
                       struct flow_template *ret, size_t *ret_len) MUST_USE;

/* The bytes of the field at the start of s, which *s then begins behind; ERR_TRUNCATED. */
int flow_take_field(const struct flow_field *field, struct slice *s, struct slice *ret) MUST_USE;

/* The length of the data record at the start of s; ERR_TRUNCATED. */
int flow_record_len(const struct flow_template *t, struct slice s, size_t *ret) MUST_USE;

#endif
