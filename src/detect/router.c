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
#include "detect/taxonomy.h"
#include "detect/taxonomy_model.h"

enum {
    CACHE_ROWS = 2048, /* power of two */
    EXPLICIT_MAX = 1024,
    EXPLICIT_LEN_MAX = 64,
    EXPLICIT_ROUTES_MAX = TAXONOMY_ROUTES_MAX / 2,
    ROLE_NONE = 0,
    ROLE_NEW = 0xffff, /* a key not looked at yet */
    RANK_NEW = 0xff,
    RANKS_MAX = TAXONOMY_TIMES_MAX * 2 + 1,
    N_EXPLICIT = 3,
    NO_SECOND = 0xff,
    MEMO_LEN = 56,
    MEMO_FACTS = 4,
    GRACE_DAYS = 2,
    LIKE_TEXTS_MAX = 8,
};

/* Where the facts about one field are. Role of a key: its slot + 1. */
struct slot {
    uint32_t exists;    /* fact, or UINT32_MAX */
    uint32_t prefix_at; /* into prefixes[] */
    uint32_t n_prefixes;
    bool has_likes;
    uint32_t longest; /* bytes of the longest text that a value is compared with */
    bool has_equals;
    uint8_t explicit_name; /* 1 product, 2 category, 3 service, else 0 */
    uint8_t stand_in;      /* 1 + place in the list, or 0 */
};

/*
 * A fact about the look of a text, which costs far more than the others. It is looked at when it
 * matters: all else that one of the conditions with it asks for holds, and these ask for more than
 * those by which a product is known already. Of one that does not matter the route is the same
 * either way.
 */
struct like {
    uint32_t fact, slot;
    uint32_t when_at, n_whens; /* into like_whens[] */
    uint32_t owner;            /* of all of these; 0: of several, or nobody's */
    uint32_t most;             /* how much the longest of them asks for */
    bool negated;              /* it is what must not be, somewhere */
};

/* The last value seen in a slot and what came of it: most fields repeat theirs. */
struct memo {
    uint8_t len; /* 0: none */
    uint8_t type;
    uint8_t n_facts;
    uint16_t number; /* explicit name */
    uint32_t facts[MEMO_FACTS];
    char raw[MEMO_LEN];
};

/* A fact about a beginning. Many products are known by how a message begins: nearly all of their
 * beginnings are ruled out by the first byte. */
struct prefix {
    uint32_t fact;
    char first;
};

struct equal_entry {
    uint32_t hash; /* of (slot, text); 0: empty */
    uint32_t fact;
};

/* A route and the labels it owns. */
struct route_box {
    struct taxonomy_route route;
    uint64_t hash;
    struct taxonomy_label *labels;
    char text[N_EXPLICIT][EXPLICIT_LEN_MAX]; /* of the explicit label */
};

struct router {
    const struct taxonomy *t;
    struct keys *keys;
    uint32_t generation;
    uint16_t *roles;                                 /* by key */
    uint8_t *time_ranks, *host_ranks, *entity_ranks; /* by key */
    uint32_t cap_roles;

    struct slot *slots;
    struct memo *memos; /* by slot */
    uint32_t n_slots;
    uint32_t format_slot;    /* or UINT32_MAX */
    struct prefix *prefixes; /* grouped by slot */
    struct like *likes;      /* by ascending facts */
    uint32_t n_likes;
    const struct taxonomy_when **like_whens;
    struct {
        uint32_t slot;
        struct slice text;
    } like_texts[LIKE_TEXTS_MAX]; /* of this event */
    uint32_t n_like_texts;
    struct shape_match match; /* large: not on the stack, where each call would clear it */
    struct equal_entry *equals;
    uint32_t equals_mask;

    uint32_t n_words; /* of facts */
    uint64_t *key;    /* facts of this event, then one word of explicit names */
    struct event_field *stand_ins[TAXONOMY_STAND_INS_MAX]; /* this event's, by the list; or NULL */
    uint32_t noted[MEMO_FACTS];                            /* facts of the value at hand */
    uint32_t n_noted;
    uint64_t *rows;                          /* CACHE_ROWS * (n_words + 1) */
    const struct taxonomy_route **row_route; /* NULL: empty */
    uint32_t n_rows;
    uint64_t *last_key; /* of the event before */
    const struct taxonomy_route *last_route;

    char explicit_text[EXPLICIT_MAX][EXPLICIT_LEN_MAX];
    uint8_t explicit_len[EXPLICIT_MAX]; /* number 0 is "none" */
    uint32_t n_explicit;
    uint16_t explicit_index[EXPLICIT_MAX * 2]; /* hash table of numbers */

    struct route_box **routes;
    uint32_t n_routes, n_explicit_routes;
    const struct taxonomy_route *unknown;

    struct taxonomy_label *scratch; /* labels of the event at hand */

    struct slice time_names[RANKS_MAX]; /* every field of the time list once */
    uint32_t n_time_names;
    uint8_t timestamp; /* @timestamp's place in time_names */
    struct {
        uint8_t first, second; /* index into time_names; second: NO_SECOND when it stands alone */
    } times[TAXONOMY_TIMES_MAX];
    nsec now;
};

static uint32_t equal_hash(uint32_t slot, struct slice text)
{
    uint32_t h = (uint32_t)hash64_seed(text, slot);
    return h ? h : 1;
}

/* ---- building ---- */

static uint8_t explicit_name_of(struct slice name)
{
    if (slice_eq(name, SLICE("product"))) return 1;
    if (slice_eq(name, SLICE("category"))) return 2;
    return slice_eq(name, SLICE("service")) ? 3 : 0;
}

static bool build_slots(struct router *r)
{
    const struct taxonomy *t = r->t;
    r->n_slots = t->slots.n;
    r->slots = calloc((size_t)t->slots.n + N_EXPLICIT + 1, sizeof *r->slots);
    r->prefixes = calloc((size_t)t->facts.n + 1, sizeof *r->prefixes);
    uint32_t size = 64;
    while (size < t->facts.n * 2) size *= 2;
    r->equals = calloc(size, sizeof *r->equals);
    r->equals_mask = size - 1;
    r->memos = calloc((size_t)t->slots.n + N_EXPLICIT + 1, sizeof *r->memos);
    if (!r->slots || !r->prefixes || !r->equals || !r->memos) return false;
    uint32_t n_prefixes = 0;
    for (uint32_t s = 0; s < t->slots.n; s++) {
        struct slot *slot = &r->slots[s];
        slot->exists = UINT32_MAX;
        slot->prefix_at = n_prefixes;
        slot->explicit_name = explicit_name_of(t->slots.at[s]);
        if (slice_eq(t->slots.at[s], TAXONOMY_FORMAT_SLOT)) r->format_slot = s;
        for (uint32_t f = 0; f < t->facts.n; f++) {
            const struct taxonomy_fact *fact = &t->facts.at[f];
            if (fact->slot != s) continue;
            if (fact->kind == FACT_EXISTS) slot->exists = f;
            if (fact->kind == FACT_LIKE) slot->has_likes = true;
            if (fact->kind == FACT_PREFIX)
                r->prefixes[n_prefixes++] = (struct prefix){f, fact->text.ptr[0]};
            if ((fact->kind == FACT_PREFIX || fact->kind == FACT_EQUALS) &&
                fact->text.len > slot->longest)
                slot->longest = (uint32_t)fact->text.len;
            if (fact->kind != FACT_EQUALS) continue;
            slot->has_equals = true;
            uint32_t hash = equal_hash(s, fact->text), at = hash & r->equals_mask;
            while (r->equals[at].hash) at = (at + 1) & r->equals_mask;
            r->equals[at] = (struct equal_entry){hash, f};
        }
        slot->n_prefixes = n_prefixes - slot->prefix_at;
    }
    /* Backwards: of two entries for one name the first counts. */
    for (uint32_t i = t->stand_ins.n; i-- > 0;)
        r->slots[t->stand_ins.at[i].slot].stand_in = (uint8_t)(i + 1);
    /* The explicit names that no condition asks for have slots of their own behind the others. */
    for (unsigned name = 1; name <= N_EXPLICIT; name++) {
        bool have = false;
        for (uint32_t s = 0; s < t->slots.n; s++) have |= r->slots[s].explicit_name == name;
        if (!have)
            r->slots[r->n_slots++] =
                (struct slot){.exists = UINT32_MAX, .explicit_name = (uint8_t)name};
    }
    return true;
}

static bool asks_for(const struct taxonomy_cond *cond, uint32_t fact)
{
    for (uint32_t f = 0; f < cond->n_facts; f++)
        if (cond->facts[f] == fact) return true;
    return false;
}

static bool take_when(struct like *like, const struct taxonomy_when *when)
{
    bool any = false;
    for (uint32_t c = 0; c < when->n_conds; c++) {
        if (!asks_for(&when->conds[c], like->fact)) continue;
        any = true;
        like->negated |= when->conds[c].absent;
    }
    if (any && when->n_conds > like->most) like->most = when->n_conds;
    return any;
}

/* The conditions with this fact, into `ret` unless that is NULL. */
static void list_whens(const struct taxonomy *t, struct like *like,
                       const struct taxonomy_when **ret)
{
    like->n_whens = 0;
    for (uint32_t s = 0; s < t->sources.n; s++) {
        const struct taxonomy_source *source = &t->sources.at[s];
        for (uint32_t w = 0; w < source->n_whens; w++) {
            if (!take_when(like, &source->whens[w])) continue;
            if (like->n_whens == 0) like->owner = source->owner;
            if (like->owner != source->owner) like->owner = 0;
            if (ret) ret[like->n_whens] = &source->whens[w];
            like->n_whens++;
        }
    }
}

static bool build_likes(struct router *r)
{
    const struct taxonomy *t = r->t;
    uint32_t n_whens = 0;
    for (uint32_t f = 0; f < t->facts.n; f++) r->n_likes += t->facts.at[f].kind == FACT_LIKE;
    r->likes = calloc((size_t)r->n_likes + 1, sizeof *r->likes);
    if (!r->likes) return false;
    struct like *like = r->likes;
    for (uint32_t f = 0; f < t->facts.n; f++) {
        if (t->facts.at[f].kind != FACT_LIKE) continue;
        *like = (struct like){.fact = f, .slot = t->facts.at[f].slot, .when_at = n_whens};
        list_whens(t, like, NULL);
        n_whens += like++->n_whens;
    }
    r->like_whens = calloc((size_t)n_whens + 1, sizeof *r->like_whens);
    if (!r->like_whens) return false;
    for (uint32_t i = 0; i < r->n_likes; i++)
        list_whens(t, &r->likes[i], r->like_whens + r->likes[i].when_at);
    return true;
}

static uint8_t time_name(struct router *r, struct slice name)
{
    uint32_t i = 0;
    while (i < r->n_time_names && !slice_eq(r->time_names[i], name)) i++;
    if (i == r->n_time_names) r->time_names[r->n_time_names++] = name;
    return (uint8_t)i;
}

static void build_times(struct router *r)
{
    for (uint32_t i = 0; i < r->t->times.n; i++) {
        const struct taxonomy_time *time = &r->t->times.at[i];
        r->times[i].first = time_name(r, time->first);
        r->times[i].second = time->second.len ? time_name(r, time->second) : NO_SECOND;
    }
    r->timestamp = time_name(r, SLICE("@timestamp"));
}

static const struct taxonomy_route *intern_route(struct router *r,
                                                 const struct taxonomy_label *labels, uint32_t n,
                                                 const struct taxonomy_route *more,
                                                 bool is_explicit);

struct router *router_new(const struct taxonomy *t, struct keys *keys)
{
    struct router *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->t = t;
    r->keys = keys;
    r->generation = keys_generation(keys);
    r->format_slot = UINT32_MAX;
    r->n_words = (t->facts.n + 63) / 64;
    size_t row = (size_t)r->n_words + 1;
    r->key = calloc(row, sizeof *r->key);
    r->last_key = calloc(row, sizeof *r->last_key);
    r->rows = calloc(row * CACHE_ROWS, sizeof *r->rows);
    r->row_route = calloc(CACHE_ROWS, sizeof *r->row_route);
    r->routes = calloc(TAXONOMY_ROUTES_MAX, sizeof *r->routes);
    r->scratch = calloc((size_t)t->sources.n + 1, sizeof *r->scratch);
    r->n_explicit = 1;
    struct timespec ts;
    if (clock_gettime(CLOCK_REALTIME, &ts) == 0) r->now = ts.tv_sec * NSEC_PER_SEC;
    if (!r->key || !r->last_key || !r->rows || !r->row_route || !r->routes || !r->scratch ||
        !build_slots(r) || !build_likes(r)) {
        router_free(r);
        return NULL;
    }
    build_times(r);
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
    free(r->time_ranks);
    free(r->host_ranks);
    free(r->entity_ranks);
    free(r->slots);
    free(r->memos);
    free(r->prefixes);
    free(r->likes);
    free(r->like_whens);
    free(r->equals);
    free(r->key);
    free(r->last_key);
    free(r->rows);
    free(r->row_route);
    free(r->routes);
    free(r->scratch);
    free(r);
}

void router_set_now(struct router *r, nsec now)
{
    r->now = now;
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

/* Makes the tables cover every key there is. */
static void cover_keys(struct router *r)
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

static uint16_t find_role(struct router *r, key_id key)
{
    struct slice name = taxonomy_plain_name(r->t, keys_name(r->keys, key));
    uint8_t explicit_name = explicit_name_of(name);
    r->roles[key] = ROLE_NONE;
    for (uint32_t s = 0; s < r->n_slots; s++) {
        bool same = s < r->t->slots.n ? slice_eq(r->t->slots.at[s], name)
                                      : r->slots[s].explicit_name == explicit_name;
        if (!same || s == r->format_slot) continue;
        r->roles[key] = (uint16_t)(s + 1);
        break;
    }
    return r->roles[key];
}

/* ---- facts of an event ---- */

/* The number of an explicit name; 0 when it is none to speak of. */
static uint16_t explicit_number(struct router *r, struct slice value)
{
    char text[EXPLICIT_LEN_MAX];
    value = slice_trim(value);
    if (value.len == 0 || value.len > sizeof text) return 0;
    for (size_t i = 0; i < value.len; i++) text[i] = taxonomy_lower(value.ptr[i]);
    struct slice lower = slice_make(text, value.len);
    uint32_t mask = EXPLICIT_MAX * 2 - 1, at = (uint32_t)hash64(lower) & mask;
    for (uint16_t n; (n = r->explicit_index[at]); at = (at + 1) & mask)
        if (slice_eq(slice_make(r->explicit_text[n], r->explicit_len[n]), lower)) return n;
    if (r->n_explicit == EXPLICIT_MAX) return EXPLICIT_MAX;
    uint16_t n = (uint16_t)r->n_explicit++;
    memcpy(r->explicit_text[n], text, value.len);
    r->explicit_len[n] = (uint8_t)value.len;
    r->explicit_index[at] = n;
    return n;
}

static void forget(struct router *r)
{
    r->last_route = NULL;
    r->n_rows = 0;
    memset(r->row_route, 0, CACHE_ROWS * sizeof *r->row_route);
    r->n_explicit = 1;
    memset(r->explicit_index, 0, sizeof r->explicit_index);
    memset(r->memos, 0, r->n_slots * sizeof *r->memos);
}

static bool fact_holds(const struct router *r, uint32_t fact)
{
    return r->key[fact >> 6] >> (fact & 63) & 1;
}

static inline void set_fact(struct router *r, uint32_t fact)
{
    r->key[fact >> 6] |= UINT64_C(1) << (fact & 63);
    if (r->n_noted < MEMO_FACTS) r->noted[r->n_noted] = fact;
    r->n_noted++;
}

/* `like` is being looked at: it and those behind it may still turn out to hold. */
static bool may_hold(const struct router *r, const struct taxonomy_cond *cond,
                     const struct like *like)
{
    bool open = false;
    for (uint32_t f = 0; f < cond->n_facts; f++) {
        uint32_t fact = cond->facts[f];
        if (fact_holds(r, fact)) return !cond->absent;
        open |= fact >= like->fact && r->t->facts.at[fact].kind == FACT_LIKE;
    }
    return cond->absent || open;
}

/* A look does not outweigh what a product is known by as long as it does not ask for more. */
static bool is_outdone(const struct like *like, const struct taxonomy_route *known)
{
    return !like->negated && known->owner && like->owner && like->owner != known->owner &&
           like->most <= known->asked;
}

static bool like_matters(const struct router *r, const struct like *like)
{
    bool may = like->negated;
    for (uint32_t w = 0; w < like->n_whens && !may; w++) {
        const struct taxonomy_when *when = r->like_whens[like->when_at + w];
        may = true;
        for (uint32_t c = 0; c < when->n_conds && may; c++)
            may = may_hold(r, &when->conds[c], like);
    }
    return may;
}

static void look_at(struct router *r, const struct like *like, struct slice text)
{
    if (fact_holds(r, like->fact)) return;
    if (shape_find(r->t->facts.at[like->fact].shape, text, &r->match)) set_fact(r, like->fact);
}

/* After all other facts, by which the event is known as this. Whether one of them holds. */
static bool collect_likes(struct router *r, const struct taxonomy_route *known)
{
    r->n_noted = 0;
    for (const struct like *like = r->likes; like < r->likes + r->n_likes; like++) {
        if (is_outdone(like, known) || !like_matters(r, like)) continue;
        for (uint32_t i = 0; i < r->n_like_texts; i++)
            if (r->like_texts[i].slot == like->slot) look_at(r, like, r->like_texts[i].text);
    }
    return r->n_noted > 0;
}

/* When there are too many to keep, all is looked at now. */
static void keep_like_text(struct router *r, uint32_t s, struct slice text)
{
    if (r->n_like_texts < LIKE_TEXTS_MAX) {
        r->like_texts[r->n_like_texts].slot = s;
        r->like_texts[r->n_like_texts++].text = text;
        return;
    }
    for (uint32_t i = 0; i < r->n_likes; i++)
        if (r->likes[i].slot == s) look_at(r, &r->likes[i], text);
}

static void collect_value(struct router *r, uint32_t s, struct slice value)
{
    const struct slot *slot = &r->slots[s];
    if (slot->exists != UINT32_MAX) set_fact(r, slot->exists);
    if (!slot->has_equals && !slot->n_prefixes) return;
    char text[TAXONOMY_NAME_MAX];
    /* A longer value equals nothing asked for, but may begin with it. */
    size_t n = value.len < slot->longest ? value.len : slot->longest;
    for (size_t i = 0; i < n; i++) text[i] = taxonomy_lower(value.ptr[i]);
    struct slice lower = slice_make(text, n);
    for (uint32_t i = 0; i < slot->n_prefixes; i++) {
        const struct prefix *p = &r->prefixes[slot->prefix_at + i];
        if (n == 0 || p->first != text[0]) continue;
        if (slice_starts_with(lower, r->t->facts.at[p->fact].text)) set_fact(r, p->fact);
    }
    if (!slot->has_equals || n < value.len) return;
    uint32_t hash = equal_hash(s, lower);
    for (uint32_t at = hash & r->equals_mask; r->equals[at].hash; at = (at + 1) & r->equals_mask) {
        const struct equal_entry *e = &r->equals[at];
        if (e->hash != hash) continue;
        const struct taxonomy_fact *fact = &r->t->facts.at[e->fact];
        if (fact->slot != s || !slice_eq(fact->text, lower)) continue;
        set_fact(r, e->fact);
        return;
    }
}

/* Whether the slot's last value was the same; then its facts hold again. */
static inline bool recall(struct router *r, const struct memo *m, const struct event_field *f)
{
    if (m->len == 0 || m->len != f->value.len || m->type != (uint8_t)f->type ||
        memcmp(m->raw, f->value.ptr, m->len) != 0)
        return false;
    for (uint32_t i = 0; i < m->n_facts; i++)
        r->key[m->facts[i] >> 6] |= UINT64_C(1) << (m->facts[i] & 63);
    return true;
}

static void remember(struct router *r, struct memo *m, const struct event_field *raw,
                     uint16_t number)
{
    m->len = 0;
    if (raw->value.len == 0 || raw->value.len > MEMO_LEN || r->n_noted > MEMO_FACTS) return;
    m->len = (uint8_t)raw->value.len;
    m->type = (uint8_t)raw->type;
    m->number = number;
    m->n_facts = (uint8_t)r->n_noted;
    memcpy(m->facts, r->noted, r->n_noted * sizeof *m->facts);
    memcpy(m->raw, raw->value.ptr, raw->value.len);
}

/* One value of a field with a role. Returns its number as an explicit name, or EXPLICIT_MAX. */
static uint16_t collect_field(struct router *r, struct event *ev, uint32_t s, struct event_field *f)
{
    const struct slot *slot = &r->slots[s];
    struct memo *m = &r->memos[s];
    if (!slot->explicit_name && !slot->has_equals && !slot->n_prefixes && !slot->has_likes) {
        if (slot->exists != UINT32_MAX) set_fact(r, slot->exists);
        return 0;
    }
    if (recall(r, m, f)) {
        if (slot->has_likes) keep_like_text(r, s, event_text(ev, f));
        return m->number;
    }
    const struct event_field raw = *f;
    struct slice value = event_text(ev, f);
    r->n_noted = 0;
    if (s < r->t->slots.n) collect_value(r, s, value);
    uint16_t number = slot->explicit_name ? explicit_number(r, value) : 0;
    if (number != EXPLICIT_MAX) remember(r, m, &raw, number);
    if (slot->has_likes) keep_like_text(r, s, value);
    return number;
}

/* In the order of the list: the first of those that stand for one name does, the others do not. */
static void collect_stand_ins(struct router *r, struct event *ev)
{
    for (uint32_t i = 0; i < r->t->stand_ins.n; i++) {
        const struct taxonomy_stand_in *s = &r->t->stand_ins.at[i];
        if (!r->stand_ins[i]) continue;
        if (fact_holds(r, s->exists)) set_fact(r, s->beside);
        else (void)collect_field(r, ev, s->target, r->stand_ins[i]);
    }
}

/* Returns false when the explicit names are full. */
static bool collect(struct router *r, struct event *ev)
{
    uint64_t *names = &r->key[r->n_words];
    memset(r->key, 0, ((size_t)r->n_words + 1) * sizeof *r->key);
    cover_keys(r);
    const uint16_t *roles = r->roles;
    bool any_stand_in = false;
    r->n_like_texts = 0;
    memset(r->stand_ins, 0, r->t->stand_ins.n * sizeof *r->stand_ins);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *f = &ev->fields[i];
        uint16_t role = roles[f->key];
        if (__builtin_expect(role == ROLE_NONE, 1)) continue;
        if (role == ROLE_NEW) role = find_role(r, f->key);
        if (role == ROLE_NONE || f->type == VALUE_NULL) continue;
        uint8_t stand_in = r->slots[role - 1u].stand_in;
        if (stand_in && !r->stand_ins[stand_in - 1u]) r->stand_ins[stand_in - 1u] = f;
        any_stand_in |= stand_in != 0;
        uint16_t number = collect_field(r, ev, role - 1u, f);
        if (number == 0) continue;
        if (number == EXPLICIT_MAX) return false;
        unsigned shift = (r->slots[role - 1u].explicit_name - 1u) * 16;
        if ((*names >> shift & 0xffff) == 0) /* the first value counts */
            *names |= (uint64_t)number << shift;
    }
    if (any_stand_in) collect_stand_ins(r, ev);
    if (r->format_slot != UINT32_MAX && ev->format)
        collect_value(r, r->format_slot, slice_of(ev->format));
    return true;
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
                any = fact_holds(r, cond->facts[f]);
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
        more.beside |= (uint32_t)fact_holds(r, t->stand_ins.at[i].beside) << i;
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
    return route ? route : r->unknown;
}

static const struct taxonomy_route *look_up(struct router *r)
{
    size_t row = (size_t)r->n_words + 1, bytes = row * sizeof *r->key;
    uint32_t at = (uint32_t)hash64(slice_make(r->key, bytes)) & (CACHE_ROWS - 1);
    for (; r->row_route[at]; at = (at + 1) & (CACHE_ROWS - 1))
        if (memcmp(r->rows + at * row, r->key, bytes) == 0) return r->row_route[at];
    const struct taxonomy_route *route = work_out(r);
    if (++r->n_rows > CACHE_ROWS / 2) {
        /* The explicit names stay: this event's numbers are still in use. */
        memset(r->row_route, 0, CACHE_ROWS * sizeof *r->row_route);
        r->n_rows = 1;
        at = (uint32_t)hash64(slice_make(r->key, bytes)) & (CACHE_ROWS - 1);
    }
    memcpy(r->rows + at * row, r->key, bytes);
    r->row_route[at] = route;
    return route;
}

static const struct taxonomy_route *look_up_like_last(struct router *r)
{
    size_t bytes = ((size_t)r->n_words + 1) * sizeof *r->key;
    if (r->last_route && memcmp(r->last_key, r->key, bytes) == 0) return r->last_route;
    r->last_route = look_up(r);
    memcpy(r->last_key, r->key, bytes);
    return r->last_route;
}

const struct taxonomy_route *router_route(struct router *r, struct event *ev)
{
    if (!collect(r, ev)) {
        forget(r);
        if (!collect(r, ev)) return r->unknown; /* three names always fit */
    }
    const struct taxonomy_route *route = look_up_like_last(r);
    return r->n_like_texts && collect_likes(r, route) ? look_up(r) : route;
}

/* ---- when and where ---- */

/* Ranks are 1 + the place in the list; 0: not in it. */
static uint8_t find_time_rank(struct router *r, key_id key)
{
    struct slice name = taxonomy_plain_name(r->t, keys_name(r->keys, key));
    uint32_t rank = 0;
    for (uint32_t i = 0; i < r->n_time_names && !rank; i++)
        if (slice_eq(r->time_names[i], name)) rank = i + 1;
    return r->time_ranks[key] = (uint8_t)rank;
}

static uint8_t find_host_rank(struct router *r, key_id key)
{
    struct slice name = taxonomy_plain_name(r->t, keys_name(r->keys, key));
    uint32_t rank = 0;
    for (uint32_t i = 0; i < r->t->hosts.n && !rank; i++)
        if (slice_eq(r->t->hosts.at[i], name)) rank = i + 1;
    return r->host_ranks[key] = (uint8_t)rank;
}

static bool read_time(const struct router *r, struct slice text, nsec *ret)
{
    struct civil_time civil;
    if (time_parse(text, 0, ret)) return true;
    time_to_civil(r->now, &civil);
    if (!time_parse(text, civil.year, ret)) return false;
    /* No year: it is the last such day. */
    if (*ret > r->now && (*ret - r->now) / (24 * 3600 * NSEC_PER_SEC) >= GRACE_DAYS)
        return time_parse(text, civil.year - 1, ret);
    return true;
}

nsec router_event_time(struct router *r, struct event *ev)
{
    struct event_field *found[RANKS_MAX] = {NULL};
    cover_keys(r);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        uint8_t rank = r->time_ranks[ev->fields[i].key];
        if (rank == RANK_NEW) rank = find_time_rank(r, ev->fields[i].key);
        if (!rank || ev->fields[i].type == VALUE_NULL) continue;
        nsec t;
        /* What a product's file says the time is counts; other names it found in a text rank. */
        if (ev->fields[i].derived && rank == r->timestamp + 1 &&
            read_time(r, ev->fields[i].value, &t))
            return t;
        if (!found[rank - 1]) found[rank - 1] = &ev->fields[i];
    }
    for (uint32_t i = 0; i < r->t->times.n; i++) {
        nsec t;
        struct event_field *first = found[r->times[i].first], *second = NULL;
        bool is_joined = r->times[i].second != NO_SECOND;
        if (is_joined) second = found[r->times[i].second];
        if (!first || (is_joined && !second)) continue;
        struct slice text = event_text(ev, first);
        char both[80];
        if (is_joined) {
            struct slice rest = event_text(ev, second);
            if (text.len > 39 || rest.len > 39) continue;
            memcpy(both, text.ptr, text.len);
            both[text.len] = ' ';
            memcpy(both + text.len + 1, rest.ptr, rest.len);
            text = slice_make(both, text.len + 1 + rest.len);
        }
        if (text.len && read_time(r, text, &t)) return t;
    }
    return TIME_NONE;
}

struct slice router_event_host(struct router *r, struct event *ev)
{
    struct event_field *best = NULL;
    uint32_t best_rank = UINT32_MAX;
    cover_keys(r);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *f = &ev->fields[i];
        uint8_t rank = r->host_ranks[f->key];
        if (rank == RANK_NEW) rank = find_host_rank(r, f->key);
        if (!rank || rank >= best_rank || f->type == VALUE_NULL || f->value.len == 0) continue;
        best = f;
        best_rank = rank;
    }
    return best ? event_text(ev, best) : SLICE_NONE;
}

/* ---- whom and what ---- */

/* 1 + the place among the fields of all entities; 0: not there. */
static uint8_t find_entity_rank(struct router *r, key_id key)
{
    struct slice path = keys_name(r->keys, key), name = taxonomy_plain_name(r->t, path);
    uint32_t rank = 0, found = 0;
    for (uint32_t i = 0; i < r->t->entities.n && !found; i++) {
        const struct taxonomy_entity *e = &r->t->entities.at[i];
        for (uint32_t k = 0; k < e->n_fields && !found; k++) {
            rank++;
            if (slice_eq(e->fields[k], name) || slice_eq(e->fields[k], path)) found = rank;
        }
    }
    return r->entity_ranks[key] = (uint8_t)found;
}

/* A dash is how many records say "nobody". */
static bool is_value(struct slice s)
{
    return s.len > 0 && !(s.len == 1 && s.ptr[0] == '-');
}

static bool is_about(const struct router *r, struct slice name)
{
    for (uint32_t i = 0; i < r->t->about.n; i++)
        if (slice_eq(r->t->about.at[i], name)) return true;
    return false;
}

uint32_t router_event_entities(struct router *r, struct event *ev,
                               struct taxonomy_entity_value ret[TAXONOMY_ENTITY_VALUES_MAX])
{
    uint32_t first[TAXONOMY_ENTITY_FIELDS_MAX + 1] = {0}; /* 1 + the field's place, by rank */
    cover_keys(r);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *f = &ev->fields[i];
        uint8_t rank = r->entity_ranks[f->key];
        if (rank == RANK_NEW) rank = find_entity_rank(r, f->key);
        if (rank && !first[rank] && f->type != VALUE_NULL && is_value(event_text(ev, f)))
            first[rank] = i + 1;
    }
    uint32_t n = 0, rank = 1;
    for (uint32_t i = 0; i < r->t->entities.n; i++) {
        const struct taxonomy_entity *e = &r->t->entities.at[i];
        uint32_t best = 0;
        for (uint32_t k = 0; k < e->n_fields && !best; k++)
            if (first[rank + k]) best = rank + k;
        rank += e->n_fields;
        if (!best) continue;
        key_id key = ev->fields[first[best] - 1].key;
        for (uint32_t f = first[best] - 1; f < ev->n_fields && n < TAXONOMY_ENTITY_VALUES_MAX; f++)
            if (ev->fields[f].key == key && ev->fields[f].type != VALUE_NULL)
                ret[n++] = (struct taxonomy_entity_value){e->name, event_text(ev, &ev->fields[f]),
                                                          is_about(r, e->name)};
    }
    return n;
}
