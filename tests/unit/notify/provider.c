/* SPDX-License-Identifier: EUPL-1.2 */
#include "notify/provider.h"

#include "test.h"

TEST(mail_by_starttls_is_usual)
{
    struct notify_provider p;
    REQUIRE(notify_provider_read(SLICE("smtp host=mail.example.se from=vaka@example.se"), &p,
                                 NULL) == 0);
    CHECK_SLICE(slice_of(p.url), "smtp://mail.example.se:587");
    CHECK_SLICE(slice_of(p.name), "smtp");
    CHECK_INT(p.tls, NOTIFY_STARTTLS);
    CHECK_INT(p.where.port, 587);
    CHECK_INT(p.timeout, NOTIFY_TIMEOUT);
    CHECK(!p.own);
    CHECK_INT(notify_provider_channels(&p), 1 << NOTIFY_MAIL);
    REQUIRE(notify_provider_read(SLICE("smtp from=a@b.se tls=always host=[::1]:2465 own=yes"), &p,
                                 NULL) == 0);
    CHECK_SLICE(slice_of(p.url), "smtps://[::1]:2465");
    CHECK_SLICE(slice_of(p.where.host), "::1");
    CHECK(p.own);
}

TEST(a_gateway_has_the_channels_that_it_has_numbers_for)
{
    struct notify_provider p;
    REQUIRE(notify_provider_read(SLICE("46elks user=u secret=/s from=Vaka"), &p, NULL) == 0);
    CHECK_SLICE(slice_of(p.url), "https://api.46elks.com");
    CHECK_INT(notify_provider_channels(&p), 1 << NOTIFY_SMS);
    REQUIRE(notify_provider_read(SLICE("46elks user=u secret=/s voice=+46700000000 "
                                       "url=https://gw.example:8443/"),
                                 &p, NULL) == 0);
    CHECK_SLICE(slice_of(p.url), "https://gw.example:8443");
    CHECK_INT(notify_provider_channels(&p), 1 << NOTIFY_VOICE);
    CHECK(!p.swedish);
    REQUIRE(notify_provider_read(SLICE("46elks user=u secret=/s from=Vaka speaks=sv"), &p, NULL) ==
            0);
    CHECK(p.swedish);
}

TEST(what_is_no_provider_is_told)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "it has to begin with a kind of provider"},
        {"smpt", "there is no kind of provider smpt; did you mean `smtp`?"},
        {"smtp host=h", "smtp needs from="},
        {"smtp host=h from=x", "from= is an address such as vaka@example.se"},
        {"smtp host=h from=a@b.se user=u", "user= and secret= go together"},
        {"smtp host=h from=a@b.se user=u secret=/s tls=none", "a secret is not said without TLS"},
        {"smtp host=h:99999 from=a@b.se", "host= is HOST or HOST:PORT"},
        {"smtp host=h from=a@b.se prompt=x", "smtp has no prompt="},
        {"46elks user=u secret=/s", "46elks needs from= or voice="},
        {"46elks user=u secret=s from=Vaka",
         "secret= is the absolute path of a file, or credential:NAME"},
        {"46elks user=u secret=/s voice=0701234567", "voice= is a number such as +46700000000"},
        {"46elks user=u secret=/s from=Vaka url=http://x",
         "url= is an address https://HOST[:PORT]/…"},
        {"webhook url=https://x/\"y secret=/s", "url= is an address https://HOST[:PORT]/…"},
        {"ntfy url=https://x address=host", "address= is an address such as 192.0.2.1"},
        {"ntfy url=https://x timeout=2min", "timeout= is a time from 1s to 15s"},
        {"46elks user=u secret=/s from=Vaka speaks=fi", "there is no speaks= fi"},
        {"ntfy url=https://x own=maybe", "there is no own= maybe"},
        {"teams", "teams needs secret="},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct notify_provider p;
        struct diag diag = {0};
        CHECK(notify_provider_read(slice_of(rows[i].text), &p, &diag) != 0);
        CHECK_SLICE(slice_of(diag.message), rows[i].why);
    }
}

TEST(two_of_one_name_are_refused)
{
    static const char *const texts[] = {"ntfy url=https://a", "ntfy url=https://b"};
    struct notify_provider p[2];
    struct diag diag = {0};
    CHECK_INT(notify_providers_read(texts, 2, p, &diag), ERR_INVALID);
    CHECK_SLICE(slice_of(diag.message),
                "notify.providers: provider 2: provider 1 is called ntfy as "
                "well; name= tells them apart");
}

TEST(addresses_are_what_they_should_be)
{
    CHECK(notify_is_number(SLICE("+46701234567")));
    CHECK(!notify_is_number(SLICE("46701234567")));
    CHECK(!notify_is_number(SLICE("+0701234567")));
    CHECK(!notify_is_number(SLICE("+4670123456789012")));
    CHECK(!notify_is_number(SLICE("+4670-1234567")));
    CHECK(notify_is_address(SLICE("https://vaka.example.se:8443")));
    CHECK(!notify_is_address(SLICE("https://vaka.example.se/")));
    CHECK(!notify_is_address(SLICE("vaka.example.se")));
    CHECK(notify_is_mail(SLICE("anna.b+vaka@it.example.se")));
    CHECK(!notify_is_mail(SLICE("anna")));
    CHECK(!notify_is_mail(SLICE("@example.se")));
    CHECK(!notify_is_mail(SLICE("a b@example.se")));
    CHECK(!notify_is_mail(SLICE("a@example.se>\r\nRCPT TO:<b@c.se")));
    CHECK(!notify_is_mail(SLICE("<a@example.se>")));
    CHECK(!notify_is_mail(SLICE("a@example..se")));
}
