/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/lumberjack.h"

#include <endian.h>

#include "event/record.h"

enum { UNPACK_PIECE = 16 * 1024, HEADER_WINDOW = 6, HEADER_RECORD = 10, HEADER_PACKED = 6 };

static uint32_t be32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return be32toh(v);
}

static void lumberjack_init(void *p, const struct protocol_limits *limits)
{
    struct lumberjack *l = p;
    ASSERT(limits->record_max > 0 && limits->record_max <= RECORD_MAX);
    memset(l, 0, sizeof *l);
    l->record_max = limits->record_max;
    l->pending_max = limits->pending_max;
    buf_init(&l->plain, protocol_input(limits->record_max) + UNPACK_PIECE);
}

static void lumberjack_done(void *p)
{
    struct lumberjack *l = p;
    if (l->z_ready) (void)inflateEnd(&l->z);
    buf_done(&l->plain);
}

/* ---- windows ----------------------------------------------------------------------------- */

static struct lumberjack_window *window_at(struct lumberjack *l, uint32_t i)
{
    return &l->windows[(l->first + i) % LUMBERJACK_WINDOWS_MAX];
}

/* Windows that wait for nothing any more, but for the newest one, which may get records. */
static void drop_done(struct lumberjack *l)
{
    while (l->n > 1 && window_at(l, 0)->acked == window_at(l, 0)->got) {
        l->first = (l->first + 1) % LUMBERJACK_WINDOWS_MAX;
        l->n--;
    }
}

static int begin_window(struct lumberjack *l, uint32_t size, struct piece *ret)
{
    drop_done(l);
    if (l->n > 0 && window_at(l, l->n - 1)->got == 0) l->n--; /* one without records */
    if (l->n == LUMBERJACK_WINDOWS_MAX) {
        ret->reason = "too many windows wait for their ack";
        return ERR_LIMIT;
    }
    *window_at(l, l->n++) = (struct lumberjack_window){.size = size};
    return 2;
}

static int enter_window(struct lumberjack *l, uint32_t seq, struct piece *ret)
{
    struct lumberjack_window *w = l->n ? window_at(l, l->n - 1) : NULL;
    ret->reason = "a record outside of its window";
    if (!w || w->got == w->size) return ERR_CORRUPT;
    ret->reason = "sequence numbers that do not ascend by one";
    if (w->got > 0 && seq != w->last + 1) return ERR_CORRUPT;
    ret->reason = "too many records wait for their ack";
    if (l->pending >= l->pending_max) return ERR_LIMIT;
    ret->reason = NULL;
    w->last = seq;
    w->got++;
    l->pending++;
    return 0;
}

static void put_ack(struct buf *out, uint32_t seq)
{
    uint32_t be = htobe32(seq);
    buf_puts(out, "2A");
    buf_put(out, slice_make(&be, sizeof be));
}

static void lumberjack_acked(void *p, uint64_t n, struct buf *out)
{
    struct lumberjack *l = p;
    ASSERT(n <= l->pending);
    l->pending -= (uint32_t)n;
    for (uint32_t i = 0; n > 0; i++) {
        ASSERT(i < l->n);
        struct lumberjack_window *w = window_at(l, i);
        uint32_t waiting = w->got - w->acked;
        uint32_t k = n < waiting ? (uint32_t)n : waiting;
        if (k == 0) continue;
        w->acked += k;
        n -= k;
        put_ack(out, w->last - (w->got - w->acked));
    }
    drop_done(l);
}

static void lumberjack_keep_alive(void *p, struct buf *out)
{
    const struct lumberjack *l = p;
    if (l->pending > 0) put_ack(out, 0);
}

/* ---- frames ------------------------------------------------------------------------------ */

static int take_record(struct lumberjack *l, struct lumberjack_level *level, struct slice in,
                       size_t *ret_used, struct piece *ret)
{
    if (in.len < HEADER_RECORD) return 0;
    uint32_t seq = be32(in.ptr + 2), len = be32(in.ptr + 6);
    uint32_t kept = len < l->record_max ? len : l->record_max;
    if (in.len - HEADER_RECORD < kept) return 0;
    int error = enter_window(l, seq, ret);
    if (error) return error;
    *ret = (struct piece){.raw = slice_make(in.ptr + HEADER_RECORD, kept),
                          .ordinal = seq,
                          .flags = kept < len ? (uint8_t)RECORD_CUT : (uint8_t)0};
    level->skip = len - kept;
    *ret_used = HEADER_RECORD + kept;
    return 1;
}

static int begin_packed(struct lumberjack *l, struct slice in, size_t *ret_used, struct piece *ret)
{
    if (in.len < HEADER_PACKED) return 0;
    l->packed_left = be32(in.ptr + 2);
    ret->reason = "a compressed frame that is too long";
    if (l->packed_left > LUMBERJACK_PACKED_MAX) return ERR_LIMIT;
    ret->reason = NULL;
    int r = l->z_ready ? inflateReset(&l->z) : inflateInit(&l->z);
    if (r != Z_OK) return ERR_NOMEM;
    l->z_ready = l->packed = true;
    l->stream_ended = false;
    l->unpacked = 0;
    l->inner = (struct lumberjack_level){0};
    *ret_used = HEADER_PACKED;
    return 2;
}

/* 1 a record, 0 more is needed, 2 bytes were used and nothing came of it, or an error. */
static int take_frame(struct lumberjack *l, struct lumberjack_level *level, struct slice in,
                      size_t *ret_used, struct piece *ret)
{
    if (in.len == 0) return 0;
    if (level->skip) {
        size_t n = level->skip < in.len ? level->skip : in.len;
        level->skip -= (uint32_t)n;
        *ret_used = n;
        return 2;
    }
    ret->reason = "not a frame of Lumberjack v2";
    if (in.ptr[0] != '2') return ERR_CORRUPT;
    if (in.len < 2) return 0;
    switch (in.ptr[1]) {
    case 'W':
        if (in.len < HEADER_WINDOW) return 0;
        *ret_used = HEADER_WINDOW;
        return begin_window(l, be32(in.ptr + 2), ret);
    case 'J':
        return take_record(l, level, in, ret_used, ret);
    case 'C':
        if (level == &l->outer) return begin_packed(l, in, ret_used, ret);
        ret->reason = "a compressed frame inside of another";
        return ERR_CORRUPT;
    default:
        return ERR_CORRUPT;
    }
}

/* ---- compressed frames ------------------------------------------------------------------- */

/* Unpacks a piece of `in` behind what is left of the last one. 2: something was used or came. */
static int unpack(struct lumberjack *l, struct slice in, size_t *ret_used, struct piece *ret)
{
    buf_consume(&l->plain, l->plain_used);
    l->plain_used = 0;
    in = slice_until(in, l->packed_left);
    char *to = buf_reserve(&l->plain, UNPACK_PIECE);
    if (!to) return buf_error(&l->plain);
    l->z.next_in = (Bytef *)(uintptr_t)in.ptr;
    l->z.avail_in = (uInt)in.len;
    l->z.next_out = (Bytef *)to;
    l->z.avail_out = UNPACK_PIECE;
    int r = inflate(&l->z, Z_NO_FLUSH);
    /* What came before the damage is taken first. */
    l->damaged = r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR;
    size_t used = in.len - l->z.avail_in, came = UNPACK_PIECE - l->z.avail_out;
    l->packed_left -= (uint32_t)used;
    l->plain.len += came;
    l->unpacked += came;
    l->stream_ended = r == Z_STREAM_END;
    *ret_used = used;
    ret->reason = "a compressed frame that unpacks to too much";
    if (l->unpacked > LUMBERJACK_UNPACKED_MAX) return ERR_LIMIT;
    ret->reason = NULL;
    return used || came || l->stream_ended || l->damaged ? 2 : 0;
}

static int packed_step(struct lumberjack *l, struct slice in, size_t *ret_used, struct piece *ret)
{
    size_t used = 0;
    int r = take_frame(l, &l->inner, slice_from(buf_slice(&l->plain), l->plain_used), &used, ret);
    l->plain_used += used;
    if (r != 0) return r;
    ret->reason = "damaged compression";
    if (l->damaged) return ERR_CORRUPT;
    if (!l->stream_ended) {
        r = unpack(l, in, ret_used, ret);
        if (r != 0 || l->packed_left > 0) return r;
    }
    ret->reason = "a compressed frame that does not end where it says";
    if (!l->stream_ended || l->packed_left > 0) return ERR_CORRUPT;
    ret->reason = "a frame that breaks off inside of a compressed one";
    if (l->plain_used < l->plain.len || l->inner.skip) return ERR_CORRUPT;
    ret->reason = NULL;
    buf_clear(&l->plain);
    l->plain_used = 0;
    l->packed = false;
    return 2;
}

static int lumberjack_next(void *p, struct slice in, struct buf *out, size_t *ret_used,
                           struct piece *ret)
{
    struct lumberjack *l = p;
    size_t done = 0;
    int r;
    (void)out;
    *ret = (struct piece){0};
    do {
        size_t used = 0;
        struct slice rest = slice_from(in, done);
        r = l->packed ? packed_step(l, rest, &used, ret)
                      : take_frame(l, &l->outer, rest, &used, ret);
        done += used;
    } while (r == 2);
    *ret_used = done;
    return r;
}

/* What was not whole gets no ack and is sent again. */
static int lumberjack_finish(void *p, struct slice rest, struct piece *ret)
{
    (void)p;
    (void)rest;
    (void)ret;
    return 0;
}

const struct protocol_ops lumberjack_protocol = {
    .size = sizeof(struct lumberjack),
    .init = lumberjack_init,
    .done = lumberjack_done,
    .next = lumberjack_next,
    .finish = lumberjack_finish,
    .acked = lumberjack_acked,
    .keep_alive = lumberjack_keep_alive,
};
