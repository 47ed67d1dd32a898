/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/authority.h"

#include "test.h"

TEST(hosts_and_ports_are_read)
{
    static const struct {
        const char *text, *host, *port;
    } rows[] = {
        {"example.org", "example.org", ""},
        {"example.org:8443", "example.org", "8443"},
        {"192.0.2.1:1", "192.0.2.1", "1"},
        {"[::1]", "::1", ""},
        {"[2001:db8::1]:65535", "2001:db8::1", "65535"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice host, port;
        REQUIRE(authority_read(slice_of(rows[i].text), &host, &port));
        CHECK_SLICE(host, rows[i].host);
        CHECK_SLICE(port, rows[i].port);
    }
}

TEST(what_is_none_is_refused)
{
    static const char *const bad[] = {"",    ":1",  "a:",    "a:0",     "a:65536", "a:x",
                                      "u@a", "a/b", "[::1",  "[::1]x",  "[::1]:",  "[]",
                                      "::1", "a b", "a:1:2", "a:443/x", "[a-b]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct slice host, port;
        if (authority_read(slice_of(bad[i]), &host, &port))
            test_fail(__FILE__, __LINE__, "%s was taken", bad[i]);
    }
}
