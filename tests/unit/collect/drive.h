/* SPDX-License-Identifier: EUPL-1.2 */
/* A protocol fed as a connection feeds it, in pieces of any size; what it says as text. */
#ifndef VAKA_TESTS_COLLECT_DRIVE_H
#define VAKA_TESTS_COLLECT_DRIVE_H

#include <stdio.h>
#include <stdlib.h>

#include "collect/protocol.h"

struct drive {
    const struct protocol_ops *ops;
    void *p;
    size_t input_max;
    struct buf in;   /* what was not used yet */
    struct buf text; /* one line a record: ordinal, flags, bytes, reason */
    struct buf out;  /* what the protocol wants to send */
    uint64_t records;
    int error; /* of next(), the first */
};

static inline void drive_init(struct drive *d, const struct protocol_ops *ops, uint32_t record_max,
                              uint32_t pending_max)
{
    const struct protocol_limits limits = {record_max, pending_max};
    *d = (struct drive){
        .ops = ops, .p = calloc(1, ops->size), .input_max = protocol_input(record_max)};
    if (!d->p) abort();
    ops->init(d->p, &limits);
    buf_init(&d->in, d->input_max);
    buf_init(&d->text, 64 << 20);
    buf_init(&d->out, 64 << 20);
}

static inline void drive_done(struct drive *d)
{
    d->ops->done(d->p);
    free(d->p);
    buf_done(&d->in);
    buf_done(&d->text);
    buf_done(&d->out);
}

static inline void drive_tell(struct drive *d, const struct piece *piece)
{
    d->records++;
    buf_printf(&d->text, "%llu %u ", (unsigned long long)piece->ordinal, piece->flags);
    buf_put(&d->text, piece->raw);
    if (piece->reason) buf_printf(&d->text, " (%s)", piece->reason);
    buf_putc(&d->text, '\n');
}

/* Takes all records that are whole. */
static inline void drive_pull(struct drive *d)
{
    size_t used = 0, n = 0;
    struct piece piece;
    int r;
    /* A copy of its own, so that the sanitizer sees what is read too far. */
    char *copy = malloc(d->in.len + 1);
    if (!copy) abort();
    if (d->in.len) memcpy(copy, d->in.ptr, d->in.len);
    struct slice rest = slice_make(copy, d->in.len);
    while ((r = d->ops->next(d->p, rest, &d->out, &n, &piece)) == 1) {
        if (n > rest.len) abort();
        drive_tell(d, &piece);
        rest = slice_from(rest, n);
        used += n;
    }
    if (r == 0) used += n;
    if (r < 0) {
        d->error = r;
        buf_printf(&d->text, "%s: %s\n", error_text(r), piece.reason ? piece.reason : "none");
    }
    if (used > d->in.len) abort();
    buf_consume(&d->in, used);
    free(copy);
}

static inline void drive_feed(struct drive *d, struct slice bytes)
{
    while (bytes.len && !d->error) {
        size_t room = d->input_max - d->in.len;
        if (room == 0) abort(); /* a full buffer without progress */
        struct slice part = slice_until(bytes, room);
        buf_put(&d->in, part);
        bytes = slice_from(bytes, part.len);
        drive_pull(d);
    }
}

static inline void drive_finish(struct drive *d)
{
    struct piece piece;
    if (d->error) return;
    if (d->ops->finish(d->p, buf_slice(&d->in), &piece) == 1) drive_tell(d, &piece);
}

#endif
