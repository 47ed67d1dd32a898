/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/protobuf.h"

#include "base/le.h"

enum { VARINT_MAX = 10, ID_MAX = (1 << 29) - 1 };

/* Bits above 64 are dropped, as all readers do. */
static int take_varint(struct slice *s, uint64_t *ret)
{
    uint64_t v = 0;
    for (size_t i = 0; i < VARINT_MAX; i++) {
        if (i == s->len) return ERR_TRUNCATED;
        unsigned char c = (unsigned char)s->ptr[i];
        v |= (uint64_t)(c & 0x7f) << (7 * i);
        if (c & 0x80) continue;
        *s = slice_from(*s, i + 1);
        *ret = v;
        return 0;
    }
    return ERR_CORRUPT;
}

static int take_value(struct slice *s, struct proto_field *f)
{
    size_t n = f->type == PROTO_FIXED64 ? 8 : 4;
    switch (f->type) {
    case PROTO_VARINT:
        return take_varint(s, &f->number);
    case PROTO_FIXED64:
    case PROTO_FIXED32:
        if (s->len < n) return ERR_TRUNCATED;
        f->number = n == 8 ? le64(s->ptr) : le32(s->ptr);
        *s = slice_from(*s, n);
        return 0;
    case PROTO_BYTES: {
        uint64_t len = 0;
        int rc = take_varint(s, &len);
        if (rc != 0) return rc;
        if (len > s->len) return ERR_TRUNCATED;
        f->bytes = slice_until(*s, (size_t)len);
        *s = slice_from(*s, (size_t)len);
        return 0;
    }
    }
    return ERR_CORRUPT;
}

int proto_next(struct slice *message, struct proto_field *ret)
{
    struct slice rest = *message;
    struct proto_field f = {0};
    uint64_t key = 0;
    if (rest.len == 0) return 0;
    int rc = take_varint(&rest, &key);
    if (rc != 0) return rc;
    if (key >> 3 == 0 || key >> 3 > ID_MAX) return ERR_CORRUPT;
    f.id = (uint32_t)(key >> 3);
    f.type = (enum proto_type)(key & 7);
    rc = take_value(&rest, &f);
    if (rc != 0) return rc;
    f.whole = slice_until(*message, message->len - rest.len);
    *message = rest;
    *ret = f;
    return 1;
}

void proto_put_varint(struct buf *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7) buf_putc(out, (char)(v | 0x80));
    buf_putc(out, (char)v);
}

void proto_put_bytes(struct buf *out, uint32_t id, struct slice bytes)
{
    proto_put_varint(out, (uint64_t)id << 3 | PROTO_BYTES);
    proto_put_varint(out, bytes.len);
    buf_put(out, bytes);
}

void proto_put_number(struct buf *out, uint32_t id, uint64_t v)
{
    proto_put_varint(out, (uint64_t)id << 3 | PROTO_VARINT);
    proto_put_varint(out, v);
}
