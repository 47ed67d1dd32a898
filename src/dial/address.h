/* SPDX-License-Identifier: EUPL-1.2 */
/* Where somebody is called, as settings say it. */
#ifndef VAKA_DIAL_ADDRESS_H
#define VAKA_DIAL_ADDRESS_H

#include "base/slice.h"

enum { DIAL_HOST_MAX = 256 }; /* bytes of a host's name, with its port */

/* "https://host[:port]", without a path; of a proxy "http://host:port". */
struct dial_address {
    char origin[DIAL_HOST_MAX + 8];
    char host[DIAL_HOST_MAX]; /* without its brackets */
    uint16_t port;
};

/* "https://HOST[:PORT]", perhaps with a slash behind it. False: it is none. */
bool dial_https_read(struct slice text, struct dial_address *ret);
/* A proxy, "http://HOST:PORT". False: it is none. */
bool dial_proxy_read(struct slice text, struct dial_address *ret);
/* The same of any scheme, such as "smtp://"; an empty port has to be said. */
bool dial_address_read(struct slice text, struct slice scheme, struct slice port,
                       struct dial_address *ret);

#endif
