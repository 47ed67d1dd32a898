/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A growable byte buffer that knows its maximum from the start. Overflow is sticky (buf_failed):
 * a writer appends a whole message and tests once. buf_clear() keeps the memory.
 */
#ifndef VAKA_BASE_BUF_H
#define VAKA_BASE_BUF_H

#include "base/error.h"
#include "base/slice.h"

struct buf {
    char *ptr;
    size_t len;
    size_t cap;
    size_t max;
    bool failed;
    bool no_memory; /* failed below the maximum */
};

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);
static inline void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = b->no_memory = false;
}

/* Makes room for n more bytes and returns where they go; NULL on overflow (sticky). */
char *buf_reserve(struct buf *b, size_t n) MUST_USE;
static inline void buf_put(struct buf *b, struct slice s)
{
    if (s.len == 0) return;
    char *p = s.len <= b->cap - b->len && !b->failed ? b->ptr + b->len : buf_reserve(b, s.len);
    if (!p) return;
    memcpy(p, s.ptr, s.len);
    b->len += s.len;
}
static inline void buf_putc(struct buf *b, char c)
{
    buf_put(b, (struct slice){&c, 1});
}
static inline void buf_puts(struct buf *b, const char *cstr)
{
    buf_put(b, slice_of(cstr));
}
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Drops n bytes at the front and moves the rest down. */
void buf_consume(struct buf *b, size_t n);

static inline bool buf_failed(const struct buf *b)
{
    return b->failed;
}
/* Why it failed: ERR_LIMIT at its maximum, ERR_NOMEM below it; 0 when it did not. */
static inline int buf_error(const struct buf *b)
{
    return !b->failed ? 0 : b->no_memory ? ERR_NOMEM : ERR_LIMIT;
}
static inline struct slice buf_slice(const struct buf *b)
{
    return (struct slice){b->ptr, b->len};
}

#endif
