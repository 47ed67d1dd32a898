/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The wire form of what processes of one program say to each other: frames of
 *
 *     u32 length of the payload, little endian
 *     u8  type
 *     payload: u8, u32, u64, i64 (little endian) and texts (u32 length, bytes)
 *
 * A reader is sticky: past the end of the payload every get returns 0 or an empty slice and
 * frame_done() is false. A frame that is not consumed to its last byte is not valid either.
 */
#ifndef VAKA_PROC_FRAME_H
#define VAKA_PROC_FRAME_H

#include "base/buf.h"
#include "base/slice.h"

enum { FRAME_HEADER = 5 };

struct frame {
    uint8_t type;
    struct slice payload; /* borrowed from the input */
    size_t size;          /* header and payload */
};

/*
 * The first frame of `in`: 1 when it is whole, 0 when more bytes are needed, ERR_CORRUPT when its
 * length is above max_payload.
 */
int frame_next(struct slice in, size_t max_payload, struct frame *ret) MUST_USE;

struct frame_reader {
    struct slice rest;
    bool failed;
};

static inline struct frame_reader frame_reader_of(struct slice payload)
{
    return (struct frame_reader){.rest = payload};
}
uint8_t frame_get_u8(struct frame_reader *r);
uint32_t frame_get_u32(struct frame_reader *r);
uint64_t frame_get_u64(struct frame_reader *r);
int64_t frame_get_i64(struct frame_reader *r);
/* Borrowed from the payload; longer than max is a failure. */
struct slice frame_get_text(struct frame_reader *r, size_t max);
/* Everything was there and nothing is left. */
static inline bool frame_done(const struct frame_reader *r)
{
    return !r->failed && r->rest.len == 0;
}

/* Starts a frame in b; the position goes to frame_end(), which fills in the length. */
size_t frame_begin(struct buf *b, uint8_t type);
void frame_end(struct buf *b, size_t begin);
void frame_put_u8(struct buf *b, uint8_t v);
void frame_put_u32(struct buf *b, uint32_t v);
void frame_put_u64(struct buf *b, uint64_t v);
void frame_put_i64(struct buf *b, int64_t v);
/* Texts above 4 GiB fail the buf. */
void frame_put_text(struct buf *b, struct slice s);

#endif
