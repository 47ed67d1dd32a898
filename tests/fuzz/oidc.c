/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Keys and tokens of an identity provider, as any bytes, a line with the keys before the token:
 * what is not signed is never taken.
 */
#include "oidc/id_token.h"
#include "target.h"

static const char public_key[] = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
                                 "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

/* The nonce is nobody's: not even a token with a right signature is taken. */
static void check_token(struct slice token, const struct jwks *keys)
{
    struct buf claims;
    const char *why = NULL;
    buf_init(&claims, ID_TOKEN_MAX);
    HOLDS(id_token_check(token,
                         &(struct id_token_expected){.keys = keys,
                                                     .issuer = SLICE("https://id.example"),
                                                     .client = SLICE("vaka"),
                                                     .nonce = SLICE("\x01 no nonce \x02"),
                                                     .now = 1790000000},
                         &claims, &why) != 0);
    HOLDS(why && *why && claims.len == 0);
    buf_done(&claims);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jwks keys;
    struct slice first, rest;
    (void)slice_split(slice_make(data, size), '\n', &first, &rest);
    if (jwks_read(first, &keys) == 0) {
        HOLDS(keys.n > 0 && keys.n <= JWKS_KEYS_MAX);
        check_token(rest, &keys);
        jwks_done(&keys);
    }
    HOLDS(jwks_read(slice_of(public_key), &keys) == 0);
    check_token(first, &keys);
    check_token(rest, &keys);
    jwks_done(&keys);
    return 0;
}
