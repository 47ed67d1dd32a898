/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Two tables. `slots` holds every id by the hash of its whole path and is what makes a path
 * unique. In front of it `recent` remembers ids by (parent, name), so that a name already seen
 * under its parent is found without putting the path together; it may forget. In front of that each
 * path remembers which one was asked for after it: records of a kind have their names in one order.
 *
 * The parent of a path is the path before its last dot, however the path came to be: interning
 * "a.b.c" under the root also interns "a" and "a.b".
 *
 * A path longer than KEY_NAME_MAX is stored as its beginning, `~` and 16 hex digits of a hash over
 * all of it. That hash runs byte by byte and is kept, so a child of such a path continues it.
 *
 * Past the hard bounds (ids, bytes of text) keys_intern() answers KEY_ROOT: such a value has no
 * name a rule could ask for, but keyword searches still see it.
 */
#include "event/keys.h"

#include <stdlib.h>

#include "base/hash.h"

enum {
    IDS_MAX = KEYS_MAX + KEYS_SLACK,
    TEXT_SOFT = 1024 * 1024, /* bytes of path text before keys_full() */
    TEXT_HARD = 2 * 1024 * 1024,
    TEXT_BLOCK = 64 * 1024,
    TEXT_BLOCKS = TEXT_HARD / TEXT_BLOCK,
    RECENT_SIZE = 8192,
    SLOTS_FIRST = 1024,
    CUT_KEEP = KEY_NAME_MAX - 17,
};

#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

struct path {
    const char *ptr;
    uint32_t len;
    key_id parent;
    key_id after;  /* asked for after it the last time */
    uint32_t hash; /* upper half of the table hash */
    bool cut;
    uint64_t full_hash; /* cut paths only: FNV-1a over the whole path */
};

struct recent {
    key_id parent;
    key_id id; /* KEY_ROOT: empty */
};

struct keys {
    struct path *paths;
    uint32_t count, cap;
    uint32_t generation;
    uint32_t slots_mask;
    key_id *slots; /* KEY_ROOT: empty */
    uint64_t seed;
    char *text[TEXT_BLOCKS];
    uint32_t text_block; /* block in use */
    uint32_t text_used;  /* bytes used of it */
    key_id last;         /* asked for before */
    struct recent recent[RECENT_SIZE];
};

static void *must(void *p)
{
    ASSERT(p != NULL);
    return p;
}

static void add_root(struct keys *k)
{
    k->paths[KEY_ROOT] = (struct path){.ptr = "", .parent = KEY_ROOT};
    k->count = 1;
    k->last = KEY_ROOT;
}

struct keys *keys_new(void)
{
    struct keys *k = calloc(1, sizeof *k);
    if (!k) return NULL;
    k->cap = SLOTS_FIRST / 2;
    k->slots_mask = SLOTS_FIRST - 1;
    k->paths = calloc(k->cap, sizeof *k->paths);
    k->slots = calloc(SLOTS_FIRST, sizeof *k->slots);
    if (!k->paths || !k->slots) {
        keys_free(k);
        return NULL;
    }
    /* A sender does not know the address, so he cannot prepare names that collide. */
    k->seed = hash_mix((uint64_t)(uintptr_t)k, (uint64_t)(uintptr_t)k->paths);
    add_root(k);
    return k;
}

void keys_free(struct keys *k)
{
    if (!k) return;
    for (size_t i = 0; i < TEXT_BLOCKS; i++) free(k->text[i]);
    free(k->paths);
    free(k->slots);
    free(k);
}

void keys_clear(struct keys *k)
{
    memset(k->slots, 0, ((size_t)k->slots_mask + 1) * sizeof *k->slots);
    memset(k->recent, 0, sizeof k->recent);
    k->text_block = k->text_used = 0;
    k->generation++;
    add_root(k);
}

/* The slot that holds the path, or the empty one where it belongs. */
static uint32_t slot_of(const struct keys *k, struct slice path, uint64_t hash)
{
    for (uint32_t i = (uint32_t)hash & k->slots_mask;; i = (i + 1) & k->slots_mask) {
        key_id id = k->slots[i];
        if (id == KEY_ROOT) return i;
        const struct path *p = &k->paths[id];
        if (p->hash == (uint32_t)(hash >> 32) && p->len == path.len &&
            memcmp(p->ptr, path.ptr, path.len) == 0)
            return i;
    }
}

static void grow(struct keys *k)
{
    k->cap *= 2;
    k->paths = must(realloc(k->paths, k->cap * sizeof *k->paths));
    k->slots_mask = k->slots_mask * 2 + 1;
    free(k->slots);
    k->slots = must(calloc((size_t)k->slots_mask + 1, sizeof *k->slots));
    for (key_id id = 1; id < k->count; id++) {
        struct slice path = keys_name(k, id);
        k->slots[slot_of(k, path, hash64_seed(path, k->seed))] = id;
    }
}

static const char *keep_text(struct keys *k, struct slice s)
{
    if (s.len > TEXT_BLOCK - k->text_used) {
        if (k->text_block + 1 == TEXT_BLOCKS) return NULL;
        k->text_block++;
        k->text_used = 0;
    }
    char **block = &k->text[k->text_block];
    if (!*block) *block = must(malloc(TEXT_BLOCK));
    char *p = *block + k->text_used;
    memcpy(p, s.ptr, s.len);
    k->text_used += (uint32_t)s.len;
    return p;
}

/* The id of a path of at most KEY_NAME_MAX bytes; KEY_ROOT past the bounds. */
static key_id find_or_add(struct keys *k, struct slice path, key_id parent, bool cut,
                          uint64_t full_hash)
{
    if (path.len == 0) return KEY_ROOT;
    uint64_t hash = hash64_seed(path, k->seed);
    uint32_t slot = slot_of(k, path, hash);
    if (k->slots[slot] != KEY_ROOT) return k->slots[slot];
    if (k->count == IDS_MAX) return KEY_ROOT;
    const char *text = keep_text(k, path);
    if (!text) return KEY_ROOT;
    if (k->count == k->cap) {
        grow(k);
        slot = slot_of(k, path, hash);
    }
    key_id id = k->count++;
    k->paths[id] = (struct path){
        .ptr = text,
        .len = (uint32_t)path.len,
        .parent = parent,
        .hash = (uint32_t)(hash >> 32),
        .cut = cut,
        .full_hash = full_hash,
    };
    k->slots[slot] = id;
    return id;
}

static uint64_t fnv(uint64_t hash, struct slice s)
{
    for (size_t i = 0; i < s.len; i++) hash = (hash ^ (unsigned char)s.ptr[i]) * FNV_PRIME;
    return hash;
}

/* Writes the stored form of the over-long path parent.name; returns the hash over all of it. */
static uint64_t cut_path(const struct path *parent, struct slice name, char dst[KEY_NAME_MAX])
{
    uint64_t full =
        parent->cut ? parent->full_hash : fnv(FNV_START, slice_make(parent->ptr, parent->len));
    size_t len = parent->cut ? CUT_KEEP : parent->len;
    if (len > CUT_KEEP) len = CUT_KEEP;
    memcpy(dst, parent->ptr, len);
    if (parent->len) {
        full = fnv(full, SLICE("."));
        if (len < CUT_KEEP) dst[len++] = '.';
    }
    full = fnv(full, name);
    struct slice head = slice_until(name, CUT_KEEP - len);
    if (head.len) memcpy(dst + len, head.ptr, head.len);
    dst[CUT_KEEP] = '~';
    for (size_t i = 0; i < 16; i++)
        dst[CUT_KEEP + 1 + i] = "0123456789abcdef"[full >> (60 - 4 * i) & 15];
    return full;
}

static size_t path_len(const struct path *parent, struct slice name)
{
    return parent->len + (parent->len != 0) + name.len;
}

/* Puts parent.name together and interns it, its dotted prefixes first. */
static key_id intern_slow(struct keys *k, key_id parent, struct slice name)
{
    const struct path *p = &k->paths[parent];
    char text[KEY_NAME_MAX];
    if (p->cut || name.len > KEY_NAME_MAX || path_len(p, name) > KEY_NAME_MAX) {
        uint64_t full = cut_path(p, name, text);
        return find_or_add(k, slice_make(text, KEY_NAME_MAX), parent, true, full);
    }
    size_t len = p->len;
    memcpy(text, p->ptr, len);
    if (len) text[len++] = '.';
    size_t start = len;
    if (name.len) memcpy(text + len, name.ptr, name.len);
    len += name.len;
    for (size_t i = start; i < len; i++)
        if (text[i] == '.') parent = find_or_add(k, slice_make(text, i), parent, false, 0);
    return find_or_add(k, slice_make(text, len), parent, false, 0);
}

/* Whether that is the path parent.name. */
static inline bool is_path(const struct keys *k, key_id id, key_id parent, struct slice name)
{
    const struct path *p = &k->paths[id];
    if (p->len != path_len(&k->paths[parent], name) || p->cut || name.len == 0) return false;
    return (parent == KEY_ROOT || p->parent == parent) &&
           memcmp(p->ptr + p->len - name.len, name.ptr, name.len) == 0;
}

/* Of a path that did not come after this one before. */
static __attribute__((noinline)) key_id intern(struct keys *k, key_id parent, struct slice name)
{
    uint64_t hash = hash_mix(hash64(name), parent);
    struct recent *r = &k->recent[hash & (RECENT_SIZE - 1)];
    if (r->id != KEY_ROOT && r->parent == parent) {
        /* A remembered path is never cut: its tail behind the parent's path is the name. */
        const struct path *p = &k->paths[r->id];
        if (path_len(&k->paths[parent], name) == p->len &&
            memcmp(p->ptr + p->len - name.len, name.ptr, name.len) == 0)
            return r->id;
    }
    key_id id = intern_slow(k, parent, name);
    if (id != KEY_ROOT && name.len && !k->paths[id].cut)
        *r = (struct recent){.parent = parent, .id = id};
    return id;
}

key_id keys_intern(struct keys *k, key_id parent, struct slice name)
{
    key_id id = k->paths[k->last].after;
    if (is_path(k, id, parent, name)) return k->last = id;
    id = intern(k, parent, name);
    k->paths[k->last].after = id;
    return k->last = id;
}

key_id keys_find(const struct keys *k, struct slice path)
{
    char text[KEY_NAME_MAX];
    if (path.len == 0) return KEY_ROOT;
    if (path.len > KEY_NAME_MAX) {
        (void)cut_path(&k->paths[KEY_ROOT], path, text);
        path = slice_make(text, sizeof text);
    }
    key_id id = k->slots[slot_of(k, path, hash64_seed(path, k->seed))];
    return id == KEY_ROOT ? KEY_NONE : id;
}

struct slice keys_name(const struct keys *k, key_id key)
{
    ASSERT(key < k->count);
    return slice_make(k->paths[key].ptr, k->paths[key].len);
}

key_id keys_parent(const struct keys *k, key_id key)
{
    ASSERT(key < k->count);
    return k->paths[key].parent;
}

uint32_t keys_count(const struct keys *k)
{
    return k->count;
}

bool keys_full(const struct keys *k)
{
    return k->count >= KEYS_MAX || k->text_block >= TEXT_SOFT / TEXT_BLOCK;
}

uint32_t keys_generation(const struct keys *k)
{
    return k->generation;
}
