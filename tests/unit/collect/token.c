/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/token.h"

#include "test.h"

TEST(token_is_found_by_its_secret_only)
{
    struct tokens *t = tokens_new();
    REQUIRE(t != NULL);
    const struct token a = {SLICE("shipper"), 7, TOKEN_INGEST | TOKEN_OTLP};
    const struct token b = {SLICE("other"), 8, TOKEN_SPLUNK};
    CHECK_INT(tokens_add(t, SLICE("0123456789abcdef"), &a), 0);
    CHECK_INT(tokens_add(t, SLICE("0123456789abcdeg"), &b), 0);
    CHECK_INT(tokens_add(t, SLICE("0123456789abcdef"), &b), ERR_INVALID);
    CHECK_INT(tokens_add(t, SLICE("short"), &b), ERR_INVALID);
    const struct token *found = tokens_find(t, SLICE("0123456789abcdef"));
    REQUIRE(found != NULL);
    CHECK_SLICE(found->identity, "shipper");
    CHECK_INT(found->tenant, 7);
    CHECK_INT(found->rights, TOKEN_INGEST | TOKEN_OTLP);
    CHECK(tokens_find(t, SLICE("0123456789abcde")) == NULL);
    CHECK(tokens_find(t, SLICE("0123456789abcdef ")) == NULL);
    CHECK(tokens_find(t, SLICE("")) == NULL);
    CHECK(tokens_find(NULL, SLICE("0123456789abcdef")) == NULL);
    tokens_free(t);
}

static void check(const char *value, const char *expected)
{
    char scratch[TOKEN_MAX];
    struct slice secret;
    int error = token_read_header(slice_of(value), scratch, &secret);
    CHECK_INT(error, expected ? 0 : ERR_SYNTAX);
    if (!error && expected) CHECK_SLICE(secret, expected);
}

TEST(token_is_read_from_the_header)
{
    check("Bearer abc", "abc");
    check("bearer   abc ", "abc");
    check("Splunk 11-22", "11-22");
    check("Basic aWQ6c2VjcmV0", "secret");
    check("ApiKey aWQ6c2VjcmV0", "secret");
    check("Basic aWQ6YTpi", "a:b");
    check("Basic aWQ=", NULL);
    check("Basic !!!!", NULL);
    check("Basic aWQ6c2VjcmV", NULL);
    check("Digest abc", NULL);
    check("Bearer", NULL);
    check("Bearer ", NULL);
    check("", NULL);
}

TEST(token_that_is_too_long_is_none)
{
    static char value[8192] = "Bearer ";
    memset(value + 7, 'a', TOKEN_MAX);
    char scratch[TOKEN_MAX];
    struct slice secret;
    CHECK_INT(token_read_header(slice_of(value), scratch, &secret), 0);
    value[7 + TOKEN_MAX] = 'a';
    CHECK_INT(token_read_header(slice_of(value), scratch, &secret), ERR_SYNTAX);
    memcpy(value, "Basic  ", 7);
    memset(value + 7, 'a', 8000);
    CHECK_INT(token_read_header(slice_of(value), scratch, &secret), ERR_SYNTAX);
}

TEST(token_rights_have_names)
{
    CHECK_INT(token_right_of(SLICE("splunk")), TOKEN_SPLUNK);
    CHECK_INT(token_right_of(SLICE("metrics")), TOKEN_METRICS);
    CHECK_INT(token_right_of(SLICE("")), 0);
}
