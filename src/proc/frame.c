/* SPDX-License-Identifier: EUPL-1.2 */
#include "proc/frame.h"

static uint64_t load_le(const char *ptr, size_t n)
{
    uint64_t v = 0;
    for (size_t i = n; i-- > 0;) v = v << 8 | (unsigned char)ptr[i];
    return v;
}

static void store_le(char *ptr, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ptr[i] = (char)(v & 0xff);
        v >>= 8;
    }
}

int frame_next(struct slice in, size_t max_payload, struct frame *ret)
{
    if (in.len < FRAME_HEADER) return 0;
    size_t len = (size_t)load_le(in.ptr, 4);
    if (len > max_payload) return ERR_CORRUPT;
    if (len > in.len - FRAME_HEADER) return 0;
    ret->type = (uint8_t)in.ptr[4];
    ret->payload = slice_make(in.ptr + FRAME_HEADER, len);
    ret->size = FRAME_HEADER + len;
    return 1;
}

static uint64_t get_number(struct frame_reader *r, size_t n)
{
    if (r->failed || r->rest.len < n) {
        r->failed = true;
        return 0;
    }
    uint64_t v = load_le(r->rest.ptr, n);
    r->rest = slice_from(r->rest, n);
    return v;
}

uint8_t frame_get_u8(struct frame_reader *r)
{
    return (uint8_t)get_number(r, 1);
}

uint32_t frame_get_u32(struct frame_reader *r)
{
    return (uint32_t)get_number(r, 4);
}

uint64_t frame_get_u64(struct frame_reader *r)
{
    return get_number(r, 8);
}

int64_t frame_get_i64(struct frame_reader *r)
{
    return (int64_t)get_number(r, 8);
}

struct slice frame_get_text(struct frame_reader *r, size_t max)
{
    size_t len = (size_t)get_number(r, 4);
    if (r->failed || len > max || len > r->rest.len) {
        r->failed = true;
        return SLICE_NONE;
    }
    struct slice s = slice_make(r->rest.ptr, len);
    r->rest = slice_from(r->rest, len);
    return s;
}

size_t frame_begin(struct buf *b, uint8_t type)
{
    size_t begin = b->len;
    frame_put_u32(b, 0);
    frame_put_u8(b, type);
    return begin;
}

void frame_end(struct buf *b, size_t begin)
{
    if (buf_failed(b)) return;
    ASSERT(b->len >= FRAME_HEADER && begin <= b->len - FRAME_HEADER);
    size_t len = b->len - begin - FRAME_HEADER;
    if (len > UINT32_MAX) {
        b->failed = true;
        return;
    }
    store_le(b->ptr + begin, len, 4);
}

static void put_number(struct buf *b, uint64_t v, size_t n)
{
    char bytes[8];
    store_le(bytes, v, n);
    buf_put(b, slice_make(bytes, n));
}

void frame_put_u8(struct buf *b, uint8_t v)
{
    put_number(b, v, 1);
}

void frame_put_u32(struct buf *b, uint32_t v)
{
    put_number(b, v, 4);
}

void frame_put_u64(struct buf *b, uint64_t v)
{
    put_number(b, v, 8);
}

void frame_put_i64(struct buf *b, int64_t v)
{
    put_number(b, (uint64_t)v, 8);
}

void frame_put_text(struct buf *b, struct slice s)
{
    if (s.len > UINT32_MAX) {
        b->failed = true;
        return;
    }
    frame_put_u32(b, (uint32_t)s.len);
    buf_put(b, s);
}
