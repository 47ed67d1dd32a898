/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Where a list goes on: a number that its endpoint understands, for who asks opaque, and only good
 * for the list, filters and tenant that it was given for:
 *
 *     base64url(u64 position, big-endian | the first 16 bytes of HMAC-SHA-256 over it and what the
 *     list is)
 */
#ifndef VAKA_WEB_CURSOR_H
#define VAKA_WEB_CURSOR_H

#include "base/buf.h"

enum { API_SECRET = 32, API_CURSOR_TEXT = 32 };

/* `list` is what the list is: endpoint, tenant, filters. */
void api_cursor_write(struct buf *out, const uint8_t secret[API_SECRET], struct slice list,
                      uint64_t position);
/* False: it was not given for this. */
bool api_cursor_read(struct slice text, const uint8_t secret[API_SECRET], struct slice list,
                     uint64_t *ret_position);

/* What only who has the secret can say of `about`, as 32 hexadecimal digits. */
enum { API_MARK_TEXT = 32 };
void api_mark_write(const uint8_t secret[API_SECRET], const char *purpose, struct slice about,
                    char ret[API_MARK_TEXT + 1]);
/* Takes as long whether it is right or not. */
bool api_mark_is(const uint8_t secret[API_SECRET], const char *purpose, struct slice about,
                 struct slice text);

#endif
