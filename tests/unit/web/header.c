/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/header.h"

#include "test.h"

TEST(cookies)
{
    static const struct {
        const char *text, *value; /* NULL: there is none */
    } cases[] = {
        {"__Host-vaka=abc", "abc"},
        {"a=b; __Host-vaka=abc; c=d", "abc"},
        {"a=b;__Host-vaka=abc", "abc"},
        {"__Host-vaka=", ""},
        {"__Host-vaka=a=b", "a=b"},
        {"__host-vaka=abc", NULL},
        {"x__Host-vaka=abc", NULL},
        {"__Host-vakax=abc", NULL},
        {"a=__Host-vaka=abc", NULL},
        {"__Host-vaka", NULL},
        {"", NULL},
        {";;;", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice value = SLICE_NONE;
        bool found = header_cookie(slice_of(cases[i].text), SLICE(API_COOKIE), &value);
        if (found != (cases[i].value != NULL) ||
            (found && !slice_eq(value, slice_of(cases[i].value))))
            test_fail(__FILE__, __LINE__, "%s", cases[i].text);
    }
}

TEST(what_is_packed_goes_to_who_takes_it)
{
    static const struct {
        const char *text;
        bool takes;
    } cases[] = {
        {"gzip", true},
        {"gzip, deflate, br", true},
        {"br;q=1, GZIP ; q=0.05", true},
        {"gzip;q=0.001", true},
        {"", false},
        {"br, deflate", false},
        {"gzip;q=0", false},
        {"br, gzip; q=0.000", false},
        {"x-gzip", false},
        {"gzipped", false},
        {"identity;q=1, *", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (header_takes_gzip(slice_of(cases[i].text)) != cases[i].takes)
            test_fail(__FILE__, __LINE__, "%s", cases[i].text);
}

TEST(bearers)
{
    struct slice secret;
    REQUIRE(header_bearer(SLICE("Bearer  vaka_x "), &secret));
    CHECK_SLICE(secret, "vaka_x");
    REQUIRE(header_bearer(SLICE("bEARER x"), &secret));
    CHECK(!header_bearer(SLICE("Bearer"), &secret));
    CHECK(!header_bearer(SLICE("Basic eDp5"), &secret));
    CHECK(!header_bearer(SLICE_NONE, &secret));
}

TEST(tags)
{
    const struct slice tag = SLICE("\"a\"");
    CHECK(header_has_tag(SLICE("\"a\""), tag));
    CHECK(header_has_tag(SLICE("\"b\", W/\"a\""), tag));
    CHECK(header_has_tag(SLICE("*"), tag));
    CHECK(!header_has_tag(SLICE("\"b\""), tag));
    CHECK(!header_has_tag(SLICE("a"), tag));
    CHECK(!header_has_tag(SLICE_NONE, tag));
}

TEST(versions)
{
    uint64_t n = 0;
    REQUIRE(header_version(SLICE("\"7.12\""), &n));
    CHECK_INT(n, 7);
    CHECK(header_version(SLICE("\"7\""), &n));
    CHECK(!header_version(SLICE("7.12"), &n));
    CHECK(!header_version(SLICE("\"\""), &n));
    CHECK(!header_version(SLICE("\"x.1\""), &n));
    CHECK(!header_version(SLICE("W/\"7.12\""), &n));
    CHECK(!header_version(SLICE_NONE, &n));
}

TEST(types_and_origins)
{
    CHECK(header_is_json(SLICE("application/json")));
    CHECK(header_is_json(SLICE("Application/JSON ; charset=utf-8")));
    CHECK(!header_is_json(SLICE("application/json-x")));
    CHECK(!header_is_json(SLICE("text/plain; application/json")));
    CHECK(!header_is_json(SLICE_NONE));
    CHECK(header_is_own(SLICE("https://a:8443"), SLICE("a:8443")));
    CHECK(!header_is_own(SLICE("http://a:8443"), SLICE("a:8443")));
    CHECK(!header_is_own(SLICE("https://a:8443.evil"), SLICE("a:8443")));
    CHECK(!header_is_own(SLICE("null"), SLICE("null")));
}
