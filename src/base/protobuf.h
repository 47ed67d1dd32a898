/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding): a message is a
 * run of fields, each a key (number << 3 | type as varint) and a value. Only what logs need:
 * groups, which are long deprecated, are refused.
 */
#ifndef VAKA_BASE_PROTOBUF_H
#define VAKA_BASE_PROTOBUF_H

#include "base/buf.h"

enum proto_type {
    PROTO_VARINT = 0,
    PROTO_FIXED64 = 1,
    PROTO_BYTES = 2, /* text, bytes, a message, packed numbers */
    PROTO_FIXED32 = 5,
};

struct proto_field {
    struct slice whole; /* key and value, as they stand in the message */
    struct slice bytes; /* PROTO_BYTES */
    uint64_t number;    /* the value of the other types */
    uint32_t id;        /* the field's number */
    enum proto_type type;
};

/*
 * Takes the next field off *message. 1, 0 at the end, or ERR_TRUNCATED, ERR_CORRUPT; then *message
 * stays at the field.
 */
int proto_next(struct slice *message, struct proto_field *ret) MUST_USE;

void proto_put_varint(struct buf *out, uint64_t v);
void proto_put_bytes(struct buf *out, uint32_t id, struct slice bytes);
void proto_put_number(struct buf *out, uint32_t id, uint64_t v); /* as varint */

#endif
