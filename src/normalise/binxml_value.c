/* SPDX-License-Identifier: EUPL-1.2 */
#include "normalise/binxml_value.h"

#include <math.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/le.h"
#include "base/utf8.h"

enum { SCALAR_ROOM = 128 }; /* more than any value of fixed size takes */

static const char hex_upper[] = "0123456789ABCDEF";
static const char hex_lower[] = "0123456789abcdef";

void binxml_out_put(struct binxml_out *o, struct slice s)
{
    if (s.len == 0 || !binxml_out_room(o, s.len)) return;
    memcpy(o->pos, s.ptr, s.len);
    o->pos += s.len;
}

/* Copies leading ASCII; returns the UTF-16 units done. dst has room for as many bytes. */
static size_t copy_ascii(char *dst, const char *src, size_t units)
{
    size_t i = 0;
#ifdef __SSE2__
    const __m128i high = _mm_set1_epi16((short)0xff80);
    for (; units - i >= 8; i += 8) {
        __m128i v = _mm_loadu_si128((const __m128i_u *)(const void *)(src + 2 * i));
        __m128i ok = _mm_cmpeq_epi16(_mm_and_si128(v, high), _mm_setzero_si128());
        if (_mm_movemask_epi8(ok) != 0xffff) break;
        _mm_storel_epi64((__m128i_u *)(void *)(dst + i), _mm_packus_epi16(v, v));
    }
#else
    for (; units - i >= 4; i += 4) {
        uint64_t v = le64(src + 2 * i);
        if (v & UINT64_C(0xff80ff80ff80ff80)) break;
        dst[i] = (char)v;
        dst[i + 1] = (char)(v >> 16);
        dst[i + 2] = (char)(v >> 32);
        dst[i + 3] = (char)(v >> 48);
    }
#endif
    for (; i < units; i++) {
        unsigned u = le16(src + 2 * i);
        if (u >= 0x80) break;
        dst[i] = (char)u;
    }
    return i;
}

void binxml_out_utf16(struct binxml_out *o, struct slice utf16)
{
    size_t units = utf16.len / 2;
    const char *src = utf16.ptr;
    /* 3 bytes for each unit and 4 for a pair are the most; utf8_encode writes up to 4. */
    if (units == 0 || !binxml_out_room(o, 3 * units + 4)) return;
    char *dst = o->pos;
    size_t i = 0;
    while (i < units) {
        size_t n = copy_ascii(dst, src + 2 * i, units - i);
        dst += n;
        i += n;
        if (i == units) break;
        uint32_t cp = le16(src + 2 * i++);
        if (cp >= 0xD800 && cp <= 0xDFFF) {
            uint32_t low = i < units ? le16(src + 2 * i) : 0;
            if (cp < 0xDC00 && low >= 0xDC00 && low <= 0xDFFF) {
                cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
                i++;
            } else {
                cp = 0xFFFD;
            }
        }
        dst += utf8_encode(dst, cp);
    }
    o->pos = dst;
}

/* 0x80 to 0x9f of Windows-1252; the five bytes it leaves open stay C1 controls. */
static const uint16_t cp1252_high[32] = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
};

void binxml_out_ansi(struct binxml_out *o, struct slice ansi)
{
    if (!binxml_out_room(o, 3 * ansi.len + 4)) return;
    for (size_t i = 0; i < ansi.len; i++) {
        uint32_t c = (unsigned char)ansi.ptr[i];
        if (c >= 0x80 && c < 0xA0) c = cp1252_high[c - 0x80];
        if (c < 0x80) *o->pos++ = (char)c;
        else o->pos += utf8_encode(o->pos, c);
    }
}

static void put_hex_bytes(struct binxml_out *o, struct slice data)
{
    if (!binxml_out_room(o, 2 * data.len)) return;
    for (size_t i = 0; i < data.len; i++) {
        unsigned char c = (unsigned char)data.ptr[i];
        *o->pos++ = hex_upper[c >> 4];
        *o->pos++ = hex_upper[c & 15];
    }
}

/* The put_* functions below rely on SCALAR_ROOM. */

static void put_u64(struct binxml_out *o, uint64_t v)
{
    char text[20];
    size_t at = sizeof text;
    do {
        text[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    memcpy(o->pos, text + at, sizeof text - at);
    o->pos += sizeof text - at;
}

static void put_i64(struct binxml_out *o, int64_t v)
{
    if (v < 0) *o->pos++ = '-';
    put_u64(o, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* At least `width` decimal digits. */
static void put_padded(struct binxml_out *o, uint64_t v, unsigned width)
{
    uint64_t bound = 10;
    for (unsigned i = 1; i < width; i++, bound *= 10)
        if (v < bound) *o->pos++ = '0';
    /* One zero per power of ten not reached; v itself gives at least one digit. */
    put_u64(o, v);
}

static void put_hex(struct binxml_out *o, uint64_t v)
{
    unsigned digits = v ? (67 - (unsigned)__builtin_clzll(v)) / 4 : 1;
    *o->pos++ = '0';
    *o->pos++ = 'x';
    while (digits--) *o->pos++ = hex_lower[v >> (4 * digits) & 15];
}

static void put_guid(struct binxml_out *o, const char *p)
{
    /* Three little-endian numbers, then eight bytes in order; -1 is a dash. */
    static const signed char order[] = {3,  2, 1, 0,  -1, 5,  4,  -1, 7,  6,
                                        -1, 8, 9, -1, 10, 11, 12, 13, 14, 15};
    *o->pos++ = '{';
    for (size_t i = 0; i < sizeof order; i++) {
        if (order[i] < 0) {
            *o->pos++ = '-';
            continue;
        }
        unsigned char c = (unsigned char)p[order[i]];
        *o->pos++ = hex_upper[c >> 4];
        *o->pos++ = hex_upper[c & 15];
    }
    *o->pos++ = '}';
}

/* Proleptic Gregorian date of a day counted from 1601-01-01, the first day of a 400-year cycle. */
static void format_date(struct binxml_out *o, uint64_t day)
{
    uint64_t cycles = day / 146097, rest = day % 146097;
    uint64_t centuries = rest / 36524 < 3 ? rest / 36524 : 3;
    rest -= centuries * 36524;
    uint64_t fours = rest / 1461;
    rest %= 1461;
    uint64_t years = rest / 365 < 3 ? rest / 365 : 3;
    rest -= years * 365;
    static const uint8_t lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = years == 3 && (fours != 24 || centuries == 3);
    unsigned month = 0;
    for (; month < 11; month++) {
        unsigned len = lengths[month] + (month == 1 && leap ? 1u : 0u);
        if (rest < len) break;
        rest -= len;
    }
    char *begin = o->pos;
    put_padded(o, 1601 + 400 * cycles + 100 * centuries + 4 * fours + years, 4);
    *o->pos++ = '-';
    put_padded(o, month + 1, 2);
    *o->pos++ = '-';
    put_padded(o, rest + 1, 2);
    *o->pos++ = 'T';
    o->day = day;
    o->date_len = (size_t)(o->pos - begin);
    memcpy(o->date, begin, o->date_len);
}

/* h:m:s as two digits each. */
static void put_clock(struct binxml_out *o, unsigned h, unsigned m, unsigned s)
{
    put_padded(o, h, 2);
    *o->pos++ = ':';
    put_padded(o, m, 2);
    *o->pos++ = ':';
    put_padded(o, s, 2);
}

/* 100 ns since 1601-01-01. */
static void put_filetime(struct binxml_out *o, uint64_t t)
{
    uint64_t seconds = t / 10000000, fraction = t % 10000000;
    uint64_t day = seconds / 86400;
    if (o->date_len && o->day == day) {
        memcpy(o->pos, o->date, o->date_len);
        o->pos += o->date_len;
    } else {
        format_date(o, day);
    }
    unsigned s = (unsigned)(seconds % 86400);
    put_clock(o, s / 3600, s / 60 % 60, s % 60);
    *o->pos++ = '.';
    put_padded(o, fraction * 100, 9);
    *o->pos++ = 'Z';
}

/* SYSTEMTIME: year, month, day of the week, day, hour, minute, second, milliseconds. */
static void put_systemtime(struct binxml_out *o, const char *p)
{
    put_padded(o, le16(p), 4);
    *o->pos++ = '-';
    put_padded(o, le16(p + 2), 2);
    *o->pos++ = '-';
    put_padded(o, le16(p + 6), 2);
    *o->pos++ = 'T';
    put_clock(o, le16(p + 8), le16(p + 10), le16(p + 12));
    *o->pos++ = '.';
    put_padded(o, le16(p + 14), 3);
    *o->pos++ = 'Z';
}

/* SID ([MS-DTYP] 2.4.2.2): revision, count, 48-bit big-endian authority, count * 32 bit. */
static size_t sid_size(struct slice data)
{
    return data.len < 8 ? 0 : 8 + 4 * (size_t)(unsigned char)data.ptr[1];
}

static void put_sid(struct binxml_out *o, struct slice data)
{
    size_t size = sid_size(data);
    if (size == 0 || size > data.len) {
        put_hex_bytes(o, data);
        return;
    }
    if (!binxml_out_room(o, 32 + 11 * (size / 4))) return;
    uint64_t authority = 0;
    for (size_t i = 2; i < 8; i++) authority = authority << 8 | (unsigned char)data.ptr[i];
    *o->pos++ = 'S';
    *o->pos++ = '-';
    put_u64(o, (unsigned char)data.ptr[0]);
    *o->pos++ = '-';
    put_u64(o, authority);
    for (size_t at = 8; at < size; at += 4) {
        *o->pos++ = '-';
        put_u64(o, le32(data.ptr + at));
    }
}

/* The shortest decimal text that reads back as the same number. */
static void put_real(struct binxml_out *o, double v, bool single)
{
    char text[40];
    int n = 0;
    if (isnan(v) || isinf(v)) {
        binxml_out_put(o, slice_of(isnan(v) ? "nan" : v < 0 ? "-inf" : "inf"));
        return;
    }
    for (int digits = 6; digits <= 17; digits++) {
        double back;
        n = snprintf(text, sizeof text, "%.*g", digits, v);
        if (n <= 0 || !slice_to_double(slice_make(text, (size_t)n), &back)) continue;
        if (single ? (float)back == (float)v : back == v) break;
    }
    if (n > 0) binxml_out_put(o, slice_make(text, (size_t)n));
}

static uint64_t read_unsigned(struct slice data)
{
    switch (data.len) {
    case 1:
        return (unsigned char)data.ptr[0];
    case 2:
        return le16(data.ptr);
    case 4:
        return le32(data.ptr);
    default:
        return le64(data.ptr);
    }
}

static int64_t read_signed(struct slice data)
{
    switch (data.len) {
    case 1:
        return (signed char)data.ptr[0];
    case 2:
        return (int16_t)le16(data.ptr);
    case 4:
        return (int32_t)le32(data.ptr);
    default:
        return (int64_t)le64(data.ptr);
    }
}

/* The size of an item of this type in bytes; 0: it varies. */
static size_t fixed_size(unsigned type)
{
    switch (type) {
    case BINXML_INT8:
    case BINXML_UINT8:
        return 1;
    case BINXML_INT16:
    case BINXML_UINT16:
        return 2;
    case BINXML_INT32:
    case BINXML_UINT32:
    case BINXML_REAL32:
    case BINXML_BOOL:
    case BINXML_HEX32:
        return 4;
    case BINXML_INT64:
    case BINXML_UINT64:
    case BINXML_REAL64:
    case BINXML_FILETIME:
    case BINXML_HEX64:
        return 8;
    case BINXML_GUID:
    case BINXML_SYSTEMTIME:
        return 16;
    default:
        return 0;
    }
}

static bool is_number_size(size_t n)
{
    return n == 1 || n == 2 || n == 4 || n == 8;
}

static void put_real_bytes(struct binxml_out *o, struct slice data)
{
    if (data.len == 4) {
        uint32_t bits = le32(data.ptr);
        float f;
        memcpy(&f, &bits, sizeof f);
        put_real(o, (double)f, true);
    } else {
        uint64_t bits = le64(data.ptr);
        double f;
        memcpy(&f, &bits, sizeof f);
        put_real(o, f, false);
    }
}

/* A string's length without the NULs that end it. */
static size_t trim_nul16(struct slice s)
{
    size_t len = s.len & ~(size_t)1;
    while (len && s.ptr[len - 1] == 0 && s.ptr[len - 2] == 0) len -= 2;
    return len;
}

static size_t trim_nul8(struct slice s)
{
    size_t len = s.len;
    while (len && s.ptr[len - 1] == 0) len--;
    return len;
}

void binxml_out_value(struct binxml_out *o, unsigned type, struct slice data)
{
    if (type == BINXML_STRING || type == BINXML_XML) {
        binxml_out_utf16(o, slice_until(data, trim_nul16(data)));
        return;
    }
    if (type == BINXML_NULL || data.len == 0 || !binxml_out_room(o, SCALAR_ROOM)) return;
    size_t fixed = fixed_size(type);
    bool number = is_number_size(data.len);
    switch (type) {
    case BINXML_ANSI:
        binxml_out_ansi(o, slice_until(data, trim_nul8(data)));
        return;
    case BINXML_SID:
        put_sid(o, data);
        return;
    case BINXML_INT8:
    case BINXML_INT16:
    case BINXML_INT32:
    case BINXML_INT64:
        if (!number) break;
        put_i64(o, read_signed(data));
        return;
    case BINXML_UINT8:
    case BINXML_UINT16:
    case BINXML_UINT32:
    case BINXML_UINT64:
    case BINXML_SIZE:
    case BINXML_HANDLE:
        if (!number) break;
        put_u64(o, read_unsigned(data));
        return;
    case BINXML_HEX32:
    case BINXML_HEX64:
        if (!number) break;
        put_hex(o, read_unsigned(data));
        return;
    case BINXML_BOOL:
        if (!number) break;
        binxml_out_put(o, read_unsigned(data) ? SLICE("true") : SLICE("false"));
        return;
    case BINXML_REAL32:
    case BINXML_REAL64:
        if (data.len != 4 && data.len != 8) break;
        put_real_bytes(o, data);
        return;
    case BINXML_GUID:
        if (data.len != fixed) break;
        put_guid(o, data.ptr);
        return;
    case BINXML_FILETIME:
        if (data.len != fixed) break;
        put_filetime(o, le64(data.ptr));
        return;
    case BINXML_SYSTEMTIME:
        if (data.len != fixed) break;
        put_systemtime(o, data.ptr);
        return;
    default:
        break;
    }
    put_hex_bytes(o, data);
}

/* Strings in an array end with a NUL each; the last one may lack it. */
static size_t string_item(struct slice s, size_t unit, size_t *ret_skip)
{
    for (size_t i = 0; s.len - i >= unit; i += unit) {
        if (s.ptr[i] == 0 && (unit == 1 || s.ptr[i + 1] == 0)) {
            *ret_skip = i + unit;
            return i;
        }
    }
    *ret_skip = s.len;
    return s.len;
}

bool binxml_array_next(unsigned type, struct slice *rest, struct slice *ret_item)
{
    struct slice s = *rest;
    if (s.len == 0) return false;
    size_t len, skip;
    switch (type) {
    case BINXML_STRING:
    case BINXML_XML:
        len = string_item(s, 2, &skip);
        break;
    case BINXML_ANSI:
        len = string_item(s, 1, &skip);
        break;
    case BINXML_SID:
        len = sid_size(s);
        if (len == 0 || len > s.len) len = s.len;
        skip = len;
        break;
    default:
        len = type == BINXML_SIZE ? (s.len % 8 ? 4 : 8) : fixed_size(type);
        if (len == 0 || len > s.len) len = s.len;
        skip = len;
        break;
    }
    *ret_item = slice_until(s, len);
    *rest = slice_from(s, skip);
    return true;
}
