/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Who asks, when a reverse proxy asks for him: X-Forwarded-For, to which each proxy adds behind
 * what it was given the address that asked it. What is said there is believed of the proxies that
 * the settings name (web.proxies), and of nobody else: anybody can write anything into it.
 */
#ifndef VAKA_WEB_FORWARDED_H
#define VAKA_WEB_FORWARDED_H

#include "base/error.h"
#include "base/ip.h"
#include "detect/sigma/match.h"

enum { API_PROXIES_MAX = 16 };

struct api_proxies {
    struct sigma_atom of[API_PROXIES_MAX]; /* networks */
    size_t n;
};

/* Addresses and networks such as 192.0.2.0/24, at most API_PROXIES_MAX. ERR_INVALID: diag tells. */
int api_proxies_read(const char *const *texts, size_t n, struct api_proxies *ret,
                     struct diag *diag) MUST_USE;

/*
 * `peer` is who is connected, `forwarded` the header, of several one behind the other with commas.
 * The address is the last there that is no proxy's; the peer's own when it is none, or when what
 * stands there is no address.
 */
void api_proxies_find(const struct api_proxies *p, struct slice peer, struct slice forwarded,
                      char ret[IP_TEXT_MAX]);

#endif
