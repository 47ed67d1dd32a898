/* SPDX-License-Identifier: EUPL-1.2 */
#include <stdlib.h>

#include "notify/internal.h"

enum { ANSWERS_KEPT = 1024 };

struct memory {
    struct known known[NOTIFY_KNOWN_MAX]; /* the oldest is overwritten */
    uint64_t answers[ANSWERS_KEPT];       /* hashes of what was told */
    uint32_t next, next_answer;
};

int memory_new(struct memory **ret)
{
    *ret = calloc(1, sizeof **ret);
    return *ret ? 0 : ERR_NOMEM;
}

void memory_free(struct memory *m)
{
    free(m);
}

struct known *memory_find(struct memory *m, unsigned asker, uint64_t attempt)
{
    for (uint32_t i = 0; i < NOTIFY_KNOWN_MAX; i++)
        if (m->known[i].attempt == attempt && m->known[i].asker == asker) return &m->known[i];
    return NULL;
}

struct known *memory_find_reference(struct memory *m, const struct line *l,
                                    enum notify_channel channel, struct slice reference)
{
    for (uint32_t i = 0; i < NOTIFY_KNOWN_MAX && reference.len; i++) {
        struct known *k = &m->known[i];
        if (k->attempt && k->line == l && k->channel == channel &&
            slice_eq(slice_of(k->reference), reference))
            return k;
    }
    return NULL;
}

struct known *memory_add(struct memory *m, unsigned asker, uint64_t attempt)
{
    for (uint32_t i = 0; i < NOTIFY_KNOWN_MAX; i++) {
        struct known *k = &m->known[m->next++ % NOTIFY_KNOWN_MAX];
        if (k->attempt && !k->outcome) continue; /* its outcome is still to be told */
        *k = (struct known){.attempt = attempt, .asker = asker};
        return k;
    }
    return NULL;
}

struct known *memory_next(struct memory *m, const struct line *l, struct known *after)
{
    for (struct known *k = after ? after + 1 : m->known; k < m->known + NOTIFY_KNOWN_MAX; k++)
        if (k->attempt && k->following && k->line == l) return k;
    return NULL;
}

bool memory_is_new(struct memory *m, uint64_t answer)
{
    if (answer == 0) answer = 1;
    for (uint32_t i = 0; i < ANSWERS_KEPT; i++)
        if (m->answers[i] == answer) return false;
    m->answers[m->next_answer++ % ANSWERS_KEPT] = answer;
    return true;
}
