/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/tls.h"

#include <gnutls/x509.h>

enum { IDENTITY_MAX = 1024 };

/* Forward secrecy and authenticated encryption only. */
static const char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-SHA1:-AES-128-"
                                 "CBC:-AES-256-CBC:%SERVER_PRECEDENCE";

/* Lives as long as the context has it or a session was begun with it. */
struct credentials {
    gnutls_certificate_credentials_t all;
    char *certificate, *key, *authorities;
    unsigned users;
};

struct tls_context {
    struct credentials *credentials;
    gnutls_priority_t priority;
    enum tls_client client;
};

struct tls {
    gnutls_session_t session;
    struct credentials *credentials;
    bool sending; /* GnuTLS holds bytes that did not leave yet */
};

static gnutls_datum_t datum(struct slice s)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)s.ptr, (unsigned)s.len};
}

static void credentials_drop(struct credentials *c)
{
    if (!c || --c->users > 0) return;
    if (c->all) gnutls_certificate_free_credentials(c->all);
    if (c->key) explicit_bzero(c->key, strlen(c->key));
    free(c->certificate);
    free(c->key);
    free(c->authorities);
    free(c);
}

static int load(struct credentials *c, struct slice certificate, struct slice key,
                struct slice authorities)
{
    gnutls_datum_t cert = datum(certificate), secret = datum(key), trusted = datum(authorities);
    if (gnutls_certificate_allocate_credentials(&c->all) < 0) return ERR_NOMEM;
    if (gnutls_certificate_set_x509_key_mem(c->all, &cert, &secret, GNUTLS_X509_FMT_PEM) < 0)
        return ERR_INVALID;
    if (authorities.len &&
        gnutls_certificate_set_x509_trust_mem(c->all, &trusted, GNUTLS_X509_FMT_PEM) <= 0)
        return ERR_INVALID;
    c->certificate = strndup(certificate.ptr, certificate.len);
    c->key = strndup(key.ptr, key.len);
    if (authorities.len) c->authorities = strndup(authorities.ptr, authorities.len);
    return c->certificate && c->key && (c->authorities || !authorities.len) ? 0 : ERR_NOMEM;
}

int tls_context_renew(struct tls_context *t, struct slice certificate, struct slice key,
                      struct slice authorities)
{
    bool asks = t->client != TLS_CLIENT_IGNORED;
    if (certificate.len == 0 || key.len == 0 || (asks && authorities.len == 0)) return ERR_INVALID;
    struct credentials *c = calloc(1, sizeof *c);
    if (!c) return ERR_NOMEM;
    c->users = 1;
    int error = load(c, certificate, key, asks ? authorities : SLICE_NONE);
    if (error) {
        credentials_drop(c);
        return error;
    }
    credentials_drop(t->credentials);
    t->credentials = c;
    return 0;
}

int tls_context_new(struct slice certificate, struct slice key, struct slice authorities,
                    enum tls_client client, struct tls_context **ret)
{
    struct tls_context *t = calloc(1, sizeof *t);
    if (!t) return ERR_NOMEM;
    t->client = client;
    int error = gnutls_priority_init(&t->priority, priorities, NULL) < 0
                    ? ERR_NOMEM
                    : tls_context_renew(t, certificate, key, authorities);
    if (error) {
        tls_context_free(t);
        return error;
    }
    *ret = t;
    return 0;
}

void tls_context_free(struct tls_context *t)
{
    if (!t) return;
    credentials_drop(t->credentials);
    if (t->priority) gnutls_priority_deinit(t->priority);
    free(t);
}

const char *tls_context_certificate(const struct tls_context *t)
{
    return t->credentials->certificate;
}

const char *tls_context_key(const struct tls_context *t)
{
    return t->credentials->key;
}

const char *tls_context_authorities(const struct tls_context *t)
{
    return t->credentials->authorities;
}

const char *tls_priorities(void)
{
    return priorities;
}

enum tls_client tls_context_client(const struct tls_context *t)
{
    return t->client;
}

/* ---- sessions ---------------------------------------------------------------------------- */

int tls_new(const struct tls_context *context, int fd, struct tls **ret)
{
    struct tls *t = calloc(1, sizeof *t);
    if (!t) return ERR_NOMEM;
    if (gnutls_init(&t->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0) {
        free(t);
        return ERR_NOMEM;
    }
    t->credentials = context->credentials;
    t->credentials->users++;
    gnutls_transport_set_int(t->session, fd);
    gnutls_handshake_set_timeout(t->session, GNUTLS_INDEFINITE_TIMEOUT); /* the owner's task */
    gnutls_certificate_server_set_request(
        t->session, context->client == TLS_CLIENT_IGNORED    ? GNUTLS_CERT_IGNORE
                    : context->client == TLS_CLIENT_REQUIRED ? GNUTLS_CERT_REQUIRE
                                                             : GNUTLS_CERT_REQUEST);
    if (gnutls_priority_set(t->session, context->priority) < 0 ||
        gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, t->credentials->all) < 0) {
        tls_free(t);
        return ERR_NOMEM;
    }
    *ret = t;
    return 0;
}

void tls_free(struct tls *t)
{
    if (!t) return;
    (void)gnutls_bye(t->session, GNUTLS_SHUT_WR);
    gnutls_deinit(t->session);
    credentials_drop(t->credentials);
    free(t);
}

gnutls_session_t tls_session(const struct tls *t)
{
    return t->session;
}

static int wanted(const struct tls *t)
{
    return gnutls_record_get_direction(t->session) ? TLS_WANT_WRITE : TLS_WANT_READ;
}

int tls_handshake(struct tls *t)
{
    int r;
    do {
        r = gnutls_handshake(t->session);
    } while (r < 0 && r != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(r));
    return r == GNUTLS_E_AGAIN ? wanted(t) : r < 0 ? ERR_CORRUPT : 0;
}

static ssize_t result(const struct tls *t, ssize_t r, int *ret_want)
{
    if (r > 0) return r;
    if (r == 0 || r == GNUTLS_E_PREMATURE_TERMINATION) return ERR_STOPPED;
    if (r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED) {
        *ret_want = wanted(t);
        return 0;
    }
    /* TLS 1.2 renegotiation is not granted; what is only a warning is read over. */
    if (r == GNUTLS_E_PULL_ERROR || r == GNUTLS_E_PUSH_ERROR) return ERR_IO;
    if (r == GNUTLS_E_WARNING_ALERT_RECEIVED) {
        *ret_want = TLS_WANT_READ;
        return 0;
    }
    return ERR_CORRUPT;
}

ssize_t tls_read(struct tls *t, char *to, size_t size, int *ret_want)
{
    return result(t, gnutls_record_recv(t->session, to, size), ret_want);
}

ssize_t tls_write(struct tls *t, struct slice bytes, int *ret_want)
{
    /* Its own copy is sent on: the caller's buffer may have moved since. */
    ssize_t r = t->sending ? gnutls_record_send(t->session, NULL, 0)
                           : gnutls_record_send(t->session, bytes.ptr, bytes.len);
    t->sending = r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED;
    return result(t, r, ret_want);
}

/* ---- who it is --------------------------------------------------------------------------- */

static bool put_name(gnutls_x509_crt_t crt, unsigned wanted_type, struct buf *ret)
{
    char name[IDENTITY_MAX];
    for (unsigned i = 0; i < 64; i++) {
        size_t len = sizeof name;
        unsigned type = 0;
        int r = gnutls_x509_crt_get_subject_alt_name2(crt, i, name, &len, &type, NULL);
        if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) return false;
        if (r < 0 || type != wanted_type || len == 0) continue;
        buf_put(ret, slice_make(name, len));
        return true;
    }
    return false;
}

static int put_identity(gnutls_x509_crt_t crt, struct buf *ret)
{
    if (put_name(crt, GNUTLS_SAN_DNSNAME, ret) || put_name(crt, GNUTLS_SAN_RFC822NAME, ret) ||
        put_name(crt, GNUTLS_SAN_URI, ret))
        return 0;
    gnutls_datum_t dn;
    if (gnutls_x509_crt_get_dn3(crt, &dn, 0) < 0) return ERR_ACCESS;
    bool fits = dn.size > 0 && dn.size <= IDENTITY_MAX;
    if (fits) buf_put(ret, slice_make(dn.data, dn.size));
    gnutls_free(dn.data);
    return fits ? 0 : ERR_ACCESS;
}

int tls_identity(gnutls_session_t session, struct buf *ret)
{
    unsigned n = 0, status = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
    if (!chain || n == 0) return ERR_NOT_FOUND;
    if (gnutls_certificate_verify_peers2(session, &status) < 0 || status != 0) return ERR_ACCESS;
    gnutls_x509_crt_t crt;
    if (gnutls_x509_crt_init(&crt) < 0) return ERR_NOMEM;
    int error = gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) < 0
                    ? ERR_ACCESS
                    : put_identity(crt, ret);
    gnutls_x509_crt_deinit(crt);
    if (!error && buf_failed(ret)) error = ERR_ACCESS;
    return error;
}
