/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/utf8.h"

#include "base/casefold.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Well-formed sequences: Unicode 15, table 3-7. */
unsigned utf8_decode(struct slice s, size_t at, uint32_t *ret_cp)
{
    const unsigned char *p = (const unsigned char *)s.ptr + at;
    size_t left = s.len - at;
    uint32_t b0 = p[0];
    if (b0 < 0x80) {
        *ret_cp = b0;
        return 1;
    }
    if (b0 < 0xC2 || b0 > 0xF4 || left < 2 || (p[1] & 0xC0) != 0x80) return 0;
    uint32_t b1 = p[1] & 0x3Fu;
    if (b0 < 0xE0) {
        *ret_cp = (b0 & 0x1F) << 6 | b1;
        return 2;
    }
    if (left < 3 || (p[2] & 0xC0) != 0x80) return 0;
    uint32_t b2 = p[2] & 0x3Fu;
    if (b0 < 0xF0) {
        uint32_t cp = (b0 & 0x0F) << 12 | b1 << 6 | b2;
        if (cp < 0x800 || (cp >= 0xD800 && cp <= 0xDFFF)) return 0;
        *ret_cp = cp;
        return 3;
    }
    if (left < 4 || (p[3] & 0xC0) != 0x80) return 0;
    uint32_t cp = (b0 & 0x07) << 18 | b1 << 12 | b2 << 6 | (p[3] & 0x3Fu);
    if (cp < 0x10000 || cp > 0x10FFFF) return 0;
    *ret_cp = cp;
    return 4;
}

unsigned utf8_encode(char dst[4], uint32_t cp)
{
    if (cp < 0x80) {
        dst[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        dst[0] = (char)(0xC0 | cp >> 6);
        dst[1] = (char)(0x80 | (cp & 0x3F));
        return 2;
    }
    if (cp < 0x10000) {
        dst[0] = (char)(0xE0 | cp >> 12);
        dst[1] = (char)(0x80 | (cp >> 6 & 0x3F));
        dst[2] = (char)(0x80 | (cp & 0x3F));
        return 3;
    }
    dst[0] = (char)(0xF0 | (cp >> 18 & 0x07));
    dst[1] = (char)(0x80 | (cp >> 12 & 0x3F));
    dst[2] = (char)(0x80 | (cp >> 6 & 0x3F));
    dst[3] = (char)(0x80 | (cp & 0x3F));
    return 4;
}

/* The number of ASCII bytes at s.ptr[at], at least up to the first other one. */
static size_t ascii_run(struct slice s, size_t at)
{
    size_t i = at;
    for (uint64_t word; s.len - i >= sizeof word; i += sizeof word) {
        memcpy(&word, s.ptr + i, sizeof word);
        if (word & UINT64_C(0x8080808080808080)) break;
    }
    while (i < s.len && !(s.ptr[i] & 0x80)) i++;
    return i - at;
}

bool utf8_valid(struct slice s)
{
    for (size_t i = 0; i < s.len;) {
        i += ascii_run(s, i);
        if (i == s.len) break;
        uint32_t cp;
        unsigned n = utf8_decode(s, i, &cp);
        if (n == 0) return false;
        i += n;
    }
    return true;
}

uint32_t utf8_fold_cp(uint32_t cp)
{
    if (cp >= CASEFOLD_END) return cp;
    unsigned block = casefold_index[cp >> CASEFOLD_BLOCK_BITS];
    unsigned at = cp & ((1u << CASEFOLD_BLOCK_BITS) - 1);
    return cp + (uint32_t)casefold_delta[block][at];
}

unsigned utf8_step(struct slice s, size_t at)
{
    uint32_t cp;
    unsigned n = utf8_decode(s, at, &cp);
    return n ? n : 1;
}

static inline char ascii_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* Folds the character at s.ptr[i], which is not ASCII; moves *i behind it, returns bytes written.
 */
static size_t fold_other(char *dst, struct slice s, size_t *i)
{
    uint32_t cp;
    unsigned n = utf8_decode(s, *i, &cp);
    if (n == 0) {
        dst[0] = s.ptr[(*i)++];
        return 1;
    }
    *i += n;
    return utf8_encode(dst, utf8_fold_cp(cp));
}

#ifdef __SSE2__

static inline __m128i lower16(__m128i v)
{
    /* Signed compare: bytes above 0x7F are negative and so never in A..Z. */
    __m128i upper = _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8('A' - 1)),
                                  _mm_cmplt_epi8(v, _mm_set1_epi8('Z' + 1)));
    return _mm_or_si128(v, _mm_and_si128(upper, _mm_set1_epi8(0x20)));
}

/* The last bytes of s, fewer than 16, into a dst that has room for 16. */
static bool fold_short_ascii(char *dst, const char *src, size_t n)
{
    uint64_t head = 0, tail = 0;
    unsigned shift = 0;
    if (n >= 8) {
        memcpy(&head, src, 8);
        memcpy(&tail, src + n - 8, 8);
    } else if (n >= 4) {
        uint32_t a, b;
        memcpy(&a, src, 4);
        memcpy(&b, src + n - 4, 4);
        shift = (unsigned)(n - 4) * 8;
        head = a | (uint64_t)b << shift;
    } else {
        for (size_t i = 0; i < n; i++) head |= (uint64_t)(unsigned char)src[i] << (8 * i);
    }
    if ((head | tail) & UINT64_C(0x8080808080808080)) return false;
    __m128i v = lower16(_mm_set_epi64x((long long)tail, (long long)head));
    _mm_storel_epi64((__m128i *)(void *)dst, v);
    if (n > 8) _mm_storel_epi64((__m128i *)(void *)(dst + n - 8), _mm_unpackhi_epi64(v, v));
    return true;
}

size_t utf8_fold(char *dst, struct slice s)
{
    size_t i = 0, o = 0;
    /* dst[o..o+16) is inside the bound: o <= i + i / 2 and i <= s.len. */
    while (s.len - i >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s.ptr + i));
        unsigned others = (unsigned)_mm_movemask_epi8(v);
        _mm_storeu_si128((__m128i *)(void *)(dst + o), lower16(v));
        if (others == 0) {
            i += 16;
            o += 16;
            continue;
        }
        unsigned ascii = (unsigned)__builtin_ctz(others);
        i += ascii;
        o += ascii;
        o += fold_other(dst + o, s, &i);
    }
    if (i == s.len) return o;
    if (fold_short_ascii(dst + o, s.ptr + i, s.len - i)) return o + (s.len - i);
    while (i < s.len) {
        if (s.ptr[i] & 0x80) o += fold_other(dst + o, s, &i);
        else dst[o++] = ascii_lower(s.ptr[i++]);
    }
    return o;
}

#else

size_t utf8_fold(char *dst, struct slice s)
{
    size_t o = 0;
    for (size_t i = 0; i < s.len;) {
        if (s.ptr[i] & 0x80) o += fold_other(dst + o, s, &i);
        else dst[o++] = ascii_lower(s.ptr[i++]);
    }
    return o;
}

#endif

void utf8_from_utf16le(struct buf *out, struct slice utf16)
{
    size_t units = utf16.len / 2;
    size_t most; /* a unit gives three bytes at most, a pair of them four */
    if (__builtin_mul_overflow(units, 3u, &most)) most = SIZE_MAX;
    char *dst = buf_reserve(out, most);
    if (!dst) return;
    const unsigned char *p = (const unsigned char *)utf16.ptr;
    size_t o = 0;
    for (size_t i = 0; i < units; i++) {
        uint32_t cp = p[2 * i] | (uint32_t)p[2 * i + 1] << 8;
        if (cp < 0x80) {
            dst[o++] = (char)cp;
            continue;
        }
        if (cp >= 0xD800 && cp <= 0xDFFF) {
            uint32_t low = 0;
            if (cp < 0xDC00 && i + 1 < units) low = p[2 * i + 2] | (uint32_t)p[2 * i + 3] << 8;
            if (low >= 0xDC00 && low <= 0xDFFF) {
                cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
                i++;
            } else {
                cp = 0xFFFD;
            }
        }
        o += utf8_encode(dst + o, cp);
    }
    out->len += o;
}

unsigned utf16_push(struct utf16_reader *r, uint16_t unit, uint32_t ret[2])
{
    unsigned n = 0;
    if (r->high) {
        uint32_t high = r->high;
        r->high = 0;
        if ((unit & 0xFC00) == 0xDC00) {
            ret[0] = 0x10000 + ((high - 0xD800u) << 10) + (unit - 0xDC00u);
            return 1;
        }
        ret[n++] = 0xFFFD;
    }
    if ((unit & 0xFC00) == 0xD800) r->high = unit;
    else ret[n++] = (unit & 0xFC00) == 0xDC00 ? 0xFFFD : unit;
    return n;
}

size_t utf16_read(struct utf16_reader *r, struct slice s, char *dst)
{
    size_t o = 0;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t byte = (uint8_t)s.ptr[i];
        r->has_half = !r->has_half;
        if (r->has_half) {
            r->half = byte;
            continue;
        }
        uint32_t cp[2];
        unsigned n =
            utf16_push(r, (uint16_t)(r->big ? r->half << 8 | byte : byte << 8 | r->half), cp);
        for (unsigned k = 0; k < n; k++) o += utf8_encode(dst + o, cp[k]);
    }
    return o;
}

size_t utf16_finish(struct utf16_reader *r, char *dst)
{
    bool waits = r->high != 0;
    r->high = 0;
    r->has_half = false;
    return waits ? utf8_encode(dst, 0xFFFD) : 0;
}

static bool is_text_byte(unsigned char c)
{
    return (c >= 0x20 && c < 0x7f) || c == '\t' || c == '\n' || c == '\r';
}

enum utf16_order utf16_shape(struct slice s)
{
    if (s.len == 0) return UTF16_NONE;
    size_t zero = s.ptr[0] == '\0' ? 0 : 1;
    for (size_t i = 0; i < s.len && i < UTF16_LOOK; i++) {
        bool fits = i % 2 == zero ? s.ptr[i] == '\0' : is_text_byte((unsigned char)s.ptr[i]);
        if (!fits) return UTF16_NONE;
    }
    return zero ? UTF16_LITTLE : UTF16_BIG;
}

static bool has_long_run(struct slice s)
{
    size_t run = 0;
    for (size_t i = 0; i < s.len && run <= UTF16_RUN; i++) run = s.ptr[i] ? run + 1 : 0;
    return run > UTF16_RUN;
}

enum utf16_order utf16_look(struct slice s, size_t *ret_mark)
{
    /* Nearly all text: neither a mark nor half a letter. */
    if (s.len >= 2 && s.ptr[0] && s.ptr[1] && (unsigned char)s.ptr[0] < 0xfe) {
        *ret_mark = 0;
        return UTF16_NONE;
    }
    bool little = slice_starts_with(s, SLICE("\xFF\xFE"));
    bool big = slice_starts_with(s, SLICE("\xFE\xFF"));
    *ret_mark = little || big ? 2 : 0;
    struct slice text = slice_from(s, *ret_mark);
    if (text.len < (*ret_mark ? 2 : UTF16_LOOK)) return UTF16_NONE;
    enum utf16_order order = utf16_shape(text);
    bool fits = *ret_mark == 0 || order == (big ? UTF16_BIG : UTF16_LITTLE);
    return fits && order != UTF16_NONE && !has_long_run(text) ? order : UTF16_NONE;
}

size_t utf16_text(struct slice s, char *dst)
{
    size_t mark;
    struct utf16_reader r = {.big = utf16_look(s, &mark) == UTF16_BIG};
    size_t n = utf16_read(&r, slice_from(s, mark), dst);
    if (r.has_half && !r.big) n += utf16_read(&r, slice_make("\0", 1), dst + n);
    return n + utf16_finish(&r, dst + n);
}
