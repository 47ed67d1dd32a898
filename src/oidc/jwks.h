/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The public keys of an identity provider, as it publishes them (JSON Web Key Set, RFC 7517), and
 * signatures by them (RFC 7518: RS256, ES256; RFC 8037: EdDSA with Ed25519). Only keys for one of
 * these are taken; no others can be, so that neither "none" nor a key of a MAC can be asked for.
 */
#ifndef VAKA_OIDC_JWKS_H
#define VAKA_OIDC_JWKS_H

#include <gnutls/abstract.h>

#include "base/error.h"

enum {
    JWKS_KEYS_MAX = 32,
    JWKS_TEXT_MAX = 256 * 1024,
    JWKS_KID_MAX = 256,
    RSA_BITS_LEAST = 2048,
    RSA_BITS_MOST = 8192,
};

/* id, its name as "alg" */
#define JWS_ALGORITHMS(X)                                                                          \
    X(RS256, "RS256")                                                                              \
    X(ES256, "ES256")                                                                              \
    X(EDDSA, "EdDSA")

enum jws_algorithm {
#define X(id, name) JWS_##id,
    JWS_ALGORITHMS(X)
#undef X
        JWS_ALGORITHM_COUNT,
};

/* JWS_ALGORITHM_COUNT: none of them. */
enum jws_algorithm jws_algorithm_find(struct slice name);

struct jwks {
    struct jwks_key {
        enum jws_algorithm algorithm;
        char kid[JWKS_KID_MAX + 1]; /* empty: it has none */
        gnutls_pubkey_t key;
    } keys[JWKS_KEYS_MAX];
    unsigned n;
};

/*
 * Keys of other kinds, uses and algorithms are passed over. ERR_SYNTAX: it is no set;
 * ERR_NOT_FOUND: there is no key for us in it; ERR_NOMEM. Nothing is to be given back then.
 */
int jwks_read(struct slice text, struct jwks *ret) MUST_USE;
void jwks_done(struct jwks *set);

/* The key of that name, or without one the only key for the algorithm; NULL: there is none. */
const struct jwks_key *jwks_find(const struct jwks *set, enum jws_algorithm algorithm,
                                 struct slice kid);
/* Whether it is the key's signature over the text. */
bool jwks_verify(const struct jwks_key *key, struct slice text, struct slice signature);

/* base64url without padding (RFC 7515, 2), in its one form. False: it is none, or longer. */
bool jose_decode(struct slice text, char *ret, size_t size, size_t *ret_len);

#endif
