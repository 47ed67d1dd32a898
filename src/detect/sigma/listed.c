/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/sigma/listed.h"

#include <stdlib.h>

#include "base/hash.h"
#include "detect/sigma/match.h"

enum {
    SLOTS_LEAST = 64,
    NETWORK_SIZE = 18, /* bytes of a network as a key */
    WIDTH_V4 = 32,
    WIDTH_V6 = 128,
    HASH_LEAST = 32, /* digits of MD5, which is the shortest */
};

struct listed {
    enum listed_kind kind;
    struct listed_value *values;
    uint32_t n, cap;
    struct listed_slot { /* open addressing; half of them are free */
        uint32_t tag;    /* of the hash's upper half */
        uint32_t value;  /* + 1; 0 is free */
    } * slots;
    uint32_t mask;
    bool widths[2][WIDTH_V6 + 1]; /* prefix lengths that there are, of IPv4 and IPv6 */
};

const char *listed_kind_name(enum listed_kind kind)
{
    static const char *const names[] = {[LISTED_ADDRESS] = "address",
                                        [LISTED_DOMAIN] = "domain",
                                        [LISTED_URL] = "url",
                                        [LISTED_HASH] = "hash",
                                        [LISTED_EMAIL] = "email"};
    return names[kind];
}

struct listed *listed_new(enum listed_kind kind)
{
    struct listed *l = calloc(1, sizeof *l);
    if (!l) return NULL;
    l->kind = kind;
    l->mask = SLOTS_LEAST - 1;
    l->slots = calloc(SLOTS_LEAST, sizeof *l->slots);
    if (l->slots) return l;
    free(l);
    return NULL;
}

void listed_free(struct listed *l)
{
    if (!l) return;
    free(l->values);
    free(l->slots);
    free(l);
}

enum listed_kind listed_kind(const struct listed *l)
{
    return l->kind;
}

uint32_t listed_count(const struct listed *l)
{
    return l->n;
}

const struct listed_value *listed_at(const struct listed *l, uint32_t i)
{
    ASSERT(i < l->n);
    return &l->values[i];
}

size_t listed_bytes(const struct listed *l)
{
    return sizeof *l + l->cap * sizeof *l->values + ((size_t)l->mask + 1) * sizeof *l->slots;
}

/* ---- keys -------------------------------------------------------------------------------- */

/* An address with only the bits of a prefix: u8 IPv6 or not · u8 prefix length · 16 bytes. */
struct network {
    uint8_t bytes[NETWORK_SIZE];
};

static struct network network_of(const uint8_t addr[16], bool v6, unsigned bits)
{
    struct network n = {{v6, (uint8_t)bits}};
    unsigned whole = bits / 8, rest = bits % 8;
    memcpy(n.bytes + 2, addr, whole);
    if (rest) n.bytes[2 + whole] = (uint8_t)(addr[whole] & (0xff00u >> rest));
    return n;
}

static bool network_read(struct slice text, struct network *ret)
{
    struct sigma_atom atom = {.op = ATOM_CIDR};
    if (cidr_read(text, &atom) != NULL) return false;
    *ret = network_of(atom.cidr.addr, atom.cidr.v6, atom.cidr.bits);
    return true;
}

static struct slice after_scheme(struct slice text)
{
    size_t at = slice_find(text, SLICE("://"));
    return at == SIZE_MAX ? text : slice_from(text, at + 3);
}

struct slice listed_url(struct slice text)
{
    text = after_scheme(text);
    while (text.len && text.ptr[text.len - 1] == '/') text.len--;
    return text;
}

struct slice listed_host(struct slice text)
{
    text = after_scheme(text);
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '/' || text.ptr[i] == '?' || text.ptr[i] == '#') text.len = i;
    size_t user = slice_find_last_byte(text, '@');
    if (user != SIZE_MAX) text = slice_from(text, user + 1);
    size_t bracket = slice_find_byte(text, ']');
    if (text.len && text.ptr[0] == '[' && bracket != SIZE_MAX)
        return slice_from(slice_until(text, bracket), 1);
    size_t port = slice_find_byte(text, ':');
    return port == slice_find_last_byte(text, ':') ? slice_until(text, port) : text;
}

/* ---- the table --------------------------------------------------------------------------- */

static bool is_value(const struct listed *l, uint32_t i, struct slice key)
{
    struct network n;
    switch (l->kind) {
    case LISTED_ADDRESS:
        return network_read(l->values[i].value, &n) &&
               slice_eq(slice_make(n.bytes, sizeof n.bytes), key);
    case LISTED_URL:
        return slice_eq(listed_url(l->values[i].value), key);
    case LISTED_DOMAIN:
    case LISTED_HASH:
    case LISTED_EMAIL:
        break;
    }
    return slice_eq(l->values[i].value, key);
}

static const struct listed_value *find_key(const struct listed *l, struct slice key)
{
    uint64_t hash = hash64(key);
    uint32_t tag = (uint32_t)(hash >> 32);
    for (uint32_t at = (uint32_t)hash & l->mask; l->slots[at].value; at = (at + 1) & l->mask)
        if (l->slots[at].tag == tag && is_value(l, l->slots[at].value - 1, key))
            return &l->values[l->slots[at].value - 1];
    return NULL;
}

static void put_key(struct listed *l, struct slice key, uint32_t value)
{
    uint64_t hash = hash64(key);
    uint32_t at = (uint32_t)hash & l->mask;
    while (l->slots[at].value) at = (at + 1) & l->mask;
    l->slots[at] = (struct listed_slot){(uint32_t)(hash >> 32), value + 1};
}

/* The bytes that stand for a value; `space` is for those of a network. */
static bool key_of(const struct listed *l, struct slice value, struct network *space,
                   struct slice *ret)
{
    *ret = l->kind == LISTED_URL ? listed_url(value) : value;
    if (l->kind != LISTED_ADDRESS) return ret->len > 0;
    *ret = slice_make(space->bytes, sizeof space->bytes);
    return network_read(value, space);
}

static int grow(struct listed *l)
{
    if (l->n == l->cap) {
        uint32_t cap = l->cap ? l->cap + l->cap / 2 : SLOTS_LEAST;
        struct listed_value *more = reallocarray(l->values, cap, sizeof *more);
        if (!more) return ERR_NOMEM;
        l->values = more;
        l->cap = cap;
    }
    if (l->n < l->mask / 2) return 0;
    struct listed_slot *slots = calloc(2 * ((size_t)l->mask + 1), sizeof *slots);
    if (!slots) return ERR_NOMEM;
    free(l->slots);
    l->slots = slots;
    l->mask = 2 * l->mask + 1;
    for (uint32_t i = 0; i < l->n; i++) {
        struct network space;
        struct slice key;
        bool good = key_of(l, l->values[i].value, &space, &key);
        ASSERT(good);
        put_key(l, key, i);
    }
    return 0;
}

int listed_add(struct listed *l, const struct listed_value *value, bool *ret_known)
{
    struct network space;
    struct slice key;
    if (!key_of(l, value->value, &space, &key)) return ERR_INVALID;
    bool known = find_key(l, key) != NULL;
    if (!known && grow(l) != 0) return ERR_NOMEM;
    *ret_known = known;
    if (known) return 0;
    l->values[l->n] = *value;
    put_key(l, key, l->n++);
    if (l->kind == LISTED_ADDRESS) l->widths[space.bytes[0]][space.bytes[1]] = true;
    return 0;
}

/* ---- looking ----------------------------------------------------------------------------- */

/* The narrowest network that has it. */
static const struct listed_value *find_address(const struct listed *l, struct slice text)
{
    uint8_t addr[16];
    bool v6;
    if (!addr_parse(text, addr, &v6)) return NULL;
    const bool *widths = l->widths[v6];
    for (unsigned bits = v6 ? WIDTH_V6 : WIDTH_V4;; bits--) {
        struct network n = widths[bits] ? network_of(addr, v6, bits) : (struct network){{0}};
        const struct listed_value *found =
            widths[bits] ? find_key(l, slice_make(n.bytes, sizeof n.bytes)) : NULL;
        if (found || bits == 0) return found;
    }
}

/* The longest name that it is or lies below. */
static const struct listed_value *find_domain(const struct listed *l, struct slice name)
{
    struct slice label;
    if (name.len && name.ptr[name.len - 1] == '.') name.len--;
    while (name.len) {
        const struct listed_value *found = find_key(l, name);
        if (found) return found;
        if (!slice_split(name, '.', &label, &name)) break;
    }
    return NULL;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_between_mails(char c)
{
    static const char between[] = " \t\r\n,;:<>\"()[]"; /* and NUL */
    return memchr(between, c, sizeof between) != NULL;
}

static bool is_between_hashes(char c)
{
    return !is_hex(c);
}

/* The first of the parts between such characters that is in the list. */
static const struct listed_value *find_part(const struct listed *l, struct slice text, size_t least,
                                            bool (*is_between)(char c))
{
    while (text.len >= least) {
        size_t end = 0;
        while (end < text.len && !is_between(text.ptr[end])) end++;
        const struct listed_value *found = NULL;
        if (end >= least) found = find_key(l, slice_until(text, end));
        if (found) return found;
        text = slice_from(text, end + 1);
    }
    return NULL;
}

const struct listed_value *listed_find(const struct listed *l, struct slice text)
{
    switch (l->kind) {
    case LISTED_ADDRESS: {
        const struct listed_value *found = find_address(l, text);
        return found ? found : find_address(l, listed_host(text));
    }
    case LISTED_DOMAIN:
        return find_domain(l, listed_host(text));
    case LISTED_URL:
        return find_key(l, listed_url(text));
    case LISTED_HASH:
        return find_part(l, text, HASH_LEAST, is_between_hashes);
    case LISTED_EMAIL:
        return find_part(l, text, 3, is_between_mails);
    }
    return NULL;
}
