/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/utf8.h"

#include "test.h"

static struct slice fold(struct slice s)
{
    static char out[4096];
    REQUIRE(utf8_fold_bound(s.len) <= sizeof out);
    memset(out, '#', sizeof out);
    size_t n = utf8_fold(out, s);
    REQUIRE(n <= utf8_fold_bound(s.len));
    return slice_make(out, n);
}

TEST(utf8_decode_refuses_what_is_not_well_formed)
{
    static const struct {
        const char *bytes;
        unsigned len;
        uint32_t cp;
    } cases[] = {
        {"a", 1, 'a'},
        {"\xC3\xA5", 2, 0xE5},
        {"\xE2\x84\xAA", 3, 0x212A},
        {"\xF0\x9F\x98\x80", 4, 0x1F600},
        {"\xF4\x8F\xBF\xBF", 4, 0x10FFFF},
        {"\xEF\xBF\xBF", 3, 0xFFFF},
        {"\xC0\x80", 0, 0}, /* overlong */
        {"\xC1\xBF", 0, 0},
        {"\xE0\x9F\xBF", 0, 0},
        {"\xF0\x8F\xBF\xBF", 0, 0},
        {"\xED\xA0\x80", 0, 0},     /* surrogate */
        {"\xF4\x90\x80\x80", 0, 0}, /* above U+10FFFF */
        {"\xF8\x88\x80\x80", 0, 0},
        {"\x80", 0, 0},
        {"\xC3", 0, 0}, /* cut off */
        {"\xE2\x84", 0, 0},
        {"\xF0\x9F\x98", 0, 0},
        {"\xC3\x28", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t cp = 0;
        struct slice s = slice_of(cases[i].bytes);
        CHECK_INT(utf8_decode(s, 0, &cp), cases[i].len);
        CHECK_INT(cp, cases[i].cp);
        CHECK_INT(utf8_valid(s), cases[i].len != 0);
        CHECK_INT(utf8_step(s, 0), cases[i].len ? cases[i].len : 1);
    }
}

TEST(utf8_encode_is_the_inverse_of_decode)
{
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
        if (cp >= 0xD800 && cp <= 0xDFFF) continue;
        char text[4];
        uint32_t back = 0;
        unsigned n = utf8_encode(text, cp);
        if (utf8_decode(slice_make(text, n), 0, &back) != n || back != cp) {
            CHECK_INT(back, cp);
            break;
        }
    }
}

TEST(utf8_fold_swedish_and_others)
{
    CHECK_SLICE(fold(SLICE("\xC3\x85NGE-Admin")), "\xC3\xA5nge-admin");
    CHECK_SLICE(fold(SLICE("R\xC3\x84KSM\xC3\x96RG\xC3\x85S")), "r\xC3\xA4ksm\xC3\xB6rg\xC3\xA5s");
    CHECK_SLICE(fold(SLICE("\xCE\xA3\xCF\x82\xCF\x83")), "\xCF\x83\xCF\x83\xCF\x83"); /* sigmas */
    CHECK_SLICE(fold(SLICE("\xD0\x96")), "\xD0\xB6");
    CHECK_SLICE(fold(SLICE("\xE1\xBA\x9E")), "\xC3\x9F");             /* capital sharp s */
    CHECK_SLICE(fold(SLICE("\xF0\x90\x90\x80")), "\xF0\x90\x90\xA8"); /* Deseret */
    CHECK_SLICE(fold(SLICE("@[`{\x7f")), "@[`{\x7f");
}

TEST(utf8_fold_never_folds_into_ascii)
{
    CHECK_SLICE(fold(SLICE("\xE2\x84\xAA")), "\xE2\x84\xAA"); /* Kelvin sign */
    CHECK_SLICE(fold(SLICE("\xC5\xBF")), "\xC5\xBF");         /* long s */
    for (uint32_t cp = 0x80; cp <= 0x10FFFF; cp++)
        if (utf8_fold_cp(cp) < 0x80) CHECK_INT(utf8_fold_cp(cp), cp);
}

TEST(utf8_fold_cp_is_idempotent_and_within_the_bound)
{
    unsigned changed = 0;
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
        uint32_t f = utf8_fold_cp(cp);
        changed += f != cp;
        if (utf8_fold_cp(f) != f) CHECK_INT(utf8_fold_cp(f), f);
        char from[4], to[4];
        unsigned n = utf8_encode(from, cp), m = utf8_encode(to, f);
        if (2 * m > 3 * n) CHECK_INT(m, n);
    }
    CHECK(changed > 1300 && changed < 3000);
}

TEST(utf8_fold_grows_within_its_bound)
{
    char in[512];
    size_t n = 0;
    for (; n + 2 <= sizeof in; n += 2) memcpy(in + n, "\xC8\xBA", 2); /* U+023A: 2 to 3 bytes */
    struct slice out = fold(slice_make(in, n));
    CHECK_INT(out.len, n / 2 * 3);
    for (size_t i = 0; i < out.len; i += 3) CHECK(memcmp(out.ptr + i, "\xE2\xB1\xA5", 3) == 0);
}

TEST(utf8_fold_copies_damaged_bytes)
{
    CHECK_SLICE(fold(SLICE("A\xE5"
                           "B\xFF\x80"
                           "C")),
                "a\xE5"
                "b\xFF\x80"
                "c");
    CHECK_SLICE(fold(SLICE("0123456789ABCDEF\xC3")), "0123456789abcdef\xC3");
    CHECK_SLICE(fold(SLICE("\xED\xA0\x80")), "\xED\xA0\x80");
    struct slice out = fold(SLICE("A\0B"));
    CHECK_INT(out.len, 3);
    CHECK(memcmp(out.ptr, "a\0b", 3) == 0);
}

/* Every length and every place of a non-ASCII character against one character at a time. */
TEST(utf8_fold_agrees_at_every_length_and_alignment)
{
    for (size_t len = 0; len <= 70; len++) {
        for (size_t odd = 0; odd <= len; odd++) {
            char in[80], want[160];
            for (size_t i = 0; i < len; i++) in[i] = (char)('>' + (i * 7 + len) % 64);
            if (odd + 2 <= len) memcpy(in + odd, "\xC3\x96", 2);
            else if (odd + 1 == len) in[odd] = (char)0xC3;
            size_t w = 0;
            for (size_t i = 0; i < len;) {
                uint32_t cp;
                unsigned n = utf8_decode(slice_make(in, len), i, &cp);
                if (n) w += utf8_encode(want + w, utf8_fold_cp(cp));
                else want[w++] = in[i];
                i += n ? n : 1;
            }
            if (!slice_eq(fold(slice_make(in, len)), slice_make(want, w)))
                test_fail(__FILE__, __LINE__, "length %zu, odd at %zu", len, odd);
        }
    }
}

static void check_look(int line, struct slice s, enum utf16_order want, const char *text)
{
    size_t mark;
    char out[256];
    enum utf16_order got = utf16_look(s, &mark);
    if (got != want) test_fail(__FILE__, line, "order %d", (int)got);
    if (got != UTF16_NONE && !slice_eq(slice_make(out, utf16_text(s, out)), slice_of(text)))
        test_fail(__FILE__, line, "not %s", text);
}
#define LOOK(s, order, text) check_look(__LINE__, SLICE(s), order, text)

TEST(utf16_is_known_by_its_looks)
{
    LOOK("a\0b\0\xE5\0d\0", UTF16_NONE, ""); /* a letter beyond ASCII, too early without a mark */
    LOOK("a\0b\0c\0d\0\xE5\0", UTF16_LITTLE, "abcd\xC3\xA5");
    LOOK("a\0b\0c\0d\0e", UTF16_LITTLE, "abcde"); /* its zero was taken for an end */
    LOOK("\0a\0b\0c\0d\0", UTF16_BIG, "abcd");
    LOOK("\xFF\xFE"
         "a\0",
         UTF16_LITTLE, "a");
    LOOK("\xFE\xFF\0a\0b", UTF16_BIG, "ab");
    LOOK("\xFE\xFF"
         "a\0",
         UTF16_NONE, "");
    LOOK("\xFF\xFE", UTF16_NONE, "");
    LOOK("a\0b\0c\0", UTF16_NONE, "");
    LOOK("a\0b\0c\0\1\0", UTF16_NONE, "");
    LOOK("plain text", UTF16_NONE, "");
    LOOK("", UTF16_NONE, "");
    /* Other text is not hidden by a mark or a few zeros. */
    LOOK("\xFF\xFE<34>evil", UTF16_NONE, "");
    LOOK("a\0b\0c\0d\0mimikatz", UTF16_NONE, "");
    /* Pairs of surrogates have no zeros. */
    LOOK("a\0b\0c\0d\0\x3D\xD8\x01\xDE"
         "e\0",
         UTF16_LITTLE,
         "abcd\xF0\x9F\x98\x81"
         "e");
}

TEST(utf8_from_utf16le_pairs_and_strays)
{
    struct buf b;
    buf_init(&b, 1000);
    utf8_from_utf16le(&b, slice_make("a\0\xE5\0\x3D\xD8\x00\xDE", 8));
    CHECK_SLICE(buf_slice(&b), "a\xC3\xA5\xF0\x9F\x98\x80");
    buf_clear(&b);
    utf8_from_utf16le(&b, slice_make("\x3D\xD8", 2)); /* high surrogate at the end */
    utf8_from_utf16le(&b, slice_make("\x3D\xD8z\0", 4));
    utf8_from_utf16le(&b, slice_make("\x00\xDEz\0q", 5)); /* low one alone, odd byte */
    CHECK_SLICE(buf_slice(&b), "\xEF\xBF\xBD\xEF\xBF\xBDz\xEF\xBF\xBDz");
    buf_done(&b);
    buf_init(&b, 10);
    utf8_from_utf16le(&b, slice_make("a\0b\0c\0d\0", 8));
    CHECK(buf_failed(&b));
    buf_done(&b);
}
