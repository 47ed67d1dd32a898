/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Content-Encoding (RFC 9110, 8.4.1): gzip (RFC 1952, several members too), deflate (RFC 1950; some
 * send bare RFC 1951) and zstd (RFC 8878, windows of at most 8 MiB as RFC 9659 asks for).
 */
#ifndef VAKA_UNWRAP_ENCODING_H
#define VAKA_UNWRAP_ENCODING_H

#include "base/buf.h"

struct encoding;

/* NULL when out of memory. */
struct encoding *encoding_new(void);
void encoding_free(struct encoding *e);

/* Whether `name` is one that encoding_decode() reads, or means none. */
bool encoding_is_known(struct slice name);

/*
 * Appends the plain bytes of `in` to *out, at most `max` of them. ERR_UNSUPPORTED: an encoding that
 * is not known; ERR_CORRUPT, ERR_TRUNCATED; ERR_LIMIT: there are more, nothing is known of them;
 * ERR_NOMEM.
 */
int encoding_decode(struct encoding *e, struct slice name, struct slice in, size_t max,
                    struct buf *out) MUST_USE;

#endif
