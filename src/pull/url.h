/* SPDX-License-Identifier: EUPL-1.2 */
/* What is asked, as addresses; each with a NUL behind it. Overflow is out's. */
#ifndef VAKA_PULL_URL_H
#define VAKA_PULL_URL_H

#include "base/buf.h"
#include "pull/source.h"

/* Whole seconds: [from, to] of Graph, [from, to) of the Activity API. */
struct url_span {
    nsec from, to;
};

void url_token(struct buf *out, const struct pull_source *s);
/* The form of the request for a token: OAuth 2.0 client credentials, RFC 6749, 4.4.2. */
void url_token_form(struct buf *out, const struct pull_source *s, struct slice secret);
/* The first page of what became available in that time; `content` is of PULL_M365, `top` items a
 * page of the others. */
void url_page(struct buf *out, const struct pull_source *s, unsigned content,
              const struct url_span *span, unsigned top);
void url_subscribe(struct buf *out, const struct pull_source *s, unsigned content);
/* Something that changes nothing and needs the same permission. */
void url_check(struct buf *out, const struct pull_source *s, nsec now);
/* Whether an address that an answer gave is of the source's own interface: nobody else is shown its
 * token. */
bool url_is_own(struct slice url, const struct pull_source *s);

#endif
