/* SPDX-License-Identifier: EUPL-1.2 */
/* Which facts hold of an event: one pass over its fields. */
#include <stdlib.h>

#include "base/hash.h"
#include "detect/router_state.h"

enum {
    ROLE_NONE = 0,
    ROLE_NEW = 0xffff, /* a key not looked at yet */
    MEMO_LEN = 56,
    MEMO_WAYS = 8, /* power of two */
};

/* What is known of texts by their length and first two bytes: nearly all others are ruled out. */
struct sieve {
    uint64_t lengths;  /* bits; the last one stands for all beyond */
    uint64_t bytes[4]; /* bits of first bytes behind which anything may stand */
    uint64_t pairs[4]; /* bits by a hash of two bytes */
};

/* Where the facts about one field are. Role of a key: its slot + 1. */
struct slot {
    uint32_t exists;    /* fact, or UINT32_MAX */
    uint32_t prefix_at; /* into prefixes[] */
    uint32_t n_prefixes, n_equals;
    uint64_t firsts[4]; /* bits of the bytes that those texts begin with, 0 for an empty one */
    struct sieve equals, prefixes;
    uint32_t longest;         /* bytes of the longest text that a value is compared with */
    bool has_looks, compares; /* its values are looked at, or compared with texts or names */
    uint8_t explicit_name;    /* 1 product, 2 category, 3 service, else 0 */
    uint8_t stand_in;         /* 1 + place in the list, or 0 */
};

/* Values seen in a slot and what came of them: most fields repeat theirs. */
struct memo {
    struct memo_value {
        uint8_t len; /* 0: none */
        uint8_t n_facts;
        uint16_t number; /* explicit name */
        uint32_t facts[MEMO_FACTS];
        char text[MEMO_LEN];
    } at[MEMO_WAYS];
};

/*
 * A fact about a beginning, sorted by its text within the slot. What a value begins with is the
 * last one that is not behind the value in this order, or stands on its chain.
 */
struct prefix {
    struct slice text;
    uint32_t fact;
    uint32_t shorter; /* 1 + the place in the slot of the longest one that this begins with; or 0 */
};

struct equal_entry {
    uint32_t hash; /* of (slot, text); 0: empty */
    uint32_t fact;
};

static uint32_t equal_hash(uint32_t slot, struct slice text)
{
    uint32_t h = (uint32_t)hash64_seed(text, slot);
    return h ? h : 1;
}

static uint32_t length_bit(size_t len)
{
    return len < 63 ? (uint32_t)len : 63;
}

static bool has_bit(const uint64_t bits[4], unsigned i)
{
    return bits[i >> 6] >> (i & 63) & 1;
}

static void set_bit(uint64_t bits[4], unsigned i)
{
    bits[i >> 6] |= UINT64_C(1) << (i & 63);
}

/* In lower case; 0: there is none. */
static unsigned byte_at(struct slice text, size_t at)
{
    return at < text.len ? (unsigned char)taxonomy_lower(text.ptr[at]) : 0;
}

static unsigned pair_hash(struct slice text)
{
    return (byte_at(text, 0) * 29 + byte_at(text, 1)) & 255;
}

static uint8_t explicit_name_of(struct slice name)
{
    if (slice_eq(name, SLICE("product"))) return 1;
    if (slice_eq(name, SLICE("category"))) return 2;
    return slice_eq(name, SLICE("service")) ? 3 : 0;
}

static int by_text(const void *a, const void *b)
{
    return slice_cmp(((const struct prefix *)a)->text, ((const struct prefix *)b)->text);
}

/* The slot's prefixes, in order. */
static void build_prefixes(struct router *r, struct slot *slot)
{
    struct prefix *at = r->prefixes + slot->prefix_at;
    qsort(at, slot->n_prefixes, sizeof *at, by_text);
    for (uint32_t i = 1; i < slot->n_prefixes; i++) {
        uint32_t shorter = i;
        while (shorter && !slice_starts_with(at[i].text, at[shorter - 1].text))
            shorter = at[shorter - 1].shorter;
        at[i].shorter = shorter;
    }
}

static void add_equal(struct router *r, uint32_t s, uint32_t fact)
{
    uint32_t hash = equal_hash(s, r->t->facts.at[fact].text), at = hash & r->equals_mask;
    while (r->equals[at].hash) at = (at + 1) & r->equals_mask;
    r->equals[at] = (struct equal_entry){hash, fact};
}

static void admit_equal(struct sieve *s, struct slice text)
{
    s->lengths |= UINT64_C(1) << length_bit(text.len);
    set_bit(s->pairs, pair_hash(text));
}

static void admit_prefix(struct sieve *s, struct slice text)
{
    if (text.len == 1) set_bit(s->bytes, byte_at(text, 0));
    else set_bit(s->pairs, pair_hash(text));
}

static void admit_first(struct slot *slot, struct slice text)
{
    unsigned first = byte_at(text, 0);
    set_bit(slot->firsts, first);
    if (first >= 'a' && first <= 'z') set_bit(slot->firsts, first - 'a' + 'A');
}

static void add_fact(struct router *r, uint32_t s, uint32_t f)
{
    struct slot *slot = &r->slots[s];
    const struct taxonomy_fact *fact = &r->t->facts.at[f];
    switch (fact->kind) {
    case FACT_EXISTS:
        slot->exists = f;
        return;
    case FACT_LIKE:
        slot->has_looks = true;
        return;
    case FACT_PREFIX:
        r->prefixes[slot->prefix_at + slot->n_prefixes++] = (struct prefix){fact->text, f, 0};
        admit_prefix(&slot->prefixes, fact->text);
        break;
    case FACT_EQUALS:
        slot->n_equals++;
        add_equal(r, s, f);
        admit_equal(&slot->equals, fact->text);
        break;
    case FACT_BESIDE:
        return;
    }
    admit_first(slot, fact->text);
    if (fact->text.len > slot->longest) slot->longest = (uint32_t)fact->text.len;
}

static void build_slots(struct router *r)
{
    const struct taxonomy *t = r->t;
    uint32_t n_prefixes = 0;
    for (uint32_t s = 0; s < t->slots.n; s++) {
        struct slot *slot = &r->slots[s];
        slot->exists = UINT32_MAX;
        slot->prefix_at = n_prefixes;
        slot->explicit_name = explicit_name_of(t->slots.at[s]);
        if (slice_eq(t->slots.at[s], TAXONOMY_FORMAT_SLOT)) r->format_slot = s;
        for (uint32_t f = 0; f < t->facts.n; f++)
            if (t->facts.at[f].slot == s) add_fact(r, s, f);
        build_prefixes(r, slot);
        n_prefixes += slot->n_prefixes;
        slot->compares = slot->explicit_name || slot->n_equals || slot->n_prefixes;
    }
    /* Backwards: of two entries for one name the first counts. */
    for (uint32_t i = t->stand_ins.n; i-- > 0;)
        r->slots[t->stand_ins.at[i].slot].stand_in = (uint8_t)(i + 1);
}

/* The explicit names that no condition asks for have slots of their own behind the others. */
static void build_explicit_slots(struct router *r)
{
    for (unsigned name = 1; name <= N_EXPLICIT; name++) {
        bool have = false;
        for (uint32_t s = 0; s < r->t->slots.n; s++) have |= r->slots[s].explicit_name == name;
        if (!have)
            r->slots[r->n_slots++] = (struct slot){
                .exists = UINT32_MAX, .compares = true, .explicit_name = (uint8_t)name};
    }
}

bool router_facts_init(struct router *r)
{
    const struct taxonomy *t = r->t;
    uint32_t size = 64;
    while (size < t->facts.n * 2) size *= 2;
    r->n_slots = t->slots.n;
    r->slots = calloc((size_t)t->slots.n + N_EXPLICIT + 1, sizeof *r->slots);
    r->prefixes = calloc((size_t)t->facts.n + 1, sizeof *r->prefixes);
    r->equals = calloc(size, sizeof *r->equals);
    r->equals_mask = size - 1;
    r->memos = calloc((size_t)t->slots.n + N_EXPLICIT + 1, sizeof *r->memos);
    if (!r->slots || !r->prefixes || !r->equals || !r->memos) return false;
    build_slots(r);
    build_explicit_slots(r);
    return true;
}

void router_facts_forget(struct router *r)
{
    r->n_explicit = 1;
    memset(r->explicit_index, 0, sizeof r->explicit_index);
    memset(r->memos, 0, r->n_slots * sizeof *r->memos);
}

void router_facts_done(struct router *r)
{
    free(r->slots);
    free(r->memos);
    free(r->prefixes);
    free(r->equals);
}

static uint16_t role_of(const struct router *r, struct slice path)
{
    struct slice name = taxonomy_plain_name(r->t, path);
    uint8_t explicit_name = explicit_name_of(name);
    for (uint32_t s = 0; s < r->n_slots; s++) {
        bool same = s < r->t->slots.n ? slice_eq(r->t->slots.at[s], name)
                                      : r->slots[s].explicit_name == explicit_name;
        if (same && s != r->format_slot) return (uint16_t)(s + 1);
    }
    return ROLE_NONE;
}

bool router_asks(const struct router *r, struct slice path)
{
    return role_of(r, path) != ROLE_NONE;
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

/* Sets a fact that is to be remembered with the value at hand. */
static void note_fact(struct router *r, uint32_t fact)
{
    router_set_fact(r, fact);
    if (r->n_noted < MEMO_FACTS) r->noted[r->n_noted] = fact;
    r->n_noted++;
}

/* `lower` is the value's beginning, in lower case, at least as long as any prefix or all of it. */
static void collect_prefixes(struct router *r, const struct slot *slot, struct slice lower)
{
    const struct prefix *at = r->prefixes + slot->prefix_at;
    uint32_t from = 0, to = slot->n_prefixes; /* the first one behind it is in between */
    while (from < to) {
        uint32_t middle = (from + to) / 2;
        if (slice_cmp(at[middle].text, lower) <= 0) from = middle + 1;
        else to = middle;
    }
    while (from && !slice_starts_with(lower, at[from - 1].text)) from = at[from - 1].shorter;
    for (; from; from = at[from - 1].shorter) note_fact(r, at[from - 1].fact);
}

static void collect_equal(struct router *r, uint32_t s, struct slice lower)
{
    uint32_t hash = equal_hash(s, lower);
    for (uint32_t at = hash & r->equals_mask; r->equals[at].hash; at = (at + 1) & r->equals_mask) {
        const struct equal_entry *e = &r->equals[at];
        if (e->hash != hash) continue;
        const struct taxonomy_fact *fact = &r->t->facts.at[e->fact];
        if (fact->slot != s || !slice_eq(fact->text, lower)) continue;
        note_fact(r, e->fact);
        return;
    }
}

static bool may_equal(const struct slot *slot, struct slice value)
{
    return slot->equals.lengths >> length_bit(value.len) & 1 &&
           has_bit(slot->equals.pairs, pair_hash(value));
}

static bool may_begin(const struct slot *slot, struct slice value)
{
    return has_bit(slot->prefixes.bytes, byte_at(value, 0)) ||
           has_bit(slot->prefixes.pairs, pair_hash(value));
}

static void collect_value(struct router *r, uint32_t s, struct slice value)
{
    const struct slot *slot = &r->slots[s];
    char text[TAXONOMY_NAME_MAX];
    /* A longer value equals nothing asked for, but may begin with it. */
    size_t n = value.len < slot->longest ? value.len : slot->longest;
    for (size_t i = 0; i < n; i++) text[i] = taxonomy_lower(value.ptr[i]);
    struct slice lower = slice_make(text, n);
    if (may_begin(slot, value)) collect_prefixes(r, slot, lower);
    if (n == value.len && may_equal(slot, value)) collect_equal(r, s, lower);
}

static struct memo_value *memo_of(struct router *r, uint32_t s, struct slice value)
{
    unsigned char last = (unsigned char)value.ptr[value.len - 1];
    unsigned char middle = (unsigned char)value.ptr[value.len / 2];
    return &r->memos[s].at[(last ^ (unsigned)middle << 1 ^ (unsigned)value.len) & (MEMO_WAYS - 1)];
}

/* Whether the value is the one remembered; then its facts hold again. */
static inline bool recall(struct router *r, const struct memo_value *m, struct slice value)
{
    if (m->len != value.len || memcmp(m->text, value.ptr, m->len) != 0) return false;
    for (uint32_t i = 0; i < m->n_facts; i++) router_set_fact(r, m->facts[i]);
    return true;
}

static void remember(struct router *r, struct memo_value *m, struct slice value, uint16_t number)
{
    if (r->n_noted > MEMO_FACTS) return;
    m->len = (uint8_t)value.len;
    m->number = number;
    m->n_facts = (uint8_t)r->n_noted;
    memcpy(m->facts, r->noted, r->n_noted * sizeof *m->facts);
    memcpy(m->text, value.ptr, value.len);
}

/* The facts about what a value says, and its number as an explicit name, or EXPLICIT_MAX. */
static uint16_t compare_value(struct router *r, uint32_t s, struct slice value)
{
    const struct slot *slot = &r->slots[s];
    if (!slot->explicit_name && !may_begin(slot, value) && !may_equal(slot, value)) return 0;
    bool memorable = value.len > 0 && value.len <= MEMO_LEN;
    struct memo_value *m = memorable ? memo_of(r, s, value) : NULL;
    if (m && recall(r, m, value)) return m->number;
    r->n_noted = 0;
    collect_value(r, s, value);
    uint16_t number = slot->explicit_name ? explicit_number(r, value) : 0;
    if (m && number != EXPLICIT_MAX) remember(r, m, value, number);
    return number;
}

/* One value of a field with a role. Returns its number as an explicit name, or EXPLICIT_MAX. */
static inline uint16_t collect_field(struct router *r, struct event *ev, uint32_t s,
                                     struct event_field *f)
{
    const struct slot *slot = &r->slots[s];
    if (slot->exists != UINT32_MAX) router_set_fact(r, slot->exists);
    if (!slot->compares && !slot->has_looks) return 0;
    struct slice value = f->type == VALUE_JSON_STRING ? event_text(ev, f) : f->value;
    if (slot->has_looks) router_looks_keep(r, s, value);
    bool may =
        slot->explicit_name || has_bit(slot->firsts, value.len ? (unsigned char)*value.ptr : 0);
    return may ? compare_value(r, s, value) : 0;
}

/* Decoders say it with one constant text for all their events. */
static void collect_format(struct router *r, const char *format)
{
    if (format == r->format) {
        for (uint32_t i = 0; i < r->n_format_facts; i++) router_set_fact(r, r->format_facts[i]);
        return;
    }
    r->n_noted = 0;
    collect_value(r, r->format_slot, slice_of(format));
    r->format = r->n_noted <= MEMO_FACTS ? format : NULL;
    r->n_format_facts = r->n_noted;
    memcpy(r->format_facts, r->noted, sizeof r->format_facts);
}

/* In the order of the list: the first of those that stand for one name does, the others do not. */
static void collect_stand_ins(struct router *r, struct event *ev)
{
    for (uint32_t i = 0; i < r->t->stand_ins.n; i++) {
        const struct taxonomy_stand_in *s = &r->t->stand_ins.at[i];
        if (!r->stand_ins[i]) continue;
        if (router_fact_holds(r, s->exists)) router_set_fact(r, s->beside);
        else (void)collect_field(r, ev, s->target, r->stand_ins[i]);
    }
}

bool router_facts_collect(struct router *r, struct event *ev)
{
    uint64_t *names = &r->key[r->n_words];
    memset(r->key, 0, ((size_t)r->n_words + 1) * sizeof *r->key);
    router_cover_keys(r);
    const uint16_t *roles = r->roles;
    bool any_stand_in = false;
    r->n_look_texts = 0;
    memset(r->stand_ins, 0, r->t->stand_ins.n * sizeof *r->stand_ins);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *f = &ev->fields[i];
        uint16_t role = roles[f->key];
        if (__builtin_expect(role == ROLE_NONE, 1)) continue;
        if (role == ROLE_NEW) role = r->roles[f->key] = role_of(r, keys_name(r->keys, f->key));
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
    if (r->format_slot != UINT32_MAX && ev->format) collect_format(r, ev->format);
    return true;
}
