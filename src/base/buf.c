/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_done(struct buf *b)
{
    free(b->ptr);
    *b = (struct buf){0};
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (b->failed) return NULL;
    if (n <= b->cap - b->len) return b->ptr + b->len;
    if (n > b->max - b->len) {
        b->failed = true;
        return NULL;
    }
    size_t want = b->cap ? b->cap : b->max < 256 ? b->max : 256;
    while (want - b->len < n) want = want > b->max / 2 ? b->max : want * 2;
    char *p = realloc(b->ptr, want);
    if (!p) {
        b->failed = b->no_memory = true;
        return NULL;
    }
    b->ptr = p;
    b->cap = want;
    return b->ptr + b->len;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    char text[512];
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof text) {
        buf_put(b, (struct slice){text, (size_t)n});
    } else if (n >= 0) {
        char *p = buf_reserve(b, (size_t)n + 1);
        if (p) {
            (void)vsnprintf(p, (size_t)n + 1, fmt, again);
            b->len += (size_t)n;
        }
    } else {
        b->failed = true;
    }
    va_end(again);
}

void buf_consume(struct buf *b, size_t n)
{
    ASSERT(n <= b->len);
    if (n == 0) return;
    memmove(b->ptr, b->ptr + n, b->len - n);
    b->len -= n;
}
