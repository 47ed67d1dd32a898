/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Messages between processes, from a table of their fields. For each message a struct, a writer and
 * a reader are made:
 *
 *     #define GREETING_FIELDS(F) F(u32, number) F(text, name)
 *     MESSAGE_DECLARE(say, greeting, GREETING_FIELDS)        in a header
 *     MESSAGE_DEFINE(say, greeting, 7, TEXT_MAX, GREETING_FIELDS)  in one file
 *
 * gives struct say_greeting, say_greeting_write() and say_greeting_read(); 7 is the frame's type,
 * TEXT_MAX the most bytes of one text. Readers accept a message only when it is consumed to its
 * last byte; what the values mean (an index within range) is for the receiver to check.
 */
#ifndef VAKA_PROC_MESSAGE_H
#define VAKA_PROC_MESSAGE_H

#include "proc/frame.h"

typedef uint8_t message_u8;
typedef uint32_t message_u32;
typedef uint64_t message_u64;
typedef int64_t message_i64;
typedef struct slice message_text; /* borrowed from the frame */

#define MESSAGE_FIELD(type, field) message_##type field;
#define MESSAGE_DECLARE(prefix, name, FIELDS)                                                      \
    struct prefix##_##name {                                                                       \
        FIELDS(MESSAGE_FIELD)                                                                      \
    };                                                                                             \
    /* Appends one whole frame; overflow is the buf's. */                                          \
    void prefix##_##name##_write(struct buf *out, const struct prefix##_##name *m);                \
    /* ERR_CORRUPT unless the payload is exactly one such message. */                              \
    int prefix##_##name##_read(struct slice payload, struct prefix##_##name *ret) MUST_USE;

#define message_get_u8(r, max)   frame_get_u8(r)
#define message_get_u32(r, max)  frame_get_u32(r)
#define message_get_u64(r, max)  frame_get_u64(r)
#define message_get_i64(r, max)  frame_get_i64(r)
#define message_get_text(r, max) frame_get_text(r, max)
#define MESSAGE_PUT(type, field) frame_put_##type(out, m->field);
#define MESSAGE_GET(type, field) ret->field = message_get_##type(&r, text_max);
#define MESSAGE_DEFINE(prefix, name, number, max, FIELDS)                                          \
    void prefix##_##name##_write(struct buf *out, const struct prefix##_##name *m)                 \
    {                                                                                              \
        size_t begin = frame_begin(out, (number));                                                 \
        FIELDS(MESSAGE_PUT) frame_end(out, begin);                                                 \
    }                                                                                              \
    int prefix##_##name##_read(struct slice payload, struct prefix##_##name *ret)                  \
    {                                                                                              \
        const size_t text_max = (max);                                                             \
        struct frame_reader r = frame_reader_of(payload);                                          \
        (void)text_max;                                                                            \
        FIELDS(MESSAGE_GET) return frame_done(&r) ? 0 : ERR_CORRUPT;                               \
    }

#endif
