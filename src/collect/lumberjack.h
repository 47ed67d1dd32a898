/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Lumberjack v2, the receiving side: what Beats and Elastic Agent say to Logstash. Format of
 * https://github.com/logstash-plugins/logstash-input-beats/blob/main/PROTOCOL.md, numbers
 * big-endian:
 *
 *     "2W" u32 n                       a window: n records follow
 *     "2J" u32 seq, u32 length, JSON   a record
 *     "2C" u32 length, zlib stream     frames, compressed; not one inside of the other
 *     "2A" u32 seq                     our answer: the records up to seq of the oldest window are
 * safe
 *
 * An ack is sent by acked(), never before; for each window that is done its last seq is sent by
 * itself, because senders wait for exactly that. While a sender waits, "2A" 0 tells it that we are
 * alive. seq must ascend by one within a window.
 *
 * A compressed frame is unpacked piece by piece, so that it takes no more memory than a record; it
 * is refused when more than LUMBERJACK_UNPACKED_MAX come of it.
 */
#ifndef VAKA_COLLECT_LUMBERJACK_H
#define VAKA_COLLECT_LUMBERJACK_H

#include <zlib.h>

#include "collect/protocol.h"

enum {
    LUMBERJACK_WINDOWS_MAX = 64, /* with records that wait for their ack */
    LUMBERJACK_PACKED_MAX = 16 * 1024 * 1024,
    LUMBERJACK_UNPACKED_MAX = 64 * 1024 * 1024,
};

struct lumberjack_window {
    uint32_t size, got, acked;
    uint32_t last; /* seq of the newest record */
};

/* Where frames come from: the connection, or a compressed frame. */
struct lumberjack_level {
    uint32_t skip; /* bytes that come are the rest of a cut record */
};

struct lumberjack {
    uint32_t record_max, pending_max, pending;
    struct lumberjack_window windows[LUMBERJACK_WINDOWS_MAX]; /* a ring, oldest at `first` */
    uint32_t first, n;
    struct lumberjack_level outer, inner;
    bool packed;          /* inside of a compressed frame */
    uint32_t packed_left; /* bytes of it that did not come yet */
    uint64_t unpacked;    /* bytes that came of it */
    bool stream_ended;    /* its zlib stream is at its end … */
    bool damaged;         /* … or cannot be read on */
    z_stream z;
    bool z_ready;
    struct buf plain;  /* what was unpacked … */
    size_t plain_used; /* … and how much of it is done with */
};

extern const struct protocol_ops lumberjack_protocol;

#endif
