/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/correlate/internal.h"

#include <stdlib.h>

#include "base/hash.h"

enum { MALLOC_COST = 16, SLOTS_FIRST = 64 };

/* Memory */

/* The group touched longest ago, of all correlations; never c->busy. */
static struct group *oldest_group(const struct correlator *c)
{
    struct group *oldest = NULL;
    for (uint32_t i = 0; i < c->n_plans; i++) {
        struct group *g = c->plans[i].oldest;
        if (g && g == c->busy) g = g->newer;
        if (g && (!oldest || g->last < oldest->last)) oldest = g;
    }
    return oldest;
}

static bool make_room(struct correlator *c, size_t size)
{
    if (size > c->max_bytes) return false;
    size_t want = c->max_bytes - size;
    if (c->stats.bytes <= want) return true;
    /* A little more than needed, so that the search is not made for every event. */
    size_t slack = c->max_bytes / 32;
    size_t goal = want > slack ? want - slack : 0;
    while (c->stats.bytes > goal) {
        struct group *g = oldest_group(c);
        if (!g) break;
        /* Nothing is lost with a group whose events are all out of date. */
        if (g->heap_at != HEAP_NONE || nsec_add(g->last, g->plan->corr->timespan) >= c->now)
            c->stats.evicted++;
        if (g->held) correlator_report_held(c, g);
        group_drop(c, g);
    }
    return c->stats.bytes <= want;
}

static void mem_count(struct correlator *c, size_t taken, size_t given)
{
    c->stats.bytes += taken;
    c->stats.bytes -= given;
    if (c->stats.bytes > c->stats.bytes_peak) c->stats.bytes_peak = c->stats.bytes;
}

void *mem_take(struct correlator *c, size_t size)
{
    if (!make_room(c, size + MALLOC_COST)) return NULL;
    void *p = malloc(size);
    if (p) mem_count(c, size + MALLOC_COST, 0);
    return p;
}

void *mem_resize(struct correlator *c, void *old, size_t old_size, size_t size)
{
    if (!old) return mem_take(c, size);
    /* While it moves both exist. */
    if (!make_room(c, size + MALLOC_COST)) return NULL;
    void *p = realloc(old, size);
    if (p) mem_count(c, size, old_size);
    return p;
}

void mem_give(struct correlator *c, void *p, size_t size)
{
    if (!p) return;
    free(p);
    mem_count(c, 0, size + MALLOC_COST);
}

/* The heap of windows by their end */

static bool ends_before(const struct group *a, const struct group *b)
{
    if (a->due != b->due) return a->due < b->due;
    /* Referred correlations first: a firing still reaches a window that ends with it. */
    if (a->plan->index != b->plan->index) return a->plan->index < b->plan->index;
    return a->serial < b->serial;
}

static void heap_put(struct correlator *c, uint32_t at, struct group *g)
{
    c->heap[at] = g;
    g->heap_at = at;
}

static void heap_up(struct correlator *c, uint32_t at)
{
    struct group *g = c->heap[at];
    while (at > 0 && ends_before(g, c->heap[(at - 1) / 2])) {
        heap_put(c, at, c->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_put(c, at, g);
}

static void heap_down(struct correlator *c, uint32_t at)
{
    struct group *g = c->heap[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= c->n_heap) break;
        if (child + 1 < c->n_heap && ends_before(c->heap[child + 1], c->heap[child])) child++;
        if (!ends_before(c->heap[child], g)) break;
        heap_put(c, at, c->heap[child]);
        at = child;
    }
    heap_put(c, at, g);
}

static void heap_remove(struct correlator *c, struct group *g)
{
    uint32_t at = g->heap_at;
    g->heap_at = HEAP_NONE;
    struct group *last = c->heap[--c->n_heap];
    if (last == g) return;
    heap_put(c, at, last);
    heap_up(c, at);
    heap_down(c, last->heap_at);
}

void group_schedule(struct correlator *c, struct group *g, nsec due)
{
    ASSERT(g->heap_at == HEAP_NONE && c->n_heap < c->n_slots);
    g->due = due;
    heap_put(c, c->n_heap, g);
    heap_up(c, c->n_heap++);
}

/* The table */

static uint32_t slot_of(const struct correlator *c, uint64_t hash, const struct corr_plan *plan,
                        struct slice key)
{
    uint32_t mask = c->n_slots - 1;
    for (uint32_t i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
        const struct group *g = c->slots[i].group;
        if (!g) return i;
        if (c->slots[i].hash == hash && g->plan == plan && g->key_len == key.len &&
            memcmp(g->text, key.ptr, key.len) == 0)
            return i;
    }
}

/* Closes the gap so that no search ends too early. */
static void slot_clear(struct correlator *c, uint32_t at)
{
    uint32_t mask = c->n_slots - 1;
    for (uint32_t i = (at + 1) & mask; c->slots[i].group; i = (i + 1) & mask) {
        uint32_t home = (uint32_t)c->slots[i].hash & mask;
        if (((i - home) & mask) < ((i - at) & mask)) continue;
        c->slots[at] = c->slots[i];
        at = i;
    }
    c->slots[at] = (struct slot){0};
}

static bool table_grow(struct correlator *c)
{
    uint32_t n = c->n_slots ? c->n_slots * 2 : SLOTS_FIRST;
    if (!n) return false;
    struct slot *slots = mem_take(c, n * sizeof *slots);
    if (!slots) return false;
    struct group **heap =
        mem_resize(c, c->heap, c->n_slots * sizeof(struct group *), n * sizeof(struct group *));
    if (!heap) {
        mem_give(c, slots, n * sizeof *slots);
        return false;
    }
    c->heap = heap;
    memset(slots, 0, n * sizeof *slots);
    for (uint32_t i = 0; i < c->n_slots; i++) {
        if (!c->slots[i].group) continue;
        uint32_t k = (uint32_t)c->slots[i].hash & (n - 1);
        while (slots[k].group) k = (k + 1) & (n - 1);
        slots[k] = c->slots[i];
    }
    mem_give(c, c->slots, c->n_slots * sizeof *slots);
    c->slots = slots;
    c->n_slots = n;
    return true;
}

/* Room for one more; when the table may not grow, old groups make place. */
static bool table_reserve(struct correlator *c)
{
    if (c->n_groups < c->n_slots - c->n_slots / 4) return true;
    if (table_grow(c)) return true;
    if (c->n_slots && c->n_groups < c->n_slots - c->n_slots / 4) return true; /* growing evicted */
    struct group *g = oldest_group(c);
    if (!g) return false;
    c->stats.evicted++;
    if (g->held) correlator_report_held(c, g);
    group_drop(c, g);
    return true;
}

/* Groups */

static void list_add(struct group *g)
{
    struct corr_plan *plan = g->plan;
    g->older = plan->newest;
    g->newer = NULL;
    if (plan->newest) plan->newest->newer = g;
    else plan->oldest = g;
    plan->newest = g;
}

static void list_remove(struct group *g)
{
    struct corr_plan *plan = g->plan;
    if (g->older) g->older->newer = g->newer;
    else plan->oldest = g->newer;
    if (g->newer) g->newer->older = g->older;
    else plan->newest = g->older;
}

void group_touch(struct group *g)
{
    if (!g->newer) return;
    list_remove(g);
    list_add(g);
}

static bool state_init(struct correlator *c, struct group *g)
{
    switch (g->plan->kind) {
    case KIND_DISTINCT:
        distinct_init(&g->u.distinct);
        return true;
    case KIND_TEMPORAL:
    case KIND_ORDERED:
        return temporal_init(c, g);
    default:
        return true;
    }
}

static void state_done(struct correlator *c, struct group *g)
{
    switch (g->plan->kind) {
    case KIND_COUNT:
    case KIND_SUM:
        samples_done(c, g);
        break;
    case KIND_AVG:
        break;
    case KIND_QUANTILE:
        quantile_done(c, g);
        break;
    case KIND_DISTINCT:
        distinct_done(c, g);
        break;
    case KIND_TEMPORAL:
    case KIND_ORDERED:
        temporal_done(c, g);
        break;
    }
}

static void group_free(struct correlator *c, struct group *g)
{
    state_done(c, g);
    mem_give(c, g->evidence, sizeof *g->evidence);
    mem_give(c, g->carried, g->carried_size);
    mem_give(c, g, sizeof *g + g->key_len + g->shown_len);
}

void group_drop(struct correlator *c, struct group *g)
{
    if (g->heap_at != HEAP_NONE) heap_remove(c, g);
    list_remove(g);
    slot_clear(c, slot_of(c, g->hash, g->plan, slice_make(g->text, g->key_len)));
    c->n_groups--;
    group_free(c, g);
}

size_t group_put_text(char *dst, struct slice text)
{
    size_t len = text.len;
    if (len > CORRELATOR_SHOWN_MAX) {
        len = CORRELATOR_SHOWN_MAX;
        /* Not in the middle of a character. */
        for (int i = 0; i < 3 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80; i++) len--;
    }
    uint16_t stored = (uint16_t)len;
    memcpy(dst, &stored, sizeof stored);
    if (len) memcpy(dst + sizeof stored, text.ptr, len);
    return sizeof stored + len;
}

struct slice group_next_text(const char **pos)
{
    uint16_t len;
    memcpy(&len, *pos, sizeof len);
    struct slice text = {*pos + sizeof len, len};
    *pos += sizeof len + len;
    return text;
}

static size_t shown_size(struct slice text)
{
    return 2 + (text.len < CORRELATOR_SHOWN_MAX ? text.len : CORRELATOR_SHOWN_MAX);
}

static struct group *group_new(struct correlator *c, struct corr_plan *plan, struct slice key,
                               uint64_t hash, const struct corr_event *ev,
                               const struct corr_use *use)
{
    if (!table_reserve(c)) return NULL;
    size_t shown = 0;
    for (uint32_t i = 0; i < plan->corr->n_group_by; i++)
        shown += shown_size(ev->values[use->index[i]]);
    struct group *g = mem_take(c, sizeof *g + key.len + shown);
    if (!g) return NULL;
    memset(g, 0, sizeof *g);
    g->hash = hash;
    g->serial = c->stats.groups_opened;
    g->plan = plan;
    g->first = g->last = ev->time;
    g->heap_at = HEAP_NONE;
    g->key_len = (uint32_t)key.len;
    g->shown_len = (uint32_t)shown;
    if (key.len) memcpy(g->text, key.ptr, key.len);
    char *pos = g->text + key.len;
    for (uint32_t i = 0; i < plan->corr->n_group_by; i++)
        pos += group_put_text(pos, ev->values[use->index[i]]);
    if (!state_init(c, g)) {
        state_done(c, g);
        mem_give(c, g, sizeof *g + key.len + shown);
        return NULL;
    }
    list_add(g);
    /* Found anew: taking memory may have moved the table's entries. */
    c->slots[slot_of(c, hash, plan, key)] = (struct slot){hash, g};
    c->n_groups++;
    c->stats.groups_opened++;
    return g;
}

struct group *group_get(struct correlator *c, struct corr_plan *plan, size_t key_len,
                        const struct corr_event *ev, const struct corr_use *use)
{
    struct slice key = {c->key, key_len};
    uint64_t hash = hash64_seed(key, c->seed + plan->index);
    struct group *g = c->n_slots ? c->slots[slot_of(c, hash, plan, key)].group : NULL;
    return g ? g : group_new(c, plan, key, hash, ev, use);
}

bool group_take_evidence(struct correlator *c, struct group *g)
{
    if (g->evidence) return true;
    g->evidence = mem_take(c, sizeof *g->evidence);
    if (!g->evidence) return false;
    g->evidence->n = 0;
    return true;
}

void group_add_ref(struct group *g, uint64_t ref)
{
    if (g->evidence && g->evidence->n < CORRELATOR_REFS_MAX)
        g->evidence->refs[g->evidence->n++] = ref;
}
