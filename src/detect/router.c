/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * From an event to its route.
 *
 * What sources ask is a fixed list of facts (field equals a text, begins with it, is there). One
 * pass over the event's fields collects which of them hold as a bit set; together with the names
 * product, category and service in the event itself, as small numbers, that is all a route depends
 * on. So the route is looked up by (facts, explicit names) in a small table and worked out by
 * plain loops only the first time. Whatever a sender writes, the key has the same few words.
 *
 * Bounds: routes TAXONOMY_ROUTES_MAX; explicit names EXPLICIT_MAX, the cache CACHE_ROWS. When
 * there are more of the latter, they are forgotten and begin anew. Half of the routes are kept for
 * those that need no explicit names; when the other half is used up, explicit names are ignored,
 * which opens what they would have closed: more rules are tried, none is missed.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "detect/router_state.h"

enum {
    CACHE_ROWS = 2048, /* power of two */
    EXPLICIT_ROUTES_MAX = TAXONOMY_ROUTES_MAX / 2,
};

/* A route and the labels it owns. */
struct route_box {
    struct taxonomy_route route;
    uint64_t hash;
    struct taxonomy_label *labels;
    char text[N_EXPLICIT][EXPLICIT_LEN_MAX]; /* of the explicit label */
};

/* ---- building ---- */

static const struct taxonomy_route *intern_route(struct router *r,
                                                 const struct taxonomy_label *labels, uint32_t n,
                                                 const struct taxonomy_route *more,
                                                 bool is_explicit);

static size_t key_words(const struct router *r)
{
    return (size_t)r->n_words + 1;
}

static size_t row_words(const struct router *r)
{
    return key_words(r) + 2 * (size_t)r->n_look_words;
}

struct router *router_new(const struct taxonomy *t, struct keys *keys)
{
    struct router *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->t = t;
    r->keys = keys;
    r->generation = keys_generation(keys);
    r->format_slot = UINT32_MAX;
    r->n_words = (t->facts.n + 63) / 64;
    r->key = calloc(key_words(r), sizeof *r->key);
    r->row_route = calloc(CACHE_ROWS, sizeof *r->row_route);
    r->routes = calloc(TAXONOMY_ROUTES_MAX, sizeof *r->routes);
    r->scratch = calloc((size_t)t->sources.n + 1, sizeof *r->scratch);
    r->n_explicit = 1;
    struct timespec ts;
    if (clock_gettime(CLOCK_REALTIME, &ts) == 0) r->now = ts.tv_sec * NSEC_PER_SEC;
    bool whole = r->key && r->row_route && r->routes && r->scratch && router_facts_init(r) &&
                 router_looks_init(r);
    if (whole) r->rows = calloc(row_words(r) * CACHE_ROWS, sizeof *r->rows);
    if (!r->rows) {
        router_free(r);
        return NULL;
    }
    router_event_init(r);
    const struct taxonomy_route open = {
        .open_product = true, .open_category = true, .open_service = true};
    r->unknown = intern_route(r, NULL, 0, &open, false);
    if (!r->unknown) {
        router_free(r);
        return NULL;
    }
    return r;
}

void router_free(struct router *r)
{
    if (!r) return;
    for (uint32_t i = 0; i < r->n_routes; i++) {
        free(r->routes[i]->labels);
        free(r->routes[i]);
    }
    free(r->roles);
    router_facts_done(r);
    router_looks_done(r);
    router_event_done(r);
    free(r->key);
    free(r->rows);
    free(r->row_route);
    free(r->routes);
    free(r->scratch);
    free(r);
}

/* ---- roles of keys ---- */

/* The new ones are ROLE_NEW and RANK_NEW: all bits are set. */
static void *grow(void *at, size_t size, uint32_t from, uint32_t to)
{
    char *grown = realloc(at, to * size);
    ASSERT(grown);
    memset(grown + from * size, 0xff, (to - from) * size);
    return grown;
}

void router_cover_keys(struct router *r)
{
    if (r->generation != keys_generation(r->keys)) {
        if (r->cap_roles) {
            memset(r->roles, 0xff, r->cap_roles * sizeof *r->roles);
            memset(r->time_ranks, 0xff, r->cap_roles);
            memset(r->host_ranks, 0xff, r->cap_roles);
            memset(r->entity_ranks, 0xff, r->cap_roles);
        }
        r->generation = keys_generation(r->keys);
    }
    uint32_t n = keys_count(r->keys);
    if (n <= r->cap_roles) return;
    uint32_t want = n + n / 2 + 256;
    r->roles = grow(r->roles, sizeof *r->roles, r->cap_roles, want);
    r->time_ranks = grow(r->time_ranks, 1, r->cap_roles, want);
    r->host_ranks = grow(r->host_ranks, 1, r->cap_roles, want);
    r->entity_ranks = grow(r->entity_ranks, 1, r->cap_roles, want);
    r->cap_roles = want;
}

/* ---- routes ---- */

static bool label_eq(const struct taxonomy_label *a, const struct taxonomy_label *b)
{
    return slice_eq(a->product, b->product) && slice_eq(a->category, b->category) &&
           slice_eq(a->service, b->service);
}

static struct slice own(char *to, struct slice s)
{
    if (s.len == 0) return SLICE_NONE;
    memcpy(to, s.ptr, s.len);
    return slice_make(to, s.len);
}

/*
 * The one route with these labels (in this order) and what else is said in `more`. An explicit
 * label is the last one; its text is copied. NULL when there are too many routes, or no memory.
 */
static const struct taxonomy_route *intern_route(struct router *r,
                                                 const struct taxonomy_label *labels, uint32_t n,
                                                 const struct taxonomy_route *more,
                                                 bool is_explicit)
{
    uint64_t hash = hash_mix(
        more->owner, (uint64_t)more->beside << 3 | (uint64_t)more->open_product |
                         (uint64_t)more->open_category << 1 | (uint64_t)more->open_service << 2);
    for (uint32_t i = 0; i < n; i++) {
        hash = hash_mix(hash, hash64_seed(labels[i].product, 1));
        hash = hash_mix(hash, hash64_seed(labels[i].category, 2));
        hash = hash_mix(hash, hash64_seed(labels[i].service, 3));
    }
    for (uint32_t i = 0; i < r->n_routes; i++) {
        const struct route_box *b = r->routes[i];
        if (b->hash != hash || b->route.n_labels != n || b->route.beside != more->beside ||
            b->route.owner != more->owner || b->route.asked != more->asked ||
            b->route.open_product != more->open_product ||
            b->route.open_category != more->open_category ||
            b->route.open_service != more->open_service)
            continue;
        bool same = true;
        for (uint32_t j = 0; j < n && same; j++)
            same = label_eq(&b->labels[j], &labels[j]) && b->labels[j].map == labels[j].map;
        if (same) return &b->route;
    }
    if (r->n_routes == TAXONOMY_ROUTES_MAX ||
        (is_explicit && r->n_explicit_routes == EXPLICIT_ROUTES_MAX))
        return NULL;
    struct route_box *b = calloc(1, sizeof *b);
    struct taxonomy_label *copy = calloc((size_t)n + 1, sizeof *copy);
    if (!b || !copy) {
        free(b);
        free(copy);
        return NULL;
    }
    if (n) memcpy(copy, labels, n * sizeof *copy);
    if (is_explicit) {
        struct taxonomy_label *last = &copy[n - 1];
        last->product = own(b->text[0], last->product);
        last->category = own(b->text[1], last->category);
        last->service = own(b->text[2], last->service);
        r->n_explicit_routes++;
    }
    b->hash = hash;
    b->labels = copy;
    b->route = *more;
    b->route.id = r->n_routes;
    b->route.labels = copy;
    b->route.n_labels = n;
    b->route.taxonomy = r->t;
    r->routes[r->n_routes++] = b;
    return &b->route;
}

/* How many conditions of the source's alternative hold that asks for most; 0: none does. */
static uint32_t source_holds(const struct router *r, const struct taxonomy_source *source)
{
    uint32_t most = 0;
    for (uint32_t w = 0; w < source->n_whens; w++) {
        bool all = true;
        for (uint32_t c = 0; c < source->whens[w].n_conds && all; c++) {
            const struct taxonomy_cond *cond = &source->whens[w].conds[c];
            bool any = false;
            for (uint32_t f = 0; f < cond->n_facts && !any; f++)
                any = router_fact_holds(r, cond->facts[f]);
            all = any != cond->absent;
        }
        if (all && source->whens[w].n_conds > most) most = source->whens[w].n_conds;
    }
    return most;
}

static struct slice explicit_at(const struct router *r, unsigned which)
{
    uint64_t n = r->key[r->n_words] >> (which * 16) & 0xffff;
    return n ? slice_make(r->explicit_text[n], r->explicit_len[n]) : SLICE_NONE;
}

/* Whether some source may give this category or service. */
static bool is_known(const struct router *r, struct slice category, struct slice service)
{
    for (uint32_t i = 0; i < r->t->labels.n; i++) {
        const struct taxonomy_label *l = &r->t->labels.at[i];
        if ((category.len && slice_eq(l->category, category)) ||
            (service.len && slice_eq(l->service, service)))
            return true;
    }
    return false;
}

/*
 * What the event says of itself. Without a product, category and service are everyday words (a
 * trace's `service`, an audit log's `category`): they count only when nothing else is known and
 * Sigma has such a word.
 */
static bool explicit_label(const struct router *r, uint32_t n_labels, struct taxonomy_label *ret)
{
    *ret = (struct taxonomy_label){explicit_at(r, 0), explicit_at(r, 1), explicit_at(r, 2), NULL};
    if (ret->product.len) return true;
    if (!ret->category.len && !ret->service.len) return false;
    return n_labels == 0 && is_known(r, ret->category, ret->service);
}

/* The labels of all sources that hold, in scratch; what else they say, in *more. */
static uint32_t collect_labels(struct router *r, struct taxonomy_route *more)
{
    const struct taxonomy *t = r->t;
    uint32_t n = 0, most = 0;
    for (uint32_t i = 0; i < t->sources.n; i++) {
        const struct taxonomy_source *source = &t->sources.at[i];
        const struct taxonomy_label *label = &t->labels.at[i];
        uint32_t holding = source_holds(r, source);
        if (!holding) continue;
        if (source->owner && holding > most) {
            most = holding;
            more->owner = source->owner;
            more->asked = holding;
        }
        if (!label->product.len && !label->category.len && !label->service.len) continue;
        more->open_product &= label->product.len == 0;
        more->open_category &= source->open_category && label->category.len == 0;
        more->open_service &= source->open_service && label->service.len == 0;
        bool have = false;
        for (uint32_t j = 0; j < n && !have; j++)
            have =
                label_eq(&r->scratch[j], label) && (!label->map || r->scratch[j].map == label->map);
        if (!have) r->scratch[n++] = *label;
    }
    return n;
}

static const struct taxonomy_route *work_out(struct router *r)
{
    const struct taxonomy *t = r->t;
    struct taxonomy_route more = {
        .open_product = true, .open_category = true, .open_service = true};
    for (uint32_t i = 0; i < t->stand_ins.n; i++)
        more.beside |= (uint32_t)router_fact_holds(r, t->stand_ins.at[i].beside) << i;
    uint32_t n = collect_labels(r, &more);
    struct taxonomy_label said;
    if (explicit_label(r, n, &said)) {
        struct taxonomy_route left = more;
        left.open_product &= !said.product.len;
        left.open_category &= !said.category.len && !said.service.len;
        left.open_service &= !said.category.len && !said.service.len;
        bool have = false;
        for (uint32_t j = 0; j < n && !have; j++) have = label_eq(&r->scratch[j], &said);
        if (!have) r->scratch[n] = said;
        const struct taxonomy_route *route =
            intern_route(r, r->scratch, have ? n : n + 1, &left, !have);
        if (route) return route;
    }
    const struct taxonomy_route *route = intern_route(r, r->scratch, n, &more, false);
    if (route) return route;
    r->crowded = true;
    return r->unknown;
}

static bool is_row(const struct router *r, uint32_t at)
{
    size_t bytes = key_words(r) * sizeof *r->key;
    return r->row_route[at] && memcmp(r->rows + at * row_words(r), r->key, bytes) == 0;
}

static void clear_rows(struct router *r)
{
    memset(r->row_route, 0, CACHE_ROWS * sizeof *r->row_route);
    r->n_rows = 0;
}

/* The row of the event's key. */
static uint32_t look_up(struct router *r)
{
    size_t bytes = key_words(r) * sizeof *r->key;
    uint32_t first = (uint32_t)hash64(slice_make(r->key, bytes)) & (CACHE_ROWS - 1), at = first;
    for (; r->row_route[at]; at = (at + 1) & (CACHE_ROWS - 1))
        if (is_row(r, at)) return at;
    if (r->n_rows == CACHE_ROWS / 2) {
        /* The explicit names stay: this event's numbers are still in use. */
        clear_rows(r);
        at = first;
    }
    uint64_t *row = r->rows + at * row_words(r);
    memcpy(row, r->key, bytes);
    r->row_route[at] = work_out(r);
    router_looks_list(r, r->row_route[at], row + key_words(r));
    r->n_rows++;
    return at;
}

static void forget(struct router *r)
{
    clear_rows(r);
    router_facts_forget(r);
}

bool router_is_crowded(const struct router *r)
{
    return r->crowded;
}

const struct taxonomy_route *router_route(struct router *r, struct event *ev)
{
    if (!router_facts_collect(r, ev)) {
        forget(r);
        if (!router_facts_collect(r, ev)) return r->unknown; /* three names always fit */
    }
    if (!is_row(r, r->last_row)) r->last_row = look_up(r);
    const struct taxonomy_route *route = r->row_route[r->last_row];
    const uint64_t *looks = r->rows + r->last_row * row_words(r) + key_words(r);
    if (!r->n_look_texts || !router_looks_collect(r, route, looks)) return route;
    return r->row_route[look_up(r)];
}
