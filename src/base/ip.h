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

#endif
