/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/engine/memo.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/hash.h"

struct slot {
    const void *set; /* NULL: empty */
    uint64_t hash;
    uint32_t len;
    uint16_t n;
    bool escaped;
    _Alignas(uint64_t) char data[]; /* n needles, then the value */
};

/* Slots of one size; a value goes to the smallest that holds it and what was found in it. */
static const struct {
    uint32_t slot_size, count; /* count is a power of two */
} sizes[] = {{128, 16384}, {512, 8192}, {2304, 4096}, {12288, 512}};
enum { SIZES = sizeof sizes / sizeof *sizes, LARGER_BITS = 65536 };

struct memo {
    char *slots[SIZES];
    /* Of each slot a piece of the hash of the value seen last, which it holds if it was seen twice.
     */
    uint16_t *tags[SIZES];
    /* Bits by hash: so much was found that the value is in a larger slot than it needs itself. */
    uint64_t larger[LARGER_BITS / 64];
};

/* The smallest slot that holds n bytes; SIZES: none does. */
static unsigned size_for(size_t n)
{
    unsigned i = 0;
    while (i < SIZES && n > sizes[i].slot_size - sizeof(struct slot)) i++;
    return i;
}

static uint64_t larger_bit(uint64_t hash)
{
    return UINT64_C(1) << (hash & 63);
}

static uint64_t *larger_word(struct memo *m, uint64_t hash)
{
    return &m->larger[hash / 64 % (LARGER_BITS / 64)];
}

struct memo *memo_new(void)
{
    struct memo *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    for (unsigned i = 0; i < SIZES; i++) {
        m->slots[i] = calloc(sizes[i].count, sizes[i].slot_size);
        m->tags[i] = calloc(sizes[i].count, sizeof *m->tags[i]);
        if (!m->slots[i] || !m->tags[i]) {
            memo_free(m);
            return NULL;
        }
    }
    return m;
}

void memo_free(struct memo *m)
{
    if (!m) return;
    for (unsigned i = 0; i < SIZES; i++) {
        free(m->slots[i]);
        free(m->tags[i]);
    }
    free(m);
}

static size_t place_of(unsigned size, uint64_t hash)
{
    return (size_t)(hash & (sizes[size].count - 1));
}

static struct slot *slot_at(struct memo *m, unsigned size, size_t at)
{
    return (struct slot *)(void *)(m->slots[size] + at * sizes[size].slot_size);
}

/* Of bits that the place does not have. */
static uint16_t tag_of(uint64_t hash)
{
    return (uint16_t)(hash >> 48);
}

static bool is_this(const struct slot *s, const struct memo_key *key)
{
    return s->set == key->set && s->hash == key->hash && s->len == key->value.len &&
           s->escaped == key->escaped &&
           memcmp(s->data + s->n * sizeof(uint32_t), key->value.ptr, key->value.len) == 0;
}

const uint32_t *memo_find(struct memo *m, struct memo_key *key, uint32_t *ret_n)
{
    unsigned first = size_for(key->value.len);
    if (first == SIZES) return NULL;
    key->hash = hash64_seed(key->value, (uint64_t)(uintptr_t)key->set);
    unsigned end = *larger_word(m, key->hash) & larger_bit(key->hash) ? SIZES : first + 1;
    for (unsigned i = first; i < end; i++) {
        size_t at = place_of(i, key->hash);
        if (m->tags[i][at] != tag_of(key->hash)) continue;
        const struct slot *s = slot_at(m, i, at);
        if (!is_this(s, key)) continue;
        *ret_n = s->n;
        return (const uint32_t *)(const void *)s->data;
    }
    return NULL;
}

void memo_keep(struct memo *m, const struct memo_key *key, const uint32_t *found, uint32_t n)
{
    unsigned first = size_for(key->value.len);
    unsigned i = n > UINT16_MAX ? SIZES : size_for(n * sizeof *found + key->value.len);
    if (i == SIZES) return;
    if (i > first) *larger_word(m, key->hash) |= larger_bit(key->hash);
    size_t at = place_of(i, key->hash);
    if (m->tags[i][at] != tag_of(key->hash)) {
        m->tags[i][at] = tag_of(key->hash);
        return;
    }
    struct slot *s = slot_at(m, i, at);
    *s = (struct slot){.set = key->set,
                       .hash = key->hash,
                       .len = (uint32_t)key->value.len,
                       .n = (uint16_t)n,
                       .escaped = key->escaped};
    if (n) memcpy(s->data, found, n * sizeof *found);
    if (key->value.len) memcpy(s->data + n * sizeof *found, key->value.ptr, key->value.len);
}
