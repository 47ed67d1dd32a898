/* SPDX-License-Identifier: EUPL-1.2 */
/* application/x-www-form-urlencoded (WHATWG URL, 5), and what of it addresses have. */
#ifndef VAKA_BASE_FORM_H
#define VAKA_BASE_FORM_H

#include "base/buf.h"

/* *out (cleared) gets the value of the first field of that name. False: there is none, or it has a
 * broken escape, or does not fit. */
bool form_find(struct slice form, const char *name, struct buf *out) MUST_USE;
/* Appends "&name=value", without the & at the beginning. */
void form_put(struct buf *out, const char *name, struct slice value);
/* Appends text with all but letters, digits and -._~ as %XX (RFC 3986, 2.1). */
void form_put_escaped(struct buf *out, struct slice text);

#endif
