/* SPDX-License-Identifier: EUPL-1.2 */
#include "pull/source.h"

#include <stdlib.h>

#include "test.h"

#define IDS "tenant=t-1 client=c-1 secret=/s"

TEST(a_source_has_defaults)
{
    struct pull_source s;
    REQUIRE(pull_source_read(SLICE("m365-management " IDS), &s, NULL) == 0);
    CHECK_INT(s.kind, PULL_M365);
    CHECK_SLICE(slice_of(s.tenant), "t-1");
    CHECK_SLICE(slice_of(s.client), "c-1");
    CHECK_SLICE(slice_of(s.secret), "/s");
    CHECK_SLICE(slice_of(s.login.origin), "https://login.microsoftonline.com");
    CHECK_SLICE(slice_of(s.api.origin), "https://manage.office.com");
    CHECK_SLICE(slice_of(s.api.host), "manage.office.com");
    CHECK_INT(s.api.port, 443);
    CHECK_INT(pull_source_feeds(&s), 4);
    CHECK_SLICE(slice_of(pull_content_name(pull_source_content(&s, 3))), "Audit.General");
    REQUIRE(pull_source_read(SLICE("  entra-audit\t" IDS " "), &s, NULL) == 0);
    CHECK_SLICE(slice_of(s.api.origin), "https://graph.microsoft.com");
    CHECK_INT(pull_source_feeds(&s), 1);
}

TEST(words_of_a_source_come_in_any_order)
{
    struct pull_source s;
    REQUIRE(pull_source_read(SLICE("m365-management every=30s content=DLP.All,Audit.Exchange "
                                   "api=https://[::1]:8443/ login=https://l.example begin=7d " IDS
                                   " late=0s timeout=5s"),
                             &s, NULL) == 0);
    CHECK_INT(s.every, 30 * NSEC_PER_SEC);
    CHECK_INT(s.begin, 7 * 86400 * NSEC_PER_SEC);
    CHECK_INT(s.late, 0);
    CHECK_INT(s.timeout, 5 * NSEC_PER_SEC);
    CHECK_SLICE(slice_of(s.api.origin), "https://[::1]:8443");
    CHECK_SLICE(slice_of(s.api.host), "::1");
    CHECK_INT(s.api.port, 8443);
    CHECK_INT(pull_source_feeds(&s), 2);
    CHECK_SLICE(slice_of(pull_content_name(pull_source_content(&s, 1))), "DLP.All");
    CHECK_SLICE(slice_of(pull_permission(PULL_M365, pull_source_content(&s, 1))),
                "ActivityFeed.ReadDlp");
}

TEST(what_is_no_source_is_told)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "it has to begin with a kind of source"},
        {"entra-signin " IDS,
         "there is no kind of source entra-signin; did you mean `entra-sign-in`?"},
        {"entra-audit", "entra-audit needs tenant="},
        {"entra-audit tenant=a client=b", "entra-audit needs secret="},
        {"entra-audit " IDS " tenant=x", "tenant= stands there twice"},
        {"entra-audit " IDS " tennant=x", "there is no tennant=; did you mean `tenant`?"},
        {"entra-audit " IDS " my-secret", "words NAME=VALUE are expected"},
        {"entra-audit tenant=a/b client=b secret=/s",
         "tenant= is an id such as 11111111-2222-3333-4444-555555555555"},
        {"entra-audit tenant=a client=b secret=s",
         "secret= is the absolute path of a file, or credential:NAME"},
        {"entra-audit " IDS " api=http://x", "api= is an address https://HOST[:PORT]"},
        {"entra-audit " IDS " api=https://x/y", "api= is an address https://HOST[:PORT]"},
        {"entra-audit " IDS " api=https://u@x", "api= is an address https://HOST[:PORT]"},
        {"entra-audit " IDS " api=https://x:0", "api= is an address https://HOST[:PORT]"},
        {"entra-audit " IDS " api=https://x:65536", "api= is an address https://HOST[:PORT]"},
        {"entra-audit " IDS " login=https://", "login= is an address https://HOST[:PORT]"},
        {"entra-audit " IDS " content=Audit.Exchange", "content= is of m365-management alone"},
        {"m365-management " IDS " content=Audit.Exchang",
         "content=: there is no Audit.Exchang; did you mean `Audit.Exchange`?"},
        {"entra-audit " IDS " every=5", "every= is a time from 1s to 1d"},
        {"entra-audit " IDS " every=0s", "every= is a time from 1s to 1d"},
        {"m365-management " IDS " begin=8d", "begin= is a time from 0ms to 7d"},
        {"m365-management " IDS " late=13h", "late= is a time from 0ms to 12h"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pull_source s;
        struct diag diag = {0};
        CHECK(pull_source_read(slice_of(rows[i].text), &s, &diag) < 0);
        CHECK_SLICE(slice_of(diag.message), rows[i].why);
    }
}

static void check_both(const char *a, const char *b, const char *why)
{
    const char *texts[] = {a, b};
    struct pull_source *sources = calloc(PULL_SOURCES_MAX, sizeof *sources);
    struct diag diag = {0};
    REQUIRE(sources);
    CHECK((pull_sources_read(texts, 2, sources, &diag) == 0) == (why == NULL));
    CHECK_SLICE(slice_of(diag.message), why ? why : "");
    free(sources);
}

TEST(two_sources_do_not_ask_for_the_same)
{
    check_both("entra-audit " IDS, "entra-sign-in " IDS, NULL);
    check_both("entra-audit " IDS, "entra-audit tenant=t-1 client=c-2 secret=/s2",
               "cloud.sources: source 2: it asks for the same as source 1");
    check_both("entra-audit " IDS, "entra-audit tenant=t-2 client=c-1 secret=/s", NULL);
    check_both("m365-management content=DLP.All " IDS, "m365-management " IDS, NULL);
    check_both("m365-management content=Audit.General " IDS, "m365-management " IDS,
               "cloud.sources: source 2: it asks for the same as source 1");
    check_both("entra-audit " IDS, "entra-audit",
               "cloud.sources: source 2: entra-audit needs tenant=");
}

TEST(feeds_have_names_of_their_own)
{
    struct pull_source s;
    struct buf a, b;
    buf_init(&a, 256);
    buf_init(&b, 256);
    REQUIRE(pull_source_read(SLICE("m365-management " IDS), &s, NULL) == 0);
    REQUIRE(pull_source_feed_name(&s, 0, &a) == 0 && pull_source_feed_name(&s, 1, &b) == 0);
    CHECK(!slice_eq(buf_slice(&a), buf_slice(&b)));
    CHECK(slice_starts_with(buf_slice(&a), SLICE("m365-management-")));
    /* A new application goes on where the other was; another content in the list changes nothing.
     */
    buf_clear(&b);
    REQUIRE(pull_source_read(SLICE("m365-management tenant=t-1 client=new secret=/s2 "
                                   "content=Audit.AzureActiveDirectory"),
                             &s, NULL) == 0);
    REQUIRE(pull_source_feed_name(&s, 0, &b) == 0);
    CHECK(slice_eq(buf_slice(&a), buf_slice(&b)));
    buf_done(&a);
    buf_done(&b);
}

TEST(a_proxy_is_an_address_with_its_port)
{
    struct dial_address a;
    REQUIRE(dial_proxy_read(SLICE("http://proxy.example:3128"), &a));
    CHECK_INT(a.port, 3128);
    CHECK_SLICE(slice_of(a.host), "proxy.example");
    CHECK(!dial_proxy_read(SLICE("http://proxy.example"), &a));
    CHECK(!dial_proxy_read(SLICE("https://proxy.example:1"), &a));
    CHECK(!dial_proxy_read(SLICE("http://u:p@proxy.example:1"), &a));
}
