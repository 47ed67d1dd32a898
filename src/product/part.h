/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What of a product's file matters to those who ask for some fields only: the file without all that
 * makes none of these, and none of what these are made of. What a part makes of an event is what
 * the whole file makes of it under the names that are asked for.
 */
#ifndef VAKA_PRODUCT_PART_H
#define VAKA_PRODUCT_PART_H

#include "product/model.h"

enum { WANTED_UNKNOWN, WANTED_NO, WANTED_YES };

typedef bool product_asks(void *ctx, struct slice path);

struct product_part {
    const struct product_box *box;
    product_asks *asks;
    void *ctx;
    struct arena arena;
    struct body body;
    uint64_t *need; /* bits of the fields that are asked for, or that others are made of */
    /* By key, of the paths that forms found in texts; WANTED_UNKNOWN: not looked at yet. */
    uint8_t *wanted;
    uint32_t n_wanted, generation;
    struct product_part *next;
};

/* NULL: out of memory. ctx is borrowed and outlives the part. */
struct product_part *part_new(const struct products *p, const struct product_box *box,
                              product_asks *asks, void *ctx);
void part_free(struct product_part *part);
/* Whether nothing of the file matters. */
bool part_is_empty(const struct product_part *part);

static inline bool part_needs(const struct product_part *part, uint32_t field)
{
    return part->need[field >> 6] >> (field & 63) & 1;
}
/* The same of any path, as forms find them in texts. */
bool part_wants(const struct products *p, struct product_part *part, const struct keys *keys,
                key_id key);

#endif
