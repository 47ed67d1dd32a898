/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/token.h"

#include "base/le.h"
#include "base/utf8.h"
#include "event/record.h"

#ifdef __x86_64__
#include <emmintrin.h>
#endif

enum {
    SLOTS = 2 * TOKEN_SET_MAX,
    PADDING = 64, /* bytes behind the text that may be read */
    MASK_BITS = 64,
    EDGES_AT_ONCE = MASK_BITS + 2,
    WAITING = 32,
};

/*
 * A record made ready: decoded, in lower case (ASCII), and for each of its bytes one bit that tells
 * whether it is a word, may be in a part, may be in a run.
 */
struct text {
    char *bytes;
    size_t len, cap; /* cap without the padding */
    uint64_t *word, *part, *run;
    uint32_t *edges; /* where words begin and end, in turn */
    size_t n_words;
};

struct token_set {
    struct text text;
    uint32_t n;
    bool full;
    uint32_t n_waiting;
    uint64_t waiting[WAITING];
    uint32_t slots[SLOTS]; /* 0: empty */
    uint32_t list[TOKEN_SET_MAX];
};

struct token_set *token_set_new(void)
{
    return calloc(1, sizeof(struct token_set));
}

static void text_done(struct text *t)
{
    free(t->bytes);
    free(t->word);
    free(t->edges);
}

void token_set_free(struct token_set *set)
{
    if (!set) return;
    text_done(&set->text);
    free(set);
}

void token_set_clear(struct token_set *set)
{
    set->n = 0;
    set->full = false;
    memset(set->slots, 0, sizeof set->slots);
}

bool token_set_full(const struct token_set *set)
{
    return set->full;
}

const uint32_t *token_set_keys(struct token_set *set, uint32_t *ret_n)
{
    *ret_n = set->n;
    return set->list;
}

/* ---- the text ---------------------------------------------------------------------------- */

static size_t masks_of(size_t len)
{
    return len / MASK_BITS + 1;
}

static int text_reserve(struct text *t, size_t len)
{
    if (t->bytes && len <= t->cap) return 0;
    size_t cap = 64 * 1024;
    while (cap < len) cap *= 2;
    char *bytes = malloc(cap + PADDING);
    uint64_t *masks = malloc(3 * masks_of(cap) * sizeof *masks);
    uint32_t *edges = malloc((cap + EDGES_AT_ONCE) * sizeof *edges);
    if (!bytes || !masks || !edges) {
        free(bytes);
        free(masks);
        free(edges);
        return ERR_NOMEM;
    }
    text_done(t);
    *t = (struct text){.bytes = bytes,
                       .cap = cap,
                       .word = masks,
                       .part = masks + masks_of(cap),
                       .run = masks + 2 * masks_of(cap),
                       .edges = edges};
    return 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* XXXX of \uXXXX; -1 when it is none. */
static int32_t hex_unit(struct slice s, size_t at)
{
    int32_t unit = 0;
    if (s.len < 4 || at > s.len - 4) return -1;
    for (size_t i = at; i < at + 4; i++) {
        int digit = hex_digit(s.ptr[i]);
        if (digit < 0) return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* The escape at s.ptr[*at], which is a backslash: RFC 8259, 7. What is none stays as it is. */
static size_t unescape(struct slice s, size_t *at, char *to)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    size_t next = *at + 1;
    const char *found = next < s.len && s.ptr[next] ? strchr(letters, s.ptr[next]) : NULL;
    if (found) {
        *to = meant[found - letters];
        *at = next + 1;
        return 1;
    }
    int32_t unit = next < s.len && s.ptr[next] == 'u' ? hex_unit(s, next + 1) : -1;
    if (unit < 0) {
        *to = '\\';
        *at = next;
        return 1;
    }
    *at = next + 5;
    uint32_t cp = (uint32_t)unit;
    if (cp >= 0xd800 && cp < 0xdc00 && s.len - *at >= 6 && s.ptr[*at] == '\\' &&
        s.ptr[*at + 1] == 'u') {
        int32_t low = hex_unit(s, *at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            cp = 0x10000 + ((cp - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
            *at += 6;
        }
    }
    if (cp >= 0xd800 && cp < 0xe000) cp = 0xfffd;
    return utf8_encode(to, cp);
}

/* No escape is shorter than what it means. */
static size_t decode(struct slice raw, char *to)
{
    size_t len = 0, at = 0;
    while (at < raw.len) {
        size_t plain = slice_find_byte(slice_from(raw, at), '\\');
        if (plain == SIZE_MAX) plain = raw.len - at;
        memcpy(to + len, raw.ptr + at, plain);
        len += plain;
        at += plain;
        if (at < raw.len) len += unescape(raw, &at, to + len);
    }
    return len;
}

#ifdef __x86_64__
static inline __m128i in_range(__m128i v, char from, int count)
{
    /* As signed numbers: from is moved to the lowest one. */
    __m128i moved = _mm_sub_epi8(v, _mm_set1_epi8((char)(from + 128)));
    return _mm_cmplt_epi8(moved, _mm_set1_epi8((char)(count - 128)));
}

static inline __m128i is_byte(__m128i v, char c)
{
    return _mm_cmpeq_epi8(v, _mm_set1_epi8(c));
}

/* Lower case and classes of 16 bytes. */
static inline void classify16(char *at, unsigned *ret_word, unsigned *ret_part, unsigned *ret_run)
{
    __m128i v = _mm_loadu_si128((const __m128i_u *)(const void *)at);
    __m128i upper = in_range(v, 'A', 26);
    v = _mm_or_si128(v, _mm_and_si128(upper, _mm_set1_epi8(0x20)));
    _mm_storeu_si128((__m128i_u *)(void *)at, v);
    __m128i word = _mm_or_si128(in_range(v, 'a', 26), in_range(v, '0', 10));
    __m128i strong = _mm_or_si128(_mm_or_si128(is_byte(v, '.'), is_byte(v, '-')),
                                  _mm_or_si128(is_byte(v, '_'), is_byte(v, '$')));
    __m128i weak = _mm_or_si128(_mm_or_si128(is_byte(v, ':'), is_byte(v, '/')),
                                _mm_or_si128(is_byte(v, '+'), is_byte(v, '%')));
    weak = _mm_or_si128(weak, _mm_or_si128(is_byte(v, '~'), is_byte(v, '#')));
    weak = _mm_or_si128(weak, is_byte(v, '@'));
    /* movemask takes the highest bit: a byte from 0x80 is a word as it is. */
    *ret_word = (unsigned)_mm_movemask_epi8(_mm_or_si128(word, v));
    *ret_part = *ret_word | (unsigned)_mm_movemask_epi8(strong);
    *ret_run = *ret_part | (unsigned)_mm_movemask_epi8(weak);
}

static void classify64(char *at, uint64_t *ret_word, uint64_t *ret_part, uint64_t *ret_run)
{
    uint64_t word = 0, part = 0, run = 0;
    for (int i = 0; i < 4; i++) {
        unsigned w, p, r;
        classify16(at + (size_t)i * 16, &w, &p, &r);
        word |= (uint64_t)w << (16 * i);
        part |= (uint64_t)p << (16 * i);
        run |= (uint64_t)r << (16 * i);
    }
    *ret_word = word;
    *ret_part = part;
    *ret_run = run;
}
#else
enum { CLASS_OTHER, CLASS_WEAK, CLASS_STRONG, CLASS_WORD };

static int class_of(unsigned char c)
{
    if (c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')) return CLASS_WORD;
    if (c == '.' || c == '-' || c == '_' || c == '$') return CLASS_STRONG;
    if (c != 0 && strchr(":/+%~#@", c)) return CLASS_WEAK;
    return CLASS_OTHER;
}

static void classify64(char *at, uint64_t *ret_word, uint64_t *ret_part, uint64_t *ret_run)
{
    *ret_word = *ret_part = *ret_run = 0;
    for (int i = 0; i < MASK_BITS; i++) {
        if (at[i] >= 'A' && at[i] <= 'Z') at[i] = (char)(at[i] | 0x20);
        int class = class_of((unsigned char)at[i]);
        *ret_word |= (uint64_t)(class == CLASS_WORD) << i;
        *ret_part |= (uint64_t)(class >= CLASS_STRONG) << i;
        *ret_run |= (uint64_t)(class >= CLASS_WEAK) << i;
    }
}
#endif

static int text_read(struct text *t, struct slice raw, bool escapes)
{
    int error = text_reserve(t, raw.len);
    if (error) return error;
    if (escapes && raw.len && raw.ptr[0] == '{') {
        t->len = decode(raw, t->bytes);
    } else {
        if (raw.len) memcpy(t->bytes, raw.ptr, raw.len);
        t->len = raw.len;
    }
    memset(t->bytes + t->len, 0, PADDING);
    for (size_t i = 0; i < masks_of(t->len); i++)
        classify64(t->bytes + i * MASK_BITS, &t->word[i], &t->part[i], &t->run[i]);
    return 0;
}

/* Finds the words of [from, to). */
static void find_words(struct text *t, size_t from, size_t to)
{
    uint32_t *out = t->edges;
    uint64_t before = 0; /* the bit of the byte before */
    for (size_t i = from / MASK_BITS; i * MASK_BITS < to; i++) {
        uint64_t word = t->word[i];
        if (i == from / MASK_BITS) word &= ~UINT64_C(0) << (from % MASK_BITS);
        if (to - i * MASK_BITS < MASK_BITS) word &= ~(~UINT64_C(0) << (to - i * MASK_BITS));
        uint64_t edges = word ^ (word << 1 | before);
        before = word >> (MASK_BITS - 1);
        for (; edges; edges &= edges - 1)
            *out++ = (uint32_t)(i * MASK_BITS) + (uint32_t)__builtin_ctzll(edges);
    }
    if ((out - t->edges) % 2) *out++ = (uint32_t)to;
    t->n_words = (size_t)(out - t->edges) / 2;
}

static inline bool bit(const uint64_t *mask, size_t at)
{
    return mask[at / MASK_BITS] >> (at % MASK_BITS) & 1;
}

/* ---- timestamps -------------------------------------------------------------------------- */

/* 9: a digit, a: a letter; all else is itself. */
static bool looks_like(struct slice s, const char *form)
{
    size_t n = strlen(form);
    if (s.len < n) return false;
    for (size_t i = 0; i < n; i++) {
        bool digit = s.ptr[i] >= '0' && s.ptr[i] <= '9';
        bool letter = s.ptr[i] >= 'a' && s.ptr[i] <= 'z';
        if (form[i] == '9' ? !digit : form[i] == 'a' ? !letter : form[i] != s.ptr[i]) return false;
    }
    return true;
}

static size_t clock_len(struct slice s)
{
    if (!looks_like(s, "99:99:99")) return 0;
    size_t n = 8;
    if (looks_like(slice_from(s, n), ".9"))
        for (n++; n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9';) n++;
    struct slice zone = slice_from(s, n);
    if (looks_like(zone, "z")) return n + 1;
    if (looks_like(zone, "+99:99") || looks_like(zone, "-99:99")) return n + 6;
    if (looks_like(zone, "+9999") || looks_like(zone, "-9999")) return n + 5;
    return n;
}

/* How long the timestamp is that s begins with; 0: with none. */
static size_t time_len(struct slice s)
{
    size_t n = clock_len(s);
    if (n) return n;
    if (looks_like(s, "99/aaa/9999:")) {
        n = clock_len(slice_from(s, 12));
        return n ? 12 + n : 0;
    }
    if (!looks_like(s, "9999-99-99") && !looks_like(s, "9999/99/99")) return 0;
    n = 10;
    if (s.len > n && strchr("t-:_", s.ptr[n])) {
        size_t clock = clock_len(slice_from(s, n + 1));
        if (clock) n += 1 + clock;
    }
    return n;
}

/* ---- hashes ------------------------------------------------------------------------------ */

static inline uint64_t fold_product(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 u128;
    u128 p = (u128)a * b;
    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/*
 * Of a token whose bytes have 16 more behind them. Per 16 bytes, the last ones filled with zeros:
 * the product of both halves, each mixed with a constant or with what was before. *ret_high:
 * whether a byte is above 0x7f.
 */
static inline uint64_t hash_token(const char *p, size_t len, bool *ret_high)
{
    static const uint64_t masks[17] = {
#define M(n) (UINT64_C(1) << (8 * n)) - 1
        M(0),         M(1),         M(2),         M(3),         M(4),         M(5),
        M(6),         M(7),         ~UINT64_C(0), ~UINT64_C(0), ~UINT64_C(0),
#undef M
        ~UINT64_C(0), ~UINT64_C(0), ~UINT64_C(0), ~UINT64_C(0), ~UINT64_C(0), ~UINT64_C(0)};
    uint64_t h = 0x9e3779b97f4a7c15u ^ len, high = 0;
    for (; len > 16; p += 16, len -= 16) {
        high |= le64(p) | le64(p + 8);
        h = fold_product(le64(p) ^ 0xe7037ed1a0b428dbu, le64(p + 8) ^ h);
    }
    uint64_t a = le64(p) & masks[len], b = le64(p + 8) & masks[len > 8 ? len - 8 : 0];
    *ret_high = ((high | a | b) & 0x8080808080808080u) != 0;
    h = fold_product(a ^ 0xe7037ed1a0b428dbu, b ^ h);
    h = fold_product(h ^ 0x8ebc6af09c88c6e3u, 0xa0761d6478bd642fu);
    return h ? h : 1;
}

/* ---- tokens ------------------------------------------------------------------------------ */

/* Who is told each token of a text, as its hash. */
typedef void take_token(void *ctx, uint64_t hash);

#define INLINE static inline __attribute__((always_inline))

static uint64_t hash_folded(const char *p, size_t len)
{
    char folded[TOKEN_MAX + TOKEN_MAX / 2 + 16 + 16] = {0};
    bool high;
    return hash_token(folded, utf8_fold(folded, slice_make(p, len)), &high);
}

INLINE void emit(const struct text *t, size_t begin, size_t end, void *ctx, take_token *take)
{
    size_t len = end - begin;
    bool high;
    if (len < 2 || len > TOKEN_MAX) return;
    uint64_t hash = hash_token(t->bytes + begin, len, &high);
    take(ctx, high ? hash_folded(t->bytes + begin, len) : hash);
}

/* The end of the IPv4 address at `at`; 0: there is none. */
static size_t ipv4_end(const struct text *t, size_t at, size_t end)
{
    for (int i = 0; i < 4; i++) {
        size_t digits = 0;
        while (at < end && digits < 4 && t->bytes[at] >= '0' && t->bytes[at] <= '9') at++, digits++;
        if (digits == 0 || digits > 3) return 0;
        if (i < 3 && (at == end || t->bytes[at++] != '.')) return 0;
    }
    return at < end && bit(t->word, at) ? 0 : at;
}

/* Words `first` to `last` are a part. */
INLINE void emit_part(const struct text *t, size_t first, size_t last, void *ctx, take_token *take)
{
    size_t end = t->edges[2 * last + 1];
    emit(t, t->edges[2 * first], end, ctx, take);
    if (last - first < 4) return; /* an address and more */
    for (size_t i = first; i <= last - 3; i++) {
        size_t begin = t->edges[2 * i], address = ipv4_end(t, begin, end);
        if (address) emit(t, begin, address, ctx, take);
    }
}

enum { GAP_STRONG, GAP_WEAK, GAP_OTHER };

/* What lies between two words: the weakest of its bytes. */
static inline int gap_of(const struct text *t, size_t from, size_t to)
{
    int gap = GAP_STRONG;
    for (; from < to && gap < GAP_OTHER; from++) {
        int here = bit(t->part, from) ? GAP_STRONG : bit(t->run, from) ? GAP_WEAK : GAP_OTHER;
        if (here > gap) gap = here;
    }
    return gap;
}

/* Quickly, and there are 16 bytes: a digit, and marks where a clock or a date has them. */
static inline bool may_be_time(const char *p)
{
    return (unsigned char)(p[0] - '0') <= 9 &&
           ((p[2] == ':' && p[5] == ':') || (p[2] == '/' && p[6] == '/') ||
            ((p[4] == '-' || p[4] == '/') && p[4] == p[7]));
}

/* The first word from `i` on, which begins a run, that is no timestamp. */
static inline size_t skip_times(const struct text *t, size_t i)
{
    while (i < t->n_words) {
        size_t begin = t->edges[2 * i];
        if (!may_be_time(t->bytes + begin)) return i;
        size_t end = begin + time_len(slice_make(t->bytes + begin, t->len - begin));
        if (end == begin || (end < t->len && bit(t->word, end))) return i;
        while (i < t->n_words && t->edges[2 * i] < end) i++;
    }
    return i;
}

/* Tells all tokens of the words that were found. */
INLINE void emit_all(const struct text *t, void *ctx, take_token *take)
{
    size_t run = skip_times(t, 0), part = run;
    for (size_t i = run; i < t->n_words; i++) {
        size_t end = t->edges[2 * i + 1];
        emit(t, t->edges[2 * i], end, ctx, take);
        int gap = i + 1 < t->n_words ? gap_of(t, end, t->edges[2 * i + 2]) : GAP_OTHER;
        if (gap == GAP_STRONG) continue;
        if (part < i) emit_part(t, part, i, ctx, take);
        if (gap == GAP_WEAK) {
            part = i + 1;
            continue;
        }
        if (run < part) emit(t, t->edges[2 * run], end, ctx, take);
        run = part = skip_times(t, i + 1);
        i = run - 1;
    }
}

static void insert(struct token_set *set, uint64_t hash)
{
    size_t at = hash % SLOTS;
    uint32_t key = token_key(hash);
    while (set->slots[at] && set->slots[at] != key) at = (at + 1) % SLOTS;
    if (set->slots[at]) return;
    if (set->n == TOKEN_SET_MAX) {
        set->full = true;
        return;
    }
    set->slots[at] = key;
    set->list[set->n++] = key;
}

static void insert_waiting(struct token_set *set)
{
    for (uint32_t i = 0; i < set->n_waiting; i++) insert(set, set->waiting[i]);
    set->n_waiting = 0;
}

/* The table is larger than the nearest caches: its slot is fetched while others are looked up. */
INLINE void take_into_set(void *ctx, uint64_t hash)
{
    struct token_set *set = ctx;
    __builtin_prefetch(&set->slots[hash % SLOTS], 1);
    set->waiting[set->n_waiting++] = hash;
    if (set->n_waiting == WAITING) insert_waiting(set);
}

int token_set_add(struct token_set *set, struct slice raw)
{
    ASSERT(raw.len <= RECORD_MAX);
    if (set->full) return 0;
    int error = text_read(&set->text, raw, true);
    if (error) return error;
    find_words(&set->text, 0, set->text.len);
    emit_all(&set->text, set, take_into_set);
    insert_waiting(set);
    return 0;
}

/* ---- values ------------------------------------------------------------------------------ */

/* The end of the IPv4 address that is words from number i on; 0: there is none. */
static size_t address_at(const struct text *t, size_t i)
{
    return t->n_words - i < 4 ? 0 : ipv4_end(t, t->edges[2 * i], t->edges[2 * i + 7]);
}

/* Beside what a record has those tokens that do not depend on what stands around them. */
INLINE void emit_value(const struct text *t, void *ctx, take_token *take)
{
    emit_all(t, ctx, take);
    for (size_t i = 0; i < t->n_words; i++) {
        size_t begin = t->edges[2 * i], len = t->edges[2 * i + 1] - begin;
        bool digit = t->bytes[begin] >= '0' && t->bytes[begin] <= '9';
        size_t address = digit ? address_at(t, i) : 0;
        if (address) emit(t, begin, address, ctx, take);
        if (!digit && len <= 3) emit(t, begin, begin + len, ctx, take);
    }
}

static bool has(const struct token_set *set, uint64_t hash)
{
    size_t at = hash % SLOTS;
    uint32_t key = token_key(hash);
    while (set->slots[at] && set->slots[at] != key) at = (at + 1) % SLOTS;
    return set->full || set->slots[at] == key;
}

struct value_tokens {
    struct token_set *set;
    const struct token_set *beside;
};

INLINE void take_of_value(void *ctx, uint64_t hash)
{
    const struct value_tokens *v = ctx;
    if (!has(v->beside, hash)) insert(v->set, hash);
}

int token_set_add_value(struct token_set *set, struct slice text, const struct token_set *beside)
{
    struct value_tokens value = {set, beside};
    set->full |= text.len > RECORD_MAX;
    if (set->full) return 0;
    int error = text_read(&set->text, text, false);
    if (error) return error;
    find_words(&set->text, 0, set->text.len);
    emit_value(&set->text, &value, take_of_value);
    return 0;
}

/* ---- literals ---------------------------------------------------------------------------- */

struct literal_tokens {
    uint64_t *hashes;
    int n;
};

INLINE void take_of_literal(void *ctx, uint64_t hash)
{
    struct literal_tokens *l = ctx;
    if (l->n < TOKEN_LITERAL_MAX) l->hashes[l->n++] = hash;
}

int token_of_literal(struct slice literal, uint64_t ret[TOKEN_LITERAL_MAX])
{
    struct text t = {.bytes = NULL};
    struct literal_tokens tokens = {.hashes = ret};
    /* With a backslash it may mean something else where escapes are decoded. */
    if (literal.len > RECORD_MAX || slice_find_byte(literal, '\\') != SIZE_MAX) return 0;
    int error = text_read(&t, literal, true);
    if (error) return error;
    /* What touches an end of the literal may go on in the record. */
    size_t from = 0, to = t.len;
    while (from < to && bit(t.run, from)) from++;
    while (to > from && bit(t.run, to - 1)) to--;
    find_words(&t, from, to);
    emit_all(&t, &tokens, take_of_literal);
    text_done(&t);
    return tokens.n;
}

/* Whether a word may be part of a timestamp, of which the tokens are left out. */
static bool may_be_of_time(const char *p, size_t len)
{
    size_t digits = 0;
    while (digits < len && p[digits] >= '0' && p[digits] <= '9') digits++;
    if (digits == len || (digits == len - 1 && p[digits] == 'z')) return true;
    return len == 5 && looks_like(slice_make(p, len), "99t99");
}

/*
 * Folding has changed the length of what is not ASCII, so that near TOKEN_MAX it is not known
 * whether it was one.
 */
static bool has_known_length(const char *p, size_t len)
{
    bool high;
    (void)hash_token(p, len, &high);
    return !high || len <= TOKEN_MAX / 2;
}

/* Words that are whole and no part of a timestamp, and addresses. */
static void take_words(const struct text *t, struct literal_tokens *tokens)
{
    for (size_t i = 0; i < t->n_words; i++) {
        size_t begin = t->edges[2 * i], end = t->edges[2 * i + 1];
        size_t address = address_at(t, i);
        if (address) emit(t, begin, address, tokens, take_of_literal);
        if (end - begin <= TOKEN_MAX && has_known_length(t->bytes + begin, end - begin) &&
            !may_be_of_time(t->bytes + begin, end - begin))
            emit(t, begin, end, tokens, take_of_literal);
    }
}

int token_of_text(struct slice text, enum token_end begin, enum token_end end,
                  uint64_t ret[TOKEN_LITERAL_MAX])
{
    struct text t = {.bytes = NULL};
    struct literal_tokens tokens = {.hashes = ret};
    if (text.len > RECORD_MAX) return 0;
    int error = text_read(&t, text, false);
    if (error) return error;
    size_t from = 0, to = t.len;
    while (begin == TOKEN_OPEN && from < to && bit(t.word, from)) from++;
    while (end == TOKEN_OPEN && to > from && bit(t.word, to - 1)) to--;
    find_words(&t, from, to);
    if (begin == TOKEN_WHOLE && end == TOKEN_WHOLE && has_known_length(t.bytes, t.len))
        emit_all(&t, &tokens, take_of_literal);
    else take_words(&t, &tokens);
    text_done(&t);
    return tokens.n;
}
