/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A certificate that vouches for itself, for a server that has none yet: senders are told its
 * fingerprint. ECDSA on P-256; key usage of a server and, so that senders can be given certificates
 * by it, of an authority.
 */
#ifndef VAKA_PKI_CERTIFICATE_H
#define VAKA_PKI_CERTIFICATE_H

#include "base/buf.h"
#include "base/clock.h"

enum { CERTIFICATE_PEM_MAX = 64 * 1024, CERTIFICATE_FINGERPRINT = 64 /* hexadecimal digits */ };

struct certificate {
    struct buf certificate, key;                   /* PEM */
    char fingerprint[CERTIFICATE_FINGERPRINT + 1]; /* SHA-256 of the certificate's DER */
};

/*
 * For these DNS names and addresses (as text), the first name being the subject; valid from `from`
 * for `days`. To be given to certificate_done() in any case. ERR_INVALID: a name that is none;
 * ERR_NOMEM, ERR_IO (no randomness).
 */
int certificate_make(struct certificate *c, const char *const *names, size_t n_names, nsec from,
                     unsigned days) MUST_USE;
/* The key is overwritten. */
void certificate_done(struct certificate *c);

#endif
