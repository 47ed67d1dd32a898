/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Where a list goes on: a word that its endpoint understands, for who asks opaque, and only good
 * for the list, filters and tenant that it was given for:
 *
 *     base64url(the first 16 bytes of HMAC-SHA-256 over it and what the list is | the word)
 */
#ifndef VAKA_WEB_CURSOR_H
#define VAKA_WEB_CURSOR_H

#include "base/buf.h"

enum { API_SECRET = 32, API_PLACE_MAX = 64 };

/* `list` is what the list is: endpoint, tenant, filters. place: at most API_PLACE_MAX bytes. */
void api_cursor_write(struct buf *out, const uint8_t secret[API_SECRET], struct slice list,
                      struct slice place);
/* False: it was not given for this. *ret lies in space. */
bool api_cursor_read(struct slice text, const uint8_t secret[API_SECRET], struct slice list,
                     char space[API_PLACE_MAX], struct slice *ret);

/* What only who has the secret can say of `about`, as 32 hexadecimal digits. */
enum { API_MARK_TEXT = 32 };
void api_mark_write(const uint8_t secret[API_SECRET], const char *purpose, struct slice about,
                    char ret[API_MARK_TEXT + 1]);
/* Takes as long whether it is right or not. */
bool api_mark_is(const uint8_t secret[API_SECRET], const char *purpose, struct slice about,
                 struct slice text);

#endif
