/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "test.h"

TEST(addresses_end_where_they_end)
{
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {
        {"192.0.2.1", 9},
        {"192.0.2.1 port 22", 9},
        {"192.0.2.1:443", 9},
        {"192.0.2.1/24", 9},
        {"192.0.2.1.", 9},
        {"255.255.255.255", 15},
        {"256.0.2.1", 0},
        {"192.0.2", 0},
        {"192.0.2.", 0},
        {"192.0.2.1.5", 0},
        {"192.0.2.1234", 0},
        {"1.2.3.4a", 7},
        {"::", 2},
        {"::1", 3},
        {"::1/128", 3},
        {"2001:db8::7", 11},
        {"2001:db8::7, and", 11},
        {"2001:db8::7]:443", 11},
        {"fe80::1%eth0", 12},
        {"fe80::1%", 7},
        {"::ffff:192.0.2.1", 16},
        {"2001:db8:0:0:0:0:0:1", 20},
        {"2001:db8:0:0:0:0:0:0:1", 20},
        {"12:34:56", 0},
        {"12:34", 0},
        {"face", 0},
        {"", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice s = slice_of(cases[i].text);
        if (ip_len(s) != cases[i].len)
            test_fail(__FILE__, __LINE__, "%s: %zu, not %zu", cases[i].text, ip_len(s),
                      cases[i].len);
        CHECK_INT(ip_is(s), cases[i].len > 0 && cases[i].len == s.len);
    }
}

TEST(addresses_of_sockets)
{
    char text[IP_TEXT_MAX];
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    CHECK_INT(inet_pton(AF_INET, "10.1.2.3", &four.sin_addr), 1);
    ip_write((const struct sockaddr *)&four, text);
    CHECK_SLICE(slice_of(text), "10.1.2.3");
    CHECK_INT(inet_pton(AF_INET6, "2001:db8::7", &six.sin6_addr), 1);
    ip_write((const struct sockaddr *)&six, text);
    CHECK_SLICE(slice_of(text), "2001:db8::7");
    CHECK_INT(inet_pton(AF_INET6, "::ffff:10.1.2.3", &six.sin6_addr), 1);
    ip_write((const struct sockaddr *)&six, text);
    CHECK_SLICE(slice_of(text), "10.1.2.3");
    ip_write(NULL, text);
    CHECK_SLICE(slice_of(text), "local");
}
