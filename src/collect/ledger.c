/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/ledger.h"

#include "base/hash.h"

const char *ledger_loss_name(unsigned loss)
{
    static const char *const names[] = {
#define X(name, text) text,
        LEDGER_LOSSES(X)
#undef X
    };
    return loss < LEDGER_LOSS_COUNT ? names[loss] : "unknown";
}

int ledger_init(struct ledger *l, uint32_t max, uint64_t seed)
{
    ASSERT(max >= 2 && max <= 1 << 24);
    uint32_t slots = 4;
    while (slots < 2 * max) slots *= 2;
    *l = (struct ledger){.max = max, .mask = slots - 1, .seed = seed};
    l->rows = calloc(max, sizeof *l->rows);
    l->slots = calloc(slots, sizeof *l->slots);
    if (!l->rows || !l->slots) {
        ledger_done(l);
        return ERR_NOMEM;
    }
    l->n = 1;
    l->rows[0].source = SLICE("others\t\t\t");
    return 0;
}

void ledger_done(struct ledger *l)
{
    for (uint32_t i = 1; i < l->n; i++) free((void *)(uintptr_t)l->rows[i].source.ptr);
    free(l->rows);
    free(l->slots);
    *l = (struct ledger){0};
}

struct ledger_row *ledger_row_of(struct ledger *l, struct slice source)
{
    uint64_t hash = hash64_seed(source, l->seed);
    uint32_t slot = (uint32_t)hash & l->mask;
    for (; l->slots[slot]; slot = (slot + 1) & l->mask) {
        struct ledger_row *row = &l->rows[l->slots[slot]];
        if (row->hash == hash && slice_eq(row->source, source)) return row;
    }
    char *copy = l->n < l->max ? malloc(source.len + 1) : NULL;
    if (!copy) return &l->rows[0];
    if (source.len) memcpy(copy, source.ptr, source.len);
    struct ledger_row *row = &l->rows[l->n];
    row->source = slice_make(copy, source.len);
    row->hash = hash;
    l->slots[slot] = l->n++;
    return row;
}

bool ledger_take(struct ledger_bucket *b, uint64_t per_second, uint64_t n, nsec monotonic)
{
    if (per_second == 0) return true;
    nsec passed = monotonic - b->filled;
    if (b->filled == 0 || passed >= NSEC_PER_SEC) {
        b->left = per_second;
        b->filled = monotonic;
    } else {
        /* Less than a second: no overflow below 2^34 a second. What is below one token waits. */
        uint64_t come = (uint64_t)passed * per_second / NSEC_PER_SEC;
        if (come > 0) {
            b->left = b->left + come > per_second ? per_second : b->left + come;
            b->filled = monotonic;
        }
    }
    if (b->left == 0) return false;
    b->left -= n < b->left ? n : b->left;
    return true;
}
