/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/message.h"

#define get_u8(r)   frame_get_u8(r)
#define get_u32(r)  frame_get_u32(r)
#define get_u64(r)  frame_get_u64(r)
#define get_i64(r)  frame_get_i64(r)
#define get_text(r) frame_get_text(r, MESSAGE_TEXT_MAX)

#define PUT(type, field) frame_put_##type(out, m->field);
#define GET(type, field) ret->field = get_##type(&r);
#define M(name, NAME, number)                                                                      \
    void message_##name##_write(struct buf *out, const struct message_##name *m)                   \
    {                                                                                              \
        size_t begin = frame_begin(out, MESSAGE_##NAME);                                           \
        MESSAGE_FIELDS_##NAME(PUT) frame_end(out, begin);                                          \
    }                                                                                              \
    int message_##name##_read(struct slice payload, struct message_##name *ret)                    \
    {                                                                                              \
        struct frame_reader r = frame_reader_of(payload);                                          \
        MESSAGE_FIELDS_##NAME(GET) return frame_done(&r) ? 0 : ERR_CORRUPT;                        \
    }
MESSAGES(M)
