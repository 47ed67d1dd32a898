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
};

/*
 * A record made ready: decoded, in lower case (ASCII), and for each of its bytes one bit that tells
 * whether it is a word, may be in a part, may be in a run.
 */
struct text {
    char *bytes;
    size_t len, cap; /* cap without the padding */
    uint64_t *word, *part, *run;
};

struct token_set {
    struct text text;
    uint32_t n;
    bool full;
    uint64_t slots[SLOTS];
    uint64_t list[TOKEN_SET_MAX];
};

struct token_set *token_set_new(void)
{
    return calloc(1, sizeof(struct token_set));
}

static void text_done(struct text *t)
{
    free(t->bytes);
    free(t->word);
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

const uint64_t *token_set_hashes(struct token_set *set, uint32_t *ret_n)
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
    if (!bytes || !masks) {
        free(bytes);
        free(masks);
        return ERR_NOMEM;
    }
    text_done(t);
    *t = (struct text){.bytes = bytes,
                       .cap = cap,
                       .word = masks,
                       .part = masks + masks_of(cap),
                       .run = masks + 2 * masks_of(cap)};
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

static int text_read(struct text *t, struct slice raw)
{
    int error = text_reserve(t, raw.len);
    if (error) return error;
    if (raw.len && raw.ptr[0] == '{') {
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

/* The first position from `at` on whose bit is `set`; the last mask ends with zeros. */
static inline size_t next_set(const uint64_t *mask, size_t at, size_t end)
{
    size_t i = at / MASK_BITS;
    uint64_t m = mask[i] & (~UINT64_C(0) << (at % MASK_BITS));
    while (m == 0) {
        if (++i * MASK_BITS >= end) return end;
        m = mask[i];
    }
    at = i * MASK_BITS + (size_t)__builtin_ctzll(m);
    return at < end ? at : end;
}

static inline size_t next_clear(const uint64_t *mask, size_t at, size_t end)
{
    size_t i = at / MASK_BITS;
    uint64_t m = ~mask[i] & (~UINT64_C(0) << (at % MASK_BITS));
    while (m == 0) {
        if (++i * MASK_BITS >= end) return end;
        m = ~mask[i];
    }
    at = i * MASK_BITS + (size_t)__builtin_ctzll(m);
    return at < end ? at : end;
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

static inline uint64_t low_bytes(const char *p, size_t n)
{
    return n >= 8 ? le64(p) : le64(p) & ~(~UINT64_C(0) << (8 * n));
}

/*
 * Of a token whose bytes have 16 more behind them. Per 16 bytes, the last ones filled with zeros:
 * the product of both halves, each mixed with a constant or with what was before.
 */
static inline uint64_t hash_token(const char *p, size_t len)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ len;
    for (; len > 16; p += 16, len -= 16)
        h = fold_product(le64(p) ^ 0xe7037ed1a0b428dbu, le64(p + 8) ^ h);
    uint64_t high = len > 8 ? low_bytes(p + 8, len - 8) : 0;
    h = fold_product(low_bytes(p, len) ^ 0xe7037ed1a0b428dbu, high ^ h);
    h = fold_product(h ^ 0x8ebc6af09c88c6e3u, 0xa0761d6478bd642fu);
    return h ? h : 1; /* 0 is an empty slot */
}

/* ---- tokens ------------------------------------------------------------------------------ */

/* Who is told each token of a text, as its hash. */
typedef void take_token(void *ctx, uint64_t hash);

static bool has_high(const char *p, size_t len)
{
    uint64_t high = 0;
    for (; len > 8; p += 8, len -= 8) high |= le64(p);
    return ((high | low_bytes(p, len)) & 0x8080808080808080u) != 0;
}

static inline void emit(const struct text *t, size_t begin, size_t end, void *ctx, take_token *take)
{
    size_t len = end - begin;
    const char *p = t->bytes + begin;
    if (len < 2 || len > TOKEN_MAX) return;
    if (!has_high(p, len)) {
        take(ctx, hash_token(p, len));
        return;
    }
    char folded[TOKEN_MAX + TOKEN_MAX / 2 + 16 + 16] = {0};
    take(ctx, hash_token(folded, utf8_fold(folded, slice_make(p, len))));
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
    bool goes_on = at < end && (t->word[at / MASK_BITS] >> (at % MASK_BITS) & 1);
    return goes_on ? 0 : at;
}

/* The part [begin, end) begins and ends with a word. */
static void emit_part(const struct text *t, size_t begin, size_t end, void *ctx, take_token *take)
{
    unsigned words = 0;
    for (size_t at = begin; at < end; words++) {
        size_t stop = next_clear(t->word, at, end);
        emit(t, at, stop, ctx, take);
        if (words > 0 || stop < end) {
            size_t address = ipv4_end(t, at, end);
            if (address && (at > begin || address < end)) emit(t, at, address, ctx, take);
        }
        at = stop < end ? next_set(t->word, stop, end) : end;
    }
    if (words > 1) emit(t, begin, end, ctx, take);
}

/* Without the joiners at its end; `begin` is a word. */
static size_t trim(const struct text *t, size_t begin, size_t end)
{
    while (end > begin && !(t->word[(end - 1) / MASK_BITS] >> ((end - 1) % MASK_BITS) & 1)) end--;
    return end;
}

static void emit_run(const struct text *t, size_t begin, size_t end, void *ctx, take_token *take)
{
    char first = t->bytes[begin];
    if (first >= '0' && first <= '9') {
        size_t time = time_len(slice_make(t->bytes + begin, end - begin));
        size_t after = begin + time;
        if (time && (after == end || !(t->word[after / MASK_BITS] >> (after % MASK_BITS) & 1)))
            begin = after;
    }
    begin = next_set(t->word, begin, end);
    if (begin == end) return;
    end = trim(t, begin, end);
    size_t at = begin, parts = 0;
    for (; at < end; parts++) {
        size_t stop = next_clear(t->part, at, end);
        emit_part(t, at, trim(t, at, stop), ctx, take);
        at = stop < end ? next_set(t->word, stop, end) : end;
    }
    if (parts > 1) emit(t, begin, end, ctx, take);
}

static void take_into_set(void *ctx, uint64_t hash)
{
    struct token_set *set = ctx;
    size_t at = hash % SLOTS;
    while (set->slots[at] && set->slots[at] != hash) at = (at + 1) % SLOTS;
    if (set->slots[at]) return;
    if (set->n == TOKEN_SET_MAX) {
        set->full = true;
        return;
    }
    set->slots[at] = hash;
    set->list[set->n++] = hash;
}

int token_set_add(struct token_set *set, struct slice raw)
{
    ASSERT(raw.len <= RECORD_MAX);
    if (set->full) return 0;
    int error = text_read(&set->text, raw);
    if (error) return error;
    const struct text *t = &set->text;
    for (size_t at = next_set(t->run, 0, t->len); at < t->len;) {
        size_t end = next_clear(t->run, at, t->len);
        emit_run(t, at, end, set, take_into_set);
        at = end < t->len ? next_set(t->run, end, t->len) : t->len;
    }
    return 0;
}

struct literal_tokens {
    uint64_t *hashes;
    int n;
};

static void take_of_literal(void *ctx, uint64_t hash)
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
    int error = text_read(&t, literal);
    if (error) return error;
    /* What touches an end of the literal may go on in the record. */
    size_t at = next_clear(t.run, 0, t.len);
    while (at < t.len) {
        at = next_set(t.run, at, t.len);
        if (at == t.len) break;
        size_t end = next_clear(t.run, at, t.len);
        if (end < t.len) emit_run(&t, at, end, &tokens, take_of_literal);
        at = end;
    }
    text_done(&t);
    return tokens.n;
}
