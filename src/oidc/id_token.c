/* SPDX-License-Identifier: EUPL-1.2 */
#include "oidc/id_token.h"

#include <sodium.h>

#include "base/json_read.h"

enum { SIGNATURE_MAX = RSA_BITS_MOST / 8, HEADER_MAX = 4096, TEXT_MAX = 2048 };

/* ---- JSON -------------------------------------------------------------------------------- */

/* Which of two members of one name counts is nobody's to guess (RFC 7519, 4). */
static bool is_there_once(struct slice object, const char *name)
{
    struct json_parts it;
    struct slice member, value;
    unsigned n = 0;
    json_parts_init(&it, object);
    while (json_parts_next(&it, &member, &value)) n += slice_eq(member, slice_of(name));
    return n == 1;
}

/* Whether it is a text that means the wanted one. */
static bool means(struct slice value, struct slice wanted)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    bool same =
        json_string_text(value, &text) && !buf_failed(&text) && slice_eq(buf_slice(&text), wanted);
    buf_done(&text);
    return same;
}

static bool says(struct slice object, const char *name, struct slice wanted)
{
    struct slice value;
    return is_there_once(object, name) && json_find_member(object, name, NULL, &value) &&
           means(value, wanted);
}

/* Seconds, maybe with a fraction that does not matter. */
static bool time_of(struct slice object, const char *name, int64_t *ret)
{
    struct slice value;
    double seconds;
    if (!is_there_once(object, name) || !json_find_member(object, name, NULL, &value) ||
        !slice_to_double(value, &seconds) || seconds < 0 || seconds > 1e11)
        return false;
    *ret = (int64_t)seconds;
    return true;
}

static bool has(struct slice object, const char *name)
{
    struct slice value;
    return json_find_member(object, name, NULL, &value);
}

/* ---- claims ------------------------------------------------------------------------------ */

/* Alone, or among others when the one that it was made for is said, too (3.1.3.7, 3 to 5). */
static bool is_for(struct slice claims, struct slice client)
{
    struct json_parts it;
    struct slice audience, name, part;
    unsigned n = 0;
    bool found = false;
    if (!is_there_once(claims, "aud") || !json_find_member(claims, "aud", NULL, &audience))
        return false;
    if (audience.ptr[0] != '[') return means(audience, client);
    json_parts_init(&it, audience);
    while (json_parts_next(&it, &name, &part)) {
        found |= means(part, client);
        n++;
    }
    return found && (n == 1 ? !has(claims, "azp") || says(claims, "azp", client)
                            : says(claims, "azp", client));
}

/* One of those that are good enough; one is as good as another. */
static bool is_strong(struct slice claims, const struct id_token_expected *e)
{
    for (uint32_t i = 0; i < e->n_acr; i++)
        if (says(claims, "acr", slice_of(e->acr[i]))) return true;
    return e->n_acr == 0;
}

static int check_claims(struct slice claims, const struct id_token_expected *e,
                        const char **ret_why)
{
    int64_t time;
    *ret_why = "it is not of the provider in the settings (iss)";
    if (!says(claims, "iss", e->issuer)) return ERR_INVALID;
    *ret_why = "it is not for this client (aud, azp)";
    if (!is_for(claims, e->client)) return ERR_INVALID;
    *ret_why = "it is not of this login (nonce)";
    if (e->nonce.len == 0 || !says(claims, "nonce", e->nonce)) return ERR_INVALID;
    *ret_why = "it has expired (exp)";
    if (!time_of(claims, "exp", &time) || e->now >= time + ID_TOKEN_SKEW) return ERR_INVALID;
    *ret_why = "it is of the future (iat)";
    if (!time_of(claims, "iat", &time) || time > e->now + ID_TOKEN_SKEW) return ERR_INVALID;
    *ret_why = "it is not good yet (nbf)";
    if (has(claims, "nbf") && (!time_of(claims, "nbf", &time) || time > e->now + ID_TOKEN_SKEW))
        return ERR_INVALID;
    *ret_why = "it does not say whose it is (sub)";
    if (!is_there_once(claims, "sub") || says(claims, "sub", SLICE(""))) return ERR_INVALID;
    *ret_why = "the login there was none of those that are wanted (acr)";
    return is_strong(claims, e) ? 0 : ERR_INVALID;
}

/* ---- the form ---------------------------------------------------------------------------- */

static bool decode_object(struct slice text, char *bytes, size_t size, struct slice *ret)
{
    size_t len;
    if (!jose_decode(text, bytes, size, &len)) return false;
    *ret = slice_make(bytes, len);
    return json_is_object(*ret);
}

/* Which key and algorithm; extensions that have to be understood are none that we know. */
static int read_header(struct slice text, const struct jwks *keys, const struct jwks_key **ret_key,
                       const char **ret_why)
{
    char bytes[HEADER_MAX];
    struct slice header, value, name = SLICE_NONE, kid = SLICE_NONE;
    *ret_why = "its header makes no sense";
    if (!decode_object(text, bytes, sizeof bytes, &header) || has(header, "crit") ||
        !is_there_once(header, "alg"))
        return ERR_INVALID;
    if (json_find_member(header, "alg", NULL, &value)) (void)json_string_inside(value, &name);
    if (json_find_member(header, "kid", NULL, &value) &&
        (!is_there_once(header, "kid") || !json_string_inside(value, &kid) || kid.len == 0))
        return ERR_INVALID;
    *ret_why = "it is not signed by RS256, ES256 or EdDSA";
    enum jws_algorithm algorithm = jws_algorithm_find(name);
    if (algorithm == JWS_ALGORITHM_COUNT) return ERR_INVALID;
    *ret_why = "it is signed by a key that the provider does not publish";
    *ret_key = jwks_find(keys, algorithm, kid);
    return *ret_key ? 0 : ERR_NOT_FOUND;
}

static bool split(struct slice token, struct slice *header, struct slice *body, struct slice *sign)
{
    struct slice rest;
    return slice_split(token, '.', header, &rest) && slice_split(rest, '.', body, sign) &&
           slice_find_byte(*sign, '.') == SIZE_MAX && header->len && body->len && sign->len;
}

static int check_signature(struct slice token, struct slice text, const struct jwks_key *key)
{
    char signature[SIGNATURE_MAX];
    size_t len;
    struct slice signed_text = slice_until(token, (size_t)(text.ptr - token.ptr) - 1);
    return jose_decode(text, signature, sizeof signature, &len) &&
                   jwks_verify(key, signed_text, slice_make(signature, len))
               ? 0
               : ERR_INVALID;
}

int id_token_check(struct slice token, const struct id_token_expected *expected, struct buf *claims,
                   const char **ret_why)
{
    struct slice header, body, sign, object;
    const struct jwks_key *key;
    buf_clear(claims);
    *ret_why = "it has not the form of a token";
    if (token.len > ID_TOKEN_MAX || !split(token, &header, &body, &sign)) return ERR_INVALID;
    int error = read_header(header, expected->keys, &key, ret_why);
    if (error) return error;
    *ret_why = "its signature is wrong";
    error = check_signature(token, sign, key);
    if (error) return error;
    char *bytes = buf_reserve(claims, body.len);
    if (!bytes) return ERR_NOMEM;
    *ret_why = "what it says makes no sense";
    if (!decode_object(body, bytes, body.len, &object)) return ERR_INVALID;
    error = check_claims(object, expected, ret_why);
    if (error == 0) claims->len = object.len;
    return error;
}
