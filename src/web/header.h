/* SPDX-License-Identifier: EUPL-1.2 */
/* What stands in headers of requests. */
#ifndef VAKA_WEB_HEADER_H
#define VAKA_WEB_HEADER_H

#include "base/slice.h"

#define API_COOKIE "__Host-vaka"

/* The value of the cookie of that name in Cookie (RFC 6265, 4.2.1); false: it is not there. */
bool header_cookie(struct slice cookies, struct slice name, struct slice *ret);
/* What Authorization shows as a bearer (RFC 6750, 2.1); false: something else. */
bool header_bearer(struct slice authorization, struct slice *ret);
/* Whether a list as in If-None-Match (RFC 9110, 13.1.2) has the tag, weak or not, or any ("*"). */
bool header_has_tag(struct slice list, struct slice tag);
/* "7.12", an ETag of ours, of which 7 is the version. */
bool header_version(struct slice match, uint64_t *ret);
/* Content-Type: application/json, whatever its parameters. */
bool header_is_json(struct slice type);
/* … application/x-www-form-urlencoded. */
bool header_is_form(struct slice type);
bool header_is_zip(struct slice type);
/* Whether Accept-Encoding (RFC 9110, 12.5.3) takes gzip. */
bool header_takes_gzip(struct slice accepted);
/* Whether Origin (RFC 6454) is this host over HTTPS. */
bool header_is_own(struct slice origin, struct slice host);

#endif
