/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/sigma/match.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "detect/sigma/pattern.h"
#include "test.h"

static bool glob_says(struct slice pattern, struct slice text)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct pattern p = pattern_parse(&arena, pattern, false);
    const struct glob_piece *glob = pattern_glob(&arena, &p, true);
    REQUIRE(!arena_failed(&arena));
    bool holds = glob_match(glob, p.n, text);
    arena_done(&arena);
    return holds;
}

TEST(glob_edges)
{
    static const struct {
        const char *pattern, *text;
        bool holds;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "abc", true},
        {"?", "", false},
        {"?", "a", true},
        {"?", "ab", false},
        {"?", "å", true},
        {"??", "å", false},
        {"?", "😀", true},
        {"abc", "abc", true},
        {"abc", "ab", false},
        {"abc", "abcd", false},
        {"a*", "a", true},
        {"a*", "ba", false},
        {"*a", "a", true},
        {"*a", "ab", false},
        {"*a", "aba", true},
        {"*ab", "aab", true},
        {"*aab", "aaab", true},
        {"a*a", "a", false},
        {"a*a", "aa", true},
        {"ab*ba", "aba", false},
        {"ab*ba", "abba", true},
        {"*a*b*", "ab", true},
        {"*a*b*", "ba", false},
        {"*ab*ab*", "abab", true},
        {"*ab*ab*", "abb", false},
        {"a*b*c", "a1b2c", true},
        {"a*b*c", "abcbc", true},
        {"a*b*c", "abcb", false},
        {"*?", "", false},
        {"*?", "a", true},
        {"?*", "a", true},
        {"?*?", "a", false},
        {"?*?", "ab", true},
        {"*?*", "", false},
        {"*?*", "x", true},
        {"a?c", "abc", true},
        {"a?c", "aåc", true},
        {"a?c", "ac", false},
        {"a??c", "aåc", false},
        {"*a?c", "xxabxabc", true},
        {"*a?c", "xxabc1", false},
        {"*?c", "åc", true},
        {"*??c", "åc", false},
        {"*??c", "ååc", true},
        {"a*?c", "abc", true},
        {"a*?c", "ac", false},
        {"*a?*", "xa", false},
        {"*a?*", "xab", true},
        {"*a?b*a?b", "aXbaYb", true},
        {"*a?b*a?b", "aXbYb", false},
        {"*å?ö", "xååxö", true},
        {"*å?ö", "xåxxö", false},
        {"*å?ö", "xåäö", true},
        {"a*?", "a", false},
        {"a*?", "ab", true},
        {"*aaab", "aaaaaaab", true},
        {"*ab?", "ababx", true},
        {"*aba", "ababa", true},
        {"*aba?", "ababa", false},
        {"*aba*a", "aba", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (glob_says(slice_of(cases[i].pattern), slice_of(cases[i].text)) != cases[i].holds)
            test_fail(__FILE__, __LINE__, "%s on %s is not %d", cases[i].pattern, cases[i].text,
                      cases[i].holds);
}

TEST(glob_takes_a_damaged_byte_as_one_character)
{
    CHECK(glob_says(SLICE("a?b"), SLICE("a\xff"
                                        "b")));
    CHECK(!glob_says(SLICE("a?b"), SLICE("a\xff\xfe"
                                         "b")));
    CHECK(glob_says(SLICE("a??b"), SLICE("a\xe2\x82"
                                         "b")));
    CHECK(glob_says(SLICE("*?b"), SLICE("\xff"
                                        "b")));
    CHECK(glob_says(SLICE("a?b"), SLICE("a\0b")));
    CHECK(glob_says(SLICE("*b"), SLICE("a\0b")));
    CHECK(!glob_match(NULL, 0, SLICE("a")));
    CHECK(glob_match(NULL, 0, SLICE_NONE));
}

/* By the definition, exponential. */
static bool plain_glob(struct slice p, struct slice t)
{
    if (p.len == 0) return t.len == 0;
    if (p.ptr[0] == '*') {
        for (size_t i = 0;; i += utf8_step(t, i)) {
            if (plain_glob(slice_from(p, 1), slice_from(t, i))) return true;
            if (i >= t.len) return false;
        }
    }
    if (t.len == 0) return false;
    if (p.ptr[0] == '?') return plain_glob(slice_from(p, 1), slice_from(t, utf8_step(t, 0)));
    return p.ptr[0] == t.ptr[0] && plain_glob(slice_from(p, 1), slice_from(t, 1));
}

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

TEST(glob_agrees_with_the_definition)
{
    static const char *const in_pattern[] = {"a", "b", "a", "*", "?", "å", "*"};
    static const char *const in_text[] = {"a", "b", "a", "b", "å", "a"};
    uint64_t seed = 7;
    unsigned matches = 0;
    enum { PAIRS = 400000 };
    for (unsigned i = 0; i < PAIRS; i++) {
        char pattern[64], text[64];
        size_t np = 0, nt = 0;
        for (uint32_t k = next_random(&seed) % 8; k; k--) {
            const char *s = in_pattern[next_random(&seed) % 7];
            memcpy(pattern + np, s, strlen(s));
            np += strlen(s);
        }
        for (uint32_t k = next_random(&seed) % 12; k; k--) {
            const char *s = in_text[next_random(&seed) % 6];
            memcpy(text + nt, s, strlen(s));
            nt += strlen(s);
        }
        struct slice p = slice_make(pattern, np), t = slice_make(text, nt);
        bool want = plain_glob(p, t);
        matches += want;
        if (glob_says(p, t) != want)
            test_fail(__FILE__, __LINE__, "%.*s on %.*s is not %d", SLICE_FMT(p), SLICE_FMT(t),
                      want);
    }
    printf("# %d pairs, %u match\n", PAIRS, matches);
    CHECK(matches > PAIRS / 8);
}

/* Many stars over a long text that almost matches: seconds if it were exponential. */
TEST(glob_is_not_exponential)
{
    enum { LEN = 200000 };
    char *text = malloc(LEN);
    REQUIRE(text);
    memset(text, 'a', LEN);
    struct slice t = slice_make(text, LEN);
    CHECK(!glob_says(SLICE("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"), t));
    CHECK(!glob_says(SLICE("*a?a*a?a*a?a*a?a*a?a*a?a*a?a*a?a*a?a*b*"), t));
    CHECK(glob_says(SLICE("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a"), t));
    free(text);
}

static void check_addr(const char *text, const char *want)
{
    uint8_t addr[16] = {0};
    bool v6 = false;
    char got[64] = "none";
    if (addr_parse(slice_of(text), addr, &v6)) {
        size_t n = 0;
        for (size_t i = 0; i < (v6 ? 16u : 4u); i++)
            n += (size_t)snprintf(got + n, sizeof got - n, "%02x", addr[i]);
    }
    if (strcmp(got, want) != 0) test_fail(__FILE__, __LINE__, "%s is %s, not %s", text, got, want);
}

TEST(addresses)
{
    check_addr("10.0.0.1", "0a000001");
    check_addr("255.255.255.255", "ffffffff");
    check_addr("::ffff:10.0.0.1", "0a000001");
    check_addr("::FFFF:10.0.0.1", "0a000001");
    check_addr("::ffff:0a00:0001", "0a000001");
    check_addr("0:0:0:0:0:ffff:10.0.0.1", "0a000001");
    check_addr("::1", "00000000000000000000000000000001");
    check_addr("::", "00000000000000000000000000000000");
    check_addr("fe80::1%eth0", "fe800000000000000000000000000001");
    check_addr("fe80::1%12", "fe800000000000000000000000000001");
    check_addr("2001:DB8::a", "20010db800000000000000000000000a");
    check_addr("::ffff:10.0.0.1%3", "0a000001");
    check_addr("", "none");
    check_addr("-", "none");
    check_addr("10.0.0", "none");
    check_addr("10.0.0.256", "none");
    check_addr("010.0.0.1", "none");
    check_addr("10.0.0.1 ", "none");
    check_addr("10.0.0.1:443", "none");
    check_addr("10.0.0.1%eth0", "none");
    check_addr("fe80::1%", "none");
    check_addr("1::2::3", "none");
    check_addr("[::1]", "none");
    check_addr("0000000000000000000000000000000000000000000000000000::1", "none");
    uint8_t addr[16];
    bool v6;
    CHECK(!addr_parse(SLICE("10.0.0.1\0"), addr, &v6));
    CHECK(!addr_parse(SLICE("10.0.0.1\0x"), addr, &v6));
    CHECK(!addr_parse(SLICE_NONE, addr, &v6));
}

static struct sigma_atom network(const char *addr, uint8_t bits)
{
    struct sigma_atom a = {.op = ATOM_CIDR};
    REQUIRE(addr_parse(slice_of(addr), a.cidr.addr, &a.cidr.v6));
    a.cidr.bits = bits;
    return a;
}

TEST(networks)
{
    struct sigma_atom a = network("10.0.0.0", 8);
    CHECK(cidr_contains(&a, SLICE("10.0.0.0")));
    CHECK(cidr_contains(&a, SLICE("10.255.255.255")));
    CHECK(cidr_contains(&a, SLICE("::ffff:10.1.2.3")));
    CHECK(!cidr_contains(&a, SLICE("11.0.0.0")));
    CHECK(!cidr_contains(&a, SLICE("9.255.255.255")));
    CHECK(!cidr_contains(&a, SLICE("a00::")));
    CHECK(!cidr_contains(&a, SLICE("host")));
    a = network("172.16.0.0", 12);
    CHECK(cidr_contains(&a, SLICE("172.31.255.255")));
    CHECK(!cidr_contains(&a, SLICE("172.32.0.0")));
    CHECK(!cidr_contains(&a, SLICE("172.15.255.255")));
    a = network("192.0.2.130", 31);
    CHECK(cidr_contains(&a, SLICE("192.0.2.131")));
    CHECK(!cidr_contains(&a, SLICE("192.0.2.132")));
    a = network("192.0.2.1", 32);
    CHECK(cidr_contains(&a, SLICE("192.0.2.1")));
    CHECK(!cidr_contains(&a, SLICE("192.0.2.0")));
    a = network("0.0.0.0", 0);
    CHECK(cidr_contains(&a, SLICE("255.1.2.3")));
    CHECK(!cidr_contains(&a, SLICE("::1")));
    a = network("fe80::", 10);
    CHECK(cidr_contains(&a, SLICE("fe80::1%eth0")));
    CHECK(cidr_contains(&a, SLICE("febf::1")));
    CHECK(!cidr_contains(&a, SLICE("fec0::1")));
    a = network("::1", 128);
    CHECK(cidr_contains(&a, SLICE("0:0:0:0:0:0:0:1")));
    CHECK(!cidr_contains(&a, SLICE("::2")));
    CHECK(!cidr_contains(&a, SLICE("127.0.0.1")));
    a = network("::", 0);
    CHECK(cidr_contains(&a, SLICE("2001:db8::1")));
    CHECK(!cidr_contains(&a, SLICE("::ffff:10.0.0.1"))); /* an IPv4 address */
}

static bool words_say(struct slice pattern, struct slice text)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct pattern p = pattern_parse(&arena, pattern, false);
    const struct glob_piece *glob = pattern_glob(&arena, &p, true);
    REQUIRE(!arena_failed(&arena));
    bool stands = words_match(glob, p.n, text);
    arena_done(&arena);
    return stands;
}

TEST(words_stand_where_words_begin_and_end)
{
    static const struct {
        const char *pattern, *text;
        bool stands;
    } cases[] = {
        {"root", "root", true},
        {"root", "for root from", true},
        {"root", "chroot", false},
        {"root", "roots", false},
        {"root", "chroot, then root", true},
        {"root", "ålroot", false},
        {"root", "user_root", true},
        {"root*", "roots", true},
        {"root*", "chroots", false},
        {"*root", "chroot", true},
        {"*root", "roots", false},
        {"*root*", "chroots", true},
        {"r*t", "a root b", true},
        {"r*t", "aroot", false},
        {"r*t", "a rb ct", true},
        {"r*t", "rabcd tx", false},
        {"10.0.0.5", "from 10.0.0.5:22", true},
        {"10.0.0.5", "from 10.0.0.55", false},
        {"10.0.0.5", "from 110.0.0.5", false},
        {"-x", "a-x", true},
        {"a b", "xa b a b", true},
        {"root", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (words_say(slice_of(cases[i].pattern), slice_of(cases[i].text)) != cases[i].stands)
            test_fail(__FILE__, __LINE__, "%s in %s", cases[i].pattern, cases[i].text);
}
