/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/forwarded.h"

#include "test.h"

static const char *find(const char *const *proxies, size_t n, const char *peer, const char *header)
{
    static char from[IP_TEXT_MAX];
    struct api_proxies p;
    struct diag diag = {0};
    REQUIRE(api_proxies_read(proxies, n, &p, &diag) == 0);
    api_proxies_find(&p, slice_of(peer), slice_of(header), from);
    return from;
}

TEST(a_proxy_is_believed_and_nobody_else)
{
    static const char *const proxies[] = {"10.0.0.0/8", "2001:db8::7"};
    static const struct {
        const char *peer, *header, *from;
    } rows[] = {
        {"192.0.2.1", "203.0.113.9", "192.0.2.1"},
        {"10.0.0.1", "203.0.113.9", "203.0.113.9"},
        {"10.0.0.1", "", "10.0.0.1"},
        /* What somebody writes himself stands before what the proxy adds. */
        {"10.0.0.1", "198.51.100.7, 203.0.113.9", "203.0.113.9"},
        {"10.0.0.1", "198.51.100.7,203.0.113.9,10.1.1.1 , 10.2.2.2", "203.0.113.9"},
        {"10.0.0.1", "10.9.9.9", "10.9.9.9"},
        {"2001:db8::7", "2001:db8::99", "2001:db8::99"},
        {"10.0.0.1", "[2001:db8::99]:4711", "2001:db8::99"},
        {"10.0.0.1", "203.0.113.9:4711", "203.0.113.9"},
        {"10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"},
        {"10.0.0.1", "203.0.113.9,", "10.0.0.1"},
        {"10.0.0.1", "[203.0.113.9", "203.0.113.9"},
        {"local", "203.0.113.9", "local"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK_SLICE(slice_of(find(proxies, 2, rows[i].peer, rows[i].header)), rows[i].from);
    CHECK_SLICE(slice_of(find(NULL, 0, "10.0.0.1", "203.0.113.9")), "10.0.0.1");
}

TEST(what_is_no_network_is_told)
{
    static const char *const wrong[] = {"10.0.0.1", "10.0.0.0/99"};
    struct api_proxies p;
    struct diag diag = {0};
    CHECK_INT(api_proxies_read(wrong, 2, &p, &diag), ERR_INVALID);
    CHECK(strstr(diag.message, "web.proxies: 10.0.0.0/99: "));
}
