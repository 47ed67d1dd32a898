/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Field paths, interned. Every leaf of an event is named by the path to it with dots between the
 * parts and without array positions ("TargetResources.ModifiedProperties.NewValue"); a path is
 * a small number here, so that everything later indexes arrays instead of comparing text.
 *
 * A path is interned once and means the same until keys_clear(). The table belongs to one thread.
 * A sender can invent names without end, so it is bounded: keys_full() says that the owner should
 * clear it between two records (and forget everything it had looked up by key id). Within one
 * record it may grow past that by KEYS_SLACK.
 */
#ifndef VAKA_EVENT_KEYS_H
#define VAKA_EVENT_KEYS_H

#include "base/error.h"
#include "base/slice.h"

typedef uint32_t key_id;

enum {
    KEY_ROOT = 0,     /* the record itself; parent of all top-level names */
    KEYS_MAX = 65536, /* paths before keys_full() */
    KEYS_SLACK = 32768,
    KEY_NAME_MAX = 1024, /* bytes of one path; longer ones are cut (and stay distinct by hash) */
};

struct keys;

struct keys *keys_new(void);
void keys_free(struct keys *k);

/* The path parent.name; adds it when new. Never fails within the bounds above (aborts on OOM). */
key_id keys_intern(struct keys *k, key_id parent, struct slice name);
/* The key of a whole flat path ("a.b.c" as one name under the root); the same id as by parts. */
static inline key_id keys_intern_path(struct keys *k, struct slice path)
{
    return keys_intern(k, KEY_ROOT, path);
}
/*
 * Looks a flat path up without adding it; KEY_NONE when unknown.
 */
#define KEY_NONE UINT32_MAX
key_id keys_find(const struct keys *k, struct slice path);

/* The whole dotted path; valid until keys_clear(). */
struct slice keys_name(const struct keys *k, key_id key);
key_id keys_parent(const struct keys *k, key_id key);
/* Number of ids given so far: every id is below it. */
uint32_t keys_count(const struct keys *k);
bool keys_full(const struct keys *k);
/* Forgets all; the generation changes. */
void keys_clear(struct keys *k);
uint32_t keys_generation(const struct keys *k);

#endif
