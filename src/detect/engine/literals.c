/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/engine/literals.h"

#include <limits.h>
#include <stdlib.h>

#include "base/hash.h"
#include "detect/sigma/match.h"

struct entry {
    const char *text;
    uint32_t len;
    uint32_t needle;
    uint64_t key;     /* gram, or hash of the anchored bytes */
    uint32_t gram_at; /* offset of the gram in text */
    enum anchor anchor;
    const struct glob_piece *glob;
    uint32_t n_glob;
    bool words;
};

/*
 * Buckets in one array: bucket b holds entries[heads[b]] to entries[heads[b + 1] - 1]. A slot is
 * `slot_bits` wide; its top `bucket_bits` name the bucket, all of it the bit in `bits`, and the
 * byte in `marks`, which small tables of runs have besides: it is looked up with fewer
 * instructions.
 */
struct table {
    uint64_t *bits;
    uint8_t *marks; /* or NULL */
    uint32_t *heads;
    struct entry *entries;
    uint32_t n;
    uint8_t slot_bits, bucket_bits;
};

/*
 * Ways to go through a text: runs of `width` bytes are looked up at every `stride`th position. Of a
 * literal as many neighbouring runs are entered, so that one of them falls on such a position.
 */
enum pass { PASS_4_4, PASS_4_2, PASS_3_2, PASS_3_1, PASS_2_1, PASS_1_1, PASSES };
static const struct {
    uint8_t width, stride, least; /* bytes of the shortest literal that has so many runs */
} passes[PASSES] = {[PASS_4_4] = {4, 4, 7}, [PASS_4_2] = {4, 2, 5}, [PASS_3_2] = {3, 2, 4},
                    [PASS_3_1] = {3, 1, 3}, [PASS_2_1] = {2, 1, 2}, [PASS_1_1] = {1, 1, 1}};
enum {
    CLASSES = 5,
    MARK_BITS = 14,
    FEW = 256, /* literals that are found in one pass, that of the shortest */
};
static const uint8_t class_len[CLASSES] = {16, 8, 4, 2, 1};

struct literal_set {
    struct table gram[PASSES];
    struct table start[CLASSES], end[CLASSES];
    struct table whole;
    bool any_start, any_end;
    struct list {
        const struct listed *listed;
        uint32_t needle;
    } * lists;
    uint32_t n_lists;
    char *text;
    size_t bytes, shortest;
};

static inline uint64_t load64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static inline uint32_t load32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

static inline uint32_t load16(const char *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return v;
}

/* A run of bytes; three of them need a fourth to be readable. */
static inline uint32_t gram_at(const char *p, unsigned width)
{
    switch (width) {
    case 4:
        return load32(p);
    case 3:
        return load32(p) & 0xffffff;
    case 2:
        return load16(p);
    default:
        return (unsigned char)*p;
    }
}

static inline uint64_t key_of_class(const char *p, unsigned class)
{
    switch (class) {
    case 0:
        return hash_mix(load64(p), load64(p + 8));
    case 1:
        return load64(p);
    case 2:
        return load32(p);
    case 3:
        return load16(p);
    default:
        return (unsigned char)*p;
    }
}

static inline uint64_t key_of_whole(const char *p, size_t len)
{
    if (len >= 8) return hash_mix(load64(p), load64(p + len - 8)) + len;
    if (len >= 4) return hash_mix(load32(p), load32(p + len - 4)) + len;
    uint64_t v = len;
    for (size_t i = 0; i < len; i++) v = v << 8 | (unsigned char)p[i];
    return v;
}

static inline uint32_t slot_of(const struct table *t, uint64_t key)
{
    return (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - t->slot_bits));
}

/* A cheaper mixing for the inner loop over grams. */
#define GRAM_FACTOR UINT32_C(0x9e3779b1)
static inline uint32_t slot_of_gram(const struct table *t, uint32_t gram)
{
    return (gram * GRAM_FACTOR) >> (32 - t->slot_bits);
}

static inline bool table_maybe(const struct table *t, uint32_t slot)
{
    return t->bits[slot >> 6] >> (slot & 63) & 1;
}

static uint8_t bits_for(size_t n)
{
    uint8_t b = 1;
    while (((size_t)1 << b) < n) b++;
    return b;
}

static int table_build(struct table *t, const struct entry *entries, uint32_t n, bool grams)
{
    *t = (struct table){.n = n};
    if (n == 0) return 0;
    /*
     * 64 slots an entry keep the table under 2 % full as long as it fits the first-level cache
     * (2^18 bits are 32 KiB); larger ones are kept under 12 %, in the second level.
     */
    uint8_t slot_bits = bits_for((size_t)n * 64), fuller = bits_for((size_t)n * 8);
    if (slot_bits > 18) slot_bits = fuller > 18 ? fuller : 18;
    t->slot_bits = slot_bits < 8 ? 8 : slot_bits > 24 ? 24 : slot_bits;
    uint8_t bucket_bits = bits_for((size_t)n * 2);
    t->bucket_bits = bucket_bits > t->slot_bits ? t->slot_bits : bucket_bits;
    size_t buckets = (size_t)1 << t->bucket_bits;
    t->bits = calloc(((size_t)1 << t->slot_bits) / 64 + 1, sizeof *t->bits);
    t->heads = calloc(buckets + 2, sizeof *t->heads);
    t->entries = calloc(n, sizeof *t->entries);
    if (grams && t->slot_bits <= MARK_BITS) t->marks = calloc((size_t)1 << t->slot_bits, 1);
    bool marked = !grams || t->slot_bits > MARK_BITS || t->marks;
    if (!t->bits || !t->heads || !t->entries || !marked) return ERR_NOMEM;
    unsigned down = (unsigned)(t->slot_bits - t->bucket_bits);
#define SLOT(e) (grams ? slot_of_gram(t, (uint32_t)(e)->key) : slot_of(t, (e)->key))
    for (uint32_t i = 0; i < n; i++) {
        uint32_t slot = SLOT(&entries[i]);
        t->bits[slot >> 6] |= UINT64_C(1) << (slot & 63);
        if (t->marks) t->marks[slot] = 1;
        t->heads[(slot >> down) + 2]++;
    }
    for (size_t b = 2; b < buckets + 2; b++) t->heads[b] += t->heads[b - 1];
    for (uint32_t i = 0; i < n; i++)
        t->entries[t->heads[(SLOT(&entries[i]) >> down) + 1]++] = entries[i];
#undef SLOT
    return 0;
}

static size_t table_bytes(const struct table *t)
{
    if (t->n == 0) return 0;
    size_t slots = (size_t)1 << t->slot_bits;
    return slots / 8 + (t->marks ? slots : 0) + ((size_t)4 << t->bucket_bits) +
           t->n * sizeof *t->entries;
}

static void table_done(struct table *t)
{
    free(t->bits);
    free(t->marks);
    free(t->heads);
    free(t->entries);
}

/*
 * Text that most Windows and Linux logs are full of: runs of four bytes that occur in it are poor
 * keys, and literals made of them are poor triggers.
 */
static const char common_text[] =
    "c:\\windows\\system32\\ c:\\windows\\syswow64\\ c:\\program files (x86)\\ c:\\programdata\\ "
    "\\microsoft\\windows\\currentversion\\ hklm\\software\\ hkcu\\software\\ \\users\\ \\appdata\\"
    "local\\ \\appdata\\roaming\\ \\temp\\ .exe .dll .com .net http:// https:// www. microsoft "
    "windows system program svchost.exe explorer.exe services.exe system32\\drivers\\ nt "
    "authority\\"
    "system \\registry\\machine\\system\\currentcontrolset\\services\\ message username "
    "/usr/bin/ /usr/sbin/ /bin/sh /var/log/ /etc/ /home/ root true false null";

static bool is_common(struct slice s)
{
    return slice_find(slice_make(common_text, sizeof common_text - 1), s) != SIZE_MAX;
}

double literal_frequency(struct slice text, enum anchor anchor)
{
    static const double by_len[] = {1, 0.8, 0.3, 0.08, 0.02, 0.008, 0.004, 0.002, 0.001};
    double p = text.len < sizeof by_len / sizeof *by_len ? by_len[text.len] : 0.0005;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80) return p / 20; /* beyond ASCII: hardly ever */
    if (anchor == ANCHOR_WHOLE) return p > 0.02 ? 0.02 : p;
    return is_common(text) && p < 0.3 ? 0.3 : p;
}

/*
 * How good a key each run of `width` bytes is: poor when it occurs in common text or in many of the
 * set's own literals. Hashed counts that saturate: a mistake costs a little speed.
 */
enum { GRAM_BITS = 14, COMMON = 64 };
struct gram_counts {
    uint8_t n[(size_t)1 << GRAM_BITS];
};

static uint8_t *count_of(struct gram_counts *c, const char *p, unsigned width)
{
    uint32_t gram = 0;
    memcpy(&gram, p, width);
    return &c->n[(gram * GRAM_FACTOR + width * 0x85ebu) >> (32 - GRAM_BITS)];
}

static void count_text(struct gram_counts *c, struct slice text, unsigned width, uint8_t weight)
{
    for (size_t i = 0; i + width <= text.len; i++) {
        uint8_t *n = count_of(c, text.ptr + i, width);
        *n = *n > UINT8_MAX - weight ? UINT8_MAX : (uint8_t)(*n + weight);
    }
}

/* The one with the longest steps, from `first` on, of those that find literals of this length. */
static enum pass pass_for(size_t len, enum pass first)
{
    unsigned pass = first;
    while (len < passes[pass].least) pass++;
    return (enum pass)pass;
}

/* Few literals of three bytes or more are all found in the pass of the shortest of them. */
static enum pass first_pass(const struct literal_spec *specs, uint32_t n)
{
    enum pass first = PASS_4_4;
    uint32_t n_inside = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (specs[i].listed || specs[i].anchor != ANCHOR_INSIDE) continue;
        if (specs[i].text.len >= passes[PASS_3_1].least) first = pass_for(specs[i].text.len, first);
        n_inside++;
    }
    return n_inside <= FEW ? first : PASS_4_4;
}

static struct gram_counts *gram_counts_new(const struct literal_spec *specs, uint32_t n,
                                           enum pass first)
{
    struct gram_counts *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    for (unsigned width = 1; width <= 4; width++)
        count_text(c, slice_make(common_text, sizeof common_text - 1), width, COMMON);
    for (uint32_t i = 0; i < n; i++)
        if (specs[i].anchor == ANCHOR_INSIDE)
            count_text(c, specs[i].text, passes[pass_for(specs[i].text.len, first)].width, 1);
    return c;
}

/* Half-bits of how often a byte is met in log text, roughly. */
static unsigned byte_score(unsigned char c)
{
    static const char often[] = "etaoinsr\\", seldom[] = "qxzjQXZJ";
    if (c == '\0' || memchr(often, c, sizeof often - 1)) return 3;
    if (memchr(seldom, c, sizeof seldom - 1)) return 0;
    return (c >= 'a' && c <= 'z') || c == ' ' || c == '.' || c == '0' ? 2 : 1;
}

static unsigned gram_score(struct gram_counts *counts, const char *p, unsigned width)
{
    unsigned score = 0, n = *count_of(counts, p, width);
    for (unsigned k = 0; k < width; k++) score += byte_score((unsigned char)p[k]);
    for (; n > 1; n >>= 1) score += 3;
    return score;
}

/* The offset of `stride` neighbouring runs of `width` bytes that are least likely to be common. */
static uint32_t best_gram(struct gram_counts *counts, struct slice text, unsigned width,
                          unsigned stride)
{
    uint32_t best = 0;
    unsigned best_score = UINT_MAX, score[4];
    for (uint32_t i = 0; i + width <= text.len; i++) {
        score[i % 4] = gram_score(counts, text.ptr + i, width);
        if (i + 1 < stride) continue;
        unsigned sum = 0;
        for (unsigned k = 0; k < stride; k++) sum += score[(i - k) % 4];
        if (sum >= best_score) continue;
        best_score = sum;
        best = i + 1 - stride;
    }
    return best;
}

/* Where one literal belongs: fills the entry's key and returns its table. */
static struct table *place(struct literal_set *s, struct gram_counts *counts, enum pass first,
                           struct entry *e)
{
    if (e->anchor == ANCHOR_WHOLE) {
        e->key = key_of_whole(e->text, e->len);
        return &s->whole;
    }
    if (e->anchor == ANCHOR_INSIDE) {
        enum pass pass = pass_for(e->len, first);
        e->gram_at =
            best_gram(counts, slice_make(e->text, e->len), passes[pass].width, passes[pass].stride);
        return &s->gram[pass];
    }
    unsigned class = 0;
    while (class_len[class] > e->len) class ++;
    bool start = e->anchor == ANCHOR_START;
    e->key = key_of_class(start ? e->text : e->text + e->len - class_len[class], class);
    return start ? &s->start[class] : &s->end[class];
}

static struct table *table_number(struct literal_set *s, unsigned i)
{
    if (i < PASSES) return &s->gram[i];
    i -= PASSES;
    if (i < CLASSES) return &s->start[i];
    i -= CLASSES;
    if (i < CLASSES) return &s->end[i];
    return i == CLASSES ? &s->whole : NULL;
}

/* The entries of one literal in its table; returns their number. */
static uint32_t enter(struct entry *out, const struct entry *e, unsigned table)
{
    out[0] = *e;
    if (table >= PASSES) return 1;
    for (uint32_t k = 0; k < passes[table].stride; k++) {
        out[k] = *e;
        out[k].gram_at = e->gram_at + k;
        out[k].key = gram_at(e->text + e->gram_at + k, passes[table].width);
    }
    return passes[table].stride;
}

/* Those of the specs that are lists. */
static bool take_lists(struct literal_set *s, const struct literal_spec *specs, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) s->n_lists += specs[i].listed != NULL;
    s->lists = s->n_lists ? calloc(s->n_lists, sizeof *s->lists) : NULL;
    for (uint32_t i = 0, at = 0; s->lists && i < n; i++)
        if (specs[i].listed) s->lists[at++] = (struct list){specs[i].listed, specs[i].needle};
    return s->lists || s->n_lists == 0;
}

struct literal_set *literal_set_new(const struct literal_spec *specs, uint32_t n)
{
    struct literal_set *s = calloc(1, sizeof *s);
    const enum pass first = first_pass(specs, n);
    size_t text_len = 0;
    for (uint32_t i = 0; i < n; i++) text_len += specs[i].text.len;
    struct entry *all = calloc(n ? n : 1, sizeof *all),
                 *some = calloc(4 * (n ? n : 1), sizeof *some);
    struct table **where = calloc(n ? n : 1, sizeof(struct table *));
    struct gram_counts *counts = gram_counts_new(specs, n, first);
    if (s) s->text = malloc(text_len + LITERAL_SLACK);
    if (!s || !s->text || !all || !some || !where || !counts || !take_lists(s, specs, n)) goto fail;
    s->bytes = sizeof *s + text_len;
    s->shortest = s->n_lists ? 0 : SIZE_MAX;
    for (uint32_t i = 0, at = 0; i < n; i++) {
        const struct literal_spec *spec = &specs[i];
        if (spec->listed) continue;
        if (spec->text.len < s->shortest) s->shortest = spec->text.len;
        ASSERT(spec->text.len > 0 || spec->anchor == ANCHOR_WHOLE);
        if (spec->text.len) memcpy(s->text + at, spec->text.ptr, spec->text.len);
        all[i] = (struct entry){.text = s->text + at,
                                .len = (uint32_t)spec->text.len,
                                .needle = spec->needle,
                                .anchor = spec->anchor,
                                .glob = spec->glob,
                                .n_glob = spec->n_glob,
                                .words = spec->words};
        at += (uint32_t)spec->text.len;
        where[i] = place(s, counts, first, &all[i]);
        if (spec->anchor == ANCHOR_START) s->any_start = true;
        if (spec->anchor == ANCHOR_END) s->any_end = true;
    }
    struct table *t;
    for (unsigned k = 0; (t = table_number(s, k)) != NULL; k++) {
        uint32_t n_some = 0;
        for (uint32_t i = 0; i < n; i++)
            if (where[i] == t) n_some += enter(some + n_some, &all[i], k);
        if (table_build(t, some, n_some, k < PASSES) < 0) goto fail;
        s->bytes += table_bytes(t);
    }
    free(all);
    free(some);
    free(where);
    free(counts);
    return s;
fail:
    free(all);
    free(some);
    free(where);
    free(counts);
    literal_set_free(s);
    return NULL;
}

void literal_set_free(struct literal_set *s)
{
    if (!s) return;
    struct table *t;
    for (unsigned k = 0; (t = table_number(s, k)) != NULL; k++) table_done(t);
    free(s->lists);
    free(s->text);
    free(s);
}

size_t literal_set_bytes(const struct literal_set *s)
{
    return s->bytes;
}

size_t literal_set_shortest(const struct literal_set *s)
{
    return s->shortest;
}

static inline void found(const struct entry *e, const char *text, size_t len,
                         struct literal_hits *hits)
{
    if (hits->stamp[e->needle] == hits->now) return;
    struct slice value = slice_make(text, len);
    if (e->glob && !(e->words ? words_match : glob_match)(e->glob, e->n_glob, value)) return;
    hits->stamp[e->needle] = hits->now;
    hits->out[hits->n++] = e->needle;
}

static __attribute__((noinline)) void probe_gram(const struct table *t, uint32_t gram,
                                                 const char *text, size_t len, size_t at,
                                                 struct literal_hits *hits)
{
    uint32_t slot = slot_of_gram(t, gram);
    if (!table_maybe(t, slot)) return;
    uint32_t b = slot >> (t->slot_bits - t->bucket_bits);
    for (uint32_t i = t->heads[b]; i < t->heads[b + 1]; i++) {
        const struct entry *e = &t->entries[i];
        if ((uint32_t)e->key != gram || at < e->gram_at) continue;
        size_t from = at - e->gram_at;
        if (e->len > len - from || memcmp(text + from, e->text, e->len) != 0) continue;
        found(e, text, len, hits);
    }
}

/* Whether a literal may have the run of bytes at p. */
static inline bool gram_maybe(const struct table *t, bool marked, const char *p, unsigned width)
{
    uint32_t slot = slot_of_gram(t, gram_at(p, width));
    return marked ? t->marks[slot] : table_maybe(t, slot);
}

/* Four positions at a time, of which hardly ever one is more than looked at. */
static inline void scan_grams(const struct table *t, bool marked, unsigned width, unsigned stride,
                              const char *text, size_t len, struct literal_hits *hits)
{
    const struct table local = *t; /* what is found does not change it */
    size_t i = 0, end = len - width + 1;
    for (; i + 3 * stride < end; i += 4 * stride) {
        unsigned any = 0; /* without a branch between them */
        for (unsigned k = 0; k < 4; k++)
            any |= gram_maybe(&local, marked, text + i + k * stride, width);
        if (__builtin_expect(any == 0, 1)) continue;
        for (unsigned k = 0; k < 4; k++)
            probe_gram(t, gram_at(text + i + k * stride, width), text, len, i + k * stride, hits);
    }
    for (; i < end; i += stride)
        if (gram_maybe(&local, marked, text + i, width))
            probe_gram(t, gram_at(text + i, width), text, len, i, hits);
}

/* Compiled for each width and stride. */
static inline void run_pass(const struct table *t, unsigned width, unsigned stride,
                            const char *text, size_t len, struct literal_hits *hits)
{
    if (t->n == 0 || len < width) return;
    if (t->marks) scan_grams(t, true, width, stride, text, len, hits);
    else scan_grams(t, false, width, stride, text, len, hits);
}

static inline void probe_anchored(const struct table *t, uint64_t key, const char *text, size_t len,
                                  struct literal_hits *hits)
{
    uint32_t slot = slot_of(t, key);
    if (!table_maybe(t, slot)) return;
    uint32_t b = slot >> (t->slot_bits - t->bucket_bits);
    for (uint32_t i = t->heads[b]; i < t->heads[b + 1]; i++) {
        const struct entry *e = &t->entries[i];
        if (e->key != key || e->len > len) continue;
        if (e->anchor == ANCHOR_WHOLE && e->len != len) continue;
        const char *from = e->anchor == ANCHOR_END ? text + len - e->len : text;
        if (memcmp(from, e->text, e->len) == 0) found(e, text, len, hits);
    }
}

static void scan_lists(const struct literal_set *s, struct slice value, struct literal_hits *hits)
{
    for (uint32_t i = 0; i < s->n_lists; i++)
        if (listed_find(s->lists[i].listed, value)) hits->out[hits->n++] = s->lists[i].needle;
}

void literal_set_scan(const struct literal_set *s, const char *text, size_t len,
                      struct literal_hits *hits)
{
    if (s->whole.n) probe_anchored(&s->whole, key_of_whole(text, len), text, len, hits);
    if (s->any_end)
        for (unsigned c = 0; c < CLASSES; c++)
            if (s->end[c].n && len >= class_len[c])
                probe_anchored(&s->end[c], key_of_class(text + len - class_len[c], c), text, len,
                               hits);
    if (s->any_start)
        for (unsigned c = 0; c < CLASSES; c++)
            if (s->start[c].n && len >= class_len[c])
                probe_anchored(&s->start[c], key_of_class(text, c), text, len, hits);
#define RUN(pass) run_pass(&s->gram[pass], passes[pass].width, passes[pass].stride, text, len, hits)
    RUN(PASS_4_4);
    RUN(PASS_4_2);
    RUN(PASS_3_2);
    RUN(PASS_3_1);
    RUN(PASS_2_1);
    RUN(PASS_1_1);
#undef RUN
    if (s->n_lists) scan_lists(s, slice_make(text, len), hits);
}
