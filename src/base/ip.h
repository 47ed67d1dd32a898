/* SPDX-License-Identifier: EUPL-1.2 */
/* IP addresses as text: dotted IPv4, and IPv6 as RFC 4291 2.2 with a zone (RFC 4007 11) or without.
 */
#ifndef VAKA_BASE_IP_H
#define VAKA_BASE_IP_H

#include "base/slice.h"

enum { IP_TEXT_MAX = 64 }; /* 45 bytes of address, % and a zone */

/*
 * The bytes of the address that the text begins with, 0 when it begins with none. An IPv4 address
 * is none when more digits follow; of an IPv6 address that a port may follow (::1:80) all counts.
 */
size_t ip_len(struct slice s);
/* Whether all of the text is one address. */
bool ip_is(struct slice s);

struct sockaddr;
/* The address without its port as text, NUL-terminated: "10.1.2.3" also for ::ffff:10.1.2.3;
 * "local" for what has none (a Unix socket, NULL). */
void ip_write(const struct sockaddr *address, char ret[IP_TEXT_MAX]);

#endif
