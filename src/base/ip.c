/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static size_t ip4_len(struct slice s)
{
    size_t at = 0;
    for (int part = 0; part < 4; part++) {
        if (part && (at == s.len || s.ptr[at++] != '.')) return 0;
        unsigned value = 0;
        size_t start = at;
        for (; at < s.len && at < start + 3; at++) {
            unsigned digit = (unsigned char)s.ptr[at] - (unsigned)'0';
            if (digit > 9) break;
            value = value * 10 + digit;
        }
        if (at == start || value > 255) return 0;
    }
    if (at < s.len && is_digit(s.ptr[at])) return 0;
    return at + 1 < s.len && s.ptr[at] == '.' && is_digit(s.ptr[at + 1]) ? 0 : at;
}

static bool is_ip6(struct slice s)
{
    char text[IP_TEXT_MAX];
    unsigned char address[16];
    if (s.len >= sizeof text) return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return inet_pton(AF_INET6, text, address) == 1;
}

static size_t zone_len(struct slice s)
{
    size_t i = 0;
    if (s.len == 0 || s.ptr[0] != '%') return 0;
    for (i = 1; i < s.len && i < IP_TEXT_MAX / 4; i++) {
        char c = s.ptr[i];
        if (!is_digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')) break;
    }
    return i > 1 ? i : 0;
}

static size_t ip6_len(struct slice s)
{
    size_t n = 0, colons = 0;
    while (n < s.len && n < INET6_ADDRSTRLEN &&
           (is_hex(s.ptr[n]) || s.ptr[n] == ':' || (s.ptr[n] == '.' && colons > 1)))
        colons += s.ptr[n++] == ':';
    if (colons < 2) return 0;
    /* What ends a sentence or begins what follows is not of the address. */
    while (n > 2 && !is_ip6(slice_until(s, n))) {
        do n--;
        while (n > 2 && s.ptr[n] != ':' && s.ptr[n] != '.');
    }
    return n > 2 || (n == 2 && s.ptr[0] == ':' && s.ptr[1] == ':') ? n + zone_len(slice_from(s, n))
                                                                   : 0;
}

size_t ip_len(struct slice s)
{
    size_t n = ip4_len(s);
    return n ? n : ip6_len(s);
}

bool ip_is(struct slice s)
{
    return s.len > 0 && ip_len(s) == s.len;
}

void ip_write(const struct sockaddr *address, char ret[IP_TEXT_MAX])
{
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    const char *text = NULL;
    if (address && address->sa_family == AF_INET) {
        memcpy(&four, address, sizeof four);
        text = inet_ntop(AF_INET, &four.sin_addr, ret, IP_TEXT_MAX);
    } else if (address && address->sa_family == AF_INET6) {
        memcpy(&six, address, sizeof six);
        bool mapped = IN6_IS_ADDR_V4MAPPED(&six.sin6_addr);
        text = inet_ntop(mapped ? AF_INET : AF_INET6, &six.sin6_addr.s6_addr[mapped ? 12 : 0], ret,
                         IP_TEXT_MAX);
    }
    if (!text) (void)snprintf(ret, IP_TEXT_MAX, "local");
}
