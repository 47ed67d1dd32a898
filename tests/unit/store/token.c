/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/token.h"

#include "base/hash.h"
#include "test.h"

static bool has(struct token_set *set, uint64_t hash)
{
    uint32_t n;
    const uint32_t *keys = token_set_keys(set, &n);
    for (uint32_t i = 0; i < n; i++)
        if (keys[i] == token_key(hash)) return true;
    return false;
}

/* The hash of a text that is one token: what a literal has of it between blanks. */
static uint64_t hash_of(const char *token)
{
    char literal[300];
    uint64_t hashes[TOKEN_LITERAL_MAX];
    int len = snprintf(literal, sizeof literal, " %s ", token);
    int n = token_of_literal(slice_make(literal, (size_t)len), hashes);
    return n > 0 ? hashes[n - 1] : 0;
}

/* The record has the tokens (separated by blanks) and no other. */
static void check_tokens(int line, const char *raw, const char *tokens)
{
    struct token_set *set = token_set_new();
    REQUIRE(set && token_set_add(set, slice_of(raw)) == 0);
    struct slice rest = slice_of(tokens), token;
    uint32_t expected = 0, n;
    for (bool more = rest.len > 0; more;) {
        char text[256];
        more = slice_split(rest, ' ', &token, &rest);
        (void)snprintf(text, sizeof text, "%.*s", SLICE_FMT(token));
        expected++;
        if (!has(set, hash_of(text)))
            test_fail(__FILE__, line, "%s: token %s is missing", raw, text);
    }
    (void)token_set_keys(set, &n);
    if (n != expected) test_fail(__FILE__, line, "%s: %u tokens, not %u", raw, n, expected);
    token_set_free(set);
}
#define TOKENS(raw, tokens) check_tokens(__LINE__, raw, tokens)

TEST(tokens_of_runs)
{
    TOKENS("Failed Password FOR x anna", "failed password for anna");
    TOKENS("user@host-1.example:22", "user host example 22 host-1.example user@host-1.example:22");
    TOKENS("/usr/bin/sudo -l", "usr bin sudo usr/bin/sudo");
    TOKENS("a.b", "a.b");
    TOKENS("x", "");
    TOKENS("...", "");
    TOKENS("--verbose==", "verbose");
    TOKENS("[10.1.2.3]:514 ", "10 10.1.2.3 514");
    TOKENS("src-10.1.2.3-10.1.2.4", "src 10 10.1.2.3 10.1.2.4 src-10.1.2.3-10.1.2.4");
    TOKENS("1.2.3.4.5x", "1.2.3.4 5x 1.2.3.4.5x");
    TOKENS("2001:db8::1", "2001 db8 2001:db8::1");
    TOKENS("\xc3\x85sa \xc3\xa5SA", "\xc3\xa5sa");
}

TEST(timestamps_are_no_tokens)
{
    TOKENS("2026-12-23T21:47:00.123Z up", "up");
    TOKENS("2026-12-23 21:47:00+01:00 up", "up");
    TOKENS("[10/Oct/2026:13:55:36 +0100]", "0100");
    TOKENS("Oct 10 13:55:36 up", "oct 10 up");
    TOKENS("2026/12/23", "");
    TOKENS("2026-12-23/anna", "anna");
    TOKENS("2026-12-23today", "2026 12 23today 2026-12-23today");
    TOKENS("10:20", "10 20 10:20");
}

TEST(escapes_of_json_are_decoded)
{
    TOKENS("{\"a\":\"one\\r\\nRuleName\"}", "one rulename");
    TOKENS("{\"p\":\"C:\\\\Temp\\\\x.exe\"}", "temp x.exe exe");
    TOKENS("{\"p\":\"\\u0041nna \\ud83d\\ude00 \\/tmp\"}", "anna \xf0\x9f\x98\x80 tmp");
    TOKENS("one\\r\\nRuleName", "one nrulename");
    TOKENS("{\"cut\\u00", "cut u00");
    TOKENS("{\"cut\\", "cut");
}

TEST(long_tokens_are_left_out)
{
    char raw[TOKEN_MAX + 20];
    struct token_set *set = token_set_new();
    uint32_t n;
    REQUIRE(set);
    memset(raw, 'a', sizeof raw);
    REQUIRE(token_set_add(set, slice_make(raw, TOKEN_MAX + 1)) == 0);
    (void)token_set_keys(set, &n);
    CHECK_INT(n, 0);
    REQUIRE(token_set_add(set, slice_make(raw, TOKEN_MAX)) == 0);
    (void)token_set_keys(set, &n);
    CHECK_INT(n, 1);
    token_set_clear(set);
    (void)token_set_keys(set, &n);
    CHECK_INT(n, 0);
    token_set_free(set);
}

TEST(a_full_set_says_so)
{
    struct token_set *set = token_set_new();
    uint32_t n;
    REQUIRE(set);
    for (unsigned i = 0; i <= TOKEN_SET_MAX; i++) {
        char raw[16];
        CHECK(!token_set_full(set));
        int len = snprintf(raw, sizeof raw, "t%u", i);
        REQUIRE(token_set_add(set, slice_make(raw, (size_t)len)) == 0);
    }
    CHECK(token_set_full(set));
    (void)token_set_keys(set, &n);
    CHECK_INT(n, TOKEN_SET_MAX);
    token_set_free(set);
}

TEST(literals_give_what_is_whole_in_them)
{
    uint64_t hashes[TOKEN_LITERAL_MAX];
    CHECK_INT(token_of_literal(SLICE("anna"), hashes), 0);
    CHECK_INT(token_of_literal(SLICE(" anna"), hashes), 0);
    CHECK_INT(token_of_literal(SLICE("for anna from"), hashes), 1);
    CHECK(hashes[0] == hash_of("anna"));
    CHECK_INT(token_of_literal(SLICE("=anna-b "), hashes), 2);
    CHECK_INT(token_of_literal(SLICE(" anna \\"), hashes), 0);
    CHECK_INT(token_of_literal(SLICE(""), hashes), 0);
}

/* Whatever a record holds: a literal cut out of it asks for nothing that the record does not have.
 */
TEST(no_record_is_missed_by_its_literals)
{
    static const char alphabet[] = "aB1.-_$:/+%~#@ =\"\\nut0z2026-10:30:40T,{\xc3\xa5";
    struct token_set *set = token_set_new();
    uint64_t asked = 0;
    REQUIRE(set);
    for (uint64_t round = 0; round < 4000; round++) {
        char raw[200];
        size_t len = 1 + hash_mix(round, 1) % sizeof raw;
        for (size_t i = 0; i < len; i++)
            raw[i] = alphabet[hash_mix(round, i + 2) % (sizeof alphabet - 1)];
        if (round % 2) raw[0] = '{';
        if (round % 3 == 0 && len > 60) memcpy(raw + 20, " 2026-10-11T10:20:30.5Z/aB ", 27);
        token_set_clear(set);
        REQUIRE(token_set_add(set, slice_make(raw, len)) == 0);
        for (uint64_t k = 0; k < 20; k++) {
            uint64_t hashes[TOKEN_LITERAL_MAX];
            size_t from = hash_mix(round, 1000 + k) % len,
                   n = hash_mix(round, 2000 + k) % (len - from);
            int count = token_of_literal(slice_make(raw + from, n), hashes);
            for (int i = 0; i < count; i++) CHECK(has(set, hashes[i]));
            asked += (uint64_t)count;
        }
    }
    CHECK(asked > 5000); /* or the test above says nothing */
    token_set_free(set);
}

/* What of the value `text` the set `beside` has not, in a set of its own. */
static struct token_set *values_of(const char *text, size_t len, const struct token_set *beside)
{
    struct token_set *set = token_set_new(), *none = token_set_new();
    REQUIRE(set && none);
    REQUIRE(token_set_add_value(set, slice_make(text, len), beside ? beside : none) == 0);
    token_set_free(none);
    return set;
}

TEST(values_have_what_records_have_not)
{
    static const char raw[] = "{\"path\":\"C:\\\\Temp\\\\new.exe\"}",
                      value[] = "10:00:00.10.1.2.3 temp/other";
    struct token_set *record = token_set_new();
    uint32_t n;
    REQUIRE(record && token_set_add(record, slice_of(raw)) == 0);
    struct token_set *set = values_of(value, strlen(value), record);
    CHECK(has(set, hash_of("other")) && has(set, hash_of("temp/other")));
    CHECK(has(set, hash_of("10.1.2.3")));
    CHECK(!has(set, hash_of("temp")));
    token_set_free(set);
    set = values_of("temp new.exe", 12, record);
    (void)token_set_keys(set, &n);
    CHECK_INT(n, 0);
    token_set_free(set);
    /* It is no JSON that a record would be decoded of. */
    set = values_of("{\\nfoo", 6, NULL);
    CHECK(has(set, hash_of("nfoo")) && !has(set, hash_of("foo")));
    token_set_free(set);
    token_set_free(record);
}

/* All tokens of the text, with such ends, by their last one. */
static void check_text(int line, const char *text, enum token_end begin, enum token_end end,
                       const char *tokens)
{
    uint64_t hashes[TOKEN_LITERAL_MAX];
    int n = token_of_text(slice_of(text), begin, end, hashes);
    struct slice rest = slice_of(tokens), token;
    int expected = 0;
    for (bool more = rest.len > 0; more; expected++) {
        char copy[256];
        bool found = false;
        more = slice_split(rest, ' ', &token, &rest);
        (void)snprintf(copy, sizeof copy, "%.*s", SLICE_FMT(token));
        for (int i = 0; i < n; i++) found |= hashes[i] == hash_of(copy);
        if (!found) test_fail(__FILE__, line, "%s: %s is not asked for", text, copy);
    }
    if (n != expected) test_fail(__FILE__, line, "%s: %d tokens, not %d", text, n, expected);
}
#define TEXT(text, begin, end, tokens)                                                             \
    check_text(__LINE__, text, TOKEN_##begin, TOKEN_##end, tokens)

TEST(texts_give_what_is_known_of_their_ends)
{
    TEXT("anna", OPEN, OPEN, "");
    TEXT("anna", WORD, WORD, "anna");
    TEXT("anna-b", WORD, WORD, "anna");
    TEXT("host-1.example", WHOLE, WHOLE, "host example host-1.example");
    TEXT("host-1.example", WHOLE, OPEN, "host");
    TEXT("foo bar", OPEN, WORD, "bar");
    TEXT("foo bar", WORD, OPEN, "foo");
    TEXT("10.1.2.3", WHOLE, WHOLE, "10 10.1.2.3");
    TEXT("10.1.2.3", WORD, WORD, "10.1.2.3");
    TEXT("10.1.2.3", WORD, OPEN, "");
    /* It may be a part of a timestamp, whose words are no tokens. */
    TEXT("4625", WORD, WORD, "");
    TEXT("4625", WHOLE, WHOLE, "4625");
    TEXT("01t10 00z jul x4625", WORD, WORD, "jul x4625");
    TEXT("2026-07-01T01:00:00Z", WHOLE, WHOLE, "");
    TEXT("", WHOLE, WHOLE, "");
}

/* Whatever a value is: a text that stands in it asks for nothing that the value does not have. */
TEST(no_value_is_missed_by_its_texts)
{
    static const char alphabet[] = "aB1.-_$:/+%~#@ =\"\\nut0z2026-10:30:40T,{\xc3\xa5";
    uint64_t asked = 0;
    for (uint64_t round = 0; round < 2000; round++) {
        char text[120];
        size_t len = 60 + hash_mix(round, 1) % (sizeof text - 60);
        for (size_t i = 0; i < len; i++)
            text[i] = alphabet[hash_mix(round, i + 2) % (sizeof alphabet - 1)];
        if (round % 3 == 0) memcpy(text + 9, " 2026-10-11T10:20:30.5Z/aB ", 27);
        if (round % 3 == 1) memcpy(text + 9, "@10:20:30.10.1.2.3,jul-10", 25);
        struct token_set *set = values_of(text, len, NULL);
        for (uint64_t k = 0; k < 60; k++) {
            uint64_t hashes[TOKEN_LITERAL_MAX];
            size_t from = k % 4 ? hash_mix(round, 1000 + k) % len : 0;
            size_t to = k % 3 ? from + hash_mix(round, 2000 + k) % (len - from + 1) : len;
#define WORD_AT(i) (strchr(".-_$:/+%~#@ =\"\\,{", text[i]) == NULL)
            bool begins = from == 0 || from == to || !WORD_AT(from - 1) || !WORD_AT(from);
            bool ends = to == len || from == to || !WORD_AT(to - 1) || !WORD_AT(to);
            int count = token_of_text(slice_make(text + from, to - from),
                                      from == 0 ? TOKEN_WHOLE
                                      : begins  ? TOKEN_WORD
                                                : TOKEN_OPEN,
                                      to == len ? TOKEN_WHOLE
                                      : ends    ? TOKEN_WORD
                                                : TOKEN_OPEN,
                                      hashes);
            for (int i = 0; i < count; i++) CHECK(has(set, hashes[i]));
            asked += (uint64_t)count;
        }
        token_set_free(set);
    }
    CHECK(asked > 100000); /* or the test above says nothing */
}
