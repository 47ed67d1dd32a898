/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A bump allocator with a budget. Many small things that die together (one record, one batch, one
 * rule set) live in one arena and are dropped by arena_reset() or arena_done().
 *
 * Overflow is sticky: once the budget is spent or malloc fails, every further allocation returns
 * NULL and arena_failed() stays true until the next reset. Builders may therefore write a whole
 * record and test once. arena_reset() keeps the blocks, so that a steady state never allocates;
 * arena_mallocs() counts the blocks ever taken from malloc, which is how that is shown.
 */
#ifndef VAKA_BASE_ARENA_H
#define VAKA_BASE_ARENA_H

#include "base/error.h"
#include "base/slice.h"

struct arena_block;

struct arena {
    struct arena_block *first;   /* all blocks, in the order they are used */
    struct arena_block *current; /* where the next allocation goes */
    size_t budget;               /* bytes of blocks this arena may hold */
    size_t held;                 /* bytes of blocks it holds */
    uint64_t mallocs;
    bool failed;
    bool no_memory; /* failed within the budget */
};

/* Takes no memory until first use. `budget` in bytes. */
void arena_init(struct arena *a, size_t budget);
/* Frees all; the arena must be initialised again before use. */
void arena_done(struct arena *a);
/* Everything allocated becomes invalid; blocks are kept for reuse. */
void arena_reset(struct arena *a);

/* 16-byte aligned, uninitialised; NULL on overflow (sticky). size 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t size) MUST_USE;
/* The same, zeroed, for n elements; overflow of n * size counts as overflow. */
void *arena_zalloc(struct arena *a, size_t n, size_t size) MUST_USE;
/* A copy with a NUL behind it (not counted in len); {NULL, 0} on overflow. */
struct slice arena_dup(struct arena *a, struct slice s) MUST_USE;
/* NUL-terminated formatted text; NULL on overflow. */
const char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_USE;

static inline bool arena_failed(const struct arena *a)
{
    return a->failed;
}
/* Why it failed: ERR_LIMIT when the budget is spent, ERR_NOMEM before that; 0 when it did not. */
static inline int arena_error(const struct arena *a)
{
    return !a->failed ? 0 : a->no_memory ? ERR_NOMEM : ERR_LIMIT;
}
static inline uint64_t arena_mallocs(const struct arena *a)
{
    return a->mallocs;
}

#endif
