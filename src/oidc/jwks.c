/* SPDX-License-Identifier: EUPL-1.2 */
#include "oidc/jwks.h"

#include <gnutls/crypto.h>
#include <sodium.h>

#include "base/json_read.h"

enum { NUMBER_MAX = RSA_BITS_MOST / 8, COORDINATE = 32 };

static const char *const names[JWS_ALGORITHM_COUNT] = {
#define X(id, name) [JWS_##id] = name,
    JWS_ALGORITHMS(X)
#undef X
};

enum jws_algorithm jws_algorithm_find(struct slice name)
{
    unsigned at = 0;
    while (at < JWS_ALGORITHM_COUNT && !slice_eq(slice_of(names[at]), name)) at++;
    return at;
}

bool jose_decode(struct slice text, char *ret, size_t size, size_t *ret_len)
{
    const char *end = NULL;
    if (text.len == 0 ||
        sodium_base642bin((unsigned char *)ret, size, text.ptr, text.len, NULL, ret_len, &end,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return false;
    return end == text.ptr + text.len;
}

/* ---- keys -------------------------------------------------------------------------------- */

static bool number_of(struct slice object, const char *name, char bytes[NUMBER_MAX],
                      gnutls_datum_t *ret)
{
    size_t len;
    if (!jose_decode(json_member_text(object, name), bytes, NUMBER_MAX, &len)) return false;
    *ret = (gnutls_datum_t){.data = (unsigned char *)bytes, .size = (unsigned)len};
    return true;
}

static bool read_rsa(struct slice object, gnutls_pubkey_t key)
{
    char n[NUMBER_MAX], e[NUMBER_MAX];
    gnutls_datum_t modulus, exponent;
    unsigned bits = 0;
    if (!number_of(object, "n", n, &modulus) || !number_of(object, "e", e, &exponent)) return false;
    return gnutls_pubkey_import_rsa_raw(key, &modulus, &exponent) == 0 &&
           gnutls_pubkey_get_pk_algorithm(key, &bits) == GNUTLS_PK_RSA && bits >= RSA_BITS_LEAST &&
           bits <= RSA_BITS_MOST;
}

static bool read_curve(struct slice object, gnutls_pubkey_t key, const char *name,
                       gnutls_ecc_curve_t curve, bool two)
{
    char x[NUMBER_MAX], y[NUMBER_MAX];
    gnutls_datum_t at_x, at_y;
    if (!slice_eq(json_member_text(object, "crv"), slice_of(name)) ||
        !number_of(object, "x", x, &at_x) || at_x.size != COORDINATE)
        return false;
    if (two && (!number_of(object, "y", y, &at_y) || at_y.size != COORDINATE)) return false;
    return gnutls_pubkey_import_ecc_raw(key, curve, &at_x, two ? &at_y : NULL) == 0;
}

static bool read_material(struct slice object, struct jwks_key *ret)
{
    struct slice kty = json_member_text(object, "kty");
    if (slice_eq(kty, SLICE("RSA"))) {
        ret->algorithm = JWS_RS256;
        return read_rsa(object, ret->key);
    }
    if (slice_eq(kty, SLICE("EC"))) {
        ret->algorithm = JWS_ES256;
        return read_curve(object, ret->key, "P-256", GNUTLS_ECC_CURVE_SECP256R1, true);
    }
    ret->algorithm = JWS_EDDSA;
    return slice_eq(kty, SLICE("OKP")) &&
           read_curve(object, ret->key, "Ed25519", GNUTLS_ECC_CURVE_ED25519, false);
}

/* Not for encryption, and not for another algorithm than its kind is taken for here. */
static bool is_meant(struct slice object, const struct jwks_key *key)
{
    struct slice use = json_member_text(object, "use"), alg = json_member_text(object, "alg");
    return (use.len == 0 || slice_eq(use, SLICE("sig"))) &&
           (alg.len == 0 || slice_eq(alg, slice_of(names[key->algorithm])));
}

/* ERR_UNSUPPORTED: it is none for us. */
static int read_key(struct slice object, struct jwks_key *ret)
{
    struct slice kid = json_member_text(object, "kid");
    *ret = (struct jwks_key){.kid = ""};
    if (kid.len && !slice_copy(kid, ret->kid, sizeof ret->kid)) return ERR_UNSUPPORTED;
    if (gnutls_pubkey_init(&ret->key) != 0) return ERR_NOMEM;
    if (read_material(object, ret) && is_meant(object, ret)) return 0;
    gnutls_pubkey_deinit(ret->key);
    return ERR_UNSUPPORTED;
}

int jwks_read(struct slice text, struct jwks *ret)
{
    struct json_parts it;
    struct slice keys, name, part;
    int error = 0;
    *ret = (struct jwks){.n = 0};
    text = slice_trim(text);
    if (text.len > JWKS_TEXT_MAX || !json_is_object(text) ||
        !json_find_member(text, "keys", NULL, &keys) || keys.ptr[0] != '[')
        return ERR_SYNTAX;
    json_parts_init(&it, keys);
    while (error == 0 && ret->n < JWKS_KEYS_MAX && json_parts_next(&it, &name, &part)) {
        error = read_key(part, &ret->keys[ret->n]);
        ret->n += error == 0;
        if (error == ERR_UNSUPPORTED) error = 0;
    }
    if (error == 0 && ret->n == 0) error = ERR_NOT_FOUND;
    if (error) jwks_done(ret);
    return error;
}

void jwks_done(struct jwks *set)
{
    for (unsigned i = 0; i < set->n; i++) gnutls_pubkey_deinit(set->keys[i].key);
    set->n = 0;
}

const struct jwks_key *jwks_find(const struct jwks *set, enum jws_algorithm algorithm,
                                 struct slice kid)
{
    const struct jwks_key *found = NULL;
    for (unsigned i = 0; i < set->n; i++) {
        const struct jwks_key *key = &set->keys[i];
        if (key->algorithm != algorithm) continue;
        if (kid.len && slice_eq(kid, slice_of(key->kid))) return key;
        if (kid.len) continue;
        if (found) return NULL;
        found = key;
    }
    return found;
}

/* ---- signatures -------------------------------------------------------------------------- */

static bool verify(const struct jwks_key *key, gnutls_sign_algorithm_t algorithm,
                   const gnutls_datum_t *text, const gnutls_datum_t *signature)
{
    return gnutls_pubkey_verify_data2(key->key, algorithm, 0, text, signature) >= 0;
}

/* As JOSE has it, two numbers of 32 bytes (RFC 7518, 3.4); GnuTLS wants them in DER. */
static bool verify_ecdsa(const struct jwks_key *key, const gnutls_datum_t *text,
                         const gnutls_datum_t *signature)
{
    gnutls_datum_t der;
    const gnutls_datum_t r = {.data = signature->data, .size = COORDINATE},
                         s = {.data = signature->data + COORDINATE, .size = COORDINATE};
    if (signature->size != 2 * COORDINATE || gnutls_encode_rs_value(&der, &r, &s) != 0)
        return false;
    bool good = verify(key, GNUTLS_SIGN_ECDSA_SHA256, text, &der);
    gnutls_free(der.data);
    return good;
}

bool jwks_verify(const struct jwks_key *key, struct slice text, struct slice signature)
{
    const gnutls_datum_t over = {.data = (unsigned char *)(uintptr_t)text.ptr,
                                 .size = (unsigned)text.len},
                         by = {.data = (unsigned char *)(uintptr_t)signature.ptr,
                               .size = (unsigned)signature.len};
    switch (key->algorithm) {
    case JWS_RS256:
        return verify(key, GNUTLS_SIGN_RSA_SHA256, &over, &by);
    case JWS_ES256:
        return verify_ecdsa(key, &over, &by);
    case JWS_EDDSA:
        return verify(key, GNUTLS_SIGN_EDDSA_ED25519, &over, &by);
    default:
        return false;
    }
}
