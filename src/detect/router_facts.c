/* SPDX-License-Identifier: EUPL-1.2 */
/* Which facts hold of an event: one pass over its fields. */
#include <stdlib.h>

#include "base/hash.h"
#include "detect/router_state.h"

enum {
    ROLE_NONE = 0,
    ROLE_NEW = 0xffff, /* a key not looked at yet */
    MEMO_LEN = 56,
};

/* Where the facts about one field are. Role of a key: its slot + 1. */
struct slot {
    uint32_t exists;    /* fact, or UINT32_MAX */
    uint32_t prefix_at; /* into prefixes[] */
    uint32_t n_prefixes;
    bool has_looks;
    uint32_t longest; /* bytes of the longest text that a value is compared with */
    bool has_equals;
    uint8_t explicit_name; /* 1 product, 2 category, 3 service, else 0 */
    uint8_t stand_in;      /* 1 + place in the list, or 0 */
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

static uint32_t equal_hash(uint32_t slot, struct slice text)
{
    uint32_t h = (uint32_t)hash64_seed(text, slot);
    return h ? h : 1;
}

static uint8_t explicit_name_of(struct slice name)
{
    if (slice_eq(name, SLICE("product"))) return 1;
    if (slice_eq(name, SLICE("category"))) return 2;
    return slice_eq(name, SLICE("service")) ? 3 : 0;
}

bool router_facts_init(struct router *r)
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
            if (fact->kind == FACT_LIKE) slot->has_looks = true;
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

static void collect_value(struct router *r, uint32_t s, struct slice value)
{
    const struct slot *slot = &r->slots[s];
    if (slot->exists != UINT32_MAX) router_set_fact(r, slot->exists);
    if (!slot->has_equals && !slot->n_prefixes) return;
    char text[TAXONOMY_NAME_MAX];
    /* A longer value equals nothing asked for, but may begin with it. */
    size_t n = value.len < slot->longest ? value.len : slot->longest;
    for (size_t i = 0; i < n; i++) text[i] = taxonomy_lower(value.ptr[i]);
    struct slice lower = slice_make(text, n);
    for (uint32_t i = 0; i < slot->n_prefixes; i++) {
        const struct prefix *p = &r->prefixes[slot->prefix_at + i];
        if (n == 0 || p->first != text[0]) continue;
        if (slice_starts_with(lower, r->t->facts.at[p->fact].text)) router_set_fact(r, p->fact);
    }
    if (!slot->has_equals || n < value.len) return;
    uint32_t hash = equal_hash(s, lower);
    for (uint32_t at = hash & r->equals_mask; r->equals[at].hash; at = (at + 1) & r->equals_mask) {
        const struct equal_entry *e = &r->equals[at];
        if (e->hash != hash) continue;
        const struct taxonomy_fact *fact = &r->t->facts.at[e->fact];
        if (fact->slot != s || !slice_eq(fact->text, lower)) continue;
        router_set_fact(r, e->fact);
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
    if (!slot->explicit_name && !slot->has_equals && !slot->n_prefixes && !slot->has_looks) {
        if (slot->exists != UINT32_MAX) router_set_fact(r, slot->exists);
        return 0;
    }
    if (recall(r, m, f)) {
        if (slot->has_looks) router_looks_keep(r, s, event_text(ev, f));
        return m->number;
    }
    const struct event_field raw = *f;
    struct slice value = event_text(ev, f);
    r->n_noted = 0;
    if (s < r->t->slots.n) collect_value(r, s, value);
    uint16_t number = slot->explicit_name ? explicit_number(r, value) : 0;
    if (number != EXPLICIT_MAX) remember(r, m, &raw, number);
    if (slot->has_looks) router_looks_keep(r, s, value);
    return number;
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
