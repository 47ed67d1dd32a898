/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What was found in a value before. Logs repeat themselves: the same program paths, users and
 * command lines come again and again, and what a literal set finds in a value depends on nothing
 * but its bytes. The memo keeps the last values and what was found in them, so that a repeated
 * value costs one hash and one comparison instead of folding and searching.
 *
 * A value is kept when it comes the second time: those that never come again, as numbers and
 * addresses, would cost a place in the memory's caches each.
 *
 * Exact: the whole value is compared, so an attacker's collision only costs a place. Bounded: a
 * fixed number of slots of a few sizes, one place per hash, the newer value wins; longer values are
 * not kept. Nothing is allocated after memo_new().
 */
#ifndef VAKA_DETECT_ENGINE_MEMO_H
#define VAKA_DETECT_ENGINE_MEMO_H

#include "base/slice.h"

struct memo;

/* About 20 MiB of address space, of which the kernel gives pages as they are used. */
struct memo *memo_new(void);
void memo_free(struct memo *m);

struct memo_key {
    const void *set; /* which literals were looked for */
    bool escaped;    /* the bytes are JSON text */
    struct slice value;
    uint64_t hash; /* filled by memo_find() */
};

/* What was found, or NULL when the value is not known. Valid until the next memo_keep(). */
const uint32_t *memo_find(struct memo *m, struct memo_key *key, uint32_t *ret_n);
/* Remembers what was found in key's value at the second time; too long ones are not kept. */
void memo_keep(struct memo *m, const struct memo_key *key, const uint32_t *found, uint32_t n);

#endif
