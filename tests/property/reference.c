/* SPDX-License-Identifier: EUPL-1.2 */
#include "reference.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define XXH_STATIC_LINKING_ONLY /* the state on the stack */
#include <xxhash.h>

#include "base/utf8.h"

enum { VARIANTS_MAX = 512, ANY = -1, ONE = -2 };

/* A value or pattern as characters; a byte that is not UTF-8 is 0x200000 + byte. */
struct chars {
    int32_t *c;
    size_t n, cap;
};

static void push(struct chars *s, int32_t c)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 64;
        s->c = realloc(s->c, s->cap * sizeof *s->c);
        if (!s->c) abort();
    }
    s->c[s->n++] = c;
}

static struct chars *new_chars(void)
{
    struct chars *s = calloc(1, sizeof *s);
    if (!s) abort();
    return s;
}

static struct chars *copy_of(const struct chars *from)
{
    struct chars *s = new_chars();
    for (size_t i = 0; i < from->n; i++) push(s, from->c[i]);
    return s;
}

static void drop(struct chars *s)
{
    free(s->c);
    free(s);
}

static struct chars *decode(struct slice text)
{
    struct chars *s = new_chars();
    for (size_t i = 0; i < text.len;) {
        uint32_t cp;
        unsigned n = utf8_decode(text, i, &cp);
        if (n == 0) push(s, 0x200000 + (unsigned char)text.ptr[i++]);
        else push(s, (int32_t)cp), i += n;
    }
    return s;
}

/* Specification, "Escape Character": \ escapes only * ? and itself. */
static struct chars *pattern_of(struct slice text)
{
    struct chars *raw = decode(text), *p = new_chars();
    for (size_t i = 0; i < raw->n; i++) {
        int32_t c = raw->c[i], next = i + 1 < raw->n ? raw->c[i + 1] : 0;
        if (c == '\\' && (next == '*' || next == '?' || next == '\\')) push(p, next), i++;
        else if (c == '*') push(p, ANY);
        else if (c == '?') push(p, ONE);
        else push(p, c);
    }
    drop(raw);
    return p;
}

static void fold(struct chars *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->c[i] >= 0 && s->c[i] < 0x110000) s->c[i] = (int32_t)utf8_fold_cp((uint32_t)s->c[i]);
}

/* A star takes nothing at first, and one character more each time what follows does not fit. */
static bool like(const struct chars *p, const struct chars *t)
{
    size_t i = 0, k = 0, star = SIZE_MAX, taken = 0;
    while (k < t->n) {
        bool fits = i < p->n && p->c[i] != ANY && (p->c[i] == ONE || p->c[i] == t->c[k]);
        if (fits) {
            i++;
            k++;
        } else if (i < p->n && p->c[i] == ANY) {
            star = i++;
            taken = k;
        } else if (star != SIZE_MAX) {
            i = star + 1;
            k = ++taken;
        } else {
            return false;
        }
    }
    while (i < p->n && p->c[i] == ANY) i++;
    return i == p->n;
}

/* What the modifiers of one item say. */
struct item {
    bool contains, starts, ends, all, exists, cased, neq, windash, base64, base64offset;
    int utf16; /* 'l', 'b', 'B' (byte order mark) */
    bool re, i, m, s, cidr, fieldref;
    const char *compare; /* lt … */
    const char *time;
};

static bool is(struct slice s, const char *word)
{
    return slice_eq_nocase(s, slice_of(word));
}

static struct item item_of(const struct sigma_item *in)
{
    static const char *const compares[] = {"lt", "lte", "gt", "gte"};
    static const char *const times[] = {"minute", "hour", "day", "week", "month", "year"};
    struct item it = {0};
    for (uint32_t k = 0; k < in->n_modifiers; k++) {
        struct slice m = in->modifiers[k];
        if (is(m, "contains")) it.contains = true;
        if (is(m, "startswith")) it.starts = true;
        if (is(m, "endswith")) it.ends = true;
        if (is(m, "all")) it.all = true;
        if (is(m, "exists")) it.exists = true;
        if (is(m, "cased")) it.cased = true;
        if (is(m, "neq")) it.neq = true;
        if (is(m, "windash")) it.windash = true;
        if (is(m, "base64")) it.base64 = true;
        if (is(m, "base64offset")) it.base64offset = true;
        if (is(m, "utf16le") || is(m, "wide")) it.utf16 = 'l';
        if (is(m, "utf16be")) it.utf16 = 'b';
        if (is(m, "utf16")) it.utf16 = 'B';
        if (is(m, "re")) it.re = true;
        if (is(m, "i")) it.i = true;
        if (is(m, "m")) it.m = true;
        if (is(m, "s")) it.s = true;
        if (is(m, "cidr")) it.cidr = true;
        if (is(m, "fieldref")) it.fieldref = true;
        for (size_t c = 0; c < 4; c++)
            if (is(m, compares[c])) it.compare = compares[c];
        for (size_t c = 0; c < 6; c++)
            if (is(m, times[c])) it.time = times[c];
    }
    return it;
}

static bool is_word(int32_t c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Every way of writing the dashes that begin a word: each of the five characters at each place. */
static size_t windash(const struct chars *p, struct chars **out, size_t max)
{
    static const int32_t dashes[] = {'-', '/', 0x2013, 0x2014, 0x2015};
    size_t n = 1;
    out[0] = copy_of(p);
    for (size_t i = 0; i < p->n; i++) {
        bool dash = false;
        for (size_t d = 0; d < 5; d++) dash |= p->c[i] == dashes[d];
        bool begins = (i == 0 || !is_word(p->c[i - 1])) && i + 1 < p->n && is_word(p->c[i + 1]);
        if (!dash || !begins) continue;
        size_t before = n;
        for (size_t k = 0; k < before; k++)
            for (size_t d = 0; d < 5; d++) {
                if (dashes[d] == out[k]->c[i] || n == max) continue;
                out[n] = copy_of(out[k]);
                out[n]->c[i] = dashes[d];
                n++;
            }
    }
    return n;
}

static size_t to_bytes(const struct chars *s, unsigned char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        char enc[4];
        unsigned len = utf8_encode(enc, (uint32_t)s->c[i]);
        memcpy(out + n, enc, len);
        n += len;
    }
    return n;
}

static size_t to_utf16(const struct chars *s, int order, unsigned char *out)
{
    size_t n = 0;
    bool big = order == 'b';
    if (order == 'B') out[n++] = 0xff, out[n++] = 0xfe;
    for (size_t i = 0; i < s->n; i++) {
        uint32_t c = (uint32_t)s->c[i], unit[2] = {c, 0};
        if (c >= 0x10000) unit[0] = 0xd800 + ((c - 0x10000) >> 10), unit[1] = 0xdc00 + (c & 0x3ff);
        for (int k = 0; k < 2 && (k == 0 || unit[k]); k++) {
            out[n++] = (unsigned char)(big ? unit[k] >> 8 : unit[k] & 255);
            out[n++] = (unsigned char)(big ? unit[k] & 255 : unit[k] >> 8);
        }
    }
    return n;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static struct chars *base64(const unsigned char *in, size_t n)
{
    struct chars *s = new_chars();
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)in[i] << 16;
        if (i + 1 < n) v |= (uint32_t)in[i + 1] << 8;
        if (i + 2 < n) v |= in[i + 2];
        push(s, alphabet[v >> 18]);
        push(s, alphabet[v >> 12 & 63]);
        push(s, i + 1 < n ? alphabet[v >> 6 & 63] : '=');
        push(s, i + 2 < n ? alphabet[v & 63] : '=');
    }
    return s;
}

/*
 * The characters that do not depend on what stands before or after: all bits of them come from
 * the value, which is at byte `offset` of a group of three.
 */
static struct chars *base64_inside(const unsigned char *in, size_t n, size_t offset)
{
    unsigned char *padded = calloc(1, n + offset);
    if (!padded) abort();
    memcpy(padded + offset, in, n);
    struct chars *all = base64(padded, n + offset), *s = new_chars();
    for (size_t i = 0; i < all->n; i++)
        if (i * 6 >= offset * 8 && (i + 1) * 6 <= (offset + n) * 8) push(s, all->c[i]);
    free(padded);
    drop(all);
    return s;
}

static struct chars *with_wildcards(struct chars *p, const struct item *it)
{
    struct chars *out = new_chars();
    if (it->contains || it->ends) push(out, ANY);
    for (size_t i = 0; i < p->n; i++) push(out, p->c[i]);
    if (it->contains || it->starts) push(out, ANY);
    drop(p);
    return out;
}

/* All patterns one value stands for. */
static size_t patterns(const struct item *it, struct slice text, struct chars **out)
{
    struct chars *p = pattern_of(text);
    size_t n = 1;
    out[0] = p;
    if (it->windash) {
        n = windash(p, out, VARIANTS_MAX);
        drop(p);
    }
    if (it->utf16 || it->base64 || it->base64offset) {
        size_t made = 0;
        struct chars *in[VARIANTS_MAX];
        memcpy(in, out, n * sizeof *in);
        for (size_t k = 0; k < n && made + 3 < VARIANTS_MAX; k++) {
            unsigned char *bytes = malloc(4 * in[k]->n + 4);
            if (!bytes) abort();
            size_t len = it->utf16 ? to_utf16(in[k], it->utf16, bytes) : to_bytes(in[k], bytes);
            if (it->base64) {
                out[made++] = base64(bytes, len);
            } else if (it->base64offset) {
                for (size_t o = 0; o < 3; o++) out[made++] = base64_inside(bytes, len, o);
            } else {
                struct chars *s = new_chars();
                for (size_t i = 0; i < len; i++)
                    push(s, bytes[i] < 0x80 ? bytes[i] : 0x200000 + bytes[i]);
                out[made++] = s;
            }
            free(bytes);
            drop(in[k]);
        }
        n = made;
    }
    for (size_t k = 0; k < n; k++) out[k] = with_wildcards(out[k], it);
    return n;
}

static bool compare(const char *how, double x, double y)
{
    if (!strcmp(how, "lt")) return x < y;
    if (!strcmp(how, "lte")) return x <= y;
    if (!strcmp(how, "gt")) return x > y;
    if (!strcmp(how, "gte")) return x >= y;
    return x == y;
}

static bool time_shape(const char *z)
{
    const char *shape = "dddd-dd-dd dd:dd:dd";
    for (size_t i = 0; i < 19; i++) {
        bool digit = z[i] >= '0' && z[i] <= '9';
        if (shape[i] == 'd' ? !digit : i == 10 ? z[i] != ' ' && z[i] != 'T' : z[i] != shape[i])
            return false;
    }
    return true;
}

/* YYYY-MM-DD[T ]HH:MM:SS… in UTC, which is what the generators write. */
static bool time_part(struct slice text, const char *part, double *ret)
{
    char z[32] = "", week[8];
    if (text.len < 19) return false;
    memcpy(z, text.ptr, 19);
    if (!time_shape(z) || (text.len > 19 && !slice_eq(slice_from(text, 19), SLICE("Z"))))
        return false;
    struct tm tm = {0};
    if (sscanf(z, "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    struct tm asked = tm;
    time_t t = timegm(&tm);
    gmtime_r(&t, &tm);
    if (asked.tm_mon != tm.tm_mon || asked.tm_mday != tm.tm_mday || asked.tm_hour != tm.tm_hour ||
        asked.tm_min != tm.tm_min || asked.tm_sec != tm.tm_sec)
        return false;
    if (!strcmp(part, "minute")) *ret = tm.tm_min;
    if (!strcmp(part, "hour")) *ret = tm.tm_hour;
    if (!strcmp(part, "day")) *ret = tm.tm_mday;
    if (!strcmp(part, "month")) *ret = tm.tm_mon + 1;
    if (!strcmp(part, "year")) *ret = tm.tm_year + 1900;
    strftime(week, sizeof week, "%V", &tm);
    if (!strcmp(part, "week")) *ret = strtod(week, NULL);
    return true;
}

static bool in_network(struct slice network, struct slice value)
{
    char net[64] = "", val[64] = "";
    if (network.len >= sizeof net || value.len >= sizeof val) return false;
    memcpy(net, network.ptr, network.len);
    memcpy(val, value.ptr, value.len);
    char *zone = strchr(val, '%'); /* fe80::1%eth0 is an address of that link */
    if (zone && zone[1] && strchr(val, ':')) *zone = 0;
    char *slash = strchr(net, '/');
    int family = strchr(net, ':') ? AF_INET6 : AF_INET;
    unsigned bits = slash ? (unsigned)strtoul(slash + 1, NULL, 10) : family == AF_INET6 ? 128 : 32;
    if (slash) *slash = 0;
    unsigned char a[16], b[16];
    if (inet_pton(family, net, a) != 1 || inet_pton(family, val, b) != 1) return false;
    for (unsigned i = 0; i < bits; i++)
        if ((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1) return false;
    return true;
}

static bool regex_finds(const struct item *it, struct slice pattern, struct slice text)
{
    int code;
    size_t at;
    uint32_t flags = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | (it->i ? PCRE2_CASELESS : 0) |
                     (it->m ? PCRE2_MULTILINE : 0) | (it->s ? PCRE2_DOTALL : 0);
    pcre2_code *re = pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, flags, &code, &at, NULL);
    if (!re) return false;
    pcre2_match_data *md = pcre2_match_data_create(1, NULL);
    int r = pcre2_match(re, (PCRE2_SPTR)(text.ptr ? text.ptr : ""), text.len, 0, 0, md, NULL);
    pcre2_match_data_free(md);
    pcre2_code_free(re);
    return r >= 0;
}

static bool string_holds(const struct item *it, struct slice pattern, struct slice text,
                         bool anywhere)
{
    struct chars *p[VARIANTS_MAX], *t = decode(text);
    struct item bound = *it;
    if (anywhere) bound.contains = true;
    size_t n = patterns(&bound, pattern, p);
    bool holds = false;
    if (!it->cased) fold(t);
    for (size_t k = 0; k < n; k++) {
        if (!it->cased) fold(p[k]);
        holds = holds || like(p[k], t);
        drop(p[k]);
    }
    drop(t);
    return holds;
}

/* One value of a rule against one value of the event. */
static bool value_holds(const struct item *it, const struct sigma_value *v,
                        const struct ref_field *f, bool anywhere)
{
    double x, y;
    if (f->type == REF_NULL) return false;
    if (it->re) return regex_finds(it, v->text, f->text);
    if (it->cidr) return in_network(v->text, f->text);
    if (it->time)
        return slice_to_double(v->text, &y) && time_part(f->text, it->time, &x) &&
               compare(it->compare ? it->compare : "eq", x, y);
    if (it->compare)
        return slice_to_double(f->text, &x) && slice_to_double(v->text, &y) &&
               compare(it->compare, x, y);
    if (v->type == YAML_NUMBER && f->type == REF_NUMBER && !it->contains && !it->starts &&
        !it->ends && slice_to_double(f->text, &x) && slice_to_double(v->text, &y) && x == y)
        return true;
    return string_holds(it, v->text, f->text, anywhere);
}

/*
 * What was said before: of an item, by a hash of it and of the values that it sees; of a keyword,
 * by a hash of it and of the value.
 */
enum { CACHE_BITS = 24 };
struct ref_cache {
    struct known {
        XXH128_hash_t key;
        bool set, holds;
    } at[(size_t)1 << CACHE_BITS];
};

struct ref_cache *ref_cache_new(void)
{
    return calloc(1, sizeof(struct ref_cache));
}

void ref_cache_free(struct ref_cache *cache)
{
    free(cache);
}

static struct known *known_at(struct ref_cache *cache, const XXH3_state_t *state)
{
    XXH128_hash_t key = XXH3_128bits_digest(state);
    struct known *k = &cache->at[key.low64 >> (64 - CACHE_BITS)];
    if (!k->set || !XXH128_isEqual(k->key, key)) *k = (struct known){.key = key};
    return k;
}

static void hash_field(XXH3_state_t *state, const struct ref_field *f, bool below)
{
    size_t what[3] = {below, (size_t)f->type, f->text.len};
    (void)XXH3_128bits_update(state, what, sizeof what);
    if (f->text.len) (void)XXH3_128bits_update(state, f->text.ptr, f->text.len);
}

static bool keyword_holds(struct ref_cache *cache, const struct item *it,
                          const struct sigma_value *v, const struct ref_field *f)
{
    if (!cache) return value_holds(it, v, f, true);
    XXH3_state_t state;
    (void)XXH3_128bits_reset(&state);
    (void)XXH3_128bits_update(&state, &v, sizeof v);
    hash_field(&state, f, false);
    struct known *known = known_at(cache, &state);
    if (!known->set) *known = (struct known){known->key, true, value_holds(it, v, f, true)};
    return known->holds;
}

/* What a rule's field is called in an event. */
struct names {
    struct slice at[REF_NAMES_MAX];
    uint32_t n;
};

static struct names names_of(const struct ref_event *ev, struct slice field)
{
    struct names names = {.at = {field}, .n = 1};
    if (ev->names && field.len) names.n = ev->names(ev->ctx, field, names.at);
    return names;
}

static bool is_one_of(const struct names *names, struct slice name)
{
    for (uint32_t i = 0; i < names->n; i++)
        if (slice_eq(names->at[i], name)) return true;
    return false;
}

/* a.b.c lies below a and a.b. */
static bool is_below(const struct names *names, struct slice name)
{
    for (uint32_t i = 0; i < names->n; i++) {
        size_t n = names->at[i].len;
        if (name.len > n && name.ptr[n] == '.' && slice_eq(slice_until(name, n), names->at[i]))
            return true;
    }
    return false;
}

static bool refers(const struct item *it, const struct ref_event *ev, struct slice field,
                   struct slice other)
{
    struct names here = names_of(ev, field), there = names_of(ev, other);
    for (uint32_t i = 0; i < ev->n; i++)
        for (uint32_t k = 0; k < ev->n; k++) {
            const struct ref_field *a = &ev->fields[i], *b = &ev->fields[k];
            if (!is_one_of(&here, a->name) || !is_one_of(&there, b->name)) continue;
            if (a->type == REF_NULL || b->type == REF_NULL) continue;
            struct chars *x = decode(a->text), *y = with_wildcards(decode(b->text), it);
            if (!it->cased) {
                fold(x);
                fold(y);
            }
            bool holds = like(y, x);
            drop(x);
            drop(y);
            if (holds) return true;
        }
    return false;
}

static bool one_value(const struct item *it, const struct sigma_item *in,
                      const struct sigma_value *v, const struct ref_event *ev,
                      const struct names *names)
{
    if (it->exists || v->type == YAML_NULL) {
        bool present = false, any_not_null = false;
        for (uint32_t i = 0; i < ev->n; i++) {
            struct slice name = ev->fields[i].name;
            if (is_below(names, name)) present = any_not_null = true;
            if (!is_one_of(names, name)) continue;
            present = true;
            any_not_null |= ev->fields[i].type != REF_NULL;
        }
        return it->exists ? present == is(v->text, "true") : !any_not_null;
    }
    if (it->fieldref) return refers(it, ev, in->field, v->text);
    for (uint32_t i = 0; i < ev->n; i++) {
        const struct ref_field *f = &ev->fields[i];
        if (in->field.len == 0 ? keyword_holds(ev->cache, it, v, f)
                               : is_one_of(names, f->name) && value_holds(it, v, f, false))
            return true;
    }
    return false;
}

static bool evaluate_item(const struct sigma_item *in, const struct ref_event *ev)
{
    struct item it = item_of(in);
    struct names names = names_of(ev, in->field);
    bool any = false, all = true;
    for (uint32_t k = 0; k < in->n_values; k++) {
        bool holds = one_value(&it, in, &in->values[k], ev, &names);
        any |= holds;
        all &= holds;
    }
    bool holds = it.all ? all : any;
    return it.neq ? !holds : holds;
}

static struct known *find_known(struct ref_cache *cache, const struct sigma_item *in,
                                const struct ref_event *ev)
{
    XXH3_state_t state;
    (void)XXH3_128bits_reset(&state);
    (void)XXH3_128bits_update(&state, &in, sizeof in);
    struct names names = names_of(ev, in->field);
    for (uint32_t i = 0; i < ev->n; i++) {
        const struct ref_field *f = &ev->fields[i];
        bool below = is_below(&names, f->name);
        if (!below && !is_one_of(&names, f->name)) continue;
        hash_field(&state, f, below);
    }
    return known_at(cache, &state);
}

bool ref_item_holds(const struct sigma_item *in, const struct ref_event *ev)
{
    if (!ev->cache || in->field.len == 0 || item_of(in).fieldref) return evaluate_item(in, ev);
    struct known *known = find_known(ev->cache, in, ev);
    if (!known->set) {
        known->holds = evaluate_item(in, ev);
        known->set = true;
    }
    return known->holds;
}

static bool search_holds(const struct sigma_search *s, const struct ref_event *ev)
{
    for (uint32_t m = 0; m < s->n_maps; m++) {
        bool all = true;
        for (uint32_t k = 0; k < s->maps[m].n_items; k++)
            all = all && ref_item_holds(&s->maps[m].items[k], ev);
        if (all) return true;
    }
    return false;
}

/* The condition, evaluated from its text by recursive descent. */
struct reader {
    const struct sigma_detection *d;
    const struct ref_event *ev;
    struct slice rest;
};

static struct slice peek(struct reader *r, struct slice *ret_rest)
{
    struct slice s = slice_trim(r->rest);
    size_t n = 0;
    if (s.len && (s.ptr[0] == '(' || s.ptr[0] == ')')) n = 1;
    else
        while (n < s.len && !strchr(" \t\r\n()", s.ptr[n])) n++;
    *ret_rest = slice_from(s, n);
    return slice_until(s, n);
}

static bool take_word(struct reader *r, const char *word)
{
    struct slice rest;
    if (!is(peek(r, &rest), word)) return false;
    r->rest = rest;
    return true;
}

static bool name_like(struct slice pattern, struct slice name)
{
    if (pattern.len == 0) return name.len == 0;
    if (pattern.ptr[0] == '*') {
        for (size_t i = 0; i <= name.len; i++)
            if (name_like(slice_from(pattern, 1), slice_from(name, i))) return true;
        return false;
    }
    return name.len && name.ptr[0] == pattern.ptr[0] &&
           name_like(slice_from(pattern, 1), slice_from(name, 1));
}

static bool read_or(struct reader *r);

static bool read_primary(struct reader *r)
{
    if (take_word(r, "(")) {
        bool v = read_or(r);
        (void)take_word(r, ")");
        return v;
    }
    struct slice word = peek(r, &r->rest), rest;
    bool counted = is(word, "1") || is(word, "all") || is(word, "any");
    if (counted && is(peek(r, &rest), "of")) {
        r->rest = rest;
        bool them, want_all = is(word, "all"), any = false, all = true;
        word = peek(r, &r->rest);
        them = is(word, "them");
        for (uint32_t i = 0; i < r->d->n_searches; i++) {
            const struct sigma_search *s = &r->d->searches[i];
            if (them ? s->name.ptr[0] == '_' : !name_like(word, s->name)) continue;
            bool v = search_holds(s, r->ev);
            any |= v;
            all &= v;
        }
        return want_all ? all : any;
    }
    for (uint32_t i = 0; i < r->d->n_searches; i++)
        if (slice_eq(r->d->searches[i].name, word)) return search_holds(&r->d->searches[i], r->ev);
    return false;
}

static bool read_not(struct reader *r)
{
    if (take_word(r, "not")) return !read_not(r);
    return read_primary(r);
}

static bool read_and(struct reader *r)
{
    bool v = read_not(r);
    while (take_word(r, "and")) v = read_not(r) && v;
    return v;
}

static bool read_or(struct reader *r)
{
    bool v = read_and(r);
    while (take_word(r, "or")) v = read_and(r) || v;
    return v;
}

int ref_evaluate(const struct sigma_doc *rule, const struct ref_event *event)
{
    for (uint32_t i = 0; i < rule->detection.n_conditions; i++) {
        struct reader r = {&rule->detection, event, rule->detection.conditions[i].text};
        bool v = read_or(&r);
        if (slice_trim(r.rest).len) return -1;
        if (v) return 1;
    }
    return 0;
}
