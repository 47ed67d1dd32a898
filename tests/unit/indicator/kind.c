/* SPDX-License-Identifier: EUPL-1.2 */
#include "indicator/kind.h"

#include "test.h"

static struct slice refang(char *room, const char *text)
{
    return slice_make(room, indicator_refang(room, slice_of(text)));
}

TEST(what_was_made_harmless_is_as_it_was_meant)
{
    static const char *const cases[][2] = {
        {"hxxp://evil[.]example/a", "http://evil.example/a"},
        {"hXXps[:]//evil(dot)example", "https://evil.example"},
        {"hxxps[://]evil.example", "https://evil.example"},
        {"198[.]51[.]100[.]7", "198.51.100.7"},
        {"198[.51[.100[.7", "198.51.100.7"},
        {"eve[at]evil[dot]example", "eve@evil.example"},
        {"http://[2001:db8::1]/", "http://[2001:db8::1]/"},
        {"", ""},
    };
    char room[128];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_SLICE(refang(room, cases[i][0]), cases[i][1]);
}

TEST(words_for_kinds)
{
    static const struct {
        const char *word;
        int kind;
    } cases[] = {{"ip-dst", LISTED_ADDRESS},
                 {"IPv4-Addr", LISTED_ADDRESS},
                 {"ip:port", LISTED_ADDRESS},
                 {"Domain Name", LISTED_DOMAIN},
                 {"SHA-256", LISTED_HASH},
                 {"FileHash-MD5", LISTED_HASH},
                 {"email-src", LISTED_EMAIL},
                 {"url", LISTED_URL},
                 {"mutex", -1},
                 {"", -1},
                 {"sha512", -1},
                 {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum listed_kind kind;
        bool is = indicator_kind_read(slice_of(cases[i].word), &kind);
        CHECK_INT(is ? (int)kind : -1, cases[i].kind);
    }
}

TEST(kinds_are_seen_from_looks)
{
    static const struct {
        const char *value;
        int kind;
        const char *kept; /* "": it is none */
    } cases[] = {
        {"198.51.100.7", LISTED_ADDRESS, "198.51.100.7"},
        {"198.51.100.7:443", LISTED_ADDRESS, "198.51.100.7"},
        {"[2001:db8::1]:443", LISTED_ADDRESS, "2001:db8::1"},
        {"198.51.100.0/24", LISTED_ADDRESS, "198.51.100.0/24"},
        {"198.51.100.7/24", LISTED_ADDRESS, ""},
        {"198.51.100.0/33", LISTED_ADDRESS, ""},
        {"2001:db8::/32", LISTED_ADDRESS, "2001:db8::/32"},
        {"evil.example", LISTED_DOMAIN, "evil.example"},
        {"*.evil.example.", LISTED_DOMAIN, "evil.example"},
        {".evil.example", LISTED_DOMAIN, "evil.example"},
        {"evil.example:8080", LISTED_DOMAIN, "evil.example"},
        {"räksmörgås.example", LISTED_DOMAIN, "räksmörgås.example"},
        {"http://evil.example/a", LISTED_URL, "http://evil.example/a"},
        {"evil.example/a", LISTED_URL, "evil.example/a"},
        {"http://198.51.100.7/", LISTED_URL, "http://198.51.100.7/"},
        {"http:///a", LISTED_URL, ""},
        {"http://evil.example/a b", LISTED_URL, ""},
        {"d41d8cd98f00b204e9800998ecf8427f", LISTED_HASH, "d41d8cd98f00b204e9800998ecf8427f"},
        {"eve@evil.example", LISTED_EMAIL, "eve@evil.example"},
        {"a b", -1, ""},
        {"999.999.999.999", -1, ""},
        {"evil..example", -1, ""},
        {"eve@@evil.example", -1, ""},
        {"o'hara@evil.example", LISTED_EMAIL, "o'hara@evil.example"},
        {"e[v]e@evil.example", -1, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum listed_kind kind;
        struct slice kept = SLICE("");
        bool is = indicator_guess(slice_of(cases[i].value), &kind);
        CHECK_INT(is ? (int)kind : -1, cases[i].kind);
        if (is && indicator_check(kind, slice_of(cases[i].value), &kept)) kept = SLICE("");
        CHECK_SLICE(kept, cases[i].kept);
    }
}

TEST(a_value_is_of_the_kind_that_is_said)
{
    struct slice kept;
    CHECK(indicator_check(LISTED_ADDRESS, SLICE("evil.example"), &kept) != NULL);
    CHECK(indicator_check(LISTED_DOMAIN, SLICE("http://evil.example/a"), &kept) != NULL);
    CHECK(indicator_check(LISTED_DOMAIN, SLICE("198.51.100.7"), &kept) != NULL);
    CHECK(indicator_check(LISTED_HASH, SLICE("0123"), &kept) != NULL);
    CHECK(indicator_check(LISTED_EMAIL, SLICE("evil.example"), &kept) != NULL);
    CHECK(indicator_check(LISTED_URL, SLICE("evil.example"), &kept) == NULL);
}

TEST(what_would_be_met_all_the_time)
{
    static const struct slice networks[] = {{"203.0.113.0/24", 14}, {"anything", 8}};
    static const struct indicator_own own = {networks, 2};
    static const struct {
        enum listed_kind kind;
        const char *value;
        bool general;
    } cases[] = {
        {LISTED_ADDRESS, "0.0.0.0/0", true},
        {LISTED_ADDRESS, "10.1.2.3", true},
        {LISTED_ADDRESS, "8.0.0.0/15", true},
        {LISTED_ADDRESS, "8.8.0.0/16", false},
        {LISTED_ADDRESS, "127.0.0.1", true},
        {LISTED_ADDRESS, "::1", true},
        {LISTED_ADDRESS, "fe80::1", true},
        {LISTED_ADDRESS, "fd00::1", true},
        {LISTED_ADDRESS, "2001:db8::/31", true},
        {LISTED_ADDRESS, "2001:db8::/32", false},
        {LISTED_ADDRESS, "192.168.0.0/24", true},
        {LISTED_ADDRESS, "203.0.113.9", true},
        {LISTED_ADDRESS, "203.0.0.0/16", true},
        {LISTED_ADDRESS, "203.0.112.9", false},
        {LISTED_ADDRESS, "::ffff:10.0.0.1", true},
        {LISTED_DOMAIN, "localhost", true},
        {LISTED_DOMAIN, "com", true},
        {LISTED_DOMAIN, "srv.local", true},
        {LISTED_DOMAIN, "evil.example", false},
        {LISTED_URL, "http://localhost/a", true},
        {LISTED_URL, "http://10.0.0.1/a", true},
        {LISTED_URL, "http://evil.example/a", false},
        {LISTED_HASH, "d41d8cd98f00b204e9800998ecf8427e", true},
        {LISTED_HASH, "d41d8cd98f00b204e9800998ecf8427f", false},
        {LISTED_EMAIL, "eve@evil.example", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool general = indicator_too_general(cases[i].kind, slice_of(cases[i].value), &own) != NULL;
        if (general != cases[i].general)
            test_fail(__FILE__, __LINE__, "%s: %d", cases[i].value, general);
    }
}
