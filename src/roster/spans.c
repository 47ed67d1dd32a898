/* SPDX-License-Identifier: EUPL-1.2 */
#include "roster/spans.h"

#include <stdlib.h>

void spans_add(struct spans *s, nsec from, nsec until)
{
    if (from >= until) return;
    if (s->n == s->cap) {
        uint32_t cap = s->cap ? 2 * s->cap : 64;
        struct span *items = arena_zalloc(s->arena, cap, sizeof *items);
        s->failed = s->failed || !items;
        if (!items) return;
        if (s->n) memcpy(items, s->items, s->n * sizeof *items);
        s->items = items;
        s->cap = cap;
    }
    s->items[s->n++] = (struct span){from, until};
}

void spans_add_all(struct spans *s, const struct spans *other)
{
    for (uint32_t i = 0; i < other->n; i++)
        spans_add(s, other->items[i].from, other->items[i].until);
    s->failed = s->failed || other->failed;
}

static int by_time(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

void spans_join(struct spans *s, nsec within)
{
    uint32_t n = 0;
    if (s->n) qsort(s->items, s->n, sizeof *s->items, by_time);
    for (uint32_t i = 0; i < s->n; i++) {
        struct span *last = n ? &s->items[n - 1] : NULL, *span = &s->items[i];
        bool joins = last && (span->from <= last->until || span->from - last->until < within);
        if (!joins) s->items[n++] = *span;
        else if (span->until > last->until) last->until = span->until;
    }
    s->n = n;
}

void spans_cut(struct spans *s, const struct spans *without)
{
    struct spans left;
    spans_init(&left, s->arena);
    for (uint32_t i = 0; i < s->n; i++) {
        nsec at = s->items[i].from, until = s->items[i].until;
        for (uint32_t k = 0; k < without->n; k++) {
            const struct span *w = &without->items[k];
            if (w->until <= at || w->from >= until) continue;
            spans_add(&left, at, w->from);
            at = w->until;
        }
        spans_add(&left, at, until);
    }
    left.failed = left.failed || s->failed;
    *s = left;
}

nsec spans_longest_hole(const struct spans *s, nsec from, nsec until)
{
    nsec at = from, longest = 0;
    for (uint32_t i = 0; i < s->n && at < until; i++) {
        const struct span *span = &s->items[i];
        if (span->until <= at) continue;
        nsec end = span->from < until ? span->from : until;
        if (end - at > longest) longest = end - at;
        at = span->until;
    }
    return until - at > longest ? until - at : longest;
}

nsec spans_sum(const struct spans *s, nsec from, nsec until)
{
    nsec sum = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        nsec begin = s->items[i].from > from ? s->items[i].from : from;
        nsec end = s->items[i].until < until ? s->items[i].until : until;
        if (end > begin) sum += end - begin;
    }
    return sum;
}

bool spans_touch(const struct spans *s, nsec from, nsec until)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->items[i].from < until && s->items[i].until > from) return true;
    return false;
}

const struct span *spans_at(const struct spans *s, nsec time)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->items[i].from <= time && time < s->items[i].until) return &s->items[i];
    return NULL;
}

nsec spans_next_hole(const struct spans *s, nsec from, nsec length)
{
    nsec at = from;
    for (uint32_t i = 0; i < s->n; i++) {
        const struct span *span = &s->items[i];
        if (span->until <= at) continue;
        if (span->from - at >= length) return at;
        at = span->until;
    }
    return at;
}
