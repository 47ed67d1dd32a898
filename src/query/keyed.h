/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A table from bytes to things of one size, within a budget of memory. What is in it stays where it
 * is until the table is cleared; things are told in the order in which they came.
 */
#ifndef VAKA_QUERY_KEYED_H
#define VAKA_QUERY_KEYED_H

#include "base/arena.h"

struct keyed_entry {
    struct keyed_entry *next; /* the one that came behind it */
    struct slice key;
    void *value; /* zeroed at first; aligned to 16 */
};

struct keyed_slot {
    uint64_t hash;
    struct keyed_entry *entry; /* NULL: it is free */
};

struct keyed {
    struct arena arena;
    struct keyed_slot *slots; /* as many as a power of two */
    size_t cap, n, budget, value_size;
    struct keyed_entry *first, *last;
};

/* Takes no memory until first use. */
void keyed_init(struct keyed *k, size_t value_size, size_t budget);
void keyed_done(struct keyed *k);
/* Memory is kept. */
void keyed_clear(struct keyed *k);
struct keyed_entry *keyed_find(const struct keyed *k, struct slice key);
/* The entry of that key, made when there is none. NULL: there is no room for it. */
struct keyed_entry *keyed_take(struct keyed *k, struct slice key);
/* Bytes in use. */
size_t keyed_bytes(const struct keyed *k);

#endif
