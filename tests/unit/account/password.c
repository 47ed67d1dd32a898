/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/password.h"

#include "account/secret.h"
#include "base/hash.h"
#include "test.h"

enum { MEMORY = 1024 * 1024 }; /* bytes: as little as makes the tests quick */

static bool is_good(const char *password)
{
    const char *why = NULL;
    bool good = password_check(slice_of(password), SLICE("berit.lund"), &why) == 0;
    CHECK(good || why);
    return good;
}

TEST(what_everybody_tries_first_is_refused)
{
    static const char *const bad[] = {
        "",
        "kort",
        "elva-tecken",
        "password1234",
        "P@ssw0rd!2026",
        "Sommar2026!!!",
        "S\xc3\xb6mmarKommun1",
        "l\xc3\xb6senord1234",
        "123456789012",
        "qwertyuiop12",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "xkqz7xkqz7xkqz7",
        "berit.lund2026",
        "BERIT.LUND-hej",
        "Stockholm1912!",
        "vinter vinter vinter",
        "trettio\xff tecken som inte \xc3",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (is_good(bad[i])) test_fail(__FILE__, __LINE__, "%s", bad[i]);
}

/* Of the most common that are long enough; docs/security/asvs.md. */
TEST(the_most_common_long_ones_are_refused)
{
    static const char *const bad[] = {
        "leavemealone",     "Sonyericsson", "1qaz2wsx3edc",   "q1w2e3r4t5y6", "123qweasdzxc",
        "1QAZ2wsx3edc4rfv", "unb3lievable", "finalfantasy",   "needforspeed", "professional",
        "Supernatural!",    "scandinavian", "counterstrike1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (is_good(bad[i])) test_fail(__FILE__, __LINE__, "%s", bad[i]);
}

TEST(what_nobody_would_guess_needs_no_kinds_of_characters)
{
    static const char *const good[] = {
        "sju gr\xc3\xb6na paraplyer",
        "xkqzvbtwplrg",
        "correct horse battery staple",
        "\xc3\xa5\xc3\xa4\xc3\xb6 b\xc3\xa4ltdjur ylar",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!is_good(good[i])) test_fail(__FILE__, __LINE__, "%s", good[i]);
}

TEST(characters_are_counted_and_bytes_bounded)
{
    char text[PASSWORD_MAX + 2];
    for (size_t i = 0; i <= PASSWORD_MAX; i++) text[i] = "kzvqxjwmtbplrgdh"[hash_mix(i, 7) & 15];
    text[PASSWORD_MAX + 1] = '\0';
    CHECK(!is_good(text));
    text[PASSWORD_MAX] = '\0';
    CHECK(is_good(text));
    /* Eleven characters, 22 bytes. */
    CHECK(!is_good("\xc3\xa5\xc3\xa4\xc3\xb6\xc3\xa9\xc3\xbc\xc3\xb1\xc3\xa7\xc3\xb8\xc3\xa6\xc3"
                   "\xab\xc3\xae"));
}

TEST(a_hash_knows_its_password_and_its_cost)
{
    char hash[PASSWORD_HASH_MAX], other[PASSWORD_HASH_MAX];
    REQUIRE(secret_start());
    REQUIRE(password_hash(SLICE("sju paraplyer"), MEMORY, hash) == 0);
    REQUIRE(password_hash(SLICE("sju paraplyer"), MEMORY, other) == 0);
    CHECK(slice_starts_with(slice_of(hash), SLICE("$argon2id$v=19$m=1024,t=3,p=1$")));
    CHECK(strcmp(hash, other) != 0);
    CHECK(password_verify(hash, SLICE("sju paraplyer")));
    CHECK(!password_verify(hash, SLICE("sju paraplyes")));
    CHECK(!password_verify(hash, SLICE_NONE));
    CHECK(!password_verify("", SLICE("sju paraplyer")));
    CHECK(!password_verify("$argon2id$v=19$m=1024", SLICE("sju paraplyer")));
    CHECK(!password_is_dated(hash, MEMORY));
    CHECK(password_is_dated(hash, 2 * MEMORY));
}

TEST(secrets_are_each_ones_own)
{
    char a[SECRET_TEXT + 1], b[SECRET_TEXT + 1];
    struct secret_hash x, y;
    REQUIRE(secret_start());
    secret_make(a);
    secret_make(b);
    CHECK(strlen(a) == SECRET_TEXT && slice_is_plain(slice_of(a), "-_"));
    CHECK(strcmp(a, b) != 0);
    secret_hash(slice_of(a), &x);
    secret_hash(slice_of(b), &y);
    CHECK(!secret_same(&x, &y));
    secret_hash(slice_of(a), &y);
    CHECK(secret_same(&x, &y));
}
