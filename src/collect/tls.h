/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The server side of TLS 1.2 and 1.3 over a non-blocking socket (GnuTLS). A context is shared by
 * the connections of a listener.
 */
#ifndef VAKA_COLLECT_TLS_H
#define VAKA_COLLECT_TLS_H

#include <gnutls/gnutls.h>

#include "base/buf.h"
#include "base/error.h"

enum tls_client { TLS_CLIENT_IGNORED, TLS_CLIENT_REQUESTED, TLS_CLIENT_REQUIRED };

struct tls_context;

/*
 * PEM: our certificate with its chain, its key, and the authorities that may vouch for clients
 * (empty only when `client` is IGNORED). Copied; nothing is read from files. ERR_INVALID: not
 * readable, or the key is not the certificate's; ERR_NOMEM.
 */
int tls_context_new(struct slice certificate, struct slice key, struct slice authorities,
                    enum tls_client client, struct tls_context **ret) MUST_USE;
/*
 * Takes another certificate, key and authorities: sessions from now on have them, those before go
 * on with theirs. Whether clients are asked stays as it is. The same errors; then nothing changed.
 */
int tls_context_renew(struct tls_context *t, struct slice certificate, struct slice key,
                      struct slice authorities) MUST_USE;
void tls_context_free(struct tls_context *t);
/* For libmicrohttpd, which brings its own sessions: the PEM texts, NUL-terminated. */
const char *tls_context_certificate(const struct tls_context *t);
const char *tls_context_key(const struct tls_context *t);
/* NULL when clients are not asked for a certificate. */
const char *tls_context_authorities(const struct tls_context *t);
enum tls_client tls_context_client(const struct tls_context *t);

/* What is offered and taken, as gnutls_priority_init(3) reads it. Constant. */
const char *tls_priorities(void);

struct tls;

/* fd is borrowed. */
int tls_new(const struct tls_context *context, int fd, struct tls **ret) MUST_USE;
/* Says good-bye when that does not wait. May be NULL. */
void tls_free(struct tls *t);

enum { TLS_WANT_READ = 1, TLS_WANT_WRITE = 2 };

/* 0: done; above: what has to be waited for; ERR_CORRUPT: refused. */
int tls_handshake(struct tls *t) MUST_USE;
/*
 * Bytes read or written (above 0). 0 with *ret_want: to be called again then, for a write with at
 * least the same bytes. ERR_STOPPED: the end; ERR_CORRUPT, ERR_IO.
 */
ssize_t tls_read(struct tls *t, char *to, size_t size, int *ret_want) MUST_USE;
ssize_t tls_write(struct tls *t, struct slice bytes, int *ret_want) MUST_USE;
/*
 * Who the client is, as its certificate says: its first DNS name, else its first e-mail address or
 * URI, else its subject (RFC 4514). ERR_NOT_FOUND: it showed none; ERR_ACCESS: it is not vouched
 * for, expired, or not yet valid. At most 1 KiB; longer ones are ERR_ACCESS.
 */
int tls_identity(gnutls_session_t session, struct buf *ret) MUST_USE;
gnutls_session_t tls_session(const struct tls *t);

#endif
