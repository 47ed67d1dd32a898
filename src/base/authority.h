/* SPDX-License-Identifier: EUPL-1.2 */
/* Who an address names: "host", "host:port", "[::1]:port" (RFC 3986, 3.2), without a user. */
#ifndef VAKA_BASE_AUTHORITY_H
#define VAKA_BASE_AUTHORITY_H

#include "base/slice.h"

/* Borrowed; the host without its brackets, the port as text, empty when none is said. False: it is
 * none, or has a port that cannot be. */
bool authority_read(struct slice text, struct slice *ret_host, struct slice *ret_port);

#endif
