/* SPDX-License-Identifier: EUPL-1.2 */
#include "pki/certificate.h"

#include <arpa/inet.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

static bool is_address(const char *text, void *ret, size_t *ret_len)
{
    *ret_len = sizeof(struct in_addr);
    if (inet_pton(AF_INET, text, ret) == 1) return true;
    *ret_len = sizeof(struct in6_addr);
    return inet_pton(AF_INET6, text, ret) == 1;
}

static int add_name(gnutls_x509_crt_t crt, const char *name)
{
    unsigned char address[sizeof(struct in6_addr)];
    size_t len;
    bool ip = is_address(name, address, &len);
    return gnutls_x509_crt_set_subject_alt_name(
        crt, ip ? GNUTLS_SAN_IPADDRESS : GNUTLS_SAN_DNSNAME, ip ? (const void *)address : name,
        (unsigned)(ip ? len : strlen(name)), GNUTLS_FSAN_APPEND);
}

static int set_serial(gnutls_x509_crt_t crt)
{
    unsigned char serial[16];
    int r = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);
    serial[0] &= 0x7f; /* RFC 5280, 4.1.2.2: positive */
    return r == 0 ? gnutls_x509_crt_set_serial(crt, serial, sizeof serial) : r;
}

static int set_contents(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const char *const *names,
                        size_t n_names, nsec from, unsigned days)
{
    const time_t begin = (time_t)(from / NSEC_PER_SEC), end = begin + (time_t)days * 86400;
    int r = gnutls_x509_crt_set_version(crt, 3);
    if (r == 0) r = set_serial(crt);
    if (r == 0) r = gnutls_x509_crt_set_activation_time(crt, begin);
    if (r == 0) r = gnutls_x509_crt_set_expiration_time(crt, end);
    if (r == 0)
        r = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, names[0],
                                          (unsigned)strlen(names[0]));
    for (size_t i = 0; i < n_names && r == 0; i++) r = add_name(crt, names[i]);
    if (r == 0) r = gnutls_x509_crt_set_key(crt, key);
    if (r == 0) r = gnutls_x509_crt_set_basic_constraints(crt, 1, 0);
    if (r == 0)
        r = gnutls_x509_crt_set_key_usage(crt,
                                          GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_CERT_SIGN);
    if (r == 0) r = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
    if (r == 0) r = gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
    return r;
}

static int put_pem(struct buf *out, int r, gnutls_datum_t *pem)
{
    if (r != 0) return r;
    buf_put(out, slice_make(pem->data, pem->size));
    explicit_bzero(pem->data, pem->size);
    gnutls_free(pem->data);
    return buf_failed(out) ? GNUTLS_E_MEMORY_ERROR : 0;
}

static int write_out(struct certificate *c, gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
    gnutls_datum_t pem = {0};
    unsigned char digest[32];
    size_t len = sizeof digest;
    int r = put_pem(&c->certificate, gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), &pem);
    if (r == 0)
        r = put_pem(&c->key,
                    gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL,
                                                      GNUTLS_PKCS_PLAIN, &pem),
                    &pem);
    if (r == 0) r = gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, digest, &len);
    for (size_t i = 0; i < sizeof digest && r == 0; i++)
        (void)snprintf(c->fingerprint + 2 * i, 3, "%02x", digest[i]);
    return r;
}

static int make(struct certificate *c, gnutls_x509_crt_t crt, gnutls_x509_privkey_t key,
                const char *const *names, size_t n_names, nsec from, unsigned days)
{
    int r = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                         GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (r == 0) r = set_contents(crt, key, names, n_names, from, days);
    return r == 0 ? write_out(c, crt, key) : r;
}

int certificate_make(struct certificate *c, const char *const *names, size_t n_names, nsec from,
                     unsigned days)
{
    gnutls_x509_crt_t crt = NULL;
    gnutls_x509_privkey_t key = NULL;
    ASSERT(n_names > 0);
    *c = (struct certificate){.fingerprint = ""};
    buf_init(&c->certificate, CERTIFICATE_PEM_MAX);
    buf_init(&c->key, CERTIFICATE_PEM_MAX);
    int r = gnutls_x509_crt_init(&crt);
    if (r == 0) r = gnutls_x509_privkey_init(&key);
    if (r == 0) r = make(c, crt, key, names, n_names, from, days);
    gnutls_x509_privkey_deinit(key);
    gnutls_x509_crt_deinit(crt);
    return r == 0                        ? 0
           : r == GNUTLS_E_MEMORY_ERROR  ? ERR_NOMEM
           : r == GNUTLS_E_RANDOM_FAILED ? ERR_IO
                                         : ERR_INVALID;
}

void certificate_done(struct certificate *c)
{
    if (c->key.ptr) explicit_bzero(c->key.ptr, c->key.cap);
    buf_done(&c->key);
    buf_done(&c->certificate);
}
