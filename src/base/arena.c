/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK_MIN = 64 * 1024, ALIGN = 16 };

struct arena_block {
    struct arena_block *next;
    size_t size; /* bytes of data */
    size_t used;
    size_t pad_;
    _Alignas(ALIGN) char data[];
};

void arena_init(struct arena *a, size_t budget)
{
    *a = (struct arena){.budget = budget};
}

void arena_done(struct arena *a)
{
    for (struct arena_block *b = a->first, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    *a = (struct arena){0};
}

void arena_reset(struct arena *a)
{
    if (a->first) a->first->used = 0;
    a->current = a->first;
    a->failed = a->no_memory = false;
}

/* Appends a block after the current one; a later block that is too small is passed over. */
static struct arena_block *block_for(struct arena *a, size_t size)
{
    struct arena_block *last = a->current;
    for (struct arena_block *b = last ? last->next : a->first; b; b = b->next) {
        b->used = 0;
        if (b->size >= size) return b;
        last = b;
    }
    size_t want = size > BLOCK_MIN ? size : BLOCK_MIN;
    if (want > a->budget - a->held) want = size;
    if (want > a->budget - a->held) return NULL;
    struct arena_block *b = malloc(sizeof *b + want);
    if (!b) {
        a->no_memory = true;
        return NULL;
    }
    a->mallocs++;
    a->held += want;
    *b = (struct arena_block){.size = want};
    if (last) {
        b->next = last->next;
        last->next = b;
    } else {
        a->first = b;
    }
    return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (a->failed) return NULL;
    size_t need;
    if (__builtin_add_overflow(size, ALIGN - 1, &need)) {
        a->failed = true;
        return NULL;
    }
    need &= ~(size_t)(ALIGN - 1);
    struct arena_block *b = a->current;
    if (!b || b->size - b->used < need) {
        b = block_for(a, need);
        if (!b) {
            a->failed = true;
            return NULL;
        }
        a->current = b;
    }
    void *p = b->data + b->used;
    b->used += need;
    return p;
}

void *arena_zalloc(struct arena *a, size_t n, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total)) {
        a->failed = true;
        return NULL;
    }
    void *p = arena_alloc(a, total);
    return p ? memset(p, 0, total) : NULL;
}

struct slice arena_dup(struct arena *a, struct slice s)
{
    char *p = s.len < SIZE_MAX ? arena_alloc(a, s.len + 1) : NULL;
    if (!p) return SLICE_NONE;
    if (s.len) memcpy(p, s.ptr, s.len);
    p[s.len] = '\0';
    return (struct slice){p, s.len};
}

const char *arena_printf(struct arena *a, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0) return NULL;
    if ((size_t)n >= sizeof text) n = (int)sizeof text - 1;
    return arena_dup(a, (struct slice){text, (size_t)n}).ptr;
}
