/* SPDX-License-Identifier: EUPL-1.2 */
#include "oidc/id_token.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json_read.h"
#include "test.h"

enum { NOW = 1790000000 };

/* ---- a provider of our own --------------------------------------------------------------- */

struct provider {
    gnutls_privkey_t keys[JWS_ALGORITHM_COUNT];
    struct jwks jwks;
    struct buf text; /* the keys as they are published */
};

static void put_coded(struct buf *out, const void *bytes, size_t len)
{
    size_t size = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *text = malloc(size);
    REQUIRE(text &&
            sodium_bin2base64(text, size, bytes, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING));
    buf_puts(out, text);
    free(text);
}

/* Numbers come with a zero in front, or without those that begin them. */
static void put_number(struct buf *out, const char *name, gnutls_datum_t *n, size_t size)
{
    unsigned char bytes[1024] = {0};
    const unsigned char *from = n->data;
    size_t len = n->size;
    while (len > 0 && *from == 0) from++, len--;
    if (size == 0) size = len;
    REQUIRE(len <= size && size <= sizeof bytes);
    memcpy(bytes + size - len, from, len);
    buf_printf(out, ",\"%s\":\"", name);
    put_coded(out, bytes, size);
    buf_putc(out, '"');
    gnutls_free(n->data);
}

static gnutls_privkey_t make_key(gnutls_pk_algorithm_t kind, unsigned bits)
{
    gnutls_privkey_t key;
    REQUIRE(gnutls_privkey_init(&key) == 0);
    REQUIRE(gnutls_privkey_generate2(key, kind, bits, 0, NULL, 0) == 0);
    return key;
}

static void put_rsa(struct buf *out, gnutls_privkey_t key, const char *kid)
{
    gnutls_datum_t n, e;
    REQUIRE(gnutls_privkey_export_rsa_raw(key, &n, &e, NULL, NULL, NULL, NULL, NULL, NULL) == 0);
    buf_printf(out, "{\"kty\":\"RSA\",\"kid\":\"%s\"", kid);
    put_number(out, "n", &n, 0);
    put_number(out, "e", &e, 0);
    buf_puts(out, "}");
}

static void provider_open(struct provider *p)
{
    gnutls_datum_t x, y;
    REQUIRE(sodium_init() >= 0);
    p->keys[JWS_RS256] = make_key(GNUTLS_PK_RSA, 2048);
    p->keys[JWS_ES256] =
        make_key(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1));
    p->keys[JWS_EDDSA] = make_key(GNUTLS_PK_EDDSA_ED25519, 256);
    buf_init(&p->text, JWKS_TEXT_MAX);
    buf_puts(&p->text, "{\"keys\":[");
    put_rsa(&p->text, p->keys[JWS_RS256], "RS256");
    REQUIRE(gnutls_privkey_export_ecc_raw(p->keys[JWS_ES256], NULL, &x, &y, NULL) == 0);
    buf_puts(&p->text, ",{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"ES256\",\"use\":\"sig\"");
    put_number(&p->text, "x", &x, 32);
    put_number(&p->text, "y", &y, 32);
    REQUIRE(gnutls_privkey_export_ecc_raw(p->keys[JWS_EDDSA], NULL, &x, &y, NULL) == 0);
    buf_puts(&p->text,
             "},{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"EdDSA\",\"alg\":\"EdDSA\"");
    put_number(&p->text, "x", &x, 32);
    buf_puts(&p->text, "}]}");
    REQUIRE(jwks_read(buf_slice(&p->text), &p->jwks) == 0);
    CHECK_INT(p->jwks.n, 3);
}

static void provider_close(struct provider *p)
{
    for (unsigned i = 0; i < JWS_ALGORITHM_COUNT; i++) gnutls_privkey_deinit(p->keys[i]);
    jwks_done(&p->jwks);
    buf_done(&p->text);
}

/* A number in the last of 32 bytes. */
static void put_right(unsigned char to[32], gnutls_datum_t *n)
{
    unsigned skip = n->size > 32 ? n->size - 32 : 0;
    memcpy(to + 32 - (n->size - skip), n->data + skip, n->size - skip);
    gnutls_free(n->data);
}

static void sign(struct provider *p, enum jws_algorithm algorithm, struct buf *token)
{
    static const gnutls_sign_algorithm_t how[] = {GNUTLS_SIGN_RSA_SHA256, GNUTLS_SIGN_ECDSA_SHA256,
                                                  GNUTLS_SIGN_EDDSA_ED25519};
    const gnutls_datum_t over = {.data = (unsigned char *)token->ptr, .size = (unsigned)token->len};
    gnutls_datum_t by, r, s;
    REQUIRE(gnutls_privkey_sign_data2(p->keys[algorithm], how[algorithm], 0, &over, &by) == 0);
    buf_putc(token, '.');
    if (algorithm == JWS_ES256) {
        unsigned char both[64] = {0};
        REQUIRE(gnutls_decode_rs_value(&by, &r, &s) == 0);
        put_right(both, &r);
        put_right(both + 32, &s);
        put_coded(token, both, sizeof both);
    } else {
        put_coded(token, by.data, by.size);
    }
    gnutls_free(by.data);
}

static const char *const names[] = {"RS256", "ES256", "EdDSA"};
static const char good[] = "{\"iss\":\"https://id.example\",\"aud\":\"vaka\",\"nonce\":\"n-1\","
                           "\"sub\":\"17\",\"exp\":1790000300,\"iat\":1790000000,"
                           "\"groups\":[\"soc\"]}";

static struct buf token_of(struct provider *p, enum jws_algorithm algorithm, const char *header,
                           const char *claims)
{
    struct buf token;
    buf_init(&token, ID_TOKEN_MAX + 1024);
    put_coded(&token, header, strlen(header));
    buf_putc(&token, '.');
    put_coded(&token, claims, strlen(claims));
    sign(p, algorithm, &token);
    return token;
}

static struct id_token_expected expect(const struct provider *p)
{
    return (struct id_token_expected){.keys = &p->jwks,
                                      .issuer = SLICE("https://id.example"),
                                      .client = SLICE("vaka"),
                                      .nonce = SLICE("n-1"),
                                      .now = NOW};
}

static int check_text(const struct provider *p, struct slice token, struct buf *claims)
{
    const char *why = NULL;
    const struct id_token_expected expected = expect(p);
    int error = id_token_check(token, &expected, claims, &why);
    CHECK(error == 0 || (why && claims->len == 0));
    return error;
}

static int check(struct provider *p, enum jws_algorithm algorithm, const char *header,
                 const char *text)
{
    struct buf token = token_of(p, algorithm, header, text), claims;
    buf_init(&claims, ID_TOKEN_MAX);
    int error = check_text(p, buf_slice(&token), &claims);
    if (error == 0) CHECK_SLICE(buf_slice(&claims), text);
    buf_done(&claims);
    buf_done(&token);
    return error;
}

/* ---- signatures -------------------------------------------------------------------------- */

TEST(signatures_of_the_rfcs_are_right)
{
    /* RFC 7515, A.3, and RFC 8037, A.4. */
    static const struct {
        const char *keys, *text, *signature;
    } rows[] = {
        {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
         "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
         "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}",
         "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"
         "LmNvbS9pc19yb290Ijp0cnVlfQ",
         "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
        {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
         "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}",
         "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
         "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct jwks keys;
        char signature[128];
        size_t len;
        REQUIRE(jwks_read(slice_of(rows[i].keys), &keys) == 0);
        REQUIRE(jose_decode(slice_of(rows[i].signature), signature, sizeof signature, &len));
        struct slice by = slice_make(signature, len);
        CHECK(jwks_verify(&keys.keys[0], slice_of(rows[i].text), by));
        CHECK(!jwks_verify(&keys.keys[0], slice_from(slice_of(rows[i].text), 1), by));
        CHECK(!jwks_verify(&keys.keys[0], slice_of(rows[i].text), slice_until(by, len - 1)));
        CHECK(!jwks_verify(&keys.keys[0], slice_of(rows[i].text), SLICE_NONE));
        jwks_done(&keys);
    }
}

TEST(a_token_is_taken_by_each_algorithm)
{
    struct provider p;
    provider_open(&p);
    for (unsigned a = 0; a < JWS_ALGORITHM_COUNT; a++) {
        char header[128];
        (void)snprintf(header, sizeof header, "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"JWT\"}",
                       names[a], names[a]);
        CHECK_INT(check(&p, a, header, good), 0);
        (void)snprintf(header, sizeof header, "{\"alg\":\"%s\"}", names[a]);
        CHECK_INT(check(&p, a, header, good), 0);
        /* Signed by a key that is another than its header says. */
        CHECK_INT(check(&p, (a + 1) % JWS_ALGORITHM_COUNT, header, good), ERR_INVALID);
    }
    provider_close(&p);
}

TEST(every_changed_byte_is_refused)
{
    struct provider p;
    struct buf claims;
    provider_open(&p);
    struct buf token = token_of(&p, JWS_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\"}", good);
    buf_init(&claims, ID_TOKEN_MAX);
    CHECK_INT(check_text(&p, buf_slice(&token), &claims), 0);
    for (size_t i = 0; i < token.len; i++) {
        buf_clear(&claims);
        token.ptr[i] = (char)(token.ptr[i] ^ 1);
        CHECK(check_text(&p, buf_slice(&token), &claims) != 0);
        token.ptr[i] = (char)(token.ptr[i] ^ 1);
        CHECK(check_text(&p, slice_until(buf_slice(&token), i), &claims) != 0);
    }
    buf_done(&claims);
    buf_done(&token);
    provider_close(&p);
}

/* What has fooled others: no signature, a MAC with the public key, a key that comes along. */
TEST(a_header_chooses_neither_key_nor_algorithm)
{
    struct provider p;
    static const char *const headers[] = {
        "{\"alg\":\"none\"}",
        "{\"alg\":\"None\",\"kid\":\"RS256\"}",
        "{\"alg\":\"HS256\",\"kid\":\"RS256\"}",
        "{\"alg\":\"ES256\",\"kid\":\"RS256\"}",
        "{\"alg\":\"RS256\",\"kid\":\"RS256\",\"crit\":[\"exp\"]}",
        "{\"alg\":\"RS256\",\"alg\":\"RS256\"}",
        "{\"alg\":\"RS256\",\"kid\":\"\"}",
        "{\"alg\":\"RS256\",\"kid\":7}",
        "{\"alg\":\"RS256\",\"kid\":\"another\"}",
        "{\"kid\":\"RS256\"}",
        "[]",
    };
    provider_open(&p);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        CHECK(check(&p, JWS_RS256, headers[i], good) != 0);
    CHECK_INT(check(&p, JWS_RS256, "{\"alg\":\"RS256\",\"kid\":\"another\"}", good), ERR_NOT_FOUND);
    provider_close(&p);
}

TEST(every_claim_counts)
{
    struct provider p;
    static const struct {
        const char *is, *becomes;
        bool taken;
    } rows[] = {
        {"https://id.example", "https://id.example/", false},
        {"\"iss\"", "\"isz\"", false},
        {"\"aud\":\"vaka\"", "\"aud\":\"other\"", false},
        {"\"aud\":\"vaka\"", "\"aud\":[\"vaka\"]", true},
        {"\"aud\":\"vaka\"", "\"aud\":[\"vaka\"],\"azp\":\"other\"", false},
        {"\"aud\":\"vaka\"", "\"aud\":[\"vaka\",\"other\"]", false},
        {"\"aud\":\"vaka\"", "\"aud\":[\"vaka\",\"other\"],\"azp\":\"vaka\"", true},
        {"\"aud\":\"vaka\"", "\"aud\":[]", false},
        {"\"aud\":\"vaka\"", "\"aud\":\"other\",\"aud\":\"vaka\"", false},
        {"\"n-1\"", "\"n-2\"", false},
        {"\"nonce\":\"n-1\",", "", false},
        {"1790000300", "1790000000", true}, /* within what clocks may be apart */
        {"1790000300", "1789999940", false},
        {"\"exp\":1790000300,", "", false},
        {"\"exp\":1790000300", "\"exp\":\"1790000300\"", false},
        {"\"exp\":1790000300", "\"exp\":1e300", false},
        {"\"iat\":1790000000", "\"iat\":1790000061", false},
        {"\"iat\":1790000000", "\"iat\":1790000000,\"nbf\":1790000061", false},
        {"\"iat\":1790000000", "\"iat\":1790000000,\"nbf\":1790000060.5", true},
        {"\"sub\":\"17\"", "\"sub\":\"\"", false},
        {"\"sub\":\"17\",", "", false},
        {"n-1", "n\\u002d1", true},
    };
    provider_open(&p);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        size_t at = slice_find(slice_of(good), slice_of(rows[i].is));
        REQUIRE(at != SIZE_MAX);
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)at, good, rows[i].becomes,
                       good + at + strlen(rows[i].is));
        bool taken = check(&p, JWS_ES256, "{\"alg\":\"ES256\",\"kid\":\"ES256\"}", text) == 0;
        if (taken != rows[i].taken) test_fail(__FILE__, __LINE__, "%s", text);
    }
    provider_close(&p);
}

/* One that says nothing of it is none of those that are wanted. */
TEST(how_somebody_logged_in_counts_when_it_is_wanted)
{
    struct provider p;
    static const char *const wanted[] = {"phr", "urn:x:two"};
    static const struct {
        const char *says;
        bool taken;
    } rows[] = {
        {"", false},
        {",\"acr\":\"phr\"", true},
        {",\"acr\":\"urn:x:two\"", true},
        {",\"acr\":\"urn:x:tw\"", false},
        {",\"acr\":\"phr urn:x:two\"", false},
        {",\"acr\":\"\"", false},
        {",\"acr\":[\"phr\"]", false},
        {",\"acr\":null", false},
        {",\"acr\":\"0\",\"acr\":\"phr\"", false},
    };
    provider_open(&p);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        struct buf claims;
        const char *why = "";
        (void)snprintf(text, sizeof text, "%.*s%s}", (int)(sizeof good - 2), good, rows[i].says);
        struct buf token = token_of(&p, JWS_EDDSA, "{\"alg\":\"EdDSA\"}", text);
        buf_init(&claims, ID_TOKEN_MAX);
        struct id_token_expected expected = expect(&p);
        CHECK_INT(id_token_check(buf_slice(&token), &expected, &claims, &why), 0);
        expected.acr = wanted;
        expected.n_acr = 2;
        int error = id_token_check(buf_slice(&token), &expected, &claims, &why);
        if ((error == 0) != rows[i].taken) test_fail(__FILE__, __LINE__, "%s", text);
        CHECK(rows[i].taken || strstr(why, "(acr)"));
        buf_done(&claims);
        buf_done(&token);
    }
    provider_close(&p);
}

/* ---- keys -------------------------------------------------------------------------------- */

TEST(keys_that_are_not_for_this_are_passed_over)
{
    struct jwks keys;
    struct buf text;
    gnutls_privkey_t small = make_key(GNUTLS_PK_RSA, 1024);
    static const char *const none[] = {
        "",
        "[]",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":[]}",
        "{\"keys\":[7,\"x\",{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"use\":\"enc\","
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"HS256\","
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}]}",
    };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        CHECK(jwks_read(slice_of(none[i]), &keys) != 0);
    buf_init(&text, JWKS_TEXT_MAX);
    buf_puts(&text, "{\"keys\":[");
    put_rsa(&text, small, "small");
    buf_puts(&text, "]}");
    CHECK_INT(jwks_read(buf_slice(&text), &keys), ERR_NOT_FOUND);
    gnutls_privkey_deinit(small);
    buf_done(&text);
}

TEST(without_a_name_there_has_to_be_one_key)
{
    struct jwks keys;
    static const char two[] = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\","
                              "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"},"
                              "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"b\","
                              "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";
    REQUIRE(jwks_read(slice_of(two), &keys) == 0);
    CHECK(jwks_find(&keys, JWS_EDDSA, SLICE("b")) == &keys.keys[1]);
    CHECK(jwks_find(&keys, JWS_EDDSA, SLICE_NONE) == NULL);
    CHECK(jwks_find(&keys, JWS_RS256, SLICE("b")) == NULL);
    jwks_done(&keys);
}
