/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * An ID token (OpenID Connect Core 1.0, 2 and 3.1.3.7): a JSON Web Token (RFC 7519) in compact
 * form, signed by a key of the provider. Nothing of it counts before the signature was checked with
 * a key that was fetched from the provider: what its header says about keys is not looked at.
 */
#ifndef VAKA_OIDC_ID_TOKEN_H
#define VAKA_OIDC_ID_TOKEN_H

#include "base/buf.h"
#include "oidc/jwks.h"

enum {
    ID_TOKEN_MAX = 64 * 1024,
    ID_TOKEN_SKEW = 60, /* s that the clocks of both may be apart */
};

struct id_token_expected {
    const struct jwks *keys;
    struct slice issuer, client, nonce;
    /* How people may have logged in there, one of these (acr: 2 and 3.1.2.1); none: it is not
     * looked at. */
    const char *const *acr;
    uint32_t n_acr;
    int64_t now; /* s since 1970 */
};

/*
 * *claims (cleared) gets the claims, one JSON object. ERR_INVALID: it is not what is expected, and
 * *ret_why says why in a constant sentence; ERR_NOT_FOUND: the key that signed it is not among the
 * keys: they may be older than it; ERR_NOMEM.
 */
int id_token_check(struct slice token, const struct id_token_expected *expected, struct buf *claims,
                   const char **ret_why) MUST_USE;

#endif
